"""Near-duplicates: pictures that show the same picture, resized, re-encoded or watermarked.

Candidates differ in few bits of their perceptual hash and are found without comparing all with all; the vectors
then say whether the pictures really are alike.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

LEAST_COSINE = (0.9, 0.93, 0.972, 0.983, 0.99, 0.994, 0.994, 0.994)
"""How alike the vectors of two pictures must be, by the number of bits in which their hashes differ.

Product photos of one pose on white (shoes, sunglasses) have close hashes and like vectors though they are different
products, so neither says enough alone. Set on development photos and drawn pictures: see benchmarks/similar.
"""

MOST_BITS = len(LEAST_COSINE) - 1
"""Pictures whose hashes differ in more of their 64 bits are not looked at."""


@dataclass(frozen=True)
class Pair:
    """Two contents that show the same picture.

    Args:
        first: SHA-256 of one.
        second: SHA-256 of the other.
        distance: bits in which the hashes differ.
        similarity: cosine of the vectors.
    """

    first: str
    second: str
    distance: int
    similarity: float


@dataclass(frozen=True)
class Membership:
    """A content's place in a group.

    Args:
        group: smallest SHA-256 of the group.
        nearest: the content that it is most like.
        distance: bits between the two hashes.
        similarity: cosine of the two vectors.
    """

    group: str
    nearest: str
    distance: int
    similarity: float


def duplicate_groups(pairs: Iterable[Pair]) -> dict[str, Membership]:
    """Group contents that pairs connect, directly or through others; by SHA-256.

    The result depends on the set of pairs only, not on their order.
    """
    above: dict[str, str] = {}

    def root(content: str) -> str:
        while (over := above.setdefault(content, content)) != content:
            above[content] = above[over]
            content = above[content]
        return content

    best: dict[str, Pair] = {}
    for pair in pairs:
        one, other = sorted((root(pair.first), root(pair.second)))
        above[other] = one
        for content in (pair.first, pair.second):
            if content not in best or _preference(pair, content) < _preference(best[content], content):
                best[content] = pair
    return {
        content: Membership(root(content), _other(pair, content), pair.distance, pair.similarity)
        for content, pair in best.items()
    }


def _preference(pair: Pair, content: str) -> tuple[float, int, str]:
    return -pair.similarity, pair.distance, _other(pair, content)


def _other(pair: Pair, content: str) -> str:
    return pair.second if pair.first == content else pair.first
