"""What the report page is made from: plain dataclasses, filled by `jobs.report_collect` and drawn by `jobs.report`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Self


@dataclass(frozen=True)
class StageRun:
    """One row of the `runs` table; see `schemas.tables.RUNS` for the meaning and units of the fields."""

    stage: str
    status: str
    started_at: datetime
    finished_at: datetime | None = None
    seconds: float | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    reasons: Mapping[str, int] = field(default_factory=dict)
    images_per_second: float | None = None
    step_ms: Mapping[str, float] = field(default_factory=dict)
    bytes_read: int | None = None
    bundle_version: str | None = None
    git_sha: str | None = None
    input_snapshot: str | None = None
    error: str | None = None

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """From a `runs` row as a mapping; null maps become empty ones, unknown columns are left out."""
        known = {item.name for item in fields(cls)}
        values = {name: value for name, value in row.items() if name in known}
        for name in ("counts", "reasons", "step_ms"):
            values[name] = dict(values.get(name) or {})
        return cls(**values)


@dataclass(frozen=True)
class FlowPart:
    """One way in which things of a flow ended."""

    name: str
    count: int


@dataclass(frozen=True)
class Flow:
    """Exact bookkeeping of one kind of thing: the parts must add up to the total.

    Args:
        title: what is counted, e.g. "Feed rows".
        total: how many came in.
        parts: how they ended, in the order to draw.
    """

    title: str
    total: int
    parts: tuple[FlowPart, ...]

    @property
    def difference(self) -> int:
        """Things unaccounted for (positive) or counted twice (negative); 0 when the books balance."""
        return self.total - sum(part.count for part in self.parts)


@dataclass(frozen=True)
class FlowPlan:
    """Where in `runs.counts` the numbers of a flow stand.

    Args:
        title: see `Flow`.
        total: (stage, key) of the total.
        parts: (stage, key) of each part; absent keys count nothing and are not drawn.
    """

    title: str
    total: tuple[str, str]
    parts: tuple[tuple[str, str], ...]


FLOW_PLANS: tuple[FlowPlan, ...] = (
    FlowPlan(
        "Feed rows",
        ("ingest", "feed_rows"),
        (
            ("ingest", "rows_inserted"),
            ("ingest", "rows_updated"),
            ("ingest", "rows_unchanged"),
            ("ingest", "rows_rejected"),
        ),
    ),
    FlowPlan(
        "Pictures of the feed",
        ("ingest", "images"),
        (("ingest", "images_new"), ("ingest", "images_changed"), ("ingest", "images_unchanged")),
    ),
    FlowPlan(
        "Pictures of the catalog",
        ("extract", "images"),
        (("extract", "extracted"), ("extract", "reused"), ("extract", "quarantined"), ("extract", "unchanged")),
    ),
)


def flows_of(stages: Sequence[StageRun], plans: Sequence[FlowPlan] = FLOW_PLANS) -> tuple[Flow, ...]:
    """The flows whose total was counted by these stages."""
    counts = {stage.stage: stage.counts for stage in stages}
    flows = []
    for plan in plans:
        total = counts.get(plan.total[0], {}).get(plan.total[1])
        if total is None:
            continue
        parts = tuple(
            FlowPart(key, int(counts[stage][key])) for stage, key in plan.parts if key in counts.get(stage, {})
        )
        flows.append(Flow(plan.title, int(total), parts))
    return tuple(flows)


@dataclass(frozen=True)
class GateCheck:
    """One expectation of the publish gate."""

    name: str
    passed: bool
    observed: str
    expected: str


@dataclass(frozen=True)
class Publication:
    """The version of the tables that readers see."""

    publication_id: int
    run_id: str
    published_at: datetime
    bundle_version: str
    versions: Mapping[str, int]
    checks: tuple[GateCheck, ...]


@dataclass(frozen=True)
class Product:
    """One product that shows a picture, from the feed; every text is untrusted."""

    product_id: str
    title: str | None = None
    brand: str | None = None
    category: str | None = None
    price: str | None = None


@dataclass(frozen=True)
class Picture:
    """One sampled picture with what was seen in it.

    Args:
        image_uri: one URI of this content.
        attributes: the `image_attributes` row as nested mappings, without the embedding.
        product: one product that shows it, None when no active catalog row does.
        product_count: how many active products show it.
        is_new: whether this run extracted it.
        thumbnail: WebP bytes, None when the picture could not be read for the report.
        note: why there is no thumbnail, or that the file changed since it was looked at.
    """

    image_uri: str
    attributes: Mapping[str, Any]
    product: Product | None = None
    product_count: int = 0
    is_new: bool = False
    thumbnail: bytes | None = None
    note: str | None = None


@dataclass(frozen=True)
class QuarantineEntry:
    """One feed row or picture in quarantine; see `schemas.tables.QUARANTINE`."""

    stage: str
    reason: str
    retryable: bool
    attempts: int
    product_id: str | None = None
    image_uri: str | None = None
    detail: str | None = None
    first_seen_at: datetime | None = None
    last_seen_at: datetime | None = None


@dataclass(frozen=True)
class Share:
    """How many pictures have a value; None stands for "the model was not sure"."""

    value: str | None
    count: int


@dataclass(frozen=True)
class ReportData:
    """Everything on the page.

    Args:
        run_id: the run.
        created_at: when the report was made (aware).
        stages: the run's rows of `runs`, in the order they ran.
        flows: bookkeeping, see `flows_of`.
        publication: the newest publication, None before the first.
        pictures: a sample, see `jobs.report_collect`.
        picture_count: distinct pictures with attributes that the sample stands for.
        quarantine: open quarantine rows, at most some per reason.
        quarantine_counts: open quarantine rows by reason, all of them.
        distributions: by attribute ("category", "color", "pattern", "shape", "quality"), largest first.
        places: where things are, by label.
    """

    run_id: str
    created_at: datetime
    stages: tuple[StageRun, ...] = ()
    flows: tuple[Flow, ...] = ()
    publication: Publication | None = None
    pictures: tuple[Picture, ...] = ()
    picture_count: int = 0
    quarantine: tuple[QuarantineEntry, ...] = ()
    quarantine_counts: Mapping[str, int] = field(default_factory=dict)
    distributions: Mapping[str, tuple[Share, ...]] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)
