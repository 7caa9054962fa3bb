"""A small published shop for tests of the service: drawn pictures, described by the shipped bundle, in Delta tables.

The tables are written by delta-rs from the contracts, so that no test needs Spark.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from models.bundle import Bundle, load_bundle
from rendering.catalog import listing_of, make_product
from rendering.product import Product
from rendering.render import RenderOptions, render_product
from schemas.arrow import arrow_schema
from schemas.attributes import load_attributes
from schemas.tables import TABLES
from schemas.taxonomy import load_taxonomy
from udfs.extract import attributes_version

NIGHT = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
HOSTILE_TITLE = "<img src=x onerror=\"document.title='broken'\"><script>document.title='broken'</script> mug"
ODD_ID = "M/7 ?&#'\""

KINDS: tuple[tuple[str, int], ...] = (
    *(("t-shirt", 0), ("t-shirt", 3), ("t-shirt", 5), ("dress", 0), ("dress", 2)),
    *(("handbag", 0), ("handbag", 1), ("mug", 0), ("mug", 1), ("sports shoe", 0), ("sports shoe", 1)),
    *(("apple", 0), ("tomato", 0), ("watch", 0), ("milk carton", 0), ("backpack", 2)),
)


@cache
def bundle() -> Bundle:
    """The shipped bundle."""
    return load_bundle()


@cache
def bundle_version() -> str:
    return attributes_version(bundle().version_id)


@dataclass(frozen=True)
class Described:
    """A product, its picture and what was seen in it."""

    product: Product
    data: bytes
    content: str
    seen: dict[str, Any]
    vector: list[float]


@cache
def described(kind: str, seed: int, view: int = 0) -> Described:
    """Draw and describe a product once per process."""
    from schemas.settings import DecodeSettings, TextSettings
    from udfs.decode import decode
    from udfs.describe import ready_picture
    from udfs.micro_batch import describe_pictures
    from udfs.runtime import BundleSource, runtime_for

    place = [one for one in KINDS if one == (kind, seed)]
    number = KINDS.index(place[0]) if place else 90 + seed
    product = make_product(kind, seed, f"P{number:03d}")
    data = render_product(product, view, RenderOptions(frame=(320, 320))).data
    runtime = runtime_for(BundleSource(bundle().sha256, broadcast=_Packed(bundle())))
    picture = ready_picture(decode(data, DecodeSettings()))
    seen = describe_pictures([picture], runtime, TextSettings(read=False))[0]
    assert isinstance(seen, dict), seen
    vector = seen["embedding"].tolist()
    return Described(product, data, hashlib.sha256(data).hexdigest(), seen, vector)


class _Packed:
    def __init__(self, packed: Bundle) -> None:
        self.value = packed.pack()


@dataclass
class Shop:
    """A published shop.

    Args:
        root: tables root.
        pictures: folder of the pictures, the allowed root.
    """

    root: Path
    pictures: Path
    publication: int = 0
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def write(self, table: str) -> int:
        """Write a table's rows as its next version and return the version."""
        contract = TABLES[table]
        path = self.root / table
        entered = pa.Table.from_pylist(self.rows[table], schema=arrow_schema(contract.columns))
        write_deltalake(path, entered, mode="overwrite")
        return DeltaTable(path).version()

    def publish(self, tables: Iterable[str] = ()) -> None:
        """Write tables (all by default) and move the pointer to their latest versions."""
        for table in tables or self.rows:
            self.write(table)
        self.publication += 1
        versions = {table: DeltaTable(self.root / table).version() for table in self.rows}
        self.point(versions)

    def point(self, versions: Mapping[str, int]) -> None:
        pointer = {
            "publication_id": self.publication,
            "versions": dict(versions),
            "bundle_version": bundle_version(),
            "run_id": f"run-{self.publication}",
        }
        (self.root / "published.json").write_text(json.dumps(pointer))

    def product(self, product_id: str) -> dict[str, Any]:
        return next(row for row in self.rows["products"] if row["product_id"] == product_id)


def make_shop(folder: Path, kinds: Sequence[tuple[str, int]] = KINDS, *, with_index: bool = True) -> Shop:
    """Draw, describe, write and publish a shop."""
    shop = Shop(folder / "tables", folder / "pictures")
    shop.pictures.mkdir(parents=True)
    shop.root.mkdir(parents=True)
    (shop.root / "_allowed_roots.json").write_text(json.dumps({"allowed_roots": [f"file://{shop.pictures}"]}))
    made = [described(kind, seed) for kind, seed in kinds]
    for one in made:
        (shop.pictures / f"{one.product.product_id}.jpg").write_bytes(one.data)
    shop.rows = {
        "products": [_product(one, shop) for one in made],
        "product_attributes": [row for one in made for row in _claims(one, shop)],
        "catalog": [_catalog(one, shop) for one in made],
        "images": [_image(one, shop) for one in made],
        "image_attributes": [_attributes(one) for one in made],
        "quarantine": _quarantine(shop),
    }
    if with_index:
        shop.rows["product_embeddings"] = [_embedding(one, shop) for one in made]
        shop.rows["similar_products"] = _similar(made)
    _spoil(shop)
    shop.publish()
    return shop


