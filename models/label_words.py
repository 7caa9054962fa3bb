"""Spelling of labels: how far two words are apart, and which known word somebody may have meant."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from schemas.taxonomy import load_taxonomy, normalize_term

_FOLDER = Path(__file__).parent
# A word may be misspelt in one letter of four.
_LETTERS_PER_SLIP = 4
# A spelling that is so much rarer than its neighbor is more likely a slip than a word of its own.
_RARER = 10


@dataclass(frozen=True)
class Alike:
    """Two labels of one column that may be one.

    Args:
        label: the rarer one.
        other: the commoner one.
        images: pictures with the rarer one.
        other_images: pictures with the commoner one.
        same_words: whether they differ in case, hyphens, spaces or a plural s only.
    """

    label: str
    other: str
    images: int
    other_images: int
    same_words: bool


def edit_distance(one: str, other: str, most: int) -> int:
    """Insertions, deletions, replacements and swaps of neighbors that turn one word into the other.

    Optimal string alignment (Damerau 1964 without repeated edits).

    Args:
        one: a word.
        other: another.
        most: distances above this are reported as `most` + 1, without being worked out.
    """
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    above = list(range(len(other) + 1))
    for row, letter in enumerate(one, start=1):
        line = [row]
        for column, against in enumerate(other, start=1):
            cost = min(above[column] + 1, line[-1] + 1, above[column - 1] + (letter != against))
            if row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == against:
                cost = min(cost, before[column - 2] + 1)
            line.append(cost)
        if min(line) > most:
            return most + 1
        before, above = above, line
    return min(above[-1], most + 1)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was most likely meant, None when none is near.

    Of words equally near, the one that begins alike for longest: few slips are at a word's beginning.
    """
    key = normalize_term(word)
    most = max(1, len(key) // _LETTERS_PER_SLIP)
    best: tuple[int, int, str] | None = None
    for candidate in known:
        other = normalize_term(candidate)
        distance = edit_distance(key, other, most if best is None else min(most, best[0]))
        if distance > most:
            continue
        rank = (distance, -_alike_from_the_start(key, other), candidate)
        best = rank if best is None else min(best, rank)
    return best[2] if best else None


def _alike_from_the_start(one: str, other: str) -> int:
    return next(
        (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )


def known_words(head: str | None) -> tuple[str, ...]:
    """Every word that is understood for an attribute head, or for the category when `head` is None."""
    return _category_words() if head is None else _attribute_words(head)


def alike(counts: Mapping[str, int]) -> list[Alike]:
    """Labels of one column that differ by little: the same words spelt twice, or a rare one beside a common one.

    Args:
        counts: pictures by label.
    """
    found = []
    labels = sorted(counts, key=lambda label: (counts[label], label))
    for place, label in enumerate(labels):
        for other in labels[place + 1 :]:
            same = _words(label) == _words(other)
            rare = counts[label] * _RARER <= counts[other]
            most = max(1, min(len(label), len(other)) // _LETTERS_PER_SLIP)
            if same or (rare and edit_distance(normalize_term(label), normalize_term(other), most) <= most):
                found.append(Alike(label, other, counts[label], counts[other], same))
    return found


def _words(label: str) -> str:
    return normalize_term(label).replace(" ", "").removesuffix("s")


@cache
def _category_words() -> tuple[str, ...]:
    names = json.loads((_FOLDER / "dataset_labels.json").read_text(encoding="utf-8"))
    groups = (names["myntra"]["article_type"], names["clothing_small"]["type"], names["grocery_store"]["coarse"])
    words = {normalize_term(label) for group in groups for label in group}
    return tuple(sorted(words | set(load_taxonomy().terms("en"))))


@cache
def _attribute_words(head: str) -> tuple[str, ...]:
    document = json.loads((_FOLDER / "attribute_labels.json").read_text(encoding="utf-8"))[head]
    return tuple(sorted({*document["labels"], *document["same_as"]}))
