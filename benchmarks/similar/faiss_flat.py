"""Engine: every vector with every other by faiss, which keeps the best while it multiplies."""

from __future__ import annotations

import faiss

from benchmarks.similar.contest import NEIGHBORS, Answer, run
from benchmarks.similar.vectors import Floats


def build(vectors: Floats) -> Answer:
    """Nothing to build."""
    return lambda asked: faiss.knn(vectors[asked], vectors, NEIGHBORS, metric=faiss.METRIC_INNER_PRODUCT)[1]


if __name__ == "__main__":
    run("faiss flat", build)
