"""Parts that shoes share: leather pieces, laces, stitches, gloss."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendering.canvas import Canvas, Flat, Patch
from rendering.fabric import Fabric
from rendering.outlines import curve, ellipse, outline, shifted, tube
from rendering.palette_choice import Rgb
from rendering.product import Product
from rendering.relief import relief
from rendering.weaves import leather, smooth_leather

Array = NDArray[Any]


Points = list[tuple[float, float]]


def upper_leather(product: Product) -> Fabric:
    """What a shoe's upper is made of."""
    return (
        product.cloth(leather if product.pattern == "textured" else smooth_leather)
        if product.pattern in {"solid", "textured"}
        else product.cloth().resized(0.7)
    )


def piece(
    canvas: Canvas,
    points: Any,
    fabric: Fabric | Flat,
    depth: float = 1.1,
    radius: float = 60,
    shadow: float = 0.0,
    dim: float = 1.0,
) -> Patch:
    """One piece of a shoe, swelling, with an optional shadow on what lies below; points as `outline` takes them."""
    ring = points if isinstance(points, np.ndarray) else outline(points)
    if shadow:
        canvas.tint(canvas.cut(shifted(ring, 2, 6), 5), opacity=shadow)
    patch = canvas.cut(ring)
    return canvas.fill(patch, fabric, relief(patch, canvas, depth, radius, 0, 0.16) * np.float32(dim), 0.0)


def gloss(canvas: Canvas, points: Points, width: float, opacity: float, within: Patch) -> None:
    """A soft highlight along a line."""
    canvas.tint(canvas.cut(tube(points, width), width * 0.45), (1, 1, 1), opacity, within=within)


def stitched(canvas: Canvas, points: Any, rgb: Rgb) -> None:
    """A seam with a row of stitches above it."""
    line = curve(points)
    canvas.line(line, 3, opacity=0.3, blur=0.8)
    canvas.stitches(shifted(line, 0, -6), rgb, 2.6, 7)


def laces(
    canvas: Canvas, start: tuple[float, float], end: tuple[float, float], count: int, rgb: Rgb, width: float = 13
) -> None:
    """Laces across the eyestay, from the ankle down to the toe."""
    for number in range(count):
        share = number / max(count - 1, 1)
        x, y = start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share
        points: Points = [(x - 34, y + 26), (x - 8, y - 6), (x + 26, y - 4)]
        canvas.line([(a + 2, b + 6) for a, b in points], width, opacity=0.35, blur=2.5)
        canvas.line(points, width, rgb, 0.98)
        canvas.line([(a, b - 3) for a, b in points], width * 0.3, (1, 1, 1), 0.4, 1)
        canvas.tint(ellipse(x - 36, y + 28, 6, 6, samples=12), opacity=0.6)
