"""The promotion gate: compares a candidate's figures with the champion's and says of each whether it will do.

Figures are compared only where both were measured on the very same pictures: same SHA-256 of the labels file and same
split. What the manifests state of the bundles themselves (int8 against fp32, milliseconds per image) is compared too,
and the size of their files.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from models.bundle import Bundle
from models.evaluation import Evaluation
from models.tolerances import DEFAULT_TOLERANCES, Tolerance, tolerance_for

BUNDLE_FIGURES = "bundle"
"""Where a figure comes from when it is the manifest's, and the prefix of its name."""


class EvaluationError(ValueError):
    """A metrics file cannot be used by the gate. Names the file and what it lacks."""


@dataclass(frozen=True)
class Measured:
    """Figures of one bundle on some pictures.

    Args:
        origin: the file, for messages.
        bundle: `name@version` that was measured.
        bundle_sha256: identity of its content.
        labels: names of the labels files, to show.
        pictures: what decides which pictures they were: labels files by SHA-256, split, limit and seed of the draw.
        figures: numbers by dotted path.
    """

    origin: str
    bundle: str
    bundle_sha256: str
    labels: str
    pictures: Mapping[str, Any]
    figures: Mapping[str, float]

    @property
    def key(self) -> str:
        """Same for figures that may be compared: same labels files by content, same split, same draw."""
        return hashlib.sha256(json.dumps(self.pictures, sort_keys=True).encode()).hexdigest()[:24]

    @property
    def measured_on(self) -> str:
        """To show: the labels file and the split."""
        return f"{self.labels} {self.pictures.get('split') or 'all splits'}"

    @property
    def identity(self) -> str:
        """To show where two sets of pictures differ."""
        digests = ", ".join(f"{digest[:12]}..." for digest in self.pictures["labels_sha256"])
        drawn = f", {self.pictures['limit']} drawn" if self.pictures.get("limit") else ""
        return f"{self.measured_on} (SHA-256 {digests}{drawn})"

    def to_bytes(self) -> bytes:
        """What the gate needs of it, in a form that `read_measured` reads."""
        names = ("bundle", "bundle_sha256", "labels", "pictures", "figures")
        return json.dumps({name: getattr(self, name) for name in names}, indent=1).encode()


@dataclass(frozen=True)
class GateLine:
    """One figure.

    Args:
        measured_on: labels file and split, or `bundle`.
        metric: dotted path.
        champion: the champion's figure, None when it has none.
        candidate: the candidate's, None when it has none.
        allowed: the bound that decides, in words.
        passed: whether the candidate's figure will do.
    """

    measured_on: str
    metric: str
    champion: float | None
    candidate: float | None
    allowed: str
    passed: bool

    def __str__(self) -> str:
        figures = f"{number_text(self.candidate)} (champion {number_text(self.champion)})"
        return f"{self.measured_on}: {self.metric} {figures}, {self.allowed}"


@dataclass(frozen=True)
class GateReport:
    """What the gate found.

    Args:
        lines: every figure that a tolerance covers.
        problems: why figures could not be compared at all.
        uncovered: figures that no tolerance covers.
    """

    lines: tuple[GateLine, ...]
    problems: tuple[str, ...]
    uncovered: int

    @property
    def findings(self) -> tuple[str, ...]:
        """What speaks against promotion, one line each."""
        return (*self.problems, *(str(line) for line in self.lines if not line.passed))

    @property
    def passed(self) -> bool:
        """Whether nothing does."""
        return not self.findings


def judge(
    candidate: Bundle,
    evaluations: Sequence[Measured],
    champion: Bundle | None,
    champion_evaluations: Sequence[Measured],
    tolerances: Sequence[Tolerance] = (),
) -> GateReport:
    """Compare a candidate with the champion.

    Args:
        candidate: the bundle to be promoted.
        evaluations: its metrics.
        champion: the bundle that the alias points at; None for a first promotion, which only has to keep the absolute
            limits.
        champion_evaluations: the champion's metrics; those on other pictures are not looked at.
        tolerances: looked at before the defaults.
    """
    rules = (*tolerances, *DEFAULT_TOLERANCES)
    problems = list(_strangers(candidate, evaluations))
    if not evaluations:
        problems.append(f"there are no metrics of {candidate.version_id}: run `vitrine evaluate` and give --metrics")
    known = {one.key: one for one in champion_evaluations} if champion else {}
    problems += _strangers(champion, list(known.values())) if champion else ()
    lines: list[GateLine] = []
    uncovered = 0
    for evaluation in evaluations:
        counterpart = known.get(evaluation.key)
        if champion is not None and counterpart is None:
            problems.append(_incomparable(evaluation, champion, champion_evaluations))
        found, left = _compare(
            evaluation.measured_on, evaluation.figures, counterpart.figures if counterpart else {}, rules
        )
        lines += found
        uncovered += left
    found, _ = _compare(BUNDLE_FIGURES, bundle_figures(candidate), bundle_figures(champion) if champion else {}, rules)
    return GateReport((*lines, *found), tuple(problems), uncovered)


