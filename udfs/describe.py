"""Describes one decoded picture by measures: quality, product region, color, pattern, shape."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from udfs.color import describe_color
from udfs.decode import DecodedImage
from udfs.perceptual_hash import perceptual_hash
from udfs.preprocess import enhance
from udfs.quality import measure_quality
from udfs.segment import Region, find_product
from udfs.shape import describe_shape
from udfs.texture import describe_texture

FEATURE_SIDE = 256
"""Long side (px) at which region, color, texture and shape are measured: one resize serves all of them."""


@dataclass(frozen=True)
class Description:
    """What the measures say of one picture.

    Args:
        columns: values of the measured columns of `schemas.image_columns.IMAGE_COLUMNS`, by name.
        pixels: (H, W, 3) uint8 RGB, enhanced, as the models should see it.
        box: the product's box in `pixels`: (x_min, y_min, x_max, y_max), px.
        step_ms: milliseconds by step.
    """

    columns: dict[str, Any]
    pixels: NDArray[np.uint8]
    box: tuple[float, float, float, float]
    step_ms: dict[str, float]


def describe_image(decoded: DecodedImage, *, enhance_pixels: bool = True) -> Description:
    """Measure a picture.

    Args:
        decoded: the upright picture.
        enhance_pixels: correct white balance, contrast and noise where the measures call for it.
    """
    clock = _Clock()
    quality = measure_quality(decoded.pixels)
    phash = perceptual_hash(decoded.pixels)
    clock.lap("quality")
    pixels, enhancements = enhance(decoded.pixels, quality) if enhance_pixels else (decoded.pixels, ())
    clock.lap("preprocess")
    small = _shrink(pixels, FEATURE_SIDE)
    region = find_product(small)
    clock.lap("segment")
    color = describe_color(small, region.mask)
    texture, pattern, pattern_confidence = describe_texture(small, region.mask)
    shape, shape_name, shape_confidence = describe_shape(region.mask)
    clock.lap("features")
    columns = {
        "format": decoded.format,
        "width_px": decoded.width_px,
        "height_px": decoded.height_px,
        "perceptual_hash": phash,
        "quality": asdict(quality),
        "enhancements": list(enhancements),
        "region": _region_column(region, decoded.width_px, decoded.height_px),
        "color": color.color,
        "color_confidence": color.confidence,
        "colors": [asdict(share) for share in color.colors],
        "pattern": pattern,
        "pattern_confidence": pattern_confidence,
        "texture": asdict(texture),
        "shape": shape_name,
        "shape_confidence": shape_confidence,
        "shape_descriptors": asdict(shape),
    }
    return Description(columns, pixels, _scaled_box(region, pixels.shape[1], pixels.shape[0]), clock.laps)


class _Clock:
    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, step: str) -> None:
        now = time.perf_counter()
        self.laps[step] = (now - self._last) * 1e3
        self._last = now


def _shrink(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """The picture at no more than `side` px on its long side."""
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return pixels
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _scaled_box(region: Region, width: int, height: int) -> tuple[float, float, float, float]:
    """The region's box in a picture of another size."""
    mask_height, mask_width = region.mask.shape
    x_min, y_min, x_max, y_max = region.box
    across, down = width / mask_width, height / mask_height
    return (x_min * across, y_min * down, x_max * across, y_max * down)


def _region_column(region: Region, width: int, height: int) -> dict[str, Any]:
    box = dict(zip(("x_min", "y_min", "x_max", "y_max"), _scaled_box(region, width, height), strict=True))
    return {
        "box": box,
        "area_share": region.area_share,
        "confidence": region.confidence,
        "method": region.method,
    }
