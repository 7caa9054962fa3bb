"""Decodes EAN and UPC barcodes in pictures, with zxing-cpp.

OpenCV's `cv2.barcode` was the alternative; `benchmarks/ocr/README.md` has the comparison.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

import cv2
import numpy as np
import zxingcpp
from numpy.typing import NDArray

from udfs.text_codes import is_gtin
from udfs.text_line import Quad

Pixels: TypeAlias = NDArray[np.uint8]
Symbology = Literal["ean13", "ean8", "upca", "upce"]

SHORTEST_SIDE = 24
"""Pictures with a shorter side hold no barcode that could be read: EAN-13 has 95 modules."""

_FORMATS = (zxingcpp.BarcodeFormat.EAN13, zxingcpp.BarcodeFormat.EAN8, zxingcpp.BarcodeFormat.UPCA)
_NAMES: dict[str, Symbology] = {"EAN13": "ean13", "EAN8": "ean8", "UPCA": "upca", "UPCE": "upce"}


@dataclass(frozen=True)
class Barcode:
    """A decoded barcode; the fields are those of `schemas.text_columns.BARCODE`.

    Args:
        digits: 8, 12 or 13 digits with a right check digit.
        format: ean13, ean8, upca or upce.
        quad: corners x1, y1, ..., x4, y4, px of the source image.
    """

    digits: str
    format: Symbology
    quad: Quad


def read_barcodes(pixels: Pixels) -> tuple[Barcode, ...]:
    """EAN-13, EAN-8 and UPC-A codes in a picture, from top to bottom; only those whose check digit is right.

    Codes may stand upright or be turned by 90 or 180 degrees, and a little tilted. Bars need about 1.2 px per module.

    Args:
        pixels: (H, W, 3) RGB or (H, W) gray, uint8.

    Raises:
        ValueError: `pixels` has another shape or type.
    """
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] != 3):
        raise ValueError(f"read_barcodes wants (H, W, 3) or (H, W) uint8, got {pixels.shape} {pixels.dtype}")
    if min(pixels.shape[:2]) < SHORTEST_SIDE:
        return ()
    gray = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    results = zxingcpp.read_barcodes(
        np.ascontiguousarray(gray),
        formats=_FORMATS,  # type: ignore[arg-type]
        text_mode=zxingcpp.TextMode.Plain,
        try_invert=False,
    )
    found: dict[str, Barcode] = {}
    for result in results:
        digits = re.sub(r"\D", "", result.text)
        name = _NAMES.get(result.format.name)
        if name is None or not is_gtin(digits):
            continue
        place = result.position
        corners = (place.top_left, place.top_right, place.bottom_right, place.bottom_left)
        quad = tuple(float(value) for point in corners for value in (point.x, point.y))
        found.setdefault(digits, Barcode(digits, name, quad))  # type: ignore[arg-type]
    return tuple(sorted(found.values(), key=lambda code: (code.quad[1], code.quad[0])))
