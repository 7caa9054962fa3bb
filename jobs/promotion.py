"""Promotion: metrics and champion go to the gate, and the alias moves when it lets the candidate through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jobs.registry import Registry
from models.bundle import Bundle, BundleError
from models.gate import EvaluationError, GateReport, Measured, judge, read_measured
from models.registry import CANDIDATE, AliasChange, AliasTarget, BundleReference, RegistryError
from models.tolerances import Tolerance


class GateRefusedError(Exception):
    """The gate found the candidate wanting; nothing was changed."""

    def __init__(self, candidate: Bundle, alias: str, report: GateReport) -> None:
        self.report = report
        more = f" and {len(report.findings) - 1} more" if len(report.findings) > 1 else ""
        super().__init__(
            f"{candidate.version_id} is not promoted to {alias}: {report.findings[0]}{more}; "
            "nothing was changed (--force --reason TEXT overrules the gate)"
        )


@dataclass(frozen=True)
class Promotion:
    """A candidate, judged.

    Args:
        candidate: the bundle to be promoted.
        alias: where to.
        compared_with: the alias's target when it was judged.
        evaluations: the candidate's metrics.
        champion_evaluations: metrics of the champion that were given and are to be kept.
        report: what the gate found; None for `candidate`, which names what is still to be judged.
    """

    candidate: Bundle
    alias: str
    compared_with: AliasTarget | None
    evaluations: Sequence[Measured]
    champion_evaluations: Sequence[Measured]
    report: GateReport | None


def judge_promotion(
    registry: Registry,
    candidate: Bundle,
    alias: str,
    metrics: Sequence[Path],
    champion_metrics: Sequence[Path] = (),
    tolerances: Sequence[Tolerance] = (),
) -> Promotion:
    """Compare a candidate with what the alias points at; changes nothing.

    Args:
        registry: where the champion and its metrics are.
        candidate: a verified bundle, in the registry or not.
        alias: the alias to be moved.
        metrics: metrics files of the candidate; without any, those kept in the registry.
        champion_metrics: further metrics files of the champion.
        tolerances: looked at before the gate's defaults.

    Raises:
        EvaluationError: a metrics file is wrong.
        RegistryError: the registry is damaged.
    """
    reference = BundleReference(candidate.manifest.name, candidate.manifest.version)
    given = [_read(path) for path in metrics] or _kept(registry, reference)
    target = registry.aliases().target(alias)
    if alias == CANDIDATE:
        return Promotion(candidate, alias, target, given, (), None)
    champion, problem = _champion(registry, alias, target)
    of_champion = [_read(path) for path in champion_metrics]
    known = [*_kept(registry, BundleReference.parse(target.bundle)), *of_champion] if target else of_champion
    report = judge(candidate, given, champion, known, tolerances)
    if problem:
        report = GateReport(report.lines, (problem, *report.problems), report.uncovered)
    return Promotion(candidate, alias, target, given, of_champion, report)


def promote(
    registry: Registry, promotion: Promotion, *, reason: str | None = None, force: bool = False, who: str | None = None
) -> AliasChange:
    """Add the candidate to the registry, keep the metrics and move the alias.

    Args:
        registry: the registry that the promotion was judged with.
        promotion: from `judge_promotion`.
        reason: for the history; needed with `force`.
        force: promote although the gate refuses.
        who: for the history.

    Raises:
        GateRefusedError: the gate refuses and nobody forces it.
        RegistryError: the alias was moved since the candidate was judged.
    """
    report = promotion.report
    refused = report is not None and not report.passed
    if report is not None and refused and not force:
        raise GateRefusedError(promotion.candidate, promotion.alias, report)
    if refused and not reason:
        raise ValueError("a forced promotion needs a reason")
    candidate, compared_with = promotion.candidate, promotion.compared_with
    registry.add(candidate)
    _keep(registry, candidate.version_id, candidate.sha256, promotion.evaluations)
    if compared_with is not None:
        _keep(registry, compared_with.bundle, compared_with.sha256, promotion.champion_evaluations)
    return registry.promote(
        candidate,
        promotion.alias,
        compared_with,
        why=reason or ("passed the gate" if report is not None else "to be judged"),
        who=who,
        forced=refused,
        gate=report.findings if report is not None else (),
    )


def _champion(registry: Registry, alias: str, target: AliasTarget | None) -> tuple[Bundle | None, str | None]:
    if target is None:
        return None, None
    try:
        return registry.resolve(alias), None
    except (BundleError, RegistryError) as error:
        return None, f"the present {alias} cannot be compared with: {error}"


def _read(path: Path) -> Measured:
    try:
        return read_measured(path.read_bytes(), str(path))
    except OSError as error:
        raise EvaluationError(f"metrics file {path} cannot be read: {error.strerror}; check the path") from error


def _kept(registry: Registry, reference: BundleReference) -> list[Measured]:
    return [read_measured(content, origin) for origin, content in registry.evaluations(reference)]


def _keep(registry: Registry, bundle: str, sha256: str, evaluations: Sequence[Measured]) -> None:
    for evaluation in evaluations:
        if evaluation.bundle_sha256 == sha256:
            registry.keep_evaluation(BundleReference.parse(bundle), evaluation.key, evaluation.to_bytes())
