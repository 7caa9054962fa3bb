"""Brute force against the index job's way, both in Spark in the same session, on the same stored vectors.

Brute force: the vectors are sent to each task, which multiplies its products with all of them by BLAS and keeps the
best 76 (`numpy_brute_force.py` in `mapInArrow`). It is asked a tenth of a sample of the products and the sample, and
its seconds are drawn out to all products: each costs it the same. Vitrine: reads the vectors, makes cells from a
sample, assigns, deals out shards, makes all lists. Both read Parquet and write their lists as Parquet.

Time is CPU seconds of this process and all below it (JVM and Python workers), because the machine may be shared, and
wall seconds beside them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - its usual name

from benchmarks.process_tree import TreeWatch
from benchmarks.similar.contest import recall
from benchmarks.similar.numpy_brute_force import best
from benchmarks.similar.vectors import Floats, clustered, grown
from jobs.index_similar import lists_of_dealt, shard_count
from jobs.spark_session import spark_session
from udfs.similar_cells import TRAINING_PER_CELL, cell_count, plan_shards, train_cells
from udfs.spark_index import DEALT, FACTS, dealt_batches, first_vectors, float_lists, matrix

# Brute force is asked every so many-th of the sample first.
SHORTER = 10
LISTS = "product_id string, neighbors array<string>"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vectors", type=int, nargs="+", default=[50_000, 200_000])
    parser.add_argument("--real", type=Path, help=".npy with real embeddings to grow; by default clusters are drawn")
    parser.add_argument("--sample", type=int, default=4000, help="products that brute force is asked")
    parser.add_argument("--out", type=Path, help="results file")
    given = parser.parse_args()
    # As on a cluster: what suits one short night is wrong for minutes of sorting and copying vectors.
    os.environ.setdefault("VITRINE_JAVA_OPTIONS", "")
    spark = spark_session("similar", master="local[2]")
    spark.range(2).mapInArrow(lambda batches: batches, "id bigint").count()
    results = [measure(spark, count, given.real, given.sample) for count in given.vectors]
    document = {"machine": {"processor": platform.processor(), "cores_used": 2}, "results": results}
    text = json.dumps(document, indent=2)
    if given.out:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(text + "\n")
    sys.stdout.write(text + "\n")


def measure(spark: SparkSession, count: int, real: Path | None, sample: int) -> dict[str, Any]:
    """Both ways on so many vectors."""
    folder = Path(tempfile.mkdtemp(prefix="vitrine-similar-"))
    vectors = grown(real, count) if real else clustered(count)
    ids = [f"p{place:07d}" for place in range(count)]
    # As `product_embeddings` has them, in several files.
    for part in range(4):
        here = np.arange(part, count, 4)
        rows = pa.table({"product_id": [ids[place] for place in here], "vector": float_lists(vectors[here])})
        (folder / "vectors").mkdir(exist_ok=True)
        pq.write_table(rows, folder / "vectors" / f"part-{part}.parquet")
    asked = np.sort(np.random.default_rng(7).choice(count, min(sample, count), replace=False))
    stored = spark.read.parquet(str(folder / "vectors"))
    names = [ids[place] for place in asked]
    # Workers start and the JVM compiles outside the clock.
    brute_force(spark, stored, vectors, names[:: SHORTER * SHORTER], folder / "exact")
    few = len(names[::SHORTER])
    less = timed(lambda: brute_force(spark, stored, vectors, names[::SHORTER], folder / "few"))
    brute = timed(lambda: brute_force(spark, stored, vectors, names, folder / "exact"))
    exact = lists_of(spark.read.parquet(str(folder / "exact")).select("product_id", "neighbors"))
    each = (brute["cpu_s"] - less["cpu_s"]) / (len(exact) - few)
    each_by_clock = (brute["wall_s"] - less["wall_s"]) / (len(exact) - few)
    cells = timed(lambda: in_cells(spark, stored, count, folder / "lists"))
    lists = spark.read.parquet(str(folder / "lists"))
    asked_for = lists.where(F.col("product_id").isin(names))
    found = lists_of(asked_for.select("product_id", F.col("neighbors.product_id").alias("neighbors")))
    # What does not depend on the number asked (sending the vectors, starting tasks) is counted once.
    scaled = brute["cpu_s"] + each * (count - len(exact))
    scaled_by_clock = brute["wall_s"] + each_by_clock * (count - len(exact))
    result = {
        "vectors": count,
        "data": real.name if real else "clusters",
        "brute_force_asked": [few, len(exact)],
        "brute_force_s": [less, brute],
        "brute_force_all_cpu_s": round(scaled, 1),
        "vitrine_s": cells,
        "times_faster_by_cpu": round(scaled / cells["cpu_s"], 1),
        "times_faster_by_wall": round(scaled_by_clock / cells["wall_s"], 1),
        "recall_at_10": round(agreement(found, exact), 4),
    }
    shutil.rmtree(folder)
    return result


def timed(work: Callable[[], None]) -> dict[str, float]:
    """Seconds: of all processes, and by the clock."""
    started = time.monotonic()
    # It looks rarely, for that costs 5 ms of the same CPU.
    with TreeWatch(interval_seconds=5) as watch:
        work()
    return {"cpu_s": round(sum(watch.cpu_seconds.values()), 1), "wall_s": round(time.monotonic() - started, 1)}


def brute_force(spark: SparkSession, stored: DataFrame, vectors: Floats, asked: list[str], to: Path) -> None:
    """Write the nearest of some products among all."""
    known = spark.sparkContext.broadcast(vectors)

    def search(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for start in range(0, batch.num_rows, 250):
                part = batch.slice(start, 250)
                places = best(matrix(part.column("vector")) @ known.value.T)
                names = [[f"p{place:07d}" for place in row] for row in places]
                yield pa.RecordBatch.from_arrays(
                    [part.column("product_id"), pa.array(names)], ["product_id", "neighbors"]
                )

    some = spark.createDataFrame([(one,) for one in asked], "product_id string")
    products = stored.join(F.broadcast(some), "product_id").repartition(4)
    products.mapInArrow(search, LISTS).write.mode("overwrite").parquet(str(to))


def in_cells(spark: SparkSession, stored: DataFrame, count: int, to: Path) -> None:
    """Write the lists of all products, as the index job makes them."""
    wanted = cell_count(count) * TRAINING_PER_CELL
    share = min(1.0, wanted / count)
    place = F.pmod(F.xxhash64("product_id"), F.lit(1_000_000))
    drawn = stored.where(place < int(share * 1_000_000) + 1).toArrow()
    cells = train_cells(first_vectors(drawn.select(["product_id", "vector"]), wanted), count)

    def assign(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            own = pa.array(cells.assign(matrix(batch.column("vector"))))
            nothing = {name: pa.nulls(batch.num_rows, pa.string()) for name in (*FACTS, "item")}
            wanted = pa.array(np.ones(batch.num_rows, dtype=bool))
            columns = {name: batch.column(name) for name in ("product_id", "vector")}
            yield pa.RecordBatch.from_pydict({**columns, "cell": own, **nothing, "is_wanted": wanted})

    shards = plan_shards(cells, shard_count(spark, count, 50_000))
    deal = dealt_batches(shards)
    dealt = stored.mapInArrow(lambda batches: deal(assign(batches)), DEALT)
    lists = lists_of_dealt(dealt, cells, 0.0)
    lists.write.mode("overwrite").parquet(str(to))


def lists_of(lists: DataFrame) -> dict[str, list[str]]:
    """By product."""
    table = lists.toArrow()
    names = table.column("product_id").to_pylist()
    # Ten of them are looked at, and the product itself may be one.
    return {name: row[:11] for name, row in zip(names, table.column("neighbors").to_pylist(), strict=True)}


def agreement(found: dict[str, list[str]], exact: dict[str, list[str]]) -> float:
    """Share of the 10 nearest that are among the first 10 found."""
    names = sorted(exact)

    def places(lists: dict[str, list[str]]) -> np.ndarray:
        return np.array([[int(one[1:]) for one in [*lists[name], *["p-1"] * 11][:11]] for name in names])

    return recall(places(found), places(exact), np.array([int(name[1:]) for name in names]))


if __name__ == "__main__":
    main()
