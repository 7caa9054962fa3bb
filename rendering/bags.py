"""Bags: handbag, tote, backpack, messenger bag, clutch, wallet, suitcase."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from rendering.bag_parts import clasp, edge_stitches, hide_of, metal_of, stamped_brand
from rendering.canvas import Canvas
from rendering.garment_parts import part, seam
from rendering.outlines import curve, ellipse, mirrored, outline, rectangle, shifted, tube
from rendering.palette_choice import index_of
from rendering.product import Product
from rendering.relief import fold_map, relief
from rendering.seeds import between, chance, pick
from rendering.text import Ink, write
from rendering.weaves import smooth_leather

Array = NDArray[Any]


def draw_handbag(canvas: Canvas, product: Product, view: str) -> None:
    """A structured handbag with two handles, or a tote."""
    rng = product.rng("shape")
    wide, top, bottom = between(rng, 290, 360), between(rng, 400, 460), between(rng, 820, 880)
    flare = between(rng, -50, 30)
    hide = hide_of(product)
    metal = metal_of(product)
    reach = between(rng, 0.4, 0.56) * wide
    rise = between(rng, 200, 290)
    trim = product.plain(1, smooth_leather) if chance(rng, 0.4) else product.plain(0, smooth_leather)
    loop = [
        (500 - reach, top + 30),
        (500 - reach * 0.96, top - rise * 0.6),
        (500.0, top - rise),
        (500 + reach * 0.96, top - rise * 0.6),
        (500 + reach, top + 30),
    ]
    part(canvas, tube([(x + 12, y - 16) for x, y in loop], 25, 12), trim, 1.2, 12, 0.7)
    ring = mirrored(
        [
            (500.0, top - 4),
            (500 + wide + flare, top, 1),
            (500 + wide + 8, (top + bottom) / 2),
            (500 + wide - 4, bottom - 30),
            (500 + wide - 34, bottom, 1),
            (500.0, bottom + 6),
        ]
    )
    folds = product.rng("folds", view)
    canvas.folds = fold_map(folds, [], 4, 0.3, (1, 1))
    body = part(canvas, ring, hide, 1.1, 70, folds=0.6)
    canvas.folds = None
    for side in (-1, 1):
        gusset = [
            (500 + side * (wide + flare - 6), top + 8),
            (500 + side * (wide - 52), (top + bottom) / 2),
            (500 + side * (wide - 30), bottom - 8),
        ]
        canvas.line(gusset, 12, opacity=0.22, blur=7, within=body)
    edge_stitches(canvas, ring, product)
    style = pick(rng, ("flap", "zip", "band"))
    if style == "flap" and view != "back":
        flap = mirrored(
            [
                (500.0, top - 6),
                (500 + wide + flare, top - 2, 1),
                (500 + wide + flare - 12, top + 120),
                (500 + wide * 0.6, top + 205),
                (500.0, top + 226),
            ]
        )
        part(canvas, flap, hide, 0.9, 50, 1.02, 0.5, 0.45)
        edge_stitches(canvas, flap, product, 0.94)
        clasp(canvas, 500, top + 212, metal, rng)
    elif style == "zip":
        line = [(500 - wide - flare + 20, top + 18), (500.0, top + 14), (500 + wide + flare - 20, top + 18)]
        canvas.line(line, 10, opacity=0.5)
        canvas.stitches(curve(line), metal.rgb, 6, 5)
    else:
        band = mirrored(
            [
                (500.0, top + 50),
                (500 + wide + flare * 0.9 + 2, top + 52, 1),
                (500 + wide + 6 + flare * 0.7, top + 104, 1),
                (500.0, top + 104),
            ]
        )
        part(canvas, band, trim, 0.6, 16, shadow=0.3)
        if view != "back":
            clasp(canvas, 500, top + 78, metal, rng)
    part(canvas, tube(loop, 28, 12), trim, 1.3, 14, shadow=0.3)
    for side in (-1, 1):
        x = 500 + side * reach
        tab = rectangle(x - 24, top + 20, x + 24, top + 92, 12)
        part(canvas, tab, trim, 0.8, 12, shadow=0.35)
        canvas.fill([ellipse(x, top + 30, 20, 20, samples=24), ellipse(x, top + 30, 12, 12, samples=20)], metal)
    if view != "back":
        stamped_brand(canvas, product, 500, bottom - 150, 40, wide * 0.9)


def draw_tote(canvas: Canvas, product: Product, view: str) -> None:
    """A canvas tote with a print."""
    rng = product.rng("shape")
    wide, top, bottom = between(rng, 250, 300), between(rng, 370, 410), between(rng, 880, 930)
    folds = product.rng("folds", view)
    creases: list[tuple[list[tuple[float, float]], float, float]] = []
    for _ in range(9):
        x, y = 500 + between(folds, -wide, wide), between(folds, top + 40, bottom - 40)
        creases.append(
            (
                [(x, y), (x + between(folds, -70, 70), y + between(folds, 60, 170))],
                between(folds, 10, 18),
                pick(folds, (-1.0, 1.0)) * between(folds, 0.5, 1.0),
            )
        )
    canvas.folds = fold_map(folds, creases, 2.6, 0.4)
    cloth = product.cloth()
    reach = wide * 0.5
    loop = [
        (500 - reach, top + 60),
        (500 - reach * 0.95, top - 180),
        (500.0, top - 300),
        (500 + reach * 0.95, top - 180),
        (500 + reach, top + 60),
    ]
    strap = product.plain(1) if chance(rng, 0.4) else product.plain(0)
    part(canvas, tube([(x + 16, y - 14) for x, y in loop], 34, 12), strap, 0.6, 12, 0.72)
    ring = mirrored(
        [
            (500.0, top),
            (500 + wide, top - 2, 1),
            (500 + wide + 6, (top + bottom) / 2),
            (500 + wide - 6, bottom, 1),
            (500.0, bottom + 8),
        ]
    )
    body = part(canvas, ring, cloth, 0.9, 60)
    seam(canvas, [(500 - wide, top + 40), (500.0, top + 42), (500 + wide, top + 40)], body, 0.35)
    part(canvas, tube(loop, 36, 12), strap, 0.6, 12, shadow=0.25)
    if view != "back" and product.pattern in {"solid", "textured"}:
        name, rgb = product.tones.other(1)
        face = pick(rng, ("sans-bold", "slab", "round", "narrow"))
        write(
            canvas,
            product.brand,
            500,
            (top + bottom) / 2 - 40,
            78,
            Ink(rgb, index_of(name), 0.01),
            face,
            "brand",
            max_width=wide * 1.55,
        )
        write(
            canvas,
            product.brand_zh,
            500,
            (top + bottom) / 2 + 52,
            50,
            Ink(rgb, index_of(name), 0.02),
            "zh-sans",
            "brand",
            max_width=wide,
        )


def draw_clutch(canvas: Canvas, product: Product, view: str) -> None:
    """A clutch or a folded wallet."""
    rng = product.rng("shape")
    wallet = product.kind == "wallet"
    wide = between(rng, 270, 310) if wallet else between(rng, 350, 400)
    tall = wide * (between(rng, 0.68, 0.78) if wallet else between(rng, 0.5, 0.6))
    hide, metal = hide_of(product), metal_of(product)
    ring = rectangle(500 - wide, 500 - tall, 500 + wide, 500 + tall, 26)
    part(canvas, shifted(ring, 5, 9), product.plain(0), 0.6, 16, 0.7)
    body = part(canvas, ring, hide, 0.9, 46)
    edge_stitches(canvas, ring, product, 0.955)
    if view == "back":
        return
    if not wallet:
        envelope = chance(rng, 0.5)
        tip = 500 + tall * between(rng, 0.1, 0.4)
        flap = outline(
            [
                (500 - wide, 500 - tall + 4, 1),
                (500 + wide, 500 - tall + 4, 1),
                (500 + wide, 500 - tall * (0.7 if envelope else -0.0), 1),
                (500, tip, 1 if envelope else 0),
                (500 - wide, 500 - tall * (0.7 if envelope else -0.0), 1),
            ]
        )
        part(canvas, flap, hide, 0.8, 34, 1.02, 0, 0.5)
        edge_stitches(canvas, flap, product, 0.95)
        clasp(canvas, 500, tip - 26, metal, rng)
        if chance(rng, 0.6):
            chain = curve(
                [
                    (500 - wide + 20, 500 - tall + 10),
                    (500 - wide * 0.8, 500 - tall - 190),
                    (500.0, 500 - tall - 270),
                    (500 + wide * 0.8, 500 - tall - 190),
                    (500 + wide - 20, 500 - tall + 10),
                ]
            )
            patch = canvas.cut(tube(chain[::4], 13))
            canvas.fill(patch, metal, relief(patch, canvas, 1.0, 6, 0))
            canvas.stitches(chain, (0.25, 0.2, 0.15), 13, 3)
    else:
        seam(canvas, [(500 - wide + 30, 500 + tall * 0.62), (500 + wide - 30, 500 + tall * 0.62)], body, 0.25)
        if chance(rng, 0.5):
            part(canvas, rectangle(500 + wide - 120, 462, 500 + wide + 20, 538, 30), hide, 0.8, 16, 1.0, 0, 0.4)
            clasp(canvas, 500 + wide - 84, 500, metal, rng)
    stamped_brand(canvas, product, 500 if not wallet else 500 - wide * 0.4, 500 + tall * 0.66, 34, wide * 0.8)
