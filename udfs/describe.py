"""Describes one decoded picture by measures: quality first, then, once it is known where the product is, its looks."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from models.model_input import Box, Pixels
from udfs.color import describe_color
from udfs.copy_print import copy_print
from udfs.decode import DecodedImage
from udfs.perceptual_hash import perceptual_hash
from udfs.picture_size import scaled_box, shrunk
from udfs.preprocess import Enhanced, enhance
from udfs.quality import Quality, luma_of, measure_quality
from udfs.segment import Region
from udfs.shape import describe_shape
from udfs.texture import describe_texture

FEATURE_SIDE = 256
"""Long side (px) at which region, color, texture and shape are measured: one resize serves all of them."""


class StepClock:
    """Milliseconds by step of one picture.

    Args:
        laps: steps so far, which are added to.
    """

    def __init__(self, laps: dict[str, float] | None = None) -> None:
        self.laps = {} if laps is None else laps
        self._last = time.perf_counter()

    def lap(self, step: str) -> None:
        """Count the time since the last lap for a step."""
        now = time.perf_counter()
        self.laps[step] = self.laps.get(step, 0.0) + (now - self._last) * 1e3
        self._last = now


@dataclass(frozen=True)
class Picture:
    """A picture whose quality is known, ready to be looked at.

    Args:
        format: of the file.
        width_px: width of the upright source.
        height_px: its height.
        pixels: (H, W, 3) uint8 RGB at the working size, corrected; what models see.
        small: (h, w, 3) uint8 RGB, `pixels` with at most `FEATURE_SIDE` on its long side.
        small_colored: (h, w, 3) uint8 RGB, the same to name colors by; see `udfs.preprocess.Enhanced`.
        quality: measures of the picture as it came.
        perceptual_hash: 16 hex digits.
        copy_print: see `udfs.copy_print`.
        enhancements: what was corrected.
        step_ms: milliseconds by step.
    """

    format: str
    width_px: int
    height_px: int
    pixels: Pixels
    small: Pixels
    small_colored: Pixels
    quality: Quality
    perceptual_hash: str
    copy_print: str
    enhancements: tuple[str, ...] = ()
    step_ms: dict[str, float] = field(default_factory=dict)

    def to_source(self, box: Box, size: tuple[int, int]) -> Box:
        """A box of a picture of that (height, width) in px of the upright source."""
        return scaled_box(box, size, (self.height_px, self.width_px))


def ready_picture(decoded: DecodedImage, *, enhance_pixels: bool = True) -> Picture:
    """Measure the quality of a decoded picture, and correct it.

    Args:
        decoded: the upright picture.
        enhance_pixels: correct white balance, contrast and noise where the measures call for it.
    """
    clock = StepClock()
    small = shrunk(decoded.pixels, FEATURE_SIDE)
    clock.lap("preprocess")
    luma = luma_of(decoded.pixels)
    quality = measure_quality(decoded.pixels, small, luma)
    phash, print_ = perceptual_hash(small), copy_print(small)
    clock.lap("quality")
    enhanced = enhance(decoded.pixels, quality, luma) if enhance_pixels else Enhanced(decoded.pixels, decoded.pixels)
    if enhanced.applied:
        small = shrunk(enhanced.pixels, FEATURE_SIDE)
    same = enhanced.colored is enhanced.pixels
    small_colored = small if same else shrunk(enhanced.colored, FEATURE_SIDE)
    clock.lap("preprocess")
    return Picture(
        format=decoded.format,
        width_px=decoded.width_px,
        height_px=decoded.height_px,
        pixels=enhanced.pixels,
        small=small,
        small_colored=small_colored,
        quality=quality,
        perceptual_hash=phash,
        copy_print=print_,
        enhancements=enhanced.applied,
        step_ms=clock.laps,
    )


def describe_product(picture: Picture, region: Region) -> dict[str, Any]:
    """The measured columns of `schemas.image_columns.IMAGE_COLUMNS`, by name.

    Args:
        picture: the picture.
        region: where its product is, in px of `picture.small`.
    """
    color = describe_color(picture.small_colored, region.mask)
    texture, pattern, pattern_confidence = describe_texture(picture.small, region.mask)
    shape, shape_name, shape_confidence = describe_shape(region.mask)
    return {
        "format": picture.format,
        "width_px": picture.width_px,
        "height_px": picture.height_px,
        "perceptual_hash": picture.perceptual_hash,
        "copy_print": picture.copy_print,
        "quality": columns_of(picture.quality),
        "enhancements": list(picture.enhancements),
        "region": {
            "box": box_column(picture.to_source(region.box, region.mask.shape)),
            "area_share": region.area_share,
            "confidence": region.confidence,
            "method": region.method,
        },
        "color": color.color,
        "color_confidence": color.confidence,
        "colors": [columns_of(share) for share in color.colors],
        "pattern": pattern,
        "pattern_confidence": pattern_confidence,
        "texture": columns_of(texture),
        "shape": shape_name,
        "shape_confidence": shape_confidence,
        "shape_descriptors": columns_of(shape),
    }


def columns_of(measures: Any) -> dict[str, Any]:
    """The fields of a flat dataclass; `dataclasses.asdict` copies each of them deeply, at many times the cost."""
    return dict(vars(measures))


def box_column(box: Box) -> dict[str, float]:
    """A box as `schemas.image_columns.BOX` has it."""
    x_min, y_min, x_max, y_max = (float(edge) for edge in box)
    return {"x_min": x_min, "y_min": y_min, "x_max": x_max, "y_max": y_max}
