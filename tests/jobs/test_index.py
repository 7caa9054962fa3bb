"""The index job on tables whose vectors are known: incremental as good as anew, deletions, duplicates."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.jobs.vector_shop import Product, VectorShop, noise, random_products, unit
from udfs.copy_print import copy_print
from udfs.near_duplicates import MOST_BITS
from udfs.perceptual_hash import perceptual_hash
from udfs.similar import LIST_LENGTH

TABLES = ("product_embeddings", "similar_products", "search_documents", "near_duplicates")
PRODUCTS = 1200


@pytest.fixture(scope="module")
def small_cells() -> Iterator[None]:
    """Cells and shards so small that a few hundred products have many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("udfs.similar_cells.CELL_SIZE", 20)
        patch.setattr("udfs.similar_cells.LEAST_CANDIDATES", 60)
        patch.setattr("udfs.similar_cells.LEAST_NEAR", 2)
        patch.setattr("jobs.index_similar._LEAST_SHARD", 60)
        yield


@pytest.fixture(scope="module")
def first(
    spark: Any, empty_tables: Path, small_cells: None, tmp_path_factory: pytest.TempPathFactory
) -> tuple[VectorShop, dict[str, int]]:
    """A shop divided into cells, indexed once; three of its products have a picture of another one."""
    shop = VectorShop(
        spark, shutil.copytree(empty_tables, tmp_path_factory.mktemp("index") / "tables"), exact_products=50
    )
    products = random_products(PRODUCTS, kinds=60)
    products[10] = twin(products[10], products[4])
    products[20] = replace(products[20], pictures=products[7].pictures, contents=products[7].shas)
    products[50] = with_pixels(products[50], noise(50))
    products[51] = with_pixels(products[51], noise(50)[20:-20, 20:-20])
    shop.put(products)
    return shop, shop.index()


@pytest.fixture(scope="module")
def second(first: tuple[VectorShop, dict[str, int]]) -> tuple[VectorShop, dict[str, int], dict[str, dict[Any, Any]]]:
    """The same after a night in which some products came, changed and went; and the tables before that."""
    shop, _ = first
    before = {table: shop.content(table, ("product_id",)) for table in ("similar_products",)}
    products = random_products(PRODUCTS, kinds=60)
    shop.put(
        [
            replace(products[2], title="Only the title is new"),
            replace(products[3], color="green"),
            replace(products[5], pictures=(("123456789abcdef0", products[6].vector),)),
            replace(random_products(PRODUCTS + 1, kinds=60)[-1], product_id="p-new"),
            twin(replace(products[30], product_id="p-twin"), products[30]),
            with_pixels(replace(products[52], product_id="p-crop"), noise(50)[10:-10, 10:-10]),
        ],
        gone=["p00004", "p00021"],
    )
    return shop, shop.index(), before


def twin(product: Product, of: Product) -> Product:
    """The product with a picture that shows the other's, re-encoded: a few bits and a little noise apart."""
    hash_, vector = of.pictures[0]
    noise = np.random.default_rng(0).standard_normal(len(vector)) * 0.02
    pictures = ((f"{int(hash_, 16) ^ 0x0001000000010000:016x}", unit(vector + noise)),)
    return replace(product, pictures=pictures, prints=of.copy_prints[:1])


def with_pixels(product: Product, pixels: np.ndarray) -> Product:
    """The product with one picture, whose hash and print are those of the pixels."""
    vector = product.pictures[0][1]
    return replace(product, pictures=((perceptual_hash(pixels), vector),), prints=(copy_print(pixels),))


def test_first_index_has_every_product_in_every_table(first):
    shop, counts = first
    embeddings = shop.content("product_embeddings", ("product_id", "view"))
    assert sum(view == -1 for _, view in embeddings) == PRODUCTS
    assert len(shop.content("search_documents", ("product_id", "language"))) == 2 * PRODUCTS
    lists = shop.content("similar_products", ("product_id",))
    assert len(lists) == PRODUCTS == counts["lists_computed"]
    assert len({row["cell"] for row in embeddings.values()}) > 5
    for (product_id,), row in lists.items():
        ids = [neighbor["product_id"] for neighbor in row["neighbors"]]
        assert 0 < len(ids) == len(set(ids)) <= LIST_LENGTH
        assert product_id not in ids
        assert [neighbor["rank"] for neighbor in row["neighbors"]] == list(range(1, len(ids) + 1))


