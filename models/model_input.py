"""Brings a picture to the size a model wants, by the policy that the bundle's manifest states."""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from models.manifest import InputSpec
from models.shrink import shrink

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


def input_window(height: int, width: int, box: Box | None, spec: InputSpec) -> Box:
    """The part of a picture that `model_input` shows to a model, to place on the picture what a model sees.

    Args:
        height: of the picture, px.
        width: of the picture, px.
        box: as in `model_input`.
        spec: as in `model_input`.

    Returns:
        (x_min, y_min, x_max, y_max) in px of the picture that the input's edges stand for; beyond the picture's edges
        where the input was padded.
    """
    left, top, right, bottom = 0, 0, width, height
    if spec.region == "box" and box is not None:
        left, top, right, bottom = _cut_edges(height, width, box, spec.box_margin)
    aspect = spec.width / spec.height
    if spec.resize == "crop":
        x, y, new_width, new_height = _aspect_edges(bottom - top, right - left, aspect)
        left, top = left + x, top + y
        right, bottom = left + new_width, top + new_height
    if spec.resize == "pad":
        wide, tall = max(right - left, (bottom - top) * aspect), max(bottom - top, (right - left) / aspect)
        outer_left, outer_top = (left + right - wide) / 2, (top + bottom - tall) / 2
        return (outer_left, outer_top, outer_left + wide, outer_top + tall)
    return (float(left), float(top), float(right), float(bottom))


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
    left, top, right, bottom = _cut_edges(pixels.shape[0], pixels.shape[1], box, margin)
    return pixels[top:bottom, left:right]


def _cut_edges(height: int, width: int, box: Box, margin: float) -> tuple[int, int, int, int]:
    x_min, y_min, x_max, y_max = box
    extra = margin * max(x_max - x_min, y_max - y_min)
    left, top = max(0, round(x_min - extra)), max(0, round(y_min - extra))
    right, bottom = min(width, round(x_max + extra)), min(height, round(y_max + extra))
    # A box without area tells nothing; the whole picture does.
    return (left, top, right, bottom) if right > left and bottom > top else (0, 0, width, height)


def _crop_to_aspect(pixels: Pixels, aspect: float) -> Pixels:
    left, top, new_width, new_height = _aspect_edges(pixels.shape[0], pixels.shape[1], aspect)
    return pixels[top : top + new_height, left : left + new_width]


def _aspect_edges(height: int, width: int, aspect: float) -> tuple[int, int, int, int]:
    """Left, top, width and height of the largest middle part with that aspect."""
    new_width, new_height = max(1, min(width, round(height * aspect))), max(1, min(height, round(width / aspect)))
    return (width - new_width) // 2, (height - new_height) // 2, new_width, new_height


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
    if pixels.shape[0] >= height and pixels.shape[1] >= width:
        resized = shrink(pixels, height, width)
    else:
        resized = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LINEAR)
    # OpenCV drops a channel axis of length 1.
    return np.asarray(resized).reshape(height, width, pixels.shape[2])
