"""Text made of phrases that know which attributes they come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from schemas.taxonomy import Language

Field = Literal["name", "description"]


@dataclass(frozen=True)
class Phrase:
    """A piece of a name or description.

    Args:
        text: the piece as it stands there.
        language: of the name or description.
        attributes: attributes that it states, at least one: category, brand, color, ...
        field: name or description.
        start: where it starts there, from 0.
    """

    text: str
    language: Language
    attributes: tuple[str, ...]
    field: Field
    start: int


class TracedText:
    """Grows a text piece by piece; pieces with attributes become phrases, the others are articles and punctuation."""

    def __init__(self) -> None:
        self._pieces: list[tuple[str, tuple[str, ...]]] = []

    def add(self, text: str, *attributes: str) -> TracedText:
        """Append a piece; without attributes it must state nothing."""
        if text:
            self._pieces.append((text, attributes))
        return self

    def join(self, others: list[TracedText], separator: str, last: str | None = None) -> TracedText:
        """Append texts with a separator between them; `last` before the last one when given."""
        for index, other in enumerate(others):
            if index:
                self.add(last if last is not None and index == len(others) - 1 else separator)
            self._pieces += other._pieces
        return self

    def capitalized(self) -> TracedText:
        """The same with a capital first letter, unless a brand stands there, which writes itself as it likes."""
        result = TracedText()
        result._pieces = list(self._pieces)
        if result._pieces and "brand" not in result._pieces[0][1]:
            text, attributes = result._pieces[0]
            result._pieces[0] = (text[0].upper() + text[1:], attributes)
        return result

    def __bool__(self) -> bool:
        return bool(self._pieces)

    def __str__(self) -> str:
        return "".join(text for text, _ in self._pieces)

    def phrases(self, language: Language, field: Field) -> tuple[Phrase, ...]:
        """The pieces that state something."""
        phrases, start = [], 0
        for text, attributes in self._pieces:
            if attributes:
                phrases.append(Phrase(text, language, attributes, field, start))
            start += len(text)
        return tuple(phrases)


def traced(text: str, *attributes: str) -> TracedText:
    """A text of one piece."""
    return TracedText().add(text, *attributes)
