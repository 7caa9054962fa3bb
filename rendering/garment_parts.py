"""Parts that garments share: seams, buttons, zips, pockets, ribs, labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rendering.canvas import UNITS, Canvas, Flat, Patch
from rendering.fabric import Fabric
from rendering.outlines import curve, ellipse, rectangle, shifted, tube
from rendering.palette_choice import Rgb, base_rgb, index_of
from rendering.relief import FOLD_PIXELS, relief
from rendering.text import Ink, write

Array = NDArray[Any]
Points = Sequence[tuple[float, float]]


def ribbed(fabric: Fabric, canvas: Canvas, strength: float = 0.13) -> Fabric:
    """The same cloth knitted as rib: ridges along y."""
    size = len(fabric.rgb)
    ridges = 1 + strength * np.sin(np.arange(size) / size * 2 * np.pi * 46)
    mean = fabric.rgb.reshape(-1, 3).mean(axis=0)
    plain = np.clip(mean[None, None, :] * ridges[None, :, None], 0, 255)
    main = int(np.bincount(fabric.label.ravel()).argmax())
    rgb = np.broadcast_to(plain, (size, size, 3)).astype(np.uint8)
    return Fabric(np.ascontiguousarray(rgb), np.full((size, size), main, np.uint8), bend=0.0)


def part(
    canvas: Canvas, shape: Array | Sequence[Array], fabric: Fabric, depth: float = 1.0, radius: float = 40.0,
    dim: float = 1.0, folds: float = 1.0, shadow: float = 0.0,
) -> Patch:  # fmt: skip
    """One piece of cloth: optional soft shadow on what lies below, then the swelling, folded piece itself."""
    if shadow:
        rings = [shape] if isinstance(shape, np.ndarray) else list(shape)
        moved = [shifted(ring, -canvas.light.x * 5, 7) for ring in rings]
        canvas.tint(canvas.cut(moved, 7.0), opacity=shadow)
    patch = canvas.cut(_limp(shape, canvas) if isinstance(shape, np.ndarray) else shape)
    canvas.fill(patch, fabric, relief(patch, canvas, depth, radius, folds) * np.float32(dim))
    return patch


def _limp(ring: Array, canvas: Canvas) -> Array:
    """Cloth's edge gives way where folds run into it: outlines follow the fold map a little."""
    if canvas.folds is None:
        return ring
    place = np.clip(np.rint(ring * (FOLD_PIXELS / UNITS)), 0, FOLD_PIXELS - 1).astype(int)
    heights = np.clip(canvas.folds[place[:, 1], place[:, 0]], -1.5, 1.5)
    center = ring.mean(axis=0)
    outward = ring - center
    outward /= np.maximum(np.linalg.norm(outward, axis=1, keepdims=True), 1e-6)
    return np.asarray(ring + outward * heights[:, None] * 5.0)


def seam(canvas: Canvas, points: Points | Array, within: Patch | None = None, strength: float = 0.32) -> None:
    """A sewn line: a dark groove with a light lip."""
    line = curve(points)
    canvas.line(line, 2.8, opacity=strength, blur=1.0, within=within)
    canvas.line(shifted(line, 0, 3.5), 2.4, (1.0, 1.0, 1.0), strength * 0.35, blur=0.8, within=within)


def double_stitch(canvas: Canvas, points: Points | Array, rgb: Rgb, gap: float = 8.0) -> None:
    """Two parallel rows of stitches."""
    line = curve(points)
    tangent = np.gradient(line, axis=0)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-6)
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], axis=1)
    canvas.stitches(line, rgb, 2.4, 7.0)
    canvas.stitches(line + normal * gap, rgb, 2.4, 7.0)


def button(canvas: Canvas, x: float, y: float, radius: float, rgb: Rgb, label: int) -> None:
    """A four-hole button."""
    canvas.tint(canvas.cut(ellipse(x + 1.5, y + 3, radius * 1.1, radius * 1.1, samples=20), 1.5), opacity=0.4)
    canvas.fill(ellipse(x, y, radius, radius, samples=20), Flat(rgb, label))
    canvas.tint(ellipse(x, y, radius * 0.68, radius * 0.68, samples=20), opacity=0.13)
    canvas.tint(ellipse(x - radius * 0.3, y - radius * 0.4, radius * 0.4, radius * 0.25, samples=12), (1, 1, 1), 0.4)
    hole = radius * 0.2
    holes = [
        ellipse(x + dx * hole, y + dy * hole, hole * 0.55, hole * 0.55, samples=8) for dx in (-1, 1) for dy in (-1, 1)
    ]
    canvas.tint(canvas.cut(holes), opacity=0.6)


