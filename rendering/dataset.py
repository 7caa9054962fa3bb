"""Writes a catalogue to a folder: pictures, the feed, labels and the full truth."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from rendering.broken import BrokenCase, broken_cases
from rendering.catalog import Listing, listing_of, product_at, view_counts
from rendering.product import Product
from rendering.render import RenderOptions, render_product
from rendering.truth import RenderedImage

FEED_COLUMNS = ("product_id", "image_uri", "title", "description", "brand", "category", "price", "updated_at")
LABEL_COLUMNS = (
    "image_path",
    "dataset",
    "split",
    "category",
    "subcategory",
    "color",
    "attributes_json",
    "boxes_json",
    "title",
    "description",
    "license",
    "source",
)
DEMO_PRODUCTS = 130
PICTURES_PER_PRODUCT = 300 / 130


@dataclass(frozen=True)
class DatasetSummary:
    """What was written.

    Args:
        folder: where.
        feed: the feed file.
        products: good products.
        pictures: good pictures.
        broken: broken and odd cases.
        feed_rows: rows of the feed.
    """

    folder: Path
    feed: Path
    products: int
    pictures: int
    broken: int
    feed_rows: int


def write_dataset(
    folder: Path,
    products: int = DEMO_PRODUCTS,
    views: int | None = None,
    seed: int = 7,
    broken: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> DatasetSummary:
    """Draw a catalogue into a folder.

    Writes `images/`, `catalog.csv` (the feed; addresses are relative to it), `labels.csv` (columns of the labelled
    photo sets) and `truth.jsonl` (everything known, one picture or broken case per line).

    Args:
        folder: made if need be; files of the same name are replaced.
        products: number of products.
        views: pictures per product; by default 300 pictures for 130 products.
        seed: the catalogue's seed.
        broken: add the broken and odd files and rows.
        progress: called with pictures done and pictures to do.

    Raises:
        ValueError: `products` or `views` is below 1.
        FontMissingError: the `render` extra is not installed.
    """
    if products < 1 or (views is not None and views < 1):
        raise ValueError(f"products ({products}) and views ({views}) must be at least 1")
    pictures = products * views if views else max(products, round(products * PICTURES_PER_PRODUCT))
    (folder / "images").mkdir(parents=True, exist_ok=True)
    feed: list[dict[str, str | None]] = []
    labels: list[dict[str, str]] = []
    truth: list[dict[str, Any]] = []
    first: tuple[Product, bytes] | None = None
    for index, count in enumerate(view_counts(products, pictures)):
        product = product_at(seed, index)
        listing = listing_of(product)
        for view in range(count):
            image = render_product(product, view)
            path = image_path(product, view, image.extension)
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(image.data)
            if first is None and image.extension == "jpg":
                first = (product, image.data)
            feed.append(feed_row(product, listing, path))
            labels.append(_label_row(product, listing, path, image))
            truth.append(truth_row(product, listing, path, image))
            if progress is not None:
                progress(len(truth), pictures)
    cases = _write_broken(folder, seed, products, first, feed, truth) if broken else []
    _write_csv(folder / "catalog.csv", FEED_COLUMNS, feed)
    _write_csv(folder / "labels.csv", LABEL_COLUMNS, labels)
    lines = (json.dumps(row, ensure_ascii=False) for row in truth)
    (folder / "truth.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return DatasetSummary(folder, folder / "catalog.csv", products, pictures, len(cases), len(feed))


def image_path(product: Product, view: int, extension: str) -> str:
    """Path of a picture below the catalogue's folder; two letters of hash spread millions over folders."""
    shard = hashlib.blake2b(product.product_id.encode(), digest_size=1).hexdigest()
    return f"images/{shard}/{product.product_id}_{view}.{extension}"


