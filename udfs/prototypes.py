"""Recognizes enrolled types by their prototypes, beside the types that the category head knows.

The rule. A picture's *score* for an enrolled type is its cosine to the nearest prototype, less half its cosine to the
nearest known type's mean. At or above the type's threshold it is a claim, and a logistic curve turns score into
confidence; of several claims the surest counts. A claim's confidence c becomes the enrolled type's probability, and
the probabilities of the head are scaled by 1 - c. So a claim wins over the head's best type where c > (1 - c) p, and
what is stated follows from the bundle's thresholds as for every other type. Pictures without a claim keep the head's
probabilities bit by bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.prototypes import KNOWN_WEIGHT, EmbeddingReference, PrototypeTable

Floats: TypeAlias = NDArray[np.float32]

# However sure a claim is, the head keeps a word.
_MOST_CONFIDENCE = 0.999


@dataclass(frozen=True)
class PrototypeReader:
    """Enrolled types, ready for use.

    Args:
        vectors: prototypes (P, D) of unit length by type.
        thresholds: (T,) least score.
        slopes: (T,) of the logistic curves.
        offsets: (T,) of the logistic curves.
        centers: (L, D) means of the known types, of unit length.
    """

    vectors: tuple[Floats, ...]
    thresholds: Floats
    slopes: Floats
    offsets: Floats
    centers: Floats

    @classmethod
    def from_table(cls, table: PrototypeTable, reference: EmbeddingReference) -> PrototypeReader:
        """The reader for a bundle's side files."""

        def column(name: str) -> Floats:
            return np.array([getattr(one, name) for one in table.types], np.float32)

        vectors = tuple(one.vectors() for one in table.types)
        return cls(vectors, column("threshold"), column("slope"), column("offset"), reference.centers())

    def scores(self, embeddings: Floats) -> Floats:
        """Scores (N, T) of unit embeddings (N, D)."""
        known = nearest_known(embeddings, self.centers)
        return np.stack([claim_scores(embeddings, vectors, known) for vectors in self.vectors], axis=1)

    def confidences(self, embeddings: Floats) -> Floats:
        """Confidence (N, T) in each enrolled type: 0 without a claim, and for all but the surest claim of a row."""
        above = self.scores(embeddings) - self.thresholds
        confidences = np.where(above >= 0, logistic(self.slopes * above + self.offsets), 0.0)
        surest = confidences.max(axis=1, keepdims=True)
        first = np.cumsum(confidences == surest, axis=1) == 1
        return np.asarray(np.where(first & (confidences == surest), confidences, 0.0), np.float32)

    def extend(self, probabilities: Floats, embeddings: Floats) -> Floats:
        """Probabilities over the head's labels and the enrolled types.

        Args:
            probabilities: (N, labels) float32 of the category head.
            embeddings: (N, D) float32 of unit length.

        Returns:
            (N, labels + T) float32.
        """
        confidences = np.minimum(self.confidences(embeddings), np.float32(_MOST_CONFIDENCE))
        rest = np.float32(1) - confidences.sum(axis=1, keepdims=True)
        return np.asarray(np.concatenate([probabilities * rest, confidences], axis=1), np.float32)


def nearest_known(embeddings: Floats, centers: Floats) -> Floats:
    """Cosine (N,) to the nearest of the known types' means (L, D)."""
    return np.asarray((embeddings @ centers.T).max(axis=1), np.float32)


def claim_scores(embeddings: Floats, vectors: Floats, known: Floats) -> Floats:
    """Score (N,) for one type: cosine to its nearest prototype, less half the cosine to the nearest known type."""
    return np.asarray((embeddings @ vectors.T).max(axis=1) - np.float32(KNOWN_WEIGHT) * known, np.float32)


def logistic(values: Floats) -> Floats:
    """1 / (1 + exp(-x)) without overflow."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * values)), np.float32)
