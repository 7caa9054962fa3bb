"""A night in which nothing changed: entered in `runs` without Spark, and only when it is true."""

from __future__ import annotations

import csv
import itertools
import json
import os
import shutil
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from jobs.extract import _make_plan
from jobs.ingest import ingest
from jobs.lease import LeaseHeldError, WriterLease
from jobs.nightly import run_stages
from jobs.run import Run
from jobs.session import AlreadyDoneError
from jobs.small_objects import READY_NOTE, small_objects
from jobs.spark_session import SparkUnavailableError
from jobs.store import TableStore
from jobs.unchanged_night import NOTE, due_pictures
from schemas.contract import ddl_columns
from schemas.reasons import Reason
from schemas.settings import S3Settings, Settings
from schemas.stages import STAGES
from schemas.tables import CATALOG, IMAGES, TABLES
from tests.jobs.conftest import Shop, Standing, upload
from tests.pictures import write_feed, write_picture, write_shop

PICTURES = 5


@pytest.fixture(scope="module")
def first_night(spark: Any, empty_tables: Path, tmp_path_factory: pytest.TempPathFactory) -> Standing:
    """A shop after its first night, with a wrong row and a missing picture."""
    folder = tmp_path_factory.mktemp("standing")
    shutil.copytree(empty_tables, folder / "tables")
    write_shop(folder / "shop", PICTURES)
    shop = Shop(spark, folder)
    with shop.feed.open("a") as file:
        file.write(",images/0.jpg,no id,,\nmissing,images/missing.jpg,,,\n")
    return Standing(shop)


@pytest.fixture
def shop(first_night: Standing) -> Shop:
    """That shop, as it was after that night."""
    return first_night.again()


