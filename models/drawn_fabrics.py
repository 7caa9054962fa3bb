"""Draws fabrics with known patterns, seen through light, folds, noise and JPEG as in a shop picture.

They stand in for patterns that photographs with labels show too rarely (dots, knits), and serve tests.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

PATTERNS = ("solid", "striped", "checked", "dotted", "printed", "textured")
"""What can be drawn; the order is part of each seed."""

SIDE = 256
"""Side of a picture, px."""


def draw_fabric(pattern: str, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Draw a piece of fabric on white.

    Args:
        pattern: one of `PATTERNS`.
        seed: each draws another fabric, always the same.

    Returns:
        (pixels, mask): (256, 256, 3) uint8 RGB, and (256, 256) bool, True on the fabric.

    Raises:
        ValueError: an unknown pattern.
    """
    if pattern not in PATTERNS:
        raise ValueError(f"unknown pattern {pattern!r}; known are {', '.join(PATTERNS)}")
    rng = np.random.default_rng([PATTERNS.index(pattern), seed])
    ground, ink = _two_colors(rng)
    cover = {
        "solid": _solid,
        "striped": _stripes,
        "checked": _checks,
        "dotted": _dots,
        "printed": _print,
        "textured": _texture,
    }[pattern](rng)
    fabric = ground + cover[..., None] * (ink - ground)
    fabric *= _folds(rng)[..., None]
    fabric += rng.normal(0, rng.uniform(0.5, 3), fabric.shape)
    mask = np.zeros((SIDE, SIDE), dtype=np.uint8)
    center = (int(rng.integers(115, 140)), int(rng.integers(115, 140)))
    axes = (int(rng.integers(70, 110)), int(rng.integers(80, 115)))
    if rng.random() < 0.5:
        cv2.ellipse(mask, center, axes, 0, 0, 360, 1, -1)
    else:
        top_left = (center[0] - axes[0], center[1] - axes[1])
        cv2.rectangle(mask, top_left, (center[0] + axes[0], center[1] + axes[1]), 1, -1)
    picture = np.where(mask[..., None] > 0, fabric, 253).clip(0, 255).astype(np.uint8)
    _, encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(75, 95))])
    decoded: NDArray[np.uint8] = np.ascontiguousarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR))
    return decoded, mask.astype(bool)


def _two_colors(rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Two colors that differ clearly in lightness."""
    weights = np.array([0.3, 0.6, 0.1])
    while True:
        first, second = rng.uniform(15, 245, (2, 3))
        if abs((first - second) @ weights) > 45:
            return first, second


def _folds(rng: np.random.Generator) -> NDArray[np.float64]:
    """Light and a few soft folds, 0.75..1.1."""
    small = rng.uniform(0.78, 1.08, (5, 5))
    return np.asarray(cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC))


def _solid(rng: np.random.Generator) -> NDArray[np.float64]:
    return np.zeros((SIDE, SIDE))


def _phase(rng: np.random.Generator, angle: float) -> NDArray[np.float64]:
    """Distance along a direction, bent a little as cloth does."""
    ys, xs = np.mgrid[:SIDE, :SIDE].astype(np.float64)
    bend = cv2.resize(rng.normal(0, 2.0, (4, 4)), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    return np.asarray(xs * np.cos(angle) + ys * np.sin(angle) + bend)


def _stripes(rng: np.random.Generator) -> NDArray[np.float64]:
    angle = rng.choice([0, np.pi / 2, rng.uniform(0, np.pi)]) + rng.normal(0, 0.05)
    return _bars(rng, angle, rng.uniform(6, 40), rng.uniform(0.25, 0.6))


def _bars(rng: np.random.Generator, angle: float, period: float, duty: float) -> NDArray[np.float64]:
    bars = (_phase(rng, angle) % period < duty * period).astype(np.float64)
    return np.asarray(cv2.GaussianBlur(bars, (0, 0), 0.7))


def _checks(rng: np.random.Generator) -> NDArray[np.float64]:
    angle = rng.choice([0, 0, np.pi / 4]) + rng.normal(0, 0.05)
    period, duty = rng.uniform(8, 44), rng.uniform(0.25, 0.55)
    return (_bars(rng, angle, period, duty) + _bars(rng, angle + np.pi / 2, period, duty)) / 2


def _dots(rng: np.random.Generator) -> NDArray[np.float64]:
    canvas = np.zeros((SIDE, SIDE), dtype=np.uint8)
    period = float(rng.uniform(10, 34))
    radius = max(2, round(period * rng.uniform(0.16, 0.3)))
    shift = period / 2 if rng.random() < 0.6 else 0.0
    for row, y in enumerate(np.arange(0, SIDE + period, period)):
        for x in np.arange(0, SIDE + period, period):
            cv2.circle(canvas, (round(x + shift * (row % 2)), round(y)), radius, 255, -1, cv2.LINE_AA)
    return canvas / 255


def _print(rng: np.random.Generator) -> NDArray[np.float64]:
    """Shapes and letters of all sizes, as on a graphic or floral print."""
    canvas = np.zeros((SIDE, SIDE), dtype=np.uint8)
    for _ in range(int(rng.integers(25, 60))):
        place = tuple(int(v) for v in rng.integers(30, 226, 2))
        shade = int(rng.integers(120, 256))
        if rng.random() < 0.4:
            word = "".join(rng.choice(list("ABCDEFGHKMRSTXZ"), 3))
            cv2.putText(canvas, word, place, cv2.FONT_HERSHEY_SIMPLEX, float(rng.uniform(0.4, 1.4)), shade, 2)
        else:
            axes = tuple(int(v) for v in rng.integers(3, 20, 2))
            cv2.ellipse(canvas, place, axes, float(rng.uniform(0, 180)), 0, 360, shade, -1, cv2.LINE_AA)
    return canvas / 255


def _texture(rng: np.random.Generator) -> NDArray[np.float64]:
    """Knit, tweed or leather grain: fine, irregular, low in contrast."""
    grain = rng.normal(0, 1, (SIDE, SIDE))
    size = rng.uniform(0.7, 1.6)
    grain = cv2.GaussianBlur(grain, (0, 0), size, sigmaY=size * rng.uniform(0.7, 1.4))
    return np.asarray(0.3 + grain / grain.std() * rng.uniform(0.07, 0.16))
