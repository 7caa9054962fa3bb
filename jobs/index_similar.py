"""Index, third step: `similar_products`. Shards of near cells go to tasks, each makes the lists of its own products."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - its usual name

from jobs.index_rows import StagedChanges, stage_changes, staged
from jobs.index_state import IndexState, changes_since
from jobs.run import Run
from jobs.spark_session import cores
from schemas.contract import ddl_columns
from schemas.index_tables import PRODUCT_VIEW, SIMILAR_PRODUCTS
from udfs.similar import Touched
from udfs.similar_cells import Cells, plan_shards
from udfs.spark_index import (
    DEALT,
    LIST_COLUMNS,
    TOUCHED_COLUMNS,
    dealt_batches,
    matrix,
    similar_group,
    touched_batches,
)

# Enough tasks for even load at the end, and not so many that every vector is sent to most of them.
_SHARDS_PER_CORE = 3
# Fewer products than this are compared sooner than a second task starts.
_LEAST_SHARD = 2000


@dataclass(frozen=True)
class SimilarLists:
    """What is to be written, and how many lists were made to find that out."""

    changes: StagedChanges
    computed: int


@dataclass(frozen=True)
class _Scope:
    """Lists to make.

    Args:
        wanted: product_id and cell; None: all.
        standing: product_id of the lists that may change or go; None: all.
        products: how many lists that is.
    """

    wanted: DataFrame | None
    standing: DataFrame | None
    products: int


def stage_similar(run: Run, state: IndexState | None, cells: Cells, products: int) -> SimilarLists:
    """Make the lists that may have changed since the last index.

    Args:
        run: the run.
        state: what the last index left; None: make all lists.
        cells: the cells; those of the last index when there is a state.
        products: how many have a vector.
    """
    scope = _scope(run, state, cells) or _Scope(None, None, products)
    wanted = _lists(run, scope, cells)
    standing = run.store.read("similar_products")
    if scope.standing is not None:
        standing = standing.join(scope.standing, "product_id", "left_semi")
    changes = stage_changes(run, SIMILAR_PRODUCTS, wanted, standing)
    return SimilarLists(changes, scope.products)


def _scope(run: Run, state: IndexState | None, cells: Cells) -> _Scope | None:
    """The lists that a touched vector is, was or may come in; None when that is not worth finding out."""
    if state is None:
        return None
    moved = changes_since(run, "product_embeddings", state.versions.get("product_embeddings"))
    regrouped = changes_since(run, "near_duplicates", state.versions.get("near_duplicates"))
    if moved is None or regrouped is None:
        return None
    moved = moved.where(F.col("view") == PRODUCT_VIEW)
    # Another group makes another item of a product, though its vector stayed.
    contents = regrouped.select("content_sha256").distinct()
    items = _products(run).join(contents, "content_sha256", "left_semi")
    both = moved.select("vector", "cell").unionByName(items.select("vector", "cell"))
    most = run.settings.index.max_touched
    found = both.limit(most + 1).toArrow()
    if found.num_rows > most:
        return None
    touched = Touched(matrix(found.column("vector")), found.column("cell").to_numpy().astype(np.int32))
    near = (
        _products(run)
        .select("product_id", "vector", "cell")
        .mapInArrow(touched_batches(touched, cells), ddl_columns(TOUCHED_COLUMNS))
    )
    floors = run.store.read("similar_products").select("product_id", "pool_floor")
    may_change = F.col("pool_floor").isNull() | (F.col("touch") >= F.col("pool_floor"))
    wanted = near.join(floors, "product_id", "left").where(may_change).select("product_id", "cell")
    wanted = staged(run, "touched", wanted)
    standing = wanted.select("product_id").unionByName(moved.select("product_id"))
    return _Scope(wanted, standing, wanted.count())


def _products(run: Run) -> DataFrame:
    return run.store.read("product_embeddings").where(F.col("view") == PRODUCT_VIEW)


def _lists(run: Run, scope: _Scope, cells: Cells) -> DataFrame:
    items = run.store.read("near_duplicates").select("content_sha256", F.col("group_id").alias("item")).distinct()
    facts = ("product_id", "vector", "cell", "category", "color", "pattern", "brand")
    products = _products(run).select(*facts, "content_sha256").join(items, "content_sha256", "left")
    if scope.wanted is None:
        products, queried = products.withColumn("is_wanted", F.lit(True)), None
    else:
        marked = scope.wanted.select("product_id", F.lit(True).alias("is_wanted"))
        products = products.join(marked, "product_id", "left").withColumn(
            "is_wanted", F.coalesce("is_wanted", F.lit(False))
        )
        queried = [row["cell"] for row in scope.wanted.select("cell").distinct().collect()]
    shards = plan_shards(cells, shard_count(run.spark, scope.products, run.settings.index.shard_products), queried)
    dealt = products.select(*facts, "item", "is_wanted").mapInArrow(dealt_batches(shards), DEALT)
    lists = lists_of_dealt(dealt, cells, run.settings.index.spread)
    return lists.withColumn("bundle_version", F.lit(run.bundle_version))


def shard_count(spark: SparkSession, products: int, most: int) -> int:
    """How many shards to deal out.

    Args:
        spark: the session.
        products: lists to make.
        most: lists that one task should make.
    """
    wanted = max(_SHARDS_PER_CORE * cores(spark), -(-products // most))
    return max(1, min(wanted, products // _LEAST_SHARD))


def lists_of_dealt(dealt: DataFrame, cells: Cells, spread: float) -> DataFrame:
    """`LIST_COLUMNS` of rows that were dealt out (`dealt_batches`), each made where its product's cell is at home."""
    return dealt.groupBy("shard").applyInArrow(similar_group(cells, spread), ddl_columns(LIST_COLUMNS))
