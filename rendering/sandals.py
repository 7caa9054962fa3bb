"""Sandals and flip-flops."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendering.canvas import Canvas, Flat
from rendering.outlines import ellipse, outline, rectangle, rotated, shifted, tube
from rendering.palette_choice import base_rgb, dimmed, index_of
from rendering.product import Product
from rendering.relief import relief
from rendering.seeds import between, pick
from rendering.shoe_parts import piece, upper_leather

Array = NDArray[Any]


def draw_sandal(canvas: Canvas, product: Product, rng: np.random.Generator) -> None:
    """A flat sandal with straps, from the side."""
    fabric = upper_leather(product)
    sole = Flat(base_rgb(pick(rng, ("tan", "khaki", "coffee"))), index_of("tan"))
    thick = between(rng, 36, 80)
    piece(
        canvas,
        [
            (110, 720, 1),
            (400, 724),
            (700, 734),
            (900, 716, 1),
            (906, 740),
            (880, 730 + thick),
            (500, 732 + thick),
            (120, 730 + thick, 1),
        ],
        sole,
        0.8,
        20,
    )
    piece(
        canvas,
        [(112, 712, 1), (400, 716), (700, 726), (900, 708, 1), (902, 722), (700, 740), (400, 732), (112, 730, 1)],
        Flat(base_rgb("beige"), index_of("beige")),
        0.4,
        8,
    )
    toe_x, arch_x = between(rng, 720, 760), between(rng, 520, 560)
    for x, high, wide in ((toe_x, 120.0, 84.0), (arch_x, 165.0, 74.0)):
        far = [(x - 70, 722.0), (x - 40, 730 - high * 0.82), (x + 26, 722 - high), (x + 74, 730 - high * 0.55)]
        piece(canvas, tube(far, wide * 0.8, 10), fabric, 0.5, 20, dim=0.55)
    counter = [(120, 718, 1), (112, 610), (128, 520, 1), (176, 508, 1), (200, 600), (236, 716, 1)]
    piece(canvas, counter, fabric, 1.0, 40)
    piece(
        canvas, tube([(148, 530), (230, 470), (330, 468), (392, 540), (400, 600)], 34, 10), fabric, 0.9, 14, 0.2, 0.72
    )
    piece(canvas, tube([(148, 540), (220, 560), (320, 570), (398, 596)], 36, 10), fabric, 1.0, 15, 0.25)
    piece(canvas, tube([(398, 590), (420, 640), (470, 690), (500, 728)], 40, 10), fabric, 0.9, 16, 0.25)
    for x, high, wide in ((arch_x, 165.0, 74.0), (toe_x, 120.0, 84.0)):
        near = [(x - 78, 734 - high * 0.62), (x - 20, 728 - high), (x + 46, 738 - high * 0.7), (x + 78, 734.0)]
        piece(canvas, tube(near, [wide * 0.9, wide, wide, wide * 0.9], 10), fabric, 1.1, 34, 0.3)
    canvas.fill(
        [rectangle(256, 546, 304, 592, 6), rectangle(266, 556, 294, 582, 3)],
        Flat(base_rgb("gold"), index_of("gold")),
        1.0,
    )


def draw_flip_flop(canvas: Canvas, product: Product, view: str) -> None:
    """A pair of flip-flops seen from above."""
    rng = product.rng("shape")
    lean = between(rng, 2, 8)
    cloth = product.cloth() if product.pattern != "solid" else product.plain(0)
    strap = product.plain(1)
    for side in (-1, 1):
        half: list[Any] = [
            (0, -385),
            (95 * 1.0, -350),
            (128, -220),
            (112, -40),
            (92, 90),
            (108, 240),
            (84, 350),
            (0, 385),
            (-84, 350),
            (-104, 240),
            (-88, 90),
            (-104, -60),
            (-118, -220),
            (-88, -345),
        ]
        ring = shifted(rotated(outline([(x * side, y) for x, y in half]), side * -lean), 500 + side * 165, 500)
        canvas.fill(shifted(ring, 0, 14), Flat(dimmed(product.tones.rgb[0], 0.6), index_of(product.colors[0])))
        patch = canvas.cut(ring)
        canvas.fill(patch, cloth, relief(patch, canvas, 0.7, 26, 0, 0.1))
        canvas.line(np.vstack([ring, ring[:1]]), 9, (1, 1, 1), 0.12)
        for way in (-1, 1):
            line = shifted(
                rotated(np.array([[0.0, -225], [way * 60.0, -150], [way * 104.0, 40]]), side * -lean),
                500 + side * 165,
                500,
            )
            canvas.tint(canvas.cut(tube(shifted(line, 5, 12), [30, 42, 40]), 6), opacity=0.4, within=patch)
            piece(canvas, tube(line, [26, 42, 40]), strap, 1.2, 18)
        post = rotated(np.array([[0.0, -232.0]]), side * -lean)[0] + (500 + side * 165, 500)
        piece(canvas, ellipse(float(post[0]), float(post[1]), 20, 24), strap, 1.2, 16)
