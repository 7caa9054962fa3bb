"""Corrections by people: read them, and lay them over what the models said."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from pyspark.sql import functions as F  # noqa: N812 - its usual name

from jobs.store import TableStore
from models.label_space import ATTRIBUTE_HEADS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

CONTENT, IMAGE, PRODUCT = "content", "image", "product"
CATEGORY, BOXES = "category", "boxes"
ATTRIBUTES = (CATEGORY, *ATTRIBUTE_HEADS)
"""Attributes that have one label; `boxes` is corrected too, but is no label."""

# Columns of image_attributes that hold one attribute each, with a confidence beside.
_COLUMNS = (CATEGORY, "color", "pattern", "shape")


def correction_id(subject_kind: str, subject: str, attribute: str) -> str:
    """Key of the one correction of a subject's attribute."""
    return hashlib.sha256("\n".join((subject_kind, subject, attribute)).encode()).hexdigest()


def content_corrections(store: TableStore) -> DataFrame:
    """Corrections of pictures: content_sha256 and `corrected`, a map from attribute to value.

    A correction of an image by URI holds for the content that is there now; one of the very content goes before it.
    """
    corrections = store.read("corrections")
    by_uri = (
        corrections.where(F.col("subject_kind") == IMAGE)
        .withColumnRenamed("subject", "uri")
        .join(store.read("images").selectExpr("image_uri AS uri", "content_sha256"), "uri")
        .where("content_sha256 IS NOT NULL")
        .select("content_sha256", "attribute", "value", "corrected_at", F.lit(1).alias("rank"))
    )
    by_content = corrections.where(F.col("subject_kind") == CONTENT).select(
        F.col("subject").alias("content_sha256"), "attribute", "value", "corrected_at", F.lit(0).alias("rank")
    )
    # Several URIs may hold one content; the latest word on it stands.
    first = F.expr("max_by(value, struct(-rank, corrected_at))").alias("value")
    single = by_content.unionByName(by_uri).groupBy("content_sha256", "attribute").agg(first)
    return _maps(single, "content_sha256")


def product_corrections(store: TableStore) -> DataFrame:
    """Corrections of products: product_id and `corrected`, a map from attribute to value."""
    corrections = store.read("corrections").where(F.col("subject_kind") == PRODUCT)
    return _maps(corrections.withColumnRenamed("subject", "product_id"), "product_id")


def with_corrections(attributes: DataFrame, corrections: DataFrame) -> DataFrame:
    """Rows of `image_attributes` with what people said in place of what the models said.

    A corrected attribute has confidence 1. The column `corrected` (map<string,string>) says what was corrected; it is
    null where nothing was.

    Args:
        attributes: rows with the columns of `image_attributes`.
        corrections: from `content_corrections`.
    """
    joined = attributes.join(corrections, "content_sha256", "left")
    for name in _COLUMNS:
        right = F.col("corrected")[name]
        joined = joined.withColumn(
            f"{name}_confidence", F.when(right.isNotNull(), 1.0).otherwise(F.col(f"{name}_confidence")).cast("float")
        )
        joined = joined.withColumn(name, F.coalesce(right, F.col(name)))
    heads = ", ".join(f"'{head}'" for head in ATTRIBUTE_HEADS)
    said = (
        f"transform(filter(map_entries(corrected), one -> one.key IN ({heads})), one -> named_struct('attribute', "
        "one.key, 'value', one.value, 'confidence', CAST(1 AS FLOAT), 'is_stated', true))"
    )
    kept = "filter(coalesce(model_attributes, array()), one -> NOT array_contains(map_keys(corrected), one.attribute))"
    return joined.withColumn(
        "model_attributes", F.expr(f"CASE WHEN corrected IS NULL THEN model_attributes ELSE concat({kept}, {said}) END")
    ).select(*attributes.columns, "corrected")


def corrected_attributes(store: TableStore) -> DataFrame:
    """`image_attributes` with the corrections laid over."""
    return with_corrections(store.read("image_attributes"), content_corrections(store))


def _maps(corrections: DataFrame, key: str) -> DataFrame:
    entries = F.map_from_entries(F.collect_list(F.struct("attribute", "value"))).alias("corrected")
    return corrections.groupBy(key).agg(entries)
