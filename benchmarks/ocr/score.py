"""How well text was read: characters, facts, words."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import cv2
import numpy as np

from benchmarks.ocr.pictures import Line, Picture, folded_words
from udfs.text_field import TextField

_COVERED = 0.5


class Read(Protocol):
    """What is used of a line that was read."""

    @property
    def text(self) -> str:
        """Characters."""

    @property
    def quad(self) -> tuple[float, ...]:
        """Corners x1, y1, ..., x4, y4, px."""


@dataclass(frozen=True)
class ReadLine:
    """A line that was read, of any engine."""

    text: str
    quad: tuple[float, ...]


@dataclass
class Characters:
    """Edit errors summed over lines.

    Args:
        errors: insertions, deletions and substitutions.
        characters: characters of the truth, spaces left out.
        lines: lines of the truth.
        missed: lines of the truth of which nothing was read.
        perfect: lines read without an error.
    """

    errors: int = 0
    characters: int = 0
    lines: int = 0
    missed: int = 0
    perfect: int = 0
    worst: list[tuple[str, str]] = field(default_factory=list)

    @property
    def accuracy(self) -> float:
        """1 - errors / characters."""
        return 1 - self.errors / self.characters if self.characters else float("nan")

    def add(self, truth: str, read: str) -> None:
        """Count one line (or lines that were read as one)."""
        wanted, got = plain(truth), plain(read)
        wrong = min(edit_distance(wanted, got), len(wanted))
        self.errors += wrong
        self.characters += len(wanted)
        self.lines += 1
        self.missed += not got
        self.perfect += wrong == 0
        if wrong:
            self.worst.append((truth, read))


def score_characters(picture: Picture, read: Sequence[Read], scores: dict[str, Characters], least: float = 0.0) -> None:
    """Compare what was read with a picture's lines, and add it up by language.

    A line's reading is all that was read where it stands, from left to right. Lines that were read as one are compared
    as one, when all of them are asked for and their letters have the least size (px).
    """
    groups = _groups(picture.lines, read)
    for wanted, found in groups:
        if not all(line.asked for line in wanted) or not all(line.letter_size >= least for line in wanted):
            continue
        truth = "".join(line.text for line in sorted(wanted, key=lambda line: min(x for x, _ in line.quad)))
        got = "".join(one.text for one in sorted(found, key=lambda one: min(one.quad[0::2])))
        language = "zh" if any(line.language == "zh" for line in wanted) else "en"
        scores.setdefault(language, Characters()).add(truth, got)
        scores.setdefault("all", Characters()).add(truth, got)


def plain(text: str) -> str:
    """Case, full-width forms and spaces made alike: one of the renderer's faces draws small letters as capitals."""
    return "".join(unicodedata.normalize("NFKC", text).split()).lower()


def edit_distance(one: str, other: str) -> int:
    """Levenshtein distance."""
    row = list(range(len(other) + 1))
    for place, character in enumerate(one, start=1):
        before, row[0] = row[0], place
        for column, letter in enumerate(other, start=1):
            before, row[column] = (
                row[column],
                min(row[column] + 1, row[column - 1] + 1, before + (character != letter)),
            )
    return row[-1]


@dataclass
class Facts:
    """Facts found against facts that are true, over pictures."""

    right: int = 0
    wrong: int = 0
    missed: int = 0
    examples: list[tuple[str, set[str], set[str]]] = field(default_factory=list)

    def add(self, where: str, truth: set[str], possible: set[str], found: set[str]) -> None:
        """Count one picture: `truth` is asked for, `possible` also stands there and does no harm."""
        self.right += len(truth & found)
        self.missed += len(truth - found)
        self.wrong += len(found - truth - possible)
        if truth - found or found - truth - possible:
            self.examples.append((where, truth, found))

    @property
    def f1(self) -> float:
        """2 right / (2 right + wrong + missed)."""
        total = 2 * self.right + self.wrong + self.missed
        return 2 * self.right / total if total else float("nan")


def values(fields: Sequence[TextField], name: str, least: float = 0.5) -> set[str]:
    """Values of one kind of fact with some confidence."""
    return {one.value for one in fields if one.name == name and one.confidence >= least}


def words_found(picture: Picture, texts: Sequence[str]) -> tuple[int, int]:
    """Words of a pack that were read, and how many there are to read.

    A word counts when it stands in the text as a word, or within one (OCR drops spaces).
    """
    read = folded_words(" ".join(texts))
    joined = " ".join(read)
    return sum(word in read or (len(word) >= 4 and word in joined) for word in picture.words), len(picture.words)


def _groups(lines: Sequence[Line], read: Sequence[Read]) -> list[tuple[list[Line], list[Read]]]:
    """Lines and readings that cover each other, together."""
    groups: list[tuple[list[Line], list[Read]]] = [([line], []) for line in lines]
    for one in read:
        quad = np.array(one.quad, np.float32).reshape(4, 2)
        touched = [group for group in groups if any(_cover(quad, np.array(line.quad, np.float32)) for line in group[0])]
        if not touched:
            continue
        first = touched[0]
        for other in touched[1:]:
            first[0].extend(other[0])
            first[1].extend(other[1])
            groups.remove(other)
        first[1].append(one)
    return groups


def _cover(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether half of the smaller quadrilateral lies in the larger."""
    one, other = cv2.convexHull(one), cv2.convexHull(other)
    smaller = min(cv2.contourArea(one), cv2.contourArea(other))
    return smaller > 0 and cv2.intersectConvexConvex(one, other)[0] > _COVERED * smaller