def _uri(one: Described, shop: Shop) -> str:
    return f"file://{shop.pictures}/{one.product.product_id}.jpg"


def _words(path: str, language: str) -> str:
    taxonomy = load_taxonomy()
    line = [*taxonomy.ancestors(path), path]
    return " > ".join(taxonomy.name(node, language) for node in line)  # type: ignore[arg-type]


def _gender(product: Product) -> str | None:
    return ("men", "women")[product.seed % 2] if product.category.startswith(("apparel", "footwear")) else None


def _product(one: Described, shop: Shop) -> dict[str, Any]:
    product, taxonomy, dictionary = one.product, load_taxonomy(), load_attributes()
    color = product.colors[0]
    return {
        "product_id": product.product_id,
        "title": listing_of(product).title or product.name_en,
        "brand": product.brand,
        "name_en": f"{color} {product.pattern} {taxonomy.name(product.category)}".capitalize(),
        "name_zh": dictionary.name("color", color, "zh") + taxonomy.name(product.category, "zh"),
        "description_en": f"A {color} {product.name_en} by {product.brand}.",
        "description_zh": f"{product.brand_zh}{product.name_zh}。",
        "category": product.category,
        "category_confidence": 0.9,
        "category_source": "image",
        "category_path_en": _words(product.category, "en"),
        "category_path_zh": _words(product.category, "zh"),
        "color": color,
        "color_confidence": 0.8,
        "pattern": product.pattern,
        "shape": one.seen["shape"],
        "gender": _gender(product),
        "price": _decimal(product.price),
        "main_image_uri": _uri(one, shop),
        "main_content_sha256": one.content,
        "image_count": 1,
        "barcodes": [product.barcode],
        "embedding": one.vector,
        "conflicts": [],
        "needs_review": False,
        "quality_score": one.seen["quality"]["score"],
        "is_publishable": True,
        "is_active": True,
        "input_hash": product.product_id,
        "bundle_version": bundle_version(),
        "fused_at": NIGHT,
        "changed_at": NIGHT,
        "run_id": "run-1",
    }


def _decimal(price: float) -> Any:
    from decimal import Decimal

    return Decimal(f"{price:.2f}")


def _claims(one: Described, shop: Shop) -> list[dict[str, Any]]:
    product = one.product
    evidence = {
        "kind": "image_region",
        "image_uri": _uri(one, shop),
        "content_sha256": one.content,
        "box": one.seen["region"]["box"],
    }
    palette = {**evidence, "kind": "palette", "share": 0.6}
    title = listing_of(product).title or product.name_en
    claims = [
        ("category", product.category, 0.9, "image", True, evidence),
        ("color", product.colors[0], 0.8, "image", True, palette),
        ("pattern", product.pattern, 0.7, "image", True, evidence),
        ("brand", product.brand, 0.99, "feed", True, {"kind": "feed_column", "text": product.brand}),
    ]
    if product.category.startswith("apparel"):
        span = {"kind": "text_span", "text": title[:4], "span_start": 0, "span_end": 4}
        claims.append(("material", "cotton", 0.8, "title", True, span))
    return [
        {
            **dict(zip(("attribute", "value", "confidence", "source", "is_chosen", "evidence"), claim, strict=True)),
            "product_id": product.product_id,
            "model_version": bundle_version(),
            "run_id": "run-1",
        }
        for claim in claims
    ]


def _catalog(one: Described, shop: Shop) -> dict[str, Any]:
    listing = listing_of(one.product)
    return {
        "product_id": one.product.product_id,
        "image_uri": _uri(one, shop),
        "view": 0,
        "title": listing.title,
        "description": listing.description,
        "brand": listing.brand,
        "category": listing.category,
        "row_hash": one.content,
        "is_active": True,
        "first_seen_at": NIGHT,
        "changed_at": NIGHT,
        "run_id": "run-1",
    }


def _image(one: Described, shop: Shop) -> dict[str, Any]:
    return {
        "image_uri": _uri(one, shop),
        "size_bytes": len(one.data),
        "status": "extracted",
        "is_active": True,
        "content_sha256": one.content,
        "bundle_version": bundle_version(),
        "attempts": 0,
        "first_seen_at": NIGHT,
        "changed_at": NIGHT,
        "run_id": "run-1",
    }


