"""Lets all engines that are installed do both jobs in turn, several times; writes results.json and results.svg."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.dataset as ds

from benchmarks.engines.model import lite0_fp32, lite0_int8
from benchmarks.engines.plot import plot_results
from benchmarks.marked_process import Mark, MarkedProcessError, run_marked
from benchmarks.pictures import picture_paths, rendered_catalog
from benchmarks.results import say, write_results

FOLDER = Path(__file__).parent
CHECKOUT = FOLDER.parents[1]
BENCH_PYTHON = CHECKOUT / ".venv-bench" / "bin" / "python"
JOBS = ("single", "full")
FEW = 32
LIMIT_SECONDS = 600.0
PACKAGES = ("pyspark", "delta-spark", "pyarrow", "numpy", "opencv-python-headless", "onnxruntime")
# Shares of equal answers below which a contestant did other work than the bare loop.
LEAST_AGREEMENT = 0.98


@dataclass(frozen=True)
class Listed:
    """A contestant.

    Args:
        name: module in this folder.
        label: its name in tables and plots.
        jobs: what it does.
        package: distribution that must be in `.venv-bench`; None: runs in the project's own environment.
    """

    name: str
    label: str
    jobs: tuple[str, ...] = JOBS
    package: str | None = None


CONTESTANTS = (
    Listed("bare_loop", "bare loop"),
    Listed("vitrine", "Vitrine, mapInArrow"),
    Listed("vitrine_stage", "Vitrine, whole stage", ("full",)),
    Listed("pandas_udf", "pandas UDF"),
    Listed("predict_batch_udf", "predict_batch_udf", ("single",)),
    Listed("daft_frame", "Daft", package="daft"),
    Listed("ray_data", "Ray Data", package="ray"),
)
# The stage is run by `extract_vs_bare_loop`, whose quick mode comes before.
NOT_QUICK = ("vitrine_stage",)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=600)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--engines", nargs="+", choices=[one.name for one in CONTESTANTS], help="only these")
    parser.add_argument("--jobs", nargs="+", choices=JOBS, default=JOBS)
    parser.add_argument("--out", type=Path, default=FOLDER / "results", help="folder for results.json and results.svg")
    given = parser.parse_args()
    results = run(given.images, given.repetitions, given.processes, only=given.engines, jobs=given.jobs)
    write(results, given.out)
    sys.stdout.write(summary(results) + "\n")
    sys.exit(1 if results["failures"] else 0)


def run(
    images: int,
    repetitions: int,
    processes: int,
    *,
    only: Sequence[str] | None = None,
    jobs: Sequence[str] = JOBS,
    quick: bool = False,
) -> dict[str, Any]:
    """Run the contest.

    Args:
        images: rendered pictures; drawn first when they are not in the cache.
        repetitions: of each contestant and job, in turn.
        processes: that compute, in each contestant.
        only: contestants; by default all.
        jobs: `single`, `full`.
        quick: one pass without warming up, most contestants in one process, the model that needs no export.

    Returns:
        What results.json holds.
    """
    listed = [one for one in CONTESTANTS if only is None or one.name in only]
    skipped = {one.name: reason for one in listed if (reason := _why_not(one)) is not None}
    present = [one for one in listed if one.name not in skipped]
    for name, reason in skipped.items():
        say(f"{name} is left out: {reason}")
    model = lite0_int8() if quick else lite0_fp32()
    pictures = [str(path.absolute()) for path in picture_paths(rendered_catalog(images))]
    found: dict[str, dict[str, list[dict[str, Any]]]] = {job: {} for job in jobs}
    failures: list[str] = []
    with tempfile.TemporaryDirectory(prefix="vitrine-engines-") as scratch:
        contest = _Contest(Path(scratch), pictures, model, processes, quick)
        if quick:
            return _quick_results(contest, present, skipped, jobs)
        for number in range(repetitions):
            for job in jobs:
                # Another one begins each time, so that none always runs beside the same neighbours.
                turn = number % len(present)
                for one in present[turn:] + present[:turn]:
                    if job not in one.jobs:
                        continue
                    try:
                        figures = contest.run(one, job)
                    except MarkedProcessError as error:
                        failures.append(f"{one.name}, {job}, repetition {number + 1}: {error}")
                        say(failures[-1])
                        continue
                    found[job].setdefault(one.name, []).append(figures)
                    say(
                        f"{number + 1}. {job:>6} {one.name:>17}: {figures['cpu_ms_per_image']:6.1f} ms CPU per image, "
                        f"{figures['images_per_second']:6.1f} images/s, start {figures['start_seconds']:.1f} s"
                    )
    results = _results(images, processes, model, found, skipped) | {"failures": failures}
    results["agreement"] = contest.agreement
    return results


def write(results: dict[str, Any], folder: Path) -> None:
    """Write results.json and results.svg."""
    write_results(results, folder, plot_results(results))


def summary(results: dict[str, Any]) -> str:
    """The outcome as Markdown tables."""
    lines = []
    for job, engines in results["jobs"].items():
        lines += [
            f"{job}, {results['images']} pictures, {results['processes']} processes",
            "",
            "| engine | CPU ms per image (lowest-highest) | of the bare loop | images/s | of the bare loop "
            "| whole pass: CPU ms, images/s | images/s with start | start s | peak MiB |",
            "|---|---|---|---|---|---|---|---|---|",
        ]
        for name, one in engines.items():
            cpu, rate = one["cpu_ms_per_image"], one["images_per_second"]
            lines.append(
                f"| {results['labels'][name]} | {cpu['median']:.1f} ({cpu['lowest']:.1f}-{cpu['highest']:.1f}) "
                f"| {_times(one['cpu_over_bare_loop'])} | {rate['median']:.1f} | {_times(one['rate_over_bare_loop'])} "
                f"| {one['pass_cpu_ms_per_image']['median']:.1f}, {one['pass_images_per_second']['median']:.1f} "
                f"| {one['images_per_second_with_start']['median']:.1f} | {one['start_seconds']['median']:.1f} "
                f"| {one['peak_mib']['median']:.0f} |"
            )
        lines.append("")
    lines += [f"left out: {name}: {reason}" for name, reason in results["skipped"].items()]
    lines += [f"failed: {failure}" for failure in results["failures"]]
    return "\n".join(lines)


def _times(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _why_not(one: Listed) -> str | None:
    """Why a contestant cannot run here; None when it can."""
    if one.package is None:
        return None
    if not BENCH_PYTHON.exists():
        return "not installed; `make setup-bench` installs it"
    answer = subprocess.run([BENCH_PYTHON, "-c", f"import {one.package}"], capture_output=True, text=True, check=False)
    return None if answer.returncode == 0 else f"{one.package} cannot be imported; `make setup-bench` installs it"


class _Contest:
    """Runs contestants and compares their answers with the bare loop's.

    Attributes:
        agreement: by job and contestant, the share of pictures with the bare loop's answer, of the latest repetition.
    """

    def __init__(self, scratch: Path, pictures: list[str], model: Path, processes: int, quick: bool) -> None:
        self.scratch, self.pictures, self.model, self.processes = scratch, pictures, model, processes
        self.quick = quick
        self.few = min(FEW, len(pictures) // 2)
        self.agreement: dict[str, dict[str, float]] = {job: {} for job in JOBS}
        self._answers: dict[str, dict[str, Any]] = {}
        (scratch / "pictures.json").write_text(json.dumps(pictures), encoding="utf-8")

    def run(self, one: Listed, job: str) -> dict[str, Any]:
        """One contestant, one job, in a process of its own."""
        figures = _figures(self.marks([one], [job]), len(self.pictures), self.few)
        self.compare(one, job)
        shutil.rmtree(self.out)
        return figures

    def marks(self, contestants: Sequence[Listed], jobs: Sequence[str]) -> list[Mark]:
        """Run contestants in one process."""
        python = str(BENCH_PYTHON) if contestants[0].package else sys.executable
        command = [python, "-m", "benchmarks.engines.contestant", "--model", str(self.model)]
        command += [word for one in contestants for word in ("--engine", one.name)]
        command += [word for job in jobs for word in ("--job", job)]
        command += ["--pictures", str(self.scratch / "pictures.json"), "--few", str(self.few), "--out", str(self.out)]
        command += ["--processes", str(self.processes), *(["--quick"] if self.quick else [])]
        # One thread per process in all: BLAS threads that wait for each other cost more than the work.
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(CHECKOUT)}
        if self.quick:
            environment["VITRINE_SPARK_CODEGEN"] = "false"
        return run_marked(command, self.scratch, environment, LIMIT_SECONDS)

    @property
    def out(self) -> Path:
        """Where contestants write."""
        return self.scratch / "out"

    def compare(self, one: Listed, job: str) -> None:
        """Compare the answers for all pictures with the bare loop's, the first that is seen of each job."""
        answers = _answers(self.out / one.name / job / "all", job)
        expected = self._answers.setdefault(job, answers)
        if len(answers) != len(expected):
            raise MarkedProcessError(f"{one.name} gave {len(answers)} answers for {job}, another {len(expected)}")
        share = sum(answers.get(key) == value for key, value in expected.items()) / len(expected)
        self.agreement[job][one.name] = share
        if share < LEAST_AGREEMENT:
            raise MarkedProcessError(f"{one.name} agrees with the others on {share:.1%} of {job} only")


