"""Bodies of revolution seen from slightly above: bottles, cans, jars, cups, vases, lamps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rendering.canvas import Canvas, Paint, Patch
from rendering.outlines import Point, ellipse, outline
from rendering.palette_choice import NO_COLOR
from rendering.relief import cylinder, turned

Array = NDArray[Any]
_EDGE = np.deg2rad(72)
"""Beyond this angle from the front, print is too foreshortened to be read."""


@dataclass(frozen=True)
class TurnedBody:
    """A profile turned about a vertical axis.

    Args:
        cx: the axis, canvas units.
        heights: (N,) y from top to bottom.
        radii: (N,) radius at each height.
        tilt: how far circles open to the viewer: height of their ellipse / width.
    """

    cx: float
    heights: Array
    radii: Array
    tilt: float = 0.1

    @classmethod
    def of(cls, cx: float, profile: Sequence[Point], tilt: float = 0.1) -> TurnedBody:
        """Build from (radius, y) points, top first; a third value 1 marks a corner."""
        first, last = profile[0], profile[-1]
        points: list[Point] = [(first[0], first[1], 1), *profile[1:-1], (last[0], last[1], 1)]
        # Close the profile far to the left so that only the given side is a smooth curve.
        ring = outline([*points, (-5000.0, last[1], 1), (-5000.0, first[1], 1)], 10)
        side = ring[ring[:, 0] >= 0]
        heights = np.maximum.accumulate(side[:, 1])
        return cls(cx, heights, side[:, 0], tilt)

    def radius(self, y: Array | float) -> Any:
        """Radius at a height, constant beyond the ends."""
        return np.interp(y, self.heights, self.radii)

    @property
    def top(self) -> float:
        """Upper end."""
        return float(self.heights[0])

    @property
    def bottom(self) -> float:
        """Lower end of the axis; the front edge lies `tilt * radius` lower."""
        return float(self.heights[-1])

    def ring(self) -> Array:
        """The outline, with the round front edge at the bottom and the round back edge at the top."""
        right = np.stack([self.cx + self.radii, self.heights], axis=1)
        left = np.stack([self.cx - self.radii, self.heights], axis=1)[::-1]
        t = np.linspace(0, np.pi, 24)[1:-1]
        low, high = float(self.radii[-1]), float(self.radii[0])
        front = np.stack([self.cx + low * np.cos(t), self.bottom + low * self.tilt * np.sin(t)], axis=1)
        back = np.stack([self.cx - high * np.cos(t), self.top - high * self.tilt * np.sin(t)], axis=1)
        return np.vstack([right, front, left, back])

    def fill(self, canvas: Canvas, paint: Paint, gloss: float = 0.25, opacity: float = 1.0, dim: float = 1.0) -> Patch:
        """Paint the body with the shading of something round."""
        patch = canvas.cut(self.ring())
        if patch.empty:
            return patch
        shade, glow = cylinder(self._across(canvas, patch), canvas.light, gloss)
        if self.tilt:
            rows = (np.arange(patch.cover.shape[0], dtype=np.float32) + patch.y) / canvas.scale
            near = np.clip((rows - self.bottom + 30) / 60, 0, 1)
            shade = shade * (1 - 0.12 * near)[:, None]
        return canvas.fill(patch, paint, shade * np.float32(dim), glow, opacity)

    def _across(self, canvas: Canvas, patch: Patch) -> Array:
        rows = (np.arange(patch.cover.shape[0], dtype=np.float32) + patch.y + 0.5) / canvas.scale
        radius = np.maximum(self.radius(rows), 1.0)
        return turned(patch, self.cx - radius, self.cx + radius, canvas)

    def mouth(self, canvas: Canvas, paint: Paint, share: float = 0.9, dim: float = 0.55) -> None:
        """The open top: the inside of the back wall."""
        radius = float(self.radii[0])
        patch = canvas.cut(ellipse(self.cx, self.top, radius, radius * self.tilt))
        canvas.fill(patch, paint, 1.08)
        inner = canvas.cut(ellipse(self.cx, self.top, radius * share, radius * self.tilt * share))
        if inner.empty:
            return
        u = turned(inner, self.cx - radius, self.cx + radius, canvas)
        shade, _ = cylinder(-u, canvas.light)
        canvas.fill(inner, paint, shade * np.float32(dim))

    def wrap(
        self,
        canvas: Canvas,
        art: Canvas,
        top: float,
        bottom: float,
        span: float,
        turn: float = 0.0,
        gloss: float = 0.12,
    ) -> None:
        """Wrap a flat print around the body.

        Args:
            canvas: where the body stands.
            art: the print, flat.
            top: upper edge at the axis, canvas units.
            bottom: lower edge.
            span: angle the print covers, radians.
            turn: angle by which its middle is turned to the right, radians.
            gloss: shine of the print.
        """
        scale = canvas.scale
        reach = float(np.max(self.radius(np.linspace(top, bottom, 8))))
        y0, y1 = int(max(0, (top - 4) * scale)), int(min(canvas.height, (bottom + reach * self.tilt + 6) * scale))
        x0, x1 = int(max(0, (self.cx - reach - 2) * scale)), int(min(canvas.width, (self.cx + reach + 2) * scale))
        if y1 <= y0 or x1 <= x0:
            return
        y = (np.arange(y0, y1, dtype=np.float32)[:, None] + 0.5) / scale
        x = (np.arange(x0, x1, dtype=np.float32)[None, :] + 0.5) / scale
        radius = np.maximum(self.radius(y[:, 0] - reach * self.tilt * 0.5), 1.0).astype(np.float32)[:, None]
        u = (x - self.cx) / radius
        angle = np.arcsin(np.clip(u, -1, 1))
        across = (angle - turn) / span + 0.5
        down = (y - self.tilt * radius * np.cos(angle) - top) / (bottom - top)
        # Half a pixel of soft edge at the sides of the body keeps the print inside it.
        inside = np.clip((1 - np.abs(u)) * radius * scale + 0.5, 0, 1)
        map_x = (across * art.width - 0.5).astype(np.float32)
        map_y = (down * art.height - 0.5).astype(np.float32)
        layer = np.dstack([art.rgb, art.alpha])
        print_layer = cv2.remap(layer, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        label = cv2.remap(
            art.label, map_x, map_y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=NO_COLOR
        )
        shade, glow = cylinder(np.clip(u, -1, 1), canvas.light, gloss)
        cover = print_layer[..., 3] * inside
        print_layer[..., :3] = np.clip(
            print_layer[..., :3] * shade[..., None] + (glow * print_layer[..., 3])[..., None], 0, 1
        )
        print_layer *= inside[..., None]
        print_layer[..., :3] = np.minimum(print_layer[..., :3], cover[..., None])
        canvas.paste_window(x0, y0, print_layer, label)
        self._wrap_texts(canvas, art, top, bottom, span, turn)

    def _wrap_texts(self, canvas: Canvas, art: Canvas, top: float, bottom: float, span: float, turn: float) -> None:
        wide, high = art.width / art.scale, art.height / art.scale
        for line in art.texts:
            low, far = line.quad.min(axis=0), line.quad.max(axis=0)
            x = np.linspace(low[0], far[0], 9)
            angle = (x / wide - 0.5) * span + turn
            if np.abs(angle).max() > _EDGE:
                continue
            edges = []
            for y in (low[1], far[1]):
                level = top + y / high * (bottom - top)
                radius = self.radius(level)
                edges.append(
                    np.stack([self.cx + radius * np.sin(angle), level + self.tilt * radius * np.cos(angle)], axis=1)
                )
            points = np.vstack(edges)
            (ax, ay), (bx, by) = points.min(axis=0) - 1 / canvas.scale, points.max(axis=0) + 1 / canvas.scale
            quad = np.array([[ax, ay], [bx, ay], [bx, by], [ax, by]])
            canvas.texts.append(replace(line, quad=quad))
