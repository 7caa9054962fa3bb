"""Garments for the upper body and dresses: one parametric cut, drawn as laid flat or on an invisible mannequin."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendering.canvas import Canvas, Patch
from rendering.fabric import Fabric
from rendering.garment_parts import part, rib_band, seam, woven_label
from rendering.outlines import curve, mirrored, outline, shifted
from rendering.product import Product
from rendering.relief import fold_map
from rendering.seeds import between, chance, pick
from rendering.top_cuts import Cut, cut_for, neck_curve
from rendering.top_details import sew_details
from rendering.weaves import denim, knit, quilted, smooth_leather

Array = NDArray[Any]


def draw_top(canvas: Canvas, product: Product, view: str) -> None:
    """Draw a garment for the upper body.

    Args:
        canvas: square canvas.
        product: what to draw.
        view: `back` shows its back; anything else its front.
    """
    cut = cut_for(product)
    rng = product.rng("folds", view)
    back = view == "back"
    canvas.folds = fold_map(rng, _creases(cut, rng), 2.4, 0.42)
    fabric = _cloth(product)
    trim = product.plain(1) if product.pattern == "solid" and len(product.colors) > 1 else fabric
    if cut.neck == "hood":
        _hood(canvas, cut, fabric, back)
    if not back and cut.neck != "strap":
        _inside(canvas, cut, fabric, product)
    _sleeves(canvas, cut, fabric, trim, rng)
    body = _body(canvas, cut, fabric, back)
    sew_details(canvas, cut, product, fabric, trim, body, back)


def _cloth(product: Product) -> Fabric:
    if product.kind == "jacket" and product.pattern == "textured":
        return product.cloth(pick(product.rng("jacket"), (denim, quilted)))
    if product.kind == "jacket" and product.variant == "leather":
        return product.cloth(smooth_leather)
    if product.kind == "vest":
        return product.cloth(quilted) if product.pattern == "textured" else product.cloth()
    if product.kind == "sweater" and product.pattern == "textured":
        return product.cloth(knit)
    if product.variant == "graphic":
        return product.plain(0)
    scale = between(product.rng("pattern scale"), 0.75, 1.25)
    return product.cloth().resized(scale)


def _creases(cut: Cut, rng: np.random.Generator) -> list[tuple[list[tuple[float, float]], float, float]]:
    creases: list[tuple[list[tuple[float, float]], float, float]] = []
    for side in (-1, 1):
        for _ in range(4):
            x, y = 500 + side * (cut.chest - 8), cut.armpit + between(rng, -20, 25)
            reach, drop = between(rng, 60, 190), between(rng, -40, 190)
            bend = between(rng, -25, 25)
            points = [(x, y), (x - side * reach * 0.5, y + drop * 0.5 + bend), (x - side * reach, y + drop)]
            creases.append((points, between(rng, 8, 20), pick(rng, (-1.0, 1.0)) * between(rng, 0.7, 1.5)))
        if cut.sleeve > 250:
            angle = np.deg2rad(cut.spread)
            for place in (0.35, 0.5, 0.58, 0.8):
                x = 500 + side * (cut.shoulder + np.sin(angle) * cut.sleeve * place)
                y = cut.shoulder_y + np.cos(angle) * cut.sleeve * place
                width = between(rng, 40, 110)
                points = [
                    (x, y),
                    (x - side * width * 0.6, y + between(rng, 5, 45)),
                    (x - side * width, y + between(rng, -10, 40)),
                ]
                creases.append((points, between(rng, 8, 16), pick(rng, (-1.0, 1.0)) * between(rng, 0.8, 1.5)))
    count = 9 if cut.flare else 6
    for number in range(count):
        x = 500 + cut.hem * 0.9 * ((number + between(rng, 0.2, 0.8)) / count * 2 - 1)
        start = cut.waist_y if cut.flare else between(rng, cut.waist_y - 40, cut.waist_y + 120)
        lean = (x - 500) * (0.9 if cut.flare else 0.12)
        top_x = 500 + (x - 500) * (0.45 if cut.flare else 0.95)
        points = [(top_x, start), ((top_x + x) / 2, (start + cut.hem_y) / 2), (x + lean * 0.4, cut.hem_y + 10)]
        creases.append(
            (points, between(rng, 10, 24), pick(rng, (-1.0, 1.0)) * between(rng, 0.7, 1.5) * (1.5 if cut.flare else 1))
        )
    return creases


def _inside(canvas: Canvas, cut: Cut, fabric: Fabric, product: Product) -> None:
    """The inner back that shows through the neck, with the brand's label."""
    front = [(x, y) for x, y in neck_curve(cut, cut.neck_depth + 14)]
    high = cut.top - (26 if cut.neck in {"collar", "high", "lapel"} else -4)
    rim = [(500 + cut.neck_width, cut.top + 2), (500.0, high + 12), (500 - cut.neck_width, cut.top + 2)]
    if cut.neck in {"collar", "lapel"}:
        width = cut.neck_width
        rim = [
            (500 + width, cut.top + 2),
            (500 + width * 0.62, high - 6),
            (500.0, high - 10),
            (500 - width * 0.62, high - 6),
            (500 - width, cut.top + 2),
        ]
    ring = np.vstack([curve(front, 4), curve(rim, 8)])
    part(canvas, ring, fabric, 0.2, 30, 0.6)
    rib_band(
        canvas,
        [(500 - cut.neck_width, cut.top + 6), (500.0, high + 22), (500 + cut.neck_width, cut.top + 6)],
        16,
        fabric,
        0.72,
    )
    if cut.neck_depth > 34:
        dark = chance(product.rng("label"), 0.5)
        woven_label(canvas, product.brand, 500, high + 34, min(cut.neck_width * 0.72, 64), dark)


