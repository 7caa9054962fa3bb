"""Ingest: the feed becomes `catalog` and `images`; wrong rows go to quarantine; only changes are written.

Each feed row ends in exactly one of: inserted, updated, unchanged, rejected. An unchanged night reads the feed and the
tables, looks at each picture's etag or size and time, and commits nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator

import pandas as pd
from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812 - its usual name

from jobs.feed import FEED_COLUMNS, Feed, FeedError
from jobs.quarantine import reject_feed_rows, resolve_inactive_images
from jobs.run import Run, StageRecord
from jobs.small_objects import ROOTS_NOTE, SmallObjects
from schemas.reasons import Reason
from schemas.settings import Settings
from schemas.tables import CATALOG, IMAGES
from udfs.normalize import normalize_udf

HASHED_COLUMNS = ("view", "title", "description", "brand", "category", "price", "updated_at")
STAT_SCHEMA = "image_uri string, etag string, size_bytes bigint, modified_at timestamp"


def ingest(run: Run, feed: Feed, allowed_roots: tuple[str, ...], objects: SmallObjects) -> None:
    """Bring `catalog`, `images` and the feed's part of `quarantine` up to date with the feed.

    Args:
        run: the run.
        feed: the opened feed.
        allowed_roots: normalised roots that pictures may be read from.
        objects: small objects under the tables root; the roots are noted there for an extract that runs alone.

    Raises:
        FeedError: the feed has no rows, or shrank by more than the gate allows; nothing is written then.
        BookkeepingError: the counts do not add up.
    """
    with run.stage("ingest") as record:
        staged = _stage(run, "feed", _judge(feed, allowed_roots))
        accepted = staged.where("reason IS NULL")
        rejected = staged.where("reason IS NOT NULL")
        pictures = _count_rows(run, record, staged, feed)
        changes = _stage(run, "catalog", _catalog_changes(run, accepted))
        _count_catalog(record, changes)
        if changes_exist(record, "rows_inserted", "rows_updated", "rows_deactivated"):
            run.store.upsert(CATALOG, changes.where("action <> 'unchanged'"))
        reject_feed_rows(run, rejected)
        objects.put(ROOTS_NOTE, json.dumps({"allowed_roots": allowed_roots}).encode())
        _ingest_images(run, record, accepted, changes, pictures)
        resolve_inactive_images(run)


def changes_exist(record: StageRecord, *names: str) -> bool:
    """Whether any of these counts is above zero; without changes there is nothing to commit."""
    return any(record.counts.get(name, 0) for name in names)


def _stage(run: Run, name: str, rows: DataFrame) -> DataFrame:
    """Write rows once and read them back: several consumers, one computation, and no feed that changes meanwhile."""
    path = f"{run.staging}/ingest/{run.run_id}/{name}"
    rows.write.mode("overwrite").parquet(path)
    return run.spark.read.schema(rows.schema).parquet(path)


def _judge(feed: Feed, allowed_roots: tuple[str, ...]) -> DataFrame:
    """Typed and normalised feed rows, each with `reason` and `detail` when it cannot be used."""
    raw = F.to_json(F.struct(*FEED_COLUMNS))
    normalize = normalize_udf(feed.base, allowed_roots)
    rows = feed.rows.withColumn("row_json", raw).withColumn("normalized", normalize(F.col("image_uri")))  # type: ignore[arg-type]
    product_id = F.trim("product_id")
    typed = rows.select(
        product_id.alias("product_id"),
        F.col("image_uri").alias("feed_image_uri"),
        F.col("normalized.uri").alias("image_uri"),
        F.expr("try_cast(view AS int)").alias("view"),
        *(F.col(name) for name in ("title", "description", "brand", "category")),
        F.expr("try_cast(trim(price) AS decimal(12,2))").alias("price"),
        F.expr("try_cast(trim(updated_at) AS timestamp)").alias("updated_at"),
        "etag",
        F.expr("try_cast(size_bytes AS bigint)").alias("size_bytes"),
        F.expr("try_cast(modified_at AS timestamp)").alias("modified_at"),
        "row_json",
        *_first_fault(product_id),
    )
    hashed = typed.withColumn("row_hash", F.sha2(F.to_json(F.struct(*HASHED_COLUMNS)), 256))
    return _mark_duplicates(hashed)


def _first_fault(product_id: SparkColumn) -> tuple[SparkColumn, SparkColumn]:
    """Columns `reason` and `detail` of the first thing that is wrong with a raw feed row."""
    checks: list[tuple[SparkColumn, Reason, SparkColumn]] = [
        (product_id.isNull() | (product_id == ""), Reason.NULL_PRODUCT_ID, F.lit("product_id is empty")),
        (
            F.col("image_uri").isNull() | (F.trim("image_uri") == ""),
            Reason.NULL_IMAGE_URI,
            F.lit("image_uri is empty"),
        ),
    ]
    for name, type_, extra in (
        ("price", "decimal(12,2)", " OR try_cast(trim(price) AS decimal(12,2)) < 0"),
        ("updated_at", "timestamp", ""),
        ("view", "int", " OR try_cast(view AS int) < 0"),
    ):
        wrong = F.expr(f"trim({name}) <> '' AND (try_cast(trim({name}) AS {type_}) IS NULL{extra})")
        checks.append(
            (
                F.coalesce(wrong, F.lit(False)),
                Reason.BAD_VALUE,
                F.concat(F.lit(f"{name} is "), F.substring(name, 1, 200)),
            )
        )
    reason = F.col("normalized.reason")
    detail = F.col("normalized.detail")
    for condition, code, text in reversed(checks):
        reason = F.when(condition, F.lit(code.value)).otherwise(reason)
        detail = F.when(condition, text).otherwise(detail)
    return reason.alias("reason"), detail.alias("detail")


def _mark_duplicates(rows: DataFrame) -> DataFrame:
    """Of accepted rows with the same key the newest stays; the others get the reason `duplicate_row`."""
    order = Window.partitionBy("reason", "product_id", "image_uri").orderBy(
        F.col("updated_at").desc_nulls_last(), F.col("row_hash")
    )
    duplicate = F.col("reason").isNull() & (F.col("position") > 1)
    same_key = F.concat(F.lit("the feed has another row for product "), "product_id", F.lit(" and "), "image_uri")
    return (
        rows.withColumn("position", F.row_number().over(order))
        .withColumn("detail", F.when(duplicate, same_key).otherwise(F.col("detail")))
        .withColumn("reason", F.when(duplicate, F.lit(Reason.DUPLICATE_ROW.value)).otherwise(F.col("reason")))
        # Only quarantine needs the raw row.
        .withColumn("row_json", F.when(F.col("reason").isNotNull(), F.col("row_json")))
        .drop("position")
    )


def _count_rows(run: Run, record: StageRecord, staged: DataFrame, feed: Feed) -> int:
    """Count rows by what becomes of them; returns the number of pictures that accepted rows name."""
    counted = (
        staged.groupBy("reason")
        .agg(F.count("*").alias("rows"), F.count_distinct("image_uri").alias("pictures"))
        .collect()
    )
    by_reason = {row["reason"]: row["rows"] for row in counted}
    accepted = by_reason.pop(None, 0)
    record.reasons = by_reason
    record.counts |= {
        "feed_rows": accepted + sum(by_reason.values()),
        "rows_accepted": accepted,
        "rows_rejected": sum(by_reason.values()),
        "ignored_files": feed.ignored_files,
    }
    if accepted == 0:
        raise FeedError(f"the feed {feed.snapshot.rsplit('@', 1)[0]} has no usable rows; nothing was changed")
    active = run.store.read("catalog").where("is_active").count()
    allowed = run.settings.gate.max_shrink_share
    if active and accepted < (1 - allowed) * active:
        raise FeedError(
            f"the feed shrank from {active} rows to {accepted}, more than {allowed:.0%}; nothing was changed. "
            "If that is meant, run with --set gate.max_shrink_share=1"
        )
    return int(next(row["pictures"] for row in counted if row["reason"] is None))


def _catalog_changes(run: Run, accepted: DataFrame) -> DataFrame:
    """Rows of `catalog` that differ from tonight's feed, complete, with `action`.

    Unchanged rows stay in it as an `action` and nothing else: they are counted, and cost almost no bytes.
    """
    position = F.row_number().over(Window.partitionBy("product_id").orderBy("image_uri")) - 1
    new = accepted.withColumn("view", F.coalesce("view", position)).alias("new")
    old = run.store.read("catalog").alias("old")
    joined = new.join(old, ["product_id", "image_uri"], "full_outer")
    gone = F.col("new.row_hash").isNull()
    inserted = F.col("old.row_hash").isNull()
    # A row's place among its product's pictures is derived, so it is compared beside the hash.
    same = (F.col("new.row_hash") == F.col("old.row_hash")) & (F.col("new.view") == F.col("old.view"))
    action = (
        F.when(gone & F.col("old.is_active"), "deactivated")
        .when(gone, "gone")
        .when(inserted, "inserted")
        .when(same & F.col("old.is_active"), "unchanged")
        .otherwise("updated")
    )
    facts = ("view", "title", "description", "brand", "category", "price", "updated_at", "row_hash")
    now = F.lit(run.started_at)
    complete = {
        "product_id": F.col("product_id"),
        "image_uri": F.col("image_uri"),
        **{name: F.when(gone, F.col(f"old.{name}")).otherwise(F.col(f"new.{name}")) for name in facts},
        "is_active": ~gone,
        "first_seen_at": F.coalesce("old.first_seen_at", now),
        "changed_at": now,
        "run_id": F.lit(run.run_id),
    }
    changed = F.col("action") != "unchanged"
    return (
        joined.withColumn("action", action)
        .where("action <> 'gone'")
        .select(*(F.when(changed, column).alias(name) for name, column in complete.items()), "action")
    )


def _count_catalog(record: StageRecord, changes: DataFrame) -> None:
    counted = {row["action"]: row["count"] for row in changes.groupBy("action").count().collect()}
    for action in ("inserted", "updated", "unchanged", "deactivated"):
        record.counts[f"rows_{action}"] = counted.get(action, 0)
    record.require_sum("rows_accepted", ("rows_inserted", "rows_updated", "rows_unchanged"))
    record.require_sum("feed_rows", ("rows_inserted", "rows_updated", "rows_unchanged", "rows_rejected"))


def _ingest_images(
    run: Run, record: StageRecord, accepted: DataFrame, catalog_changes: DataFrame, pictures: int
) -> None:
    """Compare each picture's fingerprint with the manifest; new and changed ones become pending."""
    fingerprint = ("etag", "size_bytes", "modified_at")
    wanted = accepted.groupBy("image_uri").agg(*(F.max(name).alias(name) for name in fingerprint))
    old = run.store.read("images")
    looked_at = _look_at(run, wanted, old, catalog_changes)
    # Staged so that each picture is looked at once.
    changes = _stage(run, "images", _image_changes(run, looked_at, old))
    counted = {row["action"]: row["count"] for row in changes.groupBy("action").count().collect()}
    for action in ("new", "changed", "unchanged", "deactivated"):
        record.counts[f"images_{action}"] = counted.get(action, 0)
    record.counts["images"] = pictures
    record.require_sum("images", ("images_new", "images_changed", "images_unchanged"))
    if changes_exist(record, "images_new", "images_changed", "images_deactivated"):
        run.store.upsert(IMAGES, changes.where("action <> 'unchanged'"))


