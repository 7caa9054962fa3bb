"""Draws a catalogue of any size as a Spark job, for scale tests: executors draw and write the pictures themselves."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import pandas as pd

from jobs.locations import resolve_location
from jobs.spark_session import spark_uri
from rendering.camera import CONTENT_TYPES
from rendering.catalog import listing_of, product_at
from rendering.dataset import feed_row, image_path, truth_row
from rendering.render import render_product
from schemas.settings import FetchSettings, S3Settings
from schemas.uri import local_path, s3_location
from udfs.fetch_s3 import make_s3_client

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

log = logging.getLogger(__name__)

_COLUMNS = (
    "product_id string, image_uri string, view int, title string, description string, brand string, category string, "
    "price string, updated_at string, truth_json string, size_bytes bigint"
)
FEED_COLUMNS = ("product_id", "image_uri", "view", "title", "description", "brand", "category", "price", "updated_at")

Writer = Callable[[str, bytes], None]


@dataclass(frozen=True)
class RenderedCatalog:
    """What the job wrote.

    Args:
        feed: URI of the Parquet feed; its image URIs are absolute.
        truth: URI of a Parquet table with the full truth per picture as JSON.
        pictures: number of pictures.
        bytes_written: size of all pictures.
    """

    feed: str
    truth: str
    pictures: int
    bytes_written: int


def render_catalog(
    spark: SparkSession,
    out_root: str,
    products: int,
    views: int = 2,
    seed: int = 7,
    partitions: int | None = None,
    s3: S3Settings | None = None,
) -> RenderedCatalog:
    """Draw `products` x `views` pictures and write them with their feed.

    The pictures of a product depend on seed and place alone, so a task that is tried again writes the same bytes to the
    same names, and a larger catalogue of the same seed begins with the smaller one.

    Args:
        spark: session; its executors must have the `render` extra.
        out_root: folder or `s3://bucket/prefix`; gets `images/`, `catalog.parquet/` and `truth.parquet/`.
        products: number of products.
        views: pictures per product.
        seed: the catalogue's seed.
        partitions: tasks; by default about 64 products each.
        s3: how to reach S3.

    Returns:
        Where feed and truth lie, and how much was written.

    Raises:
        ValueError: `products` or `views` is below 1.
        ImageError: `out_root` is no location (BAD_URI, UNKNOWN_SCHEME).
    """
    if products < 1 or views < 1:
        raise ValueError(f"products ({products}) and views ({views}) must be at least 1")
    root = resolve_location(out_root)
    connection = s3 or S3Settings()

    def draw(batches: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        # One task has one core: OpenCV's own threads would only fight those of other tasks.
        cv2.setNumThreads(1)
        write = _writer(root, connection)
        for batch in batches:
            for index in batch["id"]:
                yield _draw_product(int(index), root, views, seed, write)

    tasks = partitions or max(1, -(-products // 64))
    staged = spark_uri(f"{root}/truth.parquet")
    rows = spark.range(0, products, 1, tasks).mapInPandas(draw, _COLUMNS)
    rows.write.mode("overwrite").parquet(staged)
    done = spark.read.parquet(staged)
    feed = f"{root}/catalog.parquet"
    done.select(*FEED_COLUMNS).write.mode("overwrite").parquet(spark_uri(feed))
    totals = done.selectExpr("count(*) AS pictures", "sum(size_bytes) AS bytes").first()
    if totals is None or totals["pictures"] != products * views:
        raise RuntimeError(
            f"{out_root}: {products * views} pictures were asked for, {totals and totals['pictures']} written"
        )
    log.info("drew %d pictures below %s", totals["pictures"], root)
    return RenderedCatalog(feed, f"{root}/truth.parquet", int(totals["pictures"]), int(totals["bytes"]))


def _draw_product(index: int, root: str, views: int, seed: int, write: Writer) -> pd.DataFrame:
    """Draw and write one product's pictures; its rows of feed and truth."""
    product = product_at(seed, index)
    listing = listing_of(product)
    rows: list[dict[str, Any]] = []
    for view in range(views):
        image = render_product(product, view)
        path = image_path(product, view, image.extension)
        write(f"{root}/{path}", image.data)
        rows.append(
            {
                **feed_row(product, listing, f"{root}/{path}"),
                "view": view,
                "truth_json": json.dumps(truth_row(product, listing, path, image), ensure_ascii=False),
                "size_bytes": len(image.data),
            }
        )
    return pd.DataFrame(rows, columns=[part.split()[0] for part in _COLUMNS.split(", ")])


def _writer(root: str, s3: S3Settings) -> Writer:
    """A function that writes bytes to a URI below the root."""
    return _s3_writer(s3) if root.startswith("s3://") else _save


def _s3_writer(s3: S3Settings) -> Writer:
    client = make_s3_client(s3, FetchSettings())

    def put(uri: str, data: bytes) -> None:
        bucket, key = s3_location(uri)
        client.put_object(Bucket=bucket, Key=key, Body=data, ContentType=CONTENT_TYPES[uri.rsplit(".", 1)[1]])

    return put


def _save(uri: str, data: bytes) -> None:
    target = local_path(uri)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
