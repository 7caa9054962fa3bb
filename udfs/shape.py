"""Describes the outline of a product by measures of its mask, and names it by rules over them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

_HOLE_SHARE = 0.005
_SMOOTHING = cv2.getGaussianKernel(13, 2.0, cv2.CV_32F)


@dataclass(frozen=True)
class ShapeDescriptors:
    """Shape descriptors of a mask; fields as `schemas.image_columns.SHAPE` documents them."""

    aspect_ratio: float
    fill: float
    solidity: float
    circularity: float
    eccentricity: float
    symmetry: float
    top_bottom_ratio: float
    holes: int


_EMPTY = ShapeDescriptors(1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0)


def describe_shape(mask: NDArray[np.bool_]) -> tuple[ShapeDescriptors, str, float]:
    """Measure a mask and name its outline.

    The rules, in order; the further the deciding measure is past its limit, the higher the confidence:

    - `irregular`: solidity below 0.6, or several parts, or no pixel at all;
    - `wide`, `tall`: aspect ratio above 1.8, below 0.55;
    - `round`: circularity above 0.84 and eccentricity below 0.66 (a square has circularity 0.785, a circle 1);
    - `tapered_up`, `tapered_down`: the top third is narrower than 0.72 of the bottom third, or the other way round;
    - `rectangular`: fills more than 0.78 of its box;
    - `irregular`: the rest.

    Args:
        mask: (H, W) bool, True on the product.

    Returns:
        (descriptors, shape name, confidence 0..1).
    """
    left, top, width, height = cv2.boundingRect(mask.view(np.uint8))
    if not width:
        return _EMPTY, "irregular", 0.0
    cut = np.ascontiguousarray(mask[top : top + height, left : left + width])
    area, mirrored = int(np.count_nonzero(cut)), int(np.count_nonzero(cut & cut[:, ::-1]))
    # A frame of background lets contours and smoothing see the outline where the box cuts it.
    framed = cv2.copyMakeBorder(cut.view(np.uint8), 3, 3, 3, 3, cv2.BORDER_CONSTANT, value=0)
    contours, hierarchy = cv2.findContours(framed, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    outer = [contour for contour, links in zip(contours, hierarchy[0], strict=True) if links[3] < 0]
    inner = [contour for contour, links in zip(contours, hierarchy[0], strict=True) if links[3] >= 0]
    hull_area = _pixel_area(cv2.convexHull(np.concatenate(outer)))
    filled = sum(_pixel_area(contour) for contour in outer)
    descriptors = ShapeDescriptors(
        aspect_ratio=width / height,
        fill=area / (width * height),
        solidity=min(filled / hull_area, 1.0),
        circularity=_circularity(framed),
        eccentricity=_eccentricity(cut),
        symmetry=mirrored / (2 * area - mirrored),
        top_bottom_ratio=_top_bottom_ratio(cut),
        holes=sum(cv2.contourArea(contour) > _HOLE_SHARE * area for contour in inner),
    )
    large_parts = sum(_pixel_area(contour) > 0.15 * filled for contour in outer)
    return descriptors, *_name(descriptors, large_parts)


def _pixel_area(contour: NDArray[np.int32]) -> float:
    """Area of a contour in pixels: OpenCV measures between pixel centers, which loses half a pixel all round."""
    return float(cv2.contourArea(contour) + cv2.arcLength(contour, True) / 2 + 1)


def _circularity(framed: NDArray[np.uint8]) -> float:
    """4 pi area / perimeter² of the largest outline, smoothed so that pixel steps do not lengthen it."""
    side = 160
    scale = side / max(framed.shape)
    size = (max(3, round(framed.shape[1] * scale)), max(3, round(framed.shape[0] * scale)))
    resized = cv2.resize(framed * 255, size, interpolation=cv2.INTER_LINEAR)
    resized = cv2.copyMakeBorder(resized, 6, 6, 6, 6, cv2.BORDER_CONSTANT, value=0)
    # The filters one after the other in floating point: a third of the cost of OpenCV's exact Gaussian of bytes.
    smooth = (cv2.sepFilter2D(resized, -1, _SMOOTHING, _SMOOTHING) > 127).view(np.uint8)
    contours, _ = cv2.findContours(smooth, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return 0.0
    contour = max(contours, key=cv2.contourArea).astype(np.float32)
    count = len(contour)
    if count < 8:
        return 0.0
    # A moving average over five contour points takes the staircase out of the length.
    padded = np.concatenate([contour[-2:], contour, contour[:2]])
    averaged = sum(padded[i : i + count] for i in range(5)) * np.float32(0.2)
    perimeter = cv2.arcLength(averaged, True)
    return min(4 * math.pi * cv2.contourArea(averaged) / perimeter**2, 1.0) if perimeter > 0 else 0.0


def _eccentricity(cut: NDArray[np.bool_]) -> float:
    """Eccentricity of the ellipse with the same second central moments."""
    moments = cv2.moments(cut.view(np.uint8), binaryImage=True)
    area = moments["m00"]
    # A pixel is a unit square: 1/12 is its own second moment.
    xx, yy, xy = moments["mu20"] / area + 1 / 12, moments["mu02"] / area + 1 / 12, moments["mu11"] / area
    root = math.hypot(xx - yy, 2 * xy)
    major, minor = (xx + yy + root) / 2, max((xx + yy - root) / 2, 0.0)
    return math.sqrt(1 - minor / major)


def _top_bottom_ratio(cut: NDArray[np.bool_]) -> float:
    widths = cv2.reduce(cut.view(np.uint8), 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S)[:, 0]
    third = max(1, len(widths) // 3)
    # A third that is nearly empty would make the ratio explode; ten is as good as infinite.
    return float(min(widths[:third].mean() / max(widths[-third:].mean(), 1e-6), 10.0))


def _name(shape: ShapeDescriptors, large_parts: int) -> tuple[str, float]:
    """The first rule that holds; half a point of confidence for holding, the rest for by how much."""
    narrow, broad = 0.72, 1 / 0.72
    rules = (
        ("irregular", large_parts > 1 or shape.solidity < 0.6, _margin(0.6 - shape.solidity, 0.3)),
        ("wide", shape.aspect_ratio > 1.8, _margin(shape.aspect_ratio - 1.8, 1.0)),
        ("tall", shape.aspect_ratio < 0.55, _margin(0.55 - shape.aspect_ratio, 0.25)),
        ("round", shape.circularity > 0.84 and shape.eccentricity < 0.66, _margin(shape.circularity - 0.84, 0.08)),
        ("tapered_up", shape.top_bottom_ratio < narrow, _margin(narrow - shape.top_bottom_ratio, 0.3)),
        ("tapered_down", shape.top_bottom_ratio > broad, _margin(shape.top_bottom_ratio - broad, 0.6)),
        ("rectangular", shape.fill > 0.78, _margin(shape.fill - 0.78, 0.15)),
    )
    for name, holds, margin in rules:
        if holds:
            return name, 0.5 + 0.5 * margin
    return "irregular", 0.5


def _margin(excess: float, full: float) -> float:
    return min(max(excess / full, 0.0), 1.0)
