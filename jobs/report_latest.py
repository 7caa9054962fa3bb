"""The report page of a run that is over, from the tables alone; needs no lease, for it writes no table."""

from __future__ import annotations

from pathlib import Path

from pyspark.sql import functions as F  # noqa: N812 - its usual name

from jobs.locations import resolve_location
from jobs.nightly import report_run
from jobs.spark_session import spark_session
from jobs.store import TableStore
from schemas.settings import Settings


class NoSuchRunError(RuntimeError):
    """The tables know no such run."""


def report_latest(settings: Settings, run_id: str | None, out: Path) -> Path:
    """Write the page of a run, by default the latest.

    Raises:
        NoSuchRunError: there is none.
    """
    store = TableStore(spark_session("vitrine report", settings.s3), resolve_location(settings.tables))
    if not store.exists("runs"):
        raise NoSuchRunError(f"{settings.tables} holds no Vitrine tables")
    runs = store.read("runs")
    chosen = runs.where(F.col("run_id") == run_id) if run_id else runs.orderBy(F.col("started_at").desc())
    row = chosen.first()
    if row is None:
        raise NoSuchRunError(f"{settings.tables} knows no run {run_id or 'at all'}")
    report_run(store, settings, row["run_id"], out)
    return out
