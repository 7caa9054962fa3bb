"""Engine: hnswlib's HNSW graph."""

from __future__ import annotations

import hnswlib
import numpy as np

from benchmarks.similar.contest import NEIGHBORS, Answer, run
from benchmarks.similar.vectors import Floats


def build(vectors: Floats) -> Answer:
    """M 16, the usual breadths."""
    index = hnswlib.Index(space="ip", dim=vectors.shape[1])
    index.init_index(max_elements=len(vectors), M=16, ef_construction=80)
    index.set_num_threads(1)
    index.add_items(vectors)
    index.set_ef(96)
    return lambda asked: index.knn_query(vectors[asked], k=NEIGHBORS)[0].astype(np.int64)


if __name__ == "__main__":
    run("hnswlib HNSW, M 16", build)
