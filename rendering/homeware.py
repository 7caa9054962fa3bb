"""Things for the home: mugs, bowls, vases, lamps, teapots, cushions, towels, clocks."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendering.canvas import Canvas, Flat
from rendering.garment_parts import part, seam
from rendering.outlines import ellipse, mirrored, outline, rectangle, rotated, shifted, tube
from rendering.paints import own_paint
from rendering.palette_choice import base_rgb, index_of, ink_on
from rendering.pottery import glaze
from rendering.product import Product
from rendering.relief import fold_map, relief
from rendering.seeds import between, chance, pick
from rendering.solids import blank
from rendering.text import Ink, write
from rendering.turned_body import TurnedBody
from rendering.weaves import fluffy, knit, wicker

Array = NDArray[Any]


def draw_lamp(canvas: Canvas, product: Product, view: str) -> None:
    """A table or floor lamp with a fabric shade."""
    rng = product.rng("shape")
    floor = product.kind == "floor lamp"
    top, drop = (90.0, 240.0) if floor else (170.0, 290.0)
    wide = between(rng, 140, 170) if floor else between(rng, 215, 270)
    narrow = wide * between(rng, 0.6, 0.95)
    metal = pick(rng, ("black", "gold", "silver", "white"))
    foot = own_paint(product, 1) if not floor else Flat(base_rgb(metal), index_of(metal))
    if floor:
        TurnedBody.of(500, [(11, top + drop), (11, 890)], 0.1).fill(canvas, foot, 0.4)
        TurnedBody.of(500, [(110, 893), (115, 905)], 0.14).fill(canvas, foot, 0.3)
    else:
        w = between(rng, 70, 125)
        profile = pick(
            rng,
            (
                [(26, top + drop - 10), (w, 620), (w * 1.1, 740), (w * 0.7, 890)],
                [(16, top + drop), (16, 800), (w * 1.2, 860), (w * 1.25, 890)],
                [(20, top + drop), (w, 560), (w * 0.5, 680), (w, 800), (w, 890)],
            ),
        )
        TurnedBody.of(500, profile, 0.12).fill(canvas, foot, 0.35)
    shade = TurnedBody.of(500, [(narrow, top), (wide, top + drop)], 0.09)
    patch = shade.fill(canvas, glaze(product), 0.0)
    glow = canvas.cut(ellipse(500, top + drop * 0.62, wide * 0.75, drop * 0.5), 34)
    canvas.tint(glow, (1.0, 0.95, 0.82), 0.35, within=patch)
    canvas.fill(ellipse(500, top, narrow, narrow * 0.09), Flat((0.97, 0.92, 0.8), index_of(product.colors[0])), 0.9)
    for y, r in ((top + 4, narrow), (top + drop - 4, wide)):
        t = np.linspace(0, np.pi, 20)
        canvas.line(np.stack([500 - r * np.cos(t), y + r * 0.09 * np.sin(t)], axis=1), 7, opacity=0.16)


def draw_cushion(canvas: Canvas, product: Product, view: str) -> None:
    """A square cushion, plump, with piping."""
    rng = product.rng("shape")
    half = between(rng, 300, 350)
    bow = between(rng, 26, 46)
    folds = product.rng("folds", view)
    creases: list[tuple[list[tuple[float, float]], float, float]] = []
    for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        for _ in range(4):
            start = (500 + sx * half * 0.92, 500 + sy * half * 0.92)
            end = (500 + sx * half * between(folds, 0.3, 0.7), 500 + sy * half * between(folds, 0.3, 0.7))
            creases.append(([start, end], between(folds, 8, 16), pick(folds, (-1.0, 1.0)) * between(folds, 0.5, 1.1)))
    canvas.folds = fold_map(folds, creases, 2.6, 0.35, (1.4, 1.4))
    points: list[Any] = []
    for sx, sy, ex, ey in ((-1, -1, 1, -1), (1, -1, 1, 1), (1, 1, -1, 1), (-1, 1, -1, -1)):
        points.append((500 + sx * half, 500 + sy * half, 1))
        points.append((500 + (sx + ex) / 2 * (half - bow), 500 + (sy + ey) / 2 * (half - bow)))
    ring = outline(points, 10)
    weave = knit if product.pattern == "textured" else None
    part(canvas, ring, product.cloth(weave), 1.5, 190)
    canvas.line(np.vstack([ring, ring[:1]]), 9, opacity=0.22, blur=2)
    if view == "back":
        seam(canvas, [(500 - half * 0.6, 560), (500 + half * 0.6, 560)], None, 0.5)


def draw_towel(canvas: Canvas, product: Product, view: str) -> None:
    """A folded towel."""
    rng = product.rng("shape")
    half, top, bottom = between(rng, 250, 300), between(rng, 190, 260), between(rng, 740, 800)
    folds = product.rng("folds", view)
    canvas.folds = fold_map(folds, [], 3, 0.5, (1, 1))
    cloth = product.cloth(fluffy if product.pattern in {"solid", "textured"} else None)
    layers = int(rng.integers(2, 4))
    for number in range(layers, 0, -1):
        shift = number * 17
        part(
            canvas,
            rectangle(500 - half + number * 2, top + shift, 500 + half + number * 2, bottom + shift, 26),
            cloth,
            1.0,
            24,
            0.9 - 0.05 * number,
        )
    part(canvas, rectangle(500 - half, top, 500 + half, bottom, 30), cloth, 1.0, 40, shadow=0.3)
    _name, rgb = product.tones.other(1)
    if product.pattern == "solid":
        canvas.tint(rectangle(500 - half, bottom - 120, 500 + half, bottom - 70), rgb, 0.75)
    seam(canvas, [(500 - half, bottom - 40), (500 + half, bottom - 40)], None, 0.25)


def draw_basket(canvas: Canvas, product: Product, view: str) -> None:
    """A woven basket with two handles."""
    rng = product.rng("shape")
    wide, low, top = between(rng, 260, 310), between(rng, 200, 250), between(rng, 420, 480)
    body = TurnedBody.of(500, [(wide, top), ((wide + low) / 2 + 12, 640), (low, 870)], 0.17)
    cloth = product.cloth(wicker)
    body.fill(canvas, cloth, 0.0)
    body.mouth(canvas, cloth, 0.94, 0.5)
    for side in (-1, 1):
        x = 500 + side * wide * 0.86
        handle = tube(
            [(x - 52, top + 60), (x - 50, top - 20), (x, top - 62), (x + 50, top - 20), (x + 46, top + 70)], 22, 8
        )
        patch = canvas.cut(handle)
        canvas.fill(patch, cloth, relief(patch, canvas, 1.2, 11, 0, 0.2))


def draw_clock(canvas: Canvas, product: Product, view: str) -> None:
    """A wall clock."""
    rng = product.rng("shape")
    r = between(rng, 340, 390)
    rim = canvas.cut(ellipse(500, 500, r, r, samples=90))
    canvas.fill(rim, own_paint(product), relief(rim, canvas, 1.2, 34, 0, 0.1))
    face_name = "white" if chance(rng, 0.7) else product.colors[1]
    face = canvas.cut(ellipse(500, 500, r * 0.88, r * 0.88, samples=90))
    canvas.fill(face, Flat(base_rgb(face_name), index_of(face_name)), relief(face, canvas, -0.3, 26, 0, 0.12))
    ink = (
        (0.1, 0.1, 0.12)
        if face_name not in {"black", "navy blue", "charcoal", "coffee", "dark green"}
        else (0.95, 0.95, 0.95)
    )
    numerals = chance(rng, 0.6)
    for hour in range(12):
        angle = np.deg2rad(hour * 30)
        spot = np.array([500 + np.sin(angle) * r * 0.76, 500 - np.cos(angle) * r * 0.76])
        if numerals:
            write(
                canvas,
                str(hour or 12),
                float(spot[0]),
                float(spot[1]) - r * 0.06,
                r * 0.15,
                Ink(ink),
                "sans-bold",
                "other",
            )
        else:
            inner = (spot - 500) * 0.87 + 500
            canvas.line(np.array([inner, spot]), 12 if hour % 3 == 0 else 6, ink, 0.95)
    for degrees, length, width in (
        (between(rng, 0, 360), 0.42, 15),
        (between(rng, 0, 360), 0.62, 10),
        (between(rng, 0, 360), 0.66, 4),
    ):
        hand = rotated(np.array([[0, r * 0.1], [0, -r * length]]), -degrees) + 500
        canvas.line(shifted(hand, 5, 7), width, opacity=0.25, blur=3)
        canvas.line(hand, width, ink if width > 4 else (0.8, 0.12, 0.1), 0.97)
    canvas.tint(ellipse(500, 500, 15, 15), ink, 1.0)
    if r > 300:
        write(canvas, product.brand, 500, 500 + r * 0.26, r * 0.075, Ink(ink), "serif", "brand", max_width=r * 0.6)


def draw_candle(canvas: Canvas, product: Product, view: str) -> None:
    """A scented candle in a glass."""
    rng = product.rng("shape")
    r, top = between(rng, 170, 210), between(rng, 430, 500)
    body = TurnedBody.of(500, [(r, top), (r, 860), (r * 0.93, 885)], 0.13)
    body.fill(canvas, own_paint(product), 0.45)
    body.mouth(canvas, own_paint(product), 0.93, 0.95)
    canvas.tint(tube([(500, top + 8), (502, top - 26), (497, top - 48)], 6), (0.1, 0.08, 0.06), 1.0)
    canvas.fill(
        tube([(500, top + 8), (502, top - 26), (497, top - 48)], 6), Flat((0.15, 0.12, 0.1), index_of("coffee"))
    )
    art = blank(r * 1.3, 200, r * 1.3 * canvas.scale * 1.2, canvas)
    high = art.height / art.scale
    art.fill(rectangle(4, 4, 996, high - 4), Flat(base_rgb("off white"), index_of("off white")))
    ink = Ink.of("black")
    write(art, product.brand, 500, high * 0.14, high * 0.2, ink, "serif-bold", "brand", max_width=820)
    write(art, product.name_en, 500, high * 0.46, high * 0.13, ink, "sans", "name", max_width=820)
    write(art, product.name_zh, 500, high * 0.7, high * 0.13, ink, "zh-sans", "name", max_width=820)
    body.wrap(canvas, art, top + 110, top + 300, 1.3, 0.0, 0.05)


def draw_water_bottle(canvas: Canvas, product: Product, view: str) -> None:
    """An insulated drinking bottle."""
    rng = product.rng("shape")
    r = between(rng, 105, 130)
    body = TurnedBody.of(500, [(r * 0.62, 250), (r * 0.7, 285), (r, 360), (r, 880), (r * 0.94, 910)], 0.07)
    body.fill(canvas, glaze(product), 0.35)
    metal = Flat(base_rgb("silver"), index_of("silver"))
    TurnedBody.of(500, [(r * 0.95, 900), (r * 0.9, 925)], 0.07).fill(canvas, metal, 0.4)
    lid = own_paint(product, 1)
    TurnedBody.of(500, [(r * 0.6, 140), (r * 0.66, 160), (r * 0.68, 252)], 0.09).fill(canvas, lid, 0.3)
    loop = mirrored(
        [
            (500.0, 66),
            (500 + r * 0.5, 78),
            (500 + r * 0.62, 150, 1),
            (500 + r * 0.44, 150, 1),
            (500 + r * 0.36, 104),
            (500.0, 96),
        ]
    )
    patch = canvas.cut(loop)
    canvas.fill(patch, lid, relief(patch, canvas, 1.0, 12, 0))
    if chance(rng, 0.8):
        art = blank(r * 1.2, 160, r * 1.2 * canvas.scale * 1.2, canvas)
        ground, tone = product.tones.other(0)
        high = art.height / art.scale
        art.fill(rectangle(0, 0, 1000, high), Flat(tone, index_of(ground)))
        write(
            art,
            product.brand,
            500,
            high * 0.3,
            high * 0.3,
            Ink.of(ink_on(ground)),
            pick(rng, ("sans-bold", "slab", "round")),
            "brand",
            max_width=860,
        )
        if product.pattern == "solid":
            body.wrap(canvas, art, 560, 560 + r * 1.2 * high / 1000, 1.2, 0.0, 0.3)
