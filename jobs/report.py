"""The report of a run: one self-contained HTML page that a person opens in a browser, without network or server."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from jobs.console_text import format_duration, format_rate, ordered_counts
from jobs.report_collect import collect_report_data
from jobs.report_data import Flow, QuarantineEntry, ReportData, Share, StageRun
from jobs.report_picture import CardView, card_view, category_names, detail_fields, picture_details
from jobs.report_text import clean, file_size, hex_color, number, percent, utc_time, words
from schemas.image_columns import STEP_MILLISECONDS
from schemas.palette import find_color
from schemas.reasons import Reason

__all__ = ["ReportData", "collect_report_data", "render_report", "write_report"]

BARS_SHOWN = 12
"""Values per distribution on the page; the rest is summed up."""

ENVIRONMENT = Environment(
    loader=PackageLoader("jobs", "report_page"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
ENVIRONMENT.filters.update(
    number=number, percent=percent, utc_time=utc_time, words=words, clean=clean, duration=format_duration
)


@dataclass(frozen=True)
class Bar:
    """One bar of a chart: `share` of the longest one, 0..1; None draws no bar."""

    label: str
    label_zh: str
    value: str
    share: float | None
    filter_value: str = ""
    hex: str | None = None
    comment: str = ""


@dataclass(frozen=True)
class ReasonGroup:
    """Quarantined things of one reason."""

    reason: str
    count: int
    retryable: bool
    explanation: str
    entries: tuple[QuarantineEntry, ...]


def render_report(data: ReportData) -> str:
    """The page as HTML; reads nothing but the templates, gives the same text for the same data."""
    cards = [card_view(index, picture) for index, picture in enumerate(data.pictures)]
    script = _source("page.js")
    details = {"groups": detail_fields(), "pictures": [picture_details(picture) for picture in data.pictures]}
    return ENVIRONMENT.get_template("page.html").render(
        data=data,
        run_id=clean(data.run_id, 120),
        cards=cards,
        style=Markup(_source("page.css")),  # noqa: S704  (our own file)
        script=Markup(script),  # noqa: S704  (our own file)
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii"),
        details=script_json(details),
        status=_status(data),
        errors=[(words(stage.stage), clean(stage.error)) for stage in _single_stages(data.stages) if stage.error],
        headline=_headline(data),
        meta=_meta(data),
        flows=[_flow_view(flow) for flow in data.flows],
        stages=[_stage_view(stage, data.stages) for stage in data.stages],
        distributions=_distributions(data),
        reasons=_reason_groups(data),
        steps=_step_bars(data.stages),
        choices=_filter_choices(cards),
    )


def write_report(path: Path, data: ReportData) -> Path:
    """Write the page to `path` (UTF-8), making its folder; a reader never sees half a page."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    unfinished.write_text(render_report(data), encoding="utf-8")
    unfinished.replace(path)
    return path


def _source(name: str) -> str:
    assert ENVIRONMENT.loader is not None
    return ENVIRONMENT.loader.get_source(ENVIRONMENT, name)[0]


