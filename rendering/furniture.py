"""Furniture put together from boxes in perspective: chairs, tables, sofas, shelves."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rendering.canvas import Canvas, Flat, Paint
from rendering.fabric import Colors
from rendering.outlines import rectangle, shifted
from rendering.palette_choice import WOOD, base_rgb, index_of
from rendering.product import Product
from rendering.relief import relief
from rendering.seeds import between, chance, pick
from rendering.solids import FACES, Block, Viewpoint, draw_blocks, face_shade
from rendering.weaves import wood

Array = NDArray[Any]


def _viewpoint(product: Product, view: str, center: tuple[float, float], zoom: float) -> Viewpoint:
    rng = product.rng("view", view)
    yaw = {
        "front": between(rng, -32, 32),
        "side": pick(rng, (-1, 1)) * between(rng, 48, 66),
        "back": 180 + between(rng, -30, 30),
    }.get(view, pick(rng, (-1, 1)) * between(rng, 22, 38))
    return Viewpoint(yaw, between(rng, 10, 19), 3000, center, zoom)


def _timber(product: Product, position: int) -> Paint:
    name, rgb = product.tones.other(position)
    if name in WOOD:
        return product.cloth(wood, Colors((name,), (rgb,)))
    return Flat(rgb, index_of(name))


def _legs(
    width: float, depth: float, height: float, size: float, paint: Paint, taper: float, splay: float = 0.0
) -> list[Block]:
    return [
        Block(
            sx * (width / 2 - size / 2 + splay),
            0,
            sz * (depth / 2 - size / 2 + splay),
            size,
            height,
            size,
            paint,
            taper,
        )
        for sx in (-1, 1)
        for sz in (-1, 1)
    ]


def draw_table(canvas: Canvas, product: Product, view: str) -> None:
    """A table or desk: a board on four legs."""
    rng = product.rng("shape")
    width, depth = between(rng, 640, 820), between(rng, 380, 480)
    height = pick(rng, (between(rng, 250, 300), between(rng, 400, 460)))
    top = between(rng, 22, 40)
    scene = _viewpoint(product, "front" if view == "front" else view, (500, 690), 0.92)
    paint = _timber(product, 0)
    under = _timber(product, 1) if chance(rng, 0.5) else paint
    size = between(rng, 32, 54)
    draw_blocks(canvas, scene, _legs(width * 0.94, depth * 0.9, height - top, size, under, between(rng, 0.5, 1.0)))
    if chance(rng, 0.6):
        draw_blocks(canvas, scene, [Block(0, -height + top + 70, 0, width * 0.9, 62, depth * 0.84, under)])
    draw_blocks(canvas, scene, [Block(0, -(height - top), 0, width, top, depth, paint)])


def draw_chair(canvas: Canvas, product: Product, view: str) -> None:
    """A chair with a board or slat back."""
    rng = product.rng("shape")
    width, depth, seat = between(rng, 320, 370), between(rng, 320, 360), between(rng, 330, 365)
    back = between(rng, 340, 420)
    scene = _viewpoint(product, view, (500, 880), 0.98)
    frame, cushion = _timber(product, 0), (_soft(product) if chance(rng, 0.6) else _timber(product, 0))
    size = between(rng, 26, 38)
    legs = _legs(width, depth, seat, size, frame, between(rng, 0.55, 1.0))
    posts = [Block(sx * (width / 2 - size / 2), -seat, depth / 2 - size / 2, size, back, size, frame) for sx in (-1, 1)]
    style = pick(rng, ("slats", "ladder", "panel"))
    rear: list[Block] = []
    if style == "slats":
        rear = [
            Block(x, -seat - 40, depth / 2 - 14, 22, back - 80, 12, frame)
            for x in np.linspace(-width / 2 + 60, width / 2 - 60, 5)
        ]
        rear.append(Block(0, -seat - back + 60, depth / 2 - size / 2, width - size, 60, size * 0.7, frame))
    elif style == "ladder":
        rear = [
            Block(0, -seat - y, depth / 2 - size / 2, width - size, 46, size * 0.6, frame)
            for y in (back * 0.3, back * 0.58, back * 0.86)
        ]
    else:
        rear = [Block(0, -seat - back * 0.32, depth / 2 - size / 2, width - size, back * 0.66, size * 0.7, cushion)]
    facing_away = abs(scene.yaw) > 90
    body = [Block(0, -seat + 4, 0, width + 10, 36, depth + 10, cushion)]
    draw_blocks(canvas, scene, legs)
    ordered = [body, [*posts, *rear]] if facing_away else [[*posts, *rear], body]
    for group in ordered:
        draw_blocks(canvas, scene, group)


def _soft(product: Product) -> Paint:
    return product.cloth() if product.pattern != "solid" else product.plain(1)


def draw_sofa(canvas: Canvas, product: Product, view: str) -> None:
    """A sofa or armchair: cushioned boxes with soft edges."""
    rng = product.rng("shape")
    seats = int(pick(rng, (1, 2, 3)))
    width = {1: 430, 2: 660, 3: 860}[seats] * between(rng, 0.95, 1.04)
    depth, seat, back = between(rng, 330, 380), between(rng, 150, 180), between(rng, 350, 400)
    arm, arm_height = between(rng, 66, 100), between(rng, 230, 280)
    yaw_view = "front" if view in {"front", "detail"} else "angled"
    scene = _viewpoint(product, yaw_view, (500, 690), 0.95)
    cloth = product.cloth()
    draw_blocks(
        canvas,
        scene,
        _legs(
            width * 0.92,
            depth * 0.85,
            46,
            30,
            _timber(product, 2) if product.colors[2] in WOOD else Flat(base_rgb("coffee"), index_of("coffee")),
            0.6,
        ),
    )
    inner = width - 2 * arm
    soft: list[tuple[Block, float]] = [
        (Block(0, -42, depth / 2 - 50, width, back, 100, cloth), 34),
        (Block(0, -42, 0, width, seat * 0.62, depth, cloth), 20),
    ]
    for number in range(seats):
        x = -inner / 2 + inner / seats * (number + 0.5)
        soft.append((Block(x, -seat - 40, depth / 2 - 128, inner / seats - 6, back - seat - 16, 76, cloth), 34))
    for number in range(seats):
        x = -inner / 2 + inner / seats * (number + 0.5)
        soft.append((Block(x, -42 - seat * 0.6, -30, inner / seats - 5, seat * 0.44, depth - 74, cloth), 24))
    near = 1 if scene.yaw > 0 else -1
    arms = [
        (Block(side * (width / 2 - arm / 2), -42, -6, arm, arm_height, depth - 6, cloth), 26.0)
        for side in (near, -near)
    ]
    soft.insert(2, arms[1])
    soft.append(arms[0])
    for block, radius in soft:
        _cushion(canvas, scene, block, radius)


def _cushion(canvas: Canvas, scene: Viewpoint, block: Block, radius: float) -> None:
    """A box with upholstered faces: each face swells, and edges are round."""
    corners = block.corners()
    screen = scene.project(corners)
    seen = [
        (name, list(numbers))
        for name, numbers in FACES.items()
        if face_shade(canvas, scene, corners[list(numbers)]) > 0
    ]
    hull_points = np.vstack([screen[index] for _, index in seen])
    hull = cv2.convexHull(hull_points.astype(np.float32))[:, 0, :].astype(np.float64)
    canvas.tint(canvas.cut(shifted(hull, 0, 7), 9), opacity=0.35)
    # A body below the faces closes the gaps that their round corners leave between them.
    canvas.fill(_rounded_outline(hull, radius * 0.8, 0.45), block.paint, 0.82)
    for _, index in seen:
        ring = _rounded_outline(screen[index], radius, 0.35)
        patch = canvas.cut(ring)
        if patch.empty:
            continue
        shade = face_shade(canvas, scene, corners[index])
        canvas.fill(patch, block.paint, relief(patch, canvas, 0.7, radius, 0, 0.12) * np.float32(shade))


def _rounded_outline(hull: Array, radius: float, most: float) -> Array:
    """A convex outline whose corners are quadratic Bezier arcs, each at most a share `most` of its sides."""
    t = np.linspace(0, 1, 6)[:, None]
    arcs = []
    for number, here in enumerate(hull):
        ends = []
        for other in (hull[number - 1], hull[(number + 1) % len(hull)]):
            step = other - here
            length = max(float(np.linalg.norm(step)), 1e-6)
            ends.append(here + step / length * min(radius, length * most))
        arcs.append((1 - t) ** 2 * ends[0] + 2 * t * (1 - t) * here + t**2 * ends[1])
    return np.vstack(arcs)


def draw_shelf(canvas: Canvas, product: Product, view: str) -> None:
    """A bookcase, open or with doors."""
    rng = product.rng("shape")
    width, depth = between(rng, 330, 560), between(rng, 170, 230)
    height = between(rng, 420, 760) if width < 450 else between(rng, 380, 560)
    scene = _viewpoint(product, view if view != "back" else "angled", (500, 540 + height / 2), 0.92)
    paint = _timber(product, 0)
    draw_blocks(canvas, scene, [Block(0, 0, 0, width, height, depth, paint)])
    body = Block(0, 0, 0, width, height, depth, paint)
    corners = body.corners()
    front = scene.project(corners[list(FACES["front"])])
    if face_shade(canvas, scene, corners[list(FACES["front"])]) <= 0:
        return
    rows, columns = int(rng.integers(2, 5)), 1 if width < 420 else 2
    doors = chance(rng, 0.4)
    for row in range(rows):
        for column in range(columns):
            cell = _cell(
                front, (column + 0.04) / columns, (row + 0.05) / rows, (column + 0.96) / columns, (row + 0.95) / rows
            )
            if doors and row == rows - 1:
                _door(canvas, cell, product)
            else:
                _opening(canvas, cell, paint)


def _cell(quad: Array, x0: float, y0: float, x1: float, y1: float) -> Array:
    def at(x: float, y: float) -> Array:
        upper = quad[0] + (quad[1] - quad[0]) * x
        lower = quad[3] + (quad[2] - quad[3]) * x
        return np.asarray(upper + (lower - upper) * y)

    return np.array([at(x0, y0), at(x1, y0), at(x1, y1), at(x0, y1)])


def _opening(canvas: Canvas, cell: Array, paint: Paint) -> None:
    patch = canvas.cut(cell)
    canvas.fill(patch, paint, 0.5)
    floor = np.array(
        [
            cell[3],
            cell[2],
            cell[2] + (cell[1] - cell[2]) * 0.14 + (cell[3] - cell[2]) * 0.06,
            cell[3] + (cell[0] - cell[3]) * 0.14 + (cell[2] - cell[3]) * 0.06,
        ]
    )
    canvas.fill(floor, paint, 0.86)
    canvas.tint(
        canvas.cut(
            np.array([cell[0], cell[1], cell[1] + (cell[2] - cell[1]) * 0.16, cell[0] + (cell[3] - cell[0]) * 0.16]), 4
        ),
        opacity=0.35,
        within=patch,
    )


def _door(canvas: Canvas, cell: Array, product: Product) -> None:
    name, rgb = product.tones.other(1)
    patch = canvas.cut(cell)
    canvas.fill(patch, Flat(rgb, index_of(name)), relief(patch, canvas, 0.3, 8, 0, 0.1))
    middle = cell.mean(axis=0)
    canvas.fill(
        rectangle(middle[0] - 4, middle[1] - 16, middle[0] + 4, middle[1] + 16, 4),
        Flat(base_rgb("silver"), index_of("silver")),
    )
