"""A drawing surface that keeps color, coverage, the palette name of each pixel and the text written on it.

All coordinates are canvas units: the drawing space is 1000 units wide whatever the number of pixels. Color is kept
premultiplied by coverage, so that layers join without seams and warp without fringes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from rendering.outlines import project, tube
from rendering.palette_choice import NO_COLOR, Rgb
from rendering.truth import TextLine

Array = NDArray[Any]

UNITS = 1000.0
_SUBPIXEL_BITS = 4
_SMALL_PATCH = 40_000


@dataclass(frozen=True)
class Patch:
    """A shape on the canvas: pixel position of its window and (h, w) float32 coverage 0..1."""

    x: int
    y: int
    cover: Array

    @property
    def window(self) -> tuple[slice, slice]:
        """Rows and columns of the window."""
        height, width = self.cover.shape
        return slice(self.y, self.y + height), slice(self.x, self.x + width)

    @property
    def empty(self) -> bool:
        """Whether the shape lies outside the canvas."""
        return self.cover.size == 0


class Paint(Protocol):
    """Something a shape can be filled with."""

    def sample(self, patch: Patch, canvas: Canvas) -> tuple[Array, Array | int]:
        """Color (h, w, 3) or (3,) float 0..1 and palette positions (h, w) uint8 or one, for the patch's window."""


@dataclass(frozen=True)
class Flat:
    """One even color.

    Args:
        rgb: sRGB 0..1.
        label: position in the palette, or `NO_COLOR`.
    """

    rgb: Rgb
    label: int = NO_COLOR

    def sample(self, patch: Patch, canvas: Canvas) -> tuple[Array, Array | int]:
        """The color and its palette position."""
        return np.array(self.rgb, np.float32), self.label


@dataclass(frozen=True)
class Light:
    """Where light comes from.

    Args:
        x: -1 from the left .. 1 from the right.
        y: -1 from above.
        strength: contrast of shading; 1 is a studio lamp, 0.6 an overcast sky.
    """

    x: float = -0.5
    y: float = -0.8
    strength: float = 1.0


