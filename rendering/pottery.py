"""Mugs, bowls, plates, vases and teapots."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendering.canvas import Canvas, Flat, Paint
from rendering.fabric import Fabric
from rendering.motifs import draw_motif
from rendering.outlines import curve, ellipse, rectangle, shifted, tube
from rendering.paints import own_paint
from rendering.palette_choice import index_of
from rendering.product import Product
from rendering.relief import relief
from rendering.seeds import between, chance, pick
from rendering.solids import blank
from rendering.text import Ink, write
from rendering.turned_body import TurnedBody
from rendering.wording import SLOGANS

Array = NDArray[Any]


def glaze(product: Product) -> Paint:
    """Surface of pottery: plain, or its pattern all over; a printed mug gets a single picture later."""
    if product.pattern == "solid" or (product.pattern == "printed" and product.kind == "mug"):
        return own_paint(product)
    fabric: Fabric = product.cloth()
    return fabric.resized(0.8)


def draw_mug(canvas: Canvas, product: Product, view: str) -> None:
    """A mug with a handle."""
    rng = product.rng("shape")
    radius, top = between(rng, 190, 220), between(rng, 300, 380)
    low = radius * between(rng, 0.78, 1.0)
    cx = 460.0
    side = -1 if view == "back" else 1
    cx = 500 - side * 50
    body = TurnedBody.of(
        cx,
        [(radius, top), (radius * 0.99, top + 60), ((radius + low) / 2 + 4, 680), (low, 850), (low * 0.9, 880)],
        0.13,
    )
    reach = between(rng, 110, 140)
    x = cx + side * radius * 0.93
    handle = tube(
        [
            (x - side * 14, top + 95),
            (x + side * reach * 0.8, top + 80),
            (x + side * reach, (top + 880) / 2 - 10),
            (x + side * reach * 0.62, 740),
            (x - side * 16, 765),
        ],
        [50, 42, 40, 42, 50],
        10,
    )
    paint = own_paint(product, 0) if product.variant != "two-tone" else own_paint(product, 1)
    patch = canvas.cut(handle)
    canvas.fill(patch, paint, relief(patch, canvas, 1.5, 22, 0, 0.2), 0.0)
    center = curve(
        [
            (x + side * reach * 0.78, top + 74),
            (x + side * reach * 0.97, (top + 880) / 2 - 20),
            (x + side * reach * 0.6, 725),
        ]
    )
    canvas.line(center, 7, (1, 1, 1), 0.35, 3)
    body.fill(canvas, glaze(product), 0.3)
    if product.variant == "two-tone":
        paint = own_paint(product, 1)
    body.mouth(canvas, paint, 0.93, 0.78)
    if product.pattern == "printed":
        _mug_print(canvas, product, body, top)


def _mug_print(canvas: Canvas, product: Product, body: TurnedBody, top: float) -> None:
    radius = float(body.radius(600))
    span = 1.7
    art = blank(radius * span, 340, radius * span * canvas.scale * 1.1, canvas)
    art.alpha[:] = 0.0
    rng = product.rng("print")
    words = chance(rng, 0.6)
    middle = 300.0 if words else 440.0
    high = art.height / art.scale
    for number, rings in enumerate(draw_motif("emblem", high * 0.27, rng)):
        name, rgb = product.tones.other(1 + number)
        art.fill([shifted(ring, 500, min(middle, high * 0.4)) for ring in rings], Flat(rgb, index_of(name)))
    if words:
        name, rgb = product.tones.other(1)
        line = pick(rng, SLOGANS).replace("/", " ")
        # Text needs a ground to stand on: glaze of the mug itself.
        ground, glaze = product.tones.other(0)
        art.fill(rectangle(60, high * 0.74, 940, high * 0.98), Flat(glaze, index_of(ground)))
        write(art, line, 500, high * 0.77, high * 0.16, Ink(rgb, index_of(name), 0.02), "round", "other", max_width=840)
    body.wrap(canvas, art, top + 110, 810, span, 0.0, 0.1)


def draw_vase(canvas: Canvas, product: Product, view: str) -> None:
    """A vase with its own profile."""
    rng = product.rng("shape")
    style = pick(rng, ("amphora", "column", "bulb", "cone"))
    w = between(rng, 150, 210)
    profiles: dict[str, list[tuple[float, float]]] = {
        "amphora": [(w * 0.5, 160), (w * 0.42, 230), (w * 0.9, 400), (w, 520), (w * 0.7, 760), (w * 0.5, 890)],
        "column": [(w * 0.75, 180), (w * 0.72, 300), (w * 0.75, 600), (w * 0.72, 890)],
        "bulb": [(w * 0.3, 190), (w * 0.28, 400), (w * 0.7, 520), (w * 1.1, 690), (w * 0.95, 830), (w * 0.6, 890)],
        "cone": [(w * 1.0, 230), (w * 0.85, 450), (w * 0.6, 700), (w * 0.5, 890)],
    }
    body = TurnedBody.of(500, profiles[style], 0.1)
    body.fill(canvas, glaze(product), between(rng, 0.05, 0.4))
    if product.pattern == "textured":
        for y in np.linspace(300, 850, 26):
            r = float(body.radius(y))
            t = np.linspace(0, np.pi, 18)
            canvas.line(np.stack([500 - r * np.cos(t), y + r * 0.1 * np.sin(t)], axis=1), 5, opacity=0.16, blur=1.5)
    body.mouth(canvas, own_paint(product), 0.86, 0.5)


def draw_bowl(canvas: Canvas, product: Product, view: str) -> None:
    """A bowl seen from above its rim."""
    rng = product.rng("shape")
    wide = between(rng, 300, 360)
    top = between(rng, 480, 540)
    body = TurnedBody.of(
        500,
        [(wide, top), (wide * 0.93, top + 90), (wide * 0.66, top + 230), (wide * 0.42, 830), (wide * 0.42, 860)],
        0.24,
    )
    body.fill(canvas, glaze(product), 0.25)
    body.mouth(canvas, own_paint(product, 1 if product.variant == "two-tone" else 0), 0.95, 0.92)
    rim = ellipse(500, top, wide * 0.985, wide * 0.24 * 0.985)
    canvas.line(np.vstack([rim, rim[:1]]), 5, (1, 1, 1), 0.35, 1)


def draw_plate(canvas: Canvas, product: Product, view: str) -> None:
    """A plate seen from straight above."""
    rng = product.rng("shape")
    r = between(rng, 390, 430)
    outer = canvas.cut(ellipse(500, 500, r, r, samples=90))
    canvas.fill(
        outer,
        glaze(product) if product.pattern != "solid" else own_paint(product),
        relief(outer, canvas, 0.5, 40, 0, 0.1),
    )
    inner = canvas.cut(ellipse(500, 500, r * 0.66, r * 0.66, samples=80))
    canvas.fill(inner, own_paint(product, 1 if product.variant == "two-tone" else 0), 1.0)
    ring = ellipse(500, 500, r * 0.67, r * 0.67, samples=80)
    closed = np.vstack([ring, ring[:1]])
    canvas.line(shifted(closed, 5, 7), 10, opacity=0.18, blur=5)
    canvas.line(closed - (4, 5), 7, (1, 1, 1), 0.4, 3)
    if product.pattern == "solid" and chance(rng, 0.5):
        rim = ellipse(500, 500, r * 0.97, r * 0.97, samples=90)
        _name, rgb = product.tones.other(1)
        canvas.line(np.vstack([rim, rim[:1]]), 11, rgb, 0.9)
    canvas.tint(ellipse(500 + canvas.light.x * r * 0.5, 500 - r * 0.5, r * 0.22, r * 0.09, 40), (1, 1, 1), 0.3, 14)


def draw_teapot(canvas: Canvas, product: Product, view: str) -> None:
    """A teapot with spout, handle and lid."""
    rng = product.rng("shape")
    r = between(rng, 200, 235)
    side = -1 if view == "back" else 1
    spout = [
        (500 + side * r * 0.75, 720),
        (500 + side * (r + 80), 640),
        (500 + side * (r + 120), 500),
        (500 + side * (r + 165), 450),
    ]
    handle = [
        (500 - side * r * 0.8, 500),
        (500 - side * (r + 110), 480),
        (500 - side * (r + 130), 620),
        (500 - side * (r + 40), 740),
        (500 - side * r * 0.8, 740),
    ]
    for line, widths in ((spout, [110, 76, 50, 40]), (handle, [40, 36, 34, 36, 40])):
        patch = canvas.cut(tube(line, widths, 10))  # type: ignore[arg-type]
        canvas.fill(patch, own_paint(product), relief(patch, canvas, 1.4, 24, 0, 0.2))
    body = TurnedBody.of(
        500, [(r * 0.5, 440), (r * 0.8, 480), (r * 1.03, 600), (r * 1.0, 720), (r * 0.75, 830), (r * 0.55, 860)], 0.1
    )
    body.fill(canvas, glaze(product), 0.35)
    TurnedBody.of(500, [(24, 398), (r * 0.35, 412), (r * 0.55, 446)], 0.1).fill(canvas, own_paint(product), 0.3)
    knob = canvas.cut(ellipse(500, 382, 32, 28))
    canvas.fill(knob, own_paint(product, 1), relief(knob, canvas, 1.2, 26, 0))
