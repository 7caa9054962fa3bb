"""Brings a picture to the size a model wants, by the policy that the bundle's manifest states."""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from models.manifest import InputSpec

Pixels: TypeAlias = NDArray[np.uint8]
Box: TypeAlias = tuple[float, float, float, float]

_WHITE = 255


def model_input(pixels: Pixels, box: Box | None, spec: InputSpec) -> Pixels:
    """Cut and resize a picture for a model.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        box: the product's (x_min, y_min, x_max, y_max) in px of `pixels`, upper ends exclusive; used where the manifest
            asks for the box, else ignored. None stands for the whole picture.
        spec: the task's input in the manifest.

    Returns:
        `spec.shape` uint8, RGB or gray, contiguous. Layout is not applied here: `Runtime` does it per batch.

    Raises:
        ValueError: `pixels` is not (H, W, 3) uint8.
    """
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or not pixels.size:
        raise ValueError(f"model_input wants (H, W, 3) uint8, got {pixels.shape} {pixels.dtype}")
    if spec.region == "box" and box is not None:
        pixels = _cut(pixels, box, spec.box_margin)
    if spec.resize == "crop":
        pixels = _crop_to_aspect(pixels, spec.width / spec.height)
    if spec.channels == 1:
        pixels = _gray(pixels, spec.bright_on_dark)
    if spec.resize == "pad":
        return _pad_to(pixels, spec.height, spec.width, 0 if spec.bright_on_dark else _WHITE)
    return _resize(pixels, spec.height, spec.width)


def _gray(pixels: Pixels, bright_on_dark: bool) -> Pixels:
    """Luma (ITU-R BT.601) as (H, W, 1), inverted where asked for and the border is brighter than middle gray."""
    gray = cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY)
    if bright_on_dark:
        border = np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]])
        if np.median(border) > 127:
            gray = 255 - gray
    return np.asarray(gray[:, :, np.newaxis], np.uint8)


def _cut(pixels: Pixels, box: Box, margin: float) -> Pixels:
    """The box with a margin of that share of its longer side, clipped to the picture."""
    height, width = pixels.shape[:2]
    x_min, y_min, x_max, y_max = box
    extra = margin * max(x_max - x_min, y_max - y_min)
    left, top = max(0, round(x_min - extra)), max(0, round(y_min - extra))
    right, bottom = min(width, round(x_max + extra)), min(height, round(y_max + extra))
    # A box without area tells nothing; the whole picture does.
    return pixels[top:bottom, left:right] if right > left and bottom > top else pixels


def _crop_to_aspect(pixels: Pixels, aspect: float) -> Pixels:
    height, width = pixels.shape[:2]
    new_width, new_height = max(1, min(width, round(height * aspect))), max(1, min(height, round(width / aspect)))
    left, top = (width - new_width) // 2, (height - new_height) // 2
    return pixels[top : top + new_height, left : left + new_width]


def _pad_to(pixels: Pixels, height: int, width: int, value: int) -> Pixels:
    scale = min(height / pixels.shape[0], width / pixels.shape[1])
    new_height = min(height, max(1, round(pixels.shape[0] * scale)))
    new_width = min(width, max(1, round(pixels.shape[1] * scale)))
    canvas = np.full((height, width, pixels.shape[2]), value, np.uint8)
    top, left = (height - new_height) // 2, (width - new_width) // 2
    canvas[top : top + new_height, left : left + new_width] = _resize(pixels, new_height, new_width)
    return canvas


def _resize(pixels: Pixels, height: int, width: int) -> Pixels:
    """Area averaging when shrinking, which does not alias; bilinear when growing."""
    if pixels.shape[:2] == (height, width):
        return np.ascontiguousarray(pixels)
    shrinks = pixels.shape[0] >= height and pixels.shape[1] >= width
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    resized = cv2.resize(np.ascontiguousarray(pixels), (width, height), interpolation=interpolation)
    # OpenCV drops a channel axis of length 1.
    return np.asarray(resized).reshape(height, width, pixels.shape[2])
