"""Extract: every picture that is new, changed, retryable or described by an old bundle is described, in waves.

A wave's results are computed into a staging folder first and then committed by short MERGEs: attributes, quarantine,
and last the manifest. A run that dies loses at most the wave it was computing; a wave that was computed but not
committed is committed by the next run.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812 - its usual name

from jobs.code_generation import code_generation_for
from jobs.crash_isolation import run_isolated
from jobs.extract_commit import STAGED_FORM, StagedWave, commit_wave
from jobs.progress import StageProgress
from jobs.quarantine import RETRYABLE_REASONS
from jobs.run import Run, StageRecord
from jobs.small_objects import READY_NOTE, SmallObjects
from jobs.spark_session import cores
from jobs.wave_progress import WaveProgress
from schemas.contract import ddl_columns
from schemas.reasons import Reason
from udfs.extract import ExtractorConfig
from udfs.extract_rows import EXTRACT_COLUMNS
from udfs.ocr_sessions import engine_for, usable_engine
from udfs.spark_extract import Progress, extract_batches

# What the plan says of a picture; its fingerprint tells later whether the picture changed in the meantime.
PLAN_SCHEMA = (
    "image_uri string, product_id string, etag string, size_bytes_seen bigint, modified_at timestamp, attempts int, "
    "first_seen_at timestamp"
)
STAGED_SCHEMA = f"{PLAN_SCHEMA}, {ddl_columns(EXTRACT_COLUMNS)}"

BatchesFunction = Callable[[Iterable[pa.RecordBatch]], Iterable[pa.RecordBatch]]
Extraction = Callable[[ExtractorConfig, Progress | None], BatchesFunction]


@dataclass(frozen=True)
class _Plan:
    """Pictures to describe tonight, written down so that all waves work on one list.

    Args:
        path: where they are written down.
        active: active pictures in all.
        described: active pictures that have attributes of this bundle version.
        images: pictures to describe.
        waves: in so many portions.
    """

    path: str
    active: int
    described: int
    images: int
    waves: int


def extract(
    run: Run,
    config: ExtractorConfig,
    objects: SmallObjects,
    progress: StageProgress,
    batches_function: Extraction = extract_batches,
) -> None:
    """Bring `image_attributes`, `images` and extract's part of `quarantine` up to date.

    Args:
        run: the run; `run.bundle_version` is the version to describe with.
        config: what executors need.
        objects: small objects under the tables root.
        progress: shown to the person who waits.
        batches_function: makes the function for `mapInArrow`.

    Raises:
        BookkeepingError: the counts do not add up.
        TextEngineError: the engine that is to read text is not here.
    """
    with run.stage("extract") as record:
        record.counts = dict.fromkeys(("candidates", "extracted", "reused", "quarantined", "recovered"), 0)
        _recover(run, record, objects)
        plan = _make_plan(run)
        record.counts |= {"candidates": plan.images, "images": plan.active, "unchanged": plan.active - plan.images}
        progress.start(plan.images)
        started = time.monotonic()
        with WaveProgress(run.spark, progress) as tracker, code_generation_for(run.spark, plan.active):
            function = batches_function(_sized(config, plan, run), tracker.in_worker)
            for number in range(plan.waves):
                wave = _compute(run, function, plan, number)
                objects.put(READY_NOTE, json.dumps(wave.to_json()).encode())
                commit_wave(run, record, wave)
                _forget(objects, wave)
        record.require_sum("candidates", ("extracted", "reused", "quarantined"))
        if plan.images:
            record.images_per_second = plan.images / (time.monotonic() - started)


def _sized(config: ExtractorConfig, plan: _Plan, run: Run) -> ExtractorConfig:
    """The configuration, with the engine that reads text settled for a night of few pictures.

    Raises:
        TextEngineError: one is asked for that is not here; the driver stands for the workers.
    """
    if config.text.read:
        usable_engine(config.text.engine)
    engine = engine_for(config.text.engine, plan.images / cores(run.spark))
    return replace(config, text=config.text.model_copy(update={"engine": engine}))


def _recover(run: Run, record: StageRecord, objects: SmallObjects) -> None:
    """Commit a wave that a dead run had computed; its results are as good as ours if the bundle is the same."""
    note = objects.read(READY_NOTE)
    if note is None:
        return
    wave = StagedWave.from_json(json.loads(note.data))
    if (wave.bundle_version, wave.form) == (run.bundle_version, STAGED_FORM):
        recovered = StageRecord("extract")
        commit_wave(run, recovered, wave, is_recovered=True)
        record.counts["recovered"] = sum(recovered.counts.values())
    _forget(objects, wave)


def _forget(objects: SmallObjects, wave: StagedWave) -> None:
    objects.delete(READY_NOTE)
    objects.delete_folder(wave.folder)


def _make_plan(run: Run) -> _Plan:
    settings = run.settings.extract
    retry_before = run.started_at - timedelta(hours=settings.retry_after_hours)
    retryable = (
        (F.col("status") == "quarantined")
        & F.col("reason").isin(*RETRYABLE_REASONS)
        & (F.col("attempts") < settings.max_attempts)
        & (F.col("changed_at") <= F.lit(retry_before))
    )
    asked_for = (F.col("status") == "quarantined") & F.col("reason").isin(*settings.retry_reasons)
    outdated = (F.col("status") == "extracted") & (F.col("bundle_version") != F.lit(run.bundle_version))
    active = run.store.read("images").where("is_active")
    is_due = (F.col("status") == "pending") | retryable | asked_for | outdated
    path = f"{run.staging}/extract/{run.run_id}/plan"
    is_described = (F.col("status") == "extracted") & (F.col("bundle_version") == F.lit(run.bundle_version))
    counted = active.select(
        F.count("*").alias("active"), F.count_if(is_described).alias("described"), F.count_if(is_due).alias("images")
    ).first()
    assert counted is not None
    images = counted["images"]
    waves = -(-images // settings.wave_images)
    if images:
        catalog = run.store.read("catalog").where("is_active")
        products = catalog.groupBy("image_uri").agg(F.min("product_id").alias("product_id"))
        seen = F.col("size_bytes").alias("size_bytes_seen")
        planned = (
            active.where(is_due)
            .join(products, "image_uri", "left")
            .select("image_uri", "product_id", "etag", seen, "modified_at", "attempts", "first_seen_at")
        )
        wave = F.pmod(F.xxhash64(_twin_key()), F.lit(waves)).cast("int")
        planned.withColumn("wave", wave).write.mode("overwrite").parquet(path)
    return _Plan(path, counted["active"], counted["described"], images, waves)


def _twin_key() -> Column:
    """Equal for identical pictures, which have equal sizes: so twins meet in one worker and are computed once."""
    return F.coalesce(F.col("size_bytes_seen"), F.xxhash64("image_uri"))


def _compute(run: Run, function: BatchesFunction, plan: _Plan, number: int) -> StagedWave:
    """Describe a wave's pictures into a staging folder."""
    planned = run.spark.read.schema(f"{PLAN_SCHEMA}, wave int").parquet(plan.path)
    todo = planned.where(F.col("wave") == number).drop("wave")
    name = f"_staging/extract/{run.run_id}/wave-{number:05d}"
    folder = run.store.path(name)
    tasks = _task_count(run, -(-plan.images // plan.waves))

    def describe(part: DataFrame, to: str) -> None:
        placed = _with_known_contents(run, plan, part).repartition(tasks, _twin_key())
        ordered = placed.sortWithinPartitions("size_bytes_seen", "image_uri")
        ordered.mapInArrow(function, STAGED_SCHEMA).write.mode("overwrite").parquet(to)

    crashed = run_isolated(todo, describe, folder)
    if crashed:
        _stage_crashed(run, [row.asDict() for row in crashed], f"{folder}/part=crashed")
    assert run.bundle_version is not None
    return StagedWave(name, run.bundle_version)


def _task_count(run: Run, images: int) -> int:
    """Enough tasks for even load at the end of a wave, few enough that starting them costs nothing."""
    wanted = max(2 * cores(run.spark), -(-images // run.settings.extract.partition_images))
    return max(1, min(images, wanted))


def _with_known_contents(run: Run, plan: _Plan, todo: DataFrame) -> DataFrame:
    """Add known_sha256: contents of the same size that are described already, so that they are only hashed."""
    if not plan.described:
        return todo.withColumn("known_sha256", F.lit(None).cast("array<string>"))
    attributes = run.store.read("image_attributes").where(F.col("bundle_version") == F.lit(run.bundle_version))
    sizes = todo.select(F.col("size_bytes_seen").alias("size_bytes")).distinct()
    known = (
        attributes.select("size_bytes", "content_sha256")
        .join(F.broadcast(sizes), "size_bytes", "left_semi")
        .groupBy(F.col("size_bytes").alias("size_bytes_seen"))
        .agg(F.collect_list("content_sha256").alias("known_sha256"))
    )
    return todo.join(known, "size_bytes_seen", "left").select(*todo.columns, "known_sha256")


def _stage_crashed(run: Run, rows: list[dict[str, object]], folder: str) -> None:
    reason = Reason.WORKER_CRASHED.value
    detail = "the worker process died while it described this picture"
    failed = [{**row, "status": "quarantined", "reason": reason, "detail": detail} for row in rows]
    run.spark.createDataFrame(failed, STAGED_SCHEMA).write.mode("overwrite").parquet(folder)


if __name__ == "__main__":
    from jobs.cli import run_as_script

    run_as_script("extract")
