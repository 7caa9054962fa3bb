"""Smooth random fields."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def smooth_noise(rng: np.random.Generator, height: int, width: int, cell: float) -> Array:
    """Value noise: random values on a grid, interpolated by cubic splines.

    Args:
        rng: source of randomness.
        height: rows.
        width: columns.
        cell: grid spacing in pixels.

    Returns:
        (height, width) float32, about -1..1, mean near 0.
    """
    rows = max(2, int(np.ceil(height / cell)) + 1)
    columns = max(2, int(np.ceil(width / cell)) + 1)
    grid = rng.uniform(-1, 1, (rows, columns)).astype(np.float32)
    field: Array = cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
    return field


def layered_noise(rng: np.random.Generator, height: int, width: int, cell: float, layers: int = 3) -> Array:
    """Sum of `layers` of `smooth_noise`, each half as wide and half as strong; (height, width) float32."""
    field = np.zeros((height, width), np.float32)
    strength = 1.0
    for _ in range(layers):
        field += strength * smooth_noise(rng, height, width, max(cell, 1.5))
        cell, strength = cell / 2, strength / 2
    return field


def tile_noise(rng: np.random.Generator, size: int, sigma: float) -> Array:
    """Blurred white noise that repeats without a seam; (size, size) float32 with standard deviation 1."""
    field = rng.standard_normal((size, size), dtype=np.float32)
    if sigma > 0:
        pad = int(3 * sigma) + 1
        field = cv2.GaussianBlur(np.pad(field, pad, mode="wrap"), (0, 0), sigma)[pad:-pad, pad:-pad]
    return np.asarray(field / max(float(field.std()), 1e-6))
