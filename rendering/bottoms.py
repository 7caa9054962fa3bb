"""Garments for the lower body: trousers, jeans, shorts, track pants, leggings, skirts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendering.canvas import Canvas, Flat
from rendering.fabric import Fabric
from rendering.garment_parts import button, double_stitch, part, pocket, rib_band, seam
from rendering.outlines import mirrored, outline, rectangle
from rendering.palette_choice import Rgb, base_rgb, index_of
from rendering.product import Product
from rendering.relief import fold_map
from rendering.seeds import between, chance, pick
from rendering.text import Ink, write
from rendering.weaves import corduroy, denim

Array = NDArray[Any]
_THREAD: Rgb = (0.80, 0.58, 0.28)


@dataclass(frozen=True)
class _Legs:
    """Measures in canvas units; x from the middle line."""

    top: float = 80
    waist: float = 135
    hip: float = 178
    hip_y: float = 260
    crotch: float = 375
    ankle_y: float = 930
    outer: float = 165
    leg: float = 105
    knee: float = 118


_BASES: dict[str, _Legs] = {
    "trousers": _Legs(),
    "jeans": _Legs(leg=108, knee=122),
    "shorts": _Legs(top=190, ankle_y=650, crotch=520, hip_y=390, waist=175, hip=215, outer=245, leg=205, knee=205),
    "track pants": _Legs(leg=92, outer=160, hip=185),
    "leggings": _Legs(waist=110, hip=142, leg=62, knee=78, outer=118, crotch=360),
}


def draw_legs(canvas: Canvas, product: Product, view: str) -> None:
    """Draw trousers of any kind; `back` shows the back."""
    rng = product.rng("cut")
    base = _BASES[product.kind]
    width = between(rng, 0.94, 1.08)
    spread = between(rng, 0, 34) if product.kind != "shorts" else 0.0
    legs = replace(
        base,
        waist=base.waist * width,
        hip=base.hip * width,
        leg=base.leg * between(rng, 0.82, 1.3 if product.kind == "trousers" else 1.1),
        outer=base.outer + spread,
        ankle_y=base.ankle_y + between(rng, -40, 15),
    )
    folds = product.rng("folds", view)
    canvas.folds = fold_map(folds, _creases(legs, folds), 2.3, 0.4)
    fabric = _cloth(product)
    back = view == "back"
    if not back:
        ring = mirrored(
            [
                (500.0, legs.top - 2),
                (500 + legs.waist * 0.7, legs.top - 2),
                (500 + legs.waist - 6, legs.top + 6, 1),
                (500.0, legs.top + 40),
            ]
        )
        part(canvas, ring, fabric, 0.2, 20, 0.55)
    for side in (-1, 1):
        part(canvas, _leg(legs, side, back), fabric.turned(-side * 3, (side * 60.0, 0)), 1.05, 62)
        _hem(canvas, product, legs, side, fabric)
    seam(canvas, [(500, legs.top + 36), (501, legs.hip_y), (500, legs.crotch)], None, 0.42)
    canvas.line([(470, legs.crotch + 34), (500, legs.crotch - 8), (530, legs.crotch + 34)], 10, opacity=0.28, blur=6)
    _waistband(canvas, product, legs, fabric, back)
    if product.kind in {"jeans", "trousers", "shorts"}:
        _pockets(canvas, product, legs, fabric, back)


def _cloth(product: Product) -> Fabric:
    if product.kind == "jeans":
        return product.cloth(denim)
    if product.pattern == "textured":
        return product.cloth(corduroy)
    return product.cloth().resized(between(product.rng("pattern scale"), 0.7, 1.0))


def _creases(legs: _Legs, rng: np.random.Generator) -> list[tuple[list[tuple[float, float]], float, float]]:
    creases: list[tuple[list[tuple[float, float]], float, float]] = []
    for side in (-1, 1):
        for _ in range(4):
            x, y = 500 + side * between(rng, 4, 30), legs.crotch - between(rng, 0, 60)
            reach = between(rng, 50, 130)
            points = [
                (x, y),
                (x + side * reach * 0.5, y + between(rng, -20, 25)),
                (x + side * reach, y + between(rng, -70, 50)),
            ]
            creases.append((points, between(rng, 8, 15), pick(rng, (-1.0, 1.0)) * between(rng, 0.7, 1.4)))
        middle = 500 + side * legs.outer * 0.55
        for place in (0.4, 0.5, 0.56, 0.8, 0.9):
            y = legs.crotch + (legs.ankle_y - legs.crotch) * place
            reach = between(rng, 30, 70)
            points = [
                (middle - reach, y + between(rng, -20, 20)),
                (middle, y),
                (middle + reach, y + between(rng, -30, 30)),
            ]
            creases.append((points, between(rng, 8, 16), pick(rng, (-1.0, 1.0)) * between(rng, 0.5, 1.2)))
        creases.append(([(middle, legs.hip_y), (middle + side * 20, legs.ankle_y)], 14, 0.9))
    return creases


def _leg(legs: _Legs, side: int, back: bool) -> Array:
    rise = -14 if back else 10
    knee_y = (legs.crotch + legs.ankle_y) / 2
    outer_knee = (legs.hip + legs.outer) / 2 + 6
    points: list[Any] = [
        (-3, legs.top + rise, 1),
        (legs.waist, legs.top, 1),
        (legs.waist + (legs.hip - legs.waist) * 0.7, (legs.top + legs.hip_y) / 2),
        (legs.hip, legs.hip_y),
        (outer_knee, knee_y),
        (legs.outer + 8, legs.ankle_y, 1),
        (legs.outer + 8 - legs.leg * 0.5, legs.ankle_y + 8),
        (legs.outer + 8 - legs.leg, legs.ankle_y, 1),
        (outer_knee - legs.knee, knee_y),
        (6, legs.crotch + 26, 1),
        (-3, legs.crotch - 10, 1),
    ]
    return outline([(500 + side * p[0], *p[1:]) for p in points], 6)


def _hem(canvas: Canvas, product: Product, legs: _Legs, side: int, fabric: Fabric) -> None:
    x1, x0 = 500 + side * (legs.outer + 6), 500 + side * (legs.outer + 10 - legs.leg)
    y = legs.ankle_y
    if product.kind == "track pants":
        rib_band(canvas, [(x0, y - 6), ((x0 + x1) / 2, y), (x1, y - 6)], 42, product.plain(0))
        stripe = np.array(
            [
                [500 + side * (legs.waist - 14), legs.top + 20],
                [500 + side * (legs.hip - 16), legs.hip_y],
                [x1 - side * 16, y - 30],
            ]
        )
        canvas.line(stripe, 13, base_rgb(product.colors[1]), 0.9)
    elif product.kind != "leggings":
        seam(canvas, [(x0, y - 26), ((x0 + x1) / 2, y - 18), (x1, y - 26)], None, 0.3)
        if product.kind == "jeans":
            canvas.stitches([(min(x0, x1), y - 22), ((x0 + x1) / 2, y - 14), (max(x0, x1), y - 22)], _THREAD, 2.4, 7)


def _waistband(canvas: Canvas, product: Product, legs: _Legs, fabric: Fabric, back: bool) -> None:
    dip = -12 if back else 12
    waist, top = legs.waist + 2, legs.top
    if product.kind in {"track pants", "leggings"}:
        points = [(500 - waist, top + 14), (500.0, top + 14 + dip), (500 + waist, top + 14)]
        rib_band(canvas, points, 44, product.plain(0))
        if product.kind == "track pants" and not back:
            for side in (-1, 1):
                cord = [(500 + side * 12, top + 30), (500 + side * 22, top + 80), (500 + side * 14, top + 130)]
                canvas.line([(x + 3, y + 4) for x, y in cord], 7, opacity=0.3, blur=2)
                canvas.line(cord, 6, (0.92, 0.92, 0.9), 0.95)
        return
    ring = mirrored(
        [
            (500.0, top + dip),
            (500 + waist * 0.6, top + dip * 0.7),
            (500 + waist, top - 4, 1),
            (500 + waist + 5, top + 36, 1),
            (500 + waist * 0.6, top + 42 + dip * 0.7),
            (500.0, top + 44 + dip),
        ]
    )
    part(canvas, ring, fabric.turned(90), 0.5, 16, 1.0, 0.3, 0.3)
    for x in (-0.72, -0.3, 0.3, 0.72):
        loop = rectangle(500 + x * waist - 7, top + dip * 0.6 - 6, 500 + x * waist + 7, top + 50 + dip * 0.6, 3)
        part(canvas, loop, fabric, 0.4, 6, 1.02, 0.0, 0.3)
    if not back:
        button(
            canvas,
            500,
            top + dip + 22,
            10,
            (0.72, 0.55, 0.35) if product.kind == "jeans" else (0.35, 0.33, 0.3),
            index_of(product.colors[0]),
        )
        fly = [(526, top + dip + 44), (528, legs.hip_y + 10), (503, legs.hip_y + 56)]
        if product.kind == "jeans":
            double_stitch(canvas, fly, _THREAD)
        else:
            seam(canvas, fly, None, 0.3)


def _pockets(canvas: Canvas, product: Product, legs: _Legs, fabric: Fabric, back: bool) -> None:
    thread = _THREAD if product.kind == "jeans" else None
    for side in (-1, 1):
        if back:
            x, y = 500 + side * legs.hip * 0.5, legs.top + 92
            size = legs.hip * 0.25
            ring = outline(
                [
                    (x - size, y, 1),
                    (x + size, y, 1),
                    (x + size * 0.92, y + size * 1.9, 1),
                    (x, y + size * 2.3, 1),
                    (x - size * 0.92, y + size * 1.9, 1),
                ]
            )
            pocket(canvas, ring, fabric, thread)
            if product.kind == "jeans" and side > 0:
                canvas.fill(
                    rectangle(x - 30, legs.top + 4, x + 32, legs.top + 38, 3),
                    Flat((0.55, 0.36, 0.2), index_of("brown")),
                )
                write(
                    canvas,
                    product.brand,
                    x + 1,
                    legs.top + 13,
                    17,
                    Ink((0.2, 0.12, 0.06)),
                    "slab",
                    "brand",
                    max_width=54,
                )
        else:
            points = [
                (500 + side * legs.waist * 0.5, legs.top + 46),
                (500 + side * legs.waist * 0.62, legs.top + 96),
                (500 + side * (legs.waist + 20), legs.top + 118),
            ]
            canvas.line([(x, y + 5) for x, y in points], 6, opacity=0.3, blur=2.5)
            if thread is not None:
                double_stitch(canvas, points, thread)
            else:
                seam(canvas, points, None, 0.45)


def draw_skirt(canvas: Canvas, product: Product, view: str) -> None:
    """Draw a skirt: straight, flared or pleated."""
    rng = product.rng("cut")
    waist = between(rng, 118, 140)
    hem = between(rng, 200, 360)
    top, bottom = 150.0, pick(rng, (620.0, 740.0, 880.0))
    pleated = chance(rng, 0.35)
    folds = product.rng("folds", view)
    creases: list[tuple[list[tuple[float, float]], float, float]] = []
    count = 15 if pleated else 8
    for number in range(count):
        place = (number + (0.5 if pleated else between(folds, 0.1, 0.9))) / count * 2 - 1
        points = [
            (500 + waist * place, top + (40 if pleated else between(folds, 40, 240))),
            (500 + hem * place, bottom + 12),
        ]
        creases.append(
            (
                points,
                11 if pleated else between(folds, 12, 28),
                (1.0 if number % 2 else -1.0) * (1.7 if pleated else between(folds, 0.9, 1.9)),
            )
        )
    canvas.folds = fold_map(folds, creases, 1.6 if pleated else 2.8, 0.3)
    fabric = product.cloth().resized(between(product.rng("pattern scale"), 0.8, 1.2))
    ring = mirrored(
        [
            (500.0, top),
            (500 + waist, top - 4, 1),
            (500 + waist + (hem - waist) * 0.38 + 22, top + (bottom - top) * 0.36),
            (500 + hem, bottom - 26, 1),
            (500 + hem * 0.5, bottom),
            (500.0, bottom + 8),
        ],
        samples=6,
    )
    body = part(canvas, ring, fabric, 1.0, 70)
    seam(canvas, [(500 - hem, bottom - 48), (500.0, bottom - 14), (500 + hem, bottom - 48)], body, 0.2)
    band = mirrored(
        [(500.0, top + 6), (500 + waist + 2, top - 6, 1), (500 + waist + 6, top + 34, 1), (500.0, top + 46)]
    )
    part(canvas, band, fabric.turned(90), 0.5, 16, 0.97, 0.3, 0.3)
    if view == "back":
        canvas.line([(500, top + 10), (501, top + 190)], 4, opacity=0.5, blur=0.8)
        canvas.fill(rectangle(496, top + 40, 504, top + 62, 3), Flat((0.7, 0.7, 0.72)))
