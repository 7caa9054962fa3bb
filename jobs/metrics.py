"""What a night measures of itself: distributions, drift against earlier nights, and times per step.

Measured once, by the gate, before readers see anything: the gate judges the drift, dashboards show all of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F  # noqa: N812 - its usual name

from jobs.run import Run
from schemas.contract import ddl_columns
from schemas.image_columns import STEP_MILLISECONDS
from schemas.metrics_table import METRICS
from udfs.drift import jensen_shannon

LABELS = ("category", "color", "pattern", "shape")
CONFIDENCES = ("category_confidence", "color_confidence")
NONE = "(none)"
QUANTILES = {"p50": 0.5, "p95": 0.95}
# Nights are looked back at so far; one of a week ago is found although some nights had nothing to measure.
LOOK_BACK = timedelta(days=15)
WEEK = timedelta(days=6, hours=12)

Distributions = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class NightMetrics:
    """What was measured.

    Args:
        pictures: active pictures with attributes.
        shares: share of them by attribute and value; confidences in steps of 0.1, `(none)` where there is no value.
        drift: Jensen-Shannon divergence by what it was compared with (`night`, `week`, `bundle`) and attribute.
        pictures_before: how many pictures the other side had, by what it was compared with.
    """

    pictures: int
    shares: Distributions
    drift: Mapping[str, Mapping[str, float]]
    pictures_before: Mapping[str, int]


@dataclass(frozen=True)
class _Before:
    """An earlier night's distributions; `measured_at` in seconds since 1970."""

    run_id: str
    bundle_version: str
    measured_at: float
    pictures: int
    shares: Distributions


def measure_night(run: Run, *, is_first: bool = False) -> NightMetrics:
    """Measure tonight's pictures, compare them with earlier nights and write all of it to `metrics`.

    Args:
        run: the run.
        is_first: nothing has been published before, so there is nothing to compare with.
    """
    pictures, shares = _distributions(run)
    # An earlier try of this run may have measured: its numbers must be replaced.
    tried = {"gate", "publish"} & run.written_stages
    history = [] if is_first and not tried else _history(run)
    others = _baselines(run, [night for night in history if night.run_id != run.run_id])
    drift = {name: _drift(shares, other.shares) for name, other in others.items()} if pictures else {}
    measured = NightMetrics(pictures, shares, drift, {name: other.pictures for name, other in others.items()})
    _write(run, measured, _step_quantiles(run), is_new=all(night.run_id != run.run_id for night in history))
    return measured


def _distributions(run: Run) -> tuple[int, Distributions]:
    """Shares of values among active pictures, in one pass."""
    keys = ["content_sha256", "bundle_version"]
    images = run.store.read("images").where("is_active AND status = 'extracted'").select(*keys)
    attributes = run.store.read("image_attributes").select(*keys, *LABELS, *CONFIDENCES)
    values = [_entry(name, F.col(name)) for name in LABELS] + [_entry(name, _bucket(name)) for name in CONFIDENCES]
    pairs = images.join(attributes, keys).select(F.explode(F.array(*values)).alias("entry")).select("entry.*")
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    for row in pairs.groupBy("dimension", "label").count().collect():
        counts[row["dimension"]][row["label"]] = row["count"]
    pictures = sum(counts[LABELS[0]].values())
    return pictures, {name: {label: n / pictures for label, n in found.items()} for name, found in counts.items()}


def _entry(name: str, label: Column) -> Column:
    return F.struct(F.lit(name).alias("dimension"), F.coalesce(label, F.lit(NONE)).alias("label"))


def _bucket(confidence: str) -> Column:
    """0.0, 0.1, ... 0.9: the lower edge of the tenth in which a confidence lies."""
    tenth = F.least(F.floor(F.col(confidence) * 10), F.lit(9)) / 10
    return F.format_number(tenth, 1)


def _step_quantiles(run: Run) -> list[tuple[str, str, float]]:
    """Step, quantile and milliseconds, of the pictures that this run described."""
    extracted = [record.counts.get("extracted", 0) for record in run.records if record.stage == "extract"]
    if extracted == [0]:
        return []
    mine = run.store.read("image_attributes").where(F.col("run_id") == run.run_id)
    steps = [column.name for column in STEP_MILLISECONDS.fields]
    wanted = F.array(*(F.lit(share) for share in QUANTILES.values()))
    row = mine.agg(*(F.percentile_approx(f"step_ms.{step}", wanted).alias(step) for step in steps)).first()
    assert row is not None
    return [
        (step, name, value) for step in steps if row[step] for name, value in zip(QUANTILES, row[step], strict=True)
    ]


def _history(run: Run) -> list[_Before]:
    """Published nights that measured, newest first, and an earlier try of this one.

    A night that the gate refused is no measure for the next.
    """
    published = run.store.read("publications").select("run_id").distinct().withColumn("is_published", F.lit(True))
    rows = (
        run.store.read("metrics")
        .where(F.col("metric").isin("share", "pictures"))
        .where(F.col("measured_at") >= F.lit(run.started_at - LOOK_BACK))
        .join(F.broadcast(published), "run_id", "left")
        .where(F.col("is_published") | (F.col("run_id") == run.run_id))
        # Not as timestamps: those are handed out in this machine's time zone.
        .withColumn("measured_at", F.col("measured_at").cast("double"))
    )
    pictures: dict[tuple[str, str, float], int] = {}
    shares: dict[str, dict[str, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    for row in rows.collect():
        if row["metric"] == "pictures":
            pictures[row["run_id"], row["bundle_version"], row["measured_at"]] = int(row["value"])
        else:
            shares[row["run_id"]][row["dimension"]][row["label"]] = row["value"]
    nights = [_Before(*key, count, shares[key[0]]) for key, count in pictures.items()]
    return sorted(nights, key=lambda night: night.measured_at, reverse=True)


def _baselines(run: Run, history: list[_Before]) -> dict[str, _Before]:
    """What tonight is compared with: the last night, that of a week ago, and the last one of another bundle."""
    week_ago = (run.started_at - WEEK).timestamp()
    wanted = {
        "night": history,
        "week": [night for night in history if night.measured_at <= week_ago],
        "bundle": [night for night in history if night.bundle_version != run.bundle_version],
    }
    return {name: nights[0] for name, nights in wanted.items() if nights}


def _drift(now: Distributions, before: Distributions) -> dict[str, float]:
    return {name: jensen_shannon(shares, before[name]) for name, shares in now.items() if before.get(name)}


def _write(run: Run, measured: NightMetrics, steps: Iterable[tuple[str, str, float]], *, is_new: bool) -> None:
    numbers = [("pictures", "", "", float(measured.pictures))]
    numbers += [
        ("share", name, label, share) for name, found in measured.shares.items() for label, share in found.items()
    ]
    numbers += [("step_ms", *step) for step in steps]
    numbers += [("drift", name, than, value) for than, found in measured.drift.items() for name, value in found.items()]
    names = METRICS.column_names
    rows = [
        Row(**dict(zip(names, (run.run_id, *number, run.bundle_version, run.started_at), strict=True)))
        for number in numbers
    ]
    frame: DataFrame = run.spark.createDataFrame(rows, ddl_columns(METRICS.columns))
    # A retry under the same run id replaces what the first try measured.
    if is_new:
        run.store.append(METRICS, frame)
    else:
        run.store.upsert(METRICS, frame)
