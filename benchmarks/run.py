"""Runs all benchmarks that need nothing but this checkout: `python -m benchmarks.run [--quick]`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmarks.engines import run as engines
from benchmarks.extract_vs_bare_loop import run as extract_vs_bare_loop
from benchmarks.ocr import run as ocr
from benchmarks.scale import run as scale

QUICK_IMAGES = 8
SCALE_ROWS = (50_000, 200_000)
"""Enough for a line; ten million take hours (`python -m benchmarks.scale.run --rows 100000 10000000`)."""


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only prove that they run, on very few pictures")
    parser.add_argument("--out", type=Path, help="folder for the results; by default each benchmark's own folder")
    parser.add_argument("--only", choices=sorted(BENCHMARKS), help="run one benchmark")
    given = parser.parse_args(arguments)
    for name in [given.only] if given.only else BENCHMARKS:
        sys.stdout.write(f"== {name}\n")
        _run(BENCHMARKS[name], given.quick, given.out / name if given.out else None)


@dataclass(frozen=True)
class Entry:
    """How a benchmark is run.

    Args:
        benchmark: its module `run`, with FOLDER, write and summary.
        full: measures.
        quick: only proves that it runs.
    """

    benchmark: ModuleType
    full: Callable[[], dict[str, Any]]
    quick: Callable[[], dict[str, Any]] | None


def _run(entry: Entry, quick: bool, out: Path | None) -> None:
    if not quick:
        results, folder = entry.full(), out or entry.benchmark.FOLDER / "results"
    elif entry.quick is None:
        sys.stdout.write("left out of a quick run: starting Spark twice more would take longer than all else here\n")
        return
    else:
        # A quick run says nothing about speed: its figures must not replace measured ones.
        results, folder = entry.quick(), out or Path(tempfile.mkdtemp(prefix="vitrine-quick-bench-"))
    entry.benchmark.write(results, folder)
    sys.stdout.write(entry.benchmark.summary(results) + "\n")
    if quick:
        sys.stdout.write(f"(quick: these figures mean nothing) {folder}\n")


def _scale() -> dict[str, Any]:
    results = scale.run(SCALE_ROWS)
    return results | {"cost_model": scale.default_cost_model(results)}


BENCHMARKS: dict[str, Entry] = {
    "extract_vs_bare_loop": Entry(
        extract_vs_bare_loop,
        full=lambda: extract_vs_bare_loop.run(2000, repetitions=3, processes=2),
        quick=lambda: extract_vs_bare_loop.run(QUICK_IMAGES, repetitions=1, processes=2, quick=True),
    ),
    "engines": Entry(
        engines,
        full=lambda: engines.run(300, repetitions=1, processes=2),
        quick=lambda: engines.run(QUICK_IMAGES, repetitions=1, processes=1, jobs=("single",), quick=True),
    ),
    "ocr": Entry(
        ocr,
        full=lambda: ocr.run(60, repetitions=1),
        quick=lambda: ocr.run(2, repetitions=1, quick=True),
    ),
    "scale": Entry(scale, full=_scale, quick=None),
}

if __name__ == "__main__":
    main()
