"""Backgrounds of training pictures, and how photos spoil a picture: light, color, blur, noise, compression."""

from __future__ import annotations

import cv2
import numpy as np

from models.detector.geometry import box_of
from models.detector.samples import ABSENT, Bytes, Sample

Generator = np.random.Generator

# A sample's side strip serves as background when it spans at least this share of the picture.
_LEAST_STRIP = 0.18


def side_strip(sample: Sample) -> tuple[slice, slice] | None:
    """The largest strip of the picture beside, above or below everything that may be product."""
    box = box_of(sample.product != ABSENT)
    if box is None:
        return None
    height, width = sample.pixels.shape[:2]
    x_min, y_min, x_max, y_max = (int(edge) for edge in box)
    everything = slice(None)
    strips = [
        (x_min / width, (everything, slice(0, x_min))),
        (1 - x_max / width, (everything, slice(x_max, width))),
        (y_min / height, (slice(0, y_min), everything)),
        (1 - y_max / height, (slice(y_max, height), everything)),
    ]
    share, strip = max(strips, key=lambda one: one[0])
    return strip if share >= _LEAST_STRIP else None


def plain_surface(side: int, rng: Generator) -> Bytes:
    """A (side, side, 3) surface: one color, graded, often with soft or coarse texture."""
    base = rng.uniform(0, 255, 3) if rng.random() < 0.6 else np.full(3, rng.uniform(170, 255))
    ramp = np.linspace(-1, 1, side)
    slope = rng.normal(0, 14, 2)
    surface = np.zeros((side, side)) + slope[0] * ramp[None, :] + slope[1] * ramp[:, None]
    if rng.random() < 0.6:
        coarse = rng.normal(0, rng.uniform(5, 40), (int(rng.integers(3, 40)), int(rng.integers(3, 40))))
        surface += cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(base + surface[..., None], 0, 255), np.uint8)


def spoil(pixels: Bytes, rng: Generator) -> Bytes:
    """Other light, colors, blur, noise and compression."""
    if rng.random() < 0.8:
        gain = np.exp(rng.normal(0, 0.12) + rng.normal(0, 0.05, 3))
        gamma = float(np.exp(rng.normal(0, 0.15)))
        levels = np.clip(255 * (np.arange(256) / 255) ** gamma, 0, 255)
        table = np.clip(levels[:, None] * gain + rng.normal(0, 6), 0, 255).astype(np.uint8)
        pixels = np.asarray(cv2.LUT(pixels, table[None]))
    if rng.random() < 0.15:
        gray = cv2.cvtColor(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        share = float(rng.random())
        pixels = np.asarray(cv2.addWeighted(gray, share, pixels, 1 - share, 0))
    kind = rng.random()
    if kind < 0.2:
        pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.4, 1.3)))
    elif kind < 0.35:
        noise = rng.normal(0, rng.uniform(2, 10), pixels.shape).astype(np.float32)
        pixels = np.asarray(np.clip(pixels + noise, 0, 255), np.uint8)
    if rng.random() < 0.3:
        quality = int(rng.integers(30, 90))
        _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
        pixels = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))
    return np.ascontiguousarray(pixels)
