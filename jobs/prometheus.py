"""The last night as Prometheus text, for the node exporter's textfile collector or any server of static files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from prometheus_client import CollectorRegistry, Gauge, generate_latest

Row = Mapping[str, Any]


class _Nights(Protocol):
    @property
    def runs(self) -> Sequence[Row]: ...
    @property
    def publications(self) -> Sequence[Row]: ...
    @property
    def nights(self) -> list[Row]: ...
    def latest_run_with(self, metric: str) -> str | None: ...
    def stages_of(self, run_id: str) -> list[Row]: ...
    def metrics_of(self, run_id: str, metric: str) -> list[Row]: ...


def prometheus_text(nights: _Nights) -> str:
    """Gauges of the latest run; a scraper that keeps them has the history."""
    registry = CollectorRegistry()

    def gauge(name: str, says: str, *labels: str) -> Gauge:
        return Gauge(f"vitrine_{name}", says, labels, registry=registry)

    latest = nights.nights[0] if nights.nights else nights.runs[0]
    gauge("night_success", "Whether the latest night succeeded").set(latest["status"] == "succeeded")
    gauge("night_started_timestamp_seconds", "When the latest night began").set(latest["started_at"].timestamp())
    succeeded = [row for row in nights.nights if row["status"] == "succeeded"]
    if succeeded:
        last = gauge("night_last_success_timestamp_seconds", "When the last successful night ended")
        last.set(succeeded[0]["finished_at"].timestamp())
    if nights.publications:
        published = nights.publications[0]
        gauge("publication_id", "The present publication").set(published["publication_id"])
        moved = gauge("published_timestamp_seconds", "When the published versions last moved")
        moved.set(published["published_at"].timestamp())
    _stages(nights.stages_of(latest["run_id"]), gauge)
    _measured(nights, gauge)
    return generate_latest(registry).decode()


def _stages(stages: Sequence[Row], gauge: Any) -> None:
    seconds = gauge("stage_seconds", "Wall time of the stage", "stage")
    counts = gauge("stage_count", "Rows by what became of them, see docs/operations.md", "stage", "count")
    reasons = gauge("quarantined", "Rows quarantined in the latest night by reason", "stage", "reason")
    for row in stages:
        if row["seconds"] is not None:
            seconds.labels(row["stage"]).set(row["seconds"])
        for name, count in row["counts"].items():
            counts.labels(row["stage"], name).set(count)
        for name, count in row["reasons"].items():
            reasons.labels(row["stage"], name).set(count)
        if row["stage"] == "extract":
            if row["images_per_second"] is not None:
                gauge("images_per_second", "Pictures by wall time of extract").set(row["images_per_second"])
            if row["bytes_read"] is not None:
                gauge("read_bytes", "Bytes of pictures read in the latest night").set(row["bytes_read"])


def _measured(nights: _Nights, gauge: Any) -> None:
    steps = gauge(
        "step_milliseconds", "Time per picture and step, of the latest run that described some", "step", "quantile"
    )
    for row in nights.metrics_of(nights.latest_run_with("step_ms") or "", "step_ms"):
        steps.labels(row["dimension"], {"p50": "0.5", "p95": "0.95"}[row["label"]]).set(row["value"])
    drift = gauge("drift", "Jensen-Shannon divergence from an earlier night, 0..1", "attribute", "against")
    for row in nights.metrics_of(nights.latest_run_with("share") or "", "drift"):
        drift.labels(row["dimension"], row["label"]).set(row["value"])
