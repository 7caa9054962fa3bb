"""Cells of a vector index: which part of the space a vector lies in, and which parts are looked at together.

An inverted file (Sivic and Zisserman 2003; Jegou, Douze and Schmid 2011, section II) whose unit of work is a cell: all
vectors of a cell are compared with those of the same few near cells. Near cells are fixed when the cells are made, so
whether two vectors are compared depends on these two alone: an incremental update finds what a full one finds.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Ints: TypeAlias = NDArray[np.int64]

GRID = 4000
"""Unit vectors are rounded to multiples of 1/4000. Their dot products are then whole numbers below 2^24 in units of
the grid, which float32 adds exactly in whatever order: scores do not depend on how a matrix was cut. The rounding
moves a cosine by about 0.0001."""

TRAINING_PER_CELL = 40
"""Vectors per cell that k-means looks at; with the most cells this bounds what the driver holds."""

MOST_CELLS = 4096
CELL_SIZE = 200
LEAST_CANDIDATES = 3000
LEAST_NEAR = 6


def on_grid(vectors: Floats) -> Floats:
    """Unit vectors (N, D) in units of the grid: float32 that are whole numbers."""
    rounded: Floats = np.rint(vectors * np.float32(GRID)).astype(np.float32)
    return rounded


@dataclass(frozen=True)
class Cells:
    """The cells of an index.

    Args:
        centroids: (C, D) float32 on the grid.
        near: (C, P) int32: cells to compare a cell with, itself first; -1 fills up.
        shares: (C,) float32: part of the training vectors in each cell.
        trained_on: vectors that there were when the cells were made.
    """

    centroids: Floats
    near: NDArray[np.int32]
    shares: Floats
    trained_on: int

    def __len__(self) -> int:
        return len(self.near)

    def near_cells(self, cell: int) -> list[int]:
        """Cells to compare a cell with, itself first."""
        return [int(other) for other in self.near[cell] if other >= 0]

    @cached_property
    def is_near(self) -> NDArray[np.bool_]:
        """(C, C): whether vectors of the first cell are compared with those of the second."""
        table = np.zeros((len(self), len(self)), dtype=bool)
        rows, places = np.nonzero(self.near >= 0)
        table[rows, self.near[rows, places]] = True
        return table

    def assign(self, vectors: Floats) -> NDArray[np.int32]:
        """The cell (N,) of each unit vector (N, D)."""
        if len(self) == 1:
            return np.zeros(len(vectors), dtype=np.int32)
        return _nearest(on_grid(vectors), self.centroids, 1)[:, 0].astype(np.int32)

    @property
    def digest(self) -> str:
        """Tells other cells from these."""
        return hashlib.sha256(self.centroids.tobytes() + self.near.tobytes()).hexdigest()[:16]

    def to_bytes(self) -> bytes:
        """As a file (npz)."""
        file = io.BytesIO()
        arrays = {"centroids": self.centroids, "near": self.near, "shares": self.shares}
        np.savez(file, allow_pickle=False, trained_on=np.int64(self.trained_on), **arrays)
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Cells:
        """Cells from `to_bytes`."""
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            return cls(file["centroids"], file["near"], file["shares"], int(file["trained_on"]))


def one_cell(vectors: int) -> Cells:
    """Cells of a small catalogue: every vector is compared with every other, so the lists are exact."""
    zero = np.zeros((1, 1), dtype=np.int32)
    return Cells(np.zeros((1, 0), dtype=np.float32), zero, np.ones(1, dtype=np.float32), vectors)


def cell_count(vectors: int) -> int:
    """How many cells suit so many vectors."""
    return max(1, min(MOST_CELLS, vectors // CELL_SIZE))


def train_cells(sample: Floats, vectors: int) -> Cells:
    """Make cells by spherical k-means of a sample.

    Args:
        sample: (S, D) float32 unit vectors; about `TRAINING_PER_CELL` for each of `cell_count(vectors)`.
        vectors: how many there are in all.

    Returns:
        Cells whose near cells hold about `LEAST_CANDIDATES` vectors, `LEAST_NEAR` cells at least.
    """
    import faiss

    count = max(1, min(cell_count(vectors), len(sample) // 2))
    kmeans = faiss.Kmeans(
        *(sample.shape[1], count),
        niter=8,
        seed=1,
        spherical=True,
        min_points_per_centroid=1,
        max_points_per_centroid=TRAINING_PER_CELL,
    )
    kmeans.train(sample)
    centroids = on_grid(np.asarray(kmeans.centroids, dtype=np.float32))
    own = _nearest(on_grid(sample), centroids, 1)[:, 0]
    shares = (np.bincount(own, minlength=count) / len(sample)).astype(np.float32)
    most = min(count, 64)
    order = _nearest(centroids, centroids, most)
    # A centroid's nearest is itself, unless it has a twin.
    itself = np.arange(count)[:, None]
    order = np.concatenate([itself, np.where(order == itself, -1, order)], axis=1)
    order = np.stack([np.concatenate([row[row >= 0], np.full((row < 0).sum(), -1)])[:most] for row in order])
    seen = np.cumsum(np.where(order >= 0, shares[order], 0), axis=1) - shares[order]
    wanted = (seen * vectors < LEAST_CANDIDATES) | (np.arange(most) < LEAST_NEAR)
    near = np.where(wanted, order, -1).astype(np.int32)
    return Cells(centroids, near[:, : int(wanted.sum(axis=1).max())], shares, vectors)


def _nearest(vectors: Floats, others: Floats, count: int) -> Ints:
    """Places (N, count) of the others with the largest dot products, best first."""
    import faiss

    _, places = faiss.knn(vectors, others, count, metric=faiss.METRIC_INNER_PRODUCT)
    found: Ints = places
    return found


@dataclass(frozen=True)
class Shards:
    """How cells are dealt out to tasks.

    Args:
        home: (C,) the shard that makes the lists of a cell's vectors.
        needs: for each shard all cells that it has to see: its own and those near to them.
    """

    home: NDArray[np.int32]
    needs: tuple[tuple[int, ...], ...]

    def __len__(self) -> int:
        return len(self.needs)

    @cached_property
    def needed(self) -> NDArray[np.bool_]:
        """(shards, C): whether a shard has to see a cell."""
        table = np.zeros((len(self), len(self.home)), dtype=bool)
        for shard, cells in enumerate(self.needs):
            table[shard, list(cells)] = True
        return table

    def copies(self, shares: Floats) -> float:
        """How often a vector is sent, on average."""
        return float(sum(shares[list(cells)].sum() for cells in self.needs) / max(shares.sum(), 1e-9))


def plan_shards(cells: Cells, count: int, queried: Sequence[int] | None = None) -> Shards:
    """Deal cells out to shards so that near cells come together.

    The space is cut in halves of equal weight along the direction in which the centroids spread most (a PCA tree,
    Sproull 1991), until there are enough parts.

    Args:
        cells: the cells.
        count: shards wanted; there are no more than cells.
        queried: cells whose vectors' lists are wanted; by default all.
    """
    parts = [np.arange(len(cells))] if queried is None else [np.unique(np.asarray(queried, dtype=np.int64))]
    while len(parts) < count:
        weights = [float(cells.shares[part].sum()) if len(part) > 1 else -1.0 for part in parts]
        heaviest = int(np.argmax(weights))
        if weights[heaviest] < 0:
            break
        parts[heaviest : heaviest + 1] = _halves(cells, parts[heaviest])
    home = np.full(len(cells), -1, dtype=np.int32)
    for shard, part in enumerate(parts):
        home[part] = shard
    needs = tuple(tuple(sorted({near for cell in part for near in cells.near_cells(int(cell))})) for part in parts)
    return Shards(home, needs)


def _halves(cells: Cells, part: Ints) -> list[Ints]:
    centered = cells.centroids[part] - cells.centroids[part].mean(axis=0)
    direction = np.linalg.svd(centered, full_matrices=False)[2][0]
    order = part[np.argsort(centered @ direction, kind="stable")]
    weight = np.cumsum(cells.shares[order])
    cut = int(np.clip(np.searchsorted(weight, weight[-1] / 2), 1, len(order) - 1))
    return [order[:cut], order[cut:]]
