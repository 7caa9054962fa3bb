"""Rows dealt out to shards as bytes: each shard makes the lists that one table of all products would give."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from udfs.similar_cells import plan_shards, train_cells
from udfs.spark_index import dealt_batches, first_vectors, float_lists, similar_group, similar_table


def catalog(count: int) -> pa.Table:
    """Products in no order of ids, with vectors in clusters, some facts unknown."""
    rng = np.random.default_rng(3)
    centers = rng.standard_normal((40, 32))
    vectors = centers[rng.integers(40, size=count)] + 0.4 * rng.standard_normal((count, 32))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    words = {
        name: pa.array([None if n == 0 else f"{name}-{n}" for n in rng.integers(4, size=count)], pa.string())
        for name in ("category", "color", "pattern", "brand")
    }
    return pa.table(
        {
            "product_id": [f"p{place:05d}" for place in rng.permutation(count)],
            "vector": float_lists(vectors),
            **words,
            "item": pa.array([f"item-{n}" if n < 20 else None for n in rng.integers(200, size=count)], pa.string()),
            "is_wanted": rng.random(count) < 0.8,
        }
    )


def by_product(lists: pa.Table) -> dict[str, Any]:
    return {row["product_id"]: (row["neighbors"], row["pool_floor"]) for row in lists.to_pylist()}


@pytest.fixture
def small_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("udfs.similar_cells.CELL_SIZE", 60)
    monkeypatch.setattr("udfs.similar_cells.LEAST_CANDIDATES", 300)


@pytest.mark.parametrize("sent_bytes", [4 << 20, 4000])
def test_lists_of_shards_are_those_of_one_table(small_cells, monkeypatch, sent_bytes):
    monkeypatch.setattr("udfs.spark_index._SENT_BYTES", sent_bytes)
    monkeypatch.setattr("udfs.spark_index._DEAL_BYTES", 50_000)
    products = catalog(2500)
    vectors = np.stack(products.column("vector").to_numpy())
    cells = train_cells(vectors, len(vectors))
    products = products.append_column("cell", pa.array(cells.assign(vectors)))
    sent: dict[int, list[bytes]] = defaultdict(list)
    for batch in dealt_batches(plan_shards(cells, 4))(products.to_batches(max_chunksize=256)):
        for row in batch.to_pylist():
            sent[row["shard"]].append(row["rows"])
    assert len(sent) == 4
    lists = [similar_group(cells, 0.01)(pa.table({"rows": pa.array(rows, pa.binary())})) for rows in sent.values()]
    found = by_product(pa.concat_tables(lists))
    assert sum(len(part) for part in lists) == len(found) == sum(products.column("is_wanted").to_pylist())
    assert found == by_product(similar_table(products, cells, 0.01))


def test_cells_nobody_asks_about_are_sent_nowhere(small_cells):
    products = catalog(2500)
    vectors = np.stack(products.column("vector").to_numpy())
    cells = train_cells(vectors, len(vectors))
    own = cells.assign(vectors)
    shards = plan_shards(cells, 2, queried=[0])
    seen = set(cells.near_cells(0))
    dealt = dealt_batches(shards)(products.append_column("cell", pa.array(own)).to_batches())
    sent = [pa.ipc.open_stream(row["rows"]).read_all() for batch in dealt for row in batch.to_pylist()]
    rows = pa.concat_tables(sent)
    assert len(rows) == np.isin(own, list(seen)).sum() < len(products)
    # Only lists of the cell that is asked about are wanted of what was sent.
    wanted = rows.filter(rows.column("is_wanted"))
    assert set(wanted.column("cell").to_pylist()) == {0}


def test_vectors_drawn_for_cells_are_those_of_the_first_products():
    products = catalog(50)
    vectors = dict(zip(products.column("product_id").to_pylist(), products.column("vector").to_pylist(), strict=True))
    found = first_vectors(products.select(["product_id", "vector"]), 20)
    assert found.tolist() == [vectors[f"p{place:05d}"] for place in range(20)]
