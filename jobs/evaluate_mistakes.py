"""What goes wrong: which types are taken for which, and the surest wrong answers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from jobs.evaluate_measured import Measured
from models.category_space import index_of
from models.evaluation import ConfusionRecord, MatrixRecord, MistakeRecord
from models.metrics import confusion_matrix as count_confusions

CONFUSIONS = 24
MATRIX_TYPES = 14
MISTAKES_PER_HEAD = 24

_TYPE = "type"
_CATEGORY = "category"


@dataclass(frozen=True)
class _Answer:
    """One picture's answer by one head."""

    index: int
    label: str
    answer: str
    confidence: float


def confusions(measured: Measured) -> list[ConfusionRecord]:
    """The most frequent kinds of mistakes at type level, each with its surest example."""
    answers = _category_answers(measured)
    images = Counter(one.label for one in answers)
    wrong = [one for one in answers if one.label != one.answer]
    kinds = Counter((one.label, one.answer) for one in wrong)
    surest: dict[tuple[str, str], _Answer] = {}
    for one in sorted(wrong, key=lambda one: one.confidence):
        surest[one.label, one.answer] = one
    return [
        ConfusionRecord(
            label=label,
            answer=answer,
            images=count,
            share=count / images[label],
            example=measured.predictions.images[surest[label, answer].index].image_path,
        )
        for (label, answer), count in sorted(kinds.items(), key=lambda item: (-item[1], item[0]))[:CONFUSIONS]
    ]


def confusion_matrix(measured: Measured) -> MatrixRecord:
    """Counts among the types that take part in most mistakes."""
    answers = _category_answers(measured)
    mistaken: Counter[str] = Counter()
    for one in answers:
        if one.label != one.answer:
            mistaken.update((one.label, one.answer))
    # Neighbors in the taxonomy stand side by side, where most confusions are.
    types = sorted(sorted(mistaken, key=lambda label: (-mistaken[label], label))[:MATRIX_TYPES])
    labels, named = (index_of([getattr(one, side) for one in answers], types) for side in ("label", "answer"))
    inside = (labels >= 0) & (named >= 0)
    return MatrixRecord(labels=types, counts=count_confusions(labels[inside], named[inside], len(types)).tolist())


def mistakes(measured: Measured) -> list[MistakeRecord]:
    """The surest wrong answers: of the category at type level first, then of each attribute head."""
    found = [(_CATEGORY, _category_answers(measured))]
    for head in measured.bundle.task("classify").heads:
        names, labels = measured.bundle.labels(head), measured.head_labels(head.name)
        found.append((head.name, _answers(measured.predictions.heads[head.name], names, labels)))
    records = []
    for head_name, answers in found:
        wrong = sorted(
            (one for one in answers if one.label != one.answer), key=lambda one: (-one.confidence, one.index)
        )
        for one in wrong[:MISTAKES_PER_HEAD]:
            image = measured.predictions.images[one.index]
            records.append(
                MistakeRecord(
                    image_path=image.image_path,
                    dataset=image.dataset,
                    head=head_name,
                    label=one.label,
                    answer=one.answer,
                    confidence=min(1.0, one.confidence),
                )
            )
    return records


def _category_answers(measured: Measured) -> list[_Answer]:
    return _answers(*measured.answers.level(_TYPE))


def _answers(
    probabilities: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
    names: tuple[str, ...],
    labels: list[str | None],
) -> list[_Answer]:
    """Answers of the pictures whose label the bundle knows."""
    known = index_of(labels, names) >= 0
    if not known.any():
        return []
    best = probabilities.argmax(axis=1)
    return [
        _Answer(index, str(labels[index]), names[best[index]], float(probabilities[index, best[index]]))
        for index in np.flatnonzero(known).tolist()
    ]
