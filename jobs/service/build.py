"""Builds what one published version is served from: a folder with details, keyword index and vectors.

A folder is built under another name and renamed when it is whole, so that one that has its name is complete; a service
that starts again takes it as it is.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from jobs.service.details import DetailsWriter
from jobs.service.facts import stated
from jobs.service.index import write_index
from jobs.service.published import Publication, PublishedTables
from jobs.service.vectors import Floats, Ordinals, write_vectors
from jobs.service.words import plain_words
from schemas.product_tables import PRODUCT_ATTRIBUTES, PRODUCTS
from schemas.settings import S3Settings

FORMAT = 1
"""Raise it when the folder's content changes: folders of other formats are not used."""

META = "meta.json"
MOST_SPELLINGS = 50_000

_SEEN = (
    *("format", "width_px", "height_px", "size_bytes", "quality", "region", "color", "color_confidence", "colors"),
    *("pattern", "pattern_confidence", "shape", "shape_confidence", "category", "category_confidence"),
    *("category_candidates", "model_attributes", "detections", "text_lines", "text_fields", "barcodes", "text_status"),
)
_PRODUCT = tuple(name for name in PRODUCTS.column_names if name not in ("embedding", "input_hash", "is_active"))
_DUPLICATE = ("product_id", "view", "group_id", "image_uri", "content_sha256", "distance", "similarity")
_SIMILAR = ("product_id", "neighbors")


def folder_name(root: str, publication: Publication) -> str:
    """Name of the folder of a publication; the same versions have the same."""
    said = json.dumps([FORMAT, root, sorted(publication.versions.items())])
    return hashlib.sha256(said.encode()).hexdigest()[:24]


def build_folder(root: str, s3: S3Settings, publication: Publication, cache: Path) -> Path:
    """Build the folder of a publication unless it is there.

    Args:
        root: normalised tables root.
        s3: how to reach S3.
        publication: which versions.
        cache: folder of such folders.

    Returns:
        The folder.
    """
    target = cache / folder_name(root, publication)
    if (target / META).is_file():
        return target
    cache.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=".building-", dir=cache))
    try:
        _build(PublishedTables(root, s3, publication), publication, made)
        try:
            os.rename(made, target)  # noqa: PTH104 - Path.rename would replace an empty folder only, as this does
        except OSError:
            # Another process was quicker with the same version.
            if not (target / META).is_file():
                raise
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return target


def _build(tables: PublishedTables, publication: Publication, folder: Path) -> None:
    import pyarrow.dataset as ds

    with DetailsWriter(folder / "details.sqlite") as details:
        ordinals: dict[str, int] = {}
        details.insert("products", _products(tables, ordinals))
        details.insert("claims", _claims(tables))
        details.insert("pictures", _pictures(tables))
        details.insert("images", _images(tables))
        wanted = ds.field("bundle_version") == publication.bundle_version
        details.insert("contents", _contents(tables, wanted))
        details.insert("similar", ((row["product_id"], row) for row in tables.rows("similar_products", _SIMILAR)))
        details.insert("duplicates", _duplicates(tables))
        details.insert("quarantine", _quarantine(tables))
        details.finish()
        spellings: Counter[str] = Counter()
        index = folder / "index"
        index.mkdir()
        write_index(index, _documents(details, spellings))
    write_vectors(folder, *_vectors(tables, ordinals))
    meta = {
        "publication_id": publication.publication_id,
        "bundle_version": publication.bundle_version,
        "versions": dict(publication.versions),
        "products": len(ordinals),
        "spellings": [word for word, _ in spellings.most_common(MOST_SPELLINGS)],
    }
    # Last: a folder without it is not whole.
    (folder / META).write_text(json.dumps(meta), encoding="utf-8")


