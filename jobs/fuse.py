"""Fuse: pictures, texts, the feed and corrections of each product become one row of `products` and its claims.

Only products whose input changed are computed. What a product is made from is told by a hash: its rows of the feed,
contents and versions of its pictures, corrections, rules and code. Results are staged first, then committed by two
short MERGEs, the claims before the products: a product's hash is written last, so a run that dies between them leaves
products that the next run makes again.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812 - its usual name

from jobs.corrections import content_corrections, product_corrections
from jobs.run import Run, StageRecord
from jobs.spark_session import cores
from schemas.attributes import load_attributes
from schemas.contract import ddl_columns
from schemas.product_tables import PRODUCT_ATTRIBUTES, PRODUCTS
from schemas.taxonomy import load_taxonomy
from udfs.fuse import FUSE_VERSION
from udfs.runtime import BundleSource
from udfs.spark_fuse import DESCRIBED_COLUMNS, FUSED_COLUMNS, FuseConfig, fuse_batches

PLAN_SCHEMA = "product_id string, input_hash string, action string"
FUSED, UNCHANGED, DEACTIVATED = "fused", "unchanged", "deactivated"
ENTRIES_TYPE = "array<struct<key: string, value: string>>"
FEED_FACTS = ("title", "description", "brand", "category", "price")


@dataclass(frozen=True)
class _Plan:
    """What is to be done with each product, written down; and how many of each there are."""

    rows: DataFrame
    counts: dict[str, int]

    def products(self, *actions: str) -> DataFrame:
        return self.rows.where(F.col("action").isin(*actions))


@dataclass(frozen=True)
class _PeoplesWord:
    """Corrections as columns to join: product_id or content_sha256, and `corrected`; None where there are none at all.

    Most shops have none, and each join that is left out saves a second on a small catalog.
    """

    by_content: DataFrame | None
    by_product: DataFrame | None

    @classmethod
    def of(cls, run: Run) -> _PeoplesWord:
        if run.store.read("corrections").isEmpty():
            return cls(None, None)
        return cls(content_corrections(run.store), product_corrections(run.store))

    def on_contents(self, pictures: DataFrame) -> DataFrame:
        return self._joined(pictures, self.by_content, "content_sha256")

    def on_products(self, products: DataFrame) -> DataFrame:
        return self._joined(products, self.by_product, "product_id")

    @staticmethod
    def _joined(rows: DataFrame, corrections: DataFrame | None, key: str) -> DataFrame:
        if corrections is None:
            return rows.withColumn("corrected", F.lit(None).cast(ENTRIES_TYPE))
        # A sorted array of (key, value): maps can be neither compared nor sorted.
        entries = corrections.withColumn("corrected", F.array_sort(F.map_entries("corrected")))
        return rows.join(entries, key, "left")


def fuse(run: Run, bundle: BundleSource) -> None:
    """Bring `products` and `product_attributes` up to date; commits nothing when no input changed.

    Args:
        run: the run; `run.bundle_version` is the version whose attributes and texts are fused.
        bundle: the model bundle, for the texts.

    Raises:
        BookkeepingError: the counts do not add up.
    """
    with run.stage("fuse") as record:
        people = _PeoplesWord.of(run)
        plan = _make_plan(run, people)
        active = plan.counts[FUSED] + plan.counts[UNCHANGED]
        record.counts = {
            "products": active,
            "products_fused": 0,
            "products_unchanged": plan.counts[UNCHANGED],
            "products_deactivated": plan.counts[DEACTIVATED],
        }
        fused = _compute(run, plan, people, bundle)
        _count(record, fused)
        # Before anything is committed: each planned product was made exactly once.
        record.require_sum("products", ("products_fused", "products_unchanged"))
        if plan.counts[FUSED] or plan.counts[DEACTIVATED]:
            _commit_claims(run, plan, fused)
            run.store.upsert(PRODUCTS, _fused_rows(run, fused).unionByName(_gone_rows(run, plan)))


def fuse_key(run: Run) -> str:
    """What all products are made with, in short: bundle, rules, vocabulary and code."""
    made_with = {
        "bundle": run.bundle_version,
        "fuse": FUSE_VERSION,
        "rules": run.settings.fuse.model_dump(mode="json", exclude={"partition_products"}),
        "words": [load_taxonomy().version, load_attributes().version],
    }
    return hashlib.sha256(json.dumps(made_with, sort_keys=True).encode()).hexdigest()


def stale_products(run: Run) -> DataFrame:
    """Every product that is or was there: product_id, input_hash as of now, and what fuse would do with it."""
    return _stale_products(run, _PeoplesWord.of(run))


def _stale_products(run: Run, people: _PeoplesWord) -> DataFrame:
    pictures = people.on_contents(_pictures(run, run.store.read("catalog").where("is_active")))
    parts = ("view", "image_uri", "row_hash", "content_sha256", "bundle_version", "corrected")
    hashed = pictures.groupBy("product_id").agg(F.sort_array(F.collect_list(F.struct(*parts))).alias("pictures"))
    said = people.on_products(hashed)
    input_hash = F.sha2(F.concat_ws("\n", F.lit(fuse_key(run)), F.to_json(F.struct("pictures", "corrected"))), 256)
    new = said.select("product_id", input_hash.alias("input_hash")).alias("new")
    old = run.store.read("products").select("product_id", "input_hash", "is_active").alias("old")
    is_current = F.col("old.is_active") & (F.col("old.input_hash") == F.col("new.input_hash"))
    gone = F.col("new.input_hash").isNull()
    action = (
        F.when(gone & F.col("old.is_active"), DEACTIVATED)
        .when(gone, None)
        .when(is_current, UNCHANGED)
        .otherwise(FUSED)
        .alias("action")
    )
    joined = new.join(old, "product_id", "full_outer").select("product_id", F.col("new.input_hash"), action)
    return joined.where("action IS NOT NULL")


def _make_plan(run: Run, people: _PeoplesWord) -> _Plan:
    path = f"{run.staging}/fuse/{run.run_id}/plan"
    _stale_products(run, people).write.mode("overwrite").parquet(path)
    rows = run.spark.read.schema(PLAN_SCHEMA).parquet(path)
    counted = {row["action"]: row["count"] for row in rows.groupBy("action").count().collect()}
    return _Plan(rows, {action: counted.get(action, 0) for action in (FUSED, UNCHANGED, DEACTIVATED)})


def _pictures(run: Run, catalog: DataFrame) -> DataFrame:
    """Active feed rows with the content of their picture, null while it has none."""
    described = run.store.read("images").where("is_active AND status = 'extracted'")
    contents = described.select("image_uri", "content_sha256", "bundle_version")
    return catalog.join(contents, "image_uri", "left")


def _compute(run: Run, plan: _Plan, people: _PeoplesWord, bundle: BundleSource) -> DataFrame:
    """Fuse the planned products into a staging folder."""
    path = f"{run.staging}/fuse/{run.run_id}/fused"
    products = plan.counts[FUSED]
    if not products:
        return run.spark.createDataFrame([], ddl_columns(FUSED_COLUMNS))
    todo = plan.products(FUSED).select("product_id", "input_hash")
    catalog = run.store.read("catalog").where("is_active").join(todo, "product_id", "left_semi")
    attributes = run.store.read("image_attributes")
    described = F.struct(*DESCRIBED_COLUMNS).alias("described")
    of_content = attributes.select("content_sha256", "bundle_version", described)
    seen = _pictures(run, catalog).join(of_content, ["content_sha256", "bundle_version"], "left")
    facts = ("view", "image_uri", *FEED_FACTS, "content_sha256", "corrected", "described")
    tasks = max(1, min(products, max(2 * cores(run.spark), -(-products // run.settings.fuse.partition_products))))
    grouped = (
        people.on_contents(seen)
        .select("product_id", F.struct(*facts).alias("picture"))
        .repartition(tasks, "product_id")
        .groupBy("product_id")
        .agg(F.collect_list("picture").alias("pictures"))
    )
    complete = people.on_products(grouped.join(todo, "product_id"))
    function = fuse_batches(FuseConfig(bundle, run.settings.fuse))
    complete.mapInArrow(function, ddl_columns(FUSED_COLUMNS)).write.mode("overwrite").parquet(path)
    return run.spark.read.schema(ddl_columns(FUSED_COLUMNS)).parquet(path)


def _count(record: StageRecord, fused: DataFrame) -> None:
    if not record.counts["products"] - record.counts["products_unchanged"]:
        return
    counted = fused.agg(
        F.count("*").alias("products_fused"),
        F.count_if("is_publishable").alias("products_publishable"),
        F.count_if("needs_review").alias("products_to_review"),
        F.count_if(F.size("conflicts") > 0).alias("products_in_conflict"),
        F.coalesce(F.sum(F.size("claims")), F.lit(0)).alias("claims"),
    ).first()
    assert counted is not None
    record.counts |= counted.asDict()


def _commit_claims(run: Run, plan: _Plan, fused: DataFrame) -> None:
    """Replace the claims about fused products, and take away those about products that left the feed."""
    rows = fused.select("product_id", F.explode("claims").alias("claim")).select(
        "product_id",
        "claim.*",
        F.when(F.col("claim.source").isin("feed", "correction"), None)
        .otherwise(F.lit(run.bundle_version))
        .alias("model_version"),
        F.lit(run.run_id).alias("run_id"),
    )
    standing = run.store.read("product_attributes").select(*PRODUCT_ATTRIBUTES.key)
    touched = plan.products(FUSED, DEACTIVATED).select("product_id")
    gone = standing.join(touched, "product_id", "left_semi").join(rows, list(PRODUCT_ATTRIBUTES.key), "left_anti")
    run.store.upsert_and_delete(PRODUCT_ATTRIBUTES, rows, gone)


def _fused_rows(run: Run, fused: DataFrame) -> DataFrame:
    written: dict[str, Column] = {
        "is_active": F.lit(True),
        "bundle_version": F.lit(run.bundle_version),
        "fused_at": F.current_timestamp(),
        "changed_at": F.lit(run.started_at),
        "run_id": F.lit(run.run_id),
    }
    filled = [column.alias(name) for name, column in written.items()]
    return fused.select(*(column for column in fused.columns if column != "claims"), *filled).select(
        *PRODUCTS.column_names
    )


def _gone_rows(run: Run, plan: _Plan) -> DataFrame:
    """Rows of products that left the feed: as they were, inactive."""
    gone = plan.products(DEACTIVATED).select("product_id")
    changed = {
        "is_active": F.lit(False),
        "is_publishable": F.lit(False),
        "changed_at": F.lit(run.started_at),
        "run_id": F.lit(run.run_id),
    }
    return run.store.read("products").join(gone, "product_id", "left_semi").withColumns(changed)


if __name__ == "__main__":
    from jobs.cli import run_as_script

    run_as_script("fuse")