def _attributes(one: Described) -> dict[str, Any]:
    height = one.seen["height_px"]
    line = {
        "text": f"{one.product.brand} 250g",
        "confidence": 0.93,
        "language": "en",
        "quad": [20.0, height - 60.0, 180.0, height - 60.0, 180.0, height - 30.0, 20.0, height - 30.0],
        "height_px": 30.0,
    }
    seen = {name: value for name, value in one.seen.items() if name not in ("embedding", "step_ms")}
    return {
        **seen,
        "content_sha256": one.content,
        "bundle_version": bundle_version(),
        "size_bytes": len(one.data),
        "text_lines": [line] if one.product.kind == "milk carton" else [],
        "text_status": "read" if one.product.kind == "milk carton" else "no_text",
        "embedding": one.vector,
        "extracted_at": NIGHT,
        "run_id": "run-1",
    }


def _embedding(one: Described, shop: Shop) -> dict[str, Any]:
    return {
        "product_id": one.product.product_id,
        "view": 0,
        "image_uri": _uri(one, shop),
        "content_sha256": one.content,
        "vector": one.vector,
        "norm": 1.0,
        "cell": 0,
        "bundle_version": bundle_version(),
        "input_hash": one.content,
        "indexed_at": NIGHT,
        "run_id": "run-1",
    }


def _similar(made: Sequence[Described]) -> list[dict[str, Any]]:
    vectors = np.array([one.vector for one in made])
    scores = vectors @ vectors.T
    rows = []
    for place, one in enumerate(made):
        order = [other for other in np.argsort(-scores[place]) if other != place][:8]
        neighbors = [
            {
                "product_id": made[other].product.product_id,
                "rank": rank,
                "score": float(scores[place, other]),
                "reason": "same type" if made[other].product.kind == one.product.kind else "looks alike",
            }
            for rank, other in enumerate(order, start=1)
        ]
        rows.append(
            {
                "product_id": one.product.product_id,
                "neighbors": neighbors,
                "pool_floor": -2.0,
                "bundle_version": bundle_version(),
                "indexed_at": NIGHT,
                "run_id": "run-1",
            }
        )
    return rows


def _quarantine(shop: Shop) -> list[dict[str, Any]]:
    def row(name: str, reason: str, detail: str, **more: Any) -> dict[str, Any]:
        return {
            "quarantine_id": hashlib.sha256(name.encode()).hexdigest(),
            "stage": "extract",
            "product_id": "P900",
            "image_uri": f"file://{shop.pictures}/{name}",
            "reason": reason,
            "detail": detail,
            "retryable": False,
            "attempts": 1,
            "first_seen_at": NIGHT,
            "last_seen_at": NIGHT,
            "run_id": "run-1",
            **more,
        }

    return [
        row("cut.jpg", "truncated", "the file ends after 812 of 23,114 bytes"),
        row("gone.jpg", "not_found", "No such file or directory", retryable=True, attempts=3),
        row("<b>bold</b>.jpg", "decode_failed", "<script>document.title='broken'</script>"),
        row("fine-by-now.jpg", "timeout", "read timed out", resolved_at=NIGHT),
    ]


def _spoil(shop: Shop) -> None:
    """Make one of each kind of trouble: hostile words, an odd identifier, a conflict, no category, a gone product."""
    by_id: Callable[[str], dict[str, Any]] = shop.product
    by_id("P007")["title"] = HOSTILE_TITLE
    conflict = {
        "attribute": "color",
        "value": by_id("P005")["color"],
        "source": "image",
        "confidence": 0.8,
        "other_value": "navy blue",
        "other_source": "title",
        "other_confidence": 0.85,
    }
    by_id("P005").update(conflicts=[conflict], needs_review=True, category_confidence=0.75)
    unsure = {"category": None, "category_confidence": 0.31, "category_path_en": None, "category_path_zh": None}
    by_id("P012").update(unsure, needs_review=True, is_publishable=False)
    for claim in shop.rows["product_attributes"]:
        if claim["product_id"] == "P012" and claim["attribute"] == "category":
            claim.update(is_chosen=False, confidence=0.31)
    gone = {**by_id("P000"), "product_id": "P800", "title": "red ghost", "is_active": False, "is_publishable": False}
    shop.rows["products"].append(gone)
    for table, rows in shop.rows.items():
        for row in rows:
            if row.get("product_id") == "P008" and table != "quarantine":
                row["product_id"] = ODD_ID
            for neighbor in row.get("neighbors") or ():
                if neighbor["product_id"] == "P008":
                    neighbor["product_id"] = ODD_ID