def _products(tables: PublishedTables, ordinals: dict[str, int]) -> Iterator[tuple[Any, ...]]:
    import pyarrow.dataset as ds

    for row in tables.rows("products", _PRODUCT, ds.field("is_active")):
        ordinal = ordinals.setdefault(row["product_id"], len(ordinals))
        yield (
            ordinal,
            row["product_id"],
            row["category_confidence"],
            int(bool(row["needs_review"])),
            int(bool(row["conflicts"])),
            int(row["category"] is not None),
            row,
        )


def _claims(tables: PublishedTables) -> Iterator[tuple[Any, ...]]:
    columns = tuple(name for name in PRODUCT_ATTRIBUTES.column_names if name != "run_id")
    for row in tables.rows("product_attributes", columns):
        yield row["product_id"], row


def _pictures(tables: PublishedTables) -> Iterator[tuple[Any, ...]]:
    import pyarrow.dataset as ds

    columns = ("product_id", "view", "image_uri", "title", "description", "category")
    for row in tables.rows("catalog", columns, ds.field("is_active")):
        yield tuple(row[name] for name in columns)


def _images(tables: PublishedTables) -> Iterator[tuple[Any, ...]]:
    import pyarrow.dataset as ds

    columns = ("image_uri", "content_sha256", "status", "reason")
    for row in tables.rows("images", columns, ds.field("is_active")):
        yield tuple(row[name] for name in columns)


def _contents(tables: PublishedTables, condition: Any) -> Iterator[tuple[Any, ...]]:
    for row in tables.rows("image_attributes", ("content_sha256", *_SEEN), condition):
        yield row.pop("content_sha256"), row


def _duplicates(tables: PublishedTables) -> Iterator[tuple[Any, ...]]:
    for row in tables.rows("near_duplicates", _DUPLICATE):
        yield row["product_id"], row["group_id"], row


def _quarantine(tables: PublishedTables) -> Iterator[tuple[Any, ...]]:
    import pyarrow.dataset as ds

    columns = (
        *("stage", "product_id", "image_uri", "reason", "detail", "retryable", "attempts"),
        *("first_seen_at", "last_seen_at"),
    )
    rows = list(tables.rows("quarantine", columns, ds.field("resolved_at").is_null()))
    rows.sort(key=lambda row: (row["last_seen_at"], row["image_uri"] or ""), reverse=True)
    for position, row in enumerate(rows):
        yield position, row["stage"], row["reason"], int(bool(row["retryable"])), row


def _documents(
    details: DetailsWriter, spellings: Counter[str]
) -> Iterator[tuple[int, Mapping[str, Any], Mapping[str, str], str | None]]:
    from datetime import datetime

    for ordinal, product, claims, description in details.reader().every_product():
        product["changed_at"] = datetime.fromisoformat(product["changed_at"])
        for text in (product["title"], product["brand"]):
            spellings.update(word for word in plain_words(text) if not word.isdigit())
        yield ordinal, product, stated(product, claims), description


def _vectors(tables: PublishedTables, ordinals: Mapping[str, int]) -> tuple[Floats, Ordinals]:
    """Vectors of pictures where they are published, else those of products."""
    import pyarrow.dataset as ds

    if tables.has("product_embeddings"):
        batches = tables.batches("product_embeddings", ("product_id", "vector"), ds.field("view") >= 0)
    else:
        batches = tables.batches("products", ("product_id", "embedding"), ds.field("embedding").is_valid())
    parts: list[Floats] = []
    owners: list[int] = []
    for batch in batches:
        for product_id, vector in zip(batch.column(0).to_pylist(), batch.column(1), strict=True):
            values = vector.values
            if product_id in ordinals and values is not None and len(values):
                parts.append(np.asarray(values, dtype=np.float32))
                owners.append(ordinals[product_id])
    if not parts:
        return np.empty((0, 0), np.float32), np.empty(0, np.int64)
    lengths = Counter(len(part) for part in parts)
    usual = lengths.most_common(1)[0][0]
    kept = [place for place, part in enumerate(parts) if len(part) == usual]
    vectors = np.stack([parts[place] for place in kept])
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return vectors, np.array([owners[place] for place in kept], np.int64)
