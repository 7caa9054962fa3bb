"""Text in a picture on the report page: where its lines stand, what they say, and what they tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jobs.report_text import clean, words

MOST_LINES = 40
"""Lines, and facts, shown per picture."""

LINE_CHARACTERS = 160

SUMMARY_FIELDS = ("price", "net_content", "size", "material", "best_before", "barcode")
"""Facts on a card, the most telling first."""

SUMMARY_CONFIDENCE = 0.5
_SUMMARY_FACTS = 3

_STATUS_WORDS = {"no_text": "none seen", "too_small": "too small for letters", "failed": "could not be read"}


@dataclass(frozen=True)
class Quad:
    """A line of text, or a tag, as the points of an SVG polygon in pixels of the upright picture."""

    points: str
    is_tag: bool


def text_quads(row: Mapping[str, Any]) -> tuple[Quad, ...]:
    """Places of tags and lines in a row of `image_attributes`, to be drawn in this order."""
    found = [one["box"] for one in row.get("detections") or [] if one["label"] == "tag"]
    tags = [Quad(_points(_corners(box)), is_tag=True) for box in found]
    lines = [Quad(_points(line["quad"]), is_tag=False) for line in (row.get("text_lines") or [])[:MOST_LINES]]
    codes = [Quad(_points(code["quad"]), is_tag=False) for code in row.get("barcodes") or []]
    return (*tags, *lines, *codes)


def text_summary(row: Mapping[str, Any]) -> str:
    """The facts that a card shows, e.g. "19.90 CNY · 500 g"; else the clearest words; "" without text."""
    fields = row.get("text_fields") or []
    facts = [
        clean(field["value"], 40)
        for name in SUMMARY_FIELDS
        for field in fields
        if field["name"] == name and field["confidence"] >= SUMMARY_CONFIDENCE
    ]
    if facts:
        return " · ".join(dict.fromkeys(facts[:_SUMMARY_FACTS]))
    lines = row.get("text_lines") or []
    return clean(max(lines, key=lambda line: line["height_px"])["text"], 40) if lines else ""


def text_lines(row: Mapping[str, Any]) -> list[list[Any]]:
    """[text, confidence] of each line, in reading order."""
    return [
        [clean(line["text"], LINE_CHARACTERS), round(float(line["confidence"]), 4)]
        for line in (row.get("text_lines") or [])[:MOST_LINES]
    ]


def text_facts(row: Mapping[str, Any]) -> list[list[Any]]:
    """[name, value, confidence, the characters that say so] of each fact."""
    return [
        [
            words(field["name"]),
            clean(field["value"], LINE_CHARACTERS),
            round(float(field["confidence"]), 4),
            clean(field["evidence"], LINE_CHARACTERS),
        ]
        for field in (row.get("text_fields") or [])[:MOST_LINES]
    ]


def text_status(row: Mapping[str, Any]) -> str:
    """What became of looking for text, in words."""
    status = row.get("text_status")
    if status is None:
        return "not looked for"
    if status == "read":
        count = len(row.get("text_lines") or [])
        return f"{count} line{'' if count == 1 else 's'} read"
    return _STATUS_WORDS.get(status, words(status))


def _corners(box: Mapping[str, float]) -> list[float]:
    left, top, right, bottom = (box[name] for name in ("x_min", "y_min", "x_max", "y_max"))
    return [left, top, right, top, right, bottom, left, bottom]


def _points(corners: list[float]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(corners[0::2], corners[1::2], strict=False))
