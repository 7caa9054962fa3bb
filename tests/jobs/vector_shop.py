"""Tables of products with vectors of known likeness, so that the index job is tested without pictures and models."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa

from jobs.index import index
from jobs.run import Run
from jobs.small_objects import small_objects
from jobs.store import TableStore
from schemas.arrow import arrow_schema
from schemas.contract import Table, ddl_columns
from schemas.settings import S3Settings, Settings
from schemas.tables import CATALOG, IMAGE_ATTRIBUTES, IMAGES, PRODUCT_ATTRIBUTES, PRODUCTS
from udfs.copy_print import copy_print

BUNDLE = "test@1"
NIGHT = datetime(2026, 11, 24, tzinfo=UTC)
_numbers = count()


@dataclass(frozen=True)
class Product:
    """A product with its pictures: (hash, vector) each; the first is the main one. Prints are drawn unless given."""

    product_id: str
    pictures: tuple[tuple[str, np.ndarray], ...]
    title: str = "Thing"
    category: str | None = "apparel/topwear/t-shirt"
    color: str | None = "red"
    pattern: str | None = "solid"
    brand: str | None = None
    price: Decimal | None = None
    contents: tuple[str, ...] = ()
    prints: tuple[str, ...] = ()
    claims: tuple[tuple[str, str], ...] = ()

    @property
    def shas(self) -> tuple[str, ...]:
        made = (hashlib.sha256(f"{self.product_id}/{n}".encode()).hexdigest() for n in range(len(self.pictures)))
        return self.contents or tuple(made)

    @property
    def copy_prints(self) -> tuple[str, ...]:
        return self.prints or tuple(copy_print(noise(int(hash_, 16))) for hash_, _ in self.pictures)

    @property
    def vector(self) -> np.ndarray:
        mean = np.mean([vector for _, vector in self.pictures], axis=0)
        return (mean / np.linalg.norm(mean)).astype(np.float32)


def noise(seed: int) -> np.ndarray:
    """Pixels that nothing else looks like."""
    coarse = np.random.default_rng(seed).integers(40, 220, (5, 5, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(coarse, (200, 200), interpolation=cv2.INTER_CUBIC))


def unit(vector: np.ndarray) -> np.ndarray:
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def random_products(number: int, *, dimension: int = 16, kinds: int = 6, seed: int = 0) -> list[Product]:
    """Products in some kinds; those of a kind have vectors near to each other."""
    rng = np.random.default_rng(seed)
    centers = rng.standard_normal((kinds, dimension))
    colors, brands = ("red", "blue", "black"), ("Acme", "Umbra", None)
    categories = ("apparel/topwear/t-shirt", "footwear/shoes/sports-shoes")
    made = []
    for place in range(number):
        kind = place % kinds
        views = tuple(
            (f"{rng.integers(2**63):016x}", unit(centers[kind] + 0.6 * rng.standard_normal(dimension)))
            for _ in range(1 + place % 2)
        )
        facts = {"color": colors[place % 3], "brand": brands[place % len(brands)], "category": categories[kind % 2]}
        made.append(Product(f"p{place:05d}", views, title=f"Thing number {place}", **facts))
    return made


class VectorShop:
    """Tables as fuse leaves them, and the index made of them."""

    def __init__(self, spark: Any, folder: Path, **index_settings: Any) -> None:
        self.spark = spark
        self.root = f"file://{folder}"
        self.settings = Settings(tables=str(folder), index=index_settings)
        self.store = TableStore(spark, self.root)
        self.store.ensure()
        self.objects = small_objects(self.root, S3Settings())

    def put(self, products: Iterable[Product], *, gone: Sequence[str] = ()) -> None:
        """Enter products, or replace them; take others away."""
        products = list(products)
        if products:
            self._upsert(PRODUCTS, [_product_row(product) for product in products])
            self._upsert(CATALOG, [row for product in products for row in _catalog_rows(product)])
            self._upsert(IMAGES, [row for product in products for row in _image_rows(product)])
            described = {row["content_sha256"]: row for product in products for row in _attribute_rows(product)}
            self._upsert(IMAGE_ATTRIBUTES, list(described.values()))
            claims = [row for product in products for row in _claim_rows(product)]
            if claims:
                self._upsert(PRODUCT_ATTRIBUTES, claims)
        if gone:
            spelled = ", ".join(f"'{product_id}'" for product_id in gone)
            for table in (PRODUCTS, CATALOG):
                extra = ", is_publishable = false" if table is PRODUCTS else ""
                self.store.execute(
                    f"UPDATE {{table}} SET is_active = false{extra} WHERE product_id IN ({spelled})", table
                )

    def index(self, **changes: Any) -> dict[str, int]:
        """Run the index job; returns its counts."""
        settings = replace_settings(self.settings, **changes)
        run = Run(self.spark, self.store, settings, f"r{next(_numbers)}", BUNDLE, started_at=datetime.now(UTC))
        index(run, self.objects)
        return run.records[-1].counts

    def rows(self, table: str, where: str = "true") -> list[dict[str, Any]]:
        return [row.asDict(recursive=True) for row in self.store.read(table).where(where).collect()]

    def content(self, table: str, key: tuple[str, ...]) -> dict[tuple[Any, ...], dict[str, Any]]:
        """Rows by key without what says when they were written."""
        return {
            tuple(row[name] for name in key): {
                name: value for name, value in row.items() if name not in ("indexed_at", "run_id")
            }
            for row in self.rows(table)
        }

    def versions(self, *tables: str) -> dict[str, int]:
        return {table: self.store.version(table) for table in tables}

    def _upsert(self, table: Table, rows: list[dict[str, Any]]) -> None:
        schema = arrow_schema(table.columns)
        filled = [{name: row.get(name) for name in schema.names} for row in rows]
        frame = self.spark.createDataFrame(pa.Table.from_pylist(filled, schema=schema), ddl_columns(table.columns))
        self.store.upsert(table, frame)


def replace_settings(settings: Settings, **changes: Any) -> Settings:
    return Settings(**{**settings.model_dump(), "index": {**settings.index.model_dump(), **changes}})


def _uri(product: Product, view: int) -> str:
    return f"file:///shop/{product.product_id}-{view}.jpg"


def _product_row(product: Product) -> dict[str, Any]:
    told = repr((replace(product, pictures=()), [(hash_, vector.tobytes()) for hash_, vector in product.pictures]))
    return {
        "product_id": product.product_id,
        **{name: getattr(product, name) for name in ("title", "category", "color", "pattern", "brand")},
        "price": product.price,
        "name_en": f"{product.color} thing",
        "name_zh": "红色东西" if product.color == "red" else "东西",
        "main_image_uri": _uri(product, 0),
        "main_content_sha256": product.shas[0],
        "image_count": len(product.pictures),
        "barcodes": [],
        "embedding": product.vector.tolist(),
        "conflicts": [],
        "needs_review": False,
        "is_publishable": product.category is not None,
        "is_active": True,
        "input_hash": hashlib.sha256(told.encode()).hexdigest(),
        "bundle_version": BUNDLE,
        "fused_at": NIGHT,
        "changed_at": NIGHT,
        "run_id": "test",
    }


def _catalog_rows(product: Product) -> list[dict[str, Any]]:
    return [
        {
            "product_id": product.product_id,
            "image_uri": _uri(product, view),
            "view": view,
            "row_hash": "0",
            "is_active": True,
            "first_seen_at": NIGHT,
            "changed_at": NIGHT,
            "run_id": "test",
        }
        for view in range(len(product.pictures))
    ]


def _image_rows(product: Product) -> list[dict[str, Any]]:
    return [
        {
            "image_uri": _uri(product, view),
            "status": "extracted",
            "is_active": True,
            "content_sha256": sha,
            "bundle_version": BUNDLE,
            "attempts": 0,
            "first_seen_at": NIGHT,
            "changed_at": NIGHT,
            "run_id": "test",
        }
        for view, sha in enumerate(product.shas)
    ]


def _attribute_rows(product: Product) -> list[dict[str, Any]]:
    return [
        {
            "content_sha256": sha,
            "bundle_version": BUNDLE,
            "width_px": 100,
            "height_px": 100,
            "quality": {"score": 1.0},
            "perceptual_hash": hash_,
            "copy_print": print_,
            "embedding": vector.tolist(),
            "extracted_at": NIGHT,
            "run_id": "test",
        }
        for sha, (hash_, vector), print_ in zip(product.shas, product.pictures, product.copy_prints, strict=True)
    ]


def _claim_rows(product: Product) -> list[dict[str, Any]]:
    return [
        {
            "product_id": product.product_id,
            "attribute": attribute,
            "value": value,
            "confidence": 0.9,
            "source": "title",
            "is_chosen": True,
            "run_id": "test",
        }
        for attribute, value in product.claims
    ]
