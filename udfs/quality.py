"""Measures how usable a picture is: sharpness, exposure, noise, color cast, backdrop, compression."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.shrink import shrink

_SHARPNESS_SIDE = 512
_COLOR_SIDE = 128
_MANY_ROWS = 256
# log10(1 + variance) of the Laplacian: 4.0 is a crisp, richly textured picture, below 1 nothing is in focus.
_SHARPNESS_CEILING = 4.0
_SECOND_DIFFERENCE = np.array([1, -2, 1], dtype=np.float32)


@dataclass(frozen=True)
class Quality:
    """Quality measures of one picture; fields as `schemas.image_columns.QUALITY` documents them."""

    score: float
    sharpness: float
    brightness: float
    contrast: float
    dark_clipped_share: float
    bright_clipped_share: float
    noise_sigma: float
    color_cast: float
    border_uniformity: float
    white_background_share: float
    blockiness: float


def measure_quality(pixels: NDArray[np.uint8], small: NDArray[np.uint8] | None = None) -> Quality:
    """Measure a decoded picture before anything is corrected in it.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        small: the same picture shrunk by area averaging, where it is at hand: its colors need no more.

    Returns:
        The measures; every one is finite for every picture, 1 x 1 included.
    """
    luma = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    # Every other row tells the histogram as well, at half the cost.
    rows = luma[::2] if luma.shape[0] >= _MANY_ROWS else luma
    histogram = cv2.calcHist([rows], [0], None, [256], [0, 256]).ravel().astype(np.float64)
    histogram /= histogram.sum()
    levels = np.arange(256) / 255
    brightness = float(histogram @ levels)
    contrast = math.sqrt(max(float(histogram @ levels**2) - brightness**2, 0.0))
    dark, bright = float(histogram[:3].sum()), float(histogram[253:].sum())

    lab = _small_lab(pixels if small is None else small)
    uniformity, white = _border(lab)
    sharpness = _sharpness(luma)
    noise = _noise_sigma(luma)
    blockiness = _blockiness(luma)
    penalties = (
        _ramp(sharpness, 0.1, 0.6),
        _ramp(brightness, 0.05, 0.25),
        _ramp(contrast, 0.01, 0.1),
        1 - _ramp(dark, 0.4, 1.0),
        # A white backdrop is meant to be clipped.
        1 - (1 - white) * _ramp(bright, 0.3, 1.0),
        1 - 0.6 * _ramp(noise, 4.0, 20.0),
        1 - 0.5 * _ramp(blockiness, 0.5, 3.0),
    )
    return Quality(
        score=math.prod(penalties),
        sharpness=sharpness,
        brightness=brightness,
        contrast=contrast,
        dark_clipped_share=dark,
        bright_clipped_share=bright,
        noise_sigma=noise,
        color_cast=_color_cast(lab),
        border_uniformity=uniformity,
        white_background_share=white,
        blockiness=blockiness,
    )


def _small_lab(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    height, width = pixels.shape[:2]
    scale = min(1.0, _COLOR_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = shrink(pixels, *size[::-1])
    lab: NDArray[np.float32] = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    return lab


def _sharpness(luma: NDArray[np.uint8]) -> float:
    """Variance of the Laplacian (Pech-Pacheco et al. 2000) where there is something to be sharp.

    Plain backdrop is left out: otherwise a product would look less sharp for being smaller in the picture.
    """
    scale = _SHARPNESS_SIDE / max(luma.shape)
    if scale < 1:
        size = (max(1, round(luma.shape[1] * scale)), max(1, round(luma.shape[0] * scale)))
        # Exact averaging: the faster `shrink` is a little softer, which this measure would see.
        luma = cv2.resize(luma, size, interpolation=cv2.INTER_AREA)
    laplacian = cv2.Laplacian(luma, cv2.CV_16S)
    energy = cv2.multiply(laplacian, laplacian, dtype=cv2.CV_32F)
    tile = 16
    if min(luma.shape) >= 2 * tile:
        size = (luma.shape[1] // tile, luma.shape[0] // tile)
        tiles = cv2.resize(energy, size, interpolation=cv2.INTER_AREA)
        # The upper quartile of the tiles is product, not backdrop, in all but the emptiest pictures.
        variance = float(tiles[tiles >= np.quantile(tiles, 0.75)].mean())
    else:
        variance = float(energy.mean())
    return min(math.log10(1 + variance) / _SHARPNESS_CEILING, 1.0)


def _noise_sigma(luma: NDArray[np.uint8]) -> float:
    """Standard deviation of the noise, in 8-bit levels.

    Source: Immerkaer, "Fast Noise Variance Estimation" (1996), over the quieter tiles only, so that edges and fabric
    are not taken for noise (Tai and Yang 2008 leave out edges), and without tiles that are clipped.
    """
    tile = 16
    rows, columns = luma.shape[0] // tile, luma.shape[1] // tile
    if rows < 2 or columns < 2:
        return 0.0
    luma = luma[: rows * tile, : columns * tile]
    # On 8-bit values the response fits 16 bits; area resizing averages each tile.
    response = cv2.convertScaleAbs(cv2.sepFilter2D(luma, cv2.CV_16S, _SECOND_DIFFERENCE, _SECOND_DIFFERENCE))
    means = cv2.resize(response.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA)
    levels = cv2.resize(luma, (columns, rows), interpolation=cv2.INTER_AREA)
    usable = (levels > 12) & (levels < 243)
    if usable.sum() < 4:
        return 0.0
    return float(np.quantile(means[usable], 0.2)) * math.sqrt(math.pi / 2) / 6


def _color_cast(lab: NDArray[np.float32]) -> float:
    """Chroma of the mean of near-gray pixels: what a neutral surface would show if nothing tinted it."""
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    near_gray = (chroma < 20) & (lab[..., 0] > 25) & (lab[..., 0] < 99.5)
    if near_gray.sum() < 0.01 * near_gray.size:
        return 0.0
    return float(np.hypot(lab[..., 1][near_gray].mean(), lab[..., 2][near_gray].mean()))


def _border(lab: NDArray[np.float32]) -> tuple[float, float]:
    """Uniformity of the border's color, and the near-white share of it."""
    border = np.concatenate([lab[0], lab[-1], lab[1:-1, 0], lab[1:-1, -1]])
    # Median distance to the median color: a leg or strap that cuts the border does not count.
    distance = np.linalg.norm(border - np.median(border, axis=0), axis=1)
    uniformity = 1 - min(float(np.quantile(distance, 0.75)) / 40, 1.0)
    white = (border[:, 0] > 93) & (np.hypot(border[:, 1], border[:, 2]) < 6)
    return uniformity, float(white.mean())


