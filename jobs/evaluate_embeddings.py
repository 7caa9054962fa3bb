"""What the embedding is good for: finding the same product type, and telling new types from a few examples."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from jobs.evaluate_measured import Measured
from models.category_space import cut, index_of
from models.evaluation import FewShotRecord, RetrievalRecord
from models.label_space import HELD_OUT_TYPES
from models.retrieval import few_shot_scores, first_of_each, retrieval_scores

WAYS = 5
SHOTS = (1, 5, 10)

_TYPE_DEPTH = 3


def retrieval_record(measured: Measured) -> RetrievalRecord | None:
    """Leave-one-out retrieval over distinct pictures that are labelled by type or variety; None when none has a twin
    in kind.
    """
    nodes = [node if node and cut(node, _TYPE_DEPTH) else None for node in measured.answers.nodes]
    embeddings, kinds = _distinct(measured, nodes)
    scores = retrieval_scores(embeddings, kinds)
    if scores is None:
        return None
    return RetrievalRecord(
        queries=scores.queries,
        gallery=scores.gallery,
        recall_at_1=scores.recall[1],
        recall_at_5=scores.recall[5],
        recall_at_10=scores.recall[10],
        mean_average_precision=scores.mean_average_precision,
    )


def few_shot_records(measured: Measured, seed: int) -> list[FewShotRecord]:
    """Few-shot scores on types that the bundle does not know, for as many shots as there are pictures."""
    embeddings, kinds = _distinct(measured, _unseen_types(measured))
    records = []
    for shots in SHOTS:
        scores = few_shot_scores(embeddings, kinds, WAYS, shots, seed=seed)
        if scores is not None:
            records.append(
                FewShotRecord(
                    ways=scores.ways,
                    shots=scores.shots,
                    accuracy=scores.accuracy,
                    interval=scores.interval,
                    episodes=scores.episodes,
                    types=scores.classes,
                )
            )
    return records


def few_shot_types(measured: Measured) -> dict[str, int]:
    """The unseen types with their distinct pictures, most first."""
    first = first_of_each(measured.predictions.contents)
    types = _unseen_types(measured)
    return dict(Counter(path for index in first if (path := types[index]) is not None).most_common())


def _unseen_types(measured: Measured) -> list[str | None]:
    """Type of each picture whose type the bundle does not know; the held-out types alone where there are enough."""
    types = [node and cut(node, _TYPE_DEPTH) for node in measured.answers.nodes]
    unseen = [path if path and not measured.space.space.knows(path) else None for path in types]
    held_out = [path if path in HELD_OUT_TYPES else None for path in unseen]
    return held_out if len(set(held_out) - {None}) >= WAYS else unseen


def _distinct(measured: Measured, kinds: list[str | None]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Embeddings and kind indices of distinct contents that have a kind."""
    first = first_of_each(measured.predictions.contents)
    kept = np.array([index for index in first if kinds[index] is not None], dtype=np.int64)
    names = sorted({kind for kind in kinds if kind is not None})
    return measured.predictions.embeddings[kept], index_of([kinds[index] for index in kept], names)
