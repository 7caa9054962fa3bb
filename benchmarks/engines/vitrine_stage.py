"""Vitrine's extract stage whole, as a night runs it: plan, waves, staging, MERGEs into four Delta tables.

What the others leave to their user: what is due, duplicates, quarantine, restart, bookkeeping. Ingest is done before.
"""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.engines.workload import Contest
from jobs.extract import extract
from jobs.nightly import run_stages
from jobs.progress import StageProgress
from jobs.session import OpenRun, open_run
from jobs.spark_session import spark_session
from schemas.settings import Settings


class Engine:
    """The stage on fresh tables."""

    jobs = ("full",)

    def __init__(self, contest: Contest) -> None:
        os.environ["VITRINE_SPARK_MASTER"] = f"local[{contest.processes}]"
        self._spark = spark_session("vitrine benchmark")
        self._run = ExitStack()
        self._opened: OpenRun | None = None

    def prepare(self, job: str, pictures: Sequence[str], out: Path) -> None:
        """Fresh tables, ingest; outside the clock."""
        self._run.close()
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        feed = out / "feed.csv"
        with feed.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(("product_id", "image_uri"))
            writer.writerows((Path(path).stem, path) for path in pictures)
        roots = tuple({Path(path).parents[2].as_uri() for path in pictures})
        settings = Settings(tables=str(out / "tables"), catalog=str(feed), allowed_roots=roots)
        run_stages(settings, ("ingest",), quiet=True)
        self._opened = self._run.enter_context(open_run(settings, with_feed=False))

    def run(self, job: str, pictures: Sequence[str], out: Path) -> None:
        """The stage."""
        assert self._opened is not None
        with StageProgress("extract", quiet=True) as progress:
            extract(self._opened.run, self._opened.config, self._opened.objects, progress)

    def close(self) -> None:
        """Give the lease back and end Spark."""
        self._run.close()
        self._spark.stop()
