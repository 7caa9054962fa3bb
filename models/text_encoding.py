"""From a product's texts to the numbers that the text network reads.

Each unit (word or Chinese character) is a small set of *pieces*: the word, its beginnings, ends and triples of letters
(after fastText, Bojanowski et al. 2017), a character with its neighbors, and the concepts that the dictionary knows for
it. Words and parts are hashed into buckets, so no vocabulary is kept; concepts have numbers of their own.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from models.text_terms import Lexicon, Term
from models.text_units import Unit, clean_text, split_units

TextSource = Literal["title", "description", "ocr"]
SOURCES: tuple[TextSource, ...] = get_args(TextSource)

_DIGIT = re.compile(r"\d")
_SHORTEST_PART = 3
# Of the units that are left, at most this share for a text that others follow.
_SHARE_OF_REST = 0.6
# A unit keeps room for so many concepts.
_CONCEPTS_PER_UNIT = 3


@dataclass(frozen=True)
class ProductText:
    """A product's texts; None for what is missing."""

    title: str | None = None
    description: str | None = None
    ocr_text: str | None = None

    def of(self, source: TextSource) -> str | None:
        """The text of a source; None when it is missing, blank or no text at all (NaN of a table)."""
        return clean_text({"title": self.title, "description": self.description, "ocr": self.ocr_text}[source])


@dataclass(frozen=True)
class Passage:
    """One of a product's texts, cut into units.

    Args:
        source: which text.
        text: as given.
        units: its units, from the beginning, as far as they are read.
        terms: dictionary terms among them.
        is_cut: whether the text goes on behind its last unit.
    """

    source: TextSource
    text: str
    units: tuple[Unit, ...]
    terms: tuple[Term, ...]
    is_cut: bool = False


def read_passages(text: ProductText, lexicon: Lexicon, max_units: int) -> list[Passage]:
    """A product's texts cut into units, `max_units` of all together; texts without units are left out."""
    found: list[Passage] = []
    left = max_units
    given = [(source, content) for source in SOURCES if (content := text.of(source)) is not None]
    for place, (source, content) in enumerate(given):
        limit = left if place + 1 == len(given) else round(left * _SHARE_OF_REST)
        units = split_units(content, limit + 1)
        is_cut, units = len(units) > limit, units[:limit]
        if units:
            found.append(Passage(source, content, tuple(units), tuple(lexicon.find(units)), is_cut))
            left -= len(units)
    return found


@dataclass(frozen=True)
class Encoded:
    """A text in numbers.

    Args:
        ids: (units, pieces) int32, 0 where a unit has fewer pieces.
        segments: (units,) int32: 1 title, 2 description, 3 text in pictures.
    """

    ids: NDArray[np.int32]
    segments: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.ids)


class Encoder:
    """Makes the numbers.

    Args:
        buckets: for hashed pieces, numbers 1 .. buckets.
        pieces: most pieces of a unit.
        concepts: concepts the network knows, in the order of their numbers, which follow the buckets.
    """

    def __init__(self, buckets: int, pieces: int, concepts: Sequence[str]) -> None:
        self.buckets, self.pieces = buckets, pieces
        self._concepts = {key: 1 + buckets + number for number, key in enumerate(concepts)}
        self.vocabulary = 1 + buckets + len(concepts)

    def encode(self, passages: Sequence[Passage]) -> Encoded:
        """Numbers of all units of the passages, one after the other."""
        rows = [row for passage in passages for row in self._rows(passage)]
        ids = np.zeros((len(rows), self.pieces), np.int32)
        for place, row in enumerate(rows):
            ids[place, : len(row)] = row
        segments = [1 + SOURCES.index(passage.source) for passage in passages for _ in passage.units]
        return Encoded(ids, np.array(segments, np.int32))

    def _rows(self, passage: Passage) -> Iterable[list[int]]:
        concepts: list[list[int]] = [[] for _ in passage.units]
        for term in passage.terms:
            numbers = [self._concepts[one.key] for one in term.concepts if one.key in self._concepts]
            for place in range(term.first, term.last):
                concepts[place] = numbers[:_CONCEPTS_PER_UNIT]
        units = passage.units
        for place, (unit, known) in enumerate(zip(units, concepts, strict=True)):
            if unit.is_character:
                before = units[place - 1].text if place and units[place - 1].is_character else "<"
                after = units[place + 1].text if place + 1 < len(units) and units[place + 1].is_character else ">"
                parts = _hashed((unit.text, f"{before}{unit.text}", f"{unit.text}{after}"), self.buckets)
            else:
                parts = _word_numbers(unit.text, self.buckets)
            # The word itself stands first, so what is cut off is a part of a long word.
            yield [*parts[: self.pieces - len(known)], *known]


@lru_cache(maxsize=65536)
def _word_numbers(word: str, buckets: int) -> tuple[int, ...]:
    # Sizes and article numbers: what they look like counts, not which number it is.
    word = _DIGIT.sub("0", word)
    marked = f"<{word}>"
    parts = [word]
    if len(word) > _SHORTEST_PART:
        parts += [marked[:5], marked[-5:]]
        parts += [marked[at : at + _SHORTEST_PART] for at in range(len(marked) - _SHORTEST_PART + 1)]
    return _hashed(tuple(parts), buckets)


@lru_cache(maxsize=65536)
def _hashed(parts: tuple[str, ...], buckets: int) -> tuple[int, ...]:
    return tuple(1 + zlib.crc32(part.encode("utf-8", "replace")) % buckets for part in parts)


def padded(encoded: Sequence[Encoded], pieces: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """A batch: ids (N, units, pieces) and segments (N, units) int32, zeros behind shorter texts; at least one unit."""
    longest = max([1, *(len(one) for one in encoded)])
    ids = np.zeros((len(encoded), longest, pieces), np.int32)
    segments = np.zeros((len(encoded), longest), np.int32)
    for row, one in enumerate(encoded):
        ids[row, : len(one)] = one.ids
        segments[row, : len(one)] = one.segments
    return ids, segments
