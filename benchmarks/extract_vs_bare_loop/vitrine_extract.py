"""Vitrine's extract stage on the same pictures: plan, waves and commits into Delta tables, in a warm Spark session."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.process_tree import TreeWatch
from jobs.extract import extract
from jobs.nightly import STAGES, run_stages
from jobs.progress import StageProgress
from jobs.session import open_run
from jobs.spark_session import spark_session
from schemas.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def start_spark(master: str) -> SparkSession:
    """The session that all repetitions share."""
    return spark_session("vitrine benchmark", master=master)


def run_extract(feed: Path, tables: Path) -> dict[str, Any]:
    """Ingest into fresh tables, then time the extract stage alone.

    Returns:
        images, wall_seconds, cpu_seconds (all processes), cpu_by_kind, worker_peak_mib.
    """
    shutil.rmtree(tables, ignore_errors=True)
    settings = _settings(feed, tables)
    run_stages(settings, ("ingest",), quiet=True)
    with open_run(settings, with_feed=False) as opened, StageProgress("extract", quiet=True) as progress:
        with TreeWatch() as watch:
            started = time.perf_counter()
            extract(opened.run, opened.config, opened.objects, progress)
            wall = time.perf_counter() - started
        counts = opened.run.records[-1].counts
    return {
        "images": counts["extracted"],
        "wall_seconds": wall,
        "cpu_seconds": sum(watch.cpu_seconds.values()),
        "cpu_by_kind": watch.cpu_seconds,
        "worker_peak_mib": sorted(watch.worker_peak_mib.values(), reverse=True),
        "counts": counts,
    }


def run_unchanged_night(feed: Path, tables: Path) -> dict[str, Any]:
    """A whole night on tables that are up to date, in the warm session.

    Returns:
        wall_seconds, and seconds by stage.
    """
    settings = _settings(feed, tables)
    started = time.perf_counter()
    run_id = run_stages(settings, STAGES, quiet=True)
    wall = time.perf_counter() - started
    # The session outlives the run, so the run's own rows tell how long each stage took.
    from jobs.store import TableStore

    store = TableStore(start_spark("local[2]"), tables.absolute().as_uri())
    rows = store.read("runs").where(f"run_id = '{run_id}'").collect()
    return {"wall_seconds": wall, "stages": {row["stage"]: row["seconds"] for row in rows}}


def _settings(feed: Path, tables: Path) -> Settings:
    roots = (feed.parent.absolute().as_uri(),)
    return Settings(tables=str(tables), catalog=str(feed), allowed_roots=roots)
