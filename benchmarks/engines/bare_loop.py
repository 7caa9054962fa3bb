"""The limit: a pool of processes, no engine, one Parquet file."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import pyarrow as pa

from benchmarks.engines.workload import Contest, read, rows_of, write_rows

CHUNK = 64


class Engine:
    """A process pool."""

    jobs = ("single", "full")

    def __init__(self, contest: Contest) -> None:
        self._contest = contest
        self._pool = ProcessPoolExecutor(contest.processes, multiprocessing.get_context("spawn"))

    def run(self, job: str, pictures: Sequence[str], out: Path) -> None:
        """Do a job on all pictures; at least two chunks per process, so that none stands idle."""
        size = max(1, min(CHUNK, len(pictures) // (2 * self._contest.processes)))
        chunks = [pictures[start : start + size] for start in range(0, len(pictures), size)]
        tables = self._pool.map(partial(_chunk, job, self._contest), chunks)
        write_rows(pa.concat_tables(tables), out)

    def close(self) -> None:
        """End the processes."""
        self._pool.shutdown()


def _chunk(job: str, contest: Contest, paths: Sequence[str]) -> pa.Table:
    return rows_of(job, read(paths), contest)
