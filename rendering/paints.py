"""Even paints: a product's own colors, or a palette color by name."""

from __future__ import annotations

from rendering.canvas import Flat
from rendering.palette_choice import base_rgb, index_of
from rendering.product import Product


def own_paint(product: Product, position: int = 0) -> Flat:
    """Paint in one of the product's colors, in its own tone."""
    name, rgb = product.tones.other(position)
    return Flat(rgb, index_of(name))


def named_paint(name: str) -> Flat:
    """Paint in a palette color."""
    return Flat(base_rgb(name), index_of(name))
