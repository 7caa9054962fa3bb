"""Small drawings for printed cloth and for the chest of a shirt, as outlines around (0, 0)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendering.outlines import ellipse, outline, rotated, shifted
from rendering.seeds import between, pick

Array = NDArray[Any]
Part = list[Array]


def draw_motif(style: str, radius: float, rng: np.random.Generator) -> list[Part]:
    """One motif: parts in drawing order, each a list of outlines that share a color.

    Args:
        style: flower, leaf, shape or emblem.
        radius: size.
        rng: source of randomness.
    """
    turn = between(rng, 0, 360)
    if style == "flower":
        return _flower(radius, turn, rng)
    if style == "leaf":
        return _leaf(radius, turn, rng)
    if style == "emblem":
        return _emblem(radius, rng)
    return [[_shape(radius * 0.75, turn, rng)]]


def _flower(radius: float, turn: float, rng: np.random.Generator) -> list[Part]:
    petals = int(rng.integers(5, 8))
    wide = between(rng, 0.22, 0.3)
    ring = [
        rotated(ellipse(radius * 0.55, 0, radius * 0.45, radius * wide, samples=20), turn + 360 / petals * n)
        for n in range(petals)
    ]
    leaves = [
        rotated(ellipse(radius, 0, radius * 0.38, radius * 0.15, samples=16), turn + angle) for angle in (20, 200)
    ]
    return [leaves, ring, [ellipse(0, 0, radius * 0.2, radius * 0.2, samples=16)]]


def _leaf(radius: float, turn: float, rng: np.random.Generator) -> list[Part]:
    pairs = int(rng.integers(3, 5))
    leaves = []
    for number in range(pairs):
        along = (number / pairs - 0.45) * 1.9 * radius
        size = radius * (0.85 - 0.1 * number)
        for side in (-1, 1):
            leaf = outline([(0, 0, 1), (size * 0.5, -size * 0.25), (size, 0, 1), (size * 0.5, size * 0.25)], 5)
            leaves.append(rotated(shifted(rotated(leaf, side * 48), along, 0), turn))
    width = radius * 0.05
    stem = np.array([[-radius, -width], [radius * 0.95, -width], [radius * 0.95, width], [-radius, width]])
    return [[rotated(stem, turn)], *[[leaf] for leaf in leaves]]


def _shape(radius: float, turn: float, rng: np.random.Generator) -> Array:
    style = pick(rng, ("triangle", "star", "square", "heart", "drop"))
    if style == "heart":
        t = np.linspace(0, 2 * np.pi, 40, endpoint=False)
        x = 16 * np.sin(t) ** 3
        y = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t))
        return np.stack([x, y], axis=1) * radius / 17
    if style == "drop":
        return rotated(
            outline([(0, -radius, 1), (radius * 0.5, radius * 0.2), (0, radius * 0.6), (-radius * 0.5, radius * 0.2)]),
            turn,
        )
    corners = {"triangle": 3, "star": 10, "square": 4}[style]
    angles = np.arange(corners) / corners * 2 * np.pi
    radii = np.where(np.arange(corners) % 2, 0.45, 1.0) * radius if style == "star" else np.full(corners, radius * 0.85)
    return rotated(np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=1), turn)


def _emblem(radius: float, rng: np.random.Generator) -> list[Part]:
    """A picture for a chest: sun over waves, mountains, or a ring with a star."""
    style = pick(rng, ("mountains", "waves", "ring", "flower"))
    if style == "flower":
        return _flower(radius, 18, rng)
    disk = ellipse(0, 0, radius, radius, samples=60)
    if style == "ring":
        star = rotated(_star(radius * 0.62), -18)
        return [[disk, ellipse(0, 0, radius * 0.84, radius * 0.84, samples=60)], [star]]
    if style == "mountains":
        low = radius * 0.45
        left = np.array([[-radius * 0.9, low], [-radius * 0.3, -radius * 0.45], [radius * 0.25, low]])
        right = np.array([[-radius * 0.2, low], [radius * 0.35, -radius * 0.2], [radius * 0.9, low]])
        sun = ellipse(radius * 0.4, -radius * 0.55, radius * 0.24, radius * 0.24)
        return [[sun], [left], [right]]
    bands = []
    for number in range(3):
        x = np.linspace(-radius, radius, 40)
        y = radius * (0.1 + 0.28 * number) + radius * 0.08 * np.sin(x / radius * 9 + number)
        band = np.vstack([np.stack([x, y], axis=1), np.stack([x, y + radius * 0.13], axis=1)[::-1]])
        bands.append(band)
    sun = ellipse(0, -radius * 0.28, radius * 0.42, radius * 0.42)
    return [[sun], bands]


def _star(radius: float) -> Array:
    angles = np.arange(10) / 10 * 2 * np.pi
    radii = np.where(np.arange(10) % 2, 0.42, 1.0) * radius
    return np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=1)
