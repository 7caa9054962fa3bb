from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from jobs import extract as extract_job
from jobs.extract_commit import commit_wave
from jobs.session import RootsUnknownError
from jobs.small_objects import ROOTS_NOTE
from tests.pictures import write_feed, write_picture
from udfs.spark_extract import extract_batches


def by_name(shop, table="images"):
    return {row["image_uri"].rsplit("/", 1)[1]: row for row in shop.rows(table)}


def add_pictures(shop, *names):
    """Let the feed name more pictures of the shop's folder."""
    with shop.feed.open("a", encoding="utf-8") as file:
        for name in names:
            file.write(f"{name},images/{name},,,\n")


def test_every_picture_is_described(after_extract):
    shop = after_extract.again()
    counts = after_extract.ran["extract"]["counts"]
    assert (counts["candidates"], counts["extracted"], counts["quarantined"]) == (4, 4, 0)
    images, attributes = by_name(shop), {row["content_sha256"]: row for row in shop.rows("image_attributes")}
    colors = [attributes[images[f"{number}.jpg"]["content_sha256"]]["color"] for number in range(4)]
    assert [color.split()[-1] for color in colors] == ["red", "blue", "green", "black"]
    row = attributes[images["0.jpg"]["content_sha256"]]
    assert (row["width_px"], row["height_px"], row["format"]) == (240, 300, "jpeg")
    assert row["pattern"] == "solid"
    assert row["shape"] in ("rectangular", "tall")
    assert sum(value * value for value in row["embedding"]) == pytest.approx(1, abs=1e-4)
    box = row["region"]["box"]
    expected = {"x_min": 60, "y_min": 60, "x_max": 180, "y_max": 255}
    assert box == pytest.approx(expected, abs=10)


def test_extract_alone_reads_only_from_the_roots_that_ingest_noted(after_ingest):
    shop = after_ingest.again()
    outside = write_picture(shop.folder / "elsewhere" / "secret.jpg")
    shop.image("0.jpg").unlink()
    shop.image("0.jpg").symlink_to(outside)
    assert shop.run("extract")["extract"]["counts"]["quarantined"] == 1
    assert by_name(shop)["0.jpg"]["reason"] == "outside_allowed_roots"
    assert by_name(shop)["1.jpg"]["status"] == "extracted"
    (shop.folder / "tables" / ROOTS_NOTE).unlink()
    with pytest.raises(RootsUnknownError, match="run ingest, or name --allowed-root"):
        shop.run("extract")


def test_second_run_changes_nothing(make_shop):
    shop = make_shop(3)
    add_pictures(shop, "missing.jpg")
    shop.run()
    before = shop.versions()
    counts = shop.run()["extract"]["counts"]
    assert shop.versions() == before
    assert (counts["candidates"], counts["unchanged"]) == (0, 4)


