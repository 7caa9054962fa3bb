"""Everything on S3: feed, pictures and tables on a real S3 server; and on real photos."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from jobs.lease import LeaseHeldError, WriterLease
from jobs.nightly import run_stages
from jobs.service.app import create_app
from jobs.small_objects import small_objects
from jobs.store import TableStore
from models.bundle import load_bundle
from schemas.settings import Settings
from tests.jobs.conftest import upload
from tests.pictures import write_feed, write_shop
from tests.service.conftest import wait_until_ready

FOLDERS = ("myntra224", "grocery_store", "clothing_small", "ccp")
PHOTOS = 200


def s3_night(s3_settings: Any, bucket: str, **changes: Any) -> str:
    settings = Settings(
        tables=f"s3://{bucket}/tables", catalog=f"s3://{bucket}/shop/catalog.csv", s3=s3_settings, **changes
    )
    return run_stages(settings, quiet=True)


def test_night_on_s3_is_incremental_by_etag(spark, tmp_path, s3_settings, s3_client, bucket):
    write_shop(tmp_path / "shop", 4)
    with (tmp_path / "shop" / "catalog.csv").open("a") as file:
        file.write("missing,images/missing.jpg,,,\noutside,s3://another-bucket/a.jpg,,,\n")
    upload(s3_client, bucket, tmp_path / "shop", "shop")
    s3_night(s3_settings, bucket)
    store = TableStore(spark, f"s3://{bucket}/tables")
    images = {row["image_uri"].rsplit("/", 1)[1]: row for row in store.read("images").collect()}
    assert {name: row["status"] for name, row in images.items()} == {
        **{f"{number}.jpg": "extracted" for number in range(4)},
        "missing.jpg": "quarantined",
    }
    assert images["0.jpg"]["image_uri"] == f"s3://{bucket}/shop/images/0.jpg"
    assert len(images["0.jpg"]["etag"]) == 32
    reasons = {row["product_id"]: row["reason"] for row in store.read("quarantine").collect()}
    assert reasons == {"missing": "not_found", "outside": "outside_allowed_roots"}

    # The same bytes uploaded again: a new time but the same etag, so nothing is read.
    s3_client.upload_file(str(tmp_path / "shop/images/1.jpg"), bucket, "shop/images/1.jpg")
    s3_client.upload_file(str(tmp_path / "shop/images/2.jpg"), bucket, "shop/images/3.jpg")
    run_id = s3_night(s3_settings, bucket)
    extract = store.read("runs").where(f"run_id = '{run_id}' AND stage = 'extract'").collect()[0]
    assert extract["counts"]["candidates"] == 1
    assert extract["counts"]["reused"] == 1
    pointer = json.loads(s3_client.get_object(Bucket=bucket, Key="tables/published.json")["Body"].read())
    assert pointer["publication_id"] == 2
    assert_served(f"s3://{bucket}/tables", s3_settings, tmp_path / "serve")
    waiting = s3_client.list_objects_v2(Bucket=bucket, Prefix="tables/_corrections/")["Contents"]
    assert len(waiting) == 1, "the correction lies beside the tables"


def assert_served(tables: str, s3_settings: Any, cache: Path) -> None:
    """The service reads the published tables from S3, shows their pictures and takes a correction."""
    settings = Settings(tables=tables, s3=s3_settings, serve={"cache": str(cache), "hosts": ("testserver",)})
    with TestClient(create_app(settings, load_bundle())) as client:
        wait_until_ready(client)
        found = client.get("/search").json()["items"]
        assert len(found) == 5
        pictures = [client.get(item["image"]) for item in found if item["image"]]
        assert {picture.status_code for picture in pictures} == {200}
        asked = {"product_id": found[0]["product_id"], "attribute": "color", "value": "green"}
        answer = client.post("/corrections", json=asked)
        assert answer.status_code == 201, answer.text


def test_second_driver_is_refused_while_the_first_writes(s3_settings, s3_client, bucket, tmp_path, spark):
    write_shop(tmp_path / "shop", 1)
    upload(s3_client, bucket, tmp_path / "shop", "shop")
    objects = small_objects(f"s3://{bucket}/tables", s3_settings)
    with WriterLease(objects, "first", 60), pytest.raises(LeaseHeldError, match="run first"):
        s3_night(s3_settings, bucket)
    assert not TableStore(spark, f"s3://{bucket}/tables").exists("catalog")


def test_real_photos_go_through_s3_into_tables(
    spark, tmp_path, empty_tables, shared_data, s3_settings, s3_client, bucket
):
    upload(s3_client, bucket, empty_tables, "tables")
    rows, colors = [], {}
    for folder in FOLDERS:
        with (shared_data / folder / "labels.csv").open(encoding="utf-8") as file:
            labels = [row for row in csv.DictReader(file) if row["split"] in ("train", "catalogue")]
        for row in labels[:: max(1, len(labels) // (PHOTOS // len(FOLDERS)))][: PHOTOS // len(FOLDERS)]:
            path = shared_data / row["image_path"]
            s3_client.upload_file(str(path), bucket, f"shop/{row['image_path']}")
            rows.append({"product_id": row["image_path"], "image_uri": row["image_path"], "title": row["title"]})
            colors[row["image_path"]] = row["color"]
    feed = write_feed(tmp_path / "catalog.csv", rows)
    s3_client.upload_file(str(feed), bucket, "shop/catalog.csv")
    run_id = s3_night(s3_settings, bucket)
    store = TableStore(spark, f"s3://{bucket}/tables")
    counts = store.read("runs").where(f"run_id = '{run_id}' AND stage = 'extract'").collect()[0]["counts"]
    assert counts["candidates"] == len(rows) == PHOTOS
    assert counts["quarantined"] == 0
    joined = (
        store.read("catalog")
        .join(store.read("images").select("image_uri", "content_sha256"), "image_uri")
        .join(store.read("image_attributes").drop("run_id", "category"), "content_sha256")
    )
    found = {row["product_id"]: row for row in joined.collect()}
    black = [name for name, color in colors.items() if color == "Black"]
    assert len(black) >= 5
    dark = [found[name]["colors"][0]["lab_l"] < 45 for name in black]
    assert sum(dark) / len(dark) > 0.6, "products labelled black are dark"
    assert all(row["title"] for name, row in found.items() if name.startswith("myntra224/"))
