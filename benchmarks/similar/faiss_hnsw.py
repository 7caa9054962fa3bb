"""Engine: faiss' HNSW graph."""

from __future__ import annotations

import faiss

from benchmarks.similar.contest import NEIGHBORS, Answer, run
from benchmarks.similar.vectors import Floats


def build(vectors: Floats) -> Answer:
    """M 16, the usual breadths."""
    index = faiss.IndexHNSWFlat(vectors.shape[1], 16, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = 80
    index.add(vectors)
    index.hnsw.efSearch = 96
    return lambda asked: index.search(vectors[asked], NEIGHBORS)[1]


if __name__ == "__main__":
    run("faiss HNSW, M 16", build)
