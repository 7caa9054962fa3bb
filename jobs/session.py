"""Opens a run: checks what it needs before anything is touched, then Spark, the lease and the tables."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - its usual name

from jobs.bundles import read_bundle as read_bundle  # noqa: PLC0414 - others find it here
from jobs.feed import Feed, FeedLocation, locate_feed, open_feed
from jobs.lease import WriterLease
from jobs.locations import resolve_location
from jobs.registry import registry_folder
from jobs.run import Run, new_run_id
from jobs.small_objects import ROOTS_NOTE, SmallObjects, small_objects
from jobs.spark_session import spark_session
from jobs.store import TableStore
from models.bundle import SHIPPED_BUNDLE, Bundle
from schemas.settings import Settings
from schemas.tables import RUNS
from schemas.uri import s3_location, scheme_of
from udfs.extract import ExtractorConfig, attributes_version
from udfs.runtime import BundleSource


class RootsUnknownError(RuntimeError):
    """Extract runs without a feed, and neither the settings nor a former ingest say where pictures may be read."""


class AlreadyDoneError(Exception):
    """The run id has succeeded before; repeating it changes nothing."""


@dataclass(frozen=True)
class RunInputs:
    """What a run reads, found and verified before anything is touched.

    Args:
        root: normalised tables root.
        bundle: the model bundle.
        feed: where the feed lies; None for a run that reads none.
    """

    root: str
    bundle: Bundle
    feed: FeedLocation | None


@dataclass
class OpenRun:
    """A run that may write: it holds the lease, its tables exist and its bundle is verified."""

    run: Run
    objects: SmallObjects
    bundle: Bundle
    config: ExtractorConfig
    feed: Feed | None
    allowed_roots: tuple[str, ...]


@contextmanager
def open_run(
    settings: Settings, *, run_id: str | None = None, with_feed: bool = True, inputs: RunInputs | None = None
) -> Iterator[OpenRun]:
    """Open a run for writing.

    What can be wrong with options, feed and bundle is found before a table or the lease is touched.

    Args:
        settings: the run's settings.
        run_id: identity of the run; a new one by default. One that has succeeded before is not run again.
        with_feed: whether the run reads the feed; then `settings.catalog` must be set.
        inputs: what `find_inputs` found; by default it is called here.

    Raises:
        FeedError, BundleError, ImageError, LeaseHeldError, SchemaDriftError, SparkUnavailableError, AlreadyDoneError
    """
    found = inputs or find_inputs(settings, with_feed=with_feed)
    root, bundle = found.root, found.bundle
    spark = spark_session("vitrine", settings.s3)
    feed = open_feed(spark, found.feed) if found.feed else None
    run_id = run_id or new_run_id()
    objects = small_objects(root, settings.s3)
    with WriterLease(objects, run_id, settings.lease_seconds) as lease:
        store = TableStore(spark, root, lease.check)
        store.ensure()
        run = Run(spark, store, settings, run_id, attributes_version(bundle.version_id))
        _look_at_former_runs(run)
        if feed is not None:
            run.input_snapshot = feed.snapshot
        roots = _allowed_roots(settings, feed, objects)
        yield OpenRun(run, objects, bundle, _config(spark, settings, bundle, roots), feed, roots)


def find_inputs(settings: Settings, *, with_feed: bool = True) -> RunInputs:
    """Find and verify what a run reads, without Spark.

    Raises:
        FeedError, BundleError, ImageError: it is not there or not usable.
    """
    root = resolve_location(settings.tables)
    bundle = read_bundle(settings.models, settings.s3, settings.models_root)
    return RunInputs(root, bundle, locate_feed(settings.catalog, settings.s3) if with_feed else None)


def bundle_source(
    spark: SparkSession, bundle: Bundle, location: str | None, models_root: str | None = None
) -> BundleSource:
    """How workers get the bundle: by broadcast, or by path where Spark has no broadcasts (Connect, serverless)."""
    try:
        return BundleSource(bundle.sha256, broadcast=spark.sparkContext.broadcast(bundle.pack()))
    except Exception:  # noqa: BLE001 - Connect raises its own error type, Databricks serverless another
        place = registry_folder(location, models_root, bundle) or location or SHIPPED_BUNDLE
        return BundleSource(bundle.sha256, path=str(Path(place).absolute()))


def _config(spark: SparkSession, settings: Settings, bundle: Bundle, roots: tuple[str, ...]) -> ExtractorConfig:
    return ExtractorConfig(
        bundle=bundle_source(spark, bundle, settings.models, settings.models_root),
        fetch=settings.fetch,
        s3=settings.s3,
        decode=settings.decode,
        allowed_roots=roots,
        text=settings.text,
        micro_batch=settings.extract.micro_batch,
        enhance=settings.enhance,
    )


def _allowed_roots(settings: Settings, feed: Feed | None, objects: SmallObjects) -> tuple[str, ...]:
    """Configured roots, else the feed's folder, or its bucket on S3; without a feed those that ingest has noted."""
    if settings.allowed_roots:
        return tuple(resolve_location(root) for root in settings.allowed_roots)
    if feed is None:
        noted = objects.read(ROOTS_NOTE)
        return tuple(json.loads(noted.data)["allowed_roots"]) if noted is not None else ()
    if scheme_of(feed.base) == "s3":
        return (f"s3://{s3_location(feed.base + '/x')[0]}",)
    return (feed.base,)


def _look_at_former_runs(run: Run) -> None:
    """Refuse to repeat a run that has succeeded, and mark dead ones: we hold the lease, so none can be `running`."""
    is_dead = F.col("status") == "running"
    former = run.store.read("runs").where((F.col("run_id") == run.run_id) | is_dead)
    rows = former.select("run_id", "stage", "status").collect()
    ours = {row["stage"]: row["status"] for row in rows if row["run_id"] == run.run_id}
    if ours.get("nightly") == "succeeded":
        raise AlreadyDoneError(f"run {run.run_id} has succeeded before; nothing was done")
    run.written_stages.update(ours)
    if any(row["status"] == "running" for row in rows):
        _bury(run, former.where(is_dead))


def _bury(run: Run, dead: DataFrame) -> None:
    rows = (
        dead.withColumn("status", F.lit("failed"))
        .withColumn("finished_at", F.lit(run.started_at))
        .withColumn("error", F.lit("the driver died; found by the next run"))
    )
    run.store.upsert(RUNS, rows)