def feed_row(product: Product, listing: Listing, path: str) -> dict[str, str | None]:
    """One row of the feed."""
    return {
        "product_id": product.product_id,
        "image_uri": path,
        "title": listing.title,
        "description": listing.description,
        "brand": listing.brand,
        "category": listing.category,
        "price": listing.price,
        "updated_at": listing.updated_at,
    }


def truth_row(product: Product, listing: Listing, path: str, image: RenderedImage) -> dict[str, Any]:
    """Everything known about one picture, as plain values."""
    return {
        "image_uri": path,
        "expected_outcome": "extracted",
        **image.truth.as_dict(),
        "brand": product.brand,
        "brand_zh": product.brand_zh,
        "name": {"en": product.name_en, "zh": product.name_zh},
        "net_content": {"en": product.net_content, "zh": product.net_content_zh},
        "barcode": product.barcode,
        "price": product.price,
        "title_language": listing.language,
        "title_flaws": list(listing.flaws),
    }


def split_of(product_id: str) -> str:
    """Train, val or test (70/15/15), by product, so that views of one product stay together."""
    place = hashlib.blake2b(f"split/{product_id}".encode(), digest_size=2).digest()
    share = int.from_bytes(place, "little") / 65536
    return "train" if share < 0.7 else "val" if share < 0.85 else "test"


def _label_row(product: Product, listing: Listing, path: str, image: RenderedImage) -> dict[str, str]:
    truth = image.truth
    attributes = {
        "pattern": truth.pattern,
        "shape": truth.shape,
        "kind": truth.kind,
        "view": truth.view_name,
        "background": truth.background,
        "colors": truth.as_dict()["colors"],
        "width": truth.width,
        "height": truth.height,
        "texts": [line.text for line in truth.texts if line.legible],
    }
    boxes = [{"label": product.kind, "box": [round(value, 1) for value in truth.box]}]
    boxes += [{"label": "tag", "box": [round(value, 1) for value in box]} for box in truth.tag_boxes]
    return {
        "image_path": path,
        "dataset": "rendered",
        "split": split_of(product.product_id),
        "category": truth.category,
        "subcategory": truth.kind,
        "color": truth.colors[0][0] if truth.colors else product.colors[0],
        "attributes_json": json.dumps(attributes, ensure_ascii=False),
        "boxes_json": json.dumps(boxes),
        "title": listing.title or "",
        "description": listing.description or "",
        "license": "Apache-2.0",
        "source": "rendered by vitrine",
    }


def _write_broken(
    folder: Path,
    seed: int,
    products: int,
    first: tuple[Product, bytes] | None,
    feed: list[dict[str, str | None]],
    truth: list[dict[str, Any]],
) -> list[BrokenCase]:
    """Write the broken cases after the good ones; adds their feed rows and truth."""
    odd = product_at(seed, products)
    picture = render_product(odd, 0, RenderOptions(encoded=False))
    sample = Image.fromarray(picture.pixels[..., :3])
    original = first[1] if first is not None else _jpeg(sample)
    cases = broken_cases(sample, original)
    (folder / "images" / "odd").mkdir(parents=True, exist_ok=True)
    for number, case in enumerate(cases):
        if case.file_name is not None and case.data is not None:
            (folder / "images" / "odd" / case.file_name).write_bytes(case.data)
        shown = first[0] if case.name.startswith("exact duplicate") and first is not None else odd
        product_id = f"ODD{number + 1:03d}"
        row = {**feed_row(odd, listing_of(odd), ""), "product_id": product_id, "image_uri": case.uri, **case.row}
        feed.extend(dict(row) for _ in range(case.copies))
        truth.append(
            {
                "image_uri": case.uri,
                "product_id": row["product_id"],
                "case": case.name,
                "expected_outcome": "extracted" if case.expected is None else case.expected.value,
                "note": case.note,
                "rows": case.copies,
                "category": shown.category if case.data is not None and case.expected is None else None,
            }
        )
    return cases


def _jpeg(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def _write_csv(path: Path, columns: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows({column: row[column] for column in columns} for row in rows)