def _look_at(run: Run, wanted: DataFrame, old: DataFrame, catalog_changes: DataFrame) -> DataFrame:
    """`wanted` with fingerprints: those that the feed gave, those that may be kept, and those looked up now."""
    is_known = F.col("size_bytes").isNotNull()
    known = wanted.where(is_known)
    unknown = wanted.where(~is_known).select("image_uri")
    if run.settings.ingest.stat == "changed_rows":
        touched = catalog_changes.where("action IN ('inserted', 'updated')").select("image_uri")
        settled = old.where("is_active AND status = 'extracted'").join(touched, "image_uri", "left_anti")
        kept = unknown.join(settled.select("image_uri", "etag", "size_bytes", "modified_at"), "image_uri")
        known = known.unionByName(kept)
        unknown = unknown.join(settled, "image_uri", "left_anti")
    return known.unionByName(unknown.mapInPandas(_stat_batches(run.settings), STAT_SCHEMA))


def _stat_batches(settings: Settings) -> Callable[[Iterable[pd.DataFrame]], Iterable[pd.DataFrame]]:
    fetch, s3 = settings.fetch, settings.s3

    def stat(batches: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        from udfs.fetch import Fetcher

        fetcher = Fetcher(fetch, s3)
        try:
            for batch in batches:
                # A picture that cannot be looked at has no fingerprint; extract finds out why and quarantines it.
                found = [
                    (answer.uri, answer.etag, answer.size_bytes, answer.modified_at)
                    for answer in fetcher.stat_many(batch["image_uri"])
                ]
                frame = pd.DataFrame(found, columns=["image_uri", "etag", "size_bytes", "modified_at"])
                yield frame.astype({"image_uri": object, "etag": object, "size_bytes": "Int64"})
        finally:
            fetcher.close()

    return stat


def _image_changes(run: Run, looked_at: DataFrame, old: DataFrame) -> DataFrame:
    """Rows of `images` that differ from what was found, complete, with `action`; unchanged ones only as an action."""
    found = looked_at.withColumn("present", F.lit(True))
    joined = found.alias("new").join(old.alias("old"), "image_uri", "full_outer")
    gone = F.col("new.present").isNull()
    new = F.col("old.status").isNull()
    both_tagged = F.col("new.etag").isNotNull() & F.col("old.etag").isNotNull()
    same_tag = (F.col("new.etag") == F.col("old.etag")) & F.col("new.size_bytes").eqNullSafe(F.col("old.size_bytes"))
    same_time = F.col("new.size_bytes").eqNullSafe(F.col("old.size_bytes")) & F.col("new.modified_at").eqNullSafe(
        F.col("old.modified_at")
    )
    same = F.when(both_tagged, same_tag).otherwise(same_time)
    action = (
        F.when(gone & F.col("old.is_active"), "deactivated")
        .when(gone, "gone")
        .when(new, "new")
        .when(same & F.col("old.is_active"), "unchanged")
        .otherwise("changed")
    )
    now = F.lit(run.started_at)
    keeps = gone | (~new & same)
    complete = {
        "image_uri": F.col("image_uri"),
        **{
            name: F.when(gone, F.col(f"old.{name}")).otherwise(F.col(f"new.{name}"))
            for name in ("etag", "size_bytes", "modified_at")
        },
        "status": F.when(keeps, F.col("old.status")).otherwise(F.lit("pending")),
        "reason": F.when(keeps, F.col("old.reason")),
        "is_active": ~gone,
        "content_sha256": F.when(keeps, F.col("old.content_sha256")),
        "bundle_version": F.when(keeps, F.col("old.bundle_version")),
        "attempts": F.when(keeps, F.col("old.attempts")).otherwise(F.lit(0)),
        "first_seen_at": F.coalesce("old.first_seen_at", now),
        "changed_at": now,
        "run_id": F.lit(run.run_id),
    }
    changed = F.col("action") != "unchanged"
    return (
        joined.withColumn("action", action)
        .where("action <> 'gone'")
        .select(*(F.when(changed, column).alias(name) for name, column in complete.items()), "action")
    )


if __name__ == "__main__":
    from jobs.cli import run_as_script

    run_as_script("ingest")
