"""What is sewn and printed onto a garment for the upper body: collars, fronts, pockets, chest prints."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendering.canvas import Canvas, Flat, Patch
from rendering.fabric import Fabric
from rendering.garment_parts import button, part, pocket, rib_band, seam, zipper
from rendering.motifs import draw_motif
from rendering.outlines import mirrored, outline, rectangle, shifted
from rendering.palette_choice import Rgb, base_rgb, index_of, ink_on
from rendering.product import Product
from rendering.seeds import between, chance, pick
from rendering.text import Ink, write
from rendering.top_cuts import Cut, neck_curve
from rendering.wording import SLOGANS

Array = NDArray[Any]


def sew_details(
    canvas: Canvas, cut: Cut, product: Product, fabric: Fabric, trim: Fabric, body: Patch, back: bool
) -> None:
    """Everything on top of the body: hem, seams, collar, front, pockets, print; `back` for the back view."""
    hem_line = [
        (500 - cut.hem - cut.flare, cut.hem_y - 22),
        (500.0, cut.hem_y - 12),
        (500 + cut.hem + cut.flare, cut.hem_y - 22),
    ]
    if cut.rib:
        points = [
            (500 - cut.hem + 4, cut.hem_y - cut.rib * 0.3),
            (500.0, cut.hem_y - cut.rib * 0.2),
            (500 + cut.hem - 4, cut.hem_y - cut.rib * 0.3),
        ]
        rib_band(canvas, points, cut.rib, trim)
    else:
        seam(canvas, hem_line, body, 0.15)
    if cut.flare:
        seam(
            canvas,
            [(500 - cut.waist, cut.waist_y), (500.0, cut.waist_y + 6), (500 + cut.waist, cut.waist_y)],
            body,
            0.4,
        )
    if back:
        _back_details(canvas, cut, trim, body)
        return
    _fronts(canvas, cut, product, body)
    _pockets(canvas, cut, product, fabric, body)
    _necks(canvas, cut, fabric, trim)
    if product.variant == "graphic":
        _graphic(canvas, product, cut)


def _back_details(canvas: Canvas, cut: Cut, trim: Fabric, body: Patch) -> None:
    if cut.neck in {"crew", "v", "scoop"}:
        rib_band(canvas, neck_curve(cut, 18), 18, trim)
    elif cut.neck in {"collar", "high"}:
        ring = mirrored(
            [
                (500.0, cut.top - 26),
                (500 + cut.neck_width * 0.7, cut.top - 22),
                (500 + cut.neck_width + 12, cut.top + 6, 1),
                (500 + cut.neck_width * 0.6, cut.top + 40),
                (500.0, cut.top + 46),
            ]
        )
        part(canvas, ring, trim, 0.6, 20, shadow=0.3)
    if cut.front in {"buttons", "zip"}:
        yoke = cut.armpit * 0.5 + cut.shoulder_y * 0.5
        seam(canvas, [(500 - cut.shoulder, yoke), (500.0, yoke + 8), (500 + cut.shoulder, yoke)], body, 0.3)


def _necks(canvas: Canvas, cut: Cut, fabric: Fabric, trim: Fabric) -> None:
    width, top = cut.neck_width, cut.top
    if cut.neck in {"crew", "v", "scoop"}:
        band = 22.0 if cut.neck == "crew" else 16.0
        points = [(x, y + 3) for x, y in neck_curve(cut, cut.neck_depth)]
        rib_band(canvas, points, band, trim)
    elif cut.neck == "collar":
        for side in (-1, 1):
            corners: list[Any] = [
                (width * 0.72, top - 26, 1), (width + 16, top + 4, 1), (width * 0.78, top + 104, 1),
                (3, top + cut.neck_depth + 6, 1), (width * 0.55, top + 14),
            ]  # fmt: skip
            ring = outline([(500 + side * p[0], *p[1:]) for p in corners], 6)
            part(canvas, ring, trim.turned(side * 28), 0.5, 16, 1.03, 0.2, 0.42)
            center = ring.mean(axis=0)
            seam(canvas, (ring - center)[6:19] * 0.88 + center, None, 0.16)
    elif cut.neck == "high":
        ring = mirrored(
            [
                (500.0, top - 14),
                (500 + width * 0.8, top - 26),
                (500 + width + 12, top + 4, 1),
                (500 + width * 0.8, top + 36),
                (500.0, top + 58),
            ]
        )
        part(canvas, ring, trim, 1.2, 26, 1.0, 0.5, 0.35)
        for level in np.linspace(-6, 40, 4):
            canvas.line(
                [(500 - width, top + level * 0.5 - 6), (500.0, top + level + 6), (500 + width, top + level * 0.5 - 6)],
                3,
                opacity=0.13,
                blur=1.0,
            )
    elif cut.neck == "lapel":
        _lapels(canvas, cut, fabric)
    elif cut.neck == "hood":
        cord = (0.93, 0.93, 0.9) if float(np.mean(trim.rgb)) < 170 else (0.25, 0.25, 0.27)
        for side in (-1, 1):
            points = [
                (500 + side * width * 0.5, top + 50),
                (500 + side * width * 0.55, top + 120),
                (500 + side * width * 0.42, top + 205),
            ]
            canvas.line([(x + 3, y + 4) for x, y in points], 9, opacity=0.3, blur=2)
            canvas.line(points, 7, cord, 0.95)
            canvas.line([*points[-1:], (points[-1][0], points[-1][1] + 16)], 8, (0.7, 0.7, 0.72), 1.0)


def _lapels(canvas: Canvas, cut: Cut, fabric: Fabric) -> None:
    top, width, depth = cut.top, cut.neck_width, cut.neck_depth
    for side in (-1, 1):
        lapel: list[Any] = [
            (width * 0.98, top - 6, 1),
            (width + 52, top + depth * 0.36, 1),
            (width + 22, top + depth * 0.42, 1),
            (width + 58, top + depth * 0.5, 1),
            (4, top + depth + 8, 1),
            (width * 0.6, top + depth * 0.45),
        ]
        collar: list[Any] = [
            (width * 0.5, top - 34, 1),
            (width + 8, top - 16),
            (width + 54, top + depth * 0.34, 1),
            (width + 12, top + depth * 0.42, 1),
            (width * 0.8, top + 20),
        ]
        for ring in (lapel, collar):
            flipped = outline([(500 + side * p[0], *p[1:]) for p in ring], 6)
            part(canvas, flipped, fabric.turned(side * 22), 0.5, 16, 1.02, 0.2, 0.45)


def _fronts(canvas: Canvas, cut: Cut, product: Product, body: Patch) -> None:
    start = cut.top + cut.neck_depth
    name = product.colors[0]
    rgb: Rgb = (
        (0.93, 0.92, 0.88) if ink_on(name) == "white" and chance(product.rng("buttons"), 0.4) else _button_rgb(name)
    )
    if cut.front == "placket":
        bottom = start + 130
        ring = rectangle(500 - 17, start - 6, 500 + 17, bottom, 3)
        canvas.tint(canvas.cut(np.vstack([ring, ring[:1]]), 0.0), (1, 1, 1), 0.05)
        for x in (483, 517):
            seam(canvas, [(x, start), (x, bottom)], body)
        seam(canvas, [(483, bottom), (517, bottom)], body)
        for y in (start + 26, start + 82):
            button(canvas, 500, y, 7.5, rgb, index_of(name))
    elif cut.front == "buttons":
        seam(canvas, [(482, start), (482, cut.hem_y + 6)], body)
        canvas.line([(519, start), (519, cut.hem_y + 6)], 4, opacity=0.35, blur=2, within=body)
        large = cut.neck == "lapel"
        count = 2 if product.kind == "blazer" else 4 if large else 6
        end = start + (150 if product.kind == "blazer" else cut.hem_y - start - 110)
        for y in np.linspace(start + 24, end, count):
            button(canvas, 500, float(y), 13 if large else 7.5, rgb, index_of(name))
    elif cut.front == "zip":
        zipper(canvas, 500, cut.top + 20, cut.hem_y, _button_rgb(name))


def _button_rgb(name: str) -> Rgb:
    red, green, blue = base_rgb(name)
    factor = 0.55 if ink_on(name) == "black" else 1.6
    return min(red * factor + 0.04, 1.0), min(green * factor + 0.04, 1.0), min(blue * factor + 0.04, 1.0)


def _pockets(canvas: Canvas, cut: Cut, product: Product, fabric: Fabric, body: Patch) -> None:
    if cut.pockets == "chest" and chance(product.rng("pocket"), 0.75):
        x, y = 555.0, cut.armpit - 10
        pocket(
            canvas,
            outline([(x, y, 1), (x + 92, y, 1), (x + 92, y + 92, 1), (x + 46, y + 112, 1), (x, y + 92, 1)]),
            fabric,
        )
        seam(canvas, [(x, y + 16), (x + 92, y + 16)], None, 0.25)
    elif cut.pockets == "kangaroo":
        top, bottom = cut.hem_y - 250, cut.hem_y - 52
        ring = mirrored(
            [(500.0, top), (500 + 90, top, 1), (500 + 165, bottom - 60, 1), (500 + 165, bottom, 1), (500.0, bottom)]
        )
        pocket(canvas, ring, fabric)
    elif cut.pockets in {"welt", "flap"}:
        y = cut.hem_y - (170 if cut.pockets == "welt" else 210 if product.kind == "blazer" else 330)
        for side in (-1, 1):
            if cut.pockets == "welt":
                seam(canvas, [(500 + side * 105, y + 70), (500 + side * 150, y - 30)], body, 0.55)
                seam(canvas, [(500 + side * 116, y + 74), (500 + side * 161, y - 26)], body, 0.3)
            else:
                x0, x1 = sorted((500 + side * 70, 500 + side * 170))
                pocket(canvas, rectangle(x0, y, x1, y + 42, 8), fabric)
        if cut.pockets == "flap" and product.kind == "blazer":
            seam(canvas, [(570, cut.armpit + 10), (640, cut.armpit)], body, 0.5)


def _graphic(canvas: Canvas, product: Product, cut: Cut) -> None:
    """A print on the chest: a picture, a line of words or both."""
    rng = product.rng("graphic")
    tones = product.tones
    middle = cut.armpit + 40
    style = pick(rng, ("picture", "words", "both"), (1, 1, 2))
    radius = between(rng, 80, 115)
    top = middle - (radius if style != "words" else 40)
    if style != "words":
        for number, rings in enumerate(draw_motif("emblem", radius, rng)):
            name, rgb = tones.other(1 + number)
            placed = [shifted(ring, 500, middle) for ring in rings]
            patch = canvas.cut(placed)
            canvas.fill(patch, Flat(rgb, index_of(name)), 0.97, opacity=0.94)
        top = middle + radius + 14
    if style != "picture":
        words = pick(rng, SLOGANS)
        face = pick(rng, ("sans-bold", "round", "slab", "serif-bold", "plain-bold"))
        name, rgb = tones.other(1)
        ink = Ink(rgb, index_of(name), 0.02 if face != "zh-sans" else 0.03)
        size = between(rng, 48, 70)
        lines = words.split("/") if style == "words" else [words.replace("/", " ")]
        for line in lines:
            bottom, _ = write(canvas, line, 500, top, size, ink, face, "other", max_width=250)
            top = bottom + size * 0.2
