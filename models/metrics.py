"""Figures of merit of classifiers, from arrays: accuracy, macro scores, calibration, separation.

Pure numpy; nothing here knows of bundles or data sets.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.floating[Any]]
Indices: TypeAlias = NDArray[np.integer[Any]]
Booleans: TypeAlias = NDArray[np.bool_]

RELIABILITY_BINS = 15
"""Bins of the expected calibration error, as in Guo et al. 2017."""

_Z_95 = 1.959964


@dataclass(frozen=True)
class ClassScores:
    """One class: how many pictures have it, and how well it is found.

    Args:
        images: pictures whose label it is.
        precision: share of right ones among those named so; None when none was.
        recall: share found.
        f1: harmonic mean; 0 when nothing was found.
    """

    images: int
    precision: float | None
    recall: float
    f1: float


@dataclass(frozen=True)
class Scores:
    """Scores over pictures. Macro scores are means over the classes that occur among the labels.

    Args:
        images: pictures that were scored.
        accuracy: share of right answers.
        macro_precision: a class that was never named counts as 0, as in scikit-learn.
        macro_recall: balanced accuracy.
        macro_f1: mean of the classes' F1.
        per_class: by class index, only classes that occur.
    """

    images: int
    accuracy: float
    macro_precision: float
    macro_recall: float
    macro_f1: float
    per_class: dict[int, ClassScores]


@dataclass(frozen=True)
class ReliabilityBin:
    """Pictures whose confidence lies in (low, high]."""

    low: float
    high: float
    images: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class Reliability:
    """How far confidence can be taken at its word.

    Args:
        ece: expected calibration error, 0..1: mean |confidence - accuracy| over bins, weighted by their pictures.
        bins: only bins that hold pictures, from low to high confidence.
    """

    ece: float
    bins: tuple[ReliabilityBin, ...]


def classification_scores(targets: Indices, predictions: Indices) -> Scores | None:
    """Scores of predicted class indices.

    Args:
        targets: (N,) labels.
        predictions: (N,) answers; may hold classes that no label has.

    Returns:
        None for N = 0.
    """
    if not len(targets):
        return None
    per_class = {}
    for one in np.unique(targets).tolist():
        is_one, named = targets == one, predictions == one
        hits, images, answers = int((is_one & named).sum()), int(is_one.sum()), int(named.sum())
        per_class[int(one)] = ClassScores(
            images, hits / answers if answers else None, hits / images, 2 * hits / (images + answers)
        )
    classes = per_class.values()
    return Scores(
        images=len(targets),
        accuracy=float((targets == predictions).mean()),
        macro_precision=float(np.mean([one.precision or 0.0 for one in classes])),
        macro_recall=float(np.mean([one.recall for one in classes])),
        macro_f1=float(np.mean([one.f1 for one in classes])),
        per_class=per_class,
    )


def wilson_interval(right: int, images: int) -> tuple[float, float]:
    """95% interval of a share (Wilson 1927), which holds for few pictures and near 0 and 1 too.

    Args:
        right: successes.
        images: trials, at least 1.
    """
    share, squared = right / images, _Z_95**2
    center = share + squared / (2 * images)
    spread = _Z_95 * math.sqrt(share * (1 - share) / images + squared / (4 * images**2))
    low, high = ((center + sign * spread) / (1 + squared / images) for sign in (-1, 1))
    return max(0.0, low), min(1.0, high)


def reliability(confidences: Floats, right: Booleans, bins: int = RELIABILITY_BINS) -> Reliability | None:
    """Expected calibration error over bins of equal width (Naeini et al. 2015, Guo et al. 2017).

    Args:
        confidences: (N,) probability of the answer, 0..1.
        right: (N,) whether the answer is right.
        bins: how many.

    Returns:
        None for N = 0.
    """
    if not len(confidences):
        return None
    places = np.clip(np.ceil(np.asarray(confidences, np.float64) * bins).astype(int) - 1, 0, bins - 1)
    found = []
    for place in range(bins):
        inside = places == place
        if inside.any():
            found.append(
                ReliabilityBin(
                    low=place / bins,
                    high=(place + 1) / bins,
                    images=int(inside.sum()),
                    confidence=float(confidences[inside].mean(dtype=np.float64)),
                    accuracy=float(right[inside].mean()),
                )
            )
    gaps = [one.images * abs(one.confidence - one.accuracy) for one in found]
    return Reliability(sum(gaps) / len(confidences), tuple(found))


def auroc(scores: Floats, positive: Booleans) -> float | None:
    """Area under the ROC curve: how often a positive scores above a negative, ties counting half (Mann-Whitney U).

    Args:
        scores: (N,) any order-preserving score.
        positive: (N,) which are positive.

    Returns:
        None when either kind is missing.
    """
    count = int(positive.sum())
    others = len(positive) - count
    if not count or not others:
        return None
    _, inverse, sizes = np.unique(scores, return_inverse=True, return_counts=True)
    last_rank = np.cumsum(sizes)
    ranks = (last_rank - (sizes - 1) / 2)[inverse]
    return float((ranks[positive].sum() - count * (count + 1) / 2) / (count * others))


def group_sums(probabilities: Floats, groups: Sequence[Sequence[int]]) -> Floats:
    """Probability of each group of labels: (N, groups) float32 from (N, labels); a group is a list of label indices."""
    members = np.zeros((probabilities.shape[1], len(groups)), np.float32)
    for column, group in enumerate(groups):
        members[list(group), column] = 1
    return np.asarray(probabilities @ members, np.float32)


def confusion_matrix(targets: Indices, predictions: Indices, classes: int) -> NDArray[np.int64]:
    """Counts, (classes, classes) int64: labels down, answers across."""
    matrix = np.zeros((classes, classes), np.int64)
    np.add.at(matrix, (targets, predictions), 1)
    return matrix
