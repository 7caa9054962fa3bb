"""A feed of metadata, drawn by Spark: as many rows as asked for, and no picture behind any of them.

Its listing columns (size, time, etag) are what an S3 inventory gives. With them ingest looks at no picture, which is
the documented way for large catalogues, so no part of the code has to be replaced for this benchmark.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from schemas.tables import IMAGES, PRODUCTS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from jobs.run import Run

ROOT = "s3://shop"
# One row in a thousand.
CHANGED_EVERY = 1000


def write_feed(spark: SparkSession, rows: int, folder: Path, *, changed: bool = False) -> None:
    """Write a Parquet feed.

    Args:
        spark: the session.
        rows: products, with a picture each.
        folder: where to.
        changed: every thousandth product has another title, and another picture behind the same URI.
    """
    version = f"IF(id % {CHANGED_EVERY} = 0, 'second', 'first')" if changed else "'first'"
    feed = spark.range(rows, numPartitions=max(2, rows // 1_000_000)).selectExpr(
        "format_string('P%010d', id) AS product_id",
        f"format_string('{ROOT}/images/%04d/P%010d_0.jpg', id % 4096, id) AS image_uri",
        f"concat('Cotton shirt ', id, ' ', {version}) AS title",
        "concat('A shirt of cotton for every day. Style ', id % 1000) AS description",
        "concat('Brand ', id % 500) AS brand",
        "'Clothing > Shirts' AS category",
        "cast(10 + id % 90 AS decimal(12,2)) AS price",
        f"md5(concat(id, {version})) AS etag",
        f"20000 + pmod(hash(id, {version}), 60000) AS size_bytes",
        "timestamp'2026-01-01 00:00:00' AS modified_at",
    )
    feed.write.mode("overwrite").parquet(folder.as_uri())


def settle_images(run: Run) -> None:
    """Mark every picture as extracted, which only a cluster could do honestly for this many."""
    run.store.execute(
        "UPDATE {table} SET status = 'extracted', content_sha256 = sha2(image_uri, 256), "
        f"bundle_version = '{run.bundle_version}'",
        IMAGES,
    )


def settle_products(run: Run) -> None:
    """Give every product a row with the hash of its present inputs, so that fuse finds it unchanged."""
    from jobs.fuse import stale_products

    products: DataFrame = stale_products(run).select("product_id", "input_hash")
    told = {
        "image_count": "1",
        "needs_review": "false",
        "is_publishable": "false",
        "is_active": "true",
        "bundle_version": f"'{run.bundle_version}'",
        "fused_at": "current_timestamp()",
        "changed_at": "current_timestamp()",
        "run_id": f"'{run.run_id}'",
    }
    types = {field.name: field.dataType.simpleString() for field in run.store.read(PRODUCTS.name).schema.fields}
    columns = [
        name if name in products.columns else f"CAST({told.get(name, 'null')} AS {types[name]}) AS {name}"
        for name in PRODUCTS.column_names
    ]
    run.store.append(PRODUCTS, products.selectExpr(*columns))
