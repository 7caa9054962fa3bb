"""Similar products: the nearest vectors of each product, ranked so that a list is worth showing.

Exact inner products within near cells (`udfs.similar_cells`), then three steps on each list of candidates: other
listings of the same item go, look-alikes of one kind are spread out, and each neighbor says what it shares.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from udfs.similar_cells import GRID, Cells, Floats, Ints, on_grid

LIST_LENGTH = 50
POOL = 75
"""Candidates of a list: half as many again, because some are the same item and others move down."""

NO_FLOOR = -2.0
"""`pool_floor` of a list that had room for more candidates."""

FACTS = ("type", "color", "pattern", "brand")
LOOKS_ALIKE = "looks alike"
REASONS = tuple(
    "same " + " + ".join(fact for bit, fact in enumerate(FACTS) if code & (1 << bit)) if code else LOOKS_ALIKE
    for code in range(1 << len(FACTS))
)
"""Reason by the bits of the facts that are shared."""

# Equal scores at the end of the candidates: taken along and then ordered by id, so that chance has no say.
_TIES = 8
# Scores held at a time: 16 MB.
_MOST_SCORES = 4_000_000
_UNIT = np.float32(1 / (GRID * GRID))
Codes: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True)
class Vectors:
    """Products of a shard, in order of their ids.

    Args:
        grid: (N, D) float32, unit vectors in units of the grid (`on_grid`).
        cells: (N,) cell of each.
        wanted: (N,) bool: whose lists are wanted; all vectors of their near cells are here.
        facts: (N, 4) codes of type, color, pattern and brand; equal facts have equal codes, -1: unknown.
        items: (N,) codes of the item that a product lists; -1: no other listing is known.
    """

    grid: Floats
    cells: NDArray[np.int32]
    wanted: NDArray[np.bool_]
    facts: Codes
    items: Codes

    def __len__(self) -> int:
        return len(self.cells)


@dataclass(frozen=True)
class Lists:
    """Lists of similar products of Q products.

    Args:
        products: (Q,) places of the products.
        lengths: (Q,) lengths of their lists.
        neighbors: places of the neighbors, list after list, best first.
        scores: cosine of each.
        reasons: place of each one's reason in `REASONS`.
        floors: (Q,) lowest cosine among the candidates, `NO_FLOOR` when there were fewer than wanted.
    """

    products: Ints
    lengths: Ints
    neighbors: Ints
    scores: Floats
    reasons: Ints
    floors: Floats


def similar_lists(shard: Vectors, cells: Cells, *, spread: float = 0.01, block: int = 2048) -> Iterator[Lists]:
    """Make the lists of a shard, cell by cell.

    Args:
        shard: the products.
        cells: the cells.
        spread: by how much cosine a neighbor sinks for each better one of the same brand, type and color.
        block: most products at a time.
    """
    grid = shard.grid
    order = np.argsort(shard.cells, kind="stable")
    bounds = np.searchsorted(shard.cells[order], np.arange(len(cells) + 1))
    members = [order[bounds[cell] : bounds[cell + 1]] for cell in range(len(cells))]
    for cell in range(len(cells)):
        asking = members[cell][shard.wanted[members[cell]]]
        if not len(asking):
            continue
        # In order of the ids, as ties are.
        base = np.sort(np.concatenate([members[near] for near in cells.near_cells(cell)]))
        base_grid = grid[base]
        for start in range(0, len(asking), block):
            yield _ranked(shard, asking[start : start + block], grid, base, base_grid, spread)


def _ranked(shard: Vectors, asking: Ints, grid: Floats, base: Ints, base_grid: Floats, spread: float) -> Lists:
    scores, places = _candidates(asking, grid, base, base_grid)
    exists = places >= 0
    # A pool that is full hides what lies below its last candidate.
    full = exists[:, POOL - 1] if exists.shape[1] >= POOL else np.zeros(len(asking), dtype=bool)
    floors = np.where(full, scores[:, POOL - 1] * _UNIT if full.any() else NO_FLOOR, np.float32(NO_FLOOR))
    places, scores, exists = places[:, :POOL], scores[:, :POOL], exists[:, :POOL]
    kept = exists & ~_same_item(shard.items, asking, places, exists)
    sunk = scores.astype(np.float64) - _earlier_of_kind(shard.facts, places, kept) * (spread * GRID * GRID)
    ranked = np.argsort(np.where(kept, -sunk, np.inf), axis=1, kind="stable")[:, :LIST_LENGTH]
    places, scores = np.take_along_axis(places, ranked, axis=1), np.take_along_axis(scores, ranked, axis=1)
    kept = np.take_along_axis(kept, ranked, axis=1)
    equal = (shard.facts[places] == shard.facts[asking][:, None, :]) & (shard.facts[asking][:, None, :] >= 0)
    reasons = (equal << np.arange(len(FACTS))).sum(axis=2)
    return Lists(
        products=asking,
        lengths=kept.sum(axis=1),
        neighbors=places[kept],
        scores=np.minimum(scores[kept] * _UNIT, 1).astype(np.float32),
        reasons=reasons[kept],
        floors=floors.astype(np.float32),
    )


def _candidates(asking: Ints, grid: Floats, base: Ints, base_grid: Floats) -> tuple[Floats, Ints]:
    """Scores (Q, K) in units of the grid and places (Q, K) of the best others, best first; place -1: no more."""
    rows = max(1, _MOST_SCORES // len(base))
    parts = [
        _best(grid[asking[start : start + rows]], base_grid, POOL + _TIES + 1) for start in range(0, len(asking), rows)
    ]
    scores, columns = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    places = np.where(columns >= 0, base[columns], -1)
    places[places == asking[:, None]] = -1
    # The product itself, which is no candidate, goes last.
    ranked = np.argsort(places < 0, axis=1, kind="stable")[:, : POOL + _TIES]
    return np.take_along_axis(scores, ranked, axis=1), np.take_along_axis(places, ranked, axis=1)


def _best(asking: Floats, base: Floats, count: int) -> tuple[Floats, Ints]:
    """Scores and columns (Q, count) of the best of a base, by score and then by place; column -1: there are no more.

    Of the largest score of each of some groups, the count-th is a floor: so many reach it. What reaches it is
    sorted, a few more than are wanted. That takes half the time of faiss' heaps, which go through all one by one.
    """
    scores = asking @ base.T
    width = len(base)
    of_group = width // (3 * count)
    if of_group > 1:
        groups = width // of_group
        largest = scores[:, : of_group * groups].reshape(len(asking), of_group, groups).max(axis=1)
        largest.partition(groups - count, axis=1)
        rows, columns = np.nonzero(scores >= largest[:, groups - count, None])
    else:
        rows, columns = (axis.ravel() for axis in np.indices(scores.shape))
    # Scores are whole numbers below 2^24, so that one number says both: the larger score first, then the lower column.
    keys = scores[rows, columns].astype(np.int64) * -(1 << 32) + columns
    found = np.bincount(rows, minlength=len(asking))
    along = np.arange(len(rows)) - np.repeat(np.cumsum(found) - found, found)
    table = np.full((len(asking), max(count, int(found.max(initial=0)))), np.iinfo(np.int64).max)
    table[rows, along] = keys
    table.sort(axis=1)
    best = table[:, :count]
    exists = best != np.iinfo(np.int64).max
    columns = np.where(exists, best & 0xFFFFFFFF, -1)
    return np.where(exists, -(best >> 32), 0).astype(np.float32), columns


def _same_item(items: Codes, asking: Ints, places: Ints, exists: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Candidates (Q, K) that list the product's own item, or an item that a better candidate lists."""
    codes = np.where(exists, items[places], -1)
    same: NDArray[np.bool_] = np.logical_and(codes == items[asking][:, None], codes >= 0)
    repeated = np.flatnonzero((codes >= 0).sum(axis=1) > 1)
    if len(repeated):
        same[repeated] |= (_earlier_equals(codes[repeated]) > 0) & (codes[repeated] >= 0)
    return same