def _sleeve_outline(cut: Cut, side: int) -> tuple[Array, Array, Array]:
    """Outline of a sleeve and the two ends of its hem."""
    angle = np.deg2rad(cut.spread)
    out = np.array([np.sin(angle), np.cos(angle)])
    across = np.array([np.cos(angle), -np.sin(angle)])
    shoulder = np.array([cut.shoulder, cut.shoulder_y])
    armpit = np.array([cut.chest, cut.armpit])
    end = shoulder + out * cut.sleeve
    inner = end - across * cut.cuff
    bow = 8 + cut.sleeve * 0.02
    points = [
        (*(shifted(shoulder, -50, -8)), 1),
        (*(shifted(shoulder, -6, 1)),),
        (*(shoulder + out * 34 + across * 8),),
        (*(shoulder + out * cut.sleeve * 0.45 + across * bow),),
        (*end, 1),
        (*inner, 1),
        (*(inner * 0.5 + armpit * 0.5 + across * -4),),
        (*armpit, 1),
        (*(shifted(armpit, -60, -60)), 1),
    ]
    flipped = [(500 + side * p[0], *p[1:]) for p in points]
    mirror = np.array([side, 1.0])
    return outline(flipped, 6), end * mirror + (500, 0), inner * mirror + (500, 0)


def _sleeves(canvas: Canvas, cut: Cut, fabric: Fabric, trim: Fabric, rng: np.random.Generator) -> None:
    if cut.sleeve <= 0:
        return
    for side in (-1, 1):
        ring, end, inner = _sleeve_outline(cut, side)
        patch = part(canvas, ring, fabric.turned(-side * cut.spread, (between(rng, 0, 200), 0)), 1.1, 60)
        along = (end - inner) / np.linalg.norm(end - inner)
        up = np.array([along[1], -along[0]])
        up = up if up[1] < 0 else -up
        if cut.cuff_rib:
            shift = up * cut.cuff_rib * 0.35
            rib_band(
                canvas, [tuple(inner + shift), tuple((inner + end) / 2 + shift), tuple(end + shift)], cut.cuff_rib, trim
            )
        else:
            seam(
                canvas, [tuple(inner + up * 20), tuple((inner + end) / 2 + up * 20), tuple(end + up * 20)], patch, 0.16
            )


