"""Loose fruit."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendering.canvas import Canvas, Flat, Patch
from rendering.noise import layered_noise
from rendering.outlines import ellipse, mirrored, outline, rotated, shifted, tube
from rendering.paints import own_paint
from rendering.palette_choice import base_rgb, index_of
from rendering.product import Product
from rendering.relief import ball, relief
from rendering.seeds import between, chance

Array = NDArray[Any]


def _freckles(
    canvas: Canvas,
    patch: Patch,
    rng: np.random.Generator,
    count: int,
    size: float,
    rgb: tuple[float, float, float],
    opacity: float,
) -> None:
    height, width = patch.cover.shape
    spots = []
    for _ in range(count):
        x = (patch.x + between(rng, 0, width)) / canvas.scale
        y = (patch.y + between(rng, 0, height)) / canvas.scale
        spots.append(ellipse(x, y, size, size, samples=8))
    canvas.tint(canvas.cut(spots), rgb, opacity, within=patch)


def draw_apple(canvas: Canvas, product: Product, view: str) -> None:
    """An apple or a tomato."""
    rng = product.rng("shape")
    r = between(rng, 330, 365)
    tomato = product.kind == "tomato"
    squat = 0.86 if tomato else between(rng, 0.92, 1.0)
    ring = mirrored(
        [
            (500.0, 500 - r * 0.78 * squat),
            (500 + r * 0.36, 500 - r * 0.9 * squat),
            (500 + r * 0.9, 500 - r * 0.5),
            (500 + r * 0.97, 500 + r * 0.1),
            (500 + r * 0.62, 500 + r * 0.82 * squat),
            (500 + r * 0.2, 500 + r * 0.92 * squat),
            (500.0, 500 + r * 0.87 * squat),
        ]
    )
    patch = canvas.cut(ring)
    shade, glow = ball(patch, 500, 500, r * 1.02, r * 0.98, canvas, 0.4)
    field = layered_noise(rng, patch.cover.shape[0], patch.cover.shape[1], 60, 3)
    canvas.fill(patch, own_paint(product), shade * (1 + 0.04 * field), glow)
    if not tomato:
        _freckles(canvas, patch, rng, 130, 2.4, (1, 0.95, 0.8), 0.5)
        blush = canvas.cut(ellipse(500 - canvas.light.x * 130, 560, r * 0.5, r * 0.6), 70)
        canvas.tint(blush, (0.75, 0.1, 0.1) if product.colors[0] != "red" else (0.45, 0.02, 0.05), 0.35, within=patch)
    dip = canvas.cut(ellipse(500, 500 - r * 0.76 * squat, r * 0.26, r * 0.11), 14)
    canvas.tint(dip, (0.25, 0.2, 0.05), 0.5, within=patch)
    base = 500 - r * 0.74 * squat
    if tomato:
        for degrees in (10, 50, 95, 140, 175, 230, 310):
            leaf = outline([(0, 0, 1), (60, -13), (135, 0, 1), (60, 13)])
            spot = rotated(leaf, degrees)
            canvas.fill(spot * (1, 0.5) + (500, base), Flat(base_rgb("green"), index_of("green")), 0.9)
    canvas.fill(
        tube([(500, base + 12), (508, base - 60), (530, base - 120)], [14, 12, 20]),
        Flat(base_rgb("brown" if not tomato else "green"), index_of("brown" if not tomato else "green")),
        0.95,
    )
    if not tomato and chance(rng, 0.6):
        leaf = outline([(0, 0, 1), (90, -50), (190, -10, 1), (100, 34)])
        piece = canvas.cut(shifted(rotated(leaf, between(rng, 5, 35)), 510, base - 60))
        canvas.fill(piece, Flat(base_rgb("green"), index_of("green")), relief(piece, canvas, 0.9, 30, 0))


def draw_orange(canvas: Canvas, product: Product, view: str) -> None:
    """An orange, lemon or lime: pored skin."""
    rng = product.rng("shape")
    long = product.kind != "orange"
    rx, ry = (between(rng, 360, 390), between(rng, 262, 285)) if long else (between(rng, 340, 370),) * 2
    if long:
        ring = (
            rotated(
                outline(
                    [
                        (-rx, 0, 0),
                        (-rx * 0.82, -ry * 0.42),
                        (-rx * 0.3, -ry * 0.98),
                        (rx * 0.3, -ry),
                        (rx * 0.8, -ry * 0.48),
                        (rx * 1.02, -12),
                        (rx * 1.02, 14),
                        (rx * 0.8, ry * 0.48),
                        (rx * 0.3, ry),
                        (-rx * 0.3, ry * 0.98),
                        (-rx * 0.82, ry * 0.42),
                    ]
                ),
                between(rng, -25, 25),
            )
            + 500
        )
    else:
        ring = ellipse(500, 500, rx, ry, samples=80)
    patch = canvas.cut(ring)
    shade, glow = ball(patch, 500, 500, rx * 1.02, max(ry, rx * 0.8), canvas, 0.26)
    pores = layered_noise(product.rng("pores"), patch.cover.shape[0], patch.cover.shape[1], 7 * canvas.scale, 1)
    canvas.fill(patch, own_paint(product), shade * (1 + 0.075 * pores), glow)
    if not long:
        spot = canvas.cut(ellipse(500 + between(rng, -60, 60), 500 - ry * 0.72, 30, 16))
        canvas.fill(spot, Flat(base_rgb("olive"), index_of("olive")), 0.9)


def draw_banana(canvas: Canvas, product: Product, view: str) -> None:
    """A small bunch of bananas."""
    rng = product.rng("shape")
    count = int(rng.integers(2, 5))
    for number in range(count):
        lift = (number - (count - 1) / 2) * 62
        line = [
            (205.0, 330 + lift * 0.35),
            (250, 560 + lift),
            (450, 720 + lift),
            (680, 700 + lift),
            (830, 560 + lift * 0.8),
        ]
        ring = tube(line, [44, 110, 138, 118, 40], 10)
        canvas.tint(canvas.cut(shifted(ring, 0, 14), 10), opacity=0.35)
        patch = canvas.cut(ring)
        canvas.fill(patch, own_paint(product), relief(patch, canvas, 1.3, 60, 0, 0.14))
        ridge = [(x, y + 16) for x, y in line[1:-1]]
        canvas.line(ridge, 9, (0.6, 0.45, 0.05), 0.35, 3, patch)
        _freckles(canvas, patch, rng, 16, 4, (0.35, 0.22, 0.05), 0.5)
        canvas.fill(
            tube([(822, 572 + lift * 0.8), (858, 532 + lift * 0.8)], [34, 22]),
            Flat(base_rgb("coffee"), index_of("coffee")),
        )
    crown = outline([(150, 250, 1), (196, 236, 1), (236, 350), (240, 430, 1), (180, 430, 1), (172, 330)])
    patch = canvas.cut(crown)
    canvas.fill(patch, Flat(base_rgb("lime green"), index_of("lime green")), relief(patch, canvas, 1.0, 24, 0) * 0.9)
