"""Opens a run: checks what it needs before anything is touched, then Spark, the lease and the tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812 - its usual name

from jobs.feed import Feed, locate_feed, open_feed
from jobs.lease import WriterLease
from jobs.locations import resolve_location
from jobs.run import Run, new_run_id
from jobs.small_objects import SmallObjects, small_objects
from jobs.spark_session import spark_session
from jobs.store import TableStore
from models.bundle import SHIPPED_BUNDLE, Bundle, BundleError, load_bundle
from schemas.settings import FetchSettings, S3Settings, Settings
from schemas.tables import RUNS
from schemas.uri import s3_location, scheme_of
from udfs.extract import ExtractorConfig, attributes_version
from udfs.fetch import Fetcher
from udfs.runtime import BundleSource


class AlreadyDoneError(Exception):
    """The run id has succeeded before; repeating it changes nothing."""


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
def open_run(settings: Settings, *, run_id: str | None = None, with_feed: bool = True) -> Iterator[OpenRun]:
    """Open a run for writing.

    What can be wrong with options, feed and bundle is found before a table or the lease is touched.

    Args:
        settings: the run's settings.
        run_id: identity of the run; a new one by default. One that has succeeded before is not run again.
        with_feed: whether the run reads the feed; then `settings.catalog` must be set.

    Raises:
        FeedError, BundleError, ImageError, LeaseHeldError, SchemaDriftError, SparkUnavailableError, AlreadyDoneError
    """
    root = resolve_location(settings.tables)
    bundle = read_bundle(settings.models, settings.s3)
    location = locate_feed(settings.catalog, settings.s3) if with_feed else None
    spark = spark_session("vitrine", settings.s3)
    feed = open_feed(spark, location) if location else None
    run_id = run_id or new_run_id()
    objects = small_objects(root, settings.s3)
    with WriterLease(objects, run_id, settings.lease_seconds) as lease:
        store = TableStore(spark, root, lease.check)
        store.ensure()
        run = Run(spark, store, settings, run_id, attributes_version(bundle.version_id))
        _refuse_repetition(run)
        _bury_dead_runs(run)
        if feed is not None:
            run.input_snapshot = feed.snapshot
        roots = _allowed_roots(settings, feed)
        yield OpenRun(run, objects, bundle, _config(spark, settings, bundle, roots), feed, roots)


def read_bundle(location: str | None, s3: S3Settings) -> Bundle:
    """The bundle at a folder, .zip or s3:// .zip; the shipped one by default.

    Raises:
        BundleError: it cannot be read or verified.
    """
    if location is None:
        return load_bundle()
    if scheme_of(resolve_location(location)) != "s3":
        return load_bundle(location)
    fetched = Fetcher(FetchSettings(max_image_bytes=2**31), s3).fetch(resolve_location(location))
    if fetched.data is None:
        raise BundleError(f"model bundle {location} cannot be read: {fetched.error}")
    return load_bundle(fetched.data)


def bundle_source(spark: SparkSession, bundle: Bundle, location: str | None) -> BundleSource:
    """How workers get the bundle: by broadcast, or by path where Spark has no broadcasts (Connect, serverless)."""
    try:
        return BundleSource(bundle.sha256, broadcast=spark.sparkContext.broadcast(bundle.pack()))
    except Exception:  # noqa: BLE001 - Connect raises its own error type, Databricks serverless another
        return BundleSource(bundle.sha256, path=str(Path(location or SHIPPED_BUNDLE).absolute()))


def _config(spark: SparkSession, settings: Settings, bundle: Bundle, roots: tuple[str, ...]) -> ExtractorConfig:
    return ExtractorConfig(
        bundle=bundle_source(spark, bundle, settings.models),
        fetch=settings.fetch,
        s3=settings.s3,
        decode=settings.decode,
        allowed_roots=roots,
        micro_batch=settings.extract.micro_batch,
        enhance=settings.enhance,
    )


def _allowed_roots(settings: Settings, feed: Feed | None) -> tuple[str, ...]:
    """Configured roots, else the feed's folder, or its bucket on S3."""
    if settings.allowed_roots:
        return tuple(resolve_location(root) for root in settings.allowed_roots)
    if feed is None:
        return ()
    if scheme_of(feed.base) == "s3":
        return (f"s3://{s3_location(feed.base + '/x')[0]}",)
    return (feed.base,)


def _refuse_repetition(run: Run) -> None:
    rows = run.store.read("runs").where(F.col("run_id") == run.run_id).select("stage", "status").collect()
    if any(row["stage"] == "nightly" and row["status"] == "succeeded" for row in rows):
        raise AlreadyDoneError(f"run {run.run_id} has succeeded before; nothing was done")
    run.written_stages.update(row["stage"] for row in rows)


def _bury_dead_runs(run: Run) -> None:
    """We hold the lease, so whoever is still `running` is dead."""
    dead = run.store.read("runs").where("status = 'running'")
    if dead.isEmpty():
        return
    rows = (
        dead.withColumn("status", F.lit("failed"))
        .withColumn("finished_at", F.lit(run.started_at))
        .withColumn("error", F.lit("the driver died; found by the next run"))
    )
    run.store.upsert(RUNS, rows)
