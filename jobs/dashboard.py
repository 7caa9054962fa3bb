"""A static page and a Prometheus text file about the last nights, from `runs`, `metrics` and `publications` alone.

Read by delta-rs: no Spark, a second or two, so it can run after each night or on a timer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from jobs.light_tables import LightTables
from jobs.locations import resolve_location
from jobs.prometheus import prometheus_text
from schemas.settings import Settings
from schemas.stages import STAGES

PAGE = "index.html"
PROMETHEUS = "vitrine.prom"
NIGHTS = 30
VALUES = 12
ENVIRONMENT = Environment(
    loader=PackageLoader("jobs", "dashboard_page"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)

Row = Mapping[str, Any]


class NoNightsError(RuntimeError):
    """The tables hold no run to show; says where was looked."""


@dataclass(frozen=True)
class Nights:
    """What the page and the text file are made of, newest first.

    Args:
        runs: rows of `runs`; counts, reasons and times as dicts.
        metrics: rows of `metrics`.
        publications: rows of `publications`.
        at: when they were read.
    """

    runs: Sequence[Row]
    metrics: Sequence[Row]
    publications: Sequence[Row]
    at: datetime

    @property
    def nights(self) -> list[Row]:
        """Rows of whole nights, newest first."""
        return [row for row in self.runs if row["stage"] == "nightly"][:NIGHTS]

    def stages_of(self, run_id: str) -> list[Row]:
        """Rows of a run's stages, in their order."""
        order = (*STAGES[: STAGES.index("publish")], "gate", *STAGES[STAGES.index("publish") :])
        rows = {row["stage"]: row for row in self.runs if row["run_id"] == run_id}
        return [rows[stage] for stage in order if stage in rows]

    def counts_of(self, night: Row) -> dict[str, int]:
        """What became of a night's pictures; of one that failed, as far as its stages got."""
        if night["counts"]:
            return dict(night["counts"])
        return {name: count for stage in self.stages_of(night["run_id"]) for name, count in stage["counts"].items()}

    def metrics_of(self, run_id: str, metric: str) -> list[Row]:
        """A run's rows of `metrics`."""
        return [row for row in self.metrics if row["run_id"] == run_id and row["metric"] == metric]

    def latest_run_with(self, metric: str) -> str | None:
        """The latest run that measured this: a night that described nothing has no times, an unchanged one nothing."""
        return next((row["run_id"] for row in self.metrics if row["metric"] == metric), None)


def write_dashboard(settings: Settings, folder: Path) -> Path:
    """Write page and text file into a folder.

    Returns:
        The page.

    Raises:
        NoNightsError: nothing has run yet.
    """
    nights = read_nights(settings)
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / PROMETHEUS, prometheus_text(nights))
    _write(folder / PAGE, dashboard_page(nights, settings.tables))
    return folder / PAGE


def read_nights(settings: Settings) -> Nights:
    """Read what there is about nights.

    Raises:
        NoNightsError: nothing has run yet.
    """
    tables = LightTables(resolve_location(settings.tables), settings.s3)

    def rows(name: str, columns: Sequence[str], order: str) -> list[Row]:
        found = [_as_dicts(row) for row in tables.read(name, columns).to_pylist()]
        return sorted(found, key=lambda row: row[order], reverse=True)

    try:
        runs = rows("runs", RUN_COLUMNS, "started_at")
        metrics = rows("metrics", ("run_id", "metric", "dimension", "label", "value", "measured_at"), "measured_at")
        publications = rows("publications", ("publication_id", "run_id", "published_at", "checks"), "publication_id")
    except Exception as error:
        if type(error).__name__ == "TableNotFoundError":
            raise NoNightsError(f"{settings.tables} holds no Vitrine tables") from error
        raise
    if not runs:
        raise NoNightsError(f"{settings.tables} knows no run")
    return Nights(runs, metrics, publications, datetime.now(UTC))


RUN_COLUMNS = (
    *("run_id", "stage", "status", "started_at", "finished_at", "seconds", "counts", "reasons"),
    *("images_per_second", "step_ms", "bytes_read", "bundle_version", "error"),
)


def _as_dicts(row: Row) -> dict[str, Any]:
    """Arrow gives maps as lists of pairs."""
    maps = ("counts", "reasons", "step_ms")
    return {name: dict(value or ()) if name in maps else value for name, value in row.items()}


