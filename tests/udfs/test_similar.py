"""Similar products without Spark: cells, lists, and what a change touches."""

from __future__ import annotations

import numpy as np
import pytest

from udfs.similar import LIST_LENGTH, LOOKS_ALIKE, NO_FLOOR, REASONS, Touched, Vectors, similar_lists
from udfs.similar_cells import Cells, on_grid, one_cell, plan_shards, train_cells


def clustered(count: int, dimension: int = 32, clusters: int = 40, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centers = rng.standard_normal((clusters, dimension))
    vectors = centers[rng.integers(clusters, size=count)] + 0.4 * rng.standard_normal((count, dimension))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def shard(vectors: np.ndarray, cells: Cells, **changes: np.ndarray) -> Vectors:
    count = len(vectors)
    given = {
        "grid": on_grid(vectors),
        "cells": cells.assign(vectors),
        "wanted": np.ones(count, dtype=bool),
        "facts": np.full((count, 4), -1, dtype=np.int64),
        "items": np.full(count, -1, dtype=np.int64),
    }
    return Vectors(**{**given, **changes})


def lists_of(vectors: Vectors, cells: Cells, **options: float) -> dict[int, list[tuple[int, float, str]]]:
    found = {}
    for lists in similar_lists(vectors, cells, **options):
        ends = np.cumsum(lists.lengths)
        for product, start, end in zip(lists.products, ends - lists.lengths, ends, strict=True):
            found[int(product)] = [
                (int(n), float(s), REASONS[r])
                for n, s, r in zip(
                    lists.neighbors[start:end], lists.scores[start:end], lists.reasons[start:end], strict=True
                )
            ]
    return found


def floors_of(vectors: Vectors, cells: Cells) -> np.ndarray:
    floors = np.zeros(len(vectors), dtype=np.float32)
    for lists in similar_lists(vectors, cells):
        floors[lists.products] = lists.floors
    return floors


def test_one_cell_gives_the_exact_neighbors_best_first():
    vectors, cells = clustered(300), one_cell(300)
    cosines = vectors.astype(np.float64) @ vectors.T.astype(np.float64)
    np.fill_diagonal(cosines, -2)
    found = lists_of(shard(vectors, cells), cells)
    assert len(found) == 300
    for product, neighbors in found.items():
        assert len(neighbors) == LIST_LENGTH
        scores = [score for _, score, _ in neighbors]
        assert scores == sorted(scores, reverse=True)
        exact = np.sort(cosines[product])[::-1][:LIST_LENGTH]
        np.testing.assert_allclose(scores, exact, atol=2e-3)
        np.testing.assert_allclose([cosines[product, n] for n, _, _ in neighbors], scores, atol=2e-3)


def test_few_products_give_short_lists_and_one_gives_none():
    for count in (1, 2, 5):
        vectors, cells = clustered(count), one_cell(count)
        found = lists_of(shard(vectors, cells), cells)
        assert {product: len(neighbors) for product, neighbors in found.items()} == dict.fromkeys(
            range(count), count - 1
        )
        assert floors_of(shard(vectors, cells), cells).tolist() == [NO_FLOOR] * count


def test_cells_find_nearly_all_that_comparing_everything_finds():
    vectors = clustered(6000)
    cells = train_cells(vectors[:3000], len(vectors))
    assert len(cells) == 30
    found, exact = (lists_of(shard(vectors, one), one) for one in (cells, one_cell(6000)))
    hits = [
        len({n for n, _, _ in found[product][:10]} & {n for n, _, _ in exact[product][:10]}) / 10 for product in exact
    ]
    assert np.mean(hits) >= 0.95


def test_shards_together_make_the_lists_that_one_shard_makes():
    vectors = clustered(4000)
    cells = train_cells(vectors, len(vectors))
    whole = lists_of(shard(vectors, cells), cells)
    own = cells.assign(vectors)
    parts: dict[int, list[tuple[int, float, str]]] = {}
    shards = plan_shards(cells, 4)
    assert len(shards) == 4
    for number, needs in enumerate(shards.needs):
        here = np.flatnonzero(np.isin(own, needs))
        wanted = shards.home[own[here]] == number
        for product, neighbors in lists_of(shard(vectors[here], cells, wanted=wanted), cells).items():
            parts[int(here[product])] = [(int(here[n]), score, reason) for n, score, reason in neighbors]
    assert parts == whole


@pytest.mark.parametrize("count", [100, 2000])
def test_equal_scores_are_in_order_of_the_ids(count):
    vectors = np.tile(clustered(1), (count, 1))
    cells = one_cell(count)
    found = lists_of(shard(vectors, cells), cells)
    for product in (0, 30, count - 1):
        assert [n for n, _, _ in found[product]] == [n for n in range(51) if n != product][:LIST_LENGTH]


def test_cells_survive_storing():
    vectors = clustered(2000)
    cells = train_cells(vectors, 2000)
    again = Cells.from_bytes(cells.to_bytes())
    assert (again.assign(vectors) == cells.assign(vectors)).all()
    assert (again.near == cells.near).all()
    assert again.trained_on == 2000


def test_every_cell_is_near_to_itself_first():
    cells = train_cells(clustered(3000), 3000)
    assert [cells.near_cells(cell)[0] for cell in range(len(cells))] == list(range(len(cells)))


def test_reason_says_what_two_products_share():
    vectors = clustered(4)
    # Type, color, pattern, brand; the last product says nothing of itself.
    facts = np.array([[0, 0, 0, 0], [0, 0, 1, 0], [1, 1, 1, 1], [-1, -1, -1, -1]])
    cells = one_cell(4)
    found = lists_of(shard(vectors, cells, facts=facts), cells)
    reasons = {product: {n: reason for n, _, reason in neighbors} for product, neighbors in found.items()}
    assert reasons[0] == {1: "same type + color + brand", 2: LOOKS_ALIKE, 3: LOOKS_ALIKE}
    assert reasons[1][2] == "same pattern"
    assert set(reasons[3].values()) == {LOOKS_ALIKE}


def test_other_listings_of_the_item_are_left_out_and_each_item_comes_once():
    base = clustered(1)[0]
    rng = np.random.default_rng(1)
    vectors = base + 0.05 * rng.standard_normal((8, 32))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    items = np.array([0, 0, 1, 1, 1, -1, -1, 2])
    cells = one_cell(8)
    found = lists_of(shard(vectors, cells, items=items), cells)
    of_first = [n for n, _, _ in found[0]]
    assert 1 not in of_first
    assert len({2, 3, 4} & set(of_first)) == 1
    assert {5, 6, 7} <= set(of_first)
    best_of_item = max((2, 3, 4), key=lambda n: float(on_grid(vectors[[0]])[0] @ on_grid(vectors[[n]])[0]))
    assert best_of_item in of_first


def test_look_alikes_of_one_brand_are_spread_out():
    rng = np.random.default_rng(3)
    base = clustered(1)[0]
    distance = np.array([0, *np.linspace(0.01, 0.02, 12)])[:, None]
    vectors = base + distance * rng.standard_normal((13, 32))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    facts = np.zeros((13, 4), dtype=np.int64)
    # The farther half is of other brands, one each.
    facts[7:, 3] = np.arange(1, 7)
    cells = one_cell(13)
    plain = [n for n, _, _ in lists_of(shard(vectors, cells, facts=facts), cells, spread=0.0)[0]]
    spread = lists_of(shard(vectors, cells, facts=facts), cells, spread=0.05)[0]
    assert sum(n < 7 for n in plain[:6]) > sum(n < 7 for n, _, _ in spread[:6])
    assert sorted(n for n, _, _ in spread) == sorted(plain)
    same_brand = [score for n, score, _ in spread if n < 7]
    assert same_brand == sorted(same_brand, reverse=True)


@pytest.mark.parametrize("move", ["add", "remove", "change"])
def test_lists_that_no_change_touches_stay_as_they_are(move):
    """What `Touched` leaves out must be what a full computation leaves as it was."""
    vectors = clustered(3000, seed=5)
    cells = train_cells(vectors, 3000)
    before, floors = lists_of(shard(vectors, cells), cells), floors_of(shard(vectors, cells), cells)
    moved = np.arange(0, 3000, 500)
    after = vectors.copy()
    if move == "change":
        after[moved] = clustered(len(moved), seed=9)
    kept = np.setdiff1d(np.arange(3000), moved) if move == "remove" else np.arange(3000)
    if move == "add":
        # The other way round: the moved ones were not there before.
        there = np.setdiff1d(np.arange(3000), moved)
        part = lists_of(shard(vectors[there], cells), cells)
        before = {int(there[p]): [(int(there[n]), s, r) for n, s, r in rows] for p, rows in part.items()}
        floors[there] = floors_of(shard(vectors[there], cells), cells)
    part = lists_of(shard(after[kept], cells), cells)
    now = {int(kept[p]): [(int(kept[n]), s, r) for n, s, r in rows] for p, rows in part.items()}
    seen = np.concatenate([vectors[moved], after[moved]])
    touched = Touched(seen, cells.assign(seen))
    stayed = np.setdiff1d(kept, moved)
    best = touched.best(after[stayed], cells.assign(after[stayed]), cells)
    may_change = {int(p) for p in stayed[best >= floors[stayed]]}
    differ = {int(p) for p in stayed if before[int(p)] != now[int(p)]}
    assert differ <= may_change
    assert differ
    assert len(may_change) < len(stayed) / 2


def test_grid_sums_do_not_depend_on_their_order():
    vectors = on_grid(clustered(50, dimension=256))
    forward = vectors @ vectors.T
    backward = vectors[:, ::-1] @ vectors[:, ::-1].T
    assert (forward == backward).all()
    assert (forward == np.rint(vectors.astype(np.float64) @ vectors.astype(np.float64).T)).all()