def _answers(folder: Path, job: str) -> dict[str, Any]:
    """By picture what was said of it."""
    if job == "single":
        rows = ds.dataset(folder, format="parquet").to_table(["image_uri", "label", "embedding"])
        if set(pc.list_value_length(rows["embedding"]).to_pylist()) != {1280}:
            raise MarkedProcessError(f"{folder}: not every row has an embedding of 1280 numbers")
        names = [uri.rsplit("/", 1)[-1] for uri in rows["image_uri"].to_pylist()]
        return dict(zip(names, rows["label"].to_pylist(), strict=True))
    table = folder / "tables" / "image_attributes"
    if table.is_dir():
        from deltalake import DeltaTable

        rows = DeltaTable(table).to_pyarrow_table(columns=["content_sha256", "category", "color"])
        found = rows.to_pylist()
    else:
        found = ds.dataset(folder, format="parquet").to_table(["content_sha256", "attributes"]).flatten().to_pylist()
        found = [{name.removeprefix("attributes."): value for name, value in row.items()} for row in found]
    return {row["content_sha256"]: (row["category"], row["color"]) for row in found}


def _figures(marks: list[Mark], images: int, few: int) -> dict[str, Any]:
    """One repetition's figures; `images_per_second` and `cpu_ms_per_image` by the difference of warm passes."""
    at = {mark.name: mark for mark in marks}

    def passed(what: str) -> tuple[float, float]:
        begin, end = at[f"{what} begins"], at[f"{what} ends"]
        return end.wall_seconds - begin.wall_seconds, end.cpu_seconds - begin.cpu_seconds

    (all_wall, all_cpu), before, after = passed("all"), passed("few"), passed("few again")
    # Engines, the JVM above all, go on getting faster: the passes before and after stand for one in between.
    few_wall, few_cpu = ((one + other) / 2 for one, other in zip(before, after, strict=True))
    start = at["warm ends"]
    return {
        "images_per_second": (images - few) / (all_wall - few_wall),
        "cpu_ms_per_image": (all_cpu - few_cpu) * 1e3 / (images - few),
        "pass_images_per_second": images / all_wall,
        "pass_cpu_ms_per_image": all_cpu * 1e3 / images,
        "images_per_second_with_start": images / (start.wall_seconds + all_wall),
        "cpu_ms_per_image_with_start": (start.cpu_seconds + all_cpu) * 1e3 / images,
        "start_seconds": start.wall_seconds,
        "start_cpu_seconds": start.cpu_seconds,
        "peak_mib": marks[-1].peak_mib,
        "marks": [asdict(mark) for mark in marks],
    }


