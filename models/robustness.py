"""Spoils pictures in steps, to see how far a model follows.

The idea of kinds and five strengths is that of Hendrycks and Dietterich (2019), "Benchmarking Neural Network
Robustness to Common Corruptions and Perturbations"; the amounts are chosen for product photos of a few hundred px.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels: TypeAlias = NDArray[np.uint8]
Kind = Literal["noise", "blur", "occlusion", "jpeg", "brightness"]

KINDS: tuple[Kind, ...] = get_args(Kind)
STRENGTHS = (1, 2, 3, 4, 5)

AMOUNTS: dict[Kind, tuple[float, ...]] = {
    "noise": (8.0, 16.0, 26.0, 40.0, 60.0),
    "blur": (0.003, 0.006, 0.010, 0.016, 0.024),
    "occlusion": (0.05, 0.10, 0.20, 0.30, 0.40),
    "jpeg": (60, 35, 20, 12, 6),
    "brightness": (0.25, 0.5, 1.0, 1.5, 2.0),
}
"""Amount by kind at strength 1..5; `UNITS` says of what."""

UNITS: dict[Kind, str] = {
    "noise": "standard deviation of Gaussian noise, 8-bit levels",
    "blur": "standard deviation of Gaussian blur, share of the long side",
    "occlusion": "share of the picture under one plain rectangle",
    "jpeg": "JPEG quality",
    "brightness": "exposure stops, up or down by chance",
}


@dataclass(frozen=True)
class Corruption:
    """One way and strength of spoiling.

    Args:
        kind: what happens.
        strength: 1 (slight) to 5.
        seed: with the picture's key, decides what is left to chance.
    """

    kind: Kind
    strength: int
    seed: int = 0

    @property
    def amount(self) -> float:
        """The amount, in the kind's unit."""
        return AMOUNTS[self.kind][self.strength - 1]


def corrupt(pixels: Pixels, corruption: Corruption, key: str = "") -> Pixels:
    """Spoil a picture; the same picture, key and corruption give the same result.

    Args:
        pixels: (H, W, 3) uint8 RGB; not changed.
        corruption: what to do.
        key: names the picture, so that chance differs from picture to picture.
    """
    random = np.random.default_rng([corruption.seed, corruption.strength, zlib.crc32(key.encode())])
    amount = corruption.amount
    if corruption.kind == "noise":
        return _rounded(pixels + random.normal(0.0, amount, pixels.shape))
    if corruption.kind == "blur":
        return np.asarray(cv2.GaussianBlur(pixels, (0, 0), max(0.1, amount * max(pixels.shape[:2]))), np.uint8)
    if corruption.kind == "occlusion":
        return _occluded(pixels, amount, random)
    if corruption.kind == "jpeg":
        encoded = cv2.imencode(".jpg", pixels[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(amount)])[1]
        return np.ascontiguousarray(np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)[:, :, ::-1])
    return _exposed(pixels, amount if random.random() < 0.5 else -amount)


def _rounded(values: NDArray[np.floating]) -> Pixels:
    return np.asarray(np.rint(np.clip(values, 0, 255)), np.uint8)


def _occluded(pixels: Pixels, share: float, random: np.random.Generator) -> Pixels:
    """One rectangle of about the picture's aspect (within 2:1), of one random color, anywhere inside."""
    height, width = pixels.shape[:2]
    stretch = np.exp(random.uniform(-np.log(2) / 2, np.log(2) / 2))
    tall = min(height, max(1, round(height * np.sqrt(share) * stretch)))
    wide = min(width, max(1, round(height * width * share / tall)))
    top, left = random.integers(0, height - tall + 1), random.integers(0, width - wide + 1)
    covered = pixels.copy()
    covered[top : top + tall, left : left + wide] = random.integers(0, 256, 3)
    return covered


def _exposed(pixels: Pixels, stops: float) -> Pixels:
    """Another exposure: light scaled by 2^stops before the camera's gamma of 2.2, clipped as a sensor clips."""
    levels = (np.arange(256) / 255.0) ** 2.2 * 2.0**stops
    table = _rounded(np.clip(levels, 0, 1) ** (1 / 2.2) * 255)
    return np.asarray(cv2.LUT(pixels, table), np.uint8)
