"""Runs both contestants in turn, several times, then unchanged nights; writes results.json and results.svg."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.extract_vs_bare_loop.plot import plot_results
from benchmarks.extract_vs_bare_loop.vitrine_extract import run_extract, run_unchanged_night, start_spark
from benchmarks.pictures import rendered_catalog
from benchmarks.results import say, write_results

FOLDER = Path(__file__).parent
CHECKOUT = FOLDER.parents[1]
WARM_UP_IMAGES = 64
PACKAGES = ("pyspark", "delta-spark", "pyarrow", "numpy", "opencv-python-headless", "onnxruntime", "pillow")

_STARTING_ONLY = "from jobs.spark_session import spark_session; spark_session('start').range(1).count()"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--processes", type=int, default=2, help="processes of the bare loop, and local[N] of Spark")
    parser.add_argument("--out", type=Path, default=FOLDER / "results", help="folder for results.json and results.svg")
    given = parser.parse_args()
    results = run(given.images, given.repetitions, given.processes)
    write(results, given.out)
    sys.stdout.write(summary(results) + "\n")


def run(images: int, repetitions: int, processes: int, *, quick: bool = False) -> dict[str, Any]:
    """Run the whole benchmark.

    Args:
        images: pictures, drawn first when they are not in the cache.
        repetitions: of both contestants, in turn.
        processes: of each contestant.
        quick: leave out the warm-up and the nights in processes of their own.

    Returns:
        What results.json holds.
    """
    say(f"{images} rendered pictures")
    feed = rendered_catalog(images)
    # The night in a process of its own must use as many cores.
    os.environ["VITRINE_SPARK_MASTER"] = f"local[{processes}]"
    start_spark(f"local[{processes}]")
    pairs: list[dict[str, dict[str, Any]]] = []
    with tempfile.TemporaryDirectory(prefix="vitrine-bench-") as scratch:
        tables = Path(scratch) / "tables"
        if not quick:
            say("warming up Spark")
            run_extract(rendered_catalog(WARM_UP_IMAGES), Path(scratch) / "warm")
        for number in range(repetitions):
            bare = _bare_loop(feed, Path(scratch) / "bare.parquet", processes)
            if not quick:
                # Spark ends workers that idle for a minute; the bare loop's are warm when its clock starts.
                run_extract(rendered_catalog(WARM_UP_IMAGES), Path(scratch) / "warm")
            vitrine = run_extract(feed, tables)
            if bare["images"] != vitrine["counts"]["candidates"]:
                raise RuntimeError(f"the contestants saw different pictures: {bare['images']}, {vitrine['counts']}")
            pairs.append({"bare_loop": bare, "vitrine": vitrine})
            say(
                f"repetition {number + 1}: bare loop {bare['wall_seconds']:.1f} s, vitrine extract "
                f"{vitrine['wall_seconds']:.1f} s, ratio {bare['wall_seconds'] / vitrine['wall_seconds']:.3f}"
            )
        say("unchanged nights")
        if not quick:
            # Publishes what these tables' first night left unpublished.
            run_unchanged_night(feed, tables)
        nights = [run_unchanged_night(feed, tables) for _ in range(repetitions)]
        cold = [] if quick else [_night_in_a_process(feed, tables) for _ in range(repetitions)]
    return _results(images, processes, pairs, nights, cold)


def write(results: dict[str, Any], folder: Path) -> None:
    """Write results.json and results.svg."""
    write_results(results, folder, plot_results(results))


def summary(results: dict[str, Any]) -> str:
    """The outcome in a few lines."""
    bare, vitrine, night = (results[name] for name in ("bare_loop", "vitrine", "unchanged_night"))
    lines = [
        f"extract reaches {results['median_ratio']:.3f} of the bare loop (wall), "
        f"{results['median_cpu_ratio']:.3f} (CPU); wanted: 0.90",
        *(
            f"{name:>10}: {one['images_per_second']:.1f} images/s, {one['wall_seconds']:.1f} s wall, "
            f"{one['cpu_seconds']:.1f} s CPU, at most {one['worker_peak_mib']:.0f} MiB per worker"
            for name, one in (("bare loop", bare), ("vitrine", vitrine))
        ),
        f"unchanged night, warm session: {night['warm_seconds']:.1f} s, {night['warm_share']:.1%} of the images' time",
    ]
    if night["own_process"]:
        lines.append(
            f"unchanged night, own process, beyond Spark's start: {night['process_beyond_start_seconds']:.1f} s, "
            f"{night['process_share']:.1%} of the images' time; wanted: below 5%"
        )
    return "\n".join(lines)


def _bare_loop(feed: Path, out: Path, processes: int) -> dict[str, Any]:
    """The bare loop in a process of its own, so that Spark's memory and threads are not in its way."""
    command = [sys.executable, "-m", "benchmarks.extract_vs_bare_loop.bare_loop", "--feed", str(feed)]
    command += ["--out", str(out), "--processes", str(processes)]
    answer = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise RuntimeError(f"the bare loop failed:\n{answer.stderr[-4000:]}")
    result: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return result


