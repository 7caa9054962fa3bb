"""Vectors of one published version, compared exactly: at the sizes that one process serves, that takes milliseconds.

They lie in a file that is mapped into memory, so that two versions side by side cost little.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Ordinals: TypeAlias = NDArray[np.int64]

_BLOCK = 65536


@dataclass(frozen=True)
class Near:
    """Products near a vector, nearest first: ordinals and cosines."""

    ordinals: tuple[int, ...]
    scores: tuple[float, ...]


class Vectors:
    """Vectors with their products.

    Args:
        vectors: (N, dimension) float32, each of length 1, sorted by owner.
        owners: (N,) int64, ordinal of the product that each is of.
    """

    def __init__(self, vectors: Floats, owners: Ordinals) -> None:
        self._vectors = vectors
        self._owners = owners
        self._firsts = np.flatnonzero(np.r_[True, owners[1:] != owners[:-1]]) if len(owners) else owners

    @classmethod
    def open(cls, folder: Path) -> Vectors:
        """Those that `write_vectors` wrote."""
        vectors = np.load(folder / "vectors.npy", mmap_mode="r", allow_pickle=False)
        return cls(vectors, np.load(folder / "owners.npy", allow_pickle=False))

    @property
    def dimension(self) -> int:
        """Length of a vector; 0 when there are none."""
        return int(self._vectors.shape[1]) if len(self._vectors) else 0

    def of(self, ordinal: int) -> Floats | None:
        """The mean vector of a product, of length 1; None when it has none."""
        first, end = np.searchsorted(self._owners, [ordinal, ordinal + 1])
        return _unit(np.asarray(self._vectors[first:end])) if end > first else None

    def mean(self, ordinals: tuple[int, ...]) -> Floats | None:
        """The mean vector of some products, of length 1; None when none of them has one."""
        found = [vector for ordinal in ordinals if (vector := self.of(ordinal)) is not None]
        return _unit(np.stack(found)) if found else None

    def nearest(self, vector: Floats, limit: int, allowed: Ordinals | None = None, least: float = -1.0) -> Near:
        """Products by the cosine of their nearest picture.

        Args:
            vector: (dimension,) float32 of length 1.
            limit: products to return.
            allowed: ordinals to choose from, sorted; None for all.
            least: cosine that they must reach.
        """
        if not len(self._vectors):
            return Near((), ())
        scores = np.empty(len(self._owners), np.float32)
        for start in range(0, len(scores), _BLOCK):
            scores[start : start + _BLOCK] = self._vectors[start : start + _BLOCK] @ vector
        if allowed is not None:
            scores[~np.isin(self._owners, allowed)] = -2.0
        best, owners = np.maximum.reduceat(scores, self._firsts), self._owners[self._firsts]
        count = min(limit, len(best))
        top = np.argpartition(-best, count - 1)[:count] if count else np.empty(0, np.int64)
        top = top[np.argsort(-best[top], kind="stable")]
        top = top[best[top] >= max(least, -1.5)]
        return Near(tuple(int(one) for one in owners[top]), tuple(float(one) for one in best[top]))


def write_vectors(folder: Path, vectors: Floats, owners: Ordinals) -> None:
    """Write vectors for `Vectors.open`, in any order."""
    order = np.argsort(owners, kind="stable")
    np.save(folder / "vectors.npy", np.ascontiguousarray(vectors[order], dtype=np.float32))
    np.save(folder / "owners.npy", np.asarray(owners[order], dtype=np.int64))


def _unit(vectors: Floats) -> Floats:
    mean = vectors.mean(axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-12), np.float32)
