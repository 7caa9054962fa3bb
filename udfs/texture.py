"""Describes the surface of a product by texture measures, and names its pattern."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
Mask = NDArray[np.bool_]

_EDGE_STEP = 40.0
_GLCM_LEVELS = 16
_SHORTEST_PERIOD = 3
_LONGEST_PERIOD = 64


@dataclass(frozen=True)
class TextureDescriptors:
    """Texture descriptors of the product region; fields as `schemas.image_columns.TEXTURE` documents them."""

    edge_density: float
    orientation_degrees: float
    anisotropy: float
    periodicity: float
    period_px: float
    entropy: float
    contrast: float
    homogeneity: float
    colorfulness: float


def describe_texture(pixels: NDArray[np.uint8], mask: Mask) -> tuple[TextureDescriptors, str, float]:
    """Measure the masked surface and name its pattern.

    Args:
        pixels: (H, W, 3) uint8 RGB, 256 px on the long side (periods and edges are read at that scale).
        mask: (H, W) bool, True on the product. An empty mask counts as the whole picture.

    Returns:
        (descriptors, pattern, confidence 0..1); pattern is solid, striped, checked, dotted, printed or textured.
    """
    pixels, mask = _crop(pixels, mask)
    luma = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    slope_x = cv2.Sobel(luma, cv2.CV_32F, 1, 0, scale=0.25)
    slope_y = cv2.Sobel(luma, cv2.CV_32F, 0, 1, scale=0.25)
    magnitude = cv2.magnitude(slope_x, slope_y)
    orientation, anisotropy = _orientation(slope_x[mask], slope_y[mask])
    periodicity, period = _periodicity(luma, mask)
    contrast, homogeneity = _co_occurrence(luma, mask)
    descriptors = TextureDescriptors(
        edge_density=float((magnitude[mask] > _EDGE_STEP / 4).mean()),
        orientation_degrees=orientation,
        anisotropy=anisotropy,
        periodicity=periodicity,
        period_px=period,
        entropy=_pattern_entropy(luma, mask),
        contrast=contrast,
        homogeneity=homogeneity,
        colorfulness=_colorfulness(pixels[mask]),
    )
    return descriptors, "solid", 0.0


def _crop(pixels: NDArray[np.uint8], mask: Mask) -> tuple[NDArray[np.uint8], Mask]:
    """The mask's box, with the mask's own outline eroded away so that it is not taken for texture."""
    if not mask.any():
        return pixels, np.ones_like(mask)
    framed = cv2.copyMakeBorder(mask.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    inner = cv2.erode(framed, np.ones((3, 3), np.uint8), iterations=4)[1:-1, 1:-1].astype(bool)
    if inner.sum() >= max(64, 0.2 * mask.sum()):
        mask = inner
    ys, xs = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    window = np.s_[ys[0] : ys[-1] + 1, xs[0] : xs[-1] + 1]
    return np.ascontiguousarray(pixels[window]), np.ascontiguousarray(mask[window])


def _orientation(slope_x: Plane, slope_y: Plane) -> tuple[float, float]:
    """Direction along the stripes and coherence of the structure tensor (Bigun and Granlund 1987)."""
    xx, yy, xy = (float((p * q).mean()) for p, q in ((slope_x, slope_x), (slope_y, slope_y), (slope_x, slope_y)))
    if xx + yy < 1e-6:
        return 0.0, 0.0
    # The picture's y axis points down, so angles are mirrored to count counter-clockwise.
    across = -0.5 * math.degrees(math.atan2(2 * xy, xx - yy))
    return (across + 90) % 180, math.hypot(xx - yy, 2 * xy) / (xx + yy)


def _periodicity(luma: NDArray[np.uint8], mask: Mask) -> tuple[float, float]:
    """Highest peak off the origin of the masked autocorrelation, and its lag in px."""
    if min(luma.shape) < 2 * _SHORTEST_PERIOD:
        return 0.0, 0.0
    correlation, overlap = _autocorrelation(luma, mask)
    ridge = cv2.dilate(correlation, np.ones((5, 5), np.uint8))
    middle_y, middle_x = correlation.shape[0] // 2, correlation.shape[1] // 2
    ys, xs = np.ogrid[: correlation.shape[0], : correlation.shape[1]]
    lag = np.hypot(ys - middle_y, xs - middle_x)
    peak = (correlation >= ridge) & (lag >= _SHORTEST_PERIOD) & (lag <= _LONGEST_PERIOD) & (overlap > 0.3)
    # A smooth slope is similar to itself nearby: a peak counts only beyond the first valley.
    if not peak.any():
        return 0.0, 0.0
    best = np.where(peak, correlation, -1.0).argmax()
    height = float(correlation.ravel()[best])
    return (min(height, 1.0), float(lag.ravel()[best])) if height > 0 else (0.0, 0.0)


def _autocorrelation(luma: NDArray[np.uint8], mask: Mask) -> tuple[Plane, Plane]:
    """Autocorrelation of the detail inside the mask, normalised by the mask's own; lag 0 is in the middle."""
    weight = mask.astype(np.float32)
    values = luma.astype(np.float32) * weight
    # Shading is slower than any pattern: subtract the local mean, taken inside the mask only.
    local = cv2.GaussianBlur(values, (0, 0), 16) / np.maximum(cv2.GaussianBlur(weight, (0, 0), 16), 1e-3)
    detail = (values - local * weight) * weight
    reach = _LONGEST_PERIOD + 3
    height, width = (cv2.getOptimalDFTSize(side + min(side, reach)) for side in luma.shape)
    power = np.abs(np.fft.rfft2(detail, (height, width))) ** 2
    cover = np.abs(np.fft.rfft2(weight, (height, width))) ** 2
    correlation = np.fft.fftshift(np.fft.irfft2(power, (height, width)))
    overlap = np.fft.fftshift(np.fft.irfft2(cover, (height, width)))
    middle_y, middle_x = height // 2, width // 2
    window = np.s_[
        middle_y - min(reach, luma.shape[0] - 1) : middle_y + min(reach, luma.shape[0] - 1) + 1,
        middle_x - min(reach, luma.shape[1] - 1) : middle_x + min(reach, luma.shape[1] - 1) + 1,
    ]
    correlation, overlap = correlation[window], overlap[window] / max(weight.sum(), 1.0)
    normalised = correlation / np.maximum(overlap, 0.05)
    variance = float(normalised.max())
    normalised = normalised / variance if variance > 1e-3 else np.zeros_like(normalised)
    return normalised.astype(np.float32), overlap.astype(np.float32)