def _earlier_of_kind(facts: Codes, places: Ints, kept: NDArray[np.bool_]) -> Ints:
    """How many better candidates (Q, K) are of the same brand, type and color; 0 where one of these is unknown."""
    kind = facts[:, [0, 1, 3]]
    known: NDArray[np.bool_] = np.logical_and.reduce(kind >= 0, axis=1)
    if not known.any():
        return np.zeros(places.shape, dtype=np.int64)
    mixed = (kind[:, 0] * 1_000_003 + kind[:, 1]) * 1_000_003 + kind[:, 2]
    codes = np.where(kept & known[places], mixed[places], -1)
    return np.where(codes >= 0, _earlier_equals(codes), 0)


def _earlier_equals(codes: Codes) -> Ints:
    """For each entry of each row how many entries before it are equal to it."""
    order = np.argsort(codes, axis=1, kind="stable")
    ordered = np.take_along_axis(codes, order, axis=1)
    place = np.broadcast_to(np.arange(codes.shape[1]), codes.shape)
    begins = np.ones(codes.shape, dtype=bool)
    begins[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    first = np.maximum.accumulate(np.where(begins, place, 0), axis=1)
    counts = np.empty(codes.shape, dtype=np.int64)
    np.put_along_axis(counts, order, place - first, axis=1)
    return counts


@dataclass(frozen=True)
class Touched:
    """Vectors that came, went or changed: a list can only change if one of them is or was among its candidates.

    Args:
        vectors: (T, D) float32 of unit length, before and after.
        cells: (T,) their cells.
    """

    vectors: Floats
    cells: NDArray[np.int32]

    def best(self, vectors: Floats, own_cells: NDArray[np.int32], cells: Cells) -> Floats:
        """The best cosine (N,) with a touched vector that a list of these would look at; -3 without any.

        Args:
            vectors: (N, D) float32 of unit length.
            own_cells: (N,) their cells.
            cells: the cells.
        """
        best = np.full(len(vectors), -3.0, dtype=np.float32)
        if not len(self.cells):
            return best
        grid, touched = on_grid(vectors), on_grid(self.vectors)
        for cell in np.unique(own_cells):
            seen = touched[cells.is_near[cell, self.cells]]
            if len(seen):
                here = np.flatnonzero(own_cells == cell)
                best[here] = (grid[here] @ seen.T).max(axis=1) * _UNIT
        return best
