"""Engine: faiss' inverted file, query by query."""

from __future__ import annotations

import faiss

from benchmarks.similar.contest import NEIGHBORS, Answer, run
from benchmarks.similar.vectors import Floats


def build(vectors: Floats) -> Answer:
    """Cells of about 200 vectors, 8 of which are looked at."""
    index = faiss.index_factory(vectors.shape[1], f"IVF{len(vectors) // 200},Flat", faiss.METRIC_INNER_PRODUCT)
    index.train(vectors)
    index.add(vectors)
    index.nprobe = 8
    return lambda asked: index.search(vectors[asked], NEIGHBORS)[1]


if __name__ == "__main__":
    run("faiss IVF, nprobe 8", build)