def _quick_results(
    contest: _Contest, present: Sequence[Listed], skipped: dict[str, str], jobs: Sequence[str]
) -> dict[str, Any]:
    """Proves that contestants run and agree; those of the project's environment share a process, with one Spark."""
    together = [one for one in present if not one.package and one.name not in NOT_QUICK]
    groups = ([together] if together else []) + [[one] for one in present if one.package]
    ran: dict[str, list[str]] = {job: [] for job in jobs}
    for group in groups:
        contest.marks(group, jobs)
        for one in group:
            for job in jobs:
                if job in one.jobs:
                    contest.compare(one, job)
                    ran[job].append(one.name)
    return {
        "images": len(contest.pictures),
        "processes": contest.processes,
        "quick": True,
        "ran": ran,
        "jobs": {},
        "labels": {one.name: one.label for one in CONTESTANTS},
        "skipped": skipped,
        "failures": [],
        "agreement": contest.agreement,
    }


def _results(
    images: int,
    processes: int,
    model: Path,
    found: dict[str, dict[str, list[dict[str, Any]]]],
    skipped: dict[str, str],
) -> dict[str, Any]:
    names = [one.name for one in CONTESTANTS]
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "machine": {"system": platform.system(), "python": platform.python_version(), "cores": os.cpu_count()},
        "packages": {name: version(name) for name in PACKAGES} | _bench_packages(),
        "images": images,
        "few": min(FEW, images // 2),
        "processes": processes,
        "model": model.name,
        "labels": {one.name: one.label for one in CONTESTANTS},
        "jobs": {
            job: {name: _medians(runs[name], runs.get("bare_loop")) for name in names if name in runs}
            for job, runs in found.items()
        },
        "skipped": skipped,
    }


def _medians(runs: list[dict[str, Any]], bare: list[dict[str, Any]] | None) -> dict[str, Any]:
    def ratio(what: str) -> float | None:
        """Median of the repetitions' ratios: what else the machine does then hits both."""
        return statistics.median(a[what] / b[what] for a, b in zip(runs, bare, strict=False)) if bare else None

    figures = {
        name: {
            "median": statistics.median(one[name] for one in runs),
            "lowest": min(one[name] for one in runs),
            "highest": max(one[name] for one in runs),
        }
        for name in runs[0]
        if name != "marks"
    }
    over = {"cpu_over_bare_loop": ratio("cpu_ms_per_image"), "rate_over_bare_loop": ratio("images_per_second")}
    return {**figures, **over, "repetitions": runs}


def _bench_packages() -> dict[str, str]:
    """Versions in the other environment."""
    if not BENCH_PYTHON.exists():
        return {}
    asked = (
        "import importlib.metadata as m, json; print(json.dumps({n: m.version(n) for n in ('daft', 'ray', 'pyarrow')}))"
    )
    answer = subprocess.run([BENCH_PYTHON, "-c", asked], capture_output=True, text=True, check=False)
    told = json.loads(answer.stdout) if answer.returncode == 0 else {}
    return {(f"{name} of Daft and Ray" if name == "pyarrow" else name): found for name, found in told.items()}


if __name__ == "__main__":
    main()
