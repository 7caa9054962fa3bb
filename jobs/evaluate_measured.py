"""Pictures with what a bundle says of them and what their labels mean: where every part of an evaluation starts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.bundle import Bundle
from models.category_scores import CategoryAnswers
from models.category_space import CategorySpace
from models.label_space import ResolvedLabels, resolve
from models.predict import Predictions
from udfs.classify import CategoryReader


@dataclass(frozen=True)
class Measured:
    """Pictures, predictions and labels, row by row.

    Args:
        bundle: the bundle.
        space: its nodes.
        predictions: what it says.
        labels: (N) what the labels mean.
        answers: the category head's answers.
    """

    bundle: Bundle
    space: CategorySpace
    predictions: Predictions
    labels: tuple[ResolvedLabels, ...]
    answers: CategoryAnswers

    @classmethod
    def of(cls, bundle: Bundle, predictions: Predictions) -> Measured:
        """Resolve the labels of predictions."""
        space = CategorySpace.from_bundle(bundle)
        reader = CategoryReader.from_bundle(bundle, bundle.task("classify"))
        labels = tuple(resolve(image) for image in predictions.images)
        nodes, datasets = [one.node for one in labels], [image.dataset for image in predictions.images]
        answers = CategoryAnswers.read(space, reader, predictions.probabilities, nodes, datasets)
        return cls(bundle, space, predictions, labels, answers)

    def select(self, mask: NDArray[np.bool_]) -> Measured:
        """The pictures of a (N,) mask."""
        labels = tuple(self.labels[index] for index in np.flatnonzero(mask))
        return Measured(self.bundle, self.space, self.predictions.select(mask), labels, self.answers.select(mask))

    def head_labels(self, head: str) -> list[str | None]:
        """Label of each picture for an attribute head."""
        return [one.attributes.get(head) for one in self.labels]