def bundle_figures(bundle: Bundle) -> dict[str, float]:
    """Figures of the bundle itself: `bundle.<path in the manifest's metrics>`, `bundle.bytes`, and what int8 lost.

    Where the metrics hold an accuracy as `<path>.fp32` and `<path>.int8`, `<path>.loss` is their difference.
    """
    size = sum(len(content) for content in bundle.files.values())
    figures = flatten({BUNDLE_FIGURES: {**bundle.manifest.metrics, "bytes": size}})
    for name, value in list(figures.items()):
        place, _, precision = name.rpartition(".")
        if precision == "fp32" and f"{place}.int8" in figures:
            figures[f"{place}.loss"] = value - figures[f"{place}.int8"]
    return figures


def flatten(document: Mapping[str, Any], prefix: str = "") -> dict[str, float]:
    """Every number of nested objects by its dotted path; lists, texts and flags are left out."""
    figures: dict[str, float] = {}
    for name, value in document.items():
        path = f"{prefix}{name}"
        if isinstance(value, Mapping):
            figures |= flatten(value, f"{path}.")
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            figures[path] = float(value)
    return figures


def _strangers(bundle: Bundle, evaluations: Sequence[Measured]) -> list[str]:
    return [
        f"{one.origin} was measured on {one.bundle} ({one.bundle_sha256[:12]}...), not on {bundle.version_id} "
        f"({bundle.sha256[:12]}...): evaluate the bundle itself"
        for one in evaluations
        if one.bundle_sha256 != bundle.sha256
    ]


def _incomparable(evaluation: Measured, champion: Bundle, others: Sequence[Measured]) -> str:
    return (
        f"the champion {champion.version_id} was not measured on {evaluation.identity} but on "
        f"{'; '.join(one.identity for one in others) or 'nothing'}: run `vitrine evaluate` of it on the same labels "
        "file and split, and give --champion-metrics"
    )


def _compare(
    measured_on: str, candidate: Mapping[str, float], champion: Mapping[str, float], rules: Sequence[Tolerance]
) -> tuple[list[GateLine], int]:
    lines, uncovered = [], 0
    for metric in dict.fromkeys((*candidate, *champion)):
        rule = tolerance_for(metric, rules)
        neighbor = f"{metric.rpartition('.')[0]}.images"
        images = min(figures.get(neighbor, math.inf) for figures in (candidate, champion))
        missing = metric not in candidate
        if rule is None or images < rule.least_images or (missing and rule.may_be_missing):
            uncovered += 1
            continue
        lines.append(_line(measured_on, metric, champion.get(metric), candidate.get(metric), rule, images))
    return lines, uncovered


def _line(
    measured_on: str, metric: str, champion: float | None, candidate: float | None, rule: Tolerance, images: float
) -> GateLine:
    if candidate is None:
        return GateLine(measured_on, metric, champion, None, "must not be missing", passed=False)
    # Rounding in the metrics files must not decide.
    slack = 1e-9 * max(1.0, abs(candidate))
    higher = rule.better == "higher"
    most = rule.most if rule.most is None else max(rule.most, rule.grace_images / images)
    bounds = [(rule.least, True), (most, False)]
    if rule.max_drop is not None and champion is not None and math.isfinite(champion):
        drop = rule.max_drop * abs(champion) if rule.relative else rule.max_drop
        bounds.append((champion - drop if higher else champion + drop, higher))
    floors = [bound for bound, is_floor in bounds if is_floor and bound is not None]
    ceilings = [bound for bound, is_floor in bounds if not is_floor and bound is not None]
    said, passed = [], math.isfinite(candidate)
    if floors:
        said.append(f"at least {number_text(max(floors))}")
        passed = passed and candidate >= max(floors) - slack
    if ceilings:
        said.append(f"at most {number_text(min(ceilings))}")
        passed = passed and candidate <= min(ceilings) + slack
    return GateLine(measured_on, metric, champion, candidate, ", ".join(said) or "no champion to compare with", passed)


def number_text(value: float | None) -> str:
    """A figure as people read it; `none` for None."""
    if value is None:
        return "none"
    if math.isfinite(value) and value == int(value):
        return f"{int(value):,}"
    return f"{value:.4f}".rstrip("0") if abs(value) < 10 else f"{value:,.1f}"


def read_measured(content: bytes, origin: str) -> Measured:
    """Read a `metrics.json` of `vitrine evaluate`, or what `Measured.to_bytes` wrote.

    Raises:
        EvaluationError: it is neither.
    """
    try:
        document = json.loads(content)
        if isinstance(document, dict) and "figures" in document:
            return Measured(origin=origin, **document)
        record = Evaluation.model_validate(document)
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise EvaluationError(f"metrics file {origin} is not JSON ({error})") from error
    except (TypeError, ValidationError) as error:
        first = str(error).splitlines()[0]
        raise EvaluationError(f"metrics file {origin} is no metrics.json of `vitrine evaluate` ({first})") from error
    drawn = {"limit": record.options.limit, "seed": record.options.seed} if record.options.limit else {}
    return Measured(
        origin=origin,
        bundle=record.bundle.id,
        bundle_sha256=record.bundle.sha256,
        labels=", ".join(record.data.labels),
        pictures={"labels_sha256": sorted(record.data.labels_sha256), "split": record.options.split, **drawn},
        figures=record.figures(),
    )
