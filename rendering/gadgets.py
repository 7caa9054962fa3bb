"""Phones, headphones, balls and notebooks."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendering.canvas import Canvas, Flat
from rendering.fabric import Fabric
from rendering.motifs import draw_motif
from rendering.outlines import curve, ellipse, outline, rectangle, rotated, shifted, tube
from rendering.paints import named_paint, own_paint
from rendering.palette_choice import base_rgb, index_of, ink_on
from rendering.product import Product
from rendering.relief import ball, relief
from rendering.seeds import between, chance, pick
from rendering.text import Ink, write

Array = NDArray[Any]


def draw_ball(canvas: Canvas, product: Product, view: str) -> None:
    """A football or a basketball."""
    rng = product.rng("turn", view)
    r = 380.0
    patch = canvas.cut(ellipse(500, 500, r, r, samples=90))
    shade, glow = ball(patch, 500, 500, r, r, canvas, 0.22)
    football = product.kind == "football"
    canvas.fill(patch, own_paint(product), shade, glow)
    if football:
        _football(canvas, product, patch, r, rng)
        return
    turn = between(rng, 0, 180)
    for line in (
        np.array([[0, -r], [0, r]]),
        np.array([[-r, 0], [r, 0]]),
        np.array([[-r * 0.72, -r * 0.7], [-r * 0.34, 0], [-r * 0.72, r * 0.7]]),
        np.array([[r * 0.72, -r * 0.7], [r * 0.34, 0], [r * 0.72, r * 0.7]]),
    ):
        canvas.line(rotated(curve(line), turn) + 500, 11, (0.08, 0.07, 0.07), 0.9, within=patch)
    write(canvas, product.brand, 500, 560, 62, Ink((0.1, 0.09, 0.09)), "slab", "brand", max_width=300)


def _football(canvas: Canvas, product: Product, patch: Any, r: float, rng: np.random.Generator) -> None:
    """Dark pentagons of an icosahedron's vertices on the sphere."""
    golden = (1 + 5**0.5) / 2
    corners = np.array([(0, s, t * golden) for s in (-1, 1) for t in (-1, 1)], dtype=np.float64)
    corners = np.vstack([corners, corners[:, [1, 2, 0]], corners[:, [2, 0, 1]]]) / np.sqrt(1 + golden**2)
    a, b = between(rng, 0, 6.28), between(rng, 0, 6.28)
    spin = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]]) @ np.array(
        [[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]]
    )
    corners = corners @ spin.T
    for corner in corners:
        near = np.argsort(-(corners @ corner))[1:6]
        edge = corners[near] * 0.36 + corner * 0.64
        edge /= np.linalg.norm(edge, axis=1, keepdims=True)
        for point, other in zip(edge, corners[near], strict=True):
            far = other * 0.64 + corner * 0.36
            far /= np.linalg.norm(far)
            if point[2] > 0.05 and far[2] > -0.2:
                canvas.line(np.array([point[:2], far[:2]]) * r + 500, 6, opacity=0.35, blur=1, within=patch)
        if corner[2] < -0.1:
            continue
        axis = np.cross(corner, edge[0])
        order = np.argsort(np.arctan2(edge @ np.cross(corner, axis), edge @ axis))
        ring = edge[order][:, :2] * r + 500
        piece = canvas.cut(ring)
        if piece.empty:
            continue
        name, rgb = product.tones.other(1)
        canvas.fill(piece, Flat(rgb, index_of(name)), 0.9)


def draw_phone(canvas: Canvas, product: Product, view: str) -> None:
    """A smartphone: its screen, or its back with the cameras."""
    rng = product.rng("shape")
    half, tall = between(rng, 175, 195), between(rng, 370, 400)
    frame = rectangle(500 - half, 500 - tall, 500 + half, 500 + tall, 54)
    patch = canvas.cut(frame)
    canvas.fill(patch, own_paint(product), relief(patch, canvas, 1.0, 16, 0, 0.12))
    if view == "back":
        bump = canvas.cut(rectangle(500 - half + 22, 500 - tall + 24, 500 - 10, 500 - tall + 210, 40))
        canvas.fill(bump, own_paint(product), relief(bump, canvas, 1.0, 14, 0) * 0.92)
        for dx, dy in ((58, 62), (58, 140), (126, 100)):
            x, y = 500 - half + dx, 500 - tall + dy + 16
            canvas.fill(ellipse(x, y, 34, 34), named_paint("charcoal"))
            canvas.fill(ellipse(x, y, 22, 22), named_paint("black"))
            canvas.tint(ellipse(x - 7, y - 8, 7, 5), (0.7, 0.8, 1), 0.7, 1)
        write(
            canvas,
            product.brand,
            500,
            540,
            40,
            Ink((0.92, 0.92, 0.92) if ink_on(product.colors[0]) == "white" else (0.3, 0.3, 0.32)),
            "sans",
            "brand",
            max_width=half,
        )
        return
    canvas.fill(rectangle(500 - half + 9, 500 - tall + 9, 500 + half - 9, 500 + tall - 9, 46), named_paint("black"))
    screen = canvas.cut(rectangle(500 - half + 18, 500 - tall + 18, 500 + half - 18, 500 + tall - 18, 38))
    height, width = screen.cover.shape
    first, second = (
        np.array(base_rgb(pick(rng, ("purple", "teal", "coral", "royal blue", "navy blue"))), np.float32)
        for _ in (0, 1)
    )
    ramp = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    canvas.lay(screen, np.broadcast_to(first * (1 - ramp) + second * ramp, (height, width, 3)), index_of("black"))
    write(
        canvas,
        f"{int(rng.integers(7, 23)):02d}:{int(rng.integers(0, 60)):02d}",
        500,
        500 - tall + 110,
        96,
        Ink((1, 1, 1)),
        "sans-light",
        "other",
    )
    write(canvas, "11月24日 星期二", 500, 500 - tall + 222, 32, Ink((1, 1, 1)), "zh-sans", "other")
    for row in range(2):
        for column in range(4):
            x, y = 500 + (column - 1.5) * half * 0.42, 500 + tall * 0.55 + row * 84
            canvas.tint(
                rectangle(x - 28, y - 28, x + 28, y + 28, 14),
                base_rgb(pick(rng, ("white", "green", "sky blue", "orange", "red", "yellow"))),
                0.9,
            )
    canvas.fill(ellipse(500, 500 - tall + 46, 12, 12), named_paint("black"))
    glare = outline([(500 - half, 500 - tall, 1), (500 + half * 0.1, 500 - tall, 1), (500 - half, 500 + tall * 0.5, 1)])
    canvas.tint(glare, (1, 1, 1), 0.07, within=screen)