def dashboard_page(nights: Nights, tables: str) -> str:
    """The page; the same text for the same rows."""
    latest = nights.runs[0]
    shown = nights.nights or [latest]
    measured = nights.latest_run_with("share")
    return ENVIRONMENT.get_template("page.html").render(
        style=_style(),
        tables=tables,
        at=nights.at,
        night=shown[0],
        stages=nights.stages_of(shown[0]["run_id"]),
        counts=nights.counts_of(shown[0]),
        bars=_bars(nights, list(reversed(shown))),
        rates=_rates(nights, list(reversed(shown))),
        publication=nights.publications[0] if nights.publications else None,
        reasons=_reasons(nights, shown),
        steps=_steps(nights, nights.latest_run_with("step_ms")),
        drift=_drift(nights, measured),
        distributions=_distributions(nights, measured),
        failures=[row for row in nights.runs if row["status"] == "failed"][:10],
    )


def _bars(nights: Nights, shown: Sequence[Row]) -> list[dict[str, Any]]:
    """A bar per night: what became of its pictures, as shares of the busiest night."""
    kinds = ("extracted", "reused", "quarantined")
    counts = [nights.counts_of(night) for night in shown]
    most = max([sum(counted.get(kind, 0) for kind in kinds) for counted in counts] + [1])
    return [
        {"night": night, "parts": [(kind, n := counted.get(kind, 0), 100 * n / most) for kind in kinds]}
        for night, counted in zip(shown, counts, strict=True)
    ]


def _rates(nights: Nights, shown: Sequence[Row]) -> list[dict[str, Any]]:
    """Pictures per second of each night's extract, as shares of the best."""
    by_run = {row["run_id"]: row["images_per_second"] for row in nights.runs if row["stage"] == "extract"}
    rates = [(night, by_run.get(night["run_id"])) for night in shown]
    most = max([rate for _, rate in rates if rate] + [1e-9])
    return [{"night": night, "rate": rate, "share": 100 * (rate or 0) / most} for night, rate in rates]


def _reasons(nights: Nights, shown: Sequence[Row]) -> list[tuple[str, int]]:
    runs = {night["run_id"] for night in shown}
    counted: Counter[str] = Counter()
    for row in nights.runs:
        if row["run_id"] in runs and row["stage"] in ("ingest", "extract"):
            counted.update(row["reasons"])
    return counted.most_common()


def _steps(nights: Nights, run_id: str | None) -> list[dict[str, Any]]:
    """Median and 95th percentile per step, as shares of the slowest."""
    if run_id is None:
        return []
    by_step: dict[str, dict[str, float]] = {}
    for row in nights.metrics_of(run_id, "step_ms"):
        by_step.setdefault(row["dimension"], {})[row["label"]] = row["value"]
    most = max([values.get("p95", 0.0) for values in by_step.values()] + [1e-9])
    return [
        {"step": step, **values, "p50_share": 100 * values["p50"] / most, "p95_share": 100 * values["p95"] / most}
        for step, values in sorted(by_step.items(), key=lambda item: -item[1].get("p95", 0.0))
    ]


def _drift(nights: Nights, run_id: str | None) -> dict[str, dict[str, float]]:
    """Divergence by attribute, then by what it was compared with."""
    found: dict[str, dict[str, float]] = {}
    for row in nights.metrics_of(run_id, "drift") if run_id else ():
        found.setdefault(row["dimension"], {})[row["label"]] = row["value"]
    return dict(sorted(found.items()))


def _distributions(nights: Nights, run_id: str | None) -> dict[str, list[dict[str, Any]]]:
    """The most frequent values of each attribute, and how frequent they were in the run measured before."""
    if run_id is None:
        return {}
    before_id = next((row["run_id"] for row in nights.metrics if row["run_id"] != run_id), None)
    before = {(row["dimension"], row["label"]): row["value"] for row in nights.metrics_of(before_id or "", "share")}
    found: dict[str, list[dict[str, Any]]] = {}
    for row in sorted(nights.metrics_of(run_id, "share"), key=lambda row: (-row["value"], row["label"])):
        entries = found.setdefault(row["dimension"], [])
        earlier = before.get((row["dimension"], row["label"])) if before else None
        entries.append({"label": row["label"], "share": row["value"], "before": earlier})
    for name, entries in found.items():
        if name.endswith("_confidence"):
            entries.sort(key=lambda entry: entry["label"])
    return {name: entries[:VALUES] for name, entries in sorted(found.items())}


def _style() -> str:
    loader = ENVIRONMENT.loader
    assert loader is not None
    return loader.get_source(ENVIRONMENT, "page.css")[0]


def _write(path: Path, text: str) -> None:
    """Whole or not at all: a web server or collector may read at this moment."""
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
