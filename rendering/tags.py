"""Price tags: hung on a garment or bag, or stood beside a product."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendering.canvas import Canvas, Flat
from rendering.kinds import Kind
from rendering.outlines import ellipse, project, rectangle, shifted
from rendering.palette_choice import Rgb
from rendering.product import Product
from rendering.seeds import between, chance, pick
from rendering.text import Ink, write
from rendering.truth import Box

Array = NDArray[Any]

_PAPERS: tuple[tuple[Rgb, Rgb], ...] = (
    ((0.98, 0.98, 0.97), (0.1, 0.1, 0.1)),
    ((0.99, 0.88, 0.2), (0.1, 0.1, 0.1)),
    ((0.83, 0.12, 0.14), (1.0, 1.0, 1.0)),
    ((0.84, 0.74, 0.58), (0.2, 0.13, 0.08)),
)


def price_text(price: float, chinese: bool) -> str:
    """A price as a tag shows it."""
    return f"¥{price:.2f}" if chinese else f"${price:.2f}"


def draw_tag(product: Product, rng: np.random.Generator, pixels_wide: float, text: bool) -> Canvas:
    """A tag on a canvas of its own, about `pixels_wide` px wide, 1000 units across."""
    scale = max(pixels_wide * 1.3, 60) / 1000
    canvas = Canvas(round(1000 * scale), round(700 * scale), scale, text_enabled=text)
    paper, color = pick(rng, _PAPERS)
    canvas.fill(rectangle(6, 6, 994, 694, 50), Flat(paper))
    chinese = chance(rng, 0.6)
    ink = Ink(color, weight=0.02)
    small = Ink(color)
    write(canvas, product.name_zh if chinese else product.name_en, 500, 70, 120, small, "sans", "name", max_width=860)
    write(canvas, price_text(product.price, chinese), 500, 250, 270, ink, "sans-bold", "price", max_width=880)
    line = (
        pick(rng, ("会员价", "特价", "吊牌价", "建议零售价"))
        if chinese
        else pick(rng, ("SALE", "NEW IN", "OUR PRICE", "RRP"))
    )
    write(canvas, line, 500, 560, 90, small, "sans", "other", max_width=800)
    corners = np.array([[6, 6], [994, 6], [994, 694], [6, 694]], np.float64)
    canvas.tags.append(corners)
    return canvas


def add_tag(scene: Array, box: Box, product: Product, kind: Kind, view: int, text: bool) -> Canvas:
    """Draw a tag over a picture.

    Args:
        scene: (h, w, 3) float32; changed in place.
        box: the product's box, px.
        product: gives name and price.
        kind: whether the tag hangs or stands.
        view: number of the picture.
        text: draw glyphs.

    Returns:
        A canvas as large as the picture that holds the tag alone, with its text in pixels.
    """
    rng = product.rng("tag", view)
    height, width = scene.shape[:2]
    layer = Canvas(width, height, 1.0, text_enabled=text)
    wide = float(np.clip(width * between(rng, 0.19, 0.26), 84, 190))
    tag = draw_tag(product, rng, wide, text)
    tall = wide * 0.7
    if kind.tag == "hang":
        x = float(np.clip(box[0] + (box[2] - box[0]) * between(rng, 0.6, 0.72), wide * 0.6, width - wide * 0.6))
        y = float(np.clip(box[1] + (box[3] - box[1]) * between(rng, 0.42, 0.6), tall * 0.6, height - tall * 0.7))
        degrees = between(rng, -14, 14)
    else:
        left, right = box[0], width - box[2]
        x = wide * 0.62 if left > right else width - wide * 0.62
        y, degrees = height - tall * 0.7, 0.0
    angle = np.deg2rad(degrees)
    size = wide / 1000
    cosine, sine = np.cos(angle) * size, np.sin(angle) * size
    matrix = np.array(
        [[cosine, -sine, x - cosine * 500 + sine * 350], [sine, cosine, y - sine * 500 - cosine * 350], [0, 0, 1]]
    )
    _shadow(scene, project(np.array([[0, 0], [1000, 0], [1000, 700], [0, 700]], np.float64), matrix))
    if kind.tag == "hang":
        hole = project(np.array([[500.0, 60.0]]), matrix)[0]
        string = Canvas(width, height, 1.0)
        string.fill(_string(hole, tall), Flat((0.85, 0.83, 0.78)))
        scene *= (1 - string.alpha)[..., None]
        scene += string.rgb
    layer.paste(tag, matrix)
    if kind.tag == "hang":
        hole = project(np.array([[500.0, 46.0]]), matrix)[0]
        layer.tint(ellipse(float(hole[0]), float(hole[1]), 2.6, 2.6, samples=14), opacity=0.7)
    scene *= (1 - layer.alpha)[..., None]
    scene += layer.rgb
    return layer


def _shadow(scene: Array, quad: Array) -> None:
    height, width = scene.shape[:2]
    shadow = Canvas(width, height, 1.0)
    patch = shadow.cut(shifted(quad, 3, 5), 4.0)
    if patch.empty:
        return
    rows, columns = patch.window
    scene[rows, columns] *= (1 - 0.35 * patch.cover)[..., None]


def _string(hole: Array, tall: float) -> Array:
    x, y = float(hole[0]), float(hole[1])
    return np.array([[x - 0.8, y], [x - 3, y - tall * 0.7], [x - 1.6, y - tall * 0.72], [x + 0.8, y]])
