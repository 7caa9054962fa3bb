"""One picture on the report page: what its card shows, what its details dialog shows, what filters find it by."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jobs.report_data import Picture
from jobs.report_ocr import Quad, text_facts, text_lines, text_quads, text_status, text_summary
from jobs.report_text import TITLE_CHARACTERS, clean, file_size, hex_color, number, percent, utc_time, words
from schemas.contract import Column, Struct
from schemas.image_columns import IMAGE_COLUMNS
from schemas.taxonomy import load_taxonomy

LOW_CONFIDENCE = 0.5
"""Pictures whose category is less sure than this are called unsure."""

CARD_COLORS = 3

QUALITY_FLAGS: tuple[tuple[str, str, float, str], ...] = (
    ("score", "<", 0.4, "low quality"),
    ("sharpness", "<", 0.45, "blurry"),
    ("brightness", "<", 0.2, "dark"),
    ("contrast", "<", 0.06, "flat"),
    ("noise_sigma", ">", 8.0, "noisy"),
    ("color_cast", ">", 15.0, "color cast"),
)
"""Measure, comparison, threshold and word of the flags on a card. For display only: nothing is decided by them."""

DETAIL_GROUPS = (
    ("Quality", "quality"),
    ("Texture", "texture"),
    ("Shape", "shape_descriptors"),
    ("Time spent", "step_ms"),
)


@dataclass(frozen=True)
class Box:
    """The product box in pixels of the upright picture; dashed when it is only the whole frame."""

    width: int
    height: int
    x: float
    y: float
    box_width: float
    box_height: float
    is_whole_frame: bool


@dataclass(frozen=True)
class ColorView:
    """One dominant color."""

    name: str
    name_zh: str
    hex: str
    share: str
    flex: float


# Measures tell color, pattern and shape on the card; whether there is text says little to a reader.
CHIP_ATTRIBUTES = frozenset({"gender", "season", "usage"})


@dataclass(frozen=True)
class CardView:
    """What a card shows; every text is cleaned but not HTML-escaped."""

    index: int
    title: str
    alt: str
    source: str | None
    note: str
    box: Box | None
    category: str
    category_zh: str
    category_parent: str
    category_path: str
    confidence: float
    is_unsure: bool
    guess: str
    colors: tuple[ColorView, ...]
    rest_flex: float
    color: str
    pattern: str
    shape: str
    attributes: tuple[str, ...]
    quads: tuple[Quad, ...]
    text: str
    flags: tuple[str, ...]
    is_new: bool
    product_line: str


def category_names(path: str | None) -> tuple[str, str, str]:
    """English name, Chinese name and the path above in English; an unknown path stands for itself."""
    if path is None:
        return "Not sure", "", ""
    taxonomy = load_taxonomy()
    if path not in taxonomy:
        return clean(path, 80), "", ""
    above = " › ".join(taxonomy.name(ancestor) for ancestor in taxonomy.ancestors(path))
    return taxonomy.name(path), taxonomy.name(path, "zh"), above


def card_view(index: int, picture: Picture) -> CardView:
    """The card of a picture."""
    row = picture.attributes
    category = row.get("category")
    name, name_zh, above = category_names(category)
    candidates = row.get("category_candidates") or []
    confidence = row.get("category_confidence") or (candidates[0]["score"] if candidates else 0.0)
    colors = tuple(_color_view(color) for color in row.get("colors") or [])
    product = picture.product
    title = clean(product.title if product else None, TITLE_CHARACTERS) or "Untitled"
    guess = category_names(candidates[0]["category"])[0] if category is None and candidates else ""
    return CardView(
        index=index,
        title=title,
        alt=_alternative_text(row, name if category else "product", title),
        source=_data_uri(picture.thumbnail),
        note=clean(picture.note, 200),
        box=_box(row),
        category=name,
        category_zh=name_zh,
        category_parent=above,
        category_path=category or "",
        confidence=min(1.0, max(0.0, float(confidence))),
        is_unsure=category is None or float(confidence) < LOW_CONFIDENCE,
        guess=guess,
        colors=colors,
        rest_flex=max(0.0, 1.0 - sum(color.flex for color in colors)),
        color=row.get("color") or "",
        pattern=row.get("pattern") or "",
        shape=words(row.get("shape") or ""),
        attributes=_stated_attributes(row),
        quads=text_quads(row),
        text=text_summary(row),
        flags=_flags(row),
        is_new=picture.is_new,
        product_line=_product_line(picture),
    )


def _stated_attributes(row: Mapping[str, Any]) -> tuple[str, ...]:
    """What the model states beyond what the card shows from measures."""
    return tuple(
        words(one["value"])
        for one in row.get("model_attributes") or []
        if one["is_stated"] and one["attribute"] in CHIP_ATTRIBUTES
    )


def _alternative_text(row: Mapping[str, Any], category: str, title: str) -> str:
    seen = " ".join(part for part in (row.get("color"), row.get("pattern"), category.lower()) if part)
    return f"{seen}: {title}"


def _data_uri(thumbnail: bytes | None) -> str | None:
    if thumbnail is None:
        return None
    return f"data:image/webp;base64,{base64.b64encode(thumbnail).decode('ascii')}"


def _box(row: Mapping[str, Any]) -> Box | None:
    region = row.get("region") or {}
    box, width, height = region.get("box"), row.get("width_px"), row.get("height_px")
    if not box or not width or not height:
        return None
    return Box(
        width,
        height,
        box["x_min"],
        box["y_min"],
        max(0.0, box["x_max"] - box["x_min"]),
        max(0.0, box["y_max"] - box["y_min"]),
        region.get("method") == "full_frame",
    )


def _color_view(color: Mapping[str, Any]) -> ColorView:
    share = float(color.get("share") or 0.0)
    return ColorView(
        clean(color.get("name"), 40),
        clean(color.get("name_zh"), 20),
        hex_color(color.get("hex")),
        percent(share),
        share,
    )


def _flags(row: Mapping[str, Any]) -> tuple[str, ...]:
    quality = row.get("quality") or {}
    flags = []
    for measure, comparison, threshold, word in QUALITY_FLAGS:
        value = quality.get(measure)
        if value is not None and (value < threshold if comparison == "<" else value > threshold):
            flags.append(word)
    return tuple(flags)


def _product_line(picture: Picture) -> str:
    product = picture.product
    if product is None:
        return ""
    parts = [clean(product.brand, 40), clean(product.category, 40), clean(product.price, 20)]
    return " · ".join(part for part in parts if part)


def detail_fields() -> list[dict[str, Any]]:
    """Names and explanations of the descriptors in the dialog, from the table contract, once for all pictures."""
    columns = {column.name: column for column in IMAGE_COLUMNS}
    groups = []
    for title, name in DETAIL_GROUPS:
        fields = _scalar_fields(columns[name])
        groups.append({"title": title, "fields": [[words(field.name), field.full_comment] for field in fields]})
    return groups


def _scalar_fields(column: Column) -> tuple[Column, ...]:
    assert isinstance(column.type, Struct), f"{column.name} is no struct"
    return tuple(field for field in column.type.fields if isinstance(field.type, str))


def picture_details(picture: Picture) -> dict[str, Any]:
    """What the dialog shows, ready for JSON; the script puts it in as text, never as HTML."""
    row = picture.attributes
    columns = {column.name: column for column in IMAGE_COLUMNS}
    values = []
    for _, name in DETAIL_GROUPS:
        struct = row.get(name) or {}
        values.append([number(struct.get(field.name)) for field in _scalar_fields(columns[name])])
    return {
        "title": clean(picture.product.title if picture.product else None),
        "facts": _facts(picture),
        "categories": _scores(row.get("category_candidates"), "category"),
        "labels": _scores(row.get("labels"), "label"),
        "attributes": [
            [f"{words(one['attribute'])}: {words(one['value'])}", round(float(one["confidence"]), 4)]
            for one in row.get("model_attributes") or []
        ],
        "pattern": _with_confidence(row, "pattern"),
        "shape": _with_confidence(row, "shape"),
        "color": _with_confidence(row, "color"),
        "colors": [_color_details(color) for color in row.get("colors") or []],
        "lines": text_lines(row),
        "fields": text_facts(row),
        "values": values,
    }


def _color_details(color: Mapping[str, Any]) -> list[Any]:
    view = _color_view(color)
    lab = f"L* {number(color.get('lab_l'))}, a* {number(color.get('lab_a'))}, b* {number(color.get('lab_b'))}"
    return [view.name, view.name_zh, view.hex, round(view.flex, 4), lab]


def _scores(candidates: Sequence[Mapping[str, Any]] | None, key: str) -> list[list[Any]]:
    shown = []
    for candidate in candidates or []:
        text = candidate[key]
        if key == "category":
            name, name_zh, above = category_names(text)
            text = f"{name} {name_zh}".strip() + (f" ({above})" if above else "")
        shown.append([clean(text, 120), round(float(candidate["score"]), 4)])
    return shown


def _with_confidence(row: Mapping[str, Any], name: str) -> list[Any]:
    confidence = row.get(f"{name}_confidence")
    return [words(row.get(name) or ""), None if confidence is None else round(float(confidence), 4)]


def _facts(picture: Picture) -> list[list[str]]:
    row, product = picture.attributes, picture.product
    region = row.get("region") or {}
    facts: list[tuple[str, str]] = []
    if product is not None:
        others = f" and {picture.product_count - 1:,} more" if picture.product_count > 1 else ""
        facts += [
            ("Product", clean(product.product_id, 200) + others),
            ("Brand", clean(product.brand, 200)),
            ("Category in the feed", clean(product.category, 200)),
            ("Price", clean(product.price, 40)),
        ]
    size = f"{number(row.get('width_px'))} × {number(row.get('height_px'))} px, {file_size(row.get('size_bytes'))}"
    area = percent(region.get("area_share"))
    facts += [
        ("Picture", clean(picture.image_uri)),
        ("File", f"{clean(row.get('format')).upper()}, {size}"),
        ("Product region", f"{words(region.get('method') or '')}, {area} of the picture" if region else ""),
        ("Trust in the region", percent(region.get("confidence"))),
        ("Text", text_status(row)),
        ("Corrected before measuring", ", ".join(words(item) for item in row.get("enhancements") or []) or "nothing"),
        ("Perceptual hash", clean(row.get("perceptual_hash"))),
        ("Content SHA-256", clean(row.get("content_sha256"))),
        ("Bundle", clean(row.get("bundle_version"))),
        ("Looked at", utc_time(row.get("extracted_at"))),
        ("By run", clean(row.get("run_id"))),
    ]
    return [[label, value] for label, value in facts if value]
