"""Packages that are not turned: cardboard boxes, gable-top cartons, pouches, tubes, flacons."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rendering import label_art
from rendering.canvas import Canvas, Flat, Patch
from rendering.label_art import flat_print
from rendering.outlines import ellipse, homography, mirrored, outline, rectangle
from rendering.paints import named_paint, own_paint
from rendering.palette_choice import index_of
from rendering.product import Product
from rendering.relief import fold_map, relief
from rendering.seeds import between, chance, pick
from rendering.solids import Block, Viewpoint, blank, draw_box
from rendering.turned_body import TurnedBody

Array = NDArray[Any]


def draw_carton(canvas: Canvas, product: Product, view: str) -> None:
    """A cardboard box: cereal, cookies, tea."""
    rng = product.rng("shape")
    if product.kind == "cereal box":
        width, height, depth = between(rng, 400, 460), between(rng, 580, 650), between(rng, 120, 160)
    elif chance(rng, 0.5):
        width, height, depth = between(rng, 560, 640), between(rng, 300, 380), between(rng, 150, 230)
    else:
        width, height, depth = between(rng, 360, 440), between(rng, 400, 500), between(rng, 160, 240)
    yaw = {"front": between(rng, -8, 8), "back": between(rng, -10, 10)}.get(
        view, pick(rng, (-1, 1)) * between(rng, 22, 36)
    )
    scene = Viewpoint(yaw, between(rng, 7, 15), 2600, (500, 500))
    block = Block(0, height / 2, 0, width, height, depth, own_paint(product))
    face = flat_print(canvas, product, "back" if view == "back" else "front", width, height)
    side = blank(depth, height, depth * canvas.scale, canvas)
    side.fill(rectangle(-2, -2, 1002, 1000 * height / depth + 2), named_paint(product.colors[1]))
    prints = {"front": face, "left": side, "right": side}
    draw_box(canvas, scene, block, prints)


def draw_gable_carton(canvas: Canvas, product: Product, view: str) -> None:
    """A milk carton with a gable top."""
    rng = product.rng("shape")
    side, height = between(rng, 250, 290), between(rng, 460, 520)
    yaw = {"front": between(rng, 10, 20), "back": -between(rng, 10, 20)}.get(
        view, pick(rng, (-1, 1)) * between(rng, 30, 40)
    )
    scene = Viewpoint(yaw, between(rng, 6, 12), 2600, (500, 600))
    block = Block(0, height / 2, 0, side, height, side, own_paint(product))
    face = flat_print(canvas, product, "back" if view == "back" else "front", side, height)
    flank = blank(side, height, side * canvas.scale, canvas)
    label_art.back(flank, product) if view != "back" else label_art.front(flank, product)
    draw_box(canvas, scene, block, {"front": face, "left": flank, "right": flank})
    _gable(canvas, product, scene, side / 2, -height / 2, side * 0.46)


def _gable(canvas: Canvas, product: Product, scene: Viewpoint, half: float, level: float, rise: float) -> None:
    ridge = level - rise
    fin = ridge - rise * 0.42
    left, right = (-half, level), (half, level)
    front = [(left[0], level, -half), (right[0], level, -half), (half * 0.98, ridge, 0), (-half * 0.98, ridge, 0)]
    sides = {
        1: [(half, level, -half), (half, level, half), (half * 0.98, ridge, 0)],
        -1: [(-half, level, half), (-half, level, -half), (-half * 0.98, ridge, 0)],
    }
    seen = sides[1] if scene.turn(np.array([[1.0, 0, 0]]))[0, 2] < 0 else sides[-1]
    canvas.fill(scene.project(np.array(seen, dtype=np.float64)), own_paint(product), 0.72)
    ring = scene.project(np.array(front, dtype=np.float64))
    canvas.fill(ring, named_paint(product.colors[1]), 1.05)
    crest = scene.project(
        np.array([(-half, ridge, 0), (half, ridge, 0), (half, fin, 0), (-half, fin, 0)], dtype=np.float64)
    )
    canvas.fill(crest, named_paint(product.colors[1]), 0.96)
    canvas.line(crest[:2], 4, opacity=0.3, blur=1)
    canvas.line(crest[2:], 3, (1, 1, 1), 0.4, 0.6)
    if chance(product.rng("screw"), 0.6):
        spot = scene.project(np.array([[0.0, (level + ridge) / 2, -half / 2]]))[0]
        x, y = float(spot[0]), float(spot[1])
        canvas.tint(canvas.cut(ellipse(x + 4, y + 8, 40, 26), 4), opacity=0.35)
        cap = TurnedBody(x, np.array([y - 42.0, y]), np.array([36.0, 38.0]), 0.5)
        cap.fill(canvas, named_paint(product.colors[2]), 0.25)
        canvas.fill(ellipse(x, y - 42, 36, 18), named_paint(product.colors[2]), 1.12)


def draw_pouch(canvas: Canvas, product: Product, view: str) -> None:
    """A bag of crisps, nuts or coffee: crimped ends and creased foil."""
    rng = product.rng("shape")
    half, top, bottom = between(rng, 215, 265), between(rng, 130, 190), between(rng, 850, 910)
    folds = product.rng("folds", view)
    creases: list[tuple[list[tuple[float, float]], float, float]] = []
    for end, way in ((top + 50, 1), (bottom - 50, -1)):
        for _ in range(9):
            x = 500 + between(folds, -half * 0.9, half * 0.9)
            points = [(x, end), (500 + (x - 500) * 0.9 + between(folds, -20, 20), end + way * between(folds, 60, 170))]
            creases.append((points, between(folds, 7, 14), pick(folds, (-1.0, 1.0)) * between(folds, 0.7, 1.5)))
    canvas.folds = fold_map(folds, creases, 1.6, 0.4, (1.0, 1.4))
    ring = mirrored(
        [
            (500.0, top),
            (500 + half * 0.99, top, 1),
            (500 + half, top + 45),
            (500 + half * 0.93, (top + bottom) * 0.4),
            (500 + half * 0.94, (top + bottom) * 0.6),
            (500 + half, bottom - 45),
            (500 + half * 0.99, bottom, 1),
            (500.0, bottom),
        ]
    )
    patch = canvas.cut(ring)
    shade = relief(patch, canvas, 1.3, 120, 1.3, 0.14)
    glow = np.clip((shade - 1.08) * 0.9, 0, 0.35)
    canvas.fill(patch, own_paint(product), shade, glow)
    art = flat_print(canvas, product, view, half * 1.72, bottom - top - 130)
    wide = art.width / art.scale
    high = art.height / art.scale
    source = np.array([[0, 0], [wide, 0], [wide, high], [0, high]])
    x0, x1 = 500 - half * 0.86, 500 + half * 0.86
    target = np.array([[x0, top + 62], [x1, top + 62], [x1, bottom - 68], [x0, bottom - 68]])
    height, width = art.alpha.shape
    factor = _sample_shade(patch, shade, target, canvas, (width, height))
    canvas.paste(art, homography(source, target), factor)
    for y in (top, bottom - 42):
        canvas.tint(rectangle(500 - half, y, 500 + half, y + 42), (1, 1, 1), 0.12, within=patch)
        lines = np.arange(500 - half + 6, 500 + half - 4, 9.0)
        canvas.tint(canvas.cut([rectangle(x, y + 2, x + 3, y + 40) for x in lines]), opacity=0.16, within=patch)


def _sample_shade(patch: Patch, shade: Array, target: Array, canvas: Canvas, size: tuple[int, int]) -> Array:
    """The shading of the bag under the print, at the print's own resolution."""
    low = (target[0] * canvas.scale - (patch.x, patch.y)).astype(np.float64)
    high = (target[2] * canvas.scale - (patch.x, patch.y)).astype(np.float64)
    step = (high - low) / np.array(size)
    matrix = np.array([[step[0], 0, low[0]], [0, step[1], low[1]]])
    result: Array = cv2.warpAffine(
        shade, matrix, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )
    return result


