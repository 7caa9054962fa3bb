"""Cloth, leather and wood: seamless tiles of color with a palette name per texel, and how they lie on a shape."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rendering.canvas import UNITS, Canvas, Patch
from rendering.motifs import draw_motif
from rendering.noise import tile_noise
from rendering.outlines import shifted
from rendering.palette_choice import Rgb, index_of, shade_of
from rendering.relief import FOLD_PIXELS
from rendering.seeds import between, chance, generator, pick

Array = NDArray[Any]

TILE_UNITS = 400.0
"""Canvas units that one tile covers."""


@dataclass(frozen=True)
class Fabric:
    """A seamless tile that fills shapes.

    Args:
        rgb: (n, n, 3) uint8.
        label: (n, n) uint8 palette positions.
        degrees: rotation of the cloth.
        scale: size of the pattern; 2 doubles it.
        offset: shift in canvas units.
        bend: how far folds push the pattern aside, canvas units.
    """

    rgb: Array
    label: Array
    degrees: float = 0.0
    scale: float = 1.0
    offset: tuple[float, float] = (0.0, 0.0)
    bend: float = 9.0

    def turned(self, degrees: float, offset: tuple[float, float] = (0.0, 0.0)) -> Fabric:
        """The same cloth, cut at another angle."""
        return replace(self, degrees=self.degrees + degrees, offset=offset)

    def resized(self, scale: float) -> Fabric:
        """The same cloth with a larger or smaller pattern."""
        return replace(self, scale=self.scale * scale)

    def sample(self, patch: Patch, canvas: Canvas) -> tuple[Array, Array | int]:
        """Color and palette positions under the patch's window."""
        height, width = patch.cover.shape
        texels = len(self.rgb) / (TILE_UNITS * self.scale)
        angle = np.deg2rad(self.degrees)
        cosine, sine = np.cos(angle) * texels, np.sin(angle) * texels
        x = (np.arange(width, dtype=np.float32) + patch.x) / canvas.scale - self.offset[0]
        y = (np.arange(height, dtype=np.float32) + patch.y) / canvas.scale - self.offset[1]
        push = _push(patch, canvas, self.bend) if canvas.folds is not None and self.bend else np.float32(0)
        x_grid = x[None, :] + push
        y_grid = y[:, None] + push
        map_x = np.mod(x_grid * np.float32(cosine) + y_grid * np.float32(sine), len(self.rgb))
        map_y = np.mod(y_grid * np.float32(cosine) - x_grid * np.float32(sine), len(self.rgb))
        color = cv2.remap(self.rgb, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        label = cv2.remap(self.label, map_x, map_y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_WRAP)
        return color.astype(np.float32) * np.float32(1 / 255), label


def _push(patch: Patch, canvas: Canvas, bend: float) -> Array:
    assert canvas.folds is not None
    height, width = patch.cover.shape
    per_pixel = FOLD_PIXELS / UNITS / canvas.scale
    matrix = np.array([[per_pixel, 0, patch.x * per_pixel], [0, per_pixel, patch.y * per_pixel]], np.float64)
    result: Array = cv2.warpAffine(
        canvas.folds * np.float32(bend),
        matrix,
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return result


@dataclass
class Tile:
    """A tile in the making: color and palette positions, `size` texels wide."""

    rgb: Array
    label: Array

    @classmethod
    def of(cls, size: int, rgb: Rgb, name: str) -> Tile:
        """A plain tile."""
        return cls(np.full((size, size, 3), rgb, np.float32), np.full((size, size), index_of(name), np.uint8))

    @property
    def size(self) -> int:
        """Texels along a side."""
        return len(self.rgb)

    def blend(self, cover: Array, rgb: Rgb, name: str | None) -> None:
        """Lay a color over the tile where `cover` (broadcastable to it) is above 0."""
        full = np.broadcast_to(cover, self.label.shape)
        self.rgb += (np.array(rgb, np.float32) - self.rgb) * full[..., None].astype(np.float32)
        if name is not None:
            self.label[full > 0.5] = index_of(name)

    def fabric(self, rng: np.random.Generator, grain: float, **keywords: float) -> Fabric:
        """Finish with fine grain."""
        noise = tile_noise(rng, self.size, 0.6) * np.float32(grain)
        rgb = np.clip((self.rgb + noise[..., None]) * 255, 0, 255).astype(np.uint8)
        return Fabric(rgb, self.label, **keywords)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Colors:
    """Palette names and the product's own tone of each."""

    names: tuple[str, ...]
    rgb: tuple[Rgb, ...]

    @classmethod
    def of(cls, names: tuple[str, ...], seed: int) -> Colors:
        """Tones for palette names."""
        return cls(names, tuple(shade_of(name, generator(seed, "tone", name)) for name in names))

    def ink(self, position: int) -> tuple[Rgb, str]:
        """Tone and name at a position, in the order `Tile.blend` takes them."""
        name, rgb = self.other(position)
        return rgb, name

    def other(self, position: int) -> tuple[str, Rgb]:
        """The color at a position, wrapping around."""
        index = position % len(self.names)
        return self.names[index], self.rgb[index]


def solid(colors: Colors, rng: np.random.Generator, size: int) -> Fabric:
    """Plain cloth."""
    return Tile.of(size, colors.rgb[0], colors.names[0]).fabric(rng, 0.012)


def striped(colors: Colors, rng: np.random.Generator, size: int) -> Fabric:
    """Even stripes, pin stripes, or a group of stripes that repeats."""
    tile = Tile.of(size, colors.rgb[0], colors.names[0])
    style = pick(rng, ("even", "pin", "group", "even"))
    repeats = int(pick(rng, (5, 7, 8, 10, 12) if style == "even" else (8, 10, 14) if style == "pin" else (3, 4, 5)))
    phase = (np.arange(size, dtype=np.float32) / size * repeats) % 1.0
    texel = repeats / size
    if style == "even":
        tile.blend(_band(phase, 0.0, between(rng, 0.32, 0.52), texel)[:, None], *colors.ink(1))
    elif style == "pin":
        tile.blend(_band(phase, 0.0, between(rng, 0.14, 0.24), texel)[:, None], *colors.ink(1))
    else:
        position = 0.05
        for number in range(int(rng.integers(2, 4))):
            width = between(rng, 0.08, 0.22)
            tile.blend(_band(phase, position, position + width, texel)[:, None], *colors.ink(1 + number))
            position += width + between(rng, 0.05, 0.14)
    direction = pick(rng, (0.0, 90.0, 0.0, 90.0, 45.0), (4, 4, 1, 1, 0.6))
    return tile.fabric(rng, 0.012, degrees=direction)


def _band(phase: Array, start: float, end: float, texel: float) -> Array:
    """Anti-aliased 0..1 profile of the part of a period between `start` and `end`."""
    return np.asarray(np.clip(np.minimum((phase - start) / texel, (end - phase) / texel) + 0.5, 0, 1))


def checked(colors: Colors, rng: np.random.Generator, size: int) -> Fabric:
    """Gingham, tartan or window-pane."""
    tile = Tile.of(size, colors.rgb[0], colors.names[0])
    style = pick(rng, ("gingham", "tartan", "window"))
    repeats = int(pick(rng, (8, 10, 12) if style == "gingham" else (3, 4, 5)))
    phase = (np.arange(size, dtype=np.float32) / size * repeats) % 1.0
    texel = repeats / size
    second, rgb = colors.other(1)
    if style == "gingham":
        bars = _band(phase, 0.0, 0.5, texel)
        tile.blend(np.maximum(bars[:, None], bars[None, :]) * 0.55, rgb, None)
        tile.blend(bars[:, None] * bars[None, :], rgb, None)
        # Where one bar crosses bare cloth the eye sees a mixture; it counts for the darker of the two.
        tile.label[(bars[:, None] + bars[None, :]) > 0.5] = index_of(second)
        tile.label[(bars[:, None] + bars[None, :]) < 0.5] = index_of(colors.names[0])
    elif style == "tartan":
        for number, (start, end, strength) in enumerate(((0.05, 0.42, 0.62), (0.55, 0.63, 0.9), (0.72, 0.77, 0.85))):
            name, tone = colors.other(1 + number)
            bars = _band(phase, start, end, texel) * strength
            tile.blend(bars[:, None], tone, name)
            tile.blend(bars[None, :], tone, name)
    else:
        bars = _band(phase, 0.0, between(rng, 0.07, 0.13), texel)
        tile.blend(np.maximum(bars[:, None], bars[None, :]), rgb, second)
    return tile.fabric(rng, 0.014, degrees=45.0 if chance(rng, 0.08) else 0.0)


def dotted(colors: Colors, rng: np.random.Generator, size: int) -> Fabric:
    """Polka dots, staggered."""
    tile = Tile.of(size, colors.rgb[0], colors.names[0])
    repeats = int(pick(rng, (6, 8, 10, 12)))
    radius = size / repeats * between(rng, 0.17, 0.27)
    cover = np.zeros((size, size), np.uint8)
    for row in range(repeats + 1):
        for column in range(-1, repeats + 1):
            center = ((column + 0.5 * (row % 2)) * size / repeats, row * size / repeats)
            cv2.circle(cover, _fixed(center), round(radius * 16), 255, -1, cv2.LINE_AA, 4)
    name, rgb = colors.other(1)
    tile.blend(cover.astype(np.float32) / 255, rgb, name)
    return tile.fabric(rng, 0.012)


def _fixed(point: tuple[float, float]) -> tuple[int, int]:
    return round(point[0] * 16), round(point[1] * 16)


def printed(colors: Colors, rng: np.random.Generator, size: int) -> Fabric:
    """Flowers, leaves, shapes or camouflage scattered over the cloth."""
    tile = Tile.of(size, colors.rgb[0], colors.names[0])
    style = pick(rng, ("flower", "leaf", "flower", "shape", "camouflage", "animal"), (3, 2, 2, 1.5, 0.7, 0.8))
    if style in {"camouflage", "animal"}:
        _blotches(tile, colors, rng, 9.0 if style == "camouflage" else 4.0, style == "animal")
        return tile.fabric(rng, 0.014)
    count = int(rng.integers(3, 6))
    cell = size / count
    for row in range(count):
        for column in range(count):
            center = (
                (column + 0.5 * (row % 2) + between(rng, -0.2, 0.2)) * cell,
                (row + between(rng, -0.2, 0.2)) * cell,
            )
            position = 1 + int(rng.integers(max(1, len(colors.names) - 1)))
            _stamp(tile, style, center, cell * between(rng, 0.38, 0.58), position, colors, rng)
    return tile.fabric(rng, 0.012)


def _stamp(
    tile: Tile,
    style: str,
    center: tuple[float, float],
    radius: float,
    position: int,
    colors: Colors,
    rng: np.random.Generator,
) -> None:
    size = tile.size
    parts = draw_motif(style, radius, rng)
    for number, part in enumerate(parts):
        name, rgb = colors.other(position if style == "leaf" else position + number)
        cover = np.zeros((size, size), np.uint8)
        for dx in (-size, 0, size):
            for dy in (-size, 0, size):
                moved = [shifted(ring, center[0] + dx, center[1] + dy) for ring in part]
                low, high = (
                    np.min([r.min(axis=0) for r in moved], axis=0),
                    np.max([r.max(axis=0) for r in moved], axis=0),
                )
                if high.min() < 0 or low.max() > size:
                    continue
                cv2.fillPoly(cover, [np.rint(r * 16).astype(np.int32) for r in moved], 255, cv2.LINE_AA, 4)
        tile.blend(cover.astype(np.float32) / 255, rgb, name)


def _blotches(tile: Tile, colors: Colors, rng: np.random.Generator, sigma: float, rings: bool) -> None:
    scale = tile.size / 256
    for position in range(1, max(2, len(colors.names))):
        field = tile_noise(rng, tile.size, sigma * scale)
        name, rgb = colors.other(position)
        if rings:
            tile.blend(np.clip((np.abs(field - 0.9) < 0.42).astype(np.float32), 0, 1), rgb, name)
        else:
            tile.blend(np.clip((field - 0.35) * 9, 0, 1), rgb, name)
