"""Boxes in perspective: cartons, furniture, cases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendering.canvas import Canvas, Paint, Patch
from rendering.outlines import homography

Array = NDArray[Any]


@dataclass(frozen=True)
class Viewpoint:
    """A pinhole camera that looks at the origin of a space with y downward.

    Args:
        yaw: degrees the things are turned about the vertical; positive shows their right side.
        pitch: degrees the camera looks down.
        distance: from the origin, in the space's units.
        center: where the origin lies on the canvas.
        zoom: canvas units per unit at the origin.
    """

    yaw: float
    pitch: float
    distance: float = 3200.0
    center: tuple[float, float] = (500.0, 500.0)
    zoom: float = 1.0

    def turn(self, points: Array) -> Array:
        """Points in camera space: x right, y down, z away."""
        yaw, pitch = np.deg2rad(self.yaw), np.deg2rad(self.pitch)
        about_y = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
        about_x = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
        return np.asarray(np.atleast_2d(points) @ about_y.T @ about_x.T)

    def project(self, points: Array) -> Array:
        """(N, 3) points to (N, 2) canvas units."""
        turned = self.turn(points)
        factor = self.zoom * self.distance / (self.distance + turned[:, 2])
        return np.asarray(turned[:, :2] * factor[:, None] + self.center)


@dataclass(frozen=True)
class Block:
    """A box: middle of its base (x, z; y is the floor level of the base), size, paint.

    Args:
        x: middle.
        y: base, downward.
        z: middle, away from the viewer.
        width: along x.
        height: upward.
        depth: along z.
        paint: of its faces.
        taper: width and depth at the base as a share of those at the top.
    """

    x: float
    y: float
    z: float
    width: float
    height: float
    depth: float
    paint: Paint
    taper: float = 1.0

    def corners(self) -> Array:
        """(8, 3): top ring then bottom ring, each from the front left clockwise seen from above."""
        ring = np.array([[-1, -1], [-1, 1], [1, 1], [1, -1]], dtype=np.float64)
        size = np.array([self.width, self.depth]) / 2
        top = np.column_stack(
            [ring[:, 0] * size[0] + self.x, np.full(4, self.y - self.height), ring[:, 1] * size[1] + self.z]
        )
        low = ring * size * self.taper
        base = np.column_stack([low[:, 0] + self.x, np.full(4, self.y), low[:, 1] + self.z])
        return np.vstack([top, base])


FACES: dict[str, tuple[int, int, int, int]] = {
    "front": (0, 3, 7, 4),
    "right": (3, 2, 6, 7),
    "back": (2, 1, 5, 6),
    "left": (1, 0, 4, 5),
    "top": (1, 2, 3, 0),
    "bottom": (4, 7, 6, 5),
}
"""Corner numbers of each face, clockwise from the top left as one looks at it."""


def face_shade(canvas: Canvas, view: Viewpoint, points: Array) -> float:
    """How bright a flat face is, 1 when it faces the viewer; and whether it is seen at all (0)."""
    turned = view.turn(points)
    normal = np.cross(turned[3] - turned[0], turned[1] - turned[0])
    normal /= max(float(np.linalg.norm(normal)), 1e-9)
    middle = turned.mean(axis=0)
    middle[2] += view.distance
    if normal @ middle >= 0:
        return 0.0
    light = np.array([canvas.light.x * 0.8, canvas.light.y, -0.75])
    light /= np.linalg.norm(light)
    return float(0.66 + 0.5 * max(float(normal @ light), -0.1))


def draw_blocks(canvas: Canvas, view: Viewpoint, blocks: list[Block], bevel: float = 3.0) -> None:
    """Draw boxes, the far ones first, with shaded faces and bright front edges."""
    order = sorted(blocks, key=lambda block: -float(view.turn(block.corners())[:, 2].mean()))
    for block in order:
        corners = block.corners()
        screen = view.project(corners)
        for name, numbers in FACES.items():
            index = list(numbers)
            shade = face_shade(canvas, view, corners[index])
            if shade <= 0:
                continue
            ring = screen[index]
            patch = canvas.cut(ring)
            if patch.empty:
                continue
            canvas.fill(patch, block.paint, _soft(patch, shade, name))
            if bevel and name != "bottom":
                canvas.line(np.vstack([ring[:2]]), bevel, (1, 1, 1), 0.22, 0.6)
                canvas.line(np.vstack([ring[1:3]]), bevel * 0.7, opacity=0.16, blur=0.6)


def _soft(patch: Patch, shade: float, name: str) -> Array:
    """A face's brightness with a gentle gradient: less light reaches its lower part."""
    height, width = patch.cover.shape
    drop = 0.10 if name != "top" else 0.04
    rows = 1 + drop * (0.5 - np.arange(height, dtype=np.float32) / max(height, 1))
    return np.broadcast_to((shade * rows)[:, None], (height, width)).astype(np.float32)


def draw_box(canvas: Canvas, view: Viewpoint, block: Block, prints: dict[str, Canvas], edge: float = 2.5) -> None:
    """Draw one box whose faces carry prints.

    Args:
        canvas: where.
        view: the camera.
        block: the box; its paint covers faces without a print.
        prints: flat canvases by face name.
        edge: width of the light on the edges, canvas units.
    """
    corners = block.corners()
    screen = view.project(corners)
    for name, numbers in FACES.items():
        index = list(numbers)
        shade = face_shade(canvas, view, corners[index])
        if shade <= 0:
            continue
        ring = screen[index]
        art = prints.get(name)
        if art is None:
            patch = canvas.cut(ring)
            canvas.fill(patch, block.paint, _soft(patch, shade, name))
        else:
            size = np.array([art.width, art.height]) / art.scale
            source = np.array([[0, 0], [size[0], 0], [size[0], size[1]], [0, size[1]]])
            rows = shade * (1 + 0.1 * (0.5 - np.linspace(0, 1, art.height, dtype=np.float32)))
            canvas.paste(
                art,
                homography(source, ring),
                np.broadcast_to(rows[:, None], (art.height, art.width)).astype(np.float32),
            )
        closed = np.vstack([ring, ring[:1]])
        for start in range(4):
            canvas.line(closed[start : start + 2], edge, (1, 1, 1), 0.2, 0.5)


def blank(width_units: float, height_units: float, pixels_wide: float, canvas: Canvas) -> Canvas:
    """An empty flat canvas for a print, 1000 units wide.

    Args:
        width_units: width of the face it is for.
        height_units: its height.
        pixels_wide: about how many pixels the face will be wide.
        canvas: gives light and whether glyphs are drawn.
    """
    scale = max(pixels_wide, 40.0) / 1000
    high = round(1000 * height_units / width_units * scale)
    return Canvas(max(round(1000 * scale), 8), max(high, 8), scale, canvas.light, canvas.text_enabled)
