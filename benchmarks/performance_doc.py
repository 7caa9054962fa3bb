"""Fills the tables of docs/performance.md from the benchmarks' results: `python -m benchmarks.performance_doc`.

A table stands between `<!-- NAME -->` and `<!-- /NAME -->`; one without results says so, and which command makes them.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.engines.run import summary as engines_summary
from benchmarks.scale.run import summary as scale_summary

FOLDER = Path(__file__).parent
DOCUMENT = FOLDER.parent / "docs" / "performance.md"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("document", nargs="?", type=Path, default=DOCUMENT)
    parser.add_argument("--results", type=Path, default=FOLDER, help="folder of the benchmarks' folders")
    given = parser.parse_args()
    text = filled(given.document.read_text(encoding="utf-8"), given.results)
    given.document.write_text(text, encoding="utf-8")
    sys.stdout.write(f"{given.document}\n")


def filled(text: str, results: Path) -> str:
    """The document's text with its tables made anew.

    Args:
        text: the document.
        results: folder with `<benchmark>/results/results.json`.

    Raises:
        ValueError: a table has no place in the document.
    """
    for name, table in TABLES.items():
        path = results / name / "results" / "results.json"
        if path.exists():
            content = table(json.loads(path.read_text(encoding="utf-8")))
        else:
            content = f"*To be filled: not measured on an idle machine yet; `python -m benchmarks.{name}.run` does it.*"
        place = re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- /{name} -->)", re.DOTALL)
        if not place.search(text):
            raise ValueError(f"the document has no place for the table {name}: <!-- {name} --> ... <!-- /{name} -->")
        text = place.sub(lambda _, content=content: content.strip() + "\n", text)
    return text


def _engines(results: dict[str, Any]) -> str:
    return f"{_when(results)} One model: {results['model']}.\n\n{engines_summary(results)}"


def _scale(results: dict[str, Any]) -> str:
    table, _, rest = scale_summary(results).partition("\n\n")
    return f"{_when(results)}\n\n{table}\n\n" + "\n".join(f"- {line}" for line in rest.splitlines() if line)


def _extract_vs_bare_loop(results: dict[str, Any]) -> str:
    bare, stage = results["bare_loop"], results["vitrine"]
    rows = [
        f"| {name} | {one['images_per_second']:.1f} | {one['cpu_seconds'] * 1e3 / results['images']:.1f} "
        f"| {one['worker_peak_mib']:.0f} |"
        for name, one in (("bare loop", bare), ("extract stage", stage))
    ]
    head = "| | images/s | CPU ms per image, all processes | MiB per worker |\n|---|---|---|---|"
    ratios = f"The stage reaches **{results['median_ratio']:.2f}** of the loop by the clock, "
    ratios += f"{results['median_cpu_ratio']:.2f} by CPU (medians of the pairs)."
    return f"{_when(results)}\n\n{head}\n" + "\n".join(rows) + f"\n\n{ratios}"


def _steps(results: dict[str, Any]) -> str:
    head = f"{results['pictures']} pictures, {results['with_text']} of them with text, one thread.\n\n"
    head += "| | CPU ms per picture |\n|---|---|"
    whole = [f"| {name.replace('_', ' ')} | {value:.2f} |" for name, value in results["cpu_ms_per_picture"].items()]
    steps = [f"| step {name} | {value:.2f} |" for name, value in results["cpu_ms_per_step"].items()]
    return "\n".join([head, *whole, *steps])


def _when(results: dict[str, Any]) -> str:
    pictures = f", {results['images']:,} pictures" if "images" in results else ""
    return f"{results['measured_at'][:10]}, {results['machine']['cores']} cores{pictures}."


TABLES: dict[str, Callable[[dict[str, Any]], str]] = {
    "steps": _steps,
    "extract_vs_bare_loop": _extract_vs_bare_loop,
    "engines": _engines,
    "scale": _scale,
}

if __name__ == "__main__":
    main()
