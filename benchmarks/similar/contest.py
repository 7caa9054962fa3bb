"""Runs one engine: time to build, time to query, recall@10 against exact; all on one thread, in CPU seconds.

Comparing all products with all is what the index job does, so queries are products and the list they are in is left
out of the answer. Engines that answer query by query are asked a sample; the time is scaled to all products.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias, TypeVar

import faiss
import numpy as np
from numpy.typing import NDArray

from benchmarks.similar.vectors import Floats, clustered, grown

Ints: TypeAlias = NDArray[np.int64]
Answer: TypeAlias = Callable[[Ints], Ints]
"""Places (Q, K) of neighbors of products at places (Q,)."""

T = TypeVar("T")
NEIGHBORS = 76
SAMPLE = 1000


def run(engine: str, build: Callable[[Floats], Answer], *, sampled: bool = True) -> None:
    """Command line of an engine's script.

    Args:
        engine: its name.
        build: makes the index of vectors, and returns what answers queries.
        sampled: ask a sample; else all.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--vectors", type=int, default=50_000)
    parser.add_argument("--real", type=Path, help=".npy with real embeddings to grow; by default clusters are drawn")
    given = parser.parse_args()
    faiss.omp_set_num_threads(1)
    vectors = grown(given.real, given.vectors) if given.real else clustered(given.vectors)
    sample = np.sort(np.random.default_rng(7).choice(given.vectors, SAMPLE, replace=False))
    _, exact = faiss.knn(vectors[sample], vectors, 11, metric=faiss.METRIC_INNER_PRODUCT)
    answer, build_seconds = timed(lambda: build(vectors))
    asked = sample if sampled else np.arange(given.vectors)
    found, query_seconds = timed(lambda: answer(asked))
    of_sample = found if sampled else found[sample]
    result = {
        "engine": engine,
        "vectors": given.vectors,
        "data": given.real.name if given.real else "clusters",
        "build_cpu_s": round(build_seconds, 2),
        "query_all_cpu_s": round(query_seconds * given.vectors / len(asked), 2),
        "recall_at_10": round(recall(of_sample, exact, sample), 4),
    }
    sys.stdout.write(json.dumps(result) + "\n")


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """The result, and CPU seconds of this process."""
    started = time.process_time()
    done = work()
    return done, time.process_time() - started


def recall(found: Ints, exact: Ints, own: Ints) -> float:
    """Share of the 10 nearest others that are among the first 10 found."""
    hits = 0
    for row, product in enumerate(own):
        wanted = [place for place in exact[row] if place != product][:10]
        hits += len(set(wanted) & set([place for place in found[row] if place != product][:10]))
    return hits / (10 * len(own))