def test_bad_pictures_are_quarantined_and_the_run_succeeds(make_shop):
    shop = make_shop(2)
    good = shop.image("0.jpg").read_bytes()
    shop.image("empty.jpg").write_bytes(b"")
    shop.image("text.jpg").write_text("<html>not found</html>")
    shop.image("cut.jpg").write_bytes(good[: len(good) // 2])
    shop.image("drawing.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    (shop.folder / "secret.jpg").write_bytes(good)
    shop.image("link.jpg").symlink_to(shop.folder / "secret.jpg")
    shop.image("folder.jpg").mkdir()
    names = ("empty.jpg", "text.jpg", "cut.jpg", "drawing.svg", "missing.jpg", "link.jpg", "folder.jpg")
    add_pictures(shop, *names)
    run = shop.run("ingest", "extract")
    assert run["extract"]["counts"]["quarantined"] == 7
    quarantine = by_name(shop, "quarantine")
    assert {name: quarantine[name]["reason"] for name in names} == {
        "empty.jpg": "empty_file",
        "text.jpg": "not_an_image",
        "cut.jpg": "truncated",
        "drawing.svg": "unsupported_format",
        "missing.jpg": "not_found",
        "link.jpg": "outside_allowed_roots",
        "folder.jpg": quarantine["folder.jpg"]["reason"],
    }
    assert quarantine["folder.jpg"]["reason"] in ("not_an_image", "fetch_failed", "bad_uri")
    assert quarantine["missing.jpg"]["retryable"] is True
    assert quarantine["cut.jpg"]["retryable"] is False
    assert run["extract"]["reasons"]["truncated"] == 1


def test_identical_content_is_computed_once(make_shop):
    shop = make_shop(2)
    for name in ("copy-a.jpg", "copy-b.jpg"):
        shop.image(name).write_bytes(shop.image("0.jpg").read_bytes())
    add_pictures(shop, "copy-a.jpg")
    counts = shop.run("ingest", "extract")["extract"]["counts"]
    assert (counts["extracted"], counts["reused"]) == (2, 1)
    add_pictures(shop, "copy-b.jpg")
    counts = shop.run("ingest", "extract")["extract"]["counts"]
    assert (counts["candidates"], counts["extracted"], counts["reused"]) == (1, 0, 1)
    images = by_name(shop)
    assert images["copy-b.jpg"]["content_sha256"] == images["0.jpg"]["content_sha256"]
    assert len(shop.rows("image_attributes")) == 2


def test_retryable_failure_comes_back_and_is_resolved(make_shop):
    shop = make_shop(2, extract={"retry_after_hours": 0})
    add_pictures(shop, "late.jpg")
    shop.run("ingest", "extract")
    shop.run("ingest", "extract")
    failed = by_name(shop, "quarantine")["late.jpg"]
    assert (failed["attempts"], failed["resolved_at"]) == (2, None)
    write_picture(shop.image("late.jpg"), 7)
    counts = shop.run("ingest", "extract")["extract"]["counts"]
    assert (counts["candidates"], counts["extracted"]) == (1, 1)
    assert by_name(shop, "quarantine")["late.jpg"]["resolved_at"] is not None
    assert by_name(shop)["late.jpg"]["status"] == "extracted"


def test_hopeless_failure_is_given_up_after_its_attempts(make_shop):
    shop = make_shop(1, extract={"retry_after_hours": 0, "max_attempts": 2})
    add_pictures(shop, "never.jpg")
    tried = [shop.run("ingest", "extract")["extract"]["counts"]["candidates"] for _ in range(3)]
    assert tried == [2, 1, 0]


def test_raised_limit_brings_a_picture_back_when_asked(make_shop):
    shop = make_shop(2, fetch={"max_image_bytes": 2500})
    counts = shop.run("ingest", "extract")["extract"]["counts"]
    assert counts["quarantined"] == 2
    asked = {"retry_reasons": ("too_large",)}
    counts = shop.run("extract", fetch={"max_image_bytes": 10_000_000}, extract=asked)["extract"]["counts"]
    assert (counts["candidates"], counts["extracted"]) == (2, 2)


def test_new_bundle_version_describes_everything_anew(after_extract, monkeypatch):
    shop = after_extract.again()
    monkeypatch.setattr("jobs.session.attributes_version", lambda version: f"{version}+features.next")
    counts = shop.run("extract")["extract"]["counts"]
    assert counts["extracted"] == 4
    versions = {row["bundle_version"] for row in shop.rows("images")}
    assert {version.rsplit("+", 1)[1] for version in versions} == {"features.next"}
    assert len(shop.rows("image_attributes")) == 8, "the old bundle's rows stay until maintain drops them"


def test_work_is_cut_into_waves_that_add_up(make_shop):
    shop = make_shop(9, extract={"wave_images": 3})
    counts = shop.run("ingest", "extract")["extract"]["counts"]
    assert counts["extracted"] == 9
    assert {row["status"] for row in shop.rows("images")} == {"extracted"}


def test_changed_picture_is_described_anew(after_extract):
    shop = after_extract.again()
    old = by_name(shop)["0.jpg"]["content_sha256"]
    write_picture(shop.image("0.jpg"), 50)
    counts = shop.run("ingest", "extract")["extract"]["counts"]
    assert (counts["candidates"], counts["extracted"]) == (1, 1)
    assert by_name(shop)["0.jpg"]["content_sha256"] != old


def test_picture_that_kills_its_worker_is_isolated(make_shop, monkeypatch):
    def crashing(config, progress=None):
        function = extract_batches(config, progress)

        def extract(batches: Iterable[pa.RecordBatch]) -> Iterable[pa.RecordBatch]:
            def watched():
                for batch in batches:
                    if any(uri.endswith("/3.jpg") for uri in batch.column("image_uri").to_pylist()):
                        os._exit(139)
                    yield batch

            return function(watched())

        return extract

    shop = make_shop(6)
    monkeypatch.setattr(extract_job.extract, "__defaults__", (crashing,))
    counts = shop.run("ingest", "extract")["extract"]["counts"]
    assert (counts["extracted"], counts["quarantined"]) == (5, 1)
    failed = shop.rows("quarantine")
    assert [(row["image_uri"].rsplit("/", 1)[1], row["reason"]) for row in failed] == [("3.jpg", "worker_crashed")]


def test_wave_that_was_computed_but_not_committed_is_committed_by_the_next_run(make_shop, monkeypatch):
    shop = make_shop(4)

    class DiedError(Exception):
        pass

    def die(*_):
        raise DiedError

    monkeypatch.setattr(extract_job, "commit_wave", die)
    with pytest.raises(DiedError):
        shop.run("ingest", "extract")
    assert {row["status"] for row in shop.rows("images")} == {"pending"}
    monkeypatch.setattr(extract_job, "commit_wave", commit_wave)
    write_picture(shop.image("2.jpg"), 77)
    counts = shop.run("ingest", "extract")["extract"]["counts"]
    assert counts["recovered"] == 4
    assert (counts["candidates"], counts["extracted"]) == (1, 1), "only the picture that changed since"
    images = by_name(shop)
    assert {row["status"] for row in images.values()} == {"extracted"}
    contents = {row["content_sha256"] for row in shop.rows("image_attributes")}
    assert images["2.jpg"]["content_sha256"] in contents


def test_run_says_what_it_did(after_extract):
    shop, row = after_extract.again(), after_extract.ran["extract"]
    assert row["status"] == "succeeded"
    assert row["bytes_read"] == sum(path.stat().st_size for path in shop.image("").iterdir())
    assert set(row["step_ms"]) >= {"fetch", "decode", "quality", "features", "models"}
    assert all(value >= 0 for value in row["step_ms"].values())
    assert row["images_per_second"] > 0
    assert row["started_at"] <= datetime.now(UTC).replace(tzinfo=None) + timedelta(hours=24)


def test_feed_without_usable_pictures_is_all_quarantine(make_shop):
    shop = make_shop(1)
    write_feed(shop.feed, [{"product_id": "a", "image_uri": "images/none.jpg"}])
    assert shop.run("ingest", "extract")["extract"]["counts"]["quarantined"] == 1
