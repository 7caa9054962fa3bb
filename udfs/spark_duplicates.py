"""Spark's side of near-duplicates: Arrow batches of candidate pairs in, copies out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pyarrow as pa

from schemas.arrow import arrow_schema
from schemas.contract import Column
from udfs.copy_print import planes_of
from udfs.near_duplicates import copies
from udfs.spark_index import matrix

PAIR_COLUMNS = (
    Column("first", "string", "SHA-256 of one content"),
    Column("second", "string", "SHA-256 of the other"),
    Column("distance", "int", "Bits between the hashes"),
    Column("similarity", "float", "Cosine of the vectors"),
    Column("agreement", "float", "Share of the cells that agree"),
)


def copied_pairs() -> Callable[[Iterable[pa.RecordBatch]], Iterable[pa.RecordBatch]]:
    """The function that keeps the candidate pairs that are copies in `mapInArrow`.

    It expects first, second, distance, hints, first_print, second_print, first_vector and second_vector; it returns
    `PAIR_COLUMNS`.
    """

    def keep(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for whole in batches:
            # Of 1,000 pairs the cells take some 10 MB.
            for start in range(0, whole.num_rows, 1000):
                yield _copied(whole.slice(start, 1000))

    return keep


def _copied(batch: pa.RecordBatch) -> pa.RecordBatch:
    first, second = (planes_of(batch.column(f"{name}_print").to_pylist()) for name in ("first", "second"))
    found, agreement = copies(batch.column("hints").to_numpy().astype(np.int64), first, second)
    here = pa.array(np.flatnonzero(found))
    one, other = (matrix(batch.column(f"{name}_vector").take(here)) for name in ("first", "second"))
    cosines = np.einsum("nd,nd->n", one, other, dtype=np.float64).astype(np.float32)
    kept = [batch.column(name).take(here) for name in ("first", "second", "distance")]
    columns = [*kept, pa.array(cosines, pa.float32()), pa.array(agreement[found], pa.float32())]
    return pa.RecordBatch.from_arrays(columns, schema=arrow_schema(PAIR_COLUMNS))
