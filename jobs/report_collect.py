"""Reads what the report shows from the Delta tables: small aggregates and a bounded sample, never a whole table."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812  (the name everybody uses)

from jobs.report_data import (
    GateCheck,
    Picture,
    Product,
    Publication,
    QuarantineEntry,
    ReportData,
    Share,
    StageRun,
    flows_of,
)
from jobs.report_thumbnail import ThumbnailError, make_thumbnail
from schemas.reasons import ImageError
from schemas.stages import STAGES
from schemas.tables import CATALOG, IMAGE_ATTRIBUTES, IMAGES, PUBLICATIONS, QUARANTINE, RUNS

QUARANTINE_ROWS_PER_REASON = 25
VALUES_PER_DISTRIBUTION = 60
READ_THREADS = 8

STAGE_ORDER = (*STAGES, "nightly")

ReadTable = Callable[[str], DataFrame]
ReadImage = Callable[[str], bytes]


def collect_report_data(
    read_table: ReadTable,
    read_image: ReadImage,
    run_id: str,
    *,
    max_pictures: int = 240,
    places: Mapping[str, str] | None = None,
) -> ReportData:
    """Collect what the page shows of one run.

    Args:
        read_table: gives the present DataFrame of a table named in `schemas.tables`.
        read_image: gives the bytes at a URI; raises `ImageError` or OSError when it cannot.
        run_id: the run to report.
        max_pictures: pictures sampled at most, balanced over categories, those of this run first.
        places: where tables and report are, by label, for the footer.
    """
    stages = _stages(read_table(RUNS.name), run_id)
    current = _current_pictures(read_table(IMAGES.name), read_table(IMAGE_ATTRIBUTES.name))
    quarantine = read_table(QUARANTINE.name).where(F.col("resolved_at").isNull())
    distributions = _distributions(current)
    sample = _sample(current, read_table(IMAGE_ATTRIBUTES.name), run_id, max_pictures)
    products = _products(read_table(CATALOG.name), [row["image_uri"] for row in sample])
    return ReportData(
        run_id=run_id,
        created_at=datetime.now(UTC),
        stages=stages,
        flows=flows_of(stages),
        publication=_publication(read_table(PUBLICATIONS.name)),
        pictures=_pictures(sample, products, read_image, run_id),
        picture_count=sum(share.count for share in distributions["pattern"]),
        quarantine=_quarantine_sample(quarantine),
        quarantine_counts={
            row["reason"]: row["count"] for row in quarantine.groupBy("reason").count().orderBy("reason").collect()
        },
        distributions=distributions,
        places=dict(places or {}),
    )


def _as_dict(row: Any) -> dict[str, Any]:
    """A Spark row as nested dicts, with timestamps made aware."""
    values: dict[str, Any] = row.asDict(recursive=True)
    return {name: _aware(value) for name, value in values.items()}


def _aware(value: Any) -> Any:
    # collect() hands out naive datetimes in the driver's local time zone.
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def _stages(runs: DataFrame, run_id: str) -> tuple[StageRun, ...]:
    rows = [_as_dict(row) for row in runs.where(F.col("run_id") == run_id).limit(50).collect()]
    order = {stage: position for position, stage in enumerate(STAGE_ORDER)}
    rows.sort(key=lambda row: (order.get(row["stage"], len(order)), row["started_at"]))
    return tuple(StageRun.from_row(row) for row in rows)


def _publication(publications: DataFrame) -> Publication | None:
    newest = publications.orderBy(F.col("publication_id").desc()).limit(1).collect()
    if not newest:
        return None
    row = _as_dict(newest[0])
    return Publication(
        publication_id=row["publication_id"],
        run_id=row["run_id"],
        published_at=row["published_at"],
        bundle_version=row["bundle_version"],
        versions=dict(row["versions"] or {}),
        checks=tuple(GateCheck(**check) for check in row["checks"] or ()),
    )


def _current_pictures(images: DataFrame, attributes: DataFrame) -> DataFrame:
    """One row per distinct content that an active picture has now, with the few columns that sample and count need."""
    key = ["content_sha256", "bundle_version"]
    active = (
        images.where((F.col("status") == "extracted") & F.col("is_active"))
        .groupBy(*key)
        .agg(F.min("image_uri").alias("image_uri"))
    )
    narrow = attributes.select(
        *key, "category", "color", "pattern", "shape", F.col("quality.score").alias("quality"), "run_id"
    )
    return active.join(narrow, key)


def _distributions(current: DataFrame) -> dict[str, tuple[Share, ...]]:
    """Counts per attribute value in one pass over the pictures."""
    tenth = F.least(F.floor(F.col("quality") * 10), F.lit(9)).cast("string")
    values = {name: F.col(name) for name in ("category", "color", "pattern", "shape")} | {"quality": tenth}
    pairs = F.array(*(F.struct(F.lit(name).alias("name"), column.alias("value")) for name, column in values.items()))
    counted = current.select(F.explode(pairs).alias("pair")).groupBy("pair.name", "pair.value").count()
    largest = Window.partitionBy("name").orderBy(F.col("count").desc(), F.col("value"))
    rows = (
        counted.withColumn("position", F.row_number().over(largest))
        .where(F.col("position") <= VALUES_PER_DISTRIBUTION)
        .orderBy("name", "position")
        .collect()
    )
    return {name: tuple(Share(row["value"], row["count"]) for row in rows if row["name"] == name) for name in values}


def _sample(current: DataFrame, attributes: DataFrame, run_id: str, max_pictures: int) -> list[dict[str, Any]]:
    """At most `max_pictures` attribute rows with an `image_uri`, evenly over categories, this run's first.

    The content hash is the order within a category: as good as random, and the same each time.
    """
    key = ["content_sha256", "bundle_version"]
    within = Window.partitionBy("category").orderBy((F.col("run_id") == run_id).desc(), "content_sha256")
    chosen = (
        current.withColumn("position", F.row_number().over(within))
        .where(F.col("position") <= max_pictures)
        .orderBy("position", "category", "content_sha256")
        .limit(max_pictures)
        .select(*key, "image_uri")
        .collect()
    )
    if not chosen:
        return []
    # Literal keys let Delta skip files: the table is clustered by them.
    hashes = sorted({row["content_sha256"] for row in chosen})
    bundles = sorted({row["bundle_version"] for row in chosen})
    rows = (
        attributes.where(F.col("content_sha256").isin(hashes) & F.col("bundle_version").isin(bundles))
        .drop("embedding")
        .collect()
    )
    by_key = {(row["content_sha256"], row["bundle_version"]): _as_dict(row) for row in rows}
    found = [
        by_key[row["content_sha256"], row["bundle_version"]] | {"image_uri": row["image_uri"]}
        for row in chosen
        if (row["content_sha256"], row["bundle_version"]) in by_key
    ]
    return sorted(found, key=lambda row: (row["category"] is None, row["category"] or "", row["content_sha256"]))


def _products(catalog: DataFrame, uris: Sequence[str]) -> dict[str, tuple[Product, int]]:
    """For each URI one product that shows it (the smallest id) and how many do."""
    if not uris:
        return {}
    facts = F.struct("product_id", "title", "brand", "category", F.col("price").cast("string").alias("price"))
    rows = (
        catalog.where(F.col("is_active") & F.col("image_uri").isin(list(uris)))
        .groupBy("image_uri")
        .agg(F.min_by(facts, "product_id").alias("product"), F.countDistinct("product_id").alias("count"))
        .collect()
    )
    return {row["image_uri"]: (Product(**row["product"].asDict()), row["count"]) for row in rows}


def _pictures(
    sample: Sequence[dict[str, Any]],
    products: Mapping[str, tuple[Product, int]],
    read_image: ReadImage,
    run_id: str,
) -> tuple[Picture, ...]:
    def picture(row: dict[str, Any]) -> Picture:
        product, count = products.get(row["image_uri"], (None, 0))
        thumbnail, note = _thumbnail(read_image, row["image_uri"], row["content_sha256"])
        attributes = {name: value for name, value in row.items() if name != "image_uri"}
        return Picture(row["image_uri"], attributes, product, count, row["run_id"] == run_id, thumbnail, note)

    with ThreadPoolExecutor(READ_THREADS) as pool:
        return tuple(pool.map(picture, sample))


def _thumbnail(read_image: ReadImage, uri: str, content_sha256: str) -> tuple[bytes | None, str | None]:
    """The thumbnail, or why there is none; a picture that cannot be read never fails the report."""
    try:
        data = read_image(uri)
        if hashlib.sha256(data).hexdigest() != content_sha256:
            return None, "The file has changed since it was looked at."
        return make_thumbnail(data), None
    except (ImageError, OSError, ThumbnailError) as error:
        return None, f"Could not be read for this report: {error}"


def _quarantine_sample(quarantine: DataFrame) -> tuple[QuarantineEntry, ...]:
    newest = Window.partitionBy("reason").orderBy(F.col("last_seen_at").desc(), "quarantine_id")
    names = ("stage", "reason", "retryable", "attempts", "product_id", "image_uri", "detail")
    rows = (
        quarantine.withColumn("position", F.row_number().over(newest))
        .where(F.col("position") <= QUARANTINE_ROWS_PER_REASON)
        .orderBy("reason", "position")
        .select(*names, "first_seen_at", "last_seen_at")
        .collect()
    )
    return tuple(QuarantineEntry(**_as_dict(row)) for row in rows)
