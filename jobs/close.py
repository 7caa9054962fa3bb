"""Close: a night whose stages ran one by one, as a scheduler runs them, is entered in `runs` as a whole.

A night in one process (`vitrine nightly`) does that itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from pyspark.sql import functions as F  # noqa: N812 - its usual name

from jobs.run import Run
from schemas.stages import STAGES

# Of a night, what most people ask first.
NIGHT_COUNTS = (
    *("feed_rows", "rows_rejected", "images", "unchanged", "extracted", "reused", "quarantined"),
    *("products", "products_fused"),
)


class NightIncompleteError(RuntimeError):
    """A night cannot be closed: stages of its run id are missing or have failed; names them."""


def close_night(run: Run) -> None:
    """Write the row `nightly` of this run id from the rows of its stages.

    Raises:
        NightIncompleteError: not every stage has succeeded under this run id.
    """
    mine = run.store.read("runs").where((F.col("run_id") == run.run_id) & F.col("stage").isin(*STAGES))
    # Not as a timestamp: those are handed out without a zone, in this machine's.
    rows = mine.select("stage", "status", "counts", F.col("started_at").cast("double").alias("started")).collect()
    status = {row["stage"]: row["status"] for row in rows}
    lacking = [f"{stage} ({status.get(stage, 'has not run')})" for stage in STAGES if status.get(stage) != "succeeded"]
    if lacking:
        raise NightIncompleteError(f"run {run.run_id} is not a whole night: {', '.join(lacking)}")
    started = datetime.fromtimestamp(min(row["started"] for row in rows), UTC)
    with run.stage("nightly", since=started) as record:
        in_order = sorted(rows, key=lambda row: STAGES.index(row["stage"]))
        record.counts = night_counts(row["counts"] for row in in_order)


def night_counts(stages: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """The night's own counts from those of its stages, in their order."""
    counts = {name: count for stage in stages for name, count in stage.items()}
    return {name: counts.get(name, 0) for name in NIGHT_COUNTS}


if __name__ == "__main__":
    from jobs.cli import run_as_script

    run_as_script("close")
