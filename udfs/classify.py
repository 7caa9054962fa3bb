"""From logits to the model's labels and to taxonomy paths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.bundle import Bundle, BundleError
from models.manifest import Task, Thresholds
from schemas.taxonomy import Taxonomy, TaxonomyError, load_taxonomy

Floats: TypeAlias = NDArray[np.float32]

TOP_LABELS = 5
TOP_CATEGORIES = 5
# Scores below this say nothing to a reader and only fill the table.
_LEAST_SCORE = 0.01


@dataclass(frozen=True)
class ScoredLabel:
    """One of the model's own labels with its probability."""

    label: str
    score: float


@dataclass(frozen=True)
class ScoredCategory:
    """A taxonomy path with its probability."""

    category: str
    score: float


@dataclass(frozen=True)
class Classification:
    """What one picture shows; the fields are columns of `image_attributes`.

    Args:
        category: the deepest taxonomy path that is probable enough, None when even the department is not.
        category_confidence: its probability, None without a category.
        category_candidates: best paths that labels stand for, most probable first.
        labels: the model's own best labels, most probable first.
    """

    category: str | None
    category_confidence: float | None
    category_candidates: tuple[ScoredCategory, ...]
    labels: tuple[ScoredLabel, ...]


class CategoryReader:
    """Reads probabilities over a task's labels as taxonomy paths.

    Several labels may stand for one path; their probabilities add up, and a parent's probability is the sum over its
    subtree. Labels that are no products count for nothing, so the departments' probabilities may sum to less than 1.
    """

    def __init__(
        self, labels: tuple[str, ...], label_paths: dict[str, str], thresholds: Thresholds, taxonomy: Taxonomy
    ) -> None:
        for label, path in label_paths.items():
            if path not in taxonomy:
                raise BundleError(
                    f"label {label!r} stands for {path!r}, which is not in taxonomy {taxonomy.version}; "
                    "use a bundle made for it"
                )
        self._labels = labels
        self._direct = tuple(sorted(set(label_paths.values())))
        above = {path: (*taxonomy.ancestors(path), path) for path in self._direct}
        self._all = tuple(sorted({path for line in above.values() for path in line}))
        direct_index = {path: index for index, path in enumerate(self._direct)}
        index_of = {path: index for index, path in enumerate(self._all)}
        self._to_direct = np.zeros((len(labels), len(self._direct)), np.float32)
        self._to_all = np.zeros((len(labels), len(self._all)), np.float32)
        row_of = {label: row for row, label in enumerate(labels)}
        for label, path in label_paths.items():
            self._to_direct[row_of[label], direct_index[path]] = 1
            self._to_all[row_of[label], [index_of[one] for one in above[path]]] = 1
        # Deepest level first: the most telling path that is probable enough wins.
        self._levels = tuple(
            (threshold, tuple(index for index, path in enumerate(self._all) if path.count("/") == depth))
            for depth, threshold in ((2, thresholds.type), (1, thresholds.category), (0, thresholds.department))
        )

    @classmethod
    def from_bundle(cls, bundle: Bundle, task: Task, taxonomy: Taxonomy | None = None) -> CategoryReader:
        """The reader for a bundle's task and the project's taxonomy.

        Raises:
            BundleError: the task's label files are wrong, or name a path that the taxonomy lacks.
        """
        known = taxonomy or load_taxonomy()
        if bundle.prototypes is not None:
            try:
                known = bundle.prototypes.extended(known)
            except TaxonomyError as error:
                raise BundleError(f"bundle {bundle.version_id}: an enrolled type does not fit: {error}") from error
        return cls(bundle.labels(task), bundle.label_paths(task), task.thresholds, known)

    @property
    def paths(self) -> tuple[str, ...]:
        """Every path that labels stand for, and those above them, in the order of `path_probabilities`."""
        return self._all

    def path_probabilities(self, probabilities: Floats) -> Floats:
        """Probability of each of `paths`, (N, paths) float32, from probabilities (N, labels)."""
        return probabilities @ self._to_all

    def classify(self, probabilities: Floats) -> list[Classification]:
        """Read each row of probabilities (N, labels) float32."""
        direct, every = probabilities @ self._to_direct, self.path_probabilities(probabilities)
        return [self._read(*rows) for rows in zip(probabilities, direct, every, strict=True)]

    def _read(self, probabilities: Floats, direct: Floats, every: Floats) -> Classification:
        best = self._best(every)
        return Classification(
            category=best.category if best else None,
            category_confidence=best.score if best else None,
            category_candidates=tuple(
                ScoredCategory(self._direct[index], _score(direct[index])) for index in _top(direct, TOP_CATEGORIES)
            ),
            labels=tuple(
                ScoredLabel(self._labels[index], _score(probabilities[index]))
                for index in _top(probabilities, TOP_LABELS)
            ),
        )

    def _best(self, every: Floats) -> ScoredCategory | None:
        for threshold, indices in self._levels:
            if indices:
                index = max(indices, key=lambda one: every[one])
                if every[index] >= threshold:
                    return ScoredCategory(self._all[index], _score(every[index]))
        return None


def softmax(logits: Floats, temperature: float) -> Floats:
    """Probabilities (N, labels) float32 from logits, scaled by a temperature (Guo et al. 2017)."""
    scaled = logits.astype(np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def categories_from_logits(logits: Floats, bundle: Bundle, task: Task) -> list[tuple[ScoredCategory, ...]]:
    """The best taxonomy paths of each row of logits, most probable first."""
    reader = CategoryReader.from_bundle(bundle, task)
    return [one.category_candidates for one in reader.classify(softmax(logits, task.temperature))]


def _top(scores: Floats, count: int) -> list[int]:
    order = np.argsort(-scores, kind="stable")[:count]
    return [int(index) for index in order if scores[index] >= _LEAST_SCORE]


def _score(value: np.float32) -> float:
    """Sums of float32 probabilities may exceed 1 by rounding; the table's constraint does not forgive it."""
    return min(1.0, float(value))