def test_scores_and_reasons_are_those_of_the_two_products(first):
    shop, _ = first
    of = {row["product_id"]: row for row in shop.rows("product_embeddings", "view = -1")}
    for row in shop.rows("similar_products", "product_id IN ('p00001', 'p00100')"):
        own = of[row["product_id"]]
        for neighbor in row["neighbors"]:
            other = of[neighbor["product_id"]]
            assert neighbor["score"] == pytest.approx(np.dot(own["vector"], other["vector"]), abs=2e-3)
            assert ("color" in neighbor["reason"]) == (own["color"] == other["color"])
            assert ("type" in neighbor["reason"]) == (own["category"] == other["category"])


def test_repeating_the_index_commits_nothing(first):
    shop, _ = first
    before = shop.versions(*TABLES)
    assert shop.index()["products_changed"] == 0
    assert shop.versions(*TABLES) == before


def test_duplicates_are_grouped_and_left_out_of_lists(first):
    shop, _ = first
    rows = shop.content("near_duplicates", ("product_id", "view"))
    group = {product: row["group_id"] for (product, _), row in rows.items()}
    assert {product for product, _ in rows} == {"p00004", "p00010", "p00007", "p00020", "p00050", "p00051"}
    assert group["p00050"] == group["p00051"]
    assert rows["p00050", 0]["distance"] > MOST_BITS, "a crop is found by the hash of the middle"
    assert group["p00004"] == group["p00010"] != group["p00007"] == group["p00020"]
    assert rows["p00010", 0]["distance"] == 2
    assert rows["p00010", 0]["contents"] == 2
    assert {row["contents"] for (product, _), row in rows.items() if product == "p00020"} == {1}
    for product, other in (("p00004", "p00010"), ("p00020", "p00007")):
        (found,) = shop.rows("similar_products", f"product_id = '{product}'")
        assert other not in {neighbor["product_id"] for neighbor in found["neighbors"]}


def test_incremental_index_touches_only_what_changed(second):
    shop, counts, before = second
    assert counts["products_changed"] == 8
    assert counts["similar_products_deleted"] == 2
    assert 0 < counts["lists_computed"] < PRODUCTS
    assert 0 < counts["similar_products_written"] <= counts["lists_computed"]
    # Only the title changed: a document, but no vector and no list of its own.
    assert shop.rows("search_documents", "product_id = 'p00002'")[0]["title"] == "Only the title is new"
    after = shop.content("similar_products", ("product_id",))
    ((newest,),) = {(row["run_id"],) for row in shop.rows("similar_products", "product_id = 'p-new'")}
    untouched = {row["product_id"] for row in shop.rows("similar_products", f"run_id <> '{newest}'")}
    assert len(untouched) > PRODUCTS / 4
    assert all(after[product,] == before["similar_products"][product,] for product in untouched)


def test_deleted_products_disappear_everywhere(second):
    shop, _, _ = second
    for table in TABLES:
        assert not shop.rows(table, "product_id IN ('p00004', 'p00021')")
    listed = {neighbor["product_id"] for row in shop.rows("similar_products") for neighbor in row["neighbors"]}
    assert not listed & {"p00004", "p00021"}
    assert "p-new" in listed


def test_duplicate_groups_follow(second):
    shop, _, _ = second
    rows = shop.content("near_duplicates", ("product_id", "view"))
    # Without its twin p00010 is no duplicate any more.
    assert {product for product, _ in rows} == {"p00007", "p00020", "p00030", "p-twin", "p00050", "p00051", "p-crop"}
    assert len({rows[product, 0]["group_id"] for product in ("p00050", "p00051", "p-crop")}) == 1


def test_incremental_equals_full_rebuild(second):
    """Everything is computed anew, and not a row differs."""
    shop, _, _ = second
    before = shop.versions(*TABLES)
    shop.objects.delete("_index/state.json")
    counts = shop.index()
    assert counts["lists_computed"] == PRODUCTS + 1
    assert {name: count for name, count in counts.items() if name.endswith(("_written", "_deleted")) and count} == {}
    assert shop.versions(*TABLES) == before