def _pattern_entropy(luma: NDArray[np.uint8], mask: Mask) -> float:
    """Entropy of the rotation-invariant uniform local binary patterns, 8 neighbors (Ojala et al. 2002)."""
    if min(luma.shape) < 3:
        return 0.0
    center = luma[1:-1, 1:-1].astype(np.int16)
    height, width = luma.shape
    ring = [(0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0)]
    # A neighbor must be clearly lighter, so that noise of a flat surface makes no pattern.
    bits = np.stack([luma[y : height - 2 + y, x : width - 2 + x] > center + 3 for y, x in ring])
    ones = bits.sum(axis=0, dtype=np.uint8)
    changes = (bits != np.roll(bits, 1, axis=0)).sum(axis=0, dtype=np.uint8)
    codes = np.where(changes <= 2, ones, 9)[mask[1:-1, 1:-1]]
    return _entropy(np.bincount(codes, minlength=10)) / math.log(10) if codes.size else 0.0


def _entropy(counts: NDArray[np.intp]) -> float:
    shares = counts[counts > 0] / max(counts.sum(), 1)
    return max(float(-(shares * np.log(shares)).sum()), 0.0)


def _co_occurrence(luma: NDArray[np.uint8], mask: Mask) -> tuple[float, float]:
    """Contrast (compressed to 0..1) and homogeneity of grey-level co-occurrence at one pixel right and down."""
    levels = (luma // (256 // _GLCM_LEVELS)).astype(np.int16)
    differences = np.concatenate(
        [
            (levels[:, 1:] - levels[:, :-1])[mask[:, 1:] & mask[:, :-1]],
            (levels[1:] - levels[:-1])[mask[1:] & mask[:-1]],
        ]
    )
    if differences.size == 0:
        return 0.0, 1.0
    # Both measures depend on the matrix only by its diagonals, so the histogram of differences is enough.
    shares = np.bincount(np.abs(differences), minlength=_GLCM_LEVELS) / differences.size
    steps = np.arange(len(shares))
    contrast = float(shares @ steps**2)
    return contrast / (1 + contrast), float(shares @ (1 / (1 + steps**2)))


def _colorfulness(colors: NDArray[np.uint8]) -> float:
    """Hasler and Suesstrunk, "Measuring colourfulness in natural images" (2003)."""
    red, green, blue = (colors[:, channel].astype(np.float32) for channel in range(3))
    red_green, yellow_blue = red - green, (red + green) / 2 - blue
    spread = math.hypot(float(red_green.std()), float(yellow_blue.std()))
    return spread + 0.3 * math.hypot(float(red_green.mean()), float(yellow_blue.mean()))
