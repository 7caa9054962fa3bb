"""The index of a small catalogue, computed in this process: the tables are read once and compared here.

Spark plans and schedules dozens of joins for it, which for a thousand products takes longer than all their sums. What
is computed, and by which functions, is the same as in the other index modules; a test compares the two.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame

from jobs.index_documents import DOCUMENT_COLUMNS, PRODUCT_COLUMNS, with_hash
from jobs.index_embeddings import PRODUCT_FACTS
from jobs.index_rows import CHANGED, GONE, NEW, TOLD_BY, WRITTEN, StagedChanges
from jobs.light_tables import LightTables
from jobs.run import Run
from schemas.arrow import arrow_schema
from schemas.contract import Column, Table, ddl_columns
from schemas.index_tables import (
    NEAR_DUPLICATES,
    PRODUCT_EMBEDDINGS,
    PRODUCT_VIEW,
    SEARCH_DOCUMENTS,
    SIMILAR_PRODUCTS,
)
from udfs.copy_print import FIRST_CUT, LAST_CUT
from udfs.near_duplicates import Membership, Pair, candidates, duplicate_groups
from udfs.search_documents import SearchableProduct, search_documents
from udfs.similar_cells import one_cell
from udfs.spark_duplicates import copied_pairs
from udfs.spark_index import FACTS, PICTURE_FACTS, embedding_batches, float_lists, similar_table

MOST_PRODUCTS = 1000
MOST_PICTURES = 4000
"""Rows that may be read here: with 256 dimensions the vectors take 4 MB, with 1,280 dimensions 20 MB."""

_CLAIMS_PER_PRODUCT = 100
_VIEW = pa.struct(
    [
        ("view", pa.int32()),
        *((name, pa.string()) for name in PICTURE_FACTS),
        ("embedding", pa.list_(pa.float32())),
    ]
)

Row = Mapping[str, Any]


@dataclass(frozen=True)
class SmallCatalog:
    """Rows that the index is made from: active products, their chosen claims, and described pictures by product."""

    products: list[dict[str, Any]]
    claims: dict[str, list[tuple[str, str]]]
    pictures: dict[str, list[dict[str, Any]]]

    @property
    def embedded(self) -> list[dict[str, Any]]:
        """Products that have a vector."""
        return [row for row in self.products if row["embedding"] is not None]


@dataclass(frozen=True)
class SmallIndex:
    """What is to be written, in the order of the steps; how many products changed, and how many have lists."""

    changes: list[tuple[Table, StagedChanges]]
    products_changed: int
    lists: int


def read_small(run: Run) -> SmallCatalog | None:
    """The catalogue; None when it is too large, or delta-rs is not there to read it."""
    try:
        tables = LightTables(run.store.root, run.settings.s3)
    except ImportError:
        return None
    most = {
        "products": min(MOST_PRODUCTS, run.settings.index.exact_products),
        "catalog": MOST_PICTURES,
        "images": MOST_PICTURES,
        "image_attributes": MOST_PICTURES,
        "product_attributes": MOST_PRODUCTS * _CLAIMS_PER_PRODUCT,
    }
    if any(tables.row_count(name) > rows for name, rows in most.items()):
        return None
    products = _rows(tables, "products", (*PRODUCT_COLUMNS, *PRODUCT_FACTS, "bundle_version", "is_active"))
    claims: dict[str, list[tuple[str, str]]] = {}
    for row in _rows(tables, "product_attributes", ("product_id", "attribute", "value", "is_chosen")):
        if row["is_chosen"]:
            claims.setdefault(row["product_id"], []).append((row["attribute"], row["value"]))
    return SmallCatalog([row for row in products if row["is_active"]], claims, _pictures(tables))


def _rows(tables: LightTables, name: str, columns: Iterable[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tables.read(name, tuple(dict.fromkeys(columns))).to_pylist()
    return found


def _pictures(tables: LightTables) -> dict[str, list[dict[str, Any]]]:
    attributes = {
        (row["content_sha256"], row["bundle_version"]): row
        for row in _rows(
            tables,
            "image_attributes",
            ("content_sha256", "bundle_version", "perceptual_hash", "copy_print", "embedding"),
        )
        if row["embedding"] is not None
    }
    seen = {
        row["image_uri"]: attributes.get((row["content_sha256"], row["bundle_version"]))
        for row in _rows(tables, "images", ("image_uri", "content_sha256", "bundle_version", "status", "is_active"))
        if row["is_active"] and row["status"] == "extracted"
    }
    pictures: dict[str, list[dict[str, Any]]] = {}
    for row in _rows(tables, "catalog", ("product_id", "image_uri", "view", "is_active")):
        if row["is_active"] and (found := seen.get(row["image_uri"])) is not None:
            picture = {name: (row if name in row else found)[name] for name in _VIEW.names}
            pictures.setdefault(row["product_id"], []).append(picture)
    return pictures


def index_small(run: Run, catalog: SmallCatalog) -> SmallIndex:
    """Compute all four tables, and keep the rows that differ from what stands there."""
    embeddings = _embeddings(catalog)
    duplicates = _near_duplicates(embeddings)
    wanted = [
        (PRODUCT_EMBEDDINGS, embeddings),
        (NEAR_DUPLICATES, duplicates),
        (SIMILAR_PRODUCTS, _similar(run, embeddings, duplicates)),
        (SEARCH_DOCUMENTS, _documents(run, catalog)),
    ]
    tables = LightTables(run.store.root, run.settings.s3)
    changed = [(table, _differing(tables, table, rows)) for table, rows in wanted]
    # A list may change though its own product did not.
    own = [rows for table, rows in changed if table in (PRODUCT_EMBEDDINGS, SEARCH_DOCUMENTS)]
    return SmallIndex(
        [(table, _staged(run, table, rows)) for table, rows in changed],
        len({row["product_id"] for rows in own for row in rows}),
        len(catalog.embedded),
    )


def _embeddings(catalog: SmallCatalog) -> list[dict[str, Any]]:
    products = catalog.embedded
    if not products:
        return []
    views = [
        sorted(catalog.pictures.get(row["product_id"], ()), key=lambda one: tuple(one.values())) for row in products
    ]
    columns = {
        "product_id": pa.array([row["product_id"] for row in products]),
        "embedding": pa.array([row["embedding"] for row in products], pa.list_(pa.float32())),
        **{
            name: pa.array([row[name] for row in products], pa.string())
            for name in (*PRODUCT_FACTS, "bundle_version")
            if name != "embedding"
        },
        "views": pa.array(views, pa.list_(_VIEW)),
    }
    make = embedding_batches(one_cell(len(products)))
    return [row for batch in make([pa.RecordBatch.from_pydict(columns)]) for row in batch.to_pylist()]


def _near_duplicates(embeddings: Sequence[Row]) -> list[dict[str, Any]]:
    pictures = [row for row in embeddings if row["view"] >= 0 and row["perceptual_hash"] is not None]
    printed = {row["content_sha256"]: row for row in pictures if row["copy_print"] is not None}
    groups = duplicate_groups(_pairs(printed))
    rows = []
    for row in pictures:
        content = row["content_sha256"]
        place = groups.get(content, Membership(content, content, content, 0, 1.0, 1.0))
        rows.append(
            {
                **{name: row[name] for name in ("product_id", "view", "image_uri", "content_sha256")},
                "group_id": place.group,
                "nearest_sha256": place.nearest,
                "distance": place.distance,
                "similarity": place.similarity,
                "agreement": place.agreement,
                "linked_id": place.linked,
            }
        )
    sizes = Counter(row["group_id"] for row in rows)
    contents = Counter(group for group, _ in {(row["group_id"], row["content_sha256"]) for row in rows})
    return [
        {**row, "pictures": sizes[row["group_id"]], "contents": contents[row["group_id"]]}
        for row in rows
        if sizes[row["group_id"]] > 1
    ]


def _pairs(pictures: Mapping[str, Row]) -> list[Pair]:
    """Pairs of contents that show the same picture: here all are compared with all."""
    names = sorted(pictures)
    if len(names) < 2:
        return []
    prints = [pictures[name]["copy_print"] for name in names]
    hashes = np.array(
        [
            [int(told, 16) for told in (pictures[name]["perceptual_hash"], print_[FIRST_CUT], print_[LAST_CUT])]
            for name, print_ in zip(names, prints, strict=True)
        ],
        dtype=np.uint64,
    )
    vectors = np.array([pictures[name]["vector"] for name in names], dtype=np.float32)
    keep = copied_pairs()
    found = []
    for place, others, hints in candidates(hashes):
        here = np.full(len(others), place)
        distances = np.bitwise_count(hashes[others, 0] ^ hashes[place, 0])
        columns: dict[str, pa.Array] = {"distance": pa.array(distances, pa.int32()), "hints": pa.array(hints)}
        for name, places in (("first", here), ("second", others)):
            columns[name] = pa.array([names[one] for one in places])
            columns[f"{name}_print"] = pa.array([prints[one] for one in places])
            columns[f"{name}_vector"] = float_lists(vectors[places])
        batch = pa.RecordBatch.from_pydict(columns)
        found += [Pair(**row) for kept in keep([batch]) for row in kept.to_pylist()]
    return found


def _similar(run: Run, embeddings: Sequence[Row], duplicates: Sequence[Row]) -> list[dict[str, Any]]:
    products = [row for row in embeddings if row["view"] == PRODUCT_VIEW]
    if not products:
        return []
    items = {row["content_sha256"]: row["group_id"] for row in duplicates}
    vectors = np.array([row["vector"] for row in products], dtype=np.float32)
    columns = {
        "product_id": pa.array([row["product_id"] for row in products]),
        "vector": float_lists(vectors),
        "cell": pa.array([row["cell"] for row in products], pa.int32()),
        **{name: pa.array([row[name] for row in products], pa.string()) for name in FACTS},
        "item": pa.array([items.get(row["content_sha256"]) for row in products], pa.string()),
        "is_wanted": pa.array([True] * len(products)),
    }
    lists = similar_table(pa.table(columns), one_cell(len(products)), run.settings.index.spread)
    return [{**row, "bundle_version": run.bundle_version} for row in lists.to_pylist()]


def _documents(run: Run, catalog: SmallCatalog) -> list[dict[str, Any]]:
    rows = [
        asdict(document)
        for product in catalog.products
        for document in search_documents(SearchableProduct(product, catalog.claims.get(product["product_id"], ())))
    ]
    frame = _frame(run, DOCUMENT_COLUMNS, rows)
    found: list[dict[str, Any]] = with_hash(frame).toArrow().to_pylist()
    return found


def _differing(tables: LightTables, table: Table, wanted: Sequence[Row]) -> list[dict[str, Any]]:
    """Rows that are to be written or deleted, with their `change`."""
    key = table.key
    told_by = TOLD_BY[table.name]
    standing = {
        tuple(row[name] for name in key): [row[name] for name in told_by]
        for row in _rows(tables, table.name, (*key, *told_by))
    }
    schema = arrow_schema(_written_columns(table))
    # Through Arrow, for floats of the table have 32 bits.
    rows = pa.Table.from_pylist([{name: row[name] for name in schema.names} for row in wanted], schema=schema)
    changes: list[dict[str, Any]] = []
    for row in rows.to_pylist():
        place = tuple(row[name] for name in key)
        there = standing.pop(place, None)
        if there is None:
            changes.append({**row, "change": NEW})
        elif there != [row[name] for name in told_by]:
            changes.append({**row, "change": CHANGED})
    nothing = dict.fromkeys(schema.names)
    changes += [{**nothing, **dict(zip(key, place, strict=True)), "change": GONE} for place in standing]
    return changes


def _staged(run: Run, table: Table, changes: Sequence[Row]) -> StagedChanges:
    counted = Counter(row["change"] for row in changes)
    counts = {change: counted[change] for change in (NEW, CHANGED, GONE)}
    columns = (*_written_columns(table), Column("change", "string", "new, changed or gone"))
    return StagedChanges(_frame(run, columns, changes), counts)


def _written_columns(table: Table) -> tuple[Column, ...]:
    return tuple(column for column in table.columns if column.name not in WRITTEN)


def _frame(run: Run, columns: Sequence[Column], rows: Sequence[Row]) -> DataFrame:
    """Rows for Spark; rows to delete have a key and nothing else."""
    told = pa.Table.from_pylist(list(rows), schema=arrow_schema(columns))
    return run.spark.createDataFrame(told, ddl_columns(tuple(replace(column, nullable=True) for column in columns)))