def _night_in_a_process(feed: Path, tables: Path) -> dict[str, float]:
    """Wall seconds of `vitrine nightly` on unchanged tables, and of a process that only starts Spark."""
    # With the settings of the night before: others are a change.
    roots = ["--allowed-root", feed.parent.absolute().as_uri()]
    night = ["-m", "jobs.cli", "nightly", "--catalog", str(feed), "--tables", str(tables), *roots, "--quiet"]
    return {"start_seconds": _seconds(["-c", _STARTING_ONLY]), "night_seconds": _seconds(night)}


def _seconds(arguments: list[str]) -> float:
    started = time.perf_counter()
    command = [sys.executable, *arguments]
    answer = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise RuntimeError(f"{' '.join(arguments)} failed:\n{answer.stderr[-4000:]}")
    return time.perf_counter() - started


def _results(
    images: int,
    processes: int,
    pairs: list[dict[str, dict[str, Any]]],
    nights: list[dict[str, Any]],
    cold: list[dict[str, float]],
) -> dict[str, Any]:
    def ratios(what: str) -> list[float]:
        return [pair["bare_loop"][what] / pair["vitrine"][what] for pair in pairs]

    images_time = statistics.median(pair["vitrine"]["wall_seconds"] for pair in pairs)
    warm = statistics.median(night["wall_seconds"] for night in nights)
    beyond = statistics.median(one["night_seconds"] - one["start_seconds"] for one in cold) if cold else None
    return {
        "measured_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "machine": {"system": platform.system(), "python": platform.python_version(), "cores": os.cpu_count()},
        "packages": {name: version(name) for name in PACKAGES},
        "images": images,
        "processes": processes,
        "median_ratio": statistics.median(ratios("wall_seconds")),
        "median_cpu_ratio": statistics.median(ratios("cpu_seconds")),
        "bare_loop": _medians([pair["bare_loop"] for pair in pairs]),
        "bare_loop_start_cpu_seconds": statistics.median(pair["bare_loop"]["start_cpu_seconds"] for pair in pairs),
        "vitrine": _medians([pair["vitrine"] for pair in pairs]),
        "unchanged_night": {
            "warm_seconds": warm,
            "warm_share": warm / images_time,
            "process_beyond_start_seconds": beyond,
            "process_share": None if beyond is None else beyond / images_time,
            "warm": nights,
            "own_process": cold,
        },
        "repetitions": pairs,
    }


def _medians(runs: list[dict[str, Any]]) -> dict[str, float]:
    wall = statistics.median(one["wall_seconds"] for one in runs)
    return {
        "wall_seconds": wall,
        "cpu_seconds": statistics.median(one["cpu_seconds"] for one in runs),
        "images_per_second": runs[0]["images"] / wall,
        "worker_peak_mib": max(max(one["worker_peak_mib"]) for one in runs),
    }


if __name__ == "__main__":
    main()
