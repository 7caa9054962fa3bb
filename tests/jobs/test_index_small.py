"""A small catalogue is indexed in one process: row by row what the tasks of a large one would make."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.jobs.test_index import twin
from tests.jobs.vector_shop import Product, VectorShop, random_products, unit

KEYS = {
    "product_embeddings": ("product_id", "view"),
    "near_duplicates": ("product_id", "view"),
    "similar_products": ("product_id",),
    "search_documents": ("product_id", "language"),
}


def first_night() -> list[Product]:
    products = random_products(100, kinds=4)
    products[10] = twin(products[10], products[4])
    products[20] = replace(products[20], pictures=products[7].pictures, contents=products[7].shas)
    products[30] = replace(products[30], category=None, color=None, price=Decimal("9.50"), claims=(("material", "cotton"),))
    return products


def second_night() -> list[Product]:
    products = first_night()
    return [
        replace(products[2], title="Only the title is new"),
        replace(products[5], pictures=(("123456789abcdef0", unit(products[6].vector + 0.01)),)),
        replace(random_products(101, kinds=4)[-1], product_id="p-new"),
        twin(replace(products[40], product_id="p-twin"), products[40]),
    ]


@pytest.fixture(scope="module")
def shops(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, VectorShop]:
    """The same two nights, indexed in tasks and in this process."""
    made = {}
    for name, most in (("tasks", 0), ("process", 1000)):
        shop = VectorShop(spark, tmp_path_factory.mktemp(name))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("jobs.index_small.MOST_PRODUCTS", most)
            shop.put(first_night())
            shop.index()
            shop.put(second_night(), gone=["p00004", "p00021"])
            counts = shop.index()
        assert counts["products_changed"] == 6
        made[name] = shop
    return made


@pytest.mark.parametrize("table", KEYS)
def test_both_ways_make_the_same_rows(shops, table):
    rows = {name: shop.content(table, KEYS[table]) for name, shop in shops.items()}
    assert rows["process"] == rows["tasks"]
    assert {"p-new", "p-twin"} & {key[0] for key in rows["process"]}
    assert not {"p00004", "p00021"} & {key[0] for key in rows["process"]}


def test_only_rows_that_differ_are_written(shops):
    shop = shops["process"]
    runs = {row["product_id"]: row["run_id"] for row in shop.rows("search_documents", "language = 'en'")}
    newest = runs["p-new"]
    assert {name for name, run in runs.items() if run == newest} == {"p-new", "p-twin", "p00002"}
    before = shop.versions(*KEYS)
    assert shop.index()["products_changed"] == 0
    shop.objects.delete("_index/state.json")
    assert shop.index()["lists_computed"] == 100
    assert shop.versions(*KEYS) == before, "nothing differs, so nothing is written"


def test_catalogue_that_has_grown_is_indexed_in_tasks(shops, monkeypatch):
    shop = shops["process"]
    monkeypatch.setattr("jobs.index_small.MOST_PRODUCTS", 50)
    before = shop.versions(*KEYS)
    shop.put([replace(first_night()[3], title="Another title")])
    assert shop.index()["lists_computed"] == 100
    after = shop.versions(*KEYS)
    assert {name for name in KEYS if after[name] != before[name]} == {"search_documents"}
