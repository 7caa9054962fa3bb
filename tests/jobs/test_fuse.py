"""Fuse on a small shop: one row per product, only changes computed, corrections that stay, views of what is published.

One night makes the tables; the tests change one thing each and run the stages that it concerns. Each leaves a state
that is fused and complete, so that they hold in any order.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from jobs.cli import app
from jobs.data_import import import_corrections
from jobs.fuse import fuse_key
from jobs.publish import GateFailedError
from jobs.run import Run
from jobs.service.app import create_app
from jobs.store import TableStore
from jobs.views import VIEWS, NothingPublishedError, published_sources, register_views, view_statements
from schemas.settings import Settings
from schemas.tables import CORRECTIONS, PRODUCTS
from tests.jobs.conftest import Shop
from tests.pictures import COLORS, write_feed, write_picture
from tests.service.conftest import wait_until_ready

OTHER_BUNDLE = Path(__file__).parents[2] / "models" / "shipped" / "imagenet-lite0" / "1.0.0"
FEED = [
    {
        "product_id": "two",
        "image_uri": "images/0.jpg",
        "view": 0,
        "title": "Women's red cotton t-shirt",
        "price": "9.50",
        "category": "T-Shirts",
    },
    {"product_id": "two", "image_uri": "images/1.jpg", "view": 1, "title": "", "price": ""},
    {"product_id": "feed", "image_uri": "images/2.jpg", "title": "", "category": "Backpacks", "brand": "Osprey Lane"},
    {"product_id": "broken", "image_uri": "images/broken.jpg", "title": "男士黑色牛仔裤", "price": "19.00"},
    {"product_id": "nothing", "image_uri": "images/missing.jpg", "title": ""},
]


def write(shop: Shop, rows: list[dict[str, Any]]) -> None:
    write_feed(shop.feed, [{name: row.get(name, "") for name in {**FEED[0], **FEED[2]}} for row in rows])


@pytest.fixture(scope="module")
def shop(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    folder = tmp_path_factory.mktemp("fuse")
    made = Shop(spark, folder, gate={"max_quarantined_share": 1.0})
    for number, color in enumerate(("red", "red", "blue")):
        write_picture(made.image(f"{number}.jpg"), number, color=COLORS[color])
    made.image("broken.jpg").write_bytes(b"this is no picture")
    write(made, FEED)
    rows = made.run()
    assert rows["fuse"]["status"] == "succeeded"
    return made


@pytest.fixture
def restored(shop: Shop):
    """The shop, whose feed is put back afterwards."""
    yield shop
    write(shop, FEED)
    shop.run("ingest", "extract", "fuse")


def product(shop: Shop, name: str) -> dict[str, Any]:
    [row] = shop.rows("products", f"product_id = '{name}'")
    return row


def claims(shop: Shop, name: str) -> list[dict[str, Any]]:
    return shop.rows("product_attributes", f"product_id = '{name}'")


def versions(shop: Shop) -> dict[str, int]:
    return {name: shop.store.version(name) for name in ("products", "product_attributes")}


def correct(shop: Shop, **row: str) -> None:
    file = shop.folder / "corrections.csv"
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, list(row))
        writer.writeheader()
        writer.writerow(row)
    assert import_corrections(Settings(**shop.settings), file, by="tester") == len(row) - 1


def correct_in_service(shop: Shop, cache: Path, **correction: str) -> None:
    """Tell the running service, as its page does."""
    settings = Settings(**shop.settings, serve={"cache": str(cache), "hosts": ("testserver",)})
    with TestClient(create_app(settings, None)) as client:
        wait_until_ready(client)
        answer = client.post("/corrections", json=correction)
        assert answer.status_code == 201, answer.text


def uncorrect(shop: Shop) -> None:
    shop.store.delete(CORRECTIONS, "true")
    shop.run("fuse")


def test_each_product_of_the_feed_has_one_row_from_whatever_is_there(shop):
    rows = {row["product_id"]: row for row in shop.rows("products")}
    assert sorted(rows) == ["broken", "feed", "nothing", "two"]
    two, feed, broken, nothing = (rows[name] for name in ("two", "feed", "broken", "nothing"))
    assert (two["category"], two["color"], two["gender"]) == ("apparel/topwear/t-shirt", "red", "women")
    assert (two["image_count"], str(two["price"])) == (2, "9.50")
    assert len(two["embedding"]) == 256
    assert two["main_image_uri"].endswith("/0.jpg")
    assert two["main_content_sha256"] is not None
    assert (feed["brand"], feed["title"]) == ("Osprey Lane", None)
    words = {(row["source"], row["value"]) for row in claims(shop, "feed") if row["attribute"] == "category"}
    assert ("feed", "accessories/bags/backpack") in words, "what a block of blue is, only the feed can tell"
    assert (broken["category"], broken["color"], broken["gender"]) == ("apparel/bottomwear/jeans", "black", "men")
    assert (broken["embedding"], broken["is_publishable"]) == (None, False)
    assert {nothing[name] for name in ("category", "color", "name_en", "embedding", "price", "text")} == {None}
    assert (nothing["needs_review"], nothing["is_active"]) == (True, True)
    assert {row["bundle_version"] for row in rows.values()} == {shop.rows("publications")[-1]["bundle_version"]}


def test_claims_are_unique_and_their_evidence_joins_to_the_pictures(shop):
    said = claims(shop, "two")
    keys = {(row["attribute"], row["value"], row["source"]) for row in said}
    assert len(keys) == len(said)
    assert {source for _, _, source in keys} >= {"image", "title", "feed"}
    contents = {row["content_sha256"] for row in shop.rows("image_attributes")}
    seen = [row for row in said if row["source"] == "image"]
    assert all(row["evidence"]["content_sha256"] in contents for row in seen)
    assert all(row["model_version"] for row in seen)
    [price] = [row for row in said if row["attribute"] == "price"]
    assert (price["source"], price["model_version"], price["evidence"]["kind"]) == ("feed", None, "feed_column")
    chosen = {row["value"] for row in said if row["attribute"] == "color" and row["is_chosen"]}
    assert chosen == {product(shop, "two")["color"]}
    assert claims(shop, "nothing") == []


def test_repeating_commits_nothing(shop):
    before = versions(shop)
    counts = shop.run("fuse")["fuse"]["counts"]
    assert versions(shop) == before
    assert counts == {"products": 4, "products_fused": 0, "products_unchanged": 4, "products_deactivated": 0}


def test_only_the_product_that_changed_is_made_again(restored):
    shop = restored
    before = product(shop, "feed")
    changed = [{**row, "title": "Women's navy blue dress"} if row["product_id"] == "two" else row for row in FEED]
    write(shop, changed)
    counts = shop.run("ingest", "fuse")["fuse"]["counts"]
    assert (counts["products_fused"], counts["products_unchanged"]) == (1, 3)
    assert counts["products_fused"] + counts["products_unchanged"] == counts["products"]
    assert product(shop, "two")["title"] == "Women's navy blue dress"
    assert "apparel/dresses-sets/dress" in {row["value"] for row in claims(shop, "two")}
    assert "t-shirt" not in {row["evidence"]["text"] for row in claims(shop, "two")}, "claims of the old title are gone"
    assert product(shop, "feed") == before


def test_changed_picture_changes_its_product(restored):
    shop = restored
    write_picture(shop.image("2.jpg"), 7, color=COLORS["green"])
    counts = shop.run("ingest", "extract", "fuse")["fuse"]["counts"]
    assert counts["products_fused"] == 1
    [content] = [row["content_sha256"] for row in shop.rows("images") if row["image_uri"].endswith("/2.jpg")]
    assert product(shop, "feed")["main_content_sha256"] == content


def test_product_that_left_the_feed_is_inactive_without_claims_until_it_comes_back(restored):
    shop = restored
    was = product(shop, "feed")
    write(shop, [row for row in FEED if row["product_id"] != "feed"])
    counts = shop.run("ingest", "fuse")["fuse"]["counts"]
    assert (counts["products"], counts["products_deactivated"], counts["products_fused"]) == (3, 1, 0)
    gone = product(shop, "feed")
    assert (gone["is_active"], gone["is_publishable"]) == (False, False)
    assert gone["category"] == was["category"], "what it was stays on record"
    assert claims(shop, "feed") == []
    assert shop.run("fuse")["fuse"]["counts"]["products_deactivated"] == 0
    write(shop, FEED)
    assert shop.run("ingest", "fuse")["fuse"]["counts"]["products_fused"] == 1
    assert product(shop, "feed")["is_active"]
    assert claims(shop, "feed")


def test_correction_told_to_the_service_is_published_by_the_next_night(shop, tmp_path):
    correct_in_service(shop, tmp_path, product_id="two", attribute="color", value="green")
    assert product(shop, "two")["color"] == "red", "the service itself writes no table"
    try:
        counts = shop.run()["fuse"]["counts"]
        assert (counts["products_fused"], counts["products_unchanged"]) == (1, 3)
        pointer = json.loads((shop.folder / "tables" / "published.json").read_text())
        published = shop.store.read("products", pointer["versions"]["products"]).where("product_id = 'two'").first()
        assert published["color"] == "green"
        [document] = shop.rows("search_documents", "product_id = 'two' AND language = 'en'")
        assert "color=green" in document["facets"]
        assert not list((shop.folder / "tables" / "_corrections").glob("*.json")), "it waits no longer"
    finally:
        uncorrect(shop)


def test_correction_changes_the_product_and_survives_a_new_bundle(shop):
    correct(shop, product_id="two", category="apparel/dresses-sets/dress", color="green")
    correct(shop, image_uri=product(shop, "feed")["main_image_uri"], color="black")
    counts = shop.run("fuse")["fuse"]["counts"]
    assert counts["products_fused"] == 2
    try:
        before = product(shop, "two")
        assert (before["category"], before["category_source"]) == ("apparel/dresses-sets/dress", "correction")
        assert (before["color"], product(shop, "feed")["color"]) == ("green", "black")
        shop.run("extract", "fuse", models=str(OTHER_BUNDLE))
        after = product(shop, "two")
        assert after["bundle_version"] != before["bundle_version"]
        assert (after["category"], after["color"]) == ("apparel/dresses-sets/dress", "green")
        assert product(shop, "feed")["color"] == "black"
        [said] = [row for row in claims(shop, "two") if row["attribute"] == "color" and row["source"] == "correction"]
        assert (said["confidence"], said["is_chosen"], said["model_version"]) == (1.0, True, None)
    finally:
        shop.run("extract")
        uncorrect(shop)
    assert product(shop, "two")["category"] == "apparel/topwear/t-shirt"


def test_other_rules_make_all_products_again(shop):
    counts = shop.run("fuse", fuse={"publish_quality": 0.99})["fuse"]["counts"]
    assert counts["products_fused"] == 4
    assert shop.run("fuse")["fuse"]["counts"]["products_fused"] == 4
    settings = {"spark": shop.spark, "store": shop.store, "run_id": "r", "bundle_version": "b@1"}
    keys = {
        fuse_key(Run(settings=Settings(tables="x", fuse=rules), **settings))
        for rules in ({}, {"category_confidence": 0.6}, {"partition_products": 7})
    }
    assert len(keys) == 2, "how the work is cut changes no result"


def test_products_that_lag_behind_are_not_published_and_a_fuse_that_died_is_completed(restored, monkeypatch):
    shop = restored
    write(shop, [{**row, "title": "yellow cap"} if row["product_id"] == "two" else row for row in FEED])
    shop.run("ingest")
    upsert = TableStore.upsert

    def dying(self: TableStore, table: Any, rows: Any) -> None:
        if table is PRODUCTS:
            raise RuntimeError("the driver is gone")
        upsert(self, table, rows)

    with monkeypatch.context() as patch:
        patch.setattr(TableStore, "upsert", dying)
        with pytest.raises(RuntimeError, match="the driver is gone"):
            shop.run("fuse")
    assert product(shop, "two")["title"] != "yellow cap"
    with pytest.raises(GateFailedError, match=r"stale_products: 1 products .*run fuse, expected none"):
        shop.run("publish")
    assert shop.run("fuse")["fuse"]["counts"]["products_fused"] == 1
    assert product(shop, "two")["title"] == "yellow cap"
    said = claims(shop, "two")
    assert len({(row["attribute"], row["value"], row["source"]) for row in said}) == len(said)


def test_night_in_which_categories_get_lost_is_not_published(restored):
    shop = restored
    with_category = len([row for row in shop.rows("products") if row["category"]])
    write(shop, [{**row, "title": "", "category": ""} for row in FEED])
    shop.run("ingest", "fuse", fuse={"category_confidence": 1.0})
    gate = {"max_quarantined_share": 1.0, "max_uncategorized_share": 0.5}
    with pytest.raises(GateFailedError) as refused:
        shop.run("publish", fuse={"category_confidence": 1.0}, gate=gate)
    assert f"lost_categories: {with_category} of {with_category} (100.0%), expected at most 20.0%" in str(refused.value)
    assert "uncategorized_products: 4 of 4 (100.0%), expected at most 50.0%" in str(refused.value)


def test_views_show_the_published_version_and_only_what_is_fit(shop, spark):
    published = shop.store.read("publications").orderBy("publication_id", ascending=False).first()["versions"]
    assert register_views(spark, shop.store.root) == tuple(view.name for view in VIEWS)
    expected = {
        row["product_id"]
        for row in shop.store.read("products", published["products"]).where("is_active AND is_publishable").collect()
    }
    assert {row["product_id"] for row in spark.table("published_products").collect()} == expected
    assert "nothing" not in expected
    stated = spark.table("published_product_attributes").collect()
    assert {row["product_id"] for row in stated} == expected
    assert sum(row["products"] for row in spark.table("category_coverage").collect()) == 4
    coverage = {(row["attribute"], row["source"]): row for row in spark.table("attribute_coverage").collect()}
    assert coverage["price", "feed"]["products_stated"] == 2
    assert "nothing" in {row["product_id"] for row in spark.table("products_to_review").collect()}


def test_views_command_prints_sql_that_runs(shop, spark):
    answer = CliRunner().invoke(app, ["views", "--tables", shop.settings["tables"], "--catalog-schema", "main.shop"])
    assert answer.exit_code == 0, answer.output
    assert answer.output.count("CREATE OR REPLACE VIEW `main`.`shop`.") == len(VIEWS)
    assert "VERSION AS OF" in answer.output
    for statement in view_statements(published_sources(shop.store)):
        query = statement.partition(" AS\n")[2]
        assert spark.sql(query).columns


def test_views_of_tables_without_a_publication_say_what_to_do(spark, tmp_path):
    with pytest.raises(NothingPublishedError, match="run `vitrine nightly` first"):
        register_views(spark, f"file://{tmp_path}")
