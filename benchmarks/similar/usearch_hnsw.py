"""Engine: usearch's HNSW graph, vectors as float16."""

from __future__ import annotations

import numpy as np
from usearch.index import Index

from benchmarks.similar.contest import NEIGHBORS, Answer, run
from benchmarks.similar.vectors import Floats


def build(vectors: Floats) -> Answer:
    """M 16, the usual breadths."""
    index = Index(
        ndim=vectors.shape[1], metric="ip", dtype="f16", connectivity=16, expansion_add=80, expansion_search=96
    )
    index.add(np.arange(len(vectors)), vectors, threads=1)
    return lambda asked: index.search(vectors[asked], NEIGHBORS, threads=1).keys.astype(np.int64)


if __name__ == "__main__":
    run("usearch HNSW, M 16, f16", build)