def draw_tube(canvas: Canvas, product: Product, view: str) -> None:
    """A squeeze tube standing on its cap."""
    rng = product.rng("shape")
    half = between(rng, 125, 150)
    neck = half * between(rng, 0.7, 0.9)
    ring = outline(
        [
            (500 - half, 90, 1),
            (500 + half, 90, 1),
            (500 + half, 140),
            (500 + neck, 760, 1),
            (500 - neck, 760, 1),
            (500 - half, 140),
        ]
    )
    patch = canvas.cut(ring)
    canvas.fill(patch, own_paint(product), relief(patch, canvas, 1.4, 110, 0, 0.1))
    art = flat_print(canvas, product, view, half * 1.6, 560)
    source = np.array([[0, 0], [1000, 0], [1000, art.height / art.scale], [0, art.height / art.scale]])
    a, b = half * 0.83, neck * 0.84
    target = np.array([[500 - a, 155], [500 + a, 155], [500 + b, 715], [500 - b, 715]])
    factor = _sample_shade(patch, relief(patch, canvas, 1.4, 110, 0, 0.1), target, canvas, (art.width, art.height))
    canvas.paste(art, homography(source, target), factor)
    canvas.tint(rectangle(500 - half, 90, 500 + half, 132), (1, 1, 1), 0.15)
    canvas.tint(
        canvas.cut([rectangle(x, 92, x + 3, 130) for x in np.arange(504 - half, 496 + half, 9.0)]), opacity=0.15
    )
    cap = TurnedBody.of(500, [(neck * 0.86, 758), (neck * 0.9, 900)], 0.05)
    cap.fill(canvas, named_paint(product.colors[1]), 0.35)


