"""What the index steps share: rows that changed are staged, counted and committed in one short MERGE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812 - its usual name

from jobs.run import Run
from schemas.contract import Table
from schemas.index_tables import INDEX_TABLES, PRODUCT_EMBEDDINGS, SEARCH_DOCUMENTS, SIMILAR_PRODUCTS

NEW, CHANGED, GONE = "new", "changed", "gone"
# What the job fills in when it commits.
WRITTEN = ("indexed_at", "run_id")

_HASHED = ("input_hash",)
TOLD_BY: Mapping[str, Sequence[str]] = {
    **{
        table.name: tuple(name for name in table.column_names if name not in (*WRITTEN, *table.key))
        for table in INDEX_TABLES
    },
    PRODUCT_EMBEDDINGS.name: _HASHED,
    SEARCH_DOCUMENTS.name: _HASHED,
    SIMILAR_PRODUCTS.name: ("neighbors", "pool_floor", "bundle_version"),
}
"""Columns that tell whether a row of a table has changed."""


@dataclass(frozen=True)
class StagedChanges:
    """Rows of a table that are to be written or deleted.

    Args:
        rows: all columns of the table but `WRITTEN`, and `change`.
        counts: rows by change.
    """

    rows: DataFrame
    counts: dict[str, int]

    @property
    def written(self) -> int:
        """Rows to insert or to replace."""
        return self.counts[NEW] + self.counts[CHANGED]


def staged(run: Run, name: str, rows: DataFrame) -> DataFrame:
    """The rows, computed once and written down."""
    path = f"{run.staging}/index/{run.run_id}/{name}"
    rows.write.mode("overwrite").parquet(path)
    return run.spark.read.schema(rows.schema).parquet(path)


def stage_changes(run: Run, table: Table, wanted: DataFrame, standing: DataFrame) -> StagedChanges:
    """Compute rows and keep those that differ from what stands in the table.

    Args:
        run: the run.
        table: the table.
        wanted: rows as they should be, without the columns `WRITTEN`.
        standing: the part of the table that they replace: whatever is not among `wanted` goes.
    """
    key, told_by = list(table.key), TOLD_BY[table.name]
    columns = [name for name in table.column_names if name not in WRITTEN]
    new = wanted.select(*columns).withColumn("is_wanted", F.lit(True)).alias("new")
    old = standing.select(*key, *told_by).withColumn("is_there", F.lit(True)).alias("old")
    same: Column = F.lit(True)
    for name in told_by:
        same = same & F.col(f"new.{name}").eqNullSafe(F.col(f"old.{name}"))
    change = (
        F.when(F.col("is_wanted").isNull(), GONE).when(F.col("is_there").isNull(), NEW).when(~same, CHANGED)
    ).alias("change")
    joined = new.join(old, key, "full_outer")
    values = [F.col(name) if name in key else F.col(f"new.{name}") for name in columns]
    rows = staged(run, table.name, joined.select(*values, change).where("change IS NOT NULL"))
    counted = {row["change"]: row["count"] for row in rows.groupBy("change").count().collect()}
    return StagedChanges(rows, {change: counted.get(change, 0) for change in (NEW, CHANGED, GONE)})


def commit_changes(run: Run, table: Table, changes: StagedChanges) -> None:
    """Write staged changes; nothing is committed when there are none."""
    if not any(changes.counts.values()):
        return
    filled = {"indexed_at": F.lit(run.started_at), "run_id": F.lit(run.run_id)}
    rows = changes.rows.where(F.col("change") != GONE).withColumns(filled)
    if changes.counts[CHANGED] or changes.counts[GONE]:
        run.store.upsert_and_delete(table, rows, changes.rows.where(F.col("change") == GONE))
    else:
        # An append costs a third of a MERGE.
        run.store.append(table, rows)
