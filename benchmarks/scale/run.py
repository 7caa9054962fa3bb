"""Fills tables of several sizes, runs nights on them, fits lines; writes results.json and results.svg."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.marked_process import Mark, run_marked
from benchmarks.results import say, write_results
from benchmarks.scale.cost import Cluster, cost_of
from benchmarks.scale.plot import plot_results

FOLDER = Path(__file__).parent
CHECKOUT = FOLDER.parents[1]
SIZES = (100_000, 300_000, 1_000_000)
LIMIT_SECONDS = 4 * 3600.0
DRIVER_MEMORY = "2g"
# Of the cost model: the catalogue, and assumptions.
IMAGES, CORES, CORE_PRICE, CHANGED_SHARE = 100_000_000, 64, 0.05, 0.001


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=SIZES, help="e.g. 100000 1000000 10000000")
    parser.add_argument("--driver-memory", default=DRIVER_MEMORY, help="VITRINE_DRIVER_MEMORY: heap of the JVM")
    parser.add_argument("--images-per-second-per-core", type=float, help="default: benchmarks/steps/results")
    parser.add_argument("--cores", type=int, default=CORES, help="of the cluster in the cost model")
    parser.add_argument("--core-price", type=float, default=CORE_PRICE, help="per core and hour: an assumption")
    parser.add_argument("--efficiency", type=float, help="default: benchmarks/extract_vs_bare_loop/results")
    parser.add_argument("--changed-share", type=float, default=CHANGED_SHARE)
    parser.add_argument("--images", type=int, default=IMAGES, help="of the catalogue in the cost model")
    parser.add_argument("--out", type=Path, default=FOLDER / "results", help="folder for results.json and results.svg")
    given = parser.parse_args()
    results = run(given.rows, given.driver_memory)
    results["cost_model"] = default_cost_model(
        results,
        images=given.images,
        rate=given.images_per_second_per_core,
        cores=given.cores,
        core_price=given.core_price,
        efficiency=given.efficiency,
        changed_share=given.changed_share,
    )
    write(results, given.out)
    sys.stdout.write(summary(results) + "\n")


def run(sizes: Sequence[int], driver_memory: str = DRIVER_MEMORY) -> dict[str, Any]:
    """Measure.

    Args:
        sizes: rows of each catalogue.
        driver_memory: heap of the JVM.

    Returns:
        What results.json holds, without the cost model.
    """
    measured = []
    for rows in sorted(sizes):
        with tempfile.TemporaryDirectory(prefix="vitrine-scale-") as folder:
            measured.append(_size(rows, Path(folder), driver_memory))
            one = measured[-1]
            say(
                f"{rows:,} rows: unchanged {one['unchanged']['wall_seconds']:.1f} s wall, "
                f"{one['unchanged']['cpu_seconds']:.1f} s CPU; 0.1% changed {one['changed']['wall_seconds']:.1f} s; "
                f"peak {one['peak_mib']:.0f} MiB"
            )
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "machine": {"system": platform.system(), "python": platform.python_version(), "cores": os.cpu_count()},
        "packages": {name: version(name) for name in ("pyspark", "delta-spark", "pyarrow")},
        "driver_memory": driver_memory,
        "sizes": measured,
        "fits": {
            f"{what} {unit}": _line([one["rows"] for one in measured], [one[what][unit] for one in measured])
            for what in ("first_ingest", "unchanged", "changed")
            for unit in ("wall_seconds", "cpu_seconds")
        },
    }


def default_cost_model(
    results: dict[str, Any],
    *,
    images: int = IMAGES,
    rate: float | None = None,
    cores: int = CORES,
    core_price: float = CORE_PRICE,
    efficiency: float | None = None,
    changed_share: float = CHANGED_SHARE,
) -> dict[str, Any]:
    """The cost of a catalogue, with everything that went in.

    Args:
        results: of `run`.
        images: in the catalogue.
        rate: images per second and core; by default as `benchmarks/steps` has measured.
        cores: of the cluster.
        core_price: per hour, an assumption.
        efficiency: of the stage; by default as `benchmarks/extract_vs_bare_loop` has measured.
        changed_share: of the images per night.
    """
    rate = rate or _measured("steps", "images_per_second_per_core")
    cluster = Cluster(cores, core_price, efficiency or _measured("extract_vs_bare_loop", "median_ratio"))
    fit = results["fits"]["unchanged cpu_seconds"]
    planning = fit["per_million"] * images / 1e6 + fit["constant"]
    return {
        "images": images,
        "images_per_second_per_core": rate,
        "planning_core_seconds": planning,
        "changed_share": changed_share,
        "cluster": asdict(cluster),
        **asdict(cost_of(images, rate, planning, cluster, changed_share)),
    }


def write(results: dict[str, Any], folder: Path) -> None:
    """Write results.json and results.svg."""
    write_results(results, folder, plot_results(results))


def summary(results: dict[str, Any]) -> str:
    """The outcome as a Markdown table and the lines' figures."""
    lines = [
        "| rows | first ingest, wall s (CPU s) | unchanged night, wall s (CPU s) | ingest / extract / fuse, s "
        "| 0.1% changed, ingest, wall s (CPU s) | MERGEs, wall s | peak of all processes, MiB |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in results["sizes"]:
        first, unchanged, changed = (one[name] for name in ("first_ingest", "unchanged", "changed"))
        stages = " / ".join(f"{seconds:.1f}" for seconds in one["stages"].values())
        lines.append(
            f"| {one['rows']:,} | {first['wall_seconds']:.1f} ({first['cpu_seconds']:.1f}) "
            f"| {unchanged['wall_seconds']:.1f} ({unchanged['cpu_seconds']:.1f}) | {stages} "
            f"| {changed['wall_seconds']:.1f} ({changed['cpu_seconds']:.1f}) | {one['merge_seconds']:.1f} "
            f"| {one['peak_mib']:.0f} |"
        )
    lines.append("")
    for name, fit in results["fits"].items():
        lines.append(
            f"{name}: {fit['constant']:.1f} + {fit['per_million']:.1f} per million rows, off by at most "
            f"{fit['largest_error_share']:.0%}"
        )
    if model := results.get("cost_model"):
        cluster = model["cluster"]
        lines += [
            "",
            f"{model['images']:,} images, {cluster['cores']} cores at {cluster['core_price']} per core and hour "
            f"(assumed), {model['images_per_second_per_core']:.1f} images/s per core, efficiency "
            f"{cluster['efficiency']:.2f}: first night {model['first_hours']:.1f} h, {model['first_price']:.0f}; a "
            f"night with {model['changed_share']:.1%} changed {model['night_hours']:.2f} h, {model['night_price']:.2f}",
        ]
    return "\n".join(lines)


def _measured(benchmark: str, name: str) -> float:
    """A figure from another benchmark's results."""
    path = FOLDER.parent / benchmark / "results" / "results.json"
    return float(json.loads(path.read_text(encoding="utf-8"))[name])


def _size(rows: int, folder: Path, driver_memory: str) -> dict[str, Any]:
    say(f"{rows:,} rows: filling tables")
    filled = _process("fill", rows, folder, driver_memory)
    size_on_disk = {
        name: {"files": len(files), "bytes": sum(file.stat().st_size for file in files)}
        for name in ("catalog", "images", "products")
        if (files := list((folder / "tables" / name).glob("**/*.parquet")))
    }
    say(f"{rows:,} rows: nights")
    marks = _process("night", rows, folder, driver_memory)
    told = json.loads((folder / "night.json").read_text(encoding="utf-8"))
    _check(rows, told)
    unchanged, changed = _between(marks, "unchanged 1", "unchanged 2"), _between(marks, "unchanged 2", "changed")
    stages = {stage["stage"]: stage["seconds"] for stage in told["unchanged 2"]}
    stages = {name: stages[name] for name in ("ingest", "extract", "fuse")}
    ingest_changed = next(stage["seconds"] for stage in told["changed"] if stage["stage"] == "ingest")
    return {
        "rows": rows,
        "first_ingest": _between(filled, "feeds written", "first ingest"),
        "unchanged_in_fresh_session": _between(marks, "started", "unchanged 1"),
        "unchanged": unchanged,
        "stages": stages,
        "changed": changed,
        "merge_seconds": ingest_changed - stages["ingest"],
        "start_seconds": marks[0].wall_seconds,
        "peak_mib": marks[-1].peak_mib,
        "fill_peak_mib": filled[-1].peak_mib,
        "on_disk": size_on_disk,
        "marks": {"fill": [asdict(one) for one in filled], "night": [asdict(one) for one in marks]},
    }


def _process(phase: str, rows: int, folder: Path, driver_memory: str) -> list[Mark]:
    command = [sys.executable, "-m", "benchmarks.scale.night", phase, "--rows", str(rows), "--folder", str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), "VITRINE_DRIVER_MEMORY": driver_memory}
    return run_marked(command, folder, environment, LIMIT_SECONDS)


