"""Figures of merit of embeddings: retrieval of the same product type, and few-shot classification."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.floating[Any]]
Indices: TypeAlias = NDArray[np.integer[Any]]

RECALL_AT = (1, 5, 10)
EPISODES = 600
QUERIES_PER_CLASS = 15

# Similarities of this many queries are held at a time.
_BLOCK = 512


@dataclass(frozen=True)
class RetrievalScores:
    """Leave-one-out retrieval: each picture looks for the others.

    Args:
        queries: pictures that have at least one other of their class.
        gallery: pictures that were searched.
        recall: by k, share of queries with one of their class among the k nearest.
        mean_average_precision: mean over queries of the precision at each relevant rank of the whole ranking.
    """

    queries: int
    gallery: int
    recall: dict[int, float]
    mean_average_precision: float


@dataclass(frozen=True)
class FewShotScores:
    """Episodes of classification from a few examples.

    Args:
        ways: classes per episode.
        shots: examples per class.
        accuracy: mean over episodes.
        interval: half width of its 95% interval (1.96 standard errors over episodes).
        episodes: how many.
        classes: classes with enough pictures to take part.
    """

    ways: int
    shots: int
    accuracy: float
    interval: float
    episodes: int
    classes: int


def first_of_each(contents: Sequence[Hashable]) -> Indices:
    """Indices of the first picture of each content: exact duplicates would find each other."""
    first: dict[Hashable, int] = {}
    for index, content in enumerate(contents):
        first.setdefault(content, index)
    return np.array(list(first.values()), dtype=np.int64)


def retrieval_scores(embeddings: Floats, classes: Indices) -> RetrievalScores | None:
    """Rank all other pictures by cosine for each picture.

    Args:
        embeddings: (N, D) of unit length, without exact duplicates (see `first_of_each`).
        classes: (N,) class of each; the same class is relevant.

    Returns:
        None when no picture has another of its class.
    """
    count = len(classes)
    hits: dict[int, int] = dict.fromkeys(RECALL_AT, 0)
    precisions: list[float] = []
    ranks = np.arange(1, count)
    for start in range(0, count, _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, count))
        similarity = embeddings[rows] @ embeddings.T
        similarity[rows - start, rows] = -np.inf
        order = np.argsort(-similarity, axis=1, kind="stable")[:, :-1]
        relevant = classes[order] == classes[rows, None]
        found = relevant.sum(axis=1)
        relevant, found = relevant[found > 0], found[found > 0]
        for k in RECALL_AT:
            hits[k] += int(relevant[:, :k].any(axis=1).sum())
        precision = np.cumsum(relevant, axis=1) / ranks
        precisions.extend(((precision * relevant).sum(axis=1) / found).tolist())
    if not precisions:
        return None
    recall = {k: hits[k] / len(precisions) for k in RECALL_AT}
    return RetrievalScores(len(precisions), count, recall, float(np.mean(precisions)))


def few_shot_scores(
    embeddings: Floats, classes: Indices, ways: int = 5, shots: int = 5, episodes: int = EPISODES, seed: int = 0
) -> FewShotScores | None:
    """Classify by the nearest prototype, the mean of a few unit embeddings (Snell et al. 2017, with cosine).

    Each episode draws `ways` classes, `shots` examples of each, and up to `QUERIES_PER_CLASS` others to classify.

    Args:
        embeddings: (N, D) of unit length, without exact duplicates.
        classes: (N,) class of each.
        ways: classes per episode.
        shots: examples per class.
        episodes: how many.
        seed: of the draw.

    Returns:
        None when fewer than `ways` classes have more than `shots` pictures.
    """
    members = [np.flatnonzero(classes == one) for one in np.unique(classes)]
    members = [pictures for pictures in members if len(pictures) > shots]
    if len(members) < ways:
        return None
    random = np.random.default_rng(seed)
    accuracies = []
    for _ in range(episodes):
        prototypes, queries, truths = [], [], []
        for way, chosen in enumerate(random.choice(len(members), ways, replace=False)):
            drawn = random.permutation(members[chosen])[: shots + QUERIES_PER_CLASS]
            prototypes.append(embeddings[drawn[:shots]].mean(axis=0))
            queries.append(drawn[shots:])
            truths.append(np.full(len(drawn) - shots, way))
        centers = np.stack(prototypes)
        centers /= np.maximum(np.linalg.norm(centers, axis=1, keepdims=True), 1e-12)
        answers = (embeddings[np.concatenate(queries)] @ centers.T).argmax(axis=1)
        accuracies.append(float((answers == np.concatenate(truths)).mean()))
    error = float(np.std(accuracies, ddof=1)) / np.sqrt(episodes) if episodes > 1 else 0.0
    return FewShotScores(ways, shots, float(np.mean(accuracies)), float(1.96 * error), episodes, len(members))