@dataclass
class Canvas:
    """The surface. `text_enabled` false leaves out the glyphs and nothing else."""

    width: int
    height: int
    scale: float
    light: Light = field(default_factory=Light)
    text_enabled: bool = True
    folds: Array | None = None
    texts: list[TextLine] = field(default_factory=list)
    tags: list[Array] = field(default_factory=list)
    rgb: Array = field(init=False)
    alpha: Array = field(init=False)
    label: Array = field(init=False)

    def __post_init__(self) -> None:
        self.rgb = np.zeros((self.height, self.width, 3), np.float32)
        self.alpha = np.zeros((self.height, self.width), np.float32)
        self.label = np.full((self.height, self.width), NO_COLOR, np.uint8)

    @classmethod
    def square(cls, pixels: int, light: Light | None = None, text_enabled: bool = True) -> Canvas:
        """A canvas of 1000 x 1000 units."""
        return cls(pixels, pixels, pixels / UNITS, light or Light(), text_enabled)

    def cut(self, outlines: Array | Sequence[Array], blur: float = 0.0) -> Patch:
        """Rasterise a closed outline (several make holes, even-odd), anti-aliased.

        Args:
            outlines: (N, 2) canvas units, or a sequence of such.
            blur: standard deviation of a soft edge, canvas units.
        """
        rings = [outlines] if isinstance(outlines, np.ndarray) else list(outlines)
        pixels = [ring * self.scale for ring in rings]
        margin = 2 + int(3 * blur * self.scale)
        low = np.floor(np.min([ring.min(axis=0) for ring in pixels], axis=0)).astype(int) - margin
        high = np.ceil(np.max([ring.max(axis=0) for ring in pixels], axis=0)).astype(int) + margin
        x0, y0 = max(int(low[0]), 0), max(int(low[1]), 0)
        x1, y1 = min(int(high[0]), self.width), min(int(high[1]), self.height)
        if x1 <= x0 or y1 <= y0:
            return Patch(0, 0, np.zeros((0, 0), np.float32))
        width, height = x1 - x0, y1 - y0
        # OpenCV's anti-aliased edges lie 0.7 px too far out; supersampling shrinks that to a fraction.
        finer = 4 if width * height <= _SMALL_PATCH else 2
        mask = np.zeros((height * finer, width * finer), np.uint8)
        # Pixel centers lie at half coordinates, hence the shift by 0.5.
        fixed = [np.rint(((r - (x0, y0)) * finer - 0.5) * (1 << _SUBPIXEL_BITS)).astype(np.int32) for r in pixels]
        cv2.fillPoly(mask, fixed, 255, cv2.LINE_AA, _SUBPIXEL_BITS)
        cover = cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) * np.float32(1 / 255)
        if blur > 0:
            cover = cv2.GaussianBlur(cover, (0, 0), max(blur * self.scale, 0.3))
        return Patch(x0, y0, cover)

    def lay(self, patch: Patch, color: Array, label: Array | int, opacity: float = 1.0) -> None:
        """Put color over what is there; labels change where the new coverage is above one half."""
        if patch.empty:
            return
        rows, columns = patch.window
        cover = patch.cover * np.float32(opacity)
        keep = 1 - cover
        target = self.rgb[rows, columns]
        target *= keep[..., None]
        target += np.clip(color, 0, 1) * cover[..., None]
        alpha = self.alpha[rows, columns]
        alpha *= keep
        alpha += cover
        solid = cover > 0.5
        labels = self.label[rows, columns]
        labels[solid] = label[solid] if isinstance(label, np.ndarray) else label

    def fill(
        self,
        outlines: Array | Sequence[Array] | Patch,
        paint: Paint,
        shade: Array | float = 1.0,
        glow: Array | float = 0.0,
        opacity: float = 1.0,
    ) -> Patch:
        """Fill a shape with paint.

        Args:
            outlines: closed outline(s), or a patch already cut.
            paint: what with.
            shade: factor on the color, one or (h, w) for the patch's window.
            glow: light added on top (gloss), one or (h, w).
            opacity: 0..1.
        """
        patch = outlines if isinstance(outlines, Patch) else self.cut(outlines)
        if patch.empty:
            return patch
        color, label = paint.sample(patch, self)
        self.lay(patch, lit(color, shade, glow), label, opacity)
        return patch

    def tint(
        self,
        outlines: Array | Sequence[Array] | Patch,
        rgb: Rgb = (0.0, 0.0, 0.0),
        opacity: float = 0.3,
        blur: float = 0.0,
        within: Patch | None = None,
    ) -> None:
        """Blend a color into what is already drawn, leaving coverage and labels alone: shadow, gloss, seam.

        Args:
            outlines: where.
            rgb: black for shadow, white for gloss.
            opacity: 0..1.
            blur: soft edge, canvas units.
            within: draw only inside this patch.
        """
        patch = outlines if isinstance(outlines, Patch) else self.cut(outlines, blur)
        if patch.empty:
            return
        cover = patch.cover * np.float32(opacity)
        if within is not None:
            cover = cover * _window_of(within, patch)
        rows, columns = patch.window
        target = self.rgb[rows, columns]
        target *= (1 - cover)[..., None]
        if any(rgb):
            target += (cover * self.alpha[rows, columns])[..., None] * np.array(rgb, np.float32)

    def line(
        self,
        points: Sequence[tuple[float, float]] | Array,
        width: float,
        rgb: Rgb = (0.0, 0.0, 0.0),
        opacity: float = 0.5,
        blur: float = 0.0,
        within: Patch | None = None,
    ) -> None:
        """A smooth line blended into what is drawn; see `tint`."""
        self.tint(tube(points, width), rgb, opacity, blur, within)

    def stitches(
        self, points: Sequence[tuple[float, float]] | Array, rgb: Rgb, width: float = 3.0, length: float = 9.0
    ) -> None:
        """A row of stitches along a polyline: dashes with gaps, in canvas units."""
        xy = np.asarray(points, dtype=np.float64)
        steps = np.linalg.norm(np.diff(xy, axis=0), axis=1)
        position = np.concatenate([[0.0], np.cumsum(steps)])
        starts = np.arange(0.0, position[-1], length * 1.6)
        ends = np.minimum(starts + length, position[-1])
        dashes = [
            np.stack([np.interp([a, b], position, xy[:, axis]) for axis in (0, 1)], axis=1)
            for a, b in zip(starts, ends, strict=True)
        ]
        rings = [_bar(dash, width) for dash in dashes]
        if rings:
            self.tint(self.cut(rings), rgb, 0.75)

    def paste(self, other: Canvas, matrix: Array, shade: Array | float = 1.0) -> None:
        """Lay another canvas onto this one.

        Args:
            other: the canvas to paste.
            matrix: 3x3 homography from the other's canvas units to this one's.
            shade: factor on its color, one or (h, w) of the other canvas.
        """
        to_pixels = np.diag([self.scale, self.scale, 1.0]) @ matrix @ np.diag([1 / other.scale, 1 / other.scale, 1.0])
        corners = np.array([[0, 0], [other.width, 0], [other.width, other.height], [0, other.height]], np.float64)
        box = project(corners, to_pixels)
        low, high = np.floor(box.min(axis=0)).astype(int) - 1, np.ceil(box.max(axis=0)).astype(int) + 1
        x0, y0 = max(int(low[0]), 0), max(int(low[1]), 0)
        x1, y1 = min(int(high[0]), self.width), min(int(high[1]), self.height)
        if x1 <= x0 or y1 <= y0:
            return
        shift = np.array([[1, 0, -x0], [0, 1, -y0], [0, 0, 1]], np.float64)
        # warpPerspective maps pixel centers; the half-pixel terms keep edges where the geometry puts them.
        half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
        full = np.linalg.inv(half) @ shift @ to_pixels @ half
        size = (x1 - x0, y1 - y0)
        source = other.rgb if isinstance(shade, float) and shade == 1.0 else other.rgb * np.atleast_3d(shade)
        layer = np.dstack([source, other.alpha]).astype(np.float32, copy=False)
        warped = cv2.warpPerspective(layer, full, size, flags=cv2.INTER_LINEAR)
        labels = cv2.warpPerspective(
            other.label, full, size, flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=NO_COLOR
        )
        self._lay_premultiplied(x0, y0, warped, labels)
        self._take_texts(other, matrix)

    def paste_window(self, x: int, y: int, layer: Array, labels: Array) -> None:
        """Lay a premultiplied (h, w, 4) layer with its labels at a pixel position inside the canvas."""
        self._lay_premultiplied(x, y, layer, labels)

    def _lay_premultiplied(self, x: int, y: int, layer: Array, labels: Array) -> None:
        height, width = labels.shape
        rows, columns = slice(y, y + height), slice(x, x + width)
        cover = layer[..., 3]
        keep = 1 - cover
        self.rgb[rows, columns] = self.rgb[rows, columns] * keep[..., None] + layer[..., :3]
        self.alpha[rows, columns] = self.alpha[rows, columns] * keep + cover
        solid = cover > 0.5
        self.label[rows, columns][solid] = labels[solid]

    def _take_texts(self, other: Canvas, matrix: Array) -> None:
        for line in other.texts:
            self.texts.append(replace(line, quad=project(line.quad, matrix)))
        for tag in other.tags:
            self.tags.append(project(tag, matrix))


