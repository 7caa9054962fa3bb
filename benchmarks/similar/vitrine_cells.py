"""Engine: what the index job does (`udfs.similar`): whole cells against their near cells by faiss' flat search."""

from __future__ import annotations

import numpy as np

from benchmarks.similar.contest import NEIGHBORS, Answer, Ints, run
from benchmarks.similar.vectors import Floats
from udfs.similar import Vectors, similar_lists
from udfs.similar_cells import TRAINING_PER_CELL, cell_count, on_grid, train_cells


def build(vectors: Floats) -> Answer:
    """Cells of about 200 vectors, made from a sample; each with its near cells."""
    wanted = cell_count(len(vectors)) * TRAINING_PER_CELL
    cells = train_cells(vectors[:wanted], len(vectors))
    own = cells.assign(vectors)

    def answer(asked: Ints) -> Ints:
        unknown = np.full(len(vectors), -1, dtype=np.int64)
        facts = np.full((len(vectors), 4), -1, dtype=np.int64)
        shard = Vectors(on_grid(vectors), own, np.ones(len(vectors), dtype=bool), facts, unknown)
        found = np.full((len(vectors), NEIGHBORS), -1, dtype=np.int64)
        for lists in similar_lists(shard, cells):
            rows = np.repeat(lists.products, lists.lengths)
            ranks = np.arange(len(rows)) - np.repeat(np.cumsum(lists.lengths) - lists.lengths, lists.lengths)
            found[rows, ranks] = lists.neighbors
        return found[asked]

    return answer


if __name__ == "__main__":
    run("vitrine cells", build, sampled=False)
