"""The bare loop: as many processes as cores, the same functions on the same files, no Spark and no tables.

Prints one JSON object. Processes are started, the models loaded and one picture described before the clock starts.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.pictures import picture_paths
from benchmarks.process_tree import cpu_seconds, peak_rss_mib
from models.bundle import SHIPPED_BUNDLE, load_bundle
from schemas.reasons import ImageError
from schemas.settings import DecodeSettings, TextSettings
from udfs.decode import decode
from udfs.describe import ready_picture
from udfs.extract_rows import attributes_array
from udfs.micro_batch import describe_pictures
from udfs.runtime import BundleSource, Runtime, runtime_for

MICRO_BATCH = 16
CHUNK = 64

_START_SECONDS = 120.0

_state: dict[str, Any] = {}


def main() -> None:
    """Run the loop over a feed's pictures and write one Parquet file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--feed", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    sys.stdout.write(json.dumps(run_loop(given.feed, given.out, given.processes)) + "\n")


def run_loop(feed: Path, out: Path, processes: int) -> dict[str, Any]:
    """Describe every picture of a feed.

    Returns:
        images, wall_seconds, cpu_seconds, start_cpu_seconds (starting processes, loading models), worker_peak_mib.
    """
    # As Spark does for its workers: BLAS threads that wait for each other cost more than the work (27 s against 12 s of
    # CPU for 500 pictures). Set before the new processes load NumPy.
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    paths = picture_paths(feed.absolute())
    chunks = [paths[start : start + CHUNK] for start in range(0, len(paths), CHUNK)]
    context = multiprocessing.get_context("spawn")
    cpu_at_start = cpu_seconds()
    ready = context.Barrier(processes, timeout=_START_SECONDS)
    with ProcessPoolExecutor(processes, context, _start, (ready,)) as pool:
        # The barrier lets a process warm up only once.
        list(pool.map(_warm_up, [paths[0]] * processes))
        cpu_before, started = cpu_seconds(), time.perf_counter()
        rows: list[dict[str, Any]] = []
        peaks: dict[int, float] = {}
        for part, pid, peak in pool.map(_describe_chunk, chunks):
            rows += part
            peaks[pid] = max(peak, peaks.get(pid, 0.0))
        _write(rows, out)
        wall, cpu = time.perf_counter() - started, cpu_seconds() - cpu_before
    return {
        "images": len(rows),
        "wall_seconds": wall,
        "cpu_seconds": cpu,
        "start_cpu_seconds": cpu_before - cpu_at_start,
        "worker_peak_mib": sorted(peaks.values(), reverse=True),
    }


def _start(ready: Barrier) -> None:
    bundle = load_bundle(SHIPPED_BUNDLE)
    _state["runtime"] = runtime_for(BundleSource(bundle.sha256, path=str(SHIPPED_BUNDLE)))
    _state["ready"] = ready


def _warm_up(path: Path) -> None:
    """Describe one picture, then wait until the other processes have done so."""
    list(_described([path]))
    _state["ready"].wait()


def _describe_chunk(paths: list[Path]) -> tuple[list[dict[str, Any]], int, float]:
    return list(_described(paths)), os.getpid(), peak_rss_mib() or 0.0


def _described(paths: list[Path]) -> Iterator[dict[str, Any]]:
    """One small dict per picture: the columns of `image_attributes` without bookkeeping."""
    runtime: Runtime = _state["runtime"]
    for start in range(0, len(paths), MICRO_BATCH):
        pictures, rows = [], []
        for path in paths[start : start + MICRO_BATCH]:
            data = path.read_bytes()
            digest = hashlib.sha256(data).hexdigest()
            clock = time.perf_counter()
            decoded = decode(data, DecodeSettings())
            step_ms = {"fetch": 0.0, "decode": (time.perf_counter() - clock) * 1e3}
            pictures.append(ready_picture(decoded))
            rows.append(
                {"content_sha256": digest, "image_uri": path.as_uri(), "size_bytes": len(data), "step_ms": step_ms}
            )
        for row, columns in zip(rows, describe_pictures(pictures, runtime, TextSettings()), strict=True):
            if isinstance(columns, ImageError):
                raise columns
            yield row | columns | {"step_ms": row["step_ms"] | columns["step_ms"]}


def _write(rows: list[dict[str, Any]], out: Path) -> None:
    attributes = attributes_array(rows)
    table = pa.table(
        {
            "image_uri": pa.array([row["image_uri"] for row in rows]),
            "content_sha256": pa.array([row["content_sha256"] for row in rows]),
            "attributes": attributes,
        }
    )
    pq.write_table(table, out, compression="snappy")


if __name__ == "__main__":
    main()
