"""Whole nights on the drawn catalogue, whose truth is known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jobs.nightly import run_stages
from jobs.publish import GateFailedError
from jobs.session import AlreadyDoneError
from jobs.store import TableStore
from rendering.dataset import write_dataset
from schemas.settings import Settings
from schemas.stages import STAGES
from tests.jobs.conftest import Shop
from tests.pictures import write_feed

PRODUCTS = 24


@pytest.fixture(scope="module")
def night(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, TableStore, str]:
    """A night on drawn products and all broken and odd files."""
    folder = tmp_path_factory.mktemp("night")
    write_dataset(folder / "shop", products=PRODUCTS)
    settings = Settings(tables=str(folder / "tables"), catalog=str(folder / "shop" / "catalog.csv"))
    run_id = run_stages(settings, report=folder / "report.html", quiet=True)
    return folder, TableStore(spark, f"file://{folder / 'tables'}"), run_id


def truth(folder: Path) -> list[dict[str, Any]]:
    with (folder / "shop" / "truth.jsonl").open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def test_books_balance(night):
    _, store, run_id = night
    rows = {row["stage"]: row for row in store.read("runs").where(f"run_id = '{run_id}'").collect()}
    assert {row["status"] for row in rows.values()} == {"succeeded"}
    ingest, extract = rows["ingest"]["counts"], rows["extract"]["counts"]
    assert ingest["feed_rows"] == ingest["rows_inserted"] + ingest["rows_rejected"]
    assert ingest["images"] == store.read("images").count()
    assert extract["candidates"] == extract["extracted"] + extract["reused"] + extract["quarantined"]
    assert extract["extracted"] == store.read("image_attributes").count()
    quarantined = store.read("quarantine").where("resolved_at IS NULL").count()
    assert quarantined == ingest["rows_rejected"] + extract["quarantined"]


def test_every_good_picture_is_described_with_plausible_values(night):
    folder, store, _ = night
    good = [row for row in truth(folder) if "kind" in row]
    assert len(good) > PRODUCTS
    described = store.read("images").join(
        store.read("image_attributes").drop("run_id"), ["content_sha256", "bundle_version"]
    )
    rows = {Path(row["image_uri"]).name: row.asDict(recursive=True) for row in described.collect()}
    hits = 0
    for row in good:
        found = rows[Path(row["image_uri"]).name]
        assert (found["width_px"], found["height_px"]) == (row["width"], row["height"])
        box = found["region"]["box"]
        assert 0 <= box["x_min"] < box["x_max"] <= row["width"]
        # Colors of a few pixels are left out, so the shares may sum to less than one.
        assert 0.6 < sum(color["share"] for color in found["colors"]) < 1.001
        assert found["quality"]["score"] >= 0
        names = {color["name"] for color in row["colors"]}
        hits += bool(names & {color["name"] for color in found["colors"]})
    assert hits / len(good) > 0.6, "a true color of the product is among those found on most pictures"


def test_broken_and_odd_files_end_as_the_truth_says(night):
    folder, store, _ = night
    cases = [row for row in truth(folder) if "case" in row]
    assert len(cases) >= 12
    expected = [row["expected_outcome"] for row in cases if row["expected_outcome"] not in ("extracted", "reused")]
    found = [row["reason"] for row in store.read("quarantine").collect()]
    assert sorted(found) == sorted(expected)


def test_run_id_that_succeeded_is_not_repeated(night):
    folder, store, run_id = night
    settings = Settings(tables=str(folder / "tables"), catalog=str(folder / "shop" / "catalog.csv"))
    before = store.version("runs")
    with pytest.raises(AlreadyDoneError, match=run_id):
        run_stages(settings, run_id=run_id, quiet=True)
    assert store.version("runs") == before


def test_report_shows_the_night(night):
    folder, _, run_id = night
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert run_id in page
    assert page.count("<img") >= PRODUCTS
    assert "truncated" in page


def test_publication_names_versions_that_readers_can_take(night):
    folder, store, run_id = night
    pointer = json.loads((folder / "tables" / "published.json").read_text())
    assert pointer["run_id"] == run_id
    row = store.read("publications").collect()[0]
    assert row["versions"] == pointer["versions"]
    assert all(check["passed"] for check in row["checks"])


def test_tables_are_read_without_spark(night):
    import duckdb
    from deltalake import DeltaTable

    folder, store, _ = night
    pointer = json.loads((folder / "tables" / "published.json").read_text())
    tables = {
        name: DeltaTable(folder / "tables" / name, version=version).to_pyarrow_dataset()
        for name, version in pointer["versions"].items()
    }
    connection = duckdb.connect()
    for name, table in tables.items():
        connection.register(name, table)
    query = """
        SELECT count(*), count(a.color), count(DISTINCT a.quality.score), max(len(a.embedding))
        FROM images i JOIN image_attributes a USING (content_sha256, bundle_version)
    """
    pictures, colors, scores, dimension = connection.sql(query).fetchall()[0]
    assert pictures == colors == store.read("images").where("status = 'extracted'").count()
    assert scores > PRODUCTS / 2
    assert dimension == 256


def test_failed_gate_keeps_yesterdays_publication(make_shop):
    shop: Shop = make_shop(4)
    shop.run()
    published = shop.rows("publications")
    rows = [{"product_id": f"p{number}", "image_uri": f"images/gone-{number}.jpg"} for number in range(4)]
    write_feed(shop.feed, rows)
    with pytest.raises(GateFailedError, match=r"quarantined_pictures: 4 of 4 \(100.0%\), expected at most 25.0%"):
        shop.run()
    assert shop.rows("publications") == published
    failed = shop.rows("runs", "status = 'failed'")
    assert {row["stage"] for row in failed} == {"publish", "nightly"}
    old = shop.store.read("images", published[0]["versions"]["images"]).where("status = 'extracted'")
    assert old.count() == 4, "readers still see yesterday"


def test_maintenance_keeps_what_the_published_version_needs(make_shop):
    shop: Shop = make_shop(3)
    shop.run()
    versions = shop.rows("publications")[0]["versions"]
    rows = [{"product_id": f"p{number}", "image_uri": f"images/{number}.jpg", "title": "new"} for number in range(3)]
    write_feed(shop.feed, rows)
    shop.run("ingest")
    shop.run("maintain", maintain={"vacuum_retention_hours": 0})
    assert shop.store.read("catalog", versions["catalog"]).where("title LIKE '%box%'").count() == 3
    assert not (shop.folder / "tables" / "_staging").exists()


def test_dead_run_is_marked_by_the_next(after_ingest):
    shop: Shop = after_ingest.again()
    shop.spark.sql(f"UPDATE {shop.store.sql_name('runs')} SET status = 'running', finished_at = NULL")
    shop.run("extract")
    buried = shop.rows("runs", "stage = 'ingest'")[0]
    assert (buried["status"], buried["error"]) == ("failed", "the driver died; found by the next run")


def test_failed_night_is_tried_again_under_its_run_id(make_shop):
    shop: Shop = make_shop(3)
    write_feed(
        shop.feed, [{"product_id": f"p{number}", "image_uri": f"images/gone-{number}.jpg"} for number in range(3)]
    )
    with pytest.raises(GateFailedError):
        run_stages(Settings(**shop.settings), run_id="night-1", quiet=True)
    for number in range(3):
        shop.image(f"{number}.jpg").rename(shop.image(f"gone-{number}.jpg"))
    run_stages(Settings(**shop.settings), run_id="night-1", quiet=True)
    rows = shop.rows("runs", "run_id = 'night-1'")
    assert {row["stage"] for row in rows} == {*STAGES, "nightly"}
    assert {row["status"] for row in rows} == {"succeeded"}
