"""Training pictures as other shops, cameras and catalogues would show them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.pixel_store import StoredPicture

Pixels = NDArray[np.uint8]
Rectangle = tuple[float, float, float, float]


@dataclass(frozen=True)
class AugmentSettings:
    """Probabilities (0..1) and strengths of the changes.

    Args:
        whole: probability that the whole picture is shown rather than the product's box.
        scale: least and largest side of what is shown, as a share of the rectangle's side.
        stretch: largest change of the aspect ratio (factor).
        shift: largest shift, share of the side.
        rotate: largest rotation, degrees.
        flip: probability of a left-right mirror image.
        background: probability that a plain background is exchanged, where the mask can be trusted.
        light: strength of brightness, contrast and gamma changes.
        tint: strength of color casts.
        blur: probability of blur.
        noise: probability of sensor noise.
        jpeg: probability of JPEG compression.
        shrink: probability of a lower resolution, as thumbnails have.
        occlude: probability that a patch is covered.
    """

    whole: float = 0.5
    scale: tuple[float, float] = (0.65, 1.15)
    stretch: float = 1.2
    shift: float = 0.08
    rotate: float = 12.0
    flip: float = 0.5
    background: float = 0.3
    light: float = 0.3
    tint: float = 0.06
    blur: float = 0.12
    noise: float = 0.15
    jpeg: float = 0.15
    shrink: float = 0.15
    occlude: float = 0.25


def augment(picture: StoredPicture, size: int, settings: AugmentSettings, generator: np.random.Generator) -> Pixels:
    """One random view of a picture, (size, size, 3) uint8 RGB."""
    pixels = picture.pixels
    if picture.mask is not None and generator.random() < settings.background:
        pixels = _exchange_background(pixels, picture.mask, generator)
    view = _warp(pixels, _rectangle(picture, settings, generator), size, settings, generator)
    view = _degrade(view, settings, generator)
    view = _relight(view, settings, generator)
    if generator.random() < settings.occlude:
        _occlude(view, generator)
    return view


def _rectangle(picture: StoredPicture, settings: AugmentSettings, generator: np.random.Generator) -> Rectangle:
    height, width = picture.pixels.shape[:2]
    if generator.random() < settings.whole:
        return (0.0, 0.0, float(width), float(height))
    x_min, y_min, x_max, y_max = picture.box
    extra = generator.uniform(0.0, 0.15) * max(x_max - x_min, y_max - y_min)
    return (max(0.0, x_min - extra), max(0.0, y_min - extra), min(width, x_max + extra), min(height, y_max + extra))


def _warp(
    pixels: Pixels, rectangle: Rectangle, size: int, settings: AugmentSettings, generator: np.random.Generator
) -> Pixels:
    """Cut, stretch to the square, scale, shift, rotate and mirror in one resampling."""
    x_min, y_min, x_max, y_max = rectangle
    width, height = max(2.0, x_max - x_min), max(2.0, y_max - y_min)
    scale = math.exp(generator.uniform(math.log(settings.scale[0]), math.log(settings.scale[1])))
    stretch = math.exp(generator.uniform(-1, 1) * math.log(settings.stretch) / 2)
    shown_width, shown_height = width * scale * stretch, height * scale / stretch
    center_x = (x_min + x_max) / 2 + generator.uniform(-1, 1) * (settings.shift + abs(1 - scale) / 3) * width
    center_y = (y_min + y_max) / 2 + generator.uniform(-1, 1) * (settings.shift + abs(1 - scale) / 3) * height
    angle = math.radians(generator.normal(0, settings.rotate / 2))
    mirror = -1.0 if generator.random() < settings.flip else 1.0
    # Source position of a target position: rotate about the center, then stretch.
    across, down = shown_width / size, shown_height / size
    cosine, sine = math.cos(angle), math.sin(angle)
    matrix = np.array([[across * cosine * mirror, -across * sine, 0.0], [down * sine * mirror, down * cosine, 0.0]])
    half = size / 2
    matrix[:, 2] = np.array([center_x, center_y]) - matrix[:, :2] @ np.array([half, half])
    # Averaging before a strong reduction, or stripes turn to noise.
    reduction = min(across, down)
    source = pixels
    if reduction > 1.5:
        source = np.asarray(cv2.blur(pixels, (2 * round(reduction / 2) + 1, 2 * round(reduction / 2) + 1)), np.uint8)
    border = cv2.BORDER_REPLICATE if generator.random() < 0.7 else cv2.BORDER_CONSTANT
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    view = cv2.warpAffine(source, matrix, (size, size), flags=flags, borderMode=border, borderValue=(255, 255, 255))
    return np.asarray(view, np.uint8)


def _exchange_background(pixels: Pixels, mask: NDArray[np.bool_], generator: np.random.Generator) -> Pixels:
    """Another plain, shaded or blotchy background behind the product."""
    height, width = pixels.shape[:2]
    soft = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)[..., None]
    kind = generator.integers(3)
    if kind == 0:
        background = np.broadcast_to(generator.uniform(20, 255, 3), (height, width, 3))
    else:
        cells = (2, 2) if kind == 1 else (int(generator.integers(3, 9)), int(generator.integers(3, 9)))
        base, spread = generator.uniform(40, 230, 3), generator.uniform(10, 60)
        coarse = np.clip(base + generator.normal(0, spread, (*cells, 3)), 0, 255).astype(np.float32)
        background = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(pixels * soft + background * (1 - soft), 0, 255), np.uint8)


def _degrade(view: Pixels, settings: AugmentSettings, generator: np.random.Generator) -> Pixels:
    size = view.shape[0]
    if generator.random() < settings.shrink:
        side = max(8, round(size * generator.uniform(0.25, 0.7)))
        small = cv2.resize(view, (side, side), interpolation=cv2.INTER_AREA)
        view = np.asarray(cv2.resize(small, (size, size), interpolation=cv2.INTER_LINEAR), np.uint8)
    if generator.random() < settings.blur:
        view = np.asarray(cv2.GaussianBlur(view, (0, 0), generator.uniform(0.4, max(0.5, size / 80))), np.uint8)
    if generator.random() < settings.noise:
        # One plane of noise scaled per channel: a third of the cost, and sensors' noise is mostly luma.
        noise = np.empty(view.shape[:2], np.int16)
        cv2.setRNGSeed(int(generator.integers(2**31)))
        cv2.randn(noise, 0, generator.uniform(3, 18))
        view = np.clip(view.astype(np.int16) + noise[..., None], 0, 255).astype(np.uint8)
    if generator.random() < settings.jpeg:
        quality = int(generator.integers(20, 80))
        _, encoded = cv2.imencode(".jpg", view, [cv2.IMWRITE_JPEG_QUALITY, quality])
        view = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)
    return view


def _relight(view: Pixels, settings: AugmentSettings, generator: np.random.Generator) -> Pixels:
    """Brightness, contrast, gamma and a color cast as one table per channel."""
    levels = np.linspace(0, 1, 256)
    gamma = math.exp(generator.normal(0, settings.light / 2))
    contrast = 1 + generator.normal(0, settings.light / 2)
    brightness = generator.normal(0, settings.light / 5)
    curve = np.clip((levels**gamma - 0.5) * contrast + 0.5 + brightness, 0, 1)
    gains = 1 + generator.normal(0, settings.tint, 3)
    table = np.clip(curve[:, None] * gains * 255, 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(view, np.ascontiguousarray(table[None])), np.uint8)


def _occlude(view: Pixels, generator: np.random.Generator) -> None:
    """Cover a patch (random erasing, Zhong et al. 2020), in place."""
    size = view.shape[0]
    area = generator.uniform(0.02, 0.15) * size * size
    aspect = math.exp(generator.uniform(-0.9, 0.9))
    width, height = min(size - 1, round(math.sqrt(area * aspect))), min(size - 1, round(math.sqrt(area / aspect)))
    left, top = int(generator.integers(0, size - width)), int(generator.integers(0, size - height))
    view[top : top + height, left : left + width] = generator.integers(0, 256, 3, np.uint8)
