"""From the probabilities of attribute heads to stated attributes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.bundle import Bundle
from models.manifest import Task

Floats: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True)
class ModelAttribute:
    """What a head says of one picture; the fields of a struct in `image_attributes.model_attributes`.

    Args:
        attribute: the head: color, pattern, gender, ...
        value: its most probable label.
        confidence: the label's probability, calibrated on validation pictures.
        is_stated: whether the confidence reaches the head's threshold; below it the value is a guess.
    """

    attribute: str
    value: str
    confidence: float
    is_stated: bool


class AttributeReader:
    """Reads the attribute heads of a bundle's task."""

    def __init__(self, bundle: Bundle, task: Task) -> None:
        self._heads = tuple((head.name, bundle.labels(head), head.threshold) for head in task.heads)

    def read(self, heads: Mapping[str, Floats]) -> list[tuple[ModelAttribute, ...]]:
        """Attributes of each row.

        Args:
            heads: probabilities (N, labels) by head, all of the same N; empty for a bundle without heads.

        Returns:
            N tuples, one attribute per head in the bundle's order; an empty list without heads.
        """
        columns = []
        for name, labels, threshold in self._heads:
            best = heads[name].argmax(axis=1)
            scores = heads[name][np.arange(len(best)), best]
            columns.append(
                [
                    ModelAttribute(name, labels[index], min(1.0, float(score)), bool(score >= threshold))
                    for index, score in zip(best, scores, strict=True)
                ]
            )
        return list(zip(*columns, strict=True))
