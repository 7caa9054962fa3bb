"""Runs all benchmarks that need nothing but this checkout: `python -m benchmarks.run [--quick]`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.engines import run as engines
from benchmarks.extract_vs_bare_loop import run as extract_vs_bare_loop
from benchmarks.ocr import run as ocr
from benchmarks.scale import run as scale

QUICK_IMAGES = 8


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only prove that they run, on very few pictures")
    parser.add_argument("--out", type=Path, help="folder for the results; by default each benchmark's own folder")
    parser.add_argument("--only", choices=sorted(BENCHMARKS), help="run one benchmark")
    given = parser.parse_args(arguments)
    for name in [given.only] if given.only else BENCHMARKS:
        sys.stdout.write(f"== {name}\n")
        BENCHMARKS[name](given.quick, given.out / name if given.out else None)


def _extract_vs_bare_loop(quick: bool, out: Path | None) -> None:
    if quick:
        results = extract_vs_bare_loop.run(QUICK_IMAGES, repetitions=1, processes=2, quick=True)
        # A quick run says nothing about speed: its figures must not replace measured ones.
        out = out or Path(tempfile.mkdtemp(prefix="vitrine-quick-bench-"))
    else:
        results = extract_vs_bare_loop.run(5000, repetitions=3, processes=2)
    extract_vs_bare_loop.write(results, out or extract_vs_bare_loop.FOLDER / "results")
    sys.stdout.write(extract_vs_bare_loop.summary(results) + "\n")
    if quick:
        sys.stdout.write(f"(quick: these figures mean nothing) {out}\n")


def _engines(quick: bool, out: Path | None) -> None:
    if quick:
        results = engines.run(QUICK_IMAGES, repetitions=1, processes=1, jobs=("single",), quick=True)
        out = out or Path(tempfile.mkdtemp(prefix="vitrine-quick-bench-"))
    else:
        results = engines.run(600, repetitions=3, processes=2)
    engines.write(results, out or engines.FOLDER / "results")
    sys.stdout.write(engines.summary(results) + "\n")
    if quick:
        sys.stdout.write(f"(quick: nothing was timed) {out}\n")


def _ocr(quick: bool, out: Path | None) -> None:
    if quick:
        results = ocr.run(2, repetitions=1, quick=True)
        out = out or Path(tempfile.mkdtemp(prefix="vitrine-quick-bench-"))
    else:
        results = ocr.run(60, repetitions=3)
    ocr.write(results, out or ocr.FOLDER / "results")
    sys.stdout.write(ocr.summary(results) + "\n")
    if quick:
        sys.stdout.write(f"(quick: these figures mean nothing) {out}\n")


def _scale(quick: bool, out: Path | None) -> None:
    if quick:
        # Starting Spark twice more would take longer than all else here.
        sys.stdout.write("left out of a quick run; try `python -m benchmarks.scale.run --rows 1000 2000 --out DIR`\n")
        return
    results = scale.run(scale.SIZES)
    results["cost_model"] = scale.default_cost_model(results)
    scale.write(results, out or scale.FOLDER / "results")
    sys.stdout.write(scale.summary(results) + "\n")


BENCHMARKS: dict[str, Callable[[bool, Path | None], None]] = {
    "extract_vs_bare_loop": _extract_vs_bare_loop,
    "engines": _engines,
    "ocr": _ocr,
    "scale": _scale,
}

if __name__ == "__main__":
    main()