def zipper(canvas: Canvas, x: float, top: float, bottom: float, tape: Rgb, pull: bool = True) -> None:
    """A closed zip from `top` to `bottom`."""
    canvas.tint(rectangle(x - 9, top, x + 9, bottom), tape, 0.75)
    canvas.line([(x - 10, top), (x - 10, bottom)], 2.0, opacity=0.35)
    canvas.line([(x + 10, top), (x + 10, bottom)], 2.0, opacity=0.35)
    metal = base_rgb("silver")
    canvas.stitches([(x, top), (x, bottom)], metal, 8.0, 3.4)
    if pull:
        canvas.tint(canvas.cut(rectangle(x - 6, top + 6, x + 8, top + 42, 4), 1.0), opacity=0.4)
        canvas.fill(rectangle(x - 7, top + 2, x + 7, top + 16, 3), Flat(metal, index_of("silver")))
        canvas.fill(rectangle(x - 4.5, top + 14, x + 4.5, top + 38, 3), Flat((0.8, 0.81, 0.83), index_of("silver")))


def pocket(canvas: Canvas, shape: Array, fabric: Fabric, thread: Rgb | None = None, shadow: float = 0.25) -> Patch:
    """A patch pocket sewn on."""
    canvas.tint(canvas.cut(shifted(shape, 0, 4), 4.0), opacity=shadow)
    patch = canvas.cut(shape)
    canvas.fill(patch, fabric, relief(patch, canvas, 0.35, 14, 1.0, 0.05))
    ring = np.vstack([shape, shape[:1]])
    canvas.line(ring, 2.2, opacity=0.35)
    if thread is not None:
        center = shape.mean(axis=0)
        canvas.stitches((ring - center) * 0.93 + center, thread, 2.2, 7.0)
    return patch


def rib_band(canvas: Canvas, points: Points | Array, width: float, fabric: Fabric, dim: float = 1.0) -> None:
    """A knitted band along a line, ridges across it: cuffs, hems, collars."""
    line = curve(points)
    patch = canvas.cut(tube(line, width, samples=2))
    if patch.empty:
        return
    canvas.fill(patch, fabric, relief(patch, canvas, 0.9, width * 0.5, 0.5, 0.16) * np.float32(dim))
    tangent = np.gradient(line, axis=0)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-6)
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], axis=1) * width * 0.46
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    places = np.arange(4.0, length[-1], 7.5)
    at = [np.interp(places, length, line[:, axis]) for axis in (0, 1)]
    across = [np.interp(places, length, normal[:, axis]) for axis in (0, 1)]
    ends = np.stack([np.stack(at, 1) - np.stack(across, 1), np.stack(at, 1) + np.stack(across, 1)], axis=1)
    mask = np.zeros(patch.cover.shape, np.uint8)
    pixels = np.rint((ends * canvas.scale - (patch.x + 0.5, patch.y + 0.5)) * 16).astype(np.int32)
    cv2.polylines(mask, list(pixels), False, 255, max(1, round(2.2 * canvas.scale)), cv2.LINE_AA, 4)
    canvas.tint(Patch(patch.x, patch.y, mask.astype(np.float32) / 255 * patch.cover), opacity=0.2)


def woven_label(canvas: Canvas, brand: str, x: float, y: float, width: float, dark: bool) -> None:
    """The brand's label inside the neck; its middle at x and top at y."""
    ground, ink = ("charcoal", "white") if dark else ("off white", "black")
    height = width * 0.5
    canvas.tint(canvas.cut(rectangle(x - width / 2, y + 3, x + width / 2, y + height + 4), 2.0), opacity=0.35)
    canvas.fill(rectangle(x - width / 2, y, x + width / 2, y + height), Flat(base_rgb(ground), index_of(ground)), 0.92)
    write(canvas, brand, x, y + height * 0.28, height * 0.46, Ink.of(ink), "sans-bold", "brand", max_width=width * 0.84)
