from __future__ import annotations

import csv
import os

import pytest

from jobs.feed import FeedError
from tests.pictures import write_feed, write_picture


def feed_rows(shop):
    with shop.feed.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def reasons(shop):
    return {
        row["product_id"]: row["reason"] for row in shop.rows("quarantine", "stage = 'ingest' AND resolved_at IS NULL")
    }


def test_first_night_writes_catalog_and_pending_images(after_ingest):
    shop = after_ingest.again()
    counts = after_ingest.ran["ingest"]["counts"]
    assert (counts["feed_rows"], counts["rows_inserted"], counts["images_new"]) == (6, 6, 6)
    row = shop.rows("catalog", "product_id = 'p1'")[0]
    assert row["image_uri"] == f"file://{shop.image('1.jpg')}"
    assert (row["title"], str(row["price"]), row["is_active"], row["view"]) == ("blue box 1", "1.50", True, 0)
    image = shop.rows("images", f"image_uri = '{row['image_uri']}'")[0]
    assert (image["status"], image["size_bytes"]) == ("pending", shop.image("1.jpg").stat().st_size)


def test_second_night_without_changes_commits_nothing(make_shop):
    shop = make_shop(3)
    write_feed(shop.feed, [*feed_rows(shop), {"product_id": "", "image_uri": "x.jpg"}])
    shop.run("ingest")
    before = shop.versions()
    counts = shop.run("ingest")["ingest"]["counts"]
    assert shop.versions() == before
    assert (counts["rows_unchanged"], counts["images_unchanged"], counts["rows_rejected"]) == (3, 3, 1)


def test_wrong_rows_are_quarantined_each_with_its_reason(make_shop):
    shop = make_shop(2)
    good = feed_rows(shop)
    write_picture(shop.folder / "elsewhere" / "secret.jpg")
    (shop.folder / "shop" / "link.jpg").symlink_to(shop.folder / "elsewhere" / "secret.jpg")
    wrong = [
        {"product_id": "", "image_uri": "images/0.jpg", "title": "no id"},
        {"product_id": "no-uri", "image_uri": "  "},
        {"product_id": "ftp", "image_uri": "ftp://shop/a.jpg"},
        {"product_id": "bad-uri", "image_uri": "s3://"},
        {"product_id": "outside", "image_uri": "../elsewhere/secret.jpg"},
        {"product_id": "price", "image_uri": "images/0.jpg", "price": "cheap"},
        {"product_id": "negative", "image_uri": "images/0.jpg", "price": "-1"},
        {"product_id": "date", "image_uri": "images/0.jpg", "updated_at": "yesterday"},
    ]
    newer = {**good[0], "title": "newer", "updated_at": "2026-11-02T08:00:00Z"}
    write_feed(shop.feed, [*good, *wrong, wrong[1], newer])
    counts = shop.run("ingest")["ingest"]["counts"]
    assert reasons(shop) == {
        None: "null_product_id",
        "no-uri": "null_image_uri",
        "ftp": "unknown_scheme",
        "bad-uri": "bad_uri",
        "outside": "outside_allowed_roots",
        "price": "bad_value",
        "negative": "bad_value",
        "date": "bad_value",
        "p0": "duplicate_row",
    }
    assert counts["feed_rows"] == 12
    assert counts["rows_rejected"] == 10 == len(shop.rows("quarantine")), "also the row that is wrong twice"
    assert shop.rows("catalog", "product_id = 'p0'")[0]["title"] == "newer"
    assert '"title":"no id"' in shop.rows("quarantine", "reason = 'null_product_id'")[0]["row_json"]


def test_mended_row_is_resolved_and_kept_as_history(make_shop):
    shop = make_shop(2)
    good = feed_rows(shop)
    write_feed(shop.feed, [*good, {"product_id": "late", "image_uri": "images/1.jpg", "price": "cheap"}])
    shop.run("ingest")
    write_feed(shop.feed, [*good, {"product_id": "late", "image_uri": "images/1.jpg", "price": "3"}])
    shop.run("ingest")
    assert reasons(shop) == {}
    assert shop.rows("quarantine")[0]["resolved_at"] is not None
    assert len(shop.rows("catalog")) == 3


def test_only_what_changed_is_written(after_ingest):
    shop = after_ingest.again()
    rows = feed_rows(shop)
    rows[1]["title"] = "renamed"
    write_feed(shop.feed, [*rows[:5], {"product_id": "new", "image_uri": "images/3.jpg"}])
    counts = shop.run("ingest")["ingest"]["counts"]
    assert {name: counts[f"rows_{name}"] for name in ("inserted", "updated", "unchanged", "deactivated")} == {
        "inserted": 1,
        "updated": 1,
        "unchanged": 4,
        "deactivated": 1,
    }
    changed = {
        row["product_id"]
        for row in shop.rows("catalog", f"run_id = '{shop.rows('runs', 'counts.rows_updated = 1')[0]['run_id']}'")
    }
    assert changed == {"p1", "new", "p5"}
    assert shop.rows("catalog", "product_id = 'p5'")[0]["is_active"] is False


def test_changed_file_is_pending_again_and_a_removed_one_inactive(after_ingest):
    shop = after_ingest.again()
    write_picture(shop.image("0.jpg"), seed=99)
    os.utime(shop.image("1.jpg"), (1_700_000_000, 1_700_000_000))
    write_feed(shop.feed, feed_rows(shop)[:5])
    counts = shop.run("ingest")["ingest"]["counts"]
    assert (counts["images_changed"], counts["images_unchanged"], counts["images_deactivated"]) == (2, 3, 1)


def test_stat_of_changed_rows_only_trusts_the_feed(make_shop):
    shop = make_shop(2, ingest={"stat": "changed_rows"})
    shop.run("ingest", "extract")
    write_picture(shop.image("0.jpg"), seed=98)
    write_picture(shop.image("1.jpg"), seed=99)
    rows = feed_rows(shop)
    rows[1]["updated_at"] = "2026-11-05T08:00:00Z"
    write_feed(shop.feed, rows)
    assert shop.run("ingest")["ingest"]["counts"]["images_changed"] == 1


def test_feed_that_lost_most_rows_changes_nothing(after_ingest):
    shop = after_ingest.again()
    before = shop.versions()
    write_feed(shop.feed, feed_rows(shop)[:2])
    with pytest.raises(FeedError, match="shrank from 6 rows to 2"):
        shop.run("ingest")
    assert shop.versions() == before
    assert shop.rows("runs", "status = 'failed'")[0]["error"].startswith("FeedError: the feed shrank")
    shop.run("ingest", gate={"max_shrink_share": 1})
    assert len(shop.rows("catalog", "is_active")) == 2


def test_views_of_a_product_are_numbered(make_shop):
    shop = make_shop(3)
    rows = [{"product_id": "one", "image_uri": f"images/{name}.jpg"} for name in (2, 0, 1)]
    write_feed(shop.feed, rows)
    shop.run("ingest")
    views = {row["image_uri"].rsplit("/", 1)[1]: row["view"] for row in shop.rows("catalog")}
    assert views == {"0.jpg": 0, "1.jpg": 1, "2.jpg": 2}