def _body_outline(cut: Cut, back: bool) -> Array:
    depth = 18.0 if back else cut.neck_depth
    neck = neck_curve(cut, depth)
    right_neck = neck[len(neck) // 2 :]
    half: list[Any] = []
    sharp = not back and cut.neck in {"v", "lapel"}
    for number, (x, y) in enumerate(right_neck[:-1]):
        half.append((x, y, 1) if sharp and number == 0 else (x, y))
    if half[0][0] != 500.0:
        half.insert(0, (500.0, half[0][1] + 2, 1))
    half.append((500 + cut.neck_width, cut.top, 1))
    if cut.sleeve > 0:
        half += [
            (500 + cut.shoulder, cut.shoulder_y, 1),
            (500 + (cut.shoulder + cut.chest) / 2 - 12, (cut.shoulder_y + cut.armpit) / 2),
        ]
    else:
        inset = cut.chest - cut.shoulder
        half += [
            (500 + cut.shoulder, cut.shoulder_y, 1),
            (500 + cut.shoulder - 6, cut.shoulder_y + (cut.armpit - cut.shoulder_y) * 0.5),
            (500 + cut.shoulder + inset * 0.35, cut.shoulder_y + (cut.armpit - cut.shoulder_y) * 0.84),
        ]
    half += [(500 + cut.chest, cut.armpit, 1), (500 + (cut.chest + cut.waist) / 2 - 2, (cut.armpit + cut.waist_y) / 2)]
    half += [(500 + cut.waist, cut.waist_y, 1 if cut.flare else 0)]
    hem = cut.hem + cut.flare
    if cut.flare:
        half += [(500 + cut.waist + (hem - cut.waist) * 0.42, cut.waist_y + (cut.hem_y - cut.waist_y) * 0.42)]
    half += [
        (500 + hem, cut.hem_y - (16 if cut.flare else 2), 1),
        (500 + hem * 0.5, cut.hem_y + 8),
        (500.0, cut.hem_y + 10),
    ]
    return mirrored(half, samples=6)


def _body(canvas: Canvas, cut: Cut, fabric: Fabric, back: bool) -> Patch:
    ring = _straps(cut, back) if cut.neck == "strap" else _body_outline(cut, back)
    body = part(canvas, ring, fabric, 1.0, 70)
    if cut.sleeve > 0:
        for side in (-1, 1):
            points = [
                (500 + side * cut.shoulder, cut.shoulder_y),
                (500 + side * ((cut.shoulder + cut.chest) / 2 - 12), (cut.shoulder_y + cut.armpit) / 2),
                (500 + side * cut.chest, cut.armpit),
            ]
            canvas.line(points, 4, opacity=0.3, blur=2.0)
    return body


def _straps(cut: Cut, back: bool) -> Array:
    top = cut.armpit - 70
    dip = 10 if back else 34
    hem = cut.hem + cut.flare
    strap = cut.shoulder * 0.62
    half: list[Any] = [
        (500.0, top + dip),
        (500 + strap * 0.6, top + dip * 0.3),
        (500 + strap - 7, top - 12, 1),
        (500 + strap * 0.8 - 6, cut.top, 1),
        (500 + strap * 0.8 + 6, cut.top, 1),
        (500 + strap + 8, top - 10, 1),
        (500 + cut.chest * 0.86, top + 36),
        (500 + cut.chest, cut.armpit, 1),
        (500 + (cut.chest + cut.waist) / 2, (cut.armpit + cut.waist_y) / 2),
        (500 + cut.waist, cut.waist_y, 1),
        (500 + cut.waist + (hem - cut.waist) * 0.42, cut.waist_y + (cut.hem_y - cut.waist_y) * 0.42),
        (500 + hem, cut.hem_y - 16, 1),
        (500 + hem * 0.5, cut.hem_y + 8),
        (500.0, cut.hem_y + 10),
    ]
    return mirrored(half, samples=6)


def _hood(canvas: Canvas, cut: Cut, fabric: Fabric, back: bool) -> None:
    top, width = cut.top, cut.neck_width
    ring = mirrored(
        [
            (500.0, top - 138),
            (500 + width * 1.1, top - 112),
            (500 + width * 1.72, top - 20),
            (500 + width * 1.6, top + 45),
            (500 + width * 0.9, top + 80),
            (500.0, top + 92),
        ]
    )
    part(canvas, ring, fabric, 1.3, 60)
    if back:
        seam(canvas, [(500.0, top - 136), (502.0, top + 70)])
        return
    hole = mirrored(
        [
            (500.0, top - 92),
            (500 + width * 0.8, top - 70),
            (500 + width * 1.12, top + 5),
            (500 + width * 0.7, top + 60),
            (500.0, top + 78),
        ]
    )
    part(canvas, hole, fabric, 0.3, 30, 0.56)
    canvas.line(np.vstack([hole, hole[:1]]), 12, opacity=0.22, blur=5)