def draw_headphones(canvas: Canvas, product: Product, view: str) -> None:
    """Over-ear headphones."""
    rng = product.rng("shape")
    frame, pad = own_paint(product), named_paint("charcoal" if product.colors[0] != "charcoal" else "black")
    wide, top = between(rng, 240, 280), between(rng, 160, 200)
    arc = [(500 - wide, 560), (500 - wide * 0.96, 330), (500.0, top), (500 + wide * 0.96, 330), (500 + wide, 560)]
    band = canvas.cut(tube(arc, [34, 40, 58, 40, 34], 12))
    canvas.fill(band, frame, relief(band, canvas, 1.4, 22, 0, 0.2))
    inner = canvas.cut(tube([(500 - wide * 0.6, top + 90), (500.0, top + 24), (500 + wide * 0.6, top + 90)], 30, 10))
    canvas.fill(inner, pad, relief(inner, canvas, 1.2, 14, 0), opacity=0.95)
    for side in (-1, 1):
        x = 500 + side * wide
        cushion = canvas.cut(ellipse(x - side * 52, 620, 62, 150))
        canvas.fill(cushion, pad, relief(cushion, canvas, 1.4, 50, 0))
        cup = canvas.cut(rectangle(x - 46 - 10 * side, 486, x + 46 - 10 * side, 754, 46))
        canvas.fill(cup, frame, relief(cup, canvas, 1.3, 40, 0))
        canvas.tint(
            canvas.cut(tube([(x + side * 8 - 10, 520), (x + side * 12 - 10, 620), (x + side * 8 - 10, 720)], 12), 6),
            (1, 1, 1),
            0.25,
            within=cup,
        )
        write(
            canvas,
            product.brand.split()[0],
            x - 10 * side,
            606,
            24,
            Ink((0.9, 0.9, 0.9) if ink_on(product.colors[0]) == "white" else (0.2, 0.2, 0.2)),
            "sans-bold",
            "brand",
            max_width=76,
        )


def draw_book(canvas: Canvas, product: Product, view: str) -> None:
    """A book cover."""
    rng = product.rng("shape")
    half, tall = between(rng, 250, 290), between(rng, 370, 410)
    canvas.fill(
        rectangle(500 - half + 14, 500 - tall + 12, 500 + half + 16, 500 + tall + 16, 4), named_paint("off white"), 0.9
    )
    for step in range(4):
        canvas.line(
            [(500 + half + 3 + step * 3, 500 - tall + 14), (500 + half + 3 + step * 3, 500 + tall + 14)],
            1.2,
            opacity=0.25,
        )
    cover = canvas.cut(rectangle(500 - half, 500 - tall, 500 + half, 500 + tall, 6))
    fabric: Fabric | Flat = own_paint(product) if product.pattern in {"solid", "printed"} else product.cloth()
    canvas.fill(cover, fabric, relief(cover, canvas, 0.3, 14, 0, 0.05))
    canvas.line([(500 - half + 26, 500 - tall), (500 - half + 26, 500 + tall)], 7, opacity=0.25, blur=3, within=cover)
    panel = rectangle(500 - half + 56, 500 - tall + 70, 500 + half - 40, 500 - tall + 330, 4)
    canvas.fill(panel, own_paint(product, 1))
    ink = Ink.of(ink_on(product.colors[1]))
    title = product.name_zh if chance(rng, 0.5) else product.name_en
    write(
        canvas,
        title,
        508,
        500 - tall + 120,
        62,
        ink,
        pick(rng, ("serif-bold", "slab", "sans-bold")),
        "name",
        max_width=half * 1.4,
    )
    write(
        canvas,
        product.brand_zh if title == product.name_en else product.brand,
        508,
        500 - tall + 230,
        38,
        ink,
        "serif",
        "brand",
        max_width=half * 1.3,
    )
    if product.pattern == "printed":
        for number, rings in enumerate(draw_motif("emblem", half * 0.5, rng)):
            name, rgb = product.tones.other(1 + number)
            canvas.fill([shifted(ring, 508, 500 + tall * 0.36) for ring in rings], Flat(rgb, index_of(name)))