def lit(color: Array, shade: Array | float, glow: Array | float) -> Array:
    """Color under light: dark cloth would swallow all shading, so a little of it is added as well as multiplied."""
    factor = shade[..., None] if isinstance(shade, np.ndarray) else shade
    gloss = glow[..., None] if isinstance(glow, np.ndarray) else glow
    return np.asarray(color * factor + (factor - 1) * np.float32(0.05) + gloss)


def _bar(ends: Array, width: float) -> Array:
    direction = ends[1] - ends[0]
    length = max(float(np.linalg.norm(direction)), 1e-6)
    normal = np.array([-direction[1], direction[0]]) / length * width / 2
    return np.array([ends[0] + normal, ends[1] + normal, ends[1] - normal, ends[0] - normal])


def _window_of(within: Patch, patch: Patch) -> Array:
    """The coverage of `within` over the window of `patch`."""
    height, width = patch.cover.shape
    result = np.zeros((height, width), np.float32)
    inner_height, inner_width = within.cover.shape
    y0, y1 = max(patch.y, within.y), min(patch.y + height, within.y + inner_height)
    x0, x1 = max(patch.x, within.x), min(patch.x + width, within.x + inner_width)
    if y1 > y0 and x1 > x0:
        result[y0 - patch.y : y1 - patch.y, x0 - patch.x : x1 - patch.x] = within.cover[
            y0 - within.y : y1 - within.y, x0 - within.x : x1 - within.x
        ]
    return result
