"""Vectors of one published version. All are compared with 8 bits a number, the best of them exactly: milliseconds.

They lie in a file that is mapped into memory; the 8 bits are held, a quarter of its size for each version.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Ordinals: TypeAlias = NDArray[np.int64]

_BLOCK = 65536
# So many times the products wanted are looked at exactly after a look at all with 8 bits a number.
_LOOKED_AT = 4


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
        self._products = len(_firsts(owners))
        self._coarse = _coarse(vectors) if len(vectors) else None

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
        if self._coarse is None:
            return Near((), ())
        # A product may have several pictures.
        count = _LOOKED_AT * limit * -(-len(self._owners) // self._products)
        if allowed is None and count < len(self._owners):
            rows = np.sort(self._coarse.search(vector[None], count)[1][0])
            owners = self._owners[rows]
            if len(np.unique(owners)) >= limit:
                return _nearest(self._vectors[rows], owners, vector, limit, None, least)
        return _nearest(self._vectors, self._owners, vector, limit, allowed, least)


def _nearest(
    vectors: Floats, owners: Ordinals, vector: Floats, limit: int, allowed: Ordinals | None, least: float
) -> Near:
    scores = np.empty(len(owners), np.float32)
    for start in range(0, len(scores), _BLOCK):
        scores[start : start + _BLOCK] = vectors[start : start + _BLOCK] @ vector
    if allowed is not None:
        scores[~np.isin(owners, allowed)] = -2.0
    firsts = _firsts(owners)
    best, products = np.maximum.reduceat(scores, firsts), owners[firsts]
    count = min(limit, len(best))
    top = np.argpartition(-best, count - 1)[:count] if count else np.empty(0, np.int64)
    top = top[np.argsort(-best[top], kind="stable")]
    top = top[best[top] >= max(least, -1.5)]
    return Near(tuple(int(one) for one in products[top]), tuple(float(one) for one in best[top]))


def _firsts(owners: Ordinals) -> Ordinals:
    """Places at which the vectors of another product begin."""
    return np.flatnonzero(np.r_[True, owners[1:] != owners[:-1]]) if len(owners) else owners


def _coarse(vectors: Floats) -> Any:
    """The vectors with 8 bits a number: a quarter to read of what limits the search."""
    import faiss

    made = faiss.IndexScalarQuantizer(vectors.shape[1], faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
    made.train(np.asarray(vectors[:_BLOCK]))
    for start in range(0, len(vectors), _BLOCK):
        made.add(np.asarray(vectors[start : start + _BLOCK]))
    return made


def write_vectors(folder: Path, vectors: Floats, owners: Ordinals) -> None:
    """Write vectors for `Vectors.open`, in any order."""
    order = np.argsort(owners, kind="stable")
    np.save(folder / "vectors.npy", np.ascontiguousarray(vectors[order], dtype=np.float32))
    np.save(folder / "owners.npy", np.asarray(owners[order], dtype=np.int64))


def _unit(vectors: Floats) -> Floats:
    mean = vectors.mean(axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-12), np.float32)
