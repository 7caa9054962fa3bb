"""Moves pictures, maps and boxes of training samples into the square that the network looks at."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from models.detector.samples import ABSENT, Boxes, Bytes, as_boxes

Matrix = NDArray[np.float64]

LEAST_LEFT = 0.3
"""Products of which less than this is left by the picture's edge are neither wanted nor unwanted."""

_LEAST_TRACE = 0.02
_SMALLEST_BOX = 6.0
_AGREEING = 0.6
# Shrinking by more than this is done by area, since bilinear sampling would alias.
_ALIASING_SCALE = 0.7


def fit_matrix(height: int, width: int, side: int, *, stretch: bool) -> Matrix:
    """Maps px of a picture to px of the square, stretched or padded evenly."""
    x_scale, y_scale = side / width, side / height
    if not stretch:
        x_scale = y_scale = min(x_scale, y_scale)
    left, top = (side - width * x_scale) / 2, (side - height * y_scale) / 2
    return np.array([[x_scale, 0, left], [0, y_scale, top], [0, 0, 1]])


def about_middle(side: int, x_scale: float, y_scale: float, angle: float, shift: NDArray[np.float64]) -> Matrix:
    """Scales and turns (radians) about the square's middle, then shifts by shares of its side."""
    turn = np.array(
        [[np.cos(angle) * x_scale, -np.sin(angle) * y_scale], [np.sin(angle) * x_scale, np.cos(angle) * y_scale]]
    )
    middle = np.array([side / 2, side / 2])
    matrix = np.eye(3)
    matrix[:2, :2] = turn
    matrix[:2, 2] = middle + shift * side - turn @ middle
    return matrix


def warp(pixels: Bytes, matrix: Matrix, side: int, border: tuple[int, ...] | None) -> Bytes:
    """A picture in the square, beyond its edges the border's color, or its edges repeated where that is None."""
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:2, :2]))))
    if scale < _ALIASING_SCALE:
        height, width = pixels.shape[:2]
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        matrix = matrix @ np.diag([width / size[0], height / size[1], 1])
    mode = cv2.BORDER_REPLICATE if border is None else cv2.BORDER_CONSTANT
    return np.asarray(
        cv2.warpAffine(
            pixels, _centers(matrix), (side, side), flags=cv2.INTER_LINEAR, borderMode=mode, borderValue=border or 0
        )
    )


def warp_map(plane: Bytes, matrix: Matrix, side: int) -> Bytes:
    """A map in the square, its values kept; ABSENT beyond its edges."""
    return np.asarray(cv2.warpAffine(plane, _centers(matrix), (side, side), flags=cv2.INTER_NEAREST))


def _centers(matrix: Matrix) -> Matrix:
    """OpenCV counts from pixel centers, boxes from pixel corners."""
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    moved: Matrix = (np.linalg.inv(half) @ matrix @ half)[:2]
    return moved


def move_boxes(boxes: Boxes | None, matrix: Matrix, side: int, product: Bytes | None = None) -> Boxes | None:
    """Boxes after the move, clipped; those cut away whole are dropped, and None when one is nearly cut away.

    A turned box would grow, though what is in it hardly ever fills the corners: the ellipse inside the box is turned
    instead, and a product's only box is taken from its moved map `product` where the two agree.
    """
    if boxes is None:
        return None
    kept = []
    for x_min, y_min, x_max, y_max in boxes.tolist():
        middle = (matrix @ [(x_min + x_max) / 2, (y_min + y_max) / 2, 1])[:2]
        half = np.hypot(*(matrix[:2, :2] * [(x_max - x_min) / 2, (y_max - y_min) / 2]).T)
        low, high = np.clip(middle - half, 0, side), np.clip(middle + half, 0, side)
        left = float(np.prod(high - low) / max(np.prod(2 * half), 1e-6))
        if left <= _LEAST_TRACE:
            continue
        if left < LEAST_LEFT or (high - low).min() < _SMALLEST_BOX:
            return None
        kept.append([*low, *high])
    if product is not None and len(kept) == 1 and matrix[0, 1] != 0:
        tight = box_of(product != ABSENT)
        if tight is not None and overlap(tight, kept[0]) > _AGREEING:
            kept = [tight]
    return as_boxes(kept)


def box_of(mask: NDArray[np.bool_]) -> list[float] | None:
    """Bounding box [x_min, y_min, x_max, y_max] of a mask, upper ends exclusive; None when it is empty."""
    ys, xs = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(xs):
        return None
    return [float(xs[0]), float(ys[0]), float(xs[-1] + 1), float(ys[-1] + 1)]


def overlap(one: Sequence[float], other: Sequence[float]) -> float:
    """Intersection over union of two boxes."""
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(across, 0) * max(down, 0)
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return float(shared / max(areas - shared, 1e-6))
