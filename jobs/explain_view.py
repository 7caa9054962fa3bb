"""What the explanation page shows, made of explanations and table rows; every text is cleaned, not yet escaped."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from PIL import Image

from jobs.explain_figure import heat_image, picture_image, product_outline
from jobs.explain_tables import ProductRecord
from jobs.report_picture import category_names
from jobs.report_text import clean, hex_color, number, percent, words
from schemas.attributes import load_attributes
from schemas.taxonomy import load_taxonomy
from udfs.explain import TEXT, PictureExplanation, Statement
from udfs.heat_map import CATEGORY

HEAT_SIDE = 300
"""Long side (px) of heat maps on the page; the heat itself has some 7 x 7 places."""

MOST_LINES = 60

REGION_METHODS = {
    "detector": "the detector's box and mask",
    "border": "what differs from the backdrop",
    "contrast": "colors common in the middle and rare at the border",
    "full_frame": "nothing could be told apart, so the whole picture",
}
HEAT_METHODS = {
    "activations": "The heat is what each place adds to the odds of the value, from the network's own activations.",
    "occlusion": "The heat is how far the odds of the value fall when a place is covered.",
}
KINDS = {
    "kind-product": "Product (detector)",
    "kind-tag": "Tag",
    "kind-text": "Place of text",
    "kind-line": "Line read",
}


def picture_view(explained: PictureExplanation, place: str) -> dict[str, Any]:
    """One picture with all that is said of it.

    Args:
        explained: the explanation.
        place: where the picture is, to show.
    """
    image = picture_image(explained)
    width, height = image.size
    across, down = width / explained.picture.width_px, height / explained.picture.height_px
    boxes = _boxes(explained, across, down) if explained.attribute in {None, TEXT, CATEGORY} else []
    lines = _lines(explained, across, down) if explained.attribute in {None, TEXT} else []
    kinds = [kind for kind in KINDS if any(box["kind"] == kind for box in boxes) or (kind == "kind-line" and lines)]
    return {
        "place": clean(place, 300),
        "width": width,
        "height": height,
        "source": _data_uri(image, "WEBP"),
        "small": _data_uri(picture_image(explained, HEAT_SIDE), "WEBP"),
        "outlines": [
            " ".join(f"{x * width:.1f},{y * height:.1f}" for x, y in contour) for contour in product_outline(explained)
        ],
        "boxes": boxes,
        "lines": lines,
        "legend": [("outline", "Product (outline)"), *((kind, KINDS[kind]) for kind in kinds)],
        "region": _region_words(explained.columns["region"]),
        "heat": _heat_words(explained),
        "statements": [_statement(explained, said) for said in explained.statements],
        "reading": _reading(explained.columns) if explained.attribute in {None, TEXT} else None,
    }


def product_view(record: ProductRecord) -> dict[str, Any]:
    """The claims of a product's tables, grouped by attribute, and its texts with the words that say something."""
    claims = sorted(record.claims, key=lambda claim: (not claim["is_chosen"], -claim["confidence"]))
    order = ("category", *load_attributes().names)
    names = sorted(
        {claim["attribute"] for claim in claims}, key=lambda name: order.index(name) if name in order else len(order)
    )
    texts = [
        {"label": label, "parts": marked_parts(text, _spans(record.claims, source, text))}
        for label, source, text in (
            ("Title", "title", record.title),
            ("Description", "description", record.description),
        )
        if text
    ]
    why_empty = "No fuse stage has run on this product yet; what its pictures show stands below."
    return {
        "texts": texts,
        "groups": [_group(name, [claim for claim in claims if claim["attribute"] == name]) for name in names],
        "conflicts": [_conflict(one) for one in (record.product or {}).get("conflicts") or []],
        "why_empty": why_empty,
    }


def marked_parts(text: str, spans: Iterable[tuple[int, int]]) -> list[tuple[str, bool]]:
    """A text cut where marks begin and end: (part, is marked); spans may overlap and are clipped to the text."""
    marked = [False] * len(text)
    for start, end in spans:
        for place in range(max(0, start), min(len(text), end)):
            marked[place] = True
    cuts = [0, *(place for place in range(1, len(text)) if marked[place] != marked[place - 1]), len(text)]
    # Cleaning must not eat the space between two parts.
    return [(_visible(text[start:end]), marked[start]) for start, end in pairwise(cuts) if end > start]


