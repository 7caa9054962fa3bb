"""Text as the text network reads it: clean, cut into units, each unit with its place in the text it came from.

A unit is a word of letters and digits, or one Chinese (Japanese) character. Nothing here raises, whatever the text
holds: control characters, emoji and lone surrogates part units and are otherwise ignored.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

MAX_CHARACTERS = 4000
"""Characters of one text that are looked at; what is longer is cut."""

_ASCII_WORD = re.compile(r"[a-z0-9](?:[a-z0-9'’]*[a-z0-9])?")
# Categories that neither belong to a word nor part two: combining marks that compose with nothing, invisible formats.
_INVISIBLE = frozenset({"Cf", "Mn", "Me"})
_LETTER = "L"
_DIGITS = frozenset({"Nd", "Nl", "No"})
_APOSTROPHES = frozenset("'’`´")
# Han, extension A, compatibility, kana, and Han beyond the basic plane: written without spaces.
_UNSPACED = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x3040, 0x30FF), (0x20000, 0x3FFFF))
_MAX_WORD = 40


@dataclass(frozen=True)
class Unit:
    """A word or a Chinese character.

    Args:
        text: normalized: NFKC, lower case, Latin letters without accents, apostrophes dropped.
        start: its first character in the text as given.
        end: behind its last character.
    """

    text: str
    start: int
    end: int

    @property
    def is_character(self) -> bool:
        """Whether it is a character of a script without spaces."""
        return is_unspaced(self.text[0])


def clean_text(value: object) -> str | None:
    """The text of a table's cell: None for what is missing, NaN, no text, or blank."""
    if not isinstance(value, str) or not value.strip():
        return None
    return value


def is_unspaced(character: str) -> bool:
    """Whether a character belongs to a script that is written without spaces between words."""
    code = ord(character)
    return code > 0x3000 and any(low <= code <= high for low, high in _UNSPACED)


def split_units(text: str, limit: int | None = None) -> list[Unit]:
    """The first `limit` units of a text; of a text longer than `MAX_CHARACTERS`, of its beginning."""
    text = text[:MAX_CHARACTERS]
    if text.isascii():
        return _ascii_units(text.lower(), limit)
    found: list[Unit] = []
    letters: list[str] = []
    start = end = 0

    def close() -> None:
        if letters:
            found.append(Unit("".join(letters)[:_MAX_WORD], start, end))
            letters.clear()

    for first, last, plain in _clusters(text):
        if limit is not None and len(found) >= limit:
            return found
        for character in plain:
            if character in _APOSTROPHES and letters:
                continue
            kind = _kind(character)
            if kind == "part":
                close()
            elif kind == "unspaced":
                close()
                found.append(Unit(character, first, last))
            elif kind == "word":
                if not letters:
                    start = first
                letters.append(character)
                end = last
    close()
    return found if limit is None else found[:limit]


def _ascii_units(lower: str, limit: int | None) -> list[Unit]:
    found = []
    for match in _ASCII_WORD.finditer(lower):
        found.append(Unit(match.group().replace("'", "")[:_MAX_WORD], match.start(), match.end()))
        if limit is not None and len(found) >= limit:
            break
    return found


def _clusters(text: str) -> list[tuple[int, int, str]]:
    """Start, end and normalized form of each character with the combining marks that follow it."""
    found = []
    at = 0
    while at < len(text):
        end = at + 1
        while end < len(text) and unicodedata.combining(text[end]):
            end += 1
        found.append((at, end, _plain(text[at:end])))
        at = end
    return found


@lru_cache(maxsize=8192)
def _plain(cluster: str) -> str:
    plain = unicodedata.normalize("NFKC", cluster).lower()
    # "é" becomes "e"; Korean and Japanese stay composed.
    return "".join(base if (base := unicodedata.normalize("NFKD", one)[:1]).isascii() else one for one in plain)


@lru_cache(maxsize=8192)
def _kind(character: str) -> str:
    category = unicodedata.category(character)
    if category in _INVISIBLE:
        return "ignore"
    if is_unspaced(character) and category.startswith(_LETTER):
        return "unspaced"
    return "word" if category.startswith(_LETTER) or category in _DIGITS else "part"
