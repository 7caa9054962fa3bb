"""Spark's side of fusing: Arrow batches of products in, fused rows with their claims out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa

from schemas.arrow import arrow_schema
from schemas.contract import Array, Column, Struct
from schemas.product_tables import PRODUCT_ATTRIBUTES, PRODUCTS
from schemas.settings import FuseSettings
from schemas.taxonomy import Taxonomy, load_taxonomy
from udfs.fuse import FusedProduct, fuse_products
from udfs.fuse_claims import Claim, Picture, ProductInput
from udfs.fusion import FusionWeights, weights_of
from udfs.runtime import BundleSource, runtime_for
from udfs.text_understanding import TextReader, text_reader_for

BOOKKEEPING = ("is_active", "input_hash", "bundle_version", "fused_at", "changed_at", "run_id")
"""Columns of `products` that the job fills in."""

CLAIM_COLUMNS = tuple(
    column for column in PRODUCT_ATTRIBUTES.columns if column.name not in ("product_id", "model_version", "run_id")
)
FUSED_COLUMNS: tuple[Column, ...] = (
    *(column for column in PRODUCTS.columns if column.name not in BOOKKEEPING),
    Column("input_hash", "string", "As given"),
    Column("claims", Array(Struct(CLAIM_COLUMNS)), "Every claim about the product"),
)

DESCRIBED_COLUMNS = (
    *("quality", "region", "color", "color_confidence", "colors", "pattern", "pattern_confidence", "shape"),
    *("shape_confidence", "category_candidates", "model_attributes", "embedding"),
    *("text_lines", "text_fields", "barcodes"),
)
"""Columns of `image_attributes` that fusing reads."""

# Products whose texts are read together.
_BATCH = 64


@dataclass(frozen=True)
class FuseConfig:
    """Everything an executor needs to fuse; small and picklable.

    Args:
        bundle: where the model bundle is.
        rules: thresholds.
    """

    bundle: BundleSource
    rules: FuseSettings


def fuse_batches(config: FuseConfig) -> Callable[[Iterable[pa.RecordBatch]], Iterable[pa.RecordBatch]]:
    """The function that the fuse job gives to `mapInArrow`.

    It expects the columns product_id, input_hash, `pictures` (array of structs: view, image_uri, title, description,
    brand, category, price, content_sha256, corrected, described) and `corrected`; it returns `FUSED_COLUMNS`.
    """

    def fuse(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        tools = None
        for batch in batches:
            for start in range(0, batch.num_rows, _BATCH):
                # A task without products loads no bundle.
                tools = tools or _Tools.of(config)
                rows = batch.slice(start, _BATCH).to_pylist()
                yield _batch(tools.fuse(rows), [row["input_hash"] for row in rows])

    return fuse


@dataclass(frozen=True)
class _Tools:
    """What fusing needs in a worker."""

    reader: TextReader
    weights: FusionWeights
    taxonomy: Taxonomy
    rules: FuseSettings

    @classmethod
    def of(cls, config: FuseConfig) -> _Tools:
        bundle = runtime_for(config.bundle).bundle
        known = load_taxonomy()
        enrolled = known if bundle.prototypes is None else bundle.prototypes.extended(known)
        return cls(text_reader_for(config.bundle), weights_of(bundle), enrolled, config.rules)

    def fuse(self, rows: Sequence[Mapping[str, Any]]) -> list[FusedProduct]:
        products = [product_input(row) for row in rows]
        return fuse_products(products, self.reader, self.weights, self.rules, self.taxonomy)


def product_input(row: Mapping[str, Any]) -> ProductInput:
    """A product from its row; facts of the feed are those of its first view that has them."""
    pictures = sorted(row["pictures"] or (), key=lambda picture: (picture["view"], picture["image_uri"]))

    def first(name: str) -> Any:
        return next((picture[name] for picture in pictures if picture[name] not in (None, "")), None)

    return ProductInput(
        product_id=row["product_id"],
        **{name: first(name) for name in ("title", "description", "brand", "category", "price")},
        pictures=tuple(
            Picture(
                image_uri=picture["image_uri"],
                view=picture["view"],
                content_sha256=None if picture["described"] is None else picture["content_sha256"],
                described=picture["described"],
                corrected=_mapping(picture["corrected"]),
            )
            for picture in pictures
        ),
        corrected=_mapping(row["corrected"]),
    )


def _mapping(entries: Sequence[Mapping[str, str]] | None) -> dict[str, str]:
    return {entry["key"]: entry["value"] for entry in entries or ()}


def _batch(fused: Sequence[FusedProduct], hashes: Sequence[str]) -> pa.RecordBatch:
    rows = [
        {**product.row, "input_hash": input_hash, "claims": [_claim(claim) for claim in product.claims]}
        for product, input_hash in zip(fused, hashes, strict=True)
    ]
    return pa.RecordBatch.from_pylist(rows, arrow_schema(FUSED_COLUMNS))


def _claim(claim: Claim) -> dict[str, Any]:
    row = asdict(claim)
    del row["is_stated"]
    return row
