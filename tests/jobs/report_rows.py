"""Rows as the tables hold them, for tests of the report: pictures drawn here, attributes as the contract names them."""

from __future__ import annotations

import hashlib
import io
from datetime import UTC, datetime
from typing import Any

from PIL import Image, ImageDraw

from jobs.report_data import (
    GateCheck,
    Picture,
    Product,
    Publication,
    QuarantineEntry,
    ReportData,
    Share,
    StageRun,
    flows_of,
)
from jobs.report_thumbnail import make_thumbnail
from schemas.contract import Array, Column, Struct
from schemas.image_columns import IMAGE_COLUMNS

NIGHT = datetime(2026, 11, 23, 2, 14, tzinfo=UTC)
RUN = "20261123T021400-1a2b3c"

COLORS = {"red": ("红色", "#c8202f"), "navy": ("藏青色", "#1f2a4d"), "white": ("白色", "#fafafa")}


def draw_picture(color: str, width: int = 300, height: int = 400, format_: str = "JPEG", seed: int = 0) -> bytes:
    """A product-like picture: an ellipse of that color on white; `seed` makes the content distinct."""
    image = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(image)
    pen.ellipse((width * 0.2, height * 0.2, width * 0.8, height * 0.8), fill=color)
    pen.line((0, seed % height, 10, seed % height), fill="black")
    pen.text((4, 4), str(seed), fill="gray")
    buffer = io.BytesIO()
    image.save(buffer, format_)
    return buffer.getvalue()


def sample_value(column: Column) -> Any:
    """A plausible value of a contract column."""
    if isinstance(column.type, Struct):
        return {field.name: sample_value(field) for field in column.type.fields}
    if isinstance(column.type, Array):
        return []
    return {"string": "text", "int": 2, "bigint": 4096, "float": 0.5, "boolean": True}[column.type]


def attributes(
    data: bytes, category: str | None, color: str = "red", confidence: float = 0.9, run_id: str = RUN
) -> dict[str, Any]:
    """An `image_attributes` row for a picture."""
    name_zh, hex_ = COLORS[color]
    row = {column.name: sample_value(column) for column in IMAGE_COLUMNS}
    share = {"name": color, "name_zh": name_zh, "hex": hex_, "lab_l": 40.0, "lab_a": 60.0, "lab_b": 30.0, "share": 0.8}
    return row | {
        "content_sha256": hashlib.sha256(data).hexdigest(),
        "bundle_version": "shop-1",
        "format": "jpeg",
        "width_px": 300,
        "height_px": 400,
        "region": {
            "box": {"x_min": 60.0, "y_min": 80.0, "x_max": 240.0, "y_max": 320.0},
            "area_share": 0.28,
            "confidence": 0.93,
            "method": "border",
        },
        "color": color,
        "colors": [share, share | {"name": "white", "name_zh": "白色", "hex": "#fafafa", "share": 0.2}],
        "pattern": "solid",
        "shape": "round",
        "category": category,
        "category_confidence": confidence if category else None,
        "category_candidates": [{"category": category or "apparel/topwear/t-shirt", "score": confidence}],
        "labels": [{"label": "jersey", "score": 0.31}],
        "model_attributes": [
            {"attribute": "gender", "value": "women", "confidence": 0.97, "is_stated": True},
            {"attribute": "usage", "value": "sports", "confidence": 0.41, "is_stated": False},
        ],
        "embedding": [0.6, 0.8],
        "extracted_at": NIGHT,
        "run_id": run_id,
    }


def picture(
    title: str | None, category: str | None = "apparel/topwear/t-shirt", seed: int = 0, **changes: Any
) -> Picture:
    """A sampled picture of the report."""
    color = changes.pop("color", "red")
    data = draw_picture(COLORS[color][1], seed=seed)
    row = attributes(data, category, color, changes.pop("confidence", 0.9))
    row |= changes.pop("attributes", {})
    product = Product(f"P-{seed}", title, "Acme", "Tops", "19.90")
    values = {"thumbnail": make_thumbnail(data), "product": product, "product_count": 1} | changes
    return Picture(f"s3://shop/pictures/{seed}.jpg", row, **values)


def stage_runs() -> tuple[StageRun, ...]:
    """The stages of a night whose books balance."""
    rows = {"feed_rows": 12, "rows_inserted": 3, "rows_updated": 1, "rows_unchanged": 6, "rows_rejected": 2}
    images = {"images": 9, "images_new": 2, "images_changed": 1, "images_unchanged": 6}
    extracted = {"images": 9, "candidates": 3, "extracted": 1, "reused": 1, "quarantined": 1, "unchanged": 6}
    steps = {"models": 14.2, "fetch": 1.4, "decode": 2.2}
    return (
        StageRun("ingest", "succeeded", NIGHT, NIGHT, 3.5, rows | images, {"bad_uri": 2}, git_sha="6dd13e3a8f2c11aa"),
        StageRun(
            "extract", "succeeded", NIGHT, NIGHT, 65.0, extracted, {"not_found": 1}, 41.3, steps, 2_400_000, "shop-1"
        ),
        StageRun("publish", "succeeded", NIGHT, NIGHT, 1.2, {"checks": 1, "published": 1}),
    )


def report_data(pictures: tuple[Picture, ...] = (), **changes: Any) -> ReportData:
    """A night's report."""
    stages = changes.pop("stages", stage_runs())
    checks = (GateCheck("quarantined_share", True, "1 of 9 (11%)", "at most 25%"),)
    values: dict[str, Any] = {
        "flows": flows_of(stages),
        "publication": Publication(12, RUN, NIGHT, "shop-1", {"catalog": 3}, checks),
        "picture_count": len(pictures),
        "quarantine": (
            QuarantineEntry("extract", "not_found", True, 2, "P-7", "s3://shop/gone.jpg", "404 for it", NIGHT, NIGHT),
            QuarantineEntry("ingest", "bad_uri", False, 1, "P-8", "<b>http//x</b>", "no scheme", NIGHT, NIGHT),
        ),
        "quarantine_counts": {"not_found": 1, "bad_uri": 31},
        "distributions": {
            "category": (Share("apparel/topwear/t-shirt", 3), Share(None, 1)),
            "color": (Share("red", 3), Share("navy", 1)),
            "pattern": (Share("solid", 4),),
        },
    }
    return ReportData(RUN, NIGHT, stages, pictures=pictures, **(values | changes))
