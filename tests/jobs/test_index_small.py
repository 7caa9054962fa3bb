"""A small catalogue is indexed in one process: row by row what the tasks of a large one would make."""

from __future__ import annotations

import shutil
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.test_index import twin, with_pixels
from tests.jobs.vector_shop import Product, VectorShop, noise, random_products, unit

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
    products[50] = with_pixels(products[50], noise(50))
    products[51] = with_pixels(products[51], noise(50)[20:-20, 20:-20])
    products[30] = replace(
        products[30], category=None, color=None, price=Decimal("9.50"), claims=(("material", "cotton"),)
    )
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
def shop(spark: Any, empty_tables: Path, tmp_path_factory: pytest.TempPathFactory) -> VectorShop:
    """A shop after two nights, indexed in this process."""
    made = VectorShop(spark, shutil.copytree(empty_tables, tmp_path_factory.mktemp("small") / "tables"))
    made.put(first_night())
    assert made.index()["lists_computed"] == 100
    made.put(second_night(), gone=["p00004", "p00021"])
    assert made.index()["products_changed"] == 6
    return made


def test_only_rows_that_differ_are_written(shop):
    documents = shop.content("search_documents", KEYS["search_documents"])
    runs = {row["product_id"]: row["run_id"] for row in shop.rows("search_documents", "language = 'en'")}
    assert {name for name, run in runs.items() if run == runs["p-new"]} == {"p-new", "p-twin", "p00002"}
    assert {"attribute": "material", "value": "cotton", "label": "棉"} in documents["p00030", "zh"]["attributes"]
    before = shop.versions(*KEYS)
    assert shop.index()["products_changed"] == 0
    shop.objects.delete("_index/state.json")
    assert shop.index()["products_changed"] == 0
    assert shop.versions(*KEYS) == before, "nothing differs, so nothing is written"


def test_groups_and_gone_products(shop):
    rows = shop.content("near_duplicates", KEYS["near_duplicates"])
    assert {product for product, _ in rows} == {"p00007", "p00020", "p00040", "p-twin", "p00050", "p00051"}
    for table, key in KEYS.items():
        assert not {"p00004", "p00021"} & {place[0] for place in shop.content(table, key)}


def test_tasks_make_the_same_rows_when_the_catalogue_has_grown(shop, monkeypatch):
    """They compute everything anew, and find one document to write."""
    monkeypatch.setattr("jobs.index_small.MOST_PRODUCTS", 50)
    before = shop.versions(*KEYS)
    shop.put([replace(first_night()[3], title="Another title")])
    counts = shop.index()
    assert counts["lists_computed"] == 100
    written = {name: count for name, count in counts.items() if name.endswith(("_written", "_deleted")) and count}
    assert written == {"search_documents_written": 2}
    after = shop.versions(*KEYS)
    assert {name for name in KEYS if after[name] != before[name]} == {"search_documents"}
