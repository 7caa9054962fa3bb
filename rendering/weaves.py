"""Weaves whose pattern is their relief: knit, cord, denim, leather, wood, wicker, fleece."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rendering.fabric import Colors, Fabric, Tile, checked, dotted, printed, solid, striped
from rendering.noise import tile_noise
from rendering.seeds import chance, pick

Array = NDArray[Any]


def textured(colors: Colors, rng: np.random.Generator, size: int) -> Fabric:
    """Knit, cord, herringbone or quilting in one color."""
    weave = pick(rng, (knit, corduroy, herringbone, quilted))
    return weave(colors, rng, size)


def _raised(colors: Colors, heights: Array, strength: float, rng: np.random.Generator, grain: float = 0.02) -> Fabric:
    tile = Tile.of(len(heights), colors.rgb[0], colors.names[0])
    tile.rgb = (
        tile.rgb * (1 + np.float32(strength) * heights[..., None]) + np.float32(0.05 * strength) * heights[..., None]
    )
    return tile.fabric(rng, grain, bend=6.0)


def knit(colors: Colors, rng: np.random.Generator, size: int) -> Fabric:
    """Columns of v-shaped stitches, with a cable now and then."""
    columns, rows = (int(v) for v in pick(rng, ((26, 32), (20, 26), (32, 40))))
    y, x = np.meshgrid(np.arange(size) / size, np.arange(size) / size, indexing="ij")
    across = (x * columns) % 1.0
    v_shape = np.sin(2 * np.pi * (y * rows + 0.9 * np.abs(across - 0.5)))
    heights = 0.55 * v_shape + 0.75 * (0.4 - np.abs(across - 0.5) * 1.6)
    if chance(rng, 0.6):
        cable = np.cos(2 * np.pi * (x * 4)) + 0.8 * np.cos(2 * np.pi * (x * 4 + 0.28 * np.sin(2 * np.pi * y * 5)))
        heights = heights * 0.7 + 0.55 * cable
    return _raised(colors, heights.astype(np.float32), 0.2, rng)


def corduroy(colors: Colors, rng: np.random.Generator, size: int) -> Fabric:
    """Fine raised cords."""
    cords = int(pick(rng, (22, 28, 36)))
    phase = np.arange(size) / size * cords
    profile = np.abs(np.sin(np.pi * phase)) ** 0.7 * 2 - 1.2
    heights = np.broadcast_to(profile[None, :], (size, size)) + 0.25 * tile_noise(rng, size, 1.0)
    return _raised(colors, heights.astype(np.float32), 0.2, rng)


def herringbone(colors: Colors, rng: np.random.Generator, size: int) -> Fabric:
    """Zigzag weave."""
    columns, rows = int(pick(rng, (10, 12, 16))), int(pick(rng, (36, 44)))
    y, x = np.meshgrid(np.arange(size) / size, np.arange(size) / size, indexing="ij")
    zigzag = np.abs(((x * columns) % 1.0) - 0.5) * 2
    heights = np.sin(2 * np.pi * (y * rows + zigzag * 2.0))
    return _raised(colors, heights.astype(np.float32), 0.17, rng)


def quilted(colors: Colors, rng: np.random.Generator, size: int) -> Fabric:
    """Padded diamonds between seams."""
    count = int(pick(rng, (4, 5, 6)))
    y, x = np.meshgrid(np.arange(size) / size, np.arange(size) / size, indexing="ij")
    first, second = np.abs(np.sin(np.pi * count * (x + y))), np.abs(np.sin(np.pi * count * (x - y)))
    pad = np.minimum(first, second)
    heights = (
        np.clip(pad * 2.2, 0, 1) - 0.75 + 0.5 * (np.cos(np.pi * count * (x + y)) * np.sin(np.pi * count * (x - y)))
    )
    return _raised(colors, heights.astype(np.float32), 0.26, rng, 0.01)


def denim(colors: Colors, rng: np.random.Generator, size: int) -> Fabric:
    """Twill with pale weft threads showing."""
    y, x = np.meshgrid(np.arange(size) / size, np.arange(size) / size, indexing="ij")
    twill = np.sin(2 * np.pi * (x + y) * 52)
    slubs = tile_noise(rng, size, 0.9)
    streaks = cv2.GaussianBlur(
        np.pad(rng.standard_normal((size, size)), ((24, 24), (0, 0)), mode="wrap"), (1, 49), 0.5, sigmaY=9
    )
    streaks = streaks[24:-24] / streaks.std()
    heights = 0.5 * twill + 0.5 * slubs + 0.45 * streaks
    return _raised(colors, heights.astype(np.float32), 0.2, rng, 0.03)


def leather(colors: Colors, rng: np.random.Generator, size: int) -> Fabric:
    """Pebbled leather."""
    pebbles = tile_noise(rng, size, 1.6 * size / 256)
    heights = np.tanh(pebbles * 1.3) - np.roll(np.tanh(pebbles * 1.3), (1, 1), (0, 1)) * 0.8
    return _raised(colors, heights.astype(np.float32), 0.2, rng, 0.01)


def smooth_leather(colors: Colors, rng: np.random.Generator, size: int) -> Fabric:
    """Smooth leather: hardly any grain."""
    return _raised(colors, tile_noise(rng, size, 1.2) * 0.3, 0.06, rng, 0.006)


def wood(colors: Colors, rng: np.random.Generator, size: int) -> Fabric:
    """Boards cut along the grain, the grain running along y."""
    y, x = np.meshgrid(np.arange(size) / size, np.arange(size) / size, indexing="ij")
    wander = tile_noise(rng, size, 22 * size / 256)
    rings = np.sin(2 * np.pi * (x * 9 + 0.55 * wander)) + 0.5 * np.sin(2 * np.pi * (x * 23 + 0.9 * wander + y))
    fine = rng.standard_normal((size, size)).astype(np.float32)
    fine = cv2.GaussianBlur(np.pad(fine, ((24, 24), (0, 0)), mode="wrap"), (1, 41), 0.5, sigmaY=8)[24:-24]
    heights = 0.55 * rings + 0.6 * fine / fine.std() * 0.7
    return _raised(colors, heights.astype(np.float32), 0.085, rng, 0.008)


def wicker(colors: Colors, rng: np.random.Generator, size: int) -> Fabric:
    """Basket weave."""
    count = int(pick(rng, (14, 18, 22)))
    y, x = np.meshgrid(np.arange(size) / size * count, np.arange(size) / size * count, indexing="ij")
    over = (np.floor(x) + np.floor(y)) % 2
    along, across = np.where(over > 0, x, y) % 1.0, np.where(over > 0, y, x) % 1.0
    heights = 1.6 * np.sin(np.pi * along) * np.sin(np.pi * across) - 0.75
    return _raised(colors, heights.astype(np.float32), 0.26, rng, 0.015)


def fluffy(colors: Colors, rng: np.random.Generator, size: int) -> Fabric:
    """Fleece or terry."""
    heights = tile_noise(rng, size, 2.2 * size / 256) + 0.6 * tile_noise(rng, size, 0.8)
    return _raised(colors, heights.astype(np.float32), 0.13, rng, 0.02)


Weave = Callable[[Colors, np.random.Generator, int], Fabric]

WEAVES: dict[str, Weave] = {
    "solid": solid,
    "striped": striped,
    "checked": checked,
    "dotted": dotted,
    "printed": printed,
    "textured": textured,
}
"""The cloth that a garment of each pattern is made of, unless its kind says otherwise."""