def value_name(attribute: str, value: str, language: str = "en") -> str:
    """What to call a value of any attribute."""
    if attribute == CATEGORY:
        return category_names(value)[1 if language == "zh" else 0]
    dictionary = load_attributes()
    if attribute not in dictionary.names:
        return clean(value, 80)
    found = dictionary.find(attribute, value) or value
    name = dictionary.name(attribute, found, "zh" if language == "zh" else "en")
    return clean(name, 80) if language == "en" or name != value else ""


def attribute_label(attribute: str) -> str:
    """What to call an attribute."""
    dictionary = load_attributes()
    return dictionary.label(attribute) if attribute in dictionary.names else words(attribute).capitalize()


def _statement(explained: PictureExplanation, said: Statement) -> dict[str, Any]:
    heat = heat_image(explained, said.heat, HEAT_SIDE)
    is_category = said.attribute == CATEGORY
    return {
        "label": attribute_label(said.attribute),
        "value": value_name(said.attribute, said.value),
        "value_zh": value_name(said.attribute, said.value, "zh"),
        "above": _path_above(said.value) if is_category else "",
        "is_stated": said.is_stated,
        "is_unused": not _applies(said.attribute, explained.columns["category"]),
        "heat": _data_uri(heat, "WEBP"),
        "heat_text": f"{percent(said.inside)} of the heat lies on the product",
        "rivals": [
            {
                "label": value_name(said.attribute, rival.label),
                "share": percent(rival.probability),
                "width": f"{100 * min(1.0, rival.probability):.1f}",
                "is_value": rival.label == said.value,
            }
            for rival in said.rivals
        ],
        "measured": _measured(explained.columns, said.attribute),
        "colors": _colors(explained.columns) if said.attribute == "color" else [],
        "enrolled": [
            f"Taught by examples: {category_names(one.path)[0]}, score {number(one.score)} of {number(one.threshold)} "
            + ("needed" if one.score < one.threshold else f"needed, confidence {percent(one.confidence)}")
            for one in (explained.enrolled[:3] if is_category else ())
        ],
    }


def _applies(attribute: str, category: str | None) -> bool:
    """Whether a statement counts for such a product; unknown ones keep all."""
    dictionary = load_attributes()
    return category is None or attribute not in dictionary.names or dictionary.applies(attribute, category)


def _measured(columns: Mapping[str, Any], attribute: str) -> str:
    """What the measures say beside the network."""
    if attribute not in {"color", "pattern", "shape"} or columns.get(attribute) is None:
        return ""
    name = value_name(attribute, columns[attribute])
    grounds = {"color": "the product's pixels", "pattern": "texture measures", "shape": "the outline"}[attribute]
    return f"By {grounds}: {name}, {percent(float(columns[f'{attribute}_confidence']))}"


def _colors(columns: Mapping[str, Any]) -> list[dict[str, str]]:
    return [
        {
            "name": clean(color["name"], 40),
            "name_zh": clean(color["name_zh"], 40),
            "hex": hex_color(color["hex"]),
            "share": percent(float(color["share"])),
            "flex": f"{max(0.0, float(color['share'])):.4f}",
        }
        for color in columns.get("colors") or []
    ]


def _boxes(explained: PictureExplanation, across: float, down: float) -> list[dict[str, Any]]:
    boxes = []
    for found in explained.columns.get("detections") or []:
        box = found["box"]
        boxes.append(
            {
                "kind": f"kind-{found['label']}",
                "x": f"{box['x_min'] * across:.1f}",
                "y": f"{box['y_min'] * down:.1f}",
                "width": f"{max(0.0, box['x_max'] - box['x_min']) * across:.1f}",
                "height": f"{max(0.0, box['y_max'] - box['y_min']) * down:.1f}",
            }
        )
    return boxes


def _lines(explained: PictureExplanation, across: float, down: float) -> list[dict[str, str]]:
    return [
        {
            "points": " ".join(
                f"{x * across:.1f},{y * down:.1f}" for x, y in zip(line["quad"][::2], line["quad"][1::2], strict=True)
            )
        }
        for line in explained.columns.get("text_lines") or []
    ]


