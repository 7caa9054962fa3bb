"""What lies behind and around a product: studio, wall, table, shelf and their clutter; and the shadow it throws."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from rendering.canvas import Canvas, Light
from rendering.clutter import desk_items, shelf_items
from rendering.noise import layered_noise, smooth_noise
from rendering.seeds import between, chance, pick

Array = NDArray[Any]
Placement = Literal["stand", "lay", "hang"]

BACKGROUNDS = ("white", "gradient", "wall", "wood", "textile", "clutter")
"""Kinds of background; `white` is pure or nearly pure."""

HORIZON = 0.62
"""Height of the back edge of floors and tables, share of the picture."""

_WALLS = (
    (0.91, 0.89, 0.86),
    (0.82, 0.86, 0.88),
    (0.93, 0.86, 0.84),
    (0.80, 0.85, 0.80),
    (0.90, 0.85, 0.74),
    (0.74, 0.78, 0.84),
    (0.95, 0.78, 0.72),
    (0.62, 0.71, 0.70),
    (0.86, 0.80, 0.88),
    (0.45, 0.52, 0.58),
    (0.97, 0.90, 0.70),
    (0.70, 0.62, 0.55),
)
_WOODS = ((0.78, 0.62, 0.45), (0.62, 0.44, 0.29), (0.86, 0.75, 0.60), (0.45, 0.31, 0.22), (0.72, 0.68, 0.63))


def background(
    kind: str, placement: Placement, width: int, height: int, light: Light, rng: np.random.Generator
) -> Array:
    """Paint a background.

    Args:
        kind: one of `BACKGROUNDS`.
        placement: whether the product stands, lies or hangs.
        width: pixels.
        height: pixels.
        light: for the fall-off of light.
        rng: source of randomness.

    Returns:
        (height, width, 3) float32 sRGB 0..1.
    """
    painter = _PAINTERS[kind]
    image = painter(placement, width, height, rng)
    if kind != "white":
        image *= _falloff(width, height, light, between(rng, 0.06, 0.2))[..., None]
    return image


def _falloff(width: int, height: int, light: Light, strength: float) -> Array:
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    return np.asarray(1 + strength * (0.55 * x * light.x + 0.55 * y * light.y) - strength * 0.35 * (x**2 + y**2))


def _even(width: int, height: int, rgb: tuple[float, float, float]) -> Array:
    return np.full((height, width, 3), rgb, np.float32)


def _white(placement: Placement, width: int, height: int, rng: np.random.Generator) -> Array:
    if chance(rng, 0.6):
        return _even(width, height, (1.0, 1.0, 1.0))
    image = _even(width, height, (between(rng, 0.955, 0.985),) * 3)
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    return np.asarray(np.clip(image + 0.035 * (1 - x**2 - y**2)[..., None], 0, 1))


def _gradient(placement: Placement, width: int, height: int, rng: np.random.Generator) -> Array:
    if chance(rng, 0.55):
        gray = between(rng, 0.76, 0.93)
        top = np.array([gray + d for d in (0.0, 0.004, 0.01)], np.float32)
    else:
        top = np.array(pick(rng, _WALLS), np.float32)
    y = np.linspace(0, 1, height, dtype=np.float32)
    # A paper sweep: the wall darkens towards the bend and the floor comes forward bright.
    bend = between(rng, 0.62, 0.78)
    tone = np.where(y < bend, 1.02 - 0.14 * (y / bend) ** 2, 0.90 + 0.16 * (y - bend) / (1 - bend))
    tone = cv2.GaussianBlur(tone.reshape(-1, 1).astype(np.float32), (1, 0), sigmaX=0.01, sigmaY=height * 0.04).ravel()
    return np.asarray(np.clip(np.broadcast_to(top, (height, width, 3)) * tone[:, None, None], 0, 1), dtype=np.float32)


def _wall(placement: Placement, width: int, height: int, rng: np.random.Generator) -> Array:
    rgb = pick(rng, _WALLS)
    image = _even(width, height, rgb)
    image += (0.012 * layered_noise(rng, height, width, 60) + 0.012 * smooth_noise(rng, height, width, 2.2))[..., None]
    if placement == "stand":
        _floor(image, rng, _even(width, height, tuple(float(v) for v in np.array(pick(rng, _WALLS)) * 0.92)))  # type: ignore[arg-type]
    return image


def _floor(image: Array, rng: np.random.Generator, floor: Array) -> None:
    """Lay a floor over the lower part, with a shaded edge at the back."""
    height = len(image)
    edge = int(height * HORIZON)
    image[edge:] = floor[edge:]
    rows = np.arange(edge, height, dtype=np.float32)
    image[edge:] *= (0.86 + 0.2 * (rows - edge) / max(height - edge, 1))[:, None, None]
    band = slice(max(edge - 8, 0), edge + 8)
    image[band] = cv2.GaussianBlur(image[band], (0, 0), 1.6)
    if chance(rng, 0.4):
        skirting = slice(max(edge - int(height * 0.035), 0), edge)
        image[skirting] = 0.35 * image[skirting] + 0.65 * np.float32(0.95)


def planks(width: int, height: int, rng: np.random.Generator, boards: int, tone: tuple[float, float, float]) -> Array:
    """Boards seen from above, side by side; (height, width, 3) float32."""
    length, across = height, width
    grain = rng.standard_normal((length, across)).astype(np.float32)
    grain = cv2.GaussianBlur(grain, (0, 0), sigmaX=0.8, sigmaY=24)
    grain /= max(float(grain.std()), 1e-6)
    wander = layered_noise(rng, length, across, 120, 2)
    x = np.arange(across, dtype=np.float32)[None, :]
    rings = np.sin(x * 0.14 + 9 * wander) * 0.5 + np.sin(x * 0.5 + 13 * wander) * 0.25
    edges = np.linspace(0, across, boards + 1)
    board = np.clip(np.searchsorted(edges, x[0], side="right") - 1, 0, boards - 1)
    level = 1 + rng.uniform(-0.09, 0.09, boards).astype(np.float32)[board]
    image = np.array(tone, np.float32) * (level[None, :, None] + (0.035 * grain + 0.05 * rings)[..., None])
    gap = np.min(np.abs(x[0][None, :] - edges[1:-1][:, None]), axis=0) if boards > 1 else np.full(across, 99.0)
    image *= (1 - 0.6 * np.exp(-((gap / 1.6) ** 2)))[None, :, None].astype(np.float32)
    return np.asarray(image, dtype=np.float32)


def _table(width: int, height: int, rng: np.random.Generator) -> Array:
    """A wooden table top in perspective, over the whole picture; only the part below the horizon is of use."""
    tone = pick(rng, _WOODS)
    flat = planks(320, 320, rng, int(rng.integers(4, 8)), tone)
    edge = height * HORIZON
    source = np.array([[0, 0], [320, 0], [320, 320], [0, 320]], np.float32)
    target = np.array(
        [[width * 0.08, edge], [width * 0.92, edge], [width * 1.5, height], [-width * 0.5, height]], np.float32
    )
    matrix = cv2.getPerspectiveTransform(source, target)
    table: Array = cv2.warpPerspective(
        flat, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    return table


def _wood(placement: Placement, width: int, height: int, rng: np.random.Generator) -> Array:
    if placement != "stand":
        image = planks(width, height, rng, int(rng.integers(3, 7)), pick(rng, _WOODS))
        return np.ascontiguousarray(image)
    image = _wall("hang", width, height, rng)
    image = np.asarray(cv2.GaussianBlur(image, (0, 0), 3))
    _floor_from(image, _table(width, height, rng))
    return image


def _floor_from(image: Array, floor: Array) -> None:
    edge = int(len(image) * HORIZON)
    image[edge:] = floor[edge:]
    band = slice(max(edge - 6, 0), edge + 6)
    image[band] = cv2.GaussianBlur(image[band], (0, 0), 1.2)


def _textile(placement: Placement, width: int, height: int, rng: np.random.Generator) -> Array:
    if placement == "stand":
        return _wall(placement, width, height, rng)
    rgb = pick(
        rng, ((0.90, 0.88, 0.84), (0.78, 0.76, 0.73), (0.84, 0.80, 0.74), (0.70, 0.74, 0.78), (0.93, 0.93, 0.93))
    )
    image = _even(width, height, rgb)
    if chance(rng, 0.35):
        veins = layered_noise(rng, height, width, 150, 4)
        image = _even(width, height, (0.94, 0.94, 0.945))
        strength = np.clip(smooth_noise(rng, height, width, 110), 0, 1)
        image -= (0.13 * strength * np.exp(-((veins / 0.045) ** 2)) + 0.05 * strength * np.exp(-((veins / 0.3) ** 2)))[
            ..., None
        ]
        return image
    folds = layered_noise(rng, height, width, 130, 2)
    slope: Array = cv2.Sobel(folds, cv2.CV_32F, 1, 1, ksize=5)
    x, y = np.arange(width, dtype=np.float32)[None, :], np.arange(height, dtype=np.float32)[:, None]
    weave = np.sin(x * 1.9) * np.sin(y * 1.9) * 0.02 + 0.02 * rng.standard_normal((height, width), dtype=np.float32)
    image *= (1 + weave + 0.05 * np.tanh(slope * 2))[..., None]
    return image


def _clutter(placement: Placement, width: int, height: int, rng: np.random.Generator) -> Array:
    if placement == "stand":
        image = np.asarray(cv2.GaussianBlur(_wall("hang", width, height, rng), (0, 0), 2))
        layer = shelf_items(width, height, HORIZON, rng)
        _over(image, layer, between(rng, 2.0, 5.0) * max(width, height) / 640)
        _floor_from(image, _table(width, height, rng))
        return image
    image = _wood("lay", width, height, rng) if chance(rng, 0.5) else _textile("lay", width, height, rng)
    layer = desk_items(width, height, rng)
    alpha = cv2.GaussianBlur(layer.alpha, (0, 0), 7)
    image *= (1 - 0.4 * np.roll(alpha, (7, 5), (0, 1)))[..., None]
    _over(image, layer, 0.7)
    return image


def _over(image: Array, layer: Canvas, blur: float) -> None:
    rgb, alpha = layer.rgb, layer.alpha
    if blur > 0:
        rgb, alpha = cv2.GaussianBlur(rgb, (0, 0), blur), cv2.GaussianBlur(alpha, (0, 0), blur)
    image *= (1 - alpha)[..., None]
    image += rgb


_PAINTERS: dict[str, Callable[[Placement, int, int, np.random.Generator], Array]] = {
    "white": _white,
    "gradient": _gradient,
    "wall": _wall,
    "wood": _wood,
    "textile": _textile,
    "clutter": _clutter,
}


def cast_shadow(image: Array, alpha: Array, placement: Placement, light: Light, strength: float) -> None:
    """Darken the background where the product keeps light away; changes `image`.

    Args:
        image: (h, w, 3) float32.
        alpha: (h, w) coverage of the product, in place.
        placement: a standing product throws its shadow on the floor; others on the surface behind them.
        light: direction.
        strength: 0..1.
    """
    height, width = alpha.shape
    factor = 0.25
    small = cv2.resize(alpha, (max(8, int(width * factor)), max(8, int(height * factor))), interpolation=cv2.INTER_AREA)
    rows, columns = np.flatnonzero(small.max(axis=1) > 0.5), np.flatnonzero(small.max(axis=0) > 0.5)
    if not rows.size or not columns.size:
        return
    size = max(small.shape)
    if placement == "stand":
        shadow = _floor_shadow(small, float(rows[-1] + 1), light, size)
    else:
        reach = size * (0.012 if placement == "lay" else 0.022)
        matrix = np.array([[1, 0, -light.x * reach], [0, 1, -light.y * reach]], np.float64)
        moved = cv2.warpAffine(small, matrix, (small.shape[1], small.shape[0]))
        shadow = 0.6 * cv2.GaussianBlur(moved, (0, 0), size * 0.012) + 0.4 * cv2.GaussianBlur(
            moved, (0, 0), size * 0.035
        )
    shadow = cv2.resize(shadow.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    image *= (1 - np.float32(strength) * np.clip(shadow, 0, 1))[..., None]


def _floor_shadow(small: Array, base: float, light: Light, size: int) -> Array:
    """Contact shadow under the feet and the cast shadow, which lies down away from the lamp."""
    height, width = small.shape
    squash, lean = 0.16, -light.x * 0.55
    # Points above the base fall back (up the picture) by `squash` and sideways by `lean` of their height.
    matrix = np.array([[1, -lean, lean * base], [0, squash, base * (1 - squash)]], np.float64)
    lying = cv2.warpAffine(small, matrix, (width, height))
    lying = cv2.GaussianBlur(lying, (0, 0), size * 0.018)
    low = small.copy()
    low[: max(int(base - size * 0.05), 0)] = 0
    matrix = np.array([[1, 0, 0], [0, 0.5, base * 0.5 + size * 0.006]], np.float64)
    contact = cv2.GaussianBlur(cv2.warpAffine(low, matrix, (width, height)), (0, 0), size * 0.010)
    return np.asarray(0.55 * lying + 0.85 * contact)