def _check(rows: int, told: dict[str, Any]) -> None:
    """A night that found other things unchanged than it should measures nothing."""
    counts = {
        name: {key: count for stage in stages for key, count in stage["counts"].items()}
        for name, stages in told.items()
    }
    unchanged, changed = counts["unchanged 2"], counts["changed"]
    wanted = -(-rows // 1000)
    found = (unchanged["rows_unchanged"], unchanged["images_unchanged"], unchanged["products_unchanged"])
    found_changed = (changed["rows_updated"], changed["images_changed"])
    if found != (rows, rows, rows) or unchanged["candidates"] or found_changed != (wanted, wanted):
        raise RuntimeError(f"{rows} rows, {wanted} changed: the nights counted {counts}")


def _between(marks: Sequence[Mark], begin: str, end: str) -> dict[str, float]:
    at = {one.name: one for one in marks}
    return {
        "wall_seconds": at[end].wall_seconds - at[begin].wall_seconds,
        "cpu_seconds": at[end].cpu_seconds - at[begin].cpu_seconds,
    }


def _line(rows: Sequence[int], seconds: Sequence[float]) -> dict[str, float]:
    """Least squares of `constant + per_million * rows / 1e6`, by relative error, so that small sizes count too."""
    millions, values = np.array(rows) / 1e6, np.array(seconds)
    if len(rows) < 2:
        return {"constant": 0.0, "per_million": float(values[0] / millions[0]), "largest_error_share": 0.0}
    design = np.stack([np.ones_like(millions), millions], axis=1) / values[:, None]
    (constant, slope), *_ = np.linalg.lstsq(design, np.ones_like(values), rcond=None)
    error = np.abs(constant + slope * millions - values) / values
    return {"constant": float(constant), "per_million": float(slope), "largest_error_share": float(error.max())}


if __name__ == "__main__":
    main()
