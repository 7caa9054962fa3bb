"""Nightly: ingest -> extract -> fuse -> index -> publish -> maintain, then the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import Any

from jobs.close import close_night, night_counts
from jobs.console_text import CONSOLE
from jobs.corrections_spool import import_spooled
from jobs.extract import extract
from jobs.fuse import fuse
from jobs.index import index
from jobs.ingest import ingest
from jobs.maintain import maintain
from jobs.progress import StageProgress, closing_table
from jobs.publish import gate, publish
from jobs.report import write_report
from jobs.report_collect import STAGE_ORDER, collect_report_data
from jobs.run import Run
from jobs.session import OpenRun, RootsUnknownError, RunInputs, find_inputs, open_run
from jobs.spark_session import spark_session
from jobs.store import TableStore
from jobs.unchanged_night import NightInputs, UnchangedNight, night_key, remember_night, unchanged_night
from schemas.settings import Settings
from schemas.stages import STAGES
from udfs.extract import attributes_version
from udfs.fetch import Fetcher


def run_stages(
    settings: Settings,
    stages: Sequence[str] = STAGES,
    *,
    run_id: str | None = None,
    report: Path | None = None,
    quiet: bool = False,
) -> str:
    """Run some stages in order; all of them are a night and get a row of their own in `runs`.

    A night in which nothing has changed is only entered there, which needs no Spark (see `jobs.unchanged_night`).

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
    whole_night = tuple(stages) == STAGES
    with ExitStack() as stack:
        with StageProgress("start", quiet=quiet) as progress:
            progress.note("checking feed and bundle, looking for changes")
            inputs = find_inputs(settings, with_feed="ingest" in stages)
            night = _night_inputs(settings, inputs) if whole_night else None
            key = night_key(night) if night is not None else None
            unchanged = unchanged_night(night, run_id, key) if night is not None and key is not None else None
            if unchanged is None:
                progress.note("starting Spark, taking the writer lease")
                opened = stack.enter_context(open_run(settings, run_id=run_id, inputs=inputs))
        if unchanged is not None:
            _close_unchanged(unchanged, inputs.root, settings, report, quiet)
            return unchanged.run_id
        try:
            with opened.run.stage("nightly") if whole_night else nullcontext() as record:
                for stage in stages:
                    with StageProgress(stage, quiet=quiet) as progress:
                        _run_stage(opened, stage, progress)
                if record is not None:
                    record.counts = night_counts(one.counts for one in opened.run.records)
            if night is not None:
                remember_night(night, opened.objects, opened.run.records, key)
        finally:
            # A night that failed needs its report most.
            _close(opened.run, report, quiet)
    return opened.run.run_id


def _night_inputs(settings: Settings, inputs: RunInputs) -> NightInputs:
    assert inputs.feed is not None
    bundle = inputs.bundle
    return NightInputs(settings, inputs.root, inputs.feed, attributes_version(bundle.version_id), bundle.sha256)


def _run_stage(opened: OpenRun, stage: str, progress: StageProgress) -> None:
    if stage == "ingest":
        assert opened.feed is not None
        ingest(opened.run, opened.feed, opened.allowed_roots, opened.objects)
    elif stage == "extract":
        if not opened.allowed_roots:
            raise RootsUnknownError(
                f"{opened.run.store.root} does not say where its pictures may be read from; run ingest, or name "
                "--allowed-root"
            )
        extract(opened.run, opened.config, opened.objects, progress)
    elif stage == "fuse":
        import_spooled(opened.run)
        fuse(opened.run, opened.config.bundle)
    elif stage == "index":
        index(opened.run, opened.objects)
    elif stage == "gate":
        gate(opened.run, opened.objects)
    elif stage == "publish":
        publish(opened.run, opened.objects)
    elif stage == "maintain":
        maintain(opened.run, opened.objects)
    elif stage == "close":
        close_night(opened.run)
    else:
        raise ValueError(f"stage {stage!r} is not one of {', '.join(STAGES)}")


def _close(run: Run, report: Path | None, quiet: bool) -> None:
    """Write the report and print the closing table."""
    if report is not None:
        with StageProgress("report", quiet=quiet):
            report_run(run.store, run.settings, run.run_id, report)
    if not quiet:
        _show(list(run.rows.values()), run.store.root, report)


def _close_unchanged(night: UnchangedNight, root: str, settings: Settings, report: Path | None, quiet: bool) -> None:
    """The same for a night that had nothing to do; only the report needs Spark."""
    if report is not None:
        with StageProgress("report", quiet=quiet):
            store = TableStore(spark_session("vitrine", settings.s3), root)
            report_run(store, settings, night.run_id, report)
    if not quiet:
        _show(night.rows, root, report)
        CONSOLE.print("\n Nothing has changed since the last night, so nothing was computed.")


def _show(rows: Sequence[Mapping[str, Any]], root: str, report: Path | None) -> None:
    by_stage = {row["stage"]: row for row in rows}
    places = {"Tables": root} | ({"Report": str(report)} if report is not None else {})
    closing_table([by_stage[stage] for stage in STAGE_ORDER if stage in by_stage], places=places)


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