def _blockiness(luma: NDArray[np.uint8]) -> float:
    """How much larger the steps across JPEG's 8-px grid are than those between grid lines, after Wang et al. (2002).

    Zero for pictures that were scaled after compression: their grid is no longer at multiples of eight.
    """
    excess = []
    # Every fourth row, and every fourth column, is enough for a mean.
    for axis, values in ((0, luma[::4]), (1, np.ascontiguousarray(luma[:, ::4]))):
        along, across = luma.shape[1 - axis], luma.shape[axis]
        if along < 32 or across < 8:
            continue
        before, after = (values[:, :-1], values[:, 1:]) if axis == 0 else (values[:-1], values[1:])
        steps = cv2.reduce(cv2.absdiff(after, before), axis, cv2.REDUCE_AVG, dtype=cv2.CV_32F).ravel()
        on_grid = steps[7::8].mean()
        off_grid = np.concatenate([steps[5::8], steps[1::8]]).mean()
        excess.append((on_grid - off_grid) / (off_grid + 0.5))
    return max(float(np.mean(excess)), 0.0) if excess else 0.0


def _ramp(value: float, low: float, high: float) -> float:
    """0 up to `low`, 1 from `high`, straight in between."""
    return min(max((value - low) / (high - low), 0.0), 1.0)
