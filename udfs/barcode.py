"""Decodes EAN-13 and UPC-A barcodes in pictures, with OpenCV's detector.

zxing-cpp was the alternative: two to seven times as fast, but from tilted, slightly blurred bars it read fewer codes,
and some wrong numbers with a right check digit (`benchmarks/ocr/README.md`). A wrong number is another product.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from udfs.text_codes import is_gtin
from udfs.text_line import Quad

Pixels: TypeAlias = NDArray[np.uint8]
Symbology = Literal["ean13", "upca"]

SHORTEST_SIDE = 40
"""Pictures with a shorter side hold no barcode that could be read: EAN-13 has 95 modules."""

# EAN-8 is left out: from bars too small to read, it came out wrong with a right check digit.
_NAMES: dict[str, Symbology] = {"EAN_13": "ean13", "UPC_A": "upca"}

# The detector passes over codes that fill much of a picture; at half the size it sees them.
_SCALES = (1.0, 0.5)

_local = threading.local()


@dataclass(frozen=True)
class Barcode:
    """A decoded barcode; the fields are those of `schemas.text_columns.BARCODE`.

    Args:
        digits: 12 or 13 digits with a right check digit.
        format: ean13 or upca.
        quad: corners x1, y1, ..., x4, y4, clockwise, px of the source image.
    """

    digits: str
    format: Symbology
    quad: Quad


def read_barcodes(pixels: Pixels) -> tuple[Barcode, ...]:
    """EAN-13 and UPC-A codes in a picture, from top to bottom; only those whose check digit is right.

    Codes may be turned in any direction. Bars need about 1.5 px per module; very large codes (4 px and
    more) may be missed.

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
    for scale in _SCALES:
        codes = _read(gray, scale)
        if codes:
            return tuple(sorted(codes, key=lambda code: (code.quad[1], code.quad[0])))
    return ()


def _read(gray: Pixels, scale: float) -> list[Barcode]:
    sized = gray if scale == 1 else cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    if min(sized.shape) < SHORTEST_SIDE:
        return []
    try:
        found, texts, types, places = _detector().detectAndDecodeWithType(np.ascontiguousarray(sized))
    except cv2.error:
        # OpenCV asserts on places at the very edge; a barcode that is cut off says nothing.
        return []
    if not found or places is None:
        return []
    codes: dict[str, Barcode] = {}
    for digits, kind, corners in zip(texts, types, places, strict=True):
        name = _NAMES.get(kind)
        if name is None or not is_gtin(digits):
            continue
        quad = tuple(round(float(value), 1) for value in np.ravel(_clockwise(corners) / scale))
        codes.setdefault(digits, Barcode(digits, name, quad))  # type: ignore[arg-type]
    return list(codes.values())


def _clockwise(corners: NDArray[np.float32]) -> NDArray[np.float32]:
    """The corners in clockwise order on screen, starting with the one nearest to the top left."""
    around = corners - corners.mean(axis=0)
    order = np.argsort(np.arctan2(around[:, 1], around[:, 0]))
    clockwise = corners[order]
    return np.roll(clockwise, -int(clockwise.sum(axis=1).argmin()), axis=0)


def _detector() -> Any:
    """One detector per thread: it keeps state between calls."""
    if not hasattr(_local, "detector"):
        _local.detector = cv2.barcode.BarcodeDetector()
    return _local.detector
