"""Parts that bags share: hide, metal, edge stitching, clasps, the stamped brand."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendering.canvas import Canvas, Flat
from rendering.fabric import Fabric
from rendering.outlines import ellipse, rectangle
from rendering.palette_choice import base_rgb, index_of, ink_on, thread_on
from rendering.product import Product
from rendering.relief import relief
from rendering.seeds import chance, pick
from rendering.text import Ink, write
from rendering.weaves import leather, smooth_leather

Array = NDArray[Any]


def hide_of(product: Product) -> Fabric:
    """What a bag is made of: grained or smooth leather, or its patterned cloth."""
    if product.pattern == "textured":
        return product.cloth(leather)
    return product.cloth(smooth_leather) if product.pattern == "solid" else product.cloth().resized(0.8)


def metal_of(product: Product) -> Flat:
    """The metal of its fittings."""
    name = pick(product.rng("metal"), ("gold", "silver", "silver", "bronze"))
    return Flat(base_rgb(name), index_of(name))


def edge_stitches(canvas: Canvas, ring: Array, product: Product, share: float = 0.95) -> None:
    """Stitches along an outline, drawn in to `share` of its size."""
    center = (ring.max(axis=0) + ring.min(axis=0)) / 2
    closed = (np.vstack([ring, ring[:1]]) - center) * share + center
    canvas.stitches(closed, thread_on(product.colors[0], product.tones.rgb[0]), 2.6, 8)


def clasp(canvas: Canvas, x: float, y: float, metal: Flat, rng: np.random.Generator) -> None:
    """A metal clasp with its middle at (x, y)."""
    canvas.tint(canvas.cut(ellipse(x + 3, y + 6, 30, 26), 4), opacity=0.4)
    shape = rectangle(x - 28, y - 20, x + 28, y + 20, 10) if chance(rng, 0.5) else ellipse(x, y, 26, 26)
    patch = canvas.cut(shape)
    canvas.fill(patch, metal, relief(patch, canvas, 1.2, 12, 0))
    canvas.tint(ellipse(x - 6, y - 8, 10, 5, 20), (1, 1, 1), 0.6, 2)


def stamped_brand(canvas: Canvas, product: Product, x: float, y: float, size: float, wide: float) -> None:
    """The brand stamped in gold or black, at most `wide` units wide."""
    name = "gold" if ink_on(product.colors[0]) == "white" else "black"
    face = pick(product.rng("brand face"), ("serif-bold", "sans", "slab", "sans-bold"))
    write(canvas, product.brand, x, y, size, Ink.of(name), face, "brand", max_width=wide)