def _region_words(region: Mapping[str, Any]) -> str:
    found = REGION_METHODS.get(region["method"], words(region["method"]))
    return (
        f"The product is {percent(float(region['area_share']))} of the picture, found by {found} "
        f"(trust {percent(float(region['confidence']))})."
    )


def _heat_words(explained: PictureExplanation) -> str:
    methods = dict.fromkeys(HEAT_METHODS[said.heat.method] for said in explained.statements)
    return " ".join(methods)


def _reading(columns: Mapping[str, Any]) -> dict[str, Any] | None:
    status = columns.get("text_status")
    if status is None:
        return None
    lines = (columns.get("text_lines") or [])[:MOST_LINES]
    titles = {"read": "Read on the product", "no_text": "None seen", "too_small": "Too small to read"}
    return {
        "title": titles.get(status, "Reading failed"),
        "fields": [_field(field, lines) for field in columns.get("text_fields") or []],
        "lines": [
            {"text": clean(line["text"], 300), "confidence": percent(float(line["confidence"]))} for line in lines
        ],
    }


def _field(field: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    at, start, end = field["line"], field["span_start"], field["span_end"]
    if at is None or start is None or end is None or at >= len(lines):
        before, marked, after = "", field["evidence"] or "", ""
    else:
        text = lines[at]["text"]
        before, marked, after = text[:start], text[start:end], text[end:]
    return {
        "name": attribute_label(field["name"]),
        "value": clean(field["value"], 200),
        "confidence": percent(float(field["confidence"])),
        "before": _visible(before),
        "marked": _visible(marked),
        "after": _visible(after),
    }


def _group(attribute: str, claims: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    chosen = next((claim["value"] for claim in claims if claim["is_chosen"]), None)
    return {
        "label": attribute_label(attribute),
        "chosen": "" if chosen is None else value_name(attribute, chosen),
        "claims": [
            {
                "value": value_name(attribute, claim["value"]),
                "source": claim["source"],
                "confidence": percent(float(claim["confidence"])),
                "is_chosen": claim["is_chosen"],
                "evidence": _evidence_words(claim.get("evidence") or {}),
            }
            for claim in claims
        ],
    }


def _evidence_words(evidence: Mapping[str, Any]) -> str:
    name = (evidence.get("image_uri") or "").rpartition("/")[2]
    share = evidence.get("share")
    parts = []
    if evidence.get("text"):
        parts.append(f"“{clean(evidence['text'], 200)}”")
    if share is not None:
        parts.append(f"{percent(float(share))} of the product's pixels")
    if name:
        parts.append(f"in {clean(name, 120)}")
    return ", ".join(parts)


def _conflict(conflict: Mapping[str, Any]) -> dict[str, str]:
    attribute = conflict["attribute"]
    value, other = (value_name(attribute, conflict[key]) for key in ("value", "other_value"))
    return {
        "attribute": attribute_label(attribute),
        "text": f"{conflict['source']} says {value} ({percent(float(conflict['confidence']))}), "
        f"{conflict['other_source']} says {other} ({percent(float(conflict['other_confidence']))})",
    }


def _spans(claims: Sequence[Mapping[str, Any]], source: str, text: str) -> list[tuple[int, int]]:
    spans = []
    for claim in claims:
        evidence = claim.get("evidence") or {}
        start, end = evidence.get("span_start"), evidence.get("span_end")
        if claim["source"] == source and start is not None and end is not None and 0 <= start < end <= len(text):
            spans.append((int(start), int(end)))
    return spans


def _path_above(path: str) -> str:
    taxonomy = load_taxonomy()
    if path not in taxonomy:
        return ""
    return " › ".join(taxonomy.name(ancestor) for ancestor in taxonomy.ancestors(path))


def _visible(text: str) -> str:
    """`clean` with the spaces at both ends kept as one."""
    cleaned = clean(text)
    if not cleaned:
        return " " if text else ""
    return (" " if text[0].isspace() else "") + cleaned + (" " if text[-1].isspace() else "")


def _data_uri(image: Image.Image, kind: str) -> str:
    buffer = io.BytesIO()
    image.save(buffer, kind, quality=82, method=4)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
