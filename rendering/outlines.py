"""Outlines in canvas units: splines with corners, mirrored halves, ellipses, tubes, homographies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Point = tuple[float, float] | tuple[float, float, int]


def _catmull_rom(points: Array, samples: int) -> Array:
    """Interpolate an open run of (N, 2) points by a uniform Catmull-Rom spline; the last point is left out."""
    if len(points) == 2:
        return points[:1]
    padded = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    before, start, end, after = padded[:-3], padded[1:-2], padded[2:-1], padded[3:]
    t = (np.arange(samples) / samples)[None, :, None]
    before, start, end, after = (part[:, None, :] for part in (before, start, end, after))
    curve = 0.5 * (
        2 * start
        + (end - before) * t
        + (2 * before - 5 * start + 4 * end - after) * t**2
        + (3 * start - before - 3 * end + after) * t**3
    )
    return np.asarray(curve.reshape(-1, 2))


def outline(points: Sequence[Point], samples: int = 8) -> Array:
    """A closed outline through `points`.

    Args:
        points: (x, y) for a smooth point, (x, y, 1) for a corner.
        samples: vertices per segment.

    Returns:
        (N, 2) float64 vertices.
    """
    xy = np.array([point[:2] for point in points], dtype=np.float64)
    corners = [index for index, point in enumerate(points) if len(point) == 3 and point[2]]
    count = len(xy)
    if not corners:
        ring = np.vstack([xy[-1:], xy, xy[:2]])
        curve = _catmull_rom(ring, samples)
        return curve[samples : samples * (count + 1)]
    parts = []
    for position, first in enumerate(corners):
        last = corners[(position + 1) % len(corners)]
        length = (last - first) % count or count
        run = xy[[(first + step) % count for step in range(length + 1)]]
        parts.append(_catmull_rom(run, samples))
    return np.vstack(parts)


def curve(points: Sequence[Point] | Array, samples: int = 8) -> Array:
    """An open smooth curve through (x, y) points."""
    xy = np.array([tuple(point)[:2] for point in points], dtype=np.float64)
    return np.vstack([_catmull_rom(xy, samples), xy[-1:]])


def mirrored(half: Sequence[Point], axis: float = 500.0, samples: int = 8) -> Array:
    """A left-right symmetrical outline from its right half, listed from top center to bottom center."""
    right = list(half)
    left: list[Point] = [(2 * axis - p[0], *p[1:]) for p in reversed(right) if abs(p[0] - axis) > 1e-6]  # type: ignore[misc]
    return outline([*right, *left], samples)


def ellipse(cx: float, cy: float, rx: float, ry: float, degrees: float = 0.0, samples: int = 48) -> Array:
    """An ellipse as a closed outline."""
    t = np.linspace(0, 2 * np.pi, samples, endpoint=False)
    points = np.stack([rx * np.cos(t), ry * np.sin(t)], axis=1)
    return shifted(rotated(points, degrees), cx, cy)


def rectangle(x0: float, y0: float, x1: float, y1: float, radius: float = 0.0) -> Array:
    """A rectangle, with rounded corners where `radius` is above 0."""
    if radius <= 0:
        return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], dtype=np.float64)
    radius = min(radius, (x1 - x0) / 2, (y1 - y0) / 2)
    t = np.linspace(0, np.pi / 2, 7)
    corners = []
    for cx, cy, start in (
        (x1 - radius, y0 + radius, -np.pi / 2),
        (x1 - radius, y1 - radius, 0.0),
        (x0 + radius, y1 - radius, np.pi / 2),
        (x0 + radius, y0 + radius, np.pi),
    ):
        corners.append(np.stack([cx + radius * np.cos(t + start), cy + radius * np.sin(t + start)], axis=1))
    return np.vstack(corners)


def rotated(points: Array, degrees: float, center: tuple[float, float] = (0.0, 0.0)) -> Array:
    """Rotate points clockwise (y grows downward) about `center`."""
    angle = np.deg2rad(degrees)
    matrix = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return np.asarray((np.asarray(points) - center) @ matrix + center)


def tube(points: Sequence[Point] | Array, widths: float | Sequence[float], samples: int = 8) -> Array:
    """The outline of a band along a curve.

    Args:
        points: center line, (x, y) each.
        widths: full width, one for all or one per point.
        samples: vertices per segment.
    """
    xy = np.array([tuple(point)[:2] for point in points], dtype=np.float64)
    center = curve(xy, samples)
    along = np.linspace(0, len(xy) - 1, len(center))
    given = np.full(len(xy), widths) if isinstance(widths, int | float) else np.asarray(widths, dtype=np.float64)
    half = np.interp(along, np.arange(len(xy)), given) / 2
    tangent = np.gradient(center, axis=0)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-9)
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], axis=1) * half[:, None]
    return np.vstack([center + normal, (center - normal)[::-1]])


def shifted(points: Array, dx: float, dy: float) -> Array:
    """Points moved by (dx, dy)."""
    return np.asarray(points + np.array([dx, dy]))


def homography(source: Array, target: Array) -> Array:
    """The 3x3 matrix that takes four source points to four target points."""
    matrix: Array = cv2.getPerspectiveTransform(np.float32(source), np.float32(target))  # type: ignore[arg-type]
    return matrix


def project(points: Array, matrix: Array) -> Array:
    """Apply a 3x3 homography to (N, 2) points."""
    homogeneous = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    return np.asarray(homogeneous[:, :2] / homogeneous[:, 2:])
