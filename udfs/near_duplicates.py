"""Near-duplicates: pictures that show the same picture, resized, re-encoded, watermarked or a little cropped.

Candidates have near hashes and are found without comparing all with all; then their tiny pictures are laid over each
other (`udfs.copy_print`), and how many cells agree, and where not, says whether one is a copy of the other.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from udfs.copy_print import LEAST_AGREEMENT, Likeness, Planes, likeness, likeness_of_crop

Ints: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float32]

MOST_BITS = 7
"""Pictures whose hashes differ in so many of their 64 bits are compared; or those of their middles, which a mark in a
corner leaves alone, if they have one of four 16-bit bands in common."""

MOST_CROP_BITS = 10
"""So many bits may a picture's hash and that of the middle of another differ in, which have a band in common."""

WHOLE, SECOND_IS_CROP, FIRST_IS_CROP = 1, 2, 4
"""Why a pair is a candidate; bits of its `hints`."""

_BAND = np.uint64(0xFFFF)


@dataclass(frozen=True)
class Rule:
    """A logistic rule: a pair is a copy when the weighted sum reaches 0.

    Args:
        agreement: weight of the share of cells that agree.
        recolored: weight of what speaks for another color, see `udfs.copy_print.Likeness`.
        bias: what is added.
    """

    agreement: float
    recolored: float
    bias: float

    def accepts(self, seen: Likeness) -> NDArray[np.bool_]:
        """Which pairs (N,) are copies."""
        told = self.agreement * seen.agreement + self.recolored * seen.recolored + self.bias
        return np.asarray((told >= 0) & (seen.agreement >= LEAST_AGREEMENT))


WHOLE_RULE = Rule(agreement=6.45, recolored=-14.86, bias=2.80)
CROP_RULE = Rule(agreement=24.8, recolored=-2.0, bias=-13.2)
"""For pairs of whole pictures, and of a picture and its crop. See benchmarks/similar for what they were set on."""

LEAST_GAIN = 0.1
"""So much more of a crop agrees with the part that it shows than with the whole picture; else it is no crop."""


@dataclass(frozen=True)
class Pair:
    """Two contents that show the same picture.

    Args:
        first: SHA-256 of one.
        second: SHA-256 of the other.
        distance: bits in which the hashes differ.
        similarity: cosine of the vectors.
        agreement: share of the cells that agree.
    """

    first: str
    second: str
    distance: int
    similarity: float
    agreement: float


@dataclass(frozen=True)
class Membership:
    """A content's place in a group.

    Args:
        group: smallest SHA-256 of the group.
        linked: smallest SHA-256 of all that pairs connect with the group, directly or through others.
        nearest: the content that it agrees with most.
        distance: bits between the two hashes.
        similarity: cosine of the two vectors.
        agreement: share of the cells of the two that agree.
    """

    group: str
    linked: str
    nearest: str
    distance: int
    similarity: float
    agreement: float


def candidates(hashes: NDArray[np.uint64]) -> Iterator[tuple[int, Ints, Ints]]:
    """Pairs to look at, all compared with all: what the index job finds by bands of the hashes.

    Args:
        hashes: (N, 3) of each picture as a whole and without the edges of `udfs.copy_print.CUTS`.

    Yields:
        A place, later places (K,), and the hints (K,) of these pairs.
    """
    for place in range(len(hashes) - 1):
        own, others = hashes[place], hashes[place + 1 :]
        apart = np.bitwise_count(others[:, 0] ^ own[0]) <= MOST_BITS
        hints = WHOLE * (apart | _share_band(others[:, 2] ^ own[2], MOST_BITS)).astype(np.int64)
        for cut in (1, 2):
            hints |= SECOND_IS_CROP * _share_band(others[:, 0] ^ own[cut], MOST_CROP_BITS)
            hints |= FIRST_IS_CROP * _share_band(others[:, cut] ^ own[0], MOST_CROP_BITS)
        found = np.flatnonzero(hints)
        if len(found):
            yield place, found + place + 1, hints[found]


def _share_band(differing: NDArray[np.uint64], most: int) -> NDArray[np.bool_]:
    bands = [(differing >> np.uint64(16 * band)) & _BAND == 0 for band in range(4)]
    return np.asarray(np.logical_or.reduce(bands) & (np.bitwise_count(differing) <= most))


def copies(hints: Ints, first: Planes, second: Planes) -> tuple[NDArray[np.bool_], Floats]:
    """Which of N candidate pairs are copies, and the share of cells that agree in each.

    Args:
        hints: (N,) why they are candidates.
        first: (N, 864) tiny pictures.
        second: likewise.
    """
    whole = likeness(first, second)
    found, agreement = WHOLE_RULE.accepts(whole), whole.agreement.copy()
    for hint in (SECOND_IS_CROP, FIRST_IS_CROP):
        here = np.flatnonzero(((hints & hint) > 0) & ~found)
        picture, crop = (first[here], second[here]) if hint == SECOND_IS_CROP else (second[here], first[here])
        seen = likeness_of_crop(picture, crop)
        accepted = CROP_RULE.accepts(seen) & (seen.agreement >= whole.agreement[here] + LEAST_GAIN)
        found[here] = accepted
        agreement[here[accepted]] = seen.agreement[accepted]
    return found, agreement


def duplicate_groups(pairs: Iterable[Pair]) -> dict[str, Membership]:
    """Group contents around those with the most copies; by SHA-256.

    A chain of pairs does not make one group, for each step may lead a little farther from the picture: the content with
    the most partners takes these, then the one with the most among those left, and so on. Who then has no free partner
    joins the group of the one that it agrees with most. The result depends on the set of pairs only.
    """
    best: dict[str, Pair] = {}
    partners: dict[str, set[str]] = defaultdict(set)
    for pair in pairs:
        for content in (pair.first, pair.second):
            partners[content].add(_other(pair, content))
            if content not in best or _preference(pair, content) < _preference(best[content], content):
                best[content] = pair
    centers = _centers(partners, best)
    groups: dict[str, str] = {}
    for content, center in centers.items():
        groups[center] = min(groups.get(center, content), content)
    linked = _linked(partners)
    return {
        content: Membership(
            groups[centers[content]],
            linked[content],
            _other(pair, content),
            pair.distance,
            pair.similarity,
            pair.agreement,
        )
        for content, pair in best.items()
    }


def _centers(partners: dict[str, set[str]], best: dict[str, Pair]) -> dict[str, str]:
    """The content in whose group each is."""
    centers: dict[str, str] = {}
    free = {content: len(others) for content, others in partners.items()}
    queue = [(-count, content) for content, count in free.items()]
    heapq.heapify(queue)
    while queue:
        count, content = heapq.heappop(queue)
        if content in centers or not count:
            continue
        if -count != free[content]:
            heapq.heappush(queue, (-free[content], content))
            continue
        taken = [content, *(other for other in partners[content] if other not in centers)]
        for one in taken:
            centers[one] = content
            for other in partners[one]:
                free[other] -= 1
    return centers | {one: centers[_other(best[one], one)] for one in partners if one not in centers}


def _linked(partners: dict[str, set[str]]) -> dict[str, str]:
    linked: dict[str, str] = {}
    for start in sorted(partners):
        waiting = [] if start in linked else [start]
        while waiting:
            content = waiting.pop()
            if content not in linked:
                linked[content] = start
                waiting += partners[content]
    return linked


def _preference(pair: Pair, content: str) -> tuple[float, float, int, str]:
    return -pair.agreement, -pair.similarity, pair.distance, _other(pair, content)


def _other(pair: Pair, content: str) -> str:
    return pair.second if pair.first == content else pair.first
