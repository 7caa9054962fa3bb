"""Watches, belts, caps, hats, sunglasses, ties, scarves, socks, umbrellas; a few small electronic things and balls."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendering.canvas import Canvas, Flat
from rendering.garment_parts import part, seam
from rendering.outlines import curve, ellipse, outline, rectangle, rotated, shifted, tube
from rendering.paints import named_paint, own_paint
from rendering.palette_choice import base_rgb, ink_on, thread_on
from rendering.product import Product
from rendering.relief import relief
from rendering.seeds import between, pick
from rendering.text import Ink, write
from rendering.weaves import leather, smooth_leather

Array = NDArray[Any]


def draw_watch(canvas: Canvas, product: Product, view: str) -> None:
    """A wristwatch laid straight, or a smartwatch."""
    rng = product.rng("shape")
    smart = product.kind == "smartwatch"
    r = between(rng, 175, 205)
    metal = named_paint(pick(rng, ("silver", "gold", "charcoal", "copper")))
    strap = product.cloth(leather if product.pattern == "textured" else smooth_leather)
    for way in (-1, 1):
        y0, y1 = 500 + way * r * 0.72, 500 + way * 440
        w0, w1 = r * 0.62, r * 0.46
        ring = outline(
            [
                (500 - w0, y0, 1),
                (500 + w0, y0, 1),
                (500 + w1, (y0 + y1) / 2),
                (500 + w1 * 0.96, y1, 1),
                (500, y1 + way * 16),
                (500 - w1 * 0.96, y1, 1),
                (500 - w1, (y0 + y1) / 2),
            ]
        )
        part(canvas, ring, strap, 1.0, 34)
        rgb = thread_on(product.colors[0], product.tones.rgb[0])
        for side in (-1, 1):
            canvas.stitches(
                np.array([[500 + side * (w0 - 14), y0 + way * 30], [500 + side * (w1 - 12), y1 - way * 8]]), rgb, 3, 9
            )
        if way > 0:
            for step in range(4):
                canvas.tint(ellipse(500, y1 - 40 - step * 36, 8, 7, samples=14), opacity=0.7)
    _watch_case(canvas, product, r, metal, smart, rng)


def _watch_case(canvas: Canvas, product: Product, r: float, metal: Flat, smart: bool, rng: np.random.Generator) -> None:
    case = (
        rectangle(500 - r * 0.9, 500 - r * 1.08, 500 + r * 0.9, 500 + r * 1.08, r * 0.42)
        if smart
        else ellipse(500, 500, r, r, samples=80)
    )
    canvas.fill(rectangle(500 + r * 0.9, 482, 500 + r * 1.14, 520, 8), metal, 0.85)
    patch = canvas.cut(case)
    canvas.fill(patch, metal, relief(patch, canvas, 1.4, 26, 0, 0.15))
    canvas.tint(canvas.cut([case, (case - 500) * 0.9 + 500]), (1, 1, 1), 0.12)
    face_name = "black" if smart else pick(rng, ("white", "black", "navy blue", "off white", product.colors[1]))
    face = canvas.cut((case - 500) * (0.93 if smart else 0.86) + 500)
    canvas.fill(face, named_paint(face_name), relief(face, canvas, -0.25, 20, 0, 0.12))
    ink = base_rgb("white" if ink_on(face_name) == "white" else "black")
    if smart:
        hours, minutes = int(rng.integers(0, 24)), int(rng.integers(0, 60))
        write(
            canvas,
            f"{hours:02d}:{minutes:02d}",
            500,
            500 - r * 0.45,
            r * 0.5,
            Ink(ink),
            "sans-bold",
            "other",
            max_width=r * 1.3,
        )
        for number, name in enumerate(("green", "coral", "sky blue")):
            ring = ellipse(500 + (number - 1) * r * 0.48, 500 + r * 0.5, r * 0.17, r * 0.17)
            canvas.line(ring[: int(rng.integers(20, 46))], r * 0.06, base_rgb(name), 0.95)
        canvas.tint(
            outline([(500 - r * 0.8, 500 - r, 1), (500 + r * 0.3, 500 - r, 1), (500 - r * 0.8, 500 + r * 0.4, 1)]),
            (1, 1, 1),
            0.07,
            within=face,
        )
        return
    for hour in range(12):
        angle = np.deg2rad(hour * 30)
        way = np.array([np.sin(angle), -np.cos(angle)])
        ends = np.array([500 + way * r * (0.62 if hour % 3 else 0.56), 500 + way * r * 0.74])
        canvas.line(ends, r * (0.045 if hour % 3 else 0.07), ink, 0.95)
    write(canvas, product.brand, 500, 500 - r * 0.42, r * 0.14, Ink(ink), "serif-bold", "brand", max_width=r * 0.8)
    for degrees, length, width in (
        (between(rng, 0, 360), 0.42, 0.075),
        (between(rng, 0, 360), 0.62, 0.05),
        (between(rng, 0, 360), 0.68, 0.018),
    ):
        hand = rotated(np.array([[0, r * 0.12], [0, -r * length]]), -degrees) + 500
        canvas.line(shifted(hand, 3, 5), r * width, opacity=0.3, blur=2)
        canvas.line(hand, r * width, metal.rgb if width > 0.02 else (0.8, 0.15, 0.12), 1.0)
    canvas.tint(ellipse(500, 500, r * 0.06, r * 0.06), metal.rgb, 1.0)
    glare = outline(
        [
            (500 - r * 0.7, 500 - r * 0.4, 1),
            (500 - r * 0.1, 500 - r * 0.82, 1),
            (500 + r * 0.1, 500 - r * 0.8, 1),
            (500 - r * 0.75, 500 - r * 0.1, 1),
        ]
    )
    canvas.tint(canvas.cut(glare, 6), (1, 1, 1), 0.18, within=face)


def draw_belt(canvas: Canvas, product: Product, view: str) -> None:
    """A belt, coiled."""
    rng = product.rng("shape")
    strap = product.cloth(leather if product.pattern == "textured" else smooth_leather)
    metal = named_paint(pick(rng, ("silver", "gold", "bronze")))
    tall = between(rng, 78, 110)
    cx, cy = 500.0, 470.0
    back = tube(
        [(cx - 330, cy + 20), (cx - 250, cy - 110), (cx, cy - 150), (cx + 250, cy - 110), (cx + 330, cy + 20)],
        tall * 0.8,
        12,
    )
    part(canvas, back, strap, 0.6, 20, 0.55)
    inner = tube(
        [(cx - 262, cy + 46), (cx - 150, cy - 46), (cx + 60, cy - 70), (cx + 235, cy - 20), (cx + 268, cy + 50)],
        tall * 0.84,
        12,
    )
    part(canvas, inner, strap, 0.7, 20, 0.7)
    front_line = [(cx - 335, cy + 10), (cx - 270, cy + 120), (cx, cy + 176), (cx + 270, cy + 120), (cx + 335, cy + 10)]
    front = tube(front_line, tall, 14)
    body = part(canvas, front, strap, 1.0, 26, shadow=0.5)
    line = curve(front_line, 14)
    rgb = thread_on(product.colors[0], product.tones.rgb[0])
    for offset in (-0.4, 0.4):
        canvas.stitches(shifted(line, 0, offset * tall), rgb, 2.8, 8)
    canvas.line(shifted(line, 0, -tall * 0.2), 12, (1, 1, 1), 0.22, 8, body)
    x, y = cx - 40, cy + 172
    canvas.tint(canvas.cut(rectangle(x - 66, y - tall * 0.66 + 8, x + 76, y + tall * 0.72, 18), 6), opacity=0.4)
    frame = [
        rectangle(x - 70, y - tall * 0.68, x + 70, y + tall * 0.68, 18),
        rectangle(x - 48, y - tall * 0.48, x + 48, y + tall * 0.48, 10),
    ]
    patch = canvas.cut(frame)
    canvas.fill(patch, metal, relief(patch, canvas, 1.6, 10, 0))
    canvas.fill(rectangle(x - 8, y - 8, x + 66, y + 8, 7), metal, 1.05)
    part(canvas, rectangle(x + 104, y - tall * 0.58, x + 140, y + tall * 0.52, 6), strap, 0.7, 10, 1.0, 0, 0.4)


def draw_sunglasses(canvas: Canvas, product: Product, view: str) -> None:
    """Sunglasses or spectacles from the front."""
    rng = product.rng("shape")
    style = pick(rng, ("round", "wayfarer", "aviator", "square"))
    wide, tall = between(rng, 158, 180), between(rng, 125, 160)
    gap = between(rng, 42, 60)
    rim = 15.0 if style == "aviator" else between(rng, 22, 34)
    frame = own_paint(product, 0)
    dark = product.kind == "sunglasses"
    lens_name = pick(rng, ("charcoal", "coffee", "dark green", "navy blue", "black")) if dark else "light gray"
    for side in (-1, 1):
        hinge = 500 + side * (gap + 2 * wide)
        temple = tube(
            [(hinge - side * 12, 440), (hinge + side * 26, 430), (hinge + side * 6, 330), (hinge - side * 60, 260)],
            [30, 26, 18, 14],
        )
        patch = canvas.cut(temple)
        canvas.fill(patch, frame, relief(patch, canvas, 0.8, 10, 0) * np.float32(0.75))
    for side in (-1, 1):
        cx = 500 + side * (gap + wide)
        shape = {
            "round": ellipse(cx, 500, wide * 0.92, wide * 0.92),
            "square": rectangle(cx - wide, 500 - tall * 0.85, cx + wide, 500 + tall * 0.85, 46),
            "wayfarer": outline(
                [
                    (cx - side * wide * 0.95, 500 - tall * 0.8, 0),
                    (cx + side * wide * 1.08, 500 - tall * 0.92, 0),
                    (cx + side * wide * 0.86, 500 + tall * 0.5),
                    (cx, 500 + tall * 0.86),
                    (cx - side * wide * 0.8, 500 + tall * 0.4),
                ]
            ),
            "aviator": outline(
                [
                    (cx - side * wide * 0.85, 500 - tall * 0.72),
                    (cx + side * wide * 0.3, 500 - tall * 0.86),
                    (cx + side * wide, 500 - tall * 0.5),
                    (cx + side * wide * 0.72, 500 + tall * 0.7),
                    (cx, 500 + tall * 1.02),
                    (cx - side * wide * 0.7, 500 + tall * 0.3),
                ]
            ),
        }[style]
        center = shape.mean(axis=0)
        inner = (shape - center) * (1 - rim / wide) + center
        patch = canvas.cut(inner)
        height = patch.cover.shape[0]
        ramp = np.broadcast_to(np.linspace(0.75, 1.35, height, dtype=np.float32)[:, None], patch.cover.shape)
        canvas.fill(patch, named_paint(lens_name), ramp, opacity=0.94 if dark else 0.3)
        glare = rotated(rectangle(-wide * 0.2, -300, wide * 0.12, 300), 32) + center
        canvas.tint(canvas.cut(glare, 6), (1, 1, 1), 0.16 if dark else 0.4, within=patch)
        ring = canvas.cut([shape, inner])
        canvas.fill(ring, frame, relief(ring, canvas, 1.5, rim * 0.5, 0, 0.2))
    bridge = canvas.cut(tube([(500 - gap - 22, 470), (500, 448), (500 + gap + 22, 470)], rim * 1.05))
    canvas.fill(bridge, frame, relief(bridge, canvas, 1.2, rim * 0.5, 0))


def draw_umbrella(canvas: Canvas, product: Product, view: str) -> None:
    """An open umbrella from the side."""
    metal = named_paint("silver")
    canvas.fill(rectangle(494, 470, 506, 850), metal)
    hook = tube([(500, 830), (500, 890), (460, 916), (425, 880), (425, 850)], 22)
    part(canvas, hook, product.plain(2, smooth_leather), 1.0, 10)
    edge, top = 420.0, 150.0
    base = 500.0
    count = 6
    cloth = product.cloth()
    xs = np.linspace(-edge, edge, count + 1)
    points: list[Any] = [
        (500 - edge, base, 1),
        (500 - edge * 0.78, base - 190),
        (500 - edge * 0.4, top + 40),
        (500, top),
        (500 + edge * 0.4, top + 40),
        (500 + edge * 0.78, base - 190),
        (500 + edge, base, 1),
    ]
    for left, right in zip(xs[::-1][1:], xs[::-1][:-1], strict=True):
        points.append((500 + (left + right) / 2, base - 46))
        points.append((500 + left, base, 1))
    patch = part(canvas, outline(points[:-1]), cloth, 1.2, 150)
    for x in xs[1:-1]:
        seam(canvas, [(500, top), (500 + x * 0.72, (top + base) / 2 - 40), (500 + x, base)], patch, 0.35)
    canvas.fill(rectangle(495, top - 44, 505, top + 6, 4), metal)
