"""Pictures for packages: fruit, leaf, bean, fish and so on, drawn flat around a center."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendering.canvas import Canvas, Flat
from rendering.outlines import ellipse, outline, rotated, shifted, tube
from rendering.palette_choice import base_rgb, index_of
from rendering.seeds import between

Array = NDArray[Any]


def _fill(canvas: Canvas, ring: Array | list[Array], name: str, shade: float = 1.0) -> None:
    canvas.fill(ring, Flat(base_rgb(name), index_of(name)), shade)


def draw_icon(canvas: Canvas, icon: str, x: float, y: float, r: float, rng: np.random.Generator) -> None:
    """Draw a picture.

    Args:
        canvas: where.
        icon: key of `_ICONS`.
        x: center.
        y: center.
        r: radius, canvas units.
        rng: source of randomness.
    """
    canvas.tint(canvas.cut(ellipse(x + r * 0.05, y + r * 0.12, r * 0.9, r * 0.9), r * 0.07), opacity=0.13)
    _ICONS[icon](canvas, x, y, r, rng)


def _citrus(canvas: Canvas, x: float, y: float, r: float, rng: np.random.Generator) -> None:
    _fill(canvas, ellipse(x, y, r, r), "orange")
    _fill(canvas, ellipse(x, y, r * 0.9, r * 0.9), "cream")
    for number in range(9):
        angle = number * 40 + 8
        wedge = outline([(r * 0.09, 0, 1), (r * 0.82, -r * 0.24), (r * 0.84, 0), (r * 0.82, r * 0.24)], 5)
        _fill(canvas, shifted(rotated(wedge, angle), x, y), "orange", 1.06 if number % 2 else 1.0)
    _leaf_at(canvas, x + r * 0.5, y - r * 0.8, r * 0.75, -25, "green")


def _leaf_at(canvas: Canvas, x: float, y: float, length: float, degrees: float, name: str) -> None:
    leaf = outline([(0, 0, 1), (length * 0.45, -length * 0.24), (length, 0, 1), (length * 0.5, length * 0.24)])
    placed = shifted(rotated(leaf, degrees), x, y)
    _fill(canvas, placed, name)
    vein = shifted(rotated(np.array([[0.0, 0.0], [length * 0.9, 0.0]]), degrees), x, y)
    canvas.line(vein, length * 0.035, (1, 1, 1), 0.4)


def _leaf(canvas: Canvas, x: float, y: float, r: float, rng: np.random.Generator) -> None:
    for degrees, size, name in ((25, 1.5, "green"), (62, 1.35, "dark green"), (112, 1.25, "lime green")):
        _leaf_at(canvas, x - r * 0.25, y + r * 0.6, r * size, degrees, name)


def _flower(canvas: Canvas, x: float, y: float, r: float, rng: np.random.Generator) -> None:
    _leaf_at(canvas, x, y + r * 0.3, r * 1.05, -30, "green")
    _leaf_at(canvas, x, y + r * 0.3, r * 1.05, -150, "green")
    for number in range(6):
        _fill(canvas, shifted(rotated(ellipse(r * 0.48, 0, r * 0.42, r * 0.26), number * 60), x, y), "white", 0.97)
        canvas.line(shifted(rotated(np.array([[r * 0.2, 0], [r * 0.7, 0]]), number * 60), x, y), r * 0.03, opacity=0.12)
    _fill(canvas, ellipse(x, y, r * 0.2, r * 0.2), "yellow")


def _drop(canvas: Canvas, x: float, y: float, r: float, rng: np.random.Generator) -> None:
    ring = outline(
        [
            (x, y - r, 1),
            (x + r * 0.5, y - r * 0.05),
            (x + r * 0.55, y + r * 0.5),
            (x, y + r * 0.95),
            (x - r * 0.55, y + r * 0.5),
            (x - r * 0.5, y - r * 0.05),
        ]
    )
    _fill(canvas, ring, "sky blue")
    canvas.tint(ellipse(x - r * 0.2, y + r * 0.35, r * 0.12, r * 0.3, 15), (1, 1, 1), 0.6, r * 0.04)


def _bean(canvas: Canvas, x: float, y: float, r: float, rng: np.random.Generator) -> None:
    for dx, dy, degrees in ((-0.4, 0.25, 30), (0.42, 0.3, -35), (0.0, -0.35, 80)):
        place = (x + dx * r, y + dy * r)
        _fill(canvas, rotated(ellipse(0, 0, r * 0.52, r * 0.34), degrees) + place, "brown")
        groove = (
            rotated(np.array([[-r * 0.45, 0], [-r * 0.15, r * 0.07], [r * 0.15, -r * 0.07], [r * 0.45, 0]]), degrees)
            + place
        )
        canvas.line(groove, r * 0.07, opacity=0.55)


def _grain(canvas: Canvas, x: float, y: float, r: float, rng: np.random.Generator) -> None:
    for lean in (-24, 0, 24):
        stem = shifted(rotated(np.array([[0, r], [0, -r * 0.7]]), -lean, (0, r)), x, y)
        _fill(canvas, tube(stem, r * 0.05), "bronze")
        for number in range(5):
            for side in (-1, 1):
                kernel = rotated(
                    ellipse(0, 0, r * 0.2, r * 0.1, samples=20), side * -50 + 90 * (side < 0) + 90 * (side > 0)
                )
                spot = rotated(np.array([[side * r * 0.12, -r * 0.75 + number * r * 0.24]]), -lean, (0, r))[0]
                _fill(canvas, rotated(kernel, -lean) + spot + (x, y), "gold" if number % 2 else "mustard")


def _cookie(canvas: Canvas, x: float, y: float, r: float, rng: np.random.Generator) -> None:
    for dx, dy in ((0.35, -0.3), (-0.2, 0.18)):
        cx, cy = x + dx * r, y + dy * r
        _fill(canvas, ellipse(cx, cy, r * 0.72, r * 0.7), "tan")
        canvas.tint(ellipse(cx - r * 0.1, cy - r * 0.15, r * 0.5, r * 0.45), (1, 0.9, 0.7), 0.25, r * 0.1)
        for _ in range(9):
            angle, far = between(rng, 0, 6.28), between(rng, 0, 0.55) * r
            _fill(
                canvas,
                ellipse(cx + far * np.cos(angle), cy + far * np.sin(angle), r * 0.085, r * 0.07, samples=14),
                "coffee",
            )


def _fish(canvas: Canvas, x: float, y: float, r: float, rng: np.random.Generator) -> None:
    _fill(
        canvas,
        outline(
            [(x + r * 0.5, y, 1), (x + r * 1.1, y - r * 0.45, 1), (x + r * 0.92, y), (x + r * 1.1, y + r * 0.45, 1)]
        ),
        "denim blue",
    )
    body = outline(
        [
            (x - r * 1.1, y, 1),
            (x - r * 0.3, y - r * 0.45),
            (x + r * 0.65, y - r * 0.08),
            (x + r * 0.65, y + r * 0.08),
            (x - r * 0.3, y + r * 0.45),
        ]
    )
    _fill(canvas, body, "silver")
    canvas.tint(
        outline(
            [
                (x - r * 1.05, y - r * 0.04, 1),
                (x - r * 0.3, y - r * 0.45),
                (x + r * 0.65, y - r * 0.08, 1),
                (x - r * 0.2, y - r * 0.1),
            ]
        ),
        (0.15, 0.25, 0.4),
        0.6,
    )
    _fill(canvas, ellipse(x - r * 0.72, y - r * 0.07, r * 0.08, r * 0.08), "black")


def _berry(canvas: Canvas, x: float, y: float, r: float, rng: np.random.Generator) -> None:
    for dx, dy, size in ((-0.35, 0.2, 0.62), (0.4, 0.28, 0.55), (0.05, -0.35, 0.58)):
        cx, cy, s = x + dx * r, y + dy * r, size * r
        _fill(
            canvas,
            outline(
                [
                    (cx, cy - s * 0.7),
                    (cx + s * 0.75, cy - s * 0.5),
                    (cx + s * 0.5, cy + s * 0.5),
                    (cx, cy + s * 0.95),
                    (cx - s * 0.5, cy + s * 0.5),
                    (cx - s * 0.75, cy - s * 0.5),
                ]
            ),
            "red",
        )
        seeds = [
            ellipse(cx + sx * s, cy + sy * s, s * 0.05, s * 0.08, samples=8)
            for sx, sy in ((-0.4, -0.2), (0.0, -0.25), (0.4, -0.2), (-0.22, 0.15), (0.22, 0.15), (0, 0.5))
        ]
        canvas.tint(canvas.cut(seeds), (1, 0.9, 0.5), 0.8)
        for degrees in (20, 90, 160):
            _leaf_at(canvas, cx, cy - s * 0.62, s * 0.5, degrees - 10, "green")


def _grape(canvas: Canvas, x: float, y: float, r: float, rng: np.random.Generator) -> None:
    _leaf_at(canvas, x, y - r * 0.8, r * 0.8, 20, "olive")
    for row, count in enumerate((4, 3, 2, 1)):
        for number in range(count):
            cx, cy = x + (number - (count - 1) / 2) * r * 0.44, y - r * 0.45 + row * r * 0.4
            _fill(canvas, ellipse(cx, cy, r * 0.25, r * 0.25, samples=24), "plum")
            canvas.tint(ellipse(cx - r * 0.08, cy - r * 0.09, r * 0.07, r * 0.06, samples=12), (1, 1, 1), 0.5)


def _nut(canvas: Canvas, x: float, y: float, r: float, rng: np.random.Generator) -> None:
    for dx, dy, degrees in ((-0.35, 0.15, 40), (0.4, 0.25, -30), (0.05, -0.4, 10)):
        place = (x + dx * r, y + dy * r)
        nut = outline(
            [(-r * 0.5, 0, 1), (-r * 0.1, -r * 0.26), (r * 0.45, -r * 0.16), (r * 0.45, r * 0.16), (-r * 0.1, r * 0.26)]
        )
        _fill(canvas, rotated(nut, degrees) + place, "tan")
        for offset in (-0.1, 0.0, 0.1):
            line = rotated(np.array([[-r * 0.4, offset * r * 0.4], [r * 0.4, offset * r]]), degrees) + place
            canvas.line(line, r * 0.025, opacity=0.35)


def _tomato(canvas: Canvas, x: float, y: float, r: float, rng: np.random.Generator) -> None:
    _fill(canvas, ellipse(x, y + r * 0.08, r * 0.92, r * 0.8), "red")
    canvas.tint(ellipse(x - r * 0.3, y - r * 0.2, r * 0.25, r * 0.16, 30), (1, 1, 1), 0.5, r * 0.05)
    for degrees in (-10, 35, 90, 145, 190):
        _leaf_at(canvas, x, y - r * 0.6, r * 0.48, degrees, "green")


def _chili(canvas: Canvas, x: float, y: float, r: float, rng: np.random.Generator) -> None:
    for lift, turn in ((0.25, 0), (-0.25, 12)):
        ring = tube(
            shifted(
                rotated(
                    np.array([[-r * 0.8, -r * 0.3], [-r * 0.2, 0], [r * 0.4, r * 0.05], [r * 1.0, -r * 0.25]]), turn
                ),
                x,
                y + lift * r,
            ),
            [r * 0.36, r * 0.36, r * 0.24, 2.0],
        )
        _fill(canvas, ring, "red")
        _fill(
            canvas,
            tube(
                shifted(rotated(np.array([[-r * 1.1, -r * 0.55], [-r * 0.78, -r * 0.3]]), turn), x, y + lift * r),
                [r * 0.08, r * 0.2],
            ),
            "green",
        )


def _bubble(canvas: Canvas, x: float, y: float, r: float, rng: np.random.Generator) -> None:
    for _ in range(12):
        angle, far, size = between(rng, 0, 6.28), between(rng, 0.1, 0.95) * r, between(rng, 0.06, 0.24) * r
        cx, cy = x + far * np.cos(angle), y + far * np.sin(angle)
        _fill(canvas, ellipse(cx, cy, size, size, samples=24), "white")
        canvas.tint(
            ellipse(cx + size * 0.1, cy + size * 0.1, size * 0.75, size * 0.75, samples=20), (0.6, 0.75, 0.9), 0.35
        )


def _chip(canvas: Canvas, x: float, y: float, r: float, rng: np.random.Generator) -> None:
    for dx, dy, degrees in ((-0.4, 0.2, 20), (0.4, 0.25, -25), (0.0, -0.3, 5)):
        place = (x + dx * r, y + dy * r)
        _fill(canvas, rotated(ellipse(0, 0, r * 0.62, r * 0.46), degrees) + place, "yellow")
        _fill(canvas, rotated(ellipse(r * 0.02, r * 0.02, r * 0.56, r * 0.38), degrees) + place, "light yellow")
        canvas.line(
            rotated(np.array([[-r * 0.4, r * 0.1], [0, -r * 0.12], [r * 0.4, r * 0.08]]), degrees) + place,
            r * 0.05,
            (0.7, 0.45, 0.1),
            0.35,
        )


def _apple(canvas: Canvas, x: float, y: float, r: float, rng: np.random.Generator) -> None:
    ring = outline(
        [
            (x, y - r * 0.55),
            (x + r * 0.5, y - r * 0.7),
            (x + r * 0.85, y - r * 0.1),
            (x + r * 0.5, y + r * 0.75),
            (x, y + r * 0.68),
            (x - r * 0.5, y + r * 0.75),
            (x - r * 0.85, y - r * 0.1),
            (x - r * 0.5, y - r * 0.7),
        ]
    )
    _fill(canvas, ring, "red")
    canvas.tint(ellipse(x - r * 0.4, y - r * 0.25, r * 0.13, r * 0.24, 20), (1, 1, 1), 0.5, r * 0.04)
    _fill(canvas, tube([(x, y - r * 0.5), (x + r * 0.1, y - r)], r * 0.09), "brown")
    _leaf_at(canvas, x + r * 0.08, y - r * 0.85, r * 0.6, 15, "green")


def _sun(canvas: Canvas, x: float, y: float, r: float, rng: np.random.Generator) -> None:
    for number in range(12):
        ray = np.array([[r * 0.62, -r * 0.07], [r, 0], [r * 0.62, r * 0.07]])
        _fill(canvas, shifted(rotated(ray, number * 30), x, y), "mustard")
    _fill(canvas, ellipse(x, y, r * 0.52, r * 0.52), "yellow")


_ICONS = {
    "citrus": _citrus,
    "leaf": _leaf,
    "flower": _flower,
    "drop": _drop,
    "bean": _bean,
    "grain": _grain,
    "cookie": _cookie,
    "fish": _fish,
    "berry": _berry,
    "grape": _grape,
    "nut": _nut,
    "tomato": _tomato,
    "chili": _chili,
    "bubble": _bubble,
    "chip": _chip,
    "apple": _apple,
    "sun": _sun,
}
