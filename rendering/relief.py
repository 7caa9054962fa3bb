"""Shading from shape: swelling of soft things, folds of cloth, roundness of turned things."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rendering.canvas import UNITS, Canvas, Light, Patch
from rendering.noise import smooth_noise
from rendering.outlines import curve

Array = NDArray[Any]

FOLD_PIXELS = 160
"""Side of a fold map; folds are soft, so it can be coarse."""

_RELIEF_SIDE = 110


def fold_map(
    rng: np.random.Generator,
    creases: Sequence[tuple[Sequence[tuple[float, float]], float, float]],
    softness: float = 2.2,
    waviness: float = 0.5,
    stretch: tuple[float, float] = (1.0, 2.6),
) -> Array:
    """Height of cloth over the whole canvas.

    Args:
        rng: source of randomness.
        creases: (points in canvas units, width in canvas units, height; negative heights are valleys).
        softness: blur of creases, pixels of the map.
        waviness: strength of irregular swelling.
        stretch: how much longer swellings are along x and y.

    Returns:
        (FOLD_PIXELS, FOLD_PIXELS) float32 heights.
    """
    heights = np.zeros((FOLD_PIXELS, FOLD_PIXELS), np.float32)
    scale = FOLD_PIXELS / UNITS
    for points, width, height in creases:
        layer = np.zeros_like(heights)
        pixels = np.rint(curve(points, 6) * scale * 8).astype(np.int32)
        cv2.polylines(layer, [pixels], False, float(height), max(1, round(width * scale)), cv2.LINE_8, 3)
        heights += layer
    heights = cv2.GaussianBlur(heights, (0, 0), softness)
    width_px, height_px = int(FOLD_PIXELS / stretch[0]), int(FOLD_PIXELS / stretch[1])
    swell = smooth_noise(rng, height_px, width_px, 9) + 0.5 * smooth_noise(rng, height_px, width_px, 4)
    swell = cv2.resize(swell, (FOLD_PIXELS, FOLD_PIXELS), interpolation=cv2.INTER_CUBIC)
    return np.asarray(heights + waviness * swell, dtype=np.float32)


def relief(
    patch: Patch,
    canvas: Canvas,
    depth: float = 1.0,
    radius: float = 45.0,
    folds: float = 1.0,
    edge: float = 0.12,
) -> Array:
    """Shading of a part that swells in the middle and carries the canvas's folds.

    Args:
        patch: the part.
        canvas: gives light, scale and folds.
        depth: steepness of the swelling.
        radius: width of the rounded rim, canvas units.
        folds: strength of the canvas's folds.
        edge: darkening towards the rim (light reaches it less).

    Returns:
        (h, w) float32 factor around 1.
    """
    if patch.empty:
        return np.ones_like(patch.cover)
    height, width = patch.cover.shape
    factor = min(1.0, _RELIEF_SIDE / max(height, width))
    size = (max(3, round(width * factor)), max(3, round(height * factor)))
    small = cv2.resize(patch.cover, size, interpolation=cv2.INTER_AREA)
    padded = np.pad((small > 0.5).astype(np.uint8), 1)
    inside = cv2.distanceTransform(padded, cv2.DIST_L2, 3)[1:-1, 1:-1]
    rim = np.clip(inside / max(radius * canvas.scale * factor, 1.0), 0, 1)
    swell = np.sqrt(np.maximum(1 - (1 - rim) ** 2, 0)) * (radius * canvas.scale * factor * 0.5 * depth)
    surface = cv2.GaussianBlur(swell.astype(np.float32), (0, 0), 1.2)
    if canvas.folds is not None and folds:
        surface = surface + _folds_under(patch, canvas, size) * np.float32(folds * 30 * canvas.scale * factor)
    shade = 1 + _slope_light(surface, canvas.light) - edge * (1 - rim) ** 2
    shade = np.clip(shade, 0.5, 1.4).astype(np.float32)
    result: Array = cv2.resize(shade, (width, height), interpolation=cv2.INTER_LINEAR)
    return result


def _slope_light(surface: Array, light: Light) -> Array:
    down = cv2.Sobel(surface, cv2.CV_32F, 0, 1, scale=1 / 8, borderType=cv2.BORDER_REPLICATE)
    right = cv2.Sobel(surface, cv2.CV_32F, 1, 0, scale=1 / 8, borderType=cv2.BORDER_REPLICATE)
    # The normal is (-right, -down, 1) and (x, y) points to the lamp.
    facing = -(right * light.x + down * light.y)
    return np.asarray(np.tanh(facing) * 0.38 * light.strength)


def _folds_under(patch: Patch, canvas: Canvas, size: tuple[int, int]) -> Array:
    assert canvas.folds is not None
    height, width = patch.cover.shape
    per_pixel = FOLD_PIXELS / UNITS / canvas.scale
    matrix = np.array(
        [[width / size[0] * per_pixel, 0, patch.x * per_pixel], [0, height / size[1] * per_pixel, patch.y * per_pixel]],
        np.float64,
    )
    result: Array = cv2.warpAffine(
        canvas.folds, matrix, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )
    return result


def turned(patch: Patch, left: Array | float, right: Array | float, canvas: Canvas) -> Array:
    """Position across a turned body: -1 at its left edge, 1 at its right, per pixel of the patch.

    Args:
        patch: the body.
        left: left edge, canvas units, one or per row of the patch.
        right: right edge, likewise.
        canvas: gives the scale.
    """
    height, width = patch.cover.shape
    x = (np.arange(width, dtype=np.float32) + patch.x + 0.5) / canvas.scale
    low = np.broadcast_to(np.asarray(left, np.float32), (height,))[:, None]
    high = np.broadcast_to(np.asarray(right, np.float32), (height,))[:, None]
    return np.asarray(np.clip((2 * x[None, :] - low - high) / np.maximum(high - low, 1e-3), -1, 1))


def cylinder(u: Array, light: Light, gloss: float = 0.0) -> tuple[Array, Array]:
    """Shade and gloss of a cylinder.

    Args:
        u: position across, -1..1.
        light: the light.
        gloss: strength of the bright bands; 0 is matt.

    Returns:
        Factor around 1 and added light, both shaped like `u`, float32.
    """
    angle = np.arcsin(u)
    toward = np.arcsin(np.clip(light.x * 0.9, -0.9, 0.9))
    diffuse = np.cos(angle - toward * 0.8)
    shade = 0.66 + 0.44 * np.clip(diffuse, 0, 1) - 0.18 * u**8
    bands = np.exp(-(((u - 0.62 * np.sign(light.x)) / 0.085) ** 2)) + 0.45 * np.exp(
        -(((u + 0.74 * np.sign(light.x)) / 0.06) ** 2)
    )
    return shade.astype(np.float32), (gloss * bands).astype(np.float32)


def ball(
    patch: Patch, cx: float, cy: float, rx: float, ry: float, canvas: Canvas, gloss: float = 0.2
) -> tuple[Array, Array]:
    """Shade and gloss of an ellipsoid with its center and radii in canvas units."""
    height, width = patch.cover.shape
    x = ((np.arange(width, dtype=np.float32) + patch.x + 0.5) / canvas.scale - cx) / rx
    y = ((np.arange(height, dtype=np.float32) + patch.y + 0.5) / canvas.scale - cy) / ry
    depth = np.sqrt(np.clip(1 - x[None, :] ** 2 - y[:, None] ** 2, 0, 1))
    light = np.array([canvas.light.x, canvas.light.y, 0.9], np.float32)
    light /= np.linalg.norm(light)
    toward = x[None, :] * light[0] + y[:, None] * light[1] + depth * light[2]
    shade = 0.62 + 0.55 * np.clip(toward, -0.2, 1) - 0.1 * (1 - depth) ** 3
    return shade.astype(np.float32), (gloss * np.clip(toward, 0, 1) ** 24).astype(np.float32)
