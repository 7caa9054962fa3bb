"""How the work divides at any size: cells, candidates of a product, copies of a vector, bytes sent, CPU seconds.

Cells are really made (of fewer training vectors than the job takes, at 10 per cell) and dealt out; seconds are
candidates times what one costs in `vitrine_cells.py`. Nothing of that size is computed here.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import faiss

from benchmarks.similar.vectors import DIMENSION, clustered, grown
from schemas.settings import IndexSettings
from udfs.similar_cells import cell_count, plan_shards, train_cells

PER_CELL = 10


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vectors", type=int, nargs="+", default=[200_000, 1_000_000, 10_000_000])
    parser.add_argument("--real", type=Path, help=".npy with real embeddings to grow; by default clusters are drawn")
    parser.add_argument("--nanoseconds", type=float, default=14.0, help="CPU time of a candidate")
    given = parser.parse_args()
    faiss.omp_set_num_threads(1)
    for count in given.vectors:
        wanted = cell_count(count) * PER_CELL
        sample = grown(given.real, wanted) if given.real else clustered(wanted)
        cells = train_cells(sample, count)
        shards = plan_shards(cells, max(6, -(-count // IndexSettings().shard_products)))
        near = [cells.shares[cells.near_cells(cell)].sum() for cell in range(len(cells))]
        candidates = float((cells.shares * near).sum()) * count
        copies = shards.copies(cells.shares)
        largest = max(float(cells.shares[list(needs)].sum()) for needs in shards.needs) * count
        row = {
            "vectors": count,
            "cells": len(cells),
            "shards": len(shards),
            "candidates_per_product": round(candidates),
            "copies_per_vector": round(copies, 2),
            "sent_gb": round(count * copies * DIMENSION * 2 / 1e9, 1),
            "largest_task_vectors": round(largest),
            "largest_task_gb": round(largest * DIMENSION * 4 / 1e9, 2),
            "search_cpu_s": round(count * candidates * given.nanoseconds * 1e-9),
        }
        sys.stdout.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
