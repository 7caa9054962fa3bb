"""Arrays of probabilities and labels, scored as records of `models.evaluation`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.category_space import index_of
from models.evaluation import BinRecord, ClassRecord, FrequentRecord, ScoreRecord, ShareRecord
from models.metrics import classification_scores, reliability, wilson_interval

Floats: TypeAlias = NDArray[np.float32]


def score_record(probabilities: Floats, names: Sequence[str], labels: Sequence[str | None]) -> ScoreRecord:
    """Score the most probable of `names` against labels.

    Args:
        probabilities: (N, names).
        names: what the columns stand for; may be empty.
        labels: (N) label, or None where there is none.
    """
    targets = index_of(labels, names)
    labelled = np.array([label is not None for label in labels], dtype=bool)
    known = targets >= 0
    unknown = int((labelled & ~known).sum())
    right, confidences = np.zeros(0, bool), np.zeros(0, np.float32)
    scores = None
    if known.any():
        answers = probabilities[known].argmax(axis=1)
        right, confidences = answers == targets[known], probabilities[known].max(axis=1)
        scores = classification_scores(targets[known], answers)
    calibration = reliability(confidences, right)
    total = len(right) + unknown
    return ScoreRecord(
        images=len(right),
        unknown=unknown,
        classes=len(scores.per_class) if scores else 0,
        accuracy=scores.accuracy if scores else None,
        accuracy_interval=wilson_interval(int(right.sum()), len(right)) if len(right) else None,
        accuracy_of_all=float(right.sum()) / total if total else None,
        macro_precision=scores.macro_precision if scores else None,
        macro_recall=scores.macro_recall if scores else None,
        macro_f1=scores.macro_f1 if scores else None,
        ece=calibration.ece if calibration else None,
        reliability=[
            BinRecord(
                low=one.low,
                high=one.high,
                images=one.images,
                confidence=min(1.0, one.confidence),
                accuracy=one.accuracy,
            )
            for one in (calibration.bins if calibration else ())
        ],
        per_class={
            names[index]: ClassRecord(images=one.images, precision=one.precision, recall=one.recall, f1=one.f1)
            for index, one in (scores.per_class if scores else {}).items()
        },
    )


def share_record(right: NDArray[np.bool_], classes: int) -> ShareRecord:
    """Accuracy of (N,) answers that were chosen among so many labels."""
    count = len(right)
    return ShareRecord(
        images=count,
        classes=classes,
        accuracy=float(right.mean()) if count else None,
        accuracy_interval=wilson_interval(int(right.sum()), count) if count else None,
    )


def frequent_record(
    probabilities: Floats,
    names: Sequence[str],
    labels: Sequence[str | None],
    frequent: Sequence[str],
    vocabulary: Sequence[str] | None = None,
) -> FrequentRecord:
    """Accuracy on pictures of frequent labels, among all names, among a vocabulary, and among the frequent ones.

    Args:
        probabilities: (N, names).
        names: what the columns stand for.
        labels: (N) label, or None.
        frequent: the frequent labels; those that `names` lacks are counted as unknown.
        vocabulary: labels of the data sets, the frequent ones among them.
    """
    kept = sorted(set(frequent) & set(names))
    inside = np.array([label in kept for label in labels], dtype=bool)
    unknown = sum(label in set(frequent) and label not in kept for label in labels)
    chosen = probabilities[inside]
    targets = index_of([label for label, within in zip(labels, inside, strict=True) if within], names)

    def among(allowed: Sequence[str]) -> ShareRecord:
        columns = index_of(sorted(set(allowed) & set(names)), names)
        answers = columns[chosen[:, columns].argmax(axis=1)] if len(chosen) else targets
        return share_record(answers == targets, len(columns))

    return FrequentRecord(
        labels=kept,
        unknown=unknown,
        unrestricted=among(names),
        in_vocabulary=None if vocabulary is None else among(vocabulary),
        among_these=among(kept),
    )
