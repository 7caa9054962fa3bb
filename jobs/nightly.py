"""Nightly: ingest -> extract -> publish -> maintain, then the report.

Fuse and index, which come with later issues, take their place between extract and publish.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, nullcontext
from pathlib import Path

from jobs.extract import extract
from jobs.ingest import ingest
from jobs.maintain import maintain
from jobs.progress import StageProgress, closing_table
from jobs.publish import publish
from jobs.report import write_report
from jobs.report_collect import STAGE_ORDER, collect_report_data
from jobs.run import Run
from jobs.session import OpenRun, open_run
from jobs.store import TableStore
from schemas.settings import Settings
from udfs.fetch import Fetcher

STAGES = ("ingest", "extract", "publish", "maintain")


def run_stages(
    settings: Settings,
    stages: Sequence[str] = STAGES,
    *,
    run_id: str | None = None,
    report: Path | None = None,
    quiet: bool = False,
) -> str:
    """Run some stages in order; all of them are a night and get a row of their own in `runs`.

    Args:
        settings: the run's settings.
        stages: which ones.
        run_id: identity of the run; a night that has succeeded before is refused.
        report: where to write the report page; None for none.
        quiet: show no progress and no closing table.

    Returns:
        The run id.

    Raises:
        AlreadyDoneError: the night has succeeded before.
        Exception: whatever `open_run` and the stages raise; the `runs` table says why as well.
    """
    with ExitStack() as stack:
        with StageProgress("start", quiet=quiet) as progress:
            progress.note("checking feed and bundle, starting Spark, taking the writer lease")
            opened = stack.enter_context(open_run(settings, run_id=run_id, with_feed="ingest" in stages))
        whole_night = tuple(stages) == STAGES
        try:
            with opened.run.stage("nightly") if whole_night else nullcontext() as night:
                for stage in stages:
                    with StageProgress(stage, quiet=quiet) as progress:
                        _run_stage(opened, stage, progress)
                if night is not None:
                    night.counts = _summary(opened.run)
        finally:
            # A night that failed needs its report most.
            _close(opened.run, report, quiet)
    return opened.run.run_id


def _run_stage(opened: OpenRun, stage: str, progress: StageProgress) -> None:
    if stage == "ingest":
        assert opened.feed is not None
        ingest(opened.run, opened.feed, opened.allowed_roots)
    elif stage == "extract":
        extract(opened.run, opened.config, opened.objects, progress)
    elif stage == "publish":
        publish(opened.run, opened.objects)
    elif stage == "maintain":
        maintain(opened.run, opened.objects)
    else:
        raise ValueError(f"stage {stage!r} is not one of {', '.join(STAGES)}")


def _summary(run: Run) -> dict[str, int]:
    """Of a night, what most people ask first."""
    counts = {name: count for record in run.records for name, count in record.counts.items()}
    wanted = ("feed_rows", "rows_rejected", "images", "unchanged", "extracted", "reused", "quarantined")
    return {name: counts.get(name, 0) for name in wanted}


def _close(run: Run, report: Path | None, quiet: bool) -> None:
    """Write the report and print the closing table."""
    places = {"Tables": run.store.root}
    if report is not None:
        places["Report"] = str(report)
        with StageProgress("report", quiet=quiet):
            report_run(run.store, run.settings, run.run_id, report)
    if not quiet:
        rows = {
            row["stage"]: row.asDict(recursive=True)
            for row in run.store.read("runs").where(f"run_id = '{run.run_id}'").collect()
        }
        closing_table([rows[stage] for stage in STAGE_ORDER if stage in rows], places=places)


def report_run(store: TableStore, settings: Settings, run_id: str, path: Path) -> None:
    """Write the report page of a run."""
    fetcher = Fetcher(settings.fetch, settings.s3)

    def read_image(uri: str) -> bytes:
        fetched = fetcher.fetch(uri)
        if fetched.error is not None or fetched.data is None:
            raise fetched.error or FileNotFoundError(uri)
        return fetched.data

    try:
        places = {"Tables": store.root, "Report": str(path)}
        write_report(path, collect_report_data(store.read, read_image, run_id, places=places))
    finally:
        fetcher.close()


if __name__ == "__main__":
    from jobs.cli import run_as_script

    run_as_script("nightly")