@pytest.fixture
def no_spark(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks for a session fails: a full night is told from a short one by that."""

    def refuse(*arguments: Any, **options: Any) -> None:
        raise SparkUnavailableError("Spark was asked for")

    monkeypatch.setattr("jobs.session.spark_session", refuse)


def night(shop: Shop, run_id: str | None = None, **changes: Any) -> dict[str, dict[str, Any]]:
    """Run a night and return its rows of `runs` by stage."""
    run_id = run_stages(Settings(**{**shop.settings, **changes}), run_id=run_id, quiet=True)
    return runs(shop.folder / "tables", run_id)


def runs(tables: Path, run_id: str) -> dict[str, dict[str, Any]]:
    rows = DeltaTable(tables / "runs").to_pyarrow_dataset().to_table().to_pylist()
    return {row["stage"]: row | {"counts": dict(row["counts"])} for row in rows if row["run_id"] == run_id}


def assert_full(shop: Shop, **changes: Any) -> None:
    with pytest.raises(SparkUnavailableError, match="Spark was asked for"):
        night(shop, **changes)


def versions(shop: Shop) -> dict[str, int]:
    return {name: DeltaTable(shop.folder / "tables" / name).version() for name in TABLES if name != "runs"}


def feed_rows(shop: Shop) -> list[dict[str, str]]:
    with shop.feed.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_unchanged_night_needs_no_spark_and_its_books_balance(shop, no_spark):
    before = versions(shop)
    rows = night(shop)
    assert versions(shop) == before
    assert set(rows) == {*STAGES, "nightly"}
    assert {row["status"] for row in rows.values()} == {"succeeded"}
    ingest = rows["ingest"]["counts"]
    assert (ingest["feed_rows"], ingest["rows_accepted"], ingest["rows_rejected"]) == (PICTURES + 2, PICTURES + 1, 1)
    assert (ingest["rows_unchanged"], ingest["images_unchanged"], ingest["images"]) == (PICTURES + 1,) * 3
    assert rows["extract"]["counts"]["unchanged"] == rows["nightly"]["counts"]["unchanged"] == PICTURES + 1
    pointer = json.loads((shop.folder / "tables" / "published.json").read_text())
    assert pointer["run_id"] == rows["nightly"]["run_id"]
    assert not (shop.folder / "tables" / "_writer_lease.json").exists()
    assert night(shop)["nightly"]["run_id"] != rows["nightly"]["run_id"], "and the one after it as well"


def test_it_says_what_a_full_night_says_and_is_not_repeated(make_shop):
    shop: Shop = make_shop(4)
    write_feed(shop.feed, [*feed_rows(shop), {"product_id": "", "image_uri": "x.jpg"}])
    night(shop)
    short = night(shop, "short")
    (shop.folder / "tables" / NOTE).unlink()
    full = night(shop, "full")
    for stage in full:
        assert short[stage]["counts"] == full[stage]["counts"]
        for name in ("status", "reasons", "bundle_version", "settings_json", "input_snapshot", "git_sha", "error"):
            assert short[stage][name] == full[stage][name], (stage, name)
    with pytest.raises(AlreadyDoneError, match="short"):
        night(shop, "short")


def change_picture(shop: Shop) -> None:
    write_picture(shop.image("0.jpg"), seed=99)


def touch_picture(shop: Shop) -> None:
    os.utime(shop.image("0.jpg"), (1_700_000_000, 1_700_000_000))


def remove_picture(shop: Shop) -> None:
    shop.image("0.jpg").unlink()


def bring_missing_picture(shop: Shop) -> None:
    write_picture(shop.image("missing.jpg"))


def change_feed(shop: Shop) -> None:
    rows = feed_rows(shop)
    rows[1]["title"] = "renamed"
    write_feed(shop.feed, rows)


def commit_to(shop: Shop, table: str) -> None:
    log = shop.folder / "tables" / table / "_delta_log"
    newest = max(int(path.stem) for path in log.glob("*.json"))
    (log / f"{newest + 1:020}.json").write_text('{"commitInfo":{"timestamp":1795490672657,"operation":"OTHER"}}\n')


def commit_to_table(shop: Shop) -> None:
    commit_to(shop, "quarantine")


def import_corrections(shop: Shop) -> None:
    commit_to(shop, "corrections")


def lose_publication(shop: Shop) -> None:
    (shop.folder / "tables" / "published.json").unlink()


def leave_a_computed_wave(shop: Shop) -> None:
    small_objects(f"file://{shop.folder / 'tables'}", S3Settings()).put(READY_NOTE, b"{}")


def die(shop: Shop) -> None:
    table = DeltaTable(shop.folder / "tables" / "runs")
    rows = table.to_pyarrow_dataset().to_table()
    row = rows.slice(0, 1).to_pylist()[0] | {"run_id": "dead", "status": "running", "finished_at": None}
    write_deltalake(table, pa.Table.from_pylist([row], schema=rows.schema), mode="append")


def garble_note(shop: Shop) -> None:
    (shop.folder / "tables" / NOTE).write_text("{")


@pytest.mark.parametrize(
    "change",
    [
        *(change_picture, touch_picture, remove_picture, bring_missing_picture, change_feed, commit_to_table),
        import_corrections,
        *(lose_publication, leave_a_computed_wave, die, garble_note),
    ],
)
def test_any_change_needs_a_full_night(shop, no_spark, change):
    change(shop)
    assert_full(shop)


def test_other_settings_need_a_full_night(shop, no_spark):
    assert_full(shop, gate={"max_quarantined_share": 0.3})


@pytest.mark.parametrize(("hours", "why"), [(13, "the missing picture is due"), (169, "tables need their upkeep")])
def test_full_night_when_its_time_has_come(shop, no_spark, monkeypatch, hours, why):
    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.now(tz) + timedelta(hours=hours)

    night(shop)
    monkeypatch.setattr("jobs.unchanged_night.datetime", Later)
    assert_full(shop)


def test_nothing_is_entered_while_another_driver_writes(shop, no_spark):
    objects = small_objects(f"file://{shop.folder / 'tables'}", S3Settings())
    before = DeltaTable(shop.folder / "tables" / "runs").version()
    with WriterLease(objects, "other", 60), pytest.raises(LeaseHeldError, match="run other"):
        night(shop)
    assert DeltaTable(shop.folder / "tables" / "runs").version() == before


def test_without_delta_rs_every_night_is_a_full_one(shop, no_spark, monkeypatch):
    monkeypatch.setitem(sys.modules, "deltalake", None)
    assert_full(shop)


def test_feed_that_changes_while_it_is_read_leaves_no_note(make_shop, monkeypatch):
    shop: Shop = make_shop(2)

    def ingest_and_replace(*arguments: Any) -> None:
        ingest(*arguments)
        change_feed(shop)

    monkeypatch.setattr("jobs.nightly.ingest", ingest_and_replace)
    night(shop)
    assert not (shop.folder / "tables" / NOTE).exists()


def test_folder_of_pictures_tells_by_its_listing(make_shop, monkeypatch, request):
    shop: Shop = make_shop(3)
    shop.settings["catalog"] = str(shop.folder / "shop" / "images")
    night(shop)
    request.getfixturevalue("no_spark")
    assert night(shop)["nightly"]["counts"]["unchanged"] == 3
    change_picture(shop)
    assert_full(shop)


def test_it_works_on_s3(spark, tmp_path, empty_tables, s3_settings, s3_client, bucket, request):
    write_shop(tmp_path / "shop", 3)
    upload(s3_client, bucket, tmp_path / "shop", "shop")
    upload(s3_client, bucket, empty_tables, "tables")
    settings = Settings(tables=f"s3://{bucket}/tables", catalog=f"s3://{bucket}/shop/catalog.csv", s3=s3_settings)
    run_stages(settings, quiet=True)
    request.getfixturevalue("no_spark")
    run_id = run_stages(settings, quiet=True)
    rows = TableStore(spark, f"s3://{bucket}/tables").read("runs").where(f"run_id = '{run_id}'").collect()
    counts = {row["stage"]: row["counts"] for row in rows}
    assert set(counts) == {*STAGES, "nightly"}
    assert counts["nightly"]["unchanged"] == 3
    s3_client.upload_file(str(tmp_path / "shop/images/2.jpg"), bucket, "shop/images/1.jpg")
    with pytest.raises(SparkUnavailableError, match="Spark was asked for"):
        run_stages(settings, quiet=True)


def test_rule_for_what_is_due_is_extracts_own(spark, tmp_path):
    """Every combination of what the rule looks at, judged by both."""
    now = datetime.now(UTC)
    settings = Settings(
        tables=str(tmp_path), extract={"max_attempts": 2, "retry_after_hours": 12, "retry_reasons": ("too_large",)}
    )
    outcomes = [
        ("pending", None, None),
        ("extracted", None, "new"),
        ("extracted", None, "old"),
        *(("quarantined", reason.value, None) for reason in Reason),
    ]
    images = [
        {
            "image_uri": f"file:///{number}.jpg",
            "etag": None,
            "size_bytes": 1,
            "modified_at": now,
            "status": status,
            "reason": reason,
            "is_active": active,
            "content_sha256": "0" * 64 if status == "extracted" else None,
            "bundle_version": bundle,
            "attempts": attempts,
            "first_seen_at": now,
            "changed_at": now - timedelta(hours=hours),
            "run_id": "r",
        }
        for number, ((status, reason, bundle), active, attempts, hours) in enumerate(
            itertools.product(outcomes, (True, False), (1, 2), (1, 13))
        )
    ]
    store = TableStore(spark, f"file://{tmp_path}")
    store.ensure([CATALOG, IMAGES])
    store.append(IMAGES, spark.createDataFrame(images, ddl_columns(IMAGES.columns)))
    plan = _make_plan(Run(spark, store, settings, "r", "new", started_at=now))
    assert 0 < plan.images < len(images)
    planned = {row["image_uri"] for row in spark.read.parquet(plan.path).collect()}
    due = {row["image_uri"] for row in images if due_pictures([row], settings, "new", now)}
    assert due == planned
