"""Index, fourth step: `search_documents`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812 - its usual name

from jobs.index_rows import StagedChanges, stage_changes
from jobs.index_state import INDEX_VERSION
from jobs.run import Run
from schemas.arrow import arrow_schema
from schemas.contract import ddl_columns
from schemas.index_tables import SEARCH_DOCUMENTS
from udfs.search_documents import SearchableProduct, search_documents

DOCUMENT_COLUMNS = tuple(
    column for column in SEARCH_DOCUMENTS.columns if column.name not in ("input_hash", "indexed_at", "run_id")
)
PRODUCT_COLUMNS = (
    *("product_id", "title", "brand", "name_en", "name_zh", "description_en", "description_zh", "category"),
    *("category_confidence", "category_path_en", "category_path_zh", "color", "pattern", "shape", "gender", "season"),
    *("usage", "price", "currency", "main_image_uri", "text", "barcodes", "quality_score", "needs_review"),
    "is_publishable",
)


def stage_documents(run: Run, changed: DataFrame | None) -> StagedChanges:
    """Make the documents of changed products.

    Args:
        run: the run.
        changed: product_id of products that may have changed; None: all.
    """
    products, standing = run.store.read("products").where("is_active"), run.store.read("search_documents")
    claims = run.store.read("product_attributes").where("is_chosen")
    if changed is not None:
        products, standing, claims = (
            part.join(changed, "product_id", "left_semi") for part in (products, standing, claims)
        )
    chosen = claims.groupBy("product_id").agg(F.collect_set(F.struct("attribute", "value")).alias("claims"))
    complete = products.select(*PRODUCT_COLUMNS).join(chosen, "product_id", "left")
    documents = complete.mapInArrow(_document_batches, ddl_columns(DOCUMENT_COLUMNS))
    return stage_changes(run, SEARCH_DOCUMENTS, with_hash(documents), standing)


def with_hash(documents: DataFrame) -> DataFrame:
    """Documents with their `input_hash`."""
    told = [name for name in (column.name for column in DOCUMENT_COLUMNS) if name not in ("product_id", "language")]
    return documents.select("*", F.hex(F.xxhash64(F.lit(INDEX_VERSION), *told)).alias("input_hash"))


def _document_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    schema = arrow_schema(DOCUMENT_COLUMNS)
    for batch in batches:
        rows = []
        for row in batch.to_pylist():
            claims = [(claim["attribute"], claim["value"]) for claim in row.pop("claims") or ()]
            rows += [asdict(document) for document in search_documents(SearchableProduct(row, claims))]
        if rows:
            yield pa.RecordBatch.from_pylist(rows, schema=schema)
