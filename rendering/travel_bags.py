"""Backpacks, messenger bags and suitcases."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendering.bag_parts import edge_stitches, hide_of, metal_of, stamped_brand
from rendering.canvas import Canvas, Flat
from rendering.garment_parts import part, seam
from rendering.outlines import curve, ellipse, mirrored, rectangle, tube
from rendering.palette_choice import base_rgb, index_of
from rendering.product import Product
from rendering.relief import fold_map, relief
from rendering.seeds import between, chance
from rendering.text import Ink, write
from rendering.weaves import smooth_leather

Array = NDArray[Any]


def draw_backpack(canvas: Canvas, product: Product, view: str) -> None:
    """A backpack from the front."""
    rng = product.rng("shape")
    wide, top, bottom = between(rng, 230, 275), between(rng, 180, 220), between(rng, 850, 890)
    cloth, trim = product.cloth(), product.plain(1)
    folds = product.rng("folds", view)
    canvas.folds = fold_map(folds, [], 3, 0.55, (1, 1.4))
    part(
        canvas,
        tube([(440, top + 20), (450, top - 66), (500, top - 86), (550, top - 66), (560, top + 20)], 26),
        trim,
        1.1,
        12,
        0.85,
    )
    for side in (-1, 1):
        strap = tube(
            [
                (500 + side * wide * 0.7, top + 40),
                (500 + side * (wide + 46), top + 240),
                (500 + side * (wide + 34), bottom - 180),
                (500 + side * wide * 0.8, bottom - 40),
            ],
            [46, 52, 34, 26],
        )
        part(canvas, strap, product.plain(0), 0.9, 18, 0.66)
    ring = mirrored(
        [
            (500.0, top - 6),
            (500 + wide * 0.62, top + 8),
            (500 + wide * 0.95, top + 120),
            (500 + wide, (top + bottom) / 2),
            (500 + wide * 0.98, bottom - 60),
            (500 + wide * 0.86, bottom),
            (500.0, bottom + 8),
        ]
    )
    body = part(canvas, ring, cloth, 1.4, 110)
    if view == "back":
        for side in (-1, 1):
            part(
                canvas,
                tube(
                    [(500 + side * 90, top + 60), (500 + side * 130, top + 300), (500 + side * 150, bottom - 130)],
                    [70, 76, 44],
                ),
                trim,
                1.1,
                26,
                shadow=0.4,
            )
        return
    arc = [
        (500 - wide * 0.94, top + 300),
        (500 - wide * 0.82, top + 130),
        (500.0, top + 66),
        (500 + wide * 0.82, top + 130),
        (500 + wide * 0.94, top + 300),
    ]
    canvas.line(arc, 13, opacity=0.55, within=body)
    canvas.stitches(curve(arc), base_rgb("silver"), 5, 4)
    y = top + (bottom - top) * 0.5
    pouch = mirrored(
        [
            (500.0, y),
            (500 + wide * 0.72, y + 4, 1),
            (500 + wide * 0.84, (y + bottom) / 2),
            (500 + wide * 0.8, bottom - 26),
            (500 + wide * 0.7, bottom - 12),
            (500.0, bottom - 8),
        ]
    )
    part(canvas, pouch, trim if chance(rng, 0.4) else cloth, 1.3, 60, 1.0, 1.0, 0.5)
    line = [(500 - wide * 0.66, y + 40), (500.0, y + 34), (500 + wide * 0.66, y + 40)]
    canvas.line(line, 11, opacity=0.55)
    canvas.stitches(curve(line), base_rgb("silver"), 5, 4)
    canvas.fill(rectangle(500 + wide * 0.5, y + 36, 500 + wide * 0.5 + 12, y + 90, 5), Flat((0.2, 0.2, 0.2)))
    patch = rectangle(440, y + 110, 560, y + 170, 8)
    canvas.fill(patch, Flat(base_rgb("off white"), index_of("off white")))
    write(canvas, product.brand, 500, y + 126, 26, Ink.of("black"), "sans-bold", "brand", max_width=104)


def draw_messenger(canvas: Canvas, product: Product, view: str) -> None:
    """A messenger bag with a long strap."""
    rng = product.rng("shape")
    wide, top, bottom = between(rng, 290, 340), between(rng, 430, 480), between(rng, 820, 870)
    hide, metal = hide_of(product), metal_of(product)
    strap = [
        (500 - wide + 16, top + 70),
        (500 - wide * 0.9, top - 170),
        (500 - 60, top - 330),
        (500 + wide * 0.8, top - 210),
        (500 + wide - 16, top + 70),
    ]
    part(canvas, tube(strap, 30, 12), product.plain(1, smooth_leather), 0.8, 12, 0.85)
    ring = mirrored(
        [
            (500.0, top),
            (500 + wide, top + 4, 1),
            (500 + wide + 8, (top + bottom) / 2),
            (500 + wide - 4, bottom, 1),
            (500.0, bottom + 6),
        ]
    )
    part(canvas, ring, hide, 1.0, 60, 0.92)
    if view == "back":
        seam(canvas, [(500 - wide + 30, top + 90), (500 + wide - 30, top + 90)], None, 0.6)
        return
    flap = mirrored(
        [
            (500.0, top - 10),
            (500 + wide + 6, top - 6, 1),
            (500 + wide + 8, top + 190),
            (500 + wide - 30, top + 240),
            (500.0, top + 246),
        ]
    )
    part(canvas, flap, hide, 1.0, 50, 1.02, 1.0, 0.5)
    edge_stitches(canvas, flap, product, 0.95)
    for side in (-1, 1):
        x = 500 + side * wide * 0.5
        part(
            canvas,
            rectangle(x - 22, top + 150, x + 22, top + 330, 8),
            product.plain(1, smooth_leather),
            0.6,
            10,
            1.0,
            0,
            0.4,
        )
        canvas.fill(
            [rectangle(x - 32, top + 268, x + 32, top + 316, 6), rectangle(x - 22, top + 278, x + 22, top + 306, 3)],
            metal,
        )
    stamped_brand(canvas, product, 500, top + 120, 34, wide * 0.6)


def draw_suitcase(canvas: Canvas, product: Product, view: str) -> None:
    """A hard-shell trolley case."""
    rng = product.rng("shape")
    wide, top, bottom = between(rng, 200, 250), between(rng, 270, 320), between(rng, 850, 880)
    steel = Flat(base_rgb("silver"), index_of("silver"))
    for side in (-1, 1):
        canvas.fill(rectangle(500 + side * 74 - 9, top - 190, 500 + side * 74 + 9, top + 20), steel, 0.92)
        canvas.tint(rectangle(500 + side * 74 + 2, top - 190, 500 + side * 74 + 9, top + 20), opacity=0.3)
    canvas.fill(rectangle(410, top - 216, 590, top - 176, 16), Flat((0.16, 0.16, 0.17), index_of("black")))
    for side in (-1, 1):
        x = 500 + side * (wide - 50)
        canvas.fill(ellipse(x, bottom + 26, 24, 30), Flat((0.15, 0.15, 0.16), index_of("black")))
        canvas.fill(ellipse(x, bottom + 28, 10, 13), steel)
    shell = rectangle(500 - wide, top, 500 + wide, bottom, 52)
    patch = canvas.cut(shell)
    name, rgb = product.tones.other(0)
    cloth: Any = Flat(rgb, index_of(name)) if product.pattern == "solid" else product.cloth()
    canvas.fill(patch, cloth, relief(patch, canvas, 1.2, 70, 0, 0.16))
    for x in np.linspace(500 - wide * 0.68, 500 + wide * 0.68, int(rng.integers(5, 9))):
        canvas.line([(x, top + 50), (x, bottom - 50)], 12, opacity=0.22, blur=3, within=patch)
        canvas.line([(x + 11, top + 50), (x + 11, bottom - 50)], 7, (1, 1, 1), 0.25, 3, patch)
    canvas.line([(500 - wide + 60, top + 40), (500 - wide + 40, bottom - 80)], 24, (1, 1, 1), 0.3, 14, patch)
    part(canvas, rectangle(420, top - 14, 580, top + 16, 12), product.plain(0), 1.0, 12, 0.7)
    if view != "back":
        canvas.fill(rectangle(430, top + 150, 570, top + 196, 8), steel, 1.05)
        write(canvas, product.brand, 500, top + 160, 26, Ink.of("black"), "sans-bold", "brand", max_width=124)
