"""Ray Data: paths to a pool of actors that keep the model, its own Parquet writer."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from benchmarks.engines.workload import Contest, read, rows_of

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
# Ray gives its workers a low priority (nice 15): on a machine that does anything else they would wait, others not.
os.environ.setdefault("RAY_worker_niceness", "0")
import ray

BATCH = 64


class Engine:
    """A local Ray."""

    jobs = ("single", "full")

    def __init__(self, contest: Contest) -> None:
        self._contest = contest
        # Two slots more than actors: reading and writing are tasks that wait for one; with none left all stand still.
        ray.init(
            num_cpus=contest.processes + 2,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            object_store_memory=512 * 1024 * 1024,
        )
        ray.data.DataContext.get_current().enable_progress_bars = False

    def run(self, job: str, pictures: Sequence[str], out: Path) -> None:
        """Do a job on all pictures."""
        blocks = min(len(pictures), 4 * self._contest.processes)
        rows = ray.data.from_items([{"image_uri": path} for path in pictures], override_num_blocks=blocks)
        found = rows.map_batches(
            _Worker,
            fn_constructor_args=(job, self._contest),
            compute=ray.data.ActorPoolStrategy(size=self._contest.processes),
            num_cpus=1,
            batch_size=BATCH,
            batch_format="pyarrow",
        )
        found.write_parquet(str(out), mode=ray.data.SaveMode.OVERWRITE)

    def close(self) -> None:
        """End Ray."""
        ray.shutdown()


class _Worker:
    def __init__(self, job: str, contest: Contest) -> None:
        self._job, self._contest = job, contest

    def __call__(self, batch: pa.Table) -> pa.Table:
        return rows_of(self._job, read(batch.column("image_uri").to_pylist()), self._contest)
