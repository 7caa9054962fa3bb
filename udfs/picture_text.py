"""The text stage of a micro-batch: lines, the facts in them, and barcodes, as columns; a failure is a status.

Where the bundle's detector names regions of text and tags, these are read; without a detector the cheap gate of
`udfs.text_likelihood` decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from models.model_input import Box, Pixels
from models.ocr_models import OcrModelsError
from schemas.settings import TextSettings
from udfs.barcode import Barcode, read_barcodes
from udfs.detect import Detections
from udfs.ocr import OcrSettings, TextReading, recognize_texts
from udfs.ocr_detect import DetectSettings
from udfs.ocr_regions import areas_of
from udfs.ocr_sessions import ocr_sessions_for
from udfs.text_fields import parse_fields
from udfs.text_line import Quad, TextLine

NOT_ASKED: dict[str, Any] = {
    "text_lines": None,
    "text_fields": None,
    "barcodes": None,
    "text_status": None,
    "text_likelihood": None,
}
"""The text columns of a picture in which text was not looked for."""

# Bars reach beyond the digits below them, which the detector takes for text, by a share of their length.
_BARCODE_REACH = 0.7


def text_boxes(detections: Detections | None) -> list[Box] | None:
    """Boxes in which text may stand, px as the detections; None, which asks the gate, without a detector."""
    if detections is None:
        return None
    return [one.box for one in (*detections.texts, *detections.tags)]


def read_texts(
    pictures: Sequence[Pixels], boxes: Sequence[Sequence[Box] | None], settings: TextSettings
) -> list[TextReading]:
    """Read the text in some pictures, their lines in common batches. Never raises: a failure is the reading's status.

    Args:
        pictures: (H, W, 3) uint8 RGB.
        boxes: where text may stand in each, from `text_boxes`.
        settings: limits.
    """
    limits = OcrSettings(detect=DetectSettings(side_limit=settings.side_limit, most_lines=settings.most_lines))
    try:
        sessions = ocr_sessions_for(engine=settings.engine)
        return recognize_texts(pictures, boxes, sessions=sessions, settings=limits)
    except OcrModelsError as error:
        return [TextReading("failed", detail=str(error))] * len(pictures)
    except Exception as error:  # noqa: BLE001 - text is extra: an odd picture must neither fail nor fail its batch
        if len(pictures) == 1:
            return [TextReading("failed", detail=f"{type(error).__name__}: {error}")]
    return [read_texts([one], [its], settings)[0] for one, its in zip(pictures, boxes, strict=True)]


def find_barcodes(pixels: Pixels, boxes: Sequence[Box]) -> tuple[Barcode, ...]:
    """Barcodes in and around boxes of text, where the digits below the bars stand; px of the picture."""
    height, width = pixels.shape[:2]
    found: dict[str, Barcode] = {}
    for area in areas_of([_widened(box) for box in boxes], height, width, 0.0):
        for code in read_barcodes(pixels[area.rows, area.columns]):
            quad = _moved(code.quad, area.left, area.top)
            found.setdefault(code.digits, replace(code, quad=quad))
    return tuple(sorted(found.values(), key=lambda code: (code.quad[1], code.quad[0])))


def _widened(box: Box) -> Box:
    x_min, y_min, x_max, y_max = box
    reach = _BARCODE_REACH * max(x_max - x_min, y_max - y_min)
    # An empty box stays empty.
    return (x_min - reach, y_min - reach, x_max + reach, y_max + reach) if x_max > x_min and y_max > y_min else box


def text_columns(reading: TextReading, barcodes: Sequence[Barcode], scale: tuple[float, float]) -> dict[str, Any]:
    """The columns of `schemas.text_columns.TEXT_COLUMNS`.

    Args:
        reading: of a picture.
        barcodes: found in it.
        scale: what its px are multiplied by, across and down, for px of the upright source.
    """
    lines = [_source_line(line, scale) for line in reading.lines]
    codes = [replace(code, quad=_scaled(code.quad, scale)) for code in barcodes]
    return {
        "text_lines": [asdict(line) for line in lines],
        "text_fields": [asdict(field) for field in parse_fields(lines, barcodes=codes)],
        "barcodes": [asdict(code) for code in codes],
        "text_status": reading.status,
        "text_likelihood": reading.likelihood,
    }


def _source_line(line: TextLine, scale: tuple[float, float]) -> TextLine:
    height = line.height_px * (scale[0] + scale[1]) / 2
    return replace(line, quad=_scaled(line.quad, scale), height_px=round(height, 1))


def _scaled(quad: Quad, scale: tuple[float, float]) -> Quad:
    return tuple(round(value * scale[place % 2], 1) for place, value in enumerate(quad))  # type: ignore[return-value]


def _moved(quad: Quad, left: int, top: int) -> Quad:
    return tuple(value + (left, top)[place % 2] for place, value in enumerate(quad))  # type: ignore[return-value]
