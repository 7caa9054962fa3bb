"""Writes `quarantine`: one row per failing thing, kept as history once it is resolved."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812 - its usual name

from jobs.run import Run
from schemas.reasons import Reason
from schemas.tables import QUARANTINE

RETRYABLE_REASONS = tuple(reason.value for reason in Reason if reason.retryable)


def reject_feed_rows(run: Run, rejected: DataFrame) -> None:
    """Bring the feed's part of quarantine up to date: add new bad rows, resolve those that left the feed.

    A row that was bad yesterday and is still the same changes nothing.

    Args:
        run: the run.
        rejected: columns product_id, feed_image_uri, reason, detail, row_json.
    """
    # The same bad row may stand in the feed twice: both are kept, so that the books balance.
    occurrence = F.row_number().over(Window.partitionBy("row_json", "reason").orderBy("detail"))
    numbered = rejected.withColumn("occurrence", occurrence)
    subject = F.concat_ws("\n", F.lit("ingest"), "reason", "row_json", F.col("occurrence").cast("string"))
    now = F.lit(run.started_at)
    tonight = numbered.select(
        F.sha2(subject, 256).alias("quarantine_id"),
        F.lit("ingest").alias("stage"),
        "product_id",
        F.col("feed_image_uri").alias("image_uri"),
        "reason",
        "detail",
        F.lit(False).alias("retryable"),
        F.lit(1).alias("attempts"),
        "row_json",
        now.alias("first_seen_at"),
        now.alias("last_seen_at"),
        F.lit(None).cast("timestamp").alias("resolved_at"),
        F.lit(run.run_id).alias("run_id"),
    )
    standing = run.store.read("quarantine").where("stage = 'ingest' AND resolved_at IS NULL")
    appeared = tonight.join(standing.select("quarantine_id"), "quarantine_id", "left_anti")
    gone = resolved(run, standing.join(tonight.select("quarantine_id"), "quarantine_id", "left_anti"))
    upsert_changes(run, appeared.unionByName(gone))


def resolve_inactive_images(run: Run) -> None:
    """Resolve extract failures of pictures that no product shows any more."""
    active = run.store.read("images").where("is_active").select("image_uri")
    standing = run.store.read("quarantine").where("stage = 'extract' AND resolved_at IS NULL")
    upsert_changes(run, resolved(run, standing.join(active, "image_uri", "left_anti")))


def image_quarantine_id(image_uri: str) -> Column:
    """Column with the id of a picture's quarantine row: one per URI, whatever the reason."""
    return F.sha2(F.concat_ws("\n", F.lit("extract"), F.col(image_uri)), 256)


def upsert_changes(run: Run, rows: DataFrame) -> None:
    """Upsert unless there is nothing to write: an empty MERGE would still be a commit."""
    if not rows.isEmpty():
        run.store.upsert(QUARANTINE, rows)


def resolved(run: Run, rows: DataFrame) -> DataFrame:
    """The rows, resolved by this run."""
    return rows.withColumn("resolved_at", F.lit(run.started_at)).withColumn("run_id", F.lit(run.run_id))
