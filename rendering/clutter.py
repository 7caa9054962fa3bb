"""Things that lie and stand about in a picture and are not the product."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendering.canvas import Canvas, Flat
from rendering.outlines import ellipse, outline, rectangle, rotated, shifted, tube
from rendering.relief import cylinder, turned
from rendering.seeds import between, pick

Array = NDArray[Any]
_TONES = (
    (0.75, 0.30, 0.25),
    (0.25, 0.40, 0.55),
    (0.85, 0.75, 0.45),
    (0.35, 0.50, 0.35),
    (0.90, 0.88, 0.84),
    (0.30, 0.28, 0.30),
    (0.60, 0.45, 0.35),
    (0.80, 0.60, 0.55),
    (0.45, 0.60, 0.62),
    (0.55, 0.40, 0.60),
)


def shelf_items(width: int, height: int, horizon: float, rng: np.random.Generator) -> Canvas:
    """Boxes, bottles, books and plants that stand behind the product; a canvas as large as the picture."""
    canvas = Canvas(width, height, width / 1000)
    base = 1000 * height / width * (horizon + 0.02)
    x = between(rng, -60, 20)
    while x < 1000:
        item = pick(rng, ("box", "bottle", "books", "plant", "box", "jar"))
        size = between(rng, 0.7, 1.2)
        x += _STANDING[item](canvas, x, base, size, rng) + between(rng, 6, 60)
    return canvas


def _box(canvas: Canvas, x: float, base: float, size: float, rng: np.random.Generator) -> float:
    width, height = between(rng, 110, 200) * size, between(rng, 160, 340) * size
    rgb = pick(rng, _TONES)
    canvas.fill(rectangle(x, base - height, x + width, base), Flat(rgb))
    canvas.fill(
        rectangle(x + width * 0.1, base - height * 0.8, x + width * 0.9, base - height * 0.5), Flat(pick(rng, _TONES))
    )
    canvas.tint(rectangle(x + width * 0.82, base - height, x + width, base), opacity=0.2)
    return width


def _bottle(canvas: Canvas, x: float, base: float, size: float, rng: np.random.Generator) -> float:
    width, height = between(rng, 75, 110) * size, between(rng, 260, 400) * size
    rgb = pick(rng, _TONES)
    neck = width * 0.36
    points: list[Any] = [
        (x, base, 1), (x, base - height * 0.6), (x + width / 2 - neck / 2, base - height * 0.78),
        (x + width / 2 - neck / 2, base - height, 1), (x + width / 2 + neck / 2, base - height, 1),
        (x + width / 2 + neck / 2, base - height * 0.78), (x + width, base - height * 0.6), (x + width, base, 1),
    ]  # fmt: skip
    patch = canvas.cut(outline(points))
    if not patch.empty:
        shade, gloss = cylinder(turned(patch, x, x + width, canvas), canvas.light, 0.3)
        canvas.fill(patch, Flat(rgb), shade, gloss)
    canvas.fill(
        rectangle(x + 4, base - height * 0.5, x + width - 4, base - height * 0.18), Flat(pick(rng, _TONES)), 0.95
    )
    return width


def _books(canvas: Canvas, x: float, base: float, size: float, rng: np.random.Generator) -> float:
    start = x
    for _ in range(int(rng.integers(3, 7))):
        width, height = between(rng, 22, 46) * size, between(rng, 200, 290) * size
        canvas.fill(rectangle(x, base - height, x + width, base), Flat(pick(rng, _TONES)))
        canvas.tint(rectangle(x + width * 0.8, base - height, x + width, base), opacity=0.25)
        canvas.tint(rectangle(x, base - height * 0.82, x + width, base - height * 0.76), (1, 0.95, 0.8), 0.6)
        x += width + 1
    return x - start


def _plant(canvas: Canvas, x: float, base: float, size: float, rng: np.random.Generator) -> float:
    width = 130 * size
    for _ in range(11):
        angle = between(rng, -62, 62)
        length = between(rng, 150, 260) * size
        leaf = outline([(0, 0, 1), (length * 0.5, -length * 0.13), (length, 0, 1), (length * 0.5, length * 0.13)])
        green = between(rng, 0.32, 0.58)
        canvas.fill(
            shifted(rotated(leaf, 90 + angle), x + width / 2, base - 90 * size),
            Flat((green * 0.5, green, green * 0.42)),
        )
    pot: list[Any] = [
        (x + 14, base - 110 * size, 1),
        (x + width - 14, base - 110 * size, 1),
        (x + width - 30, base, 1),
        (x + 30, base, 1),
    ]
    canvas.fill(outline(pot), Flat(pick(rng, ((0.72, 0.42, 0.3), (0.9, 0.9, 0.88), (0.35, 0.36, 0.38)))))
    canvas.tint(rectangle(x + width * 0.6, base - 110 * size, x + width, base), opacity=0.2)
    return width


def _jar(canvas: Canvas, x: float, base: float, size: float, rng: np.random.Generator) -> float:
    width, height = between(rng, 100, 150) * size, between(rng, 120, 190) * size
    patch = canvas.cut(rectangle(x, base - height, x + width, base, 14))
    if not patch.empty:
        shade, gloss = cylinder(turned(patch, x, x + width, canvas), canvas.light, 0.3)
        canvas.fill(patch, Flat(pick(rng, _TONES)), shade, gloss)
    canvas.fill(rectangle(x + 4, base - height - 26, x + width - 4, base - height + 4, 5), Flat(pick(rng, _TONES)))
    return width


_STANDING = {"box": _box, "bottle": _bottle, "books": _books, "plant": _plant, "jar": _jar}


def desk_items(width: int, height: int, rng: np.random.Generator) -> Canvas:
    """Cups, leaves, notebooks, phones and pens around the edge, seen from above; a canvas as large as the picture."""
    canvas = Canvas(width, height, width / 1000)
    tall = 1000 * height / width
    spots = [(60, 60), (940, 70), (60, tall - 70), (940, tall - 60), (30, tall / 2), (975, tall / 2)]
    order = rng.permutation(len(spots))[: int(rng.integers(3, 6))]
    for spot in order:
        x, y = spots[int(spot)]
        item = pick(rng, (_cup, _leaves, _notebook, _phone, _glasses_case))
        item(canvas, x + between(rng, -30, 30), y + between(rng, -30, 30), between(rng, 0, 360), rng)
    return canvas


def _cup(canvas: Canvas, x: float, y: float, turn: float, rng: np.random.Generator) -> None:
    rgb = pick(rng, _TONES)
    canvas.fill(shifted(rotated(tube([(70, -30), (120, -20), (120, 20), (70, 30)], 16), turn), x, y), Flat(rgb))
    canvas.fill(ellipse(x, y, 88, 88), Flat(rgb))
    canvas.fill(ellipse(x, y, 76, 76), Flat((0.28, 0.17, 0.10)))
    canvas.tint(ellipse(x - 20, y - 22, 34, 18, 30), (0.9, 0.75, 0.55), 0.35, 5)


def _leaves(canvas: Canvas, x: float, y: float, turn: float, rng: np.random.Generator) -> None:
    for number in range(7):
        length = between(rng, 70, 120)
        leaf = outline([(0, 0, 1), (length * 0.5, -length * 0.2), (length, 0, 1), (length * 0.5, length * 0.2)])
        side = 50 if number % 2 else -50
        green = between(rng, 0.35, 0.55)
        spot = rotated(np.array([[number * 34.0, 0.0]]), turn)[0] + (x, y)
        canvas.fill(rotated(leaf, turn + side) + spot, Flat((green * 0.55, green, green * 0.5)))


def _notebook(canvas: Canvas, x: float, y: float, turn: float, rng: np.random.Generator) -> None:
    rgb = pick(rng, _TONES)
    canvas.fill(shifted(rotated(rectangle(-110, -150, 110, 150, 10), turn), x, y), Flat(rgb))
    canvas.tint(shifted(rotated(rectangle(-110, -150, -90, 150), turn), x, y), opacity=0.3)
    canvas.tint(shifted(rotated(rectangle(-50, -90, 70, -60), turn), x, y), (1, 1, 1), 0.5)


def _phone(canvas: Canvas, x: float, y: float, turn: float, rng: np.random.Generator) -> None:
    canvas.fill(shifted(rotated(rectangle(-62, -128, 62, 128, 18), turn), x, y), Flat((0.12, 0.12, 0.13)))
    canvas.fill(shifted(rotated(rectangle(-55, -120, 55, 120, 12), turn), x, y), Flat((0.2, 0.24, 0.3)))
    canvas.tint(shifted(rotated(outline([(-55, -120, 1), (30, -120, 1), (-55, 60, 1)]), turn), x, y), (1, 1, 1), 0.12)


def _glasses_case(canvas: Canvas, x: float, y: float, turn: float, rng: np.random.Generator) -> None:
    rgb = pick(rng, _TONES)
    canvas.fill(shifted(rotated(rectangle(-120, -42, 120, 42, 40), turn), x, y), Flat(rgb))
    canvas.tint(shifted(rotated(rectangle(-112, -30, 112, -10, 10), turn), x, y), (1, 1, 1), 0.18, 4)
