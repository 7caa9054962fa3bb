from __future__ import annotations

import json

import pytest

from jobs.feed import FEED_COLUMNS, FeedError, locate_feed, open_feed
from schemas.settings import S3Settings
from tests.pictures import write_feed, write_picture

ROWS = [
    {"product_id": "p1", "image_uri": "a.jpg", "title": 'Jug, 2 l, "blue"\nhand made', "price": "12.50"},
    {"product_id": "p2", "image_uri": "b.jpg", "title": "蓝色马克杯", "price": ""},
]


def read(spark, location, s3=None):
    return open_feed(spark, locate_feed(str(location), s3 or S3Settings()))


def write_form(spark, folder, form):
    if form == "csv":
        return write_feed(folder / "feed.csv", ROWS)
    if form == "jsonl":
        path = folder / "feed.jsonl"
        path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS), encoding="utf-8")
        return path
    path = folder / "feed"
    spark.createDataFrame(ROWS).coalesce(1).write.format(form).save(str(path))
    return path


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet", "delta"])
def test_every_form_gives_the_same_rows(spark, tmp_path, form):
    feed = read(spark, write_form(spark, tmp_path, form))
    rows = sorted((row.asDict() for row in feed.rows.collect()), key=lambda row: row["product_id"])
    assert feed.rows.columns == list(FEED_COLUMNS)
    assert [row["title"] for row in rows] == [ROWS[0]["title"], ROWS[1]["title"]]
    assert rows[0]["price"] == "12.50"
    assert rows[0]["brand"] is None, "a column that the feed lacks is null"


def test_relative_pictures_refer_to_the_feeds_folder(spark, tmp_path):
    assert read(spark, write_form(spark, tmp_path, "csv")).base == f"file://{tmp_path}"
    assert read(spark, write_form(spark, tmp_path, "parquet")).base == f"file://{tmp_path}/feed"


def test_folder_of_pictures_is_a_feed(spark, tmp_path):
    write_picture(tmp_path / "shoes" / "red shoe 50%.JPG", 1)
    write_picture(tmp_path / "cup.png", 2)
    (tmp_path / "notes.txt").write_text("not a picture")
    feed = read(spark, tmp_path)
    rows = {row["product_id"]: row for row in feed.rows.collect()}
    assert set(rows) == {"shoes/red shoe 50%", "cup"}
    assert rows["cup"]["image_uri"] == str(tmp_path / "cup.png")
    assert int(rows["cup"]["size_bytes"]) == (tmp_path / "cup.png").stat().st_size
    assert feed.ignored_files == 1


def test_s3_prefix_of_pictures_is_a_feed(spark, tmp_path, s3_settings, s3_client, bucket):
    picture = write_picture(tmp_path / "cup.png", 2)
    s3_client.upload_file(str(picture), bucket, "shop/käse & brot/cup.png")
    s3_client.upload_file(str(picture), bucket, "shop-elsewhere/other.png")
    feed = read(spark, f"s3://{bucket}/shop", s3_settings)
    assert [(row["product_id"], row["image_uri"]) for row in feed.rows.collect()] == [
        ("käse & brot/cup", f"s3://{bucket}/shop/käse & brot/cup.png")
    ]


def test_missing_feed_is_named(tmp_path):
    with pytest.raises(FeedError, match=r"nowhere\.csv"):
        locate_feed(str(tmp_path / "nowhere.csv"), S3Settings())
    with pytest.raises(FeedError, match="--catalog"):
        locate_feed(None, S3Settings())


def test_folder_without_feed_or_pictures_says_what_it_found(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(FeedError, match=r"expected \.csv.*found \.txt"):
        locate_feed(str(tmp_path), S3Settings())


def test_missing_column_is_named_with_those_present(spark, tmp_path):
    path = write_feed(tmp_path / "feed.csv", [{"sku": "1", "image_uri": "a.jpg"}])
    with pytest.raises(FeedError, match="no column product_id; it has sku, image_uri"):
        read(spark, path)


def test_missing_bucket_is_named(s3_settings):
    with pytest.raises(FeedError, match="no-such-bucket"):
        locate_feed("s3://no-such-bucket/feed.csv", s3_settings)
