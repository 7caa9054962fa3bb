"""Vectors to search among: drawn clusters, or real picture embeddings grown to any number."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
DIMENSION = 256


def clustered(count: int, seed: int = 0) -> Floats:
    """Unit vectors (count, 256) in clusters as a shop has them.

    100 types with a center each; 2,000 kinds, each a type's center moved by 0.7 of its length, of sizes that fall as
    rank^-0.7; within a kind the product varies in 24 directions of its type (0.8) and a little in all (0.15 each).
    """
    rng = np.random.default_rng(seed)
    types = rng.standard_normal((100, DIMENSION)).astype(np.float32)
    of_kind = rng.integers(100, size=2000)
    kinds = types[of_kind] + 0.7 * rng.standard_normal((2000, DIMENSION)).astype(np.float32)
    directions = rng.standard_normal((100, 24, DIMENSION)).astype(np.float32) / np.sqrt(24)
    weights = np.arange(1, 2001) ** -0.7
    kind = rng.choice(2000, count, p=weights / weights.sum())
    vectors = kinds[kind] + 0.15 * rng.standard_normal((count, DIMENSION)).astype(np.float32)
    for type_ in range(100):
        here = np.flatnonzero(of_kind[kind] == type_)
        vectors[here] += 0.8 * rng.standard_normal((len(here), 24)).astype(np.float32) @ directions[type_]
    return unit(vectors)


def grown(real: Path, count: int, seed: int = 0) -> Floats:
    """Unit vectors (count, 256) on the surface that real ones (.npy, rows of unit length) lie on.

    Each lies between a real one and one of its 20 nearest, at a place drawn by chance, moved by noise of a tenth of
    the distance between them.
    """
    import faiss

    known = unit(np.load(real).astype(np.float32))
    rng = np.random.default_rng(seed)
    _, nearest = faiss.knn(known, known, 21, metric=faiss.METRIC_INNER_PRODUCT)
    one = rng.integers(len(known), size=count)
    other = nearest[one, rng.integers(1, 21, size=count)]
    along = rng.random((count, 1), dtype=np.float32)
    step = known[other] - known[one]
    length = np.linalg.norm(step, axis=1, keepdims=True)
    noise = rng.standard_normal((count, known.shape[1])).astype(np.float32) / np.sqrt(known.shape[1])
    return unit(known[one] + along * step + 0.1 * length * noise)


def unit(vectors: Floats) -> Floats:
    """Scaled to length 1."""
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
