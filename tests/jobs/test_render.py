"""The rendering job: executors write the same pictures that the function draws, to a folder and to S3."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jobs.render import render_catalog
from rendering.catalog import product_at
from rendering.render import render_product
from schemas.settings import S3Settings
from schemas.uri import local_path


def test_a_folder_gets_pictures_feed_and_truth(spark: Any, tmp_path: Path) -> None:
    written = render_catalog(spark, str(tmp_path / "shop"), products=5, views=2, seed=9, partitions=2)
    assert written.pictures == 10
    rows = spark.read.parquet(written.feed).orderBy("product_id", "view").collect()
    assert [(row.product_id, row.view) for row in rows] == [(f"P{i + 1:07d}", v) for i in range(5) for v in (0, 1)]
    assert written.bytes_written == sum(local_path(row.image_uri).stat().st_size for row in rows)
    drawn = render_product(product_at(9, 3), 1)
    assert local_path(rows[7].image_uri).read_bytes() == drawn.data
    truth = {row.image_uri: json.loads(row.truth_json) for row in spark.read.parquet(written.truth).collect()}
    assert truth[rows[7].image_uri]["colors"] == drawn.truth.as_dict()["colors"]


def test_s3_gets_the_same_pictures(spark: Any, s3_settings: S3Settings, s3_client: Any, bucket: str) -> None:
    written = render_catalog(spark, f"s3://{bucket}/shop", products=2, views=1, seed=9, s3=s3_settings)
    (first, _) = spark.read.parquet(written.feed.replace("s3://", "s3a://")).orderBy("product_id").collect()
    key = first.image_uri.removeprefix(f"s3://{bucket}/")
    stored = s3_client.get_object(Bucket=bucket, Key=key)
    drawn = render_product(product_at(9, 0), 0)
    assert stored["Body"].read() == drawn.data
    assert stored["ContentType"].startswith("image/")


def test_fewer_than_one_view_is_refused(spark: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        render_catalog(spark, str(tmp_path), products=1, views=0)
