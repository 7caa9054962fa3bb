"""Contract of `metrics`: what a night measured of itself, one number per row."""

from __future__ import annotations

from schemas.contract import Column, Table

METRICS = Table(
    name="metrics",
    purpose="What a night measured of itself, one number per row: times per step, distributions, drift.",
    columns=(
        Column("run_id", "string", "Run that measured", nullable=False),
        Column("metric", "string", "share, pictures, step_ms or drift; see docs/operations.md", nullable=False),
        Column("dimension", "string", "What of: an attribute, a step; empty for the whole", nullable=False),
        Column("label", "string", "Which: a value, a quantile, what was compared with; empty for all", nullable=False),
        Column("value", "double", "The number", "share 0..1, pictures, ms, or divergence 0..1", nullable=False),
        Column("bundle_version", "string", "Bundle whose attributes were measured", nullable=False),
        Column("measured_at", "timestamp", "When", "UTC", nullable=False),
    ),
    key=("run_id", "metric", "dimension", "label"),
    checks={"metric_known": "metric IN ('share', 'pictures', 'step_ms', 'drift')"},
    change_data_feed=False,
)
