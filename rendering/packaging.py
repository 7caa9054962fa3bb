"""Packaged goods: bottles, cans, jars, cartons, pouches, tubes, cups."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendering.canvas import Canvas, Flat
from rendering.label_art import flat_print
from rendering.outlines import ellipse, outline, shifted
from rendering.paints import named_paint, own_paint
from rendering.palette_choice import Rgb, index_of
from rendering.product import Product
from rendering.relief import cylinder, relief, turned
from rendering.seeds import between, chance, pick
from rendering.turned_body import TurnedBody

Array = NDArray[Any]


def _wrap(
    canvas: Canvas, product: Product, body: TurnedBody, top: float, bottom: float, view: str, gloss: float = 0.14
) -> None:
    """A label around a turned body; an angled view turns it, the back view shows the back print."""
    radius = float(body.radius((top + bottom) / 2))
    span = 2.35
    art = flat_print(canvas, product, view, radius * span, bottom - top)
    turn = pick(product.rng("turn", view), (-1, 1)) * 0.42 if view == "angled" else 0.0
    ground = own_paint(product)
    patch = canvas.cut(_band(body, top, bottom))
    if not patch.empty:
        u = turned(patch, body.cx - radius, body.cx + radius, canvas)
        shade, glow = cylinder(u, canvas.light, gloss)
        canvas.fill(patch, ground, shade, glow)
    body.wrap(canvas, art, top, bottom, span, turn, gloss)


def _band(body: TurnedBody, top: float, bottom: float) -> Array:
    """Outline of the part of a body between two heights, curved like its circles."""
    t = np.linspace(0, np.pi, 24)
    upper, lower = float(body.radius(top)), float(body.radius(bottom))
    first = np.stack([body.cx - upper * np.cos(t), top + upper * body.tilt * np.sin(t)], axis=1)
    last = np.stack([body.cx + lower * np.cos(t), bottom + lower * body.tilt * np.sin(t)], axis=1)
    return np.vstack([first, last])


def draw_drink_bottle(canvas: Canvas, product: Product, view: str) -> None:
    """A plastic bottle of drink with a wrap-around label."""
    rng = product.rng("shape")
    radius = between(rng, 118, 150)
    neck = radius * between(rng, 0.3, 0.4)
    tall = between(rng, 700, 800)
    top = 930 - tall
    shoulder = top + tall * between(rng, 0.3, 0.38)
    body = TurnedBody.of(
        500,
        [
            (neck, top + 50),
            (neck, top + 82),
            (radius * 0.86, shoulder - 60),
            (radius, shoulder + 30),
            (radius, 560),
            (radius * 0.965, 700),
            (radius, 860),
            (radius * 0.9, 915),
        ],
        0.07,
    )
    water = product.variant == "Spring Water"
    liquid: Rgb = (0.80, 0.88, 0.93) if water else own_paint(product).rgb
    body.fill(canvas, Flat(liquid, index_of("light blue" if water else product.colors[0])), 0.5)
    for y in (shoulder - 10, 800, 840, 880):
        t = np.linspace(0, np.pi, 18)
        r = float(body.radius(y))
        line = np.stack([500 - r * np.cos(t), y + r * 0.07 * np.sin(t)], axis=1)
        canvas.line(line, 5, opacity=0.13, blur=1.5)
        canvas.line(shifted(line, 0, 5), 4, (1, 1, 1), 0.25, 1.5)
    _wrap(canvas, product, body, shoulder + 40, 780, view)
    _cap(canvas, product, neck * 1.18, top, top + 58)


def _cap(canvas: Canvas, product: Product, radius: float, top: float, bottom: float, color: str | None = None) -> None:
    name = color or product.colors[2]
    cap = TurnedBody.of(500, [(radius * 0.96, top), (radius, top + 6, 1), (radius, bottom)], 0.09)
    cap.fill(canvas, named_paint(name), 0.25)
    for u in np.linspace(-0.92, 0.92, 15):
        canvas.line(
            np.array([[500 + radius * u, top + 12 + radius * 0.07], [500 + radius * u, bottom]]), 3, opacity=0.17
        )
    patch = canvas.cut(ellipse(500, top, radius * 0.96, radius * 0.09))
    canvas.fill(patch, named_paint(name), 1.12)


def draw_wine_bottle(canvas: Canvas, product: Product, view: str) -> None:
    """A glass bottle with a paper label and a capsule."""
    rng = product.rng("shape")
    radius = between(rng, 104, 122)
    square = chance(rng, 0.5)
    neck = 38.0
    shoulder = (
        [(radius * 0.62, 350), (radius, 430)] if square else [(radius * 0.5, 330), (radius * 0.86, 420), (radius, 510)]
    )
    body = TurnedBody.of(500, [(neck, 70), (neck * 1.02, 230), *shoulder, (radius, 900), (radius * 0.96, 925)], 0.06)
    glass = product.tones
    dark = tuple(value * 0.62 for value in glass.rgb[0])
    body.fill(canvas, Flat(dark, index_of(product.colors[0])), 0.62)  # type: ignore[arg-type]
    capsule = TurnedBody.of(500, [(neck * 1.12, 52), (neck * 1.12, 90, 1), (neck * 1.06, 96), (neck * 1.08, 220)], 0.08)
    capsule.fill(canvas, named_paint(product.colors[2]), 0.4)
    paper = Product(**{**product.__dict__, "colors": ("off white", product.colors[1], product.colors[2])})
    radius_label = float(body.radius(700))
    span = 1.9
    face = flat_print(canvas, paper, view, radius_label * span, 270)
    turn = 0.4 if view == "angled" else 0.0
    body.wrap(canvas, face, 570, 840, span, turn, 0.05)


def draw_can(canvas: Canvas, product: Product, view: str) -> None:
    """A drink can with a print all over, or a food can with a paper label."""
    rng = product.rng("shape")
    food = product.kind == "food can"
    low = food and "185" in product.net_content
    radius = between(rng, 190, 220) if food else between(rng, 138, 158)
    top = 520.0 if low else 300.0 if food else between(rng, 230, 300)
    metal = named_paint("silver")
    tilt = 0.17 if food else 0.15
    if food:
        body = TurnedBody.of(500, [(radius * 0.97, top), (radius, top + 10), (radius, 880), (radius * 0.97, 892)], tilt)
    else:
        body = TurnedBody.of(
            500,
            [(radius * 0.84, top), (radius * 0.86, top + 12), (radius, top + 62), (radius, 850), (radius * 0.84, 890)],
            tilt,
        )
    body.fill(canvas, metal, 0.4)
    start, end = (top + 30, 872) if food else (top + 58, 856)
    _wrap(canvas, product, body, start, end, view, 0.3 if not food else 0.1)
    lid = float(body.radii[0])
    canvas.fill(ellipse(500, top, lid, lid * tilt), metal, 1.1)
    inner = canvas.cut(ellipse(500, top + 4, lid * 0.9, lid * tilt * 0.86))
    height, width = inner.cover.shape
    ramp = np.linspace(0.75, 1.08, width, dtype=np.float32)[None, :] * np.ones((height, 1), np.float32)
    canvas.fill(inner, metal, ramp)
    if food:
        for share in (0.72, 0.5):
            ring = ellipse(500, top + 5, lid * share, lid * tilt * share)
            canvas.line(np.vstack([ring, ring[:1]]), 3, opacity=0.2)
    canvas.fill(
        ellipse(500, top + lid * tilt * 0.25, lid * 0.2, lid * tilt * 0.3), Flat((0.55, 0.56, 0.58), index_of("silver"))
    )
    hole = [ellipse(500, top + lid * tilt * 0.3, lid * 0.15, lid * tilt * 0.2)]
    canvas.tint(canvas.cut(hole), opacity=0.35)


def draw_jar(canvas: Canvas, product: Product, view: str) -> None:
    """A glass jar with a lid, its content showing."""
    rng = product.rng("shape")
    radius = between(rng, 175, 225)
    top = between(rng, 330, 420)
    content = own_paint(product)
    body = TurnedBody.of(
        500,
        [(radius * 0.84, top), (radius * 0.86, top + 25), (radius, top + 75), (radius, 830), (radius * 0.9, 895)],
        0.12,
    )
    body.fill(canvas, content, 0.55, dim=0.97)
    canvas.tint(_band(body, top + 10, top + 44), (1, 1, 1), 0.28)
    paper = Product(**{**product.__dict__, "colors": (product.colors[1], product.colors[2], product.colors[0])})
    span = 2.0
    art = flat_print(canvas, paper, view, radius * span, 300)
    body.wrap(canvas, art, top + 105, 800, span, 0.4 if view == "angled" else 0.0, 0.08)
    lid = TurnedBody.of(500, [(radius * 0.9, top - 78), (radius * 0.92, top - 70, 1), (radius * 0.92, top)], 0.12)
    lid.fill(canvas, named_paint(product.colors[2]), 0.35)
    canvas.fill(ellipse(500, top - 78, radius * 0.9, radius * 0.9 * 0.12), named_paint(product.colors[2]), 1.12)
    for u in np.linspace(-0.94, 0.94, 23):
        canvas.line(
            np.array([[500 + radius * 0.92 * u, top - 30], [500 + radius * 0.92 * u, top + 8]]), 3, opacity=0.12
        )


def draw_sauce_bottle(canvas: Canvas, product: Product, view: str) -> None:
    """A tall bottle with a long neck."""
    rng = product.rng("shape")
    radius = between(rng, 105, 130)
    body = TurnedBody.of(
        500, [(34, 150), (38, 230), (radius * 0.75, 370), (radius, 450), (radius, 880), (radius * 0.93, 920)], 0.07
    )
    body.fill(canvas, own_paint(product), 0.55)
    paper = Product(**{**product.__dict__, "colors": (product.colors[1], product.colors[2], product.colors[0])})
    art = flat_print(canvas, paper, view, radius * 2.2, 330)
    body.wrap(canvas, art, 500, 830, 2.2, 0.4 if view == "angled" else 0.0, 0.1)
    _cap(canvas, product, 46, 90, 165)


def draw_cup(canvas: Canvas, product: Product, view: str) -> None:
    """A yogurt or ice-cream cup with a foil lid."""
    rng = product.rng("shape")
    wide, low = between(rng, 210, 245), between(rng, 155, 185)
    top = between(rng, 380, 470)
    body = TurnedBody.of(500, [(wide, top), (low, 880)], 0.15)
    body.fill(canvas, own_paint(product), 0.2)
    art = flat_print(canvas, product, view, (wide + low) / 2 * 2.35, 880 - top - 40)
    body.wrap(canvas, art, top + 26, 866, 2.35, 0.4 if view == "angled" else 0.0, 0.12)
    rim = TurnedBody.of(500, [(wide * 1.07, top - 8), (wide * 1.07, top + 14)], 0.15)
    rim.fill(canvas, named_paint("white"), 0.2)
    lid = canvas.cut(ellipse(500, top - 8, wide * 1.07, wide * 1.07 * 0.15))
    canvas.fill(
        lid,
        named_paint(product.colors[1]),
        np.linspace(1.15, 0.9, lid.cover.shape[1], dtype=np.float32)[None, :] * np.ones(lid.cover.shape, np.float32),
    )


def draw_pump_bottle(canvas: Canvas, product: Product, view: str) -> None:
    """A shampoo or lotion bottle, with a pump or a flip cap."""
    rng = product.rng("shape")
    radius = between(rng, 130, 160)
    top = between(rng, 330, 390)
    round_shoulder = chance(rng, 0.5)
    shoulder: list[tuple[float, float]] = (
        [(radius * 0.6, top + 14), (radius * 0.95, top + 60)]
        if round_shoulder
        else [(radius * 0.85, top + 8), (radius, top + 36)]
    )
    body = TurnedBody.of(
        500, [(radius * 0.3, top), *shoulder, (radius, top + 120), (radius, 860), (radius * 0.92, 905)], 0.07
    )
    body.fill(canvas, own_paint(product), 0.4)
    art = flat_print(canvas, product, view, radius * 2.1, 900 - top - 170)
    body.wrap(canvas, art, top + 110, 850, 2.1, 0.4 if view == "angled" else 0.0, 0.2)
    name = pick(rng, ("white", "black", product.colors[1]))
    if chance(rng, 0.6):
        TurnedBody.of(500, [(radius * 0.36, top - 62), (radius * 0.36, top + 6)], 0.09).fill(
            canvas, named_paint(name), 0.35
        )
        TurnedBody.of(500, [(15, top - 130), (15, top - 60)], 0.1).fill(canvas, named_paint(name), 0.3)
        head = outline(
            [
                (458, top - 158, 1),
                (545, top - 162),
                (560, top - 128, 1),
                (470, top - 124),
                (392, top - 112, 1),
                (384, top - 128, 1),
            ]
        )
        patch = canvas.cut(head)
        canvas.fill(patch, named_paint(name), relief(patch, canvas, 0.8, 14, 0))
    else:
        TurnedBody.of(
            500, [(radius * 0.5, top - 78), (radius * 0.52, top - 70, 1), (radius * 0.55, top + 10)], 0.08
        ).fill(canvas, named_paint(name), 0.35)
        canvas.line(
            [(500 - radius * 0.52, top - 30), (500.0, top - 22), (500 + radius * 0.52, top - 30)], 3, opacity=0.3
        )
