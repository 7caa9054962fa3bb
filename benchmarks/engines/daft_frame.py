"""Daft: bytes by its own parallel download, a class UDF that keeps the model, its own Parquet writer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import daft
import pyarrow as pa

from benchmarks.engines.workload import FULL_SCHEMA, SINGLE_SCHEMA, Contest, rows_of

BATCH = 32


class Engine:
    """Daft's local runner."""

    jobs = ("single", "full")

    def __init__(self, contest: Contest) -> None:
        self._contest = contest
        daft.set_runner_native()

    def run(self, job: str, pictures: Sequence[str], out: Path) -> None:
        """Do a job on all pictures."""
        worker = _worker(job, self._contest)
        frame = daft.from_pydict({"image_uri": list(pictures)})
        frame = frame.with_column("data", frame["image_uri"].download())
        frame.select(worker.rows(frame["image_uri"], frame["data"])).write_parquet(str(out), write_mode="overwrite")

    def close(self) -> None:
        """Nothing stays."""


def _worker(job: str, contest: Contest) -> Any:
    schema = SINGLE_SCHEMA if job == "single" else FULL_SCHEMA
    result = daft.DataType.from_arrow_type(pa.struct(list(schema)))

    @daft.cls(max_concurrency=contest.processes, use_process=True)
    class Worker:
        @daft.method.batch(return_dtype=result, batch_size=BATCH, unnest=True)
        def rows(self, uris: daft.Series, data: daft.Series) -> pa.Array:
            files = zip(uris.to_pylist(), data.to_pylist(), strict=True)
            return rows_of(job, files, contest).to_struct_array().combine_chunks()

    return Worker()
