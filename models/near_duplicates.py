"""Finds pictures that are nearly the same: perceptual hashes that differ in few bits, confirmed by tiny color copies.

A perceptual hash knows shapes only: two plain T-shirts on white may share it whatever their color. So pairs of near
hashes are confirmed by comparing what is left of the pictures at `THUMB_SIDE` px.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Thumbs: TypeAlias = NDArray[np.uint8]

THUMB_SIDE = 16
HAMMING = 8
"""Bits of 64 in which hashes of one picture, re-encoded or resized, may differ."""

THUMB_DIFFERENCE = 10.0
"""Mean difference of two tiny copies (8-bit levels) below which they show the same picture."""

_BLOCK = 1024


@dataclass(frozen=True)
class NearPair:
    """Two pictures by index, `first` < `second`, with how far they are apart.

    Args:
        first: index.
        second: index.
        bits: bits in which the hashes differ.
        difference: mean difference of the tiny copies, 8-bit levels.
    """

    first: int
    second: int
    bits: int
    difference: float


def thumb(pixels: NDArray[np.uint8]) -> Thumbs:
    """A tiny copy, (THUMB_SIDE, THUMB_SIDE, 3) uint8, of a picture (H, W, 3) uint8 RGB."""
    return np.asarray(cv2.resize(pixels, (THUMB_SIDE, THUMB_SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def hash_words(hashes: Sequence[str]) -> NDArray[np.uint64]:
    """Hashes of 16 hex digits as (N,) uint64."""
    return np.array([int(one, 16) for one in hashes], dtype=np.uint64)


def near_pairs(
    hashes: NDArray[np.uint64], thumbs: Thumbs, bits: int = HAMMING, difference: float = THUMB_DIFFERENCE
) -> list[NearPair]:
    """All pairs of pictures that are nearly the same.

    Compares blocks of hashes by popcount: 20,000 pictures are 200 million comparisons and take seconds.

    Args:
        hashes: (N,) uint64.
        thumbs: (N, THUMB_SIDE, THUMB_SIDE, 3) uint8.
        bits: most bits that may differ.
        difference: most mean difference of the tiny copies.
    """
    found = []
    for first, second, distances in _near_hashes(hashes, bits):
        gaps = np.abs(thumbs[first].astype(np.int16) - thumbs[second]).mean(axis=(1, 2, 3))
        found += [
            NearPair(int(one), int(other), int(distance), float(gap))
            for one, other, distance, gap in zip(first, second, distances, gaps, strict=True)
            if gap <= difference
        ]
    return found


def _near_hashes(
    hashes: NDArray[np.uint64], bits: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]]]:
    """Index pairs (i < j) and distances, a block of rows at a time."""
    for start in range(0, len(hashes), _BLOCK):
        rows = hashes[start : start + _BLOCK]
        distances = np.bitwise_count(rows[:, None] ^ hashes[None, start:])
        first, second = np.nonzero(distances <= bits)
        upper = second > first
        first, second = first[upper], second[upper]
        yield first + start, second + start, distances[first, second]
