"""Caps, hats, ties, scarves and socks."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendering.canvas import Canvas
from rendering.garment_parts import part, rib_band, seam
from rendering.outlines import curve, ellipse, mirrored, outline, shifted, tube
from rendering.palette_choice import ink_on
from rendering.product import Product
from rendering.relief import fold_map, relief
from rendering.seeds import between, chance, pick
from rendering.text import Ink, write
from rendering.weaves import knit

Array = NDArray[Any]


def draw_cap(canvas: Canvas, product: Product, view: str) -> None:
    """A baseball cap, three-quarter from the front."""
    rng = product.rng("shape")
    side = -1 if view == "back" else 1
    cloth = product.cloth()

    def at(points: list[Any]) -> Array:
        return outline([(500 + side * (p[0] - 500), *p[1:]) for p in points])

    crown = at(
        [
            (220, 610, 1),
            (225, 480),
            (300, 330),
            (450, 262),
            (600, 300),
            (700, 430),
            (722, 600, 1),
            (600, 648),
            (400, 656),
        ]
    )
    canvas.folds = fold_map(product.rng("folds", view), [], 3, 0.35, (1, 1))
    body = part(canvas, crown, cloth, 1.4, 150)
    for line in (
        [(450, 262), (420, 440), (400, 652)],
        [(450, 262), (600, 420), (640, 636)],
        [(450, 262), (300, 400), (250, 628)],
    ):
        seam(canvas, [(500 + side * (x - 500), y) for x, y in line], body, 0.3)
    brim_cloth = product.plain(1) if chance(rng, 0.4) else product.plain(0)
    brim = at(
        [
            (400, 640, 1),
            (560, 652),
            (720, 596, 1),
            (850, 640),
            (900, 700),
            (860, 740),
            (720, 748),
            (540, 720),
            (430, 690),
        ]
    )
    part(canvas, brim, brim_cloth, 1.0, 50, 1.0, 0.3, 0.35)
    for number in range(1, 5):
        share = number / 5
        points = [
            (410 + 30 * share, 650 + 44 * share),
            (560, 664 + 58 * share),
            (730 + 20 * share, 608 + 120 * share * 0.9),
            (835 + 30 * share, 650 + 60 * share),
        ]
        canvas.stitches(
            curve([(500 + side * (x - 500), y) for x, y in points]),
            (0.9, 0.9, 0.88) if ink_on(product.colors[0]) == "white" else (0.3, 0.3, 0.3),
            2.2,
            6,
        )
    button = canvas.cut(ellipse(500 + side * -50, 262, 20, 13))
    canvas.fill(button, cloth, relief(button, canvas, 1.0, 10, 0))
    if view != "back" and product.pattern in {"solid", "textured"}:
        name = product.colors[1]
        write(
            canvas,
            product.brand.split()[0],
            545,
            440,
            66,
            Ink.of(name, 0.01),
            pick(rng, ("sans-bold", "slab", "round")),
            "brand",
            max_width=190,
        )


def draw_hat(canvas: Canvas, product: Product, view: str) -> None:
    """A brimmed hat or a knitted beanie."""
    rng = product.rng("shape")
    if product.pattern == "textured" and chance(rng, 0.75):
        cloth = product.cloth(knit)
        crown = mirrored([(500.0, 230), (620, 262), (722, 420), (742, 640, 1), (600, 676), (500.0, 684)])
        part(canvas, crown, cloth, 1.4, 150)
        rib_band(canvas, [(262, 690), (500, 722), (738, 690)], 120, cloth)
        pom = canvas.cut(ellipse(500, 196, 84, 78))
        fluff = product.rng("pom").standard_normal(pom.cover.shape).astype(np.float32)
        canvas.fill(pom, product.plain(1), relief(pom, canvas, 1.3, 70, 0) + 0.1 * fluff)
        return
    straw = product.cloth()
    brim = canvas.cut(ellipse(500, 640, 400, between(rng, 105, 135)))
    canvas.fill(brim, straw, relief(brim, canvas, 0.9, 60, 0))
    crown = mirrored([(500.0, 330), (600, 338), (668, 390), (700, 640, 1), (600, 676), (500.0, 684)])
    canvas.tint(canvas.cut(shifted(crown, 10, 18), 14), opacity=0.4)
    part(canvas, crown, straw, 1.2, 110)
    canvas.line([(420, 362), (500, 396), (580, 362)], 26, opacity=0.25, blur=14)
    band = tube([(303, 596), (400, 630), (500, 640), (600, 630), (697, 596)], 62)
    part(canvas, band, product.plain(1), 0.5, 14)


def draw_tie(canvas: Canvas, product: Product, view: str) -> None:
    """A necktie, knotted."""
    rng = product.rng("shape")
    wide = between(rng, 74, 98)
    cloth = product.cloth().resized(0.55).turned(45 if product.pattern == "striped" else 0)
    loop = tube([(452, 190), (420, 110), (500, 76), (580, 110), (548, 190)], 34)
    part(canvas, loop, cloth, 0.8, 12, 0.72)
    blade = outline(
        [
            (470, 236, 1),
            (530, 236, 1),
            (500 + wide * 0.75, 520),
            (500 + wide, 820, 1),
            (500, 932, 1),
            (500 - wide, 820, 1),
            (500 - wide * 0.75, 520),
        ]
    )
    part(canvas, blade, cloth, 0.9, 34)
    canvas.line([(500, 250), (510, 400), (500, 520)], 18, opacity=0.22, blur=8)
    knot = outline([(444, 166, 1), (556, 166, 1), (534, 250, 1), (466, 250, 1)])
    part(canvas, knot, cloth.turned(30), 1.0, 30, shadow=0.45)


def draw_scarf(canvas: Canvas, product: Product, view: str) -> None:
    """A scarf, looped, with fringes."""
    rng = product.rng("shape")
    cloth = product.cloth(knit if product.pattern == "textured" else None)
    folds = product.rng("folds", view)
    creases: list[tuple[list[tuple[float, float]], float, float]] = []
    for x in np.linspace(360, 640, 9):
        creases.append(
            (
                [(float(x), 120), (float(x) + between(folds, -30, 30), 500), (float(x) + between(folds, -40, 40), 900)],
                12,
                pick(folds, (-1.0, 1.0)) * between(folds, 0.6, 1.2),
            )
        )
    canvas.folds = fold_map(folds, creases, 2.4, 0.4)
    for x0, x1, end in ((420.0, 370.0, 850.0), (575.0, 640.0, between(rng, 700, 800))):
        ring = outline([(x0 - 62, 250, 1), (x0 + 62, 250, 1), (x1 + 84, end, 1), (x1 - 84, end, 1)])
        part(canvas, ring, cloth, 1.0, 50, shadow=0.3)
        fringe = [
            tube([(x, end - 4), (x + between(folds, -6, 6), end + 30), (x + between(folds, -9, 9), end + 64)], 6)
            for x in np.arange(x1 - 78, x1 + 80, 11.0)
        ]
        canvas.fill(canvas.cut(fringe), product.plain(0), 0.95)
    for ring in (
        tube([(320, 220), (360, 330), (500, 380), (640, 330), (680, 220)], 130),
        tube([(322, 190), (400, 110), (500, 92), (600, 110), (678, 190)], 110),
    ):
        part(canvas, ring, cloth.turned(80), 1.1, 60, shadow=0.35)


def draw_socks(canvas: Canvas, product: Product, view: str) -> None:
    """A pair of socks laid flat."""
    rng = product.rng("shape")
    length = between(rng, 330, 480)
    cloth, trim = product.cloth().resized(0.75), product.plain(1)
    for number, (dx, dy) in enumerate(((150.0, -40.0), (-90.0, 30.0))):
        top = 620 - length + dy
        ring = outline(
            [
                (350 + dx, top, 1),
                (500 + dx, top, 1),
                (504 + dx, 560 + dy),
                (560 + dx, 640 + dy),
                (700 + dx, 700 + dy),
                (752 + dx, 770 + dy),
                (700 + dx, 830 + dy),
                (560 + dx, 810 + dy),
                (410 + dx, 760 + dy),
                (342 + dx, 660 + dy),
                (352 + dx, 540 + dy),
            ]
        )
        part(canvas, ring, cloth, 1.0, 50, shadow=0.3 if number else 0.0)
        toe = outline(
            [
                (690 + dx, 696 + dy, 1),
                (752 + dx, 770 + dy),
                (700 + dx, 830 + dy),
                (640 + dx, 824 + dy, 1),
                (664 + dx, 760 + dy),
            ]
        )
        part(canvas, toe, trim, 0.9, 40)
        heel = outline(
            [
                (350 + dx, 610 + dy, 1),
                (342 + dx, 660 + dy),
                (398 + dx, 750 + dy, 1),
                (440 + dx, 690 + dy),
                (420 + dx, 630 + dy),
            ]
        )
        part(canvas, heel, trim, 0.8, 36)
        rib_band(canvas, [(350 + dx, top + 26), (425 + dx, top + 30), (500 + dx, top + 26)], 70, trim)