def script_json(value: object) -> Markup:
    """JSON that may stand inside a `<script>` element: it can neither end the element nor begin a comment."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704  (escaped just above)


def _status(data: ReportData) -> tuple[str, str]:
    """A class name and a word for the run as a whole."""
    statuses = {stage.status for stage in data.stages}
    if "failed" in statuses:
        return "bad", "Failed"
    if "running" in statuses:
        return "warn", "Running"
    if not statuses:
        return "warn", "No stages recorded"
    if data.publication is not None and data.publication.run_id == data.run_id:
        return "good", f"Published as #{data.publication.publication_id}"
    return "good", "Succeeded"


def _single_stages(stages: Sequence[StageRun]) -> list[StageRun]:
    """Without the nightly row, which sums up the others."""
    return [stage for stage in stages if stage.stage != "nightly"] or list(stages)


def _headline(data: ReportData) -> list[tuple[str, str]]:
    figures = []
    extract = next((stage for stage in data.stages if stage.stage == "extract"), None)
    if extract is not None:
        if "extracted" in extract.counts:
            figures.append((number(extract.counts["extracted"]), "pictures looked at"))
        if extract.images_per_second is not None:
            figures.append((format_rate(extract.images_per_second), "pictures per second"))
        if extract.bytes_read is not None:
            figures.append((file_size(extract.bytes_read), "read"))
    figures.append((number(data.picture_count), "distinct pictures described"))
    figures.append((number(sum(data.quarantine_counts.values())), "in quarantine"))
    return figures


def _meta(data: ReportData) -> list[tuple[str, str]]:
    stages = data.stages
    meta = []
    if stages:
        whole = next((stage.seconds for stage in stages if stage.stage == "nightly"), None)
        seconds = whole or sum(stage.seconds or 0.0 for stage in stages)
        meta.append(("Started", utc_time(min(stage.started_at for stage in stages))))
        meta.append(("Took", format_duration(seconds)))
    for label, name in (("Bundle", "bundle_version"), ("Code", "git_sha"), ("Feed", "input_snapshot")):
        value = next((getattr(stage, name) for stage in stages if getattr(stage, name)), None)
        if value:
            meta.append((label, clean(value[:12] if name == "git_sha" else value, 200)))
    return meta


def _flow_view(flow: Flow) -> dict[str, Any]:
    total = max(flow.total, sum(part.count for part in flow.parts), 1)
    parts = [
        {
            "name": words(_outcome(part.name)),
            "kind": _outcome(part.name),
            "count": number(part.count),
            "flex": part.count / total,
        }
        for part in flow.parts
    ]
    missing = max(0, flow.difference)
    return {
        "title": flow.title,
        "total": number(flow.total),
        "parts": parts,
        "difference": flow.difference,
        "missing_flex": missing / total,
        "sum": " + ".join(number(part.count) for part in flow.parts) or "0",
    }


def _outcome(key: str) -> str:
    """The outcome that a count is of: "rows_inserted" -> "inserted"."""
    return key.removeprefix("rows_").removeprefix("images_")


def _stage_view(stage: StageRun, stages: Sequence[StageRun]) -> dict[str, Any]:
    longest = max((other.seconds or 0.0 for other in _single_stages(stages)), default=0.0)
    kind = {"succeeded": "good", "failed": "bad"}.get(stage.status, "warn")
    return {
        "name": words(stage.stage),
        "status": words(stage.status),
        "kind": kind,
        "time": "" if stage.seconds is None else format_duration(stage.seconds),
        "share": min(1.0, (stage.seconds or 0.0) / longest) if longest else 0.0,
        "rate": "" if stage.images_per_second is None else format_rate(stage.images_per_second),
        "counts": [(words(key), number(count), not count) for key, count in ordered_counts(stage.counts).items()],
    }


def _distributions(data: ReportData) -> list[dict[str, Any]]:
    shown = []
    for name, title in (
        ("category", "Category"),
        ("color", "Main color"),
        ("pattern", "Pattern"),
        ("shape", "Shape"),
        ("quality", "Quality"),
    ):
        shares = data.distributions.get(name, ())
        if shares:
            shown.append({"name": name, "title": title, "bars": _value_bars(name, shares)})
    return shown


def _value_bars(name: str, shares: Sequence[Share]) -> list[Bar]:
    total = sum(share.count for share in shares)
    if name == "quality":
        shares = sorted(shares, key=lambda share: share.value or "", reverse=True)
    shown, rest = list(shares[:BARS_SHOWN]), list(shares[BARS_SHOWN:])
    longest = max([share.count for share in shown], default=1)
    bars = [_value_bar(name, share, longest, total) for share in shown]
    if rest:
        count = sum(share.count for share in rest)
        bars.append(Bar(f"{len(rest)} more", "", _count_text(count, total), None))
    return bars


def _count_text(count: int, total: int) -> str:
    return f"{count:,} · {percent(count / total)}"


def _value_bar(name: str, share: Share, longest: int, total: int) -> Bar:
    value = share.value
    label, label_zh, color = words(value or "not sure"), "", None
    if name == "category":
        label, label_zh, _ = category_names(value)
    elif name == "color" and value:
        known = find_color(value)
        label_zh, color = (known.name_zh, hex_color(known.hex)) if known else ("", None)
    elif name == "quality" and value is not None:
        label = f"{int(value) / 10:.1f} to {(int(value) + 1) / 10:.1f}"
    filter_value = "" if name in ("shape", "quality") else (value or ("unsure" if name == "category" else ""))
    return Bar(label, label_zh, _count_text(share.count, total), share.count / longest, filter_value, color)


def _reason_groups(data: ReportData) -> list[ReasonGroup]:
    entries: dict[str, list[QuarantineEntry]] = {}
    for entry in data.quarantine:
        entries.setdefault(entry.reason, []).append(entry)
    counts = dict(data.quarantine_counts) or {reason: len(found) for reason, found in entries.items()}
    groups = []
    for code, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        known = Reason(code) if code in Reason.__members__.values() else None
        groups.append(
            ReasonGroup(
                reason=code,
                count=count,
                retryable=known.retryable if known else any(entry.retryable for entry in entries.get(code, [])),
                explanation=known.explanation if known else "A reason this version does not know.",
                entries=tuple(entries.get(code, [])),
            )
        )
    return groups


def _step_bars(stages: Sequence[StageRun]) -> list[Bar]:
    steps: Mapping[str, float] = next((stage.step_ms for stage in stages if stage.step_ms), {})
    comments = {field.name: field.comment for field in STEP_MILLISECONDS.fields}
    order = {name: position for position, name in enumerate(comments)}
    longest = max(steps.values(), default=0.0) or 1.0
    return [
        Bar(words(name), "", f"{value:,.1f} ms", value / longest, comment=comments.get(name, ""))
        for name, value in sorted(steps.items(), key=lambda item: order.get(item[0], len(order)))
    ]


def _filter_choices(cards: Sequence[CardView]) -> dict[str, Any]:
    """Values to filter by that at least one picture on the page has, with how many have it."""
    departments: dict[str, Counter[str]] = {}
    for card in cards:
        if card.category_path:
            departments.setdefault(card.category_path.split("/")[0], Counter())[card.category_path] += 1
    return {
        "departments": [
            {
                "path": department,
                "name": category_names(department)[0],
                "count": sum(paths.values()),
                "types": sorted((category_names(path)[0], path, count) for path, count in paths.items()),
            }
            for department, paths in sorted(departments.items())
        ],
        "unsure": sum(not card.category_path for card in cards),
        "colors": sorted(Counter(card.color for card in cards if card.color).items()),
        "patterns": sorted(Counter(card.pattern for card in cards if card.pattern).items()),
        "flags": sum(bool(card.flags) for card in cards),
        "new": sum(card.is_new for card in cards),
    }
