"""Runs the contestants in turn, several times, on the same pictures; scores what they read; writes results.json."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.ocr.pictures import LEAST_LETTERS, Picture, packs, rendered
from benchmarks.ocr.score import Characters, ReadLine, score_characters, words_found
from benchmarks.results import write_results

FOLDER = Path(__file__).parent
CHECKOUT = FOLDER.parents[1]
PACKAGES = ("rapidocr", "onnxruntime", "numpy", "opencv-python-headless")

CONTESTANTS: dict[str, tuple[str, ...]] = {
    "package": ("package_each",),
    "package_same_resolution": ("package_each", "--same-resolution"),
    "vitrine": ("vitrine_ocr",),
    "vitrine_without_gate": ("vitrine_ocr", "--no-gate"),
    "vitrine_with_tag_regions": ("vitrine_ocr", "--regions"),
}
"""By name: module and options. The last one knows where tags and products with text are, as a detector would."""


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=60, help="rendered pictures, text on one in five")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--out", type=Path, default=FOLDER / "results", help="folder for results.json")
    given = parser.parse_args()
    results = run(given.pictures, given.repetitions)
    write(results, given.out)
    sys.stdout.write(summary(results) + "\n")


def run(pictures: int, repetitions: int, *, quick: bool = False) -> dict[str, Any]:
    """Run the whole benchmark.

    Args:
        pictures: rendered pictures; text on one in five.
        repetitions: of each contestant, in turn.
        quick: at most two packs, and two contestants only.

    Returns:
        What results.json holds.
    """
    with_text = max(1, pictures // 5)
    sets = {"rendered": rendered(with_text, pictures - with_text), "packs": packs(most=2 if quick else 40)}
    names = ["package_same_resolution", "vitrine"] if quick else list(CONTESTANTS)
    results: dict[str, Any] = {
        "measured_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "machine": {"system": platform.system(), "python": platform.python_version(), "cores": os.cpu_count()},
        "packages": {name: version(name) for name in PACKAGES},
        "repetitions": repetitions,
        "sets": {},
    }
    for set_name, chosen in sets.items():
        if not chosen:
            results["sets"][set_name] = {"skipped": "the development data are not there (VITRINE_DEV_DATA)"}
            continue
        allowed = [name for name in names if set_name == "rendered" or "regions" not in name]
        runs: dict[str, list[dict[str, Any]]] = {name: [] for name in allowed}
        for number in range(repetitions):
            for name in allowed:
                runs[name].append(_contestant(name, chosen))
                sys.stderr.write(f"{set_name} {number + 1} {name}: {runs[name][-1]['cpu_seconds']:.1f} s CPU\n")
        results["sets"][set_name] = {
            "pictures": len(chosen),
            "with_text": sum(one.has_text for one in chosen),
            "contestants": {name: _figures(chosen, runs[name]) for name in allowed},
        }
    return results


def write(results: dict[str, Any], folder: Path) -> None:
    """Write results.json."""
    write_results(results, folder)


def summary(results: dict[str, Any]) -> str:
    """The outcome in a few lines."""
    lines = []
    for name, one in results["sets"].items():
        if "skipped" in one:
            lines.append(f"{name}: skipped, {one['skipped']}")
            continue
        lines.append(f"{name}: {one['pictures']} pictures, {one['with_text']} with text")
        plain = one["contestants"].get("package", one["contestants"]["package_same_resolution"])
        for contestant, figures in one["contestants"].items():
            read = "  ".join(f"{key} {value:.3f}" for key, value in figures["text"].items() if isinstance(value, float))
            faster = plain["cpu_seconds"] / figures["cpu_seconds"]
            lines.append(
                f"  {contestant:>26}: {figures['cpu_ms_per_picture']:7.1f} ms CPU per picture, {faster:5.2f} x; {read}"
            )
    return "\n".join(lines)


def _contestant(name: str, pictures: list[Picture]) -> dict[str, Any]:
    """One run in a process of its own, on one thread."""
    module, *options = CONTESTANTS[name]
    if module == "package_each":
        rows = [str(one.path) for one in pictures]
    else:
        rows = [json.dumps([str(one.path), one.text_regions]) for one in pictures]
    command = [sys.executable, "-m", f"benchmarks.ocr.{module}", *options]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    answer = subprocess.run(
        command, cwd=CHECKOUT, env=environment, input="\n".join(rows), capture_output=True, text=True, check=False
    )
    if answer.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{answer.stderr[-4000:]}")
    result: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return result


def _figures(pictures: list[Picture], runs: list[dict[str, Any]]) -> dict[str, Any]:
    cpu = statistics.median(one["cpu_seconds"] for one in runs)
    return {
        "cpu_seconds": cpu,
        "wall_seconds": statistics.median(one["wall_seconds"] for one in runs),
        "cpu_ms_per_picture": cpu * 1e3 / len(pictures),
        "each_cpu_seconds": [one["cpu_seconds"] for one in runs],
        "text": _text_figures(pictures, runs[0]["lines"]),
    }


def _text_figures(pictures: list[Picture], lines: list[list[Any]]) -> dict[str, Any]:
    if any(one.words for one in pictures):
        counts = [words_found(one, [line[0] for line in read]) for one, read in zip(pictures, lines, strict=True)]
        found, asked = (sum(part) for part in zip(*counts, strict=True))
        return {"words_found": found, "words_asked": asked, "word_recall": found / asked}
    scores: dict[str, Characters] = {}
    for picture, read in zip(pictures, lines, strict=True):
        score_characters(picture, [ReadLine(line[0], tuple(line[1])) for line in read], scores, LEAST_LETTERS)
    one = scores.get("all", Characters())
    return {"character_accuracy": one.accuracy, "lines": one.lines, "missed": one.missed, "perfect": one.perfect}


if __name__ == "__main__":
    main()
