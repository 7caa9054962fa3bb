"""Commits a computed wave: attributes first, then quarantine, and the manifest last.

Each step can be repeated without harm. A run that dies between them leaves pictures pending in the manifest whose
attributes exist; they are then found by content and reused.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from functools import reduce
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812 - its usual name

from jobs.quarantine import RETRYABLE_REASONS, image_quarantine_id, resolved, upsert_changes
from jobs.run import Run, StageRecord
from schemas.image_columns import STEP_MILLISECONDS
from schemas.tables import IMAGE_ATTRIBUTES, IMAGES

# Of the staged rows' columns: a wave that another release has staged in another form is computed again.
STAGED_FORM = 2
STEPS = tuple(column.name for column in STEP_MILLISECONDS.fields)


@dataclass(frozen=True)
class StagedWave:
    """A computed wave on disk.

    Args:
        folder: folder below the tables root; its parts are Parquet with the columns of the plan and the outcome.
        bundle_version: version it was described with.
        form: form of its rows.
    """

    folder: str
    bundle_version: str
    form: int = STAGED_FORM

    def to_json(self) -> dict[str, Any]:
        """For the note that lets the next run find it."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> StagedWave:
        """The wave that a note names; notes that name no form are of form 1."""
        return cls(**{"form": 1, **document})


def commit_wave(run: Run, record: StageRecord, wave: StagedWave, *, is_recovered: bool = False) -> None:
    """Write a wave's results to the tables and add its counts to the record.

    Args:
        run: the run.
        record: the stage's record.
        wave: the computed wave.
        is_recovered: a dead run computed it, so its pictures may have changed since.
    """
    rows = run.spark.read.option("recursiveFileLookup", "true").parquet(run.store.path(wave.folder))
    found = _count(record, rows)
    described = rows.where("status = 'extracted'")
    if found.has_twins:
        # Two workers have described the same content, whose size was unknown.
        described = described.dropDuplicates(["content_sha256"])
    if record.counts.get("extracted"):
        run.store.insert_missing(IMAGE_ATTRIBUTES, _attribute_rows(run, described, wave.bundle_version))
    current = _still_current(run, rows) if is_recovered else rows
    _commit_quarantine(run, current, found.any_failed)
    run.store.upsert(IMAGES, _image_rows(run, current, wave.bundle_version))


@dataclass(frozen=True)
class _Found:
    """What a wave holds.

    Args:
        any_failed: whether any of its pictures failed.
        has_twins: whether a content was described twice.
    """

    any_failed: bool
    has_twins: bool


def _count(record: StageRecord, rows: DataFrame) -> _Found:
    """Add a wave's counts to the record."""
    steps = [F.sum(f"attributes.step_ms.{step}").alias(step) for step in STEPS]
    grouped = rows.groupBy("status", "reason").agg(
        F.count("*").alias("images"),
        F.count_distinct("content_sha256").alias("contents"),
        F.sum("size_bytes").alias("bytes_read"),
        *steps,
    )
    described_before = record.counts.get("extracted", 0)
    totals = {step: record.step_ms.get(step, 0.0) * described_before for step in STEPS}
    counts: Counter[str] = Counter(record.counts)
    reasons: Counter[str] = Counter(record.reasons)
    found = grouped.collect()
    for row in found:
        counts[row["status"]] += row["images"]
        if row["reason"] is not None:
            reasons[row["reason"]] += row["images"]
        record.bytes_read = (record.bytes_read or 0) + (row["bytes_read"] or 0)
        for step in STEPS:
            totals[step] += row[step] or 0.0
    record.counts, record.reasons = dict(counts), dict(reasons)
    if described := counts["extracted"]:
        record.step_ms = {step: total / described for step, total in totals.items()}
    return _Found(
        any_failed=any(row["status"] == "quarantined" for row in found),
        has_twins=any(row["status"] == "extracted" and row["contents"] < row["images"] for row in found),
    )


def _attribute_rows(run: Run, described: DataFrame, bundle_version: str) -> DataFrame:
    return described.select(
        "content_sha256",
        F.lit(bundle_version).alias("bundle_version"),
        "attributes.*",
        F.current_timestamp().alias("extracted_at"),
        F.lit(run.run_id).alias("run_id"),
    )


def _still_current(run: Run, rows: DataFrame) -> DataFrame:
    """Rows whose picture is active and has the fingerprint it had in the plan; others stay pending."""
    images = run.store.read("images").where("is_active").alias("images")
    same: list[Column] = [
        F.col("images.image_uri") == F.col("rows.image_uri"),
        F.col("images.etag").eqNullSafe(F.col("rows.etag")),
        F.col("images.size_bytes").eqNullSafe(F.col("rows.size_bytes_seen")),
        F.col("images.modified_at").eqNullSafe(F.col("rows.modified_at")),
    ]
    return rows.alias("rows").join(images, reduce(Column.__and__, same), "left_semi")


def _commit_quarantine(run: Run, current: DataFrame, any_failed: bool) -> None:
    standing = run.store.read("quarantine").where("stage = 'extract' AND resolved_at IS NULL")
    if not any_failed and standing.isEmpty():
        return
    now = F.lit(run.started_at)
    failed = current.where("status = 'quarantined'").withColumn("quarantine_id", image_quarantine_id("image_uri"))
    since = standing.select("quarantine_id", F.col("first_seen_at").alias("standing_since"))
    failures = failed.join(since, "quarantine_id", "left").select(
        "quarantine_id",
        F.lit("extract").alias("stage"),
        "product_id",
        "image_uri",
        "reason",
        "detail",
        F.col("reason").isin(*RETRYABLE_REASONS).alias("retryable"),
        (F.col("attempts") + 1).alias("attempts"),
        F.lit(None).cast("string").alias("row_json"),
        F.coalesce("standing_since", now).alias("first_seen_at"),
        now.alias("last_seen_at"),
        F.lit(None).cast("timestamp").alias("resolved_at"),
        F.lit(run.run_id).alias("run_id"),
    )
    succeeded = current.where("status <> 'quarantined'").select("image_uri")
    mended = resolved(run, standing.join(succeeded, "image_uri", "left_semi"))
    upsert_changes(run, failures.unionByName(mended))


def _image_rows(run: Run, current: DataFrame, bundle_version: str) -> DataFrame:
    failed = F.col("status") == "quarantined"
    return current.select(
        "image_uri",
        "etag",
        F.col("size_bytes_seen").alias("size_bytes"),
        "modified_at",
        F.when(failed, "quarantined").otherwise("extracted").alias("status"),
        "reason",
        F.lit(True).alias("is_active"),
        F.when(~failed, F.col("content_sha256")).alias("content_sha256"),
        F.when(~failed, F.lit(bundle_version)).alias("bundle_version"),
        F.when(failed, F.col("attempts") + 1).otherwise(F.lit(0)).alias("attempts"),
        "first_seen_at",
        F.lit(run.started_at).alias("changed_at"),
        F.lit(run.run_id).alias("run_id"),
    )
