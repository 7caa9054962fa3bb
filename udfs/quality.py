"""Measures how usable a picture is: sharpness, exposure, noise, color cast, backdrop, compression."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.shrink import shrink

_SHARPNESS_SIDE = 512
_COLOR_SIDE = 128
_MANY_ROWS = 256
# In pictures whose short side has at least this many px, half as many samples tell noise and blocks as well.
_LARGE_SIDE = 512
# Side (px) of the tiles over which sharpness and noise are averaged.
_TILE = 16
# log10(1 + variance) of the Laplacian: 4.0 is a crisp, richly textured picture, below 1 nothing is in focus.
_SHARPNESS_CEILING = 4.0
_LEVELS = np.arange(256) / 255


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


@dataclass(frozen=True)
class Luma:
    """A picture's brightness (ITU-R BT.601), taken once for all that look at it.

    Args:
        pixels: (H, W) uint8.
        shares: (256,) float64, share of the pixels at each level.
    """

    pixels: NDArray[np.uint8]
    shares: NDArray[np.float64]


def luma_of(pixels: NDArray[np.uint8]) -> Luma:
    """The luma of a picture (H, W, 3) uint8 RGB."""
    luma = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)
    # Every other row tells the histogram as well.
    rows = np.ascontiguousarray(luma[::2]) if luma.shape[0] >= _MANY_ROWS else luma
    return Luma(luma, cv2.calcHist([rows], [0], None, [256], [0, 256]).ravel().astype(np.float64) / rows.size)


def measure_quality(
    pixels: NDArray[np.uint8], small: NDArray[np.uint8] | None = None, luma: Luma | None = None
) -> Quality:
    """Measure a decoded picture before anything is corrected in it.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        small: the same picture shrunk by area averaging, where it is at hand: its colors need no more.
        luma: of `pixels`, where it is at hand.

    Returns:
        The measures; every one is finite for every picture, 1 x 1 included.
    """
    luma = luma or luma_of(pixels)
    histogram = luma.shares
    brightness = float(histogram @ _LEVELS)
    contrast = math.sqrt(max(float(histogram @ _LEVELS**2) - brightness**2, 0.0))
    dark, bright = float(histogram[:3].sum()), float(histogram[253:].sum())

    lab = _small_lab(pixels if small is None else small)
    uniformity, white = _border(lab)
    sharpness = _sharpness(luma.pixels)
    noise = _noise_sigma(luma.pixels)
    blockiness = _blockiness(luma.pixels)
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
        # Up to a factor of two bilinear sampling passes over no pixel. Against averaging areas, at four times the cost,
        # the measure is .010 higher in the mean, with a deviation of .008.
        method = cv2.INTER_LINEAR if scale > 0.5 else cv2.INTER_AREA
        luma = np.asarray(cv2.resize(luma, size, interpolation=method), np.uint8)
    laplacian = cv2.Laplacian(luma, cv2.CV_16S)
    energy = cv2.multiply(laplacian, laplacian, dtype=cv2.CV_32F)
    rows, columns = luma.shape[0] // _TILE, luma.shape[1] // _TILE
    if min(rows, columns) >= 2:
        # Summed down the columns first, along whole rows of memory.
        sums = energy[: rows * _TILE].reshape(rows, _TILE, -1).sum(axis=1)[:, : columns * _TILE]
        tiles = sums.reshape(rows, columns, _TILE).sum(axis=2) / _TILE**2
        # The upper quartile of the tiles is product, not backdrop, in all but the emptiest pictures.
        variance = float(tiles[tiles >= _quantile(tiles, 0.75)].mean())
    else:
        variance = float(energy.mean())
    return min(math.log10(1 + variance) / _SHARPNESS_CEILING, 1.0)


def _noise_sigma(luma: NDArray[np.uint8]) -> float:
    """Standard deviation of the noise, in 8-bit levels.

    Source: Immerkaer, "Fast Noise Variance Estimation" (1996), over the quieter tiles only, so that edges and fabric
    are not taken for noise (Tai and Yang 2008 leave out edges), and without tiles that are clipped.
    """
    if min(luma.shape) < 2 * _TILE:
        return 0.0
    bands = luma
    if min(luma.shape) >= _LARGE_SIDE:
        # Every other row of tiles; a row of pixels above and below is for the mask.
        count = luma.shape[0] // (2 * _TILE)
        bands = luma[: count * 2 * _TILE].reshape(count, 2 * _TILE, -1)[:, : _TILE + 2].reshape(-1, luma.shape[1])
    # Immerkaer's mask is the second difference along both axes; on 8-bit values its response fits 16 bits.
    response = cv2.convertScaleAbs(cv2.Sobel(bands, cv2.CV_16S, 2, 2, ksize=3))
    levels, means = (_tile_means(values, _TILE + 2 if bands is not luma else _TILE) for values in (bands, response))
    usable = (np.rint(levels) > 12) & (np.rint(levels) < 243)
    if usable.sum() < 4:
        return 0.0
    return _quantile(means[usable], 0.2) * math.sqrt(math.pi / 2) / 6


def _tile_means(values: NDArray[np.uint8], pitch: int = _TILE) -> NDArray[np.float64]:
    """Means over whole tiles, by a summed-area table: a fraction of the cost of resizing by area.

    Args:
        values: (H, W).
        pitch: rows from one tile to the next; those beyond a tile's own lie half above, half below it.
    """
    corners = cv2.integral(values)[:, ::_TILE].astype(np.float64)
    above = np.arange(values.shape[0] // pitch) * pitch + (pitch - _TILE) // 2
    rows = corners[above + _TILE] - corners[above]
    return np.asarray((rows[:, 1:] - rows[:, :-1]) / _TILE**2, np.float64)


def _quantile(values: NDArray[Any], share: float) -> float:
    """`np.quantile` of a few hundred values, at a fifth of its overhead."""
    ordered = np.sort(values, axis=None)
    place = share * (ordered.size - 1)
    low = int(place)
    high = min(low + 1, ordered.size - 1)
    return float(ordered[low] + (ordered[high] - ordered[low]) * (place - low))


def _color_cast(lab: NDArray[np.float32]) -> float:
    """Chroma of the mean of near-gray pixels: what a neutral surface would show if nothing tinted it."""
    lightness, a, b = cv2.split(lab)
    near_gray = (a * a + b * b < 20**2) & (lightness > 25) & (lightness < 99.5)
    if np.count_nonzero(near_gray) < 0.01 * near_gray.size:
        return 0.0
    return math.hypot(*cv2.mean(lab, near_gray.view(np.uint8))[1:3])


def _border(lab: NDArray[np.float32]) -> tuple[float, float]:
    """Uniformity of the border's color, and the near-white share of it."""
    border = np.concatenate([lab[0], lab[-1], lab[1:-1, 0], lab[1:-1, -1]])
    # Median distance to the median color: a leg or strap that cuts the border does not count.
    distance = np.linalg.norm(border - np.median(border, axis=0), axis=1)
    uniformity = 1 - min(_quantile(distance, 0.75) / 40, 1.0)
    white = (border[:, 0] > 93) & (np.hypot(border[:, 1], border[:, 2]) < 6)
    return uniformity, float(white.mean())


def _blockiness(luma: NDArray[np.uint8]) -> float:
    """How much larger the steps across JPEG's 8-px grid are than those between grid lines, after Wang et al. (2002).

    Zero for pictures that were scaled after compression: their grid is no longer at multiples of eight.
    """
    excess = []
    # Every fourth (eighth) row, and column, is enough for a mean.
    step = 8 if min(luma.shape) >= _LARGE_SIDE else 4
    for axis, values in ((0, luma[::step]), (1, np.ascontiguousarray(luma[:, ::step]))):
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
