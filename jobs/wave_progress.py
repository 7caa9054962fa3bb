"""Carries progress from the workers to the screen while waves are computed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

from jobs.progress import StageProgress

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from udfs.extract import Outcome

POLL_SECONDS = 0.5


class WaveProgress:
    """Counts outcomes by Spark accumulators and shows them now and then.

    Without a Spark context (Spark Connect) there are no accumulators: then progress moves by whole waves. Spark adds a
    task's counts when the task ends, and again when it is retried, so this is for the eye and never for bookkeeping.
    """

    def __init__(self, spark: SparkSession, progress: StageProgress) -> None:
        self._progress = progress
        self._stop = threading.Event()
        self._poller = threading.Thread(target=self._poll, name="wave-progress", daemon=True)
        try:
            context = spark.sparkContext
            self._counters = {name: context.accumulator(0) for name in ("extracted", "reused", "quarantined")}
        except Exception:  # noqa: BLE001 - Connect raises its own error type, Databricks serverless another
            self._counters = {}

    @property
    def in_worker(self) -> Callable[[list[Outcome]], None] | None:
        """The function that workers call with each batch's outcomes."""
        counters = self._counters
        if not counters:
            return None

        def count(outcomes: list[Outcome]) -> None:
            for outcome in outcomes:
                counters[outcome.status].add(1)

        return count

    def __enter__(self) -> WaveProgress:
        self._poller.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._poller.join()
        self._show()

    def _poll(self) -> None:
        while not self._stop.wait(POLL_SECONDS):
            self._show()

    def _show(self) -> None:
        counted = {name: int(counter.value) for name, counter in self._counters.items()}
        if counted:
            self._progress.update(
                done=sum(counted.values()), quarantined=counted["quarantined"], reused=counted["reused"]
            )