def draw_perfume(canvas: Canvas, product: Product, view: str) -> None:
    """A perfume flacon: thick glass, tinted liquid, heavy cap."""
    rng = product.rng("shape")
    half, top = between(rng, 170, 230), between(rng, 380, 440)
    radius = pick(rng, (18.0, 60.0, 120.0))
    body = canvas.cut(rectangle(500 - half, top, 500 + half, 900, radius))
    glass = tuple(0.72 + 0.26 * value for value in own_paint(product).rgb)
    canvas.fill(body, Flat(glass, index_of(product.colors[0])), relief(body, canvas, 0.8, 40, 0))  # type: ignore[arg-type]
    liquid = canvas.cut(rectangle(500 - half + 30, top + 60, 500 + half - 30, 862, radius * 0.8))
    canvas.fill(liquid, own_paint(product), relief(liquid, canvas, 0.5, 60, 0, 0.2))
    canvas.tint(rectangle(500 - half + 14, top + 30, 500 - half + 34, 870, 8), (1, 1, 1), 0.55, 3)
    canvas.tint(rectangle(500 + half - 40, top + 80, 500 + half - 30, 820, 5), (1, 1, 1), 0.35, 3)
    art = blank(half * 1.2, 220, half * 1.2 * canvas.scale * 1.3, canvas)
    label_art.plate(art, product)
    high = art.height / art.scale
    y0 = top + 190
    target = np.array(
        [
            [500 - half * 0.6, y0],
            [500 + half * 0.6, y0],
            [500 + half * 0.6, y0 + half * 1.2 * high / 1000],
            [500 - half * 0.6, y0 + half * 1.2 * high / 1000],
        ]
    )
    canvas.paste(art, homography(np.array([[0, 0], [1000, 0], [1000, high], [0, high]]), target))
    collar = TurnedBody.of(500, [(58, top - 40), (58, top + 4)], 0.1)
    collar.fill(canvas, named_paint("gold"), 0.5)
    if chance(rng, 0.5):
        TurnedBody.of(500, [(84, top - 190), (88, top - 40)], 0.12).fill(canvas, named_paint(product.colors[2]), 0.5)
        canvas.fill(ellipse(500, top - 190, 84, 10), named_paint(product.colors[2]), 1.15)
    else:
        cap = canvas.cut(rectangle(410, top - 170, 590, top - 34, 22))
        canvas.fill(cap, named_paint(product.colors[2]), relief(cap, canvas, 0.9, 26, 0))
        canvas.tint(rectangle(430, top - 150, 446, top - 60, 6), (1, 1, 1), 0.4, 3)
