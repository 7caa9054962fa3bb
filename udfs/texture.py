"""Describes the surface of a product by texture measures, and names its pattern."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from udfs.pattern import PatternEvidence, name_pattern
from udfs.skin import skin_mask

Plane = NDArray[np.float32]
Mask = NDArray[np.bool_]

# A step of this many 8-bit levels per pixel is an edge.
_EDGE_SLOPE = 8.0
_GLCM_LEVELS = 16
_SHORTEST_PERIOD = 3
_LONGEST_PERIOD = 64
_AS_HIGH = 0.93
_SKIN_MAJORITY = 0.8
_SHADING_SIGMA = 16
_TILE = 24
# Of each ring of eight bits how many are set, where they stand together, else 9.
_RING_PATTERNS = np.array(
    [code.bit_count() if (code ^ (code << 1 & 255 | code >> 7)).bit_count() <= 2 else 9 for code in range(256)]
)
# Red against green, and yellow against blue.
_OPPONENTS = np.array([[1, -1, 0], [0.5, 0.5, -1]], dtype=np.float32)


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
    descriptors, evidence = measure_texture(pixels, mask)
    pattern, confidence = name_pattern(evidence)
    return descriptors, pattern, confidence


def measure_texture(pixels: NDArray[np.uint8], mask: Mask) -> tuple[TextureDescriptors, PatternEvidence]:
    """Measure the masked surface; arguments as for `describe_texture`.

    Returns:
        (descriptors, what `udfs.pattern` decides by).
    """
    pixels, mask = _surface(pixels, mask)
    # Taking values by place is several times as fast as by a mask.
    places = np.flatnonzero(mask)
    weight = mask.astype(np.float32)
    luma = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)
    slope_x = cv2.Sobel(luma, cv2.CV_32F, 1, 0, scale=1 / 8)
    slope_y = cv2.Sobel(luma, cv2.CV_32F, 0, 1, scale=1 / 8)
    inside_x, inside_y = slope_x.take(places), slope_y.take(places)
    energy = inside_x**2 + inside_y**2
    orientation, anisotropy = _orientation(inside_x, inside_y)
    detail = _detail(luma, weight)
    inside_detail = detail.take(places)
    periodicity, period = _periodicity(detail, weight, inside_detail)
    contrast, homogeneity = _co_occurrence(luma, mask)
    colorfulness, color_spread = _colors(pixels.reshape(-1, 3).take(places, axis=0))
    descriptors = TextureDescriptors(
        edge_density=float((energy > _EDGE_SLOPE**2).mean()),
        orientation_degrees=orientation,
        anisotropy=anisotropy,
        periodicity=periodicity,
        period_px=period,
        entropy=_pattern_entropy(luma, mask),
        contrast=contrast,
        homogeneity=homogeneity,
        colorfulness=colorfulness,
    )
    along, across = _orientation_shares(inside_x, inside_y, energy)
    rows, columns = _line_shares(detail, weight)
    coherence, coverage = _local_structure(slope_x, slope_y, weight)
    evidence = PatternEvidence(
        edge_density=descriptors.edge_density,
        anisotropy=anisotropy,
        periodicity=periodicity,
        entropy=descriptors.entropy,
        contrast=contrast,
        homogeneity=homogeneity,
        strength=float(inside_detail.std()) / 40,
        fineness=_fineness(detail, inside_detail, places),
        dominant_direction=along,
        perpendicular_direction=across,
        straight_lines=max(rows, columns),
        crossing_lines=min(rows, columns),
        color_spread=color_spread,
        local_coherence=coherence,
        coverage=coverage,
    )
    return descriptors, evidence


def _surface(pixels: NDArray[np.uint8], mask: Mask) -> tuple[NDArray[np.uint8], Mask]:
    """Crop to the middle of the product: without its outline, a wearer's skin, and what is worn above and below."""
    if not mask.any():
        mask = np.ones_like(mask)
    left, top, width, height = cv2.boundingRect(mask.view(np.uint8))
    around, beside = round(0.15 * height), round(0.08 * width)
    window = np.s_[top + around : top + height - around, left + beside : left + width - beside]
    cut = np.ascontiguousarray(pixels[window])
    eroded = cv2.erode(mask[window].view(np.uint8), np.ones((9, 9), np.uint8), borderValue=1)
    inner: Mask = eroded.view(bool)
    total = np.count_nonzero(mask)
    if np.count_nonzero(inner) < max(64, 0.2 * total):
        window = np.s_[top : top + height, left : left + width]
        cut, inner = np.ascontiguousarray(pixels[window]), mask[window]
    skin = skin_mask(cut) & inner
    if skin.any():
        without = inner & ~cv2.dilate(skin.view(np.uint8), np.ones((5, 5), np.uint8)).view(bool)
        if np.count_nonzero(without) > max(64, (1 - _SKIN_MAJORITY) * np.count_nonzero(inner)):
            inner = without
    return cut, np.ascontiguousarray(inner)


def _orientation(slope_x: Plane, slope_y: Plane) -> tuple[float, float]:
    """Direction along the stripes and coherence of the structure tensor (Bigun and Granlund 1987)."""
    pairs = ((slope_x, slope_x), (slope_y, slope_y), (slope_x, slope_y))
    xx, yy, xy = (float(p @ q) / max(p.size, 1) for p, q in pairs)
    if xx + yy < 1e-6:
        return 0.0, 0.0
    # The picture's y axis points down, so angles are mirrored to count counter-clockwise.
    across = -0.5 * math.degrees(math.atan2(2 * xy, xx - yy))
    return (across + 90) % 180, math.hypot(xx - yy, 2 * xy) / (xx + yy)


def _orientation_shares(slope_x: Plane, slope_y: Plane, energy: Plane) -> tuple[float, float]:
    """Gradient energy within 15 degrees of the commonest direction, and of the direction across it."""
    bins = 12
    # Toward zero, so that directions a little below the x axis count with those a little above it.
    angles = (np.arctan2(slope_y, slope_x) * np.float32(bins / math.pi)).astype(np.intp)
    half_turns = np.bincount(angles + bins, weights=energy, minlength=2 * bins + 1)
    histogram = half_turns[:bins] + half_turns[bins : 2 * bins]
    histogram[0] += half_turns[2 * bins]
    if histogram.sum() < 1e-6:
        return 0.0, 0.0
    histogram = (histogram + np.roll(histogram, 1)) / histogram.sum()
    best = int(histogram.argmax())
    return float(histogram[best]), float(histogram[(best + bins // 2) % bins])


def _detail(luma: NDArray[np.uint8], weight: Plane) -> Plane:
    """Luma without shading: minus its local mean, which is taken inside the mask only; zero outside."""
    # Shading is smooth, so the mean is taken at a quarter of the size.
    size = (max(1, luma.shape[1] // 4), max(1, luma.shape[0] // 4))
    small_weight = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
    small = cv2.resize(luma * weight, size, interpolation=cv2.INTER_AREA)
    sigma = _SHADING_SIGMA / 4
    local = cv2.GaussianBlur(small, (0, 0), sigma) / np.maximum(cv2.GaussianBlur(small_weight, (0, 0), sigma), 1e-3)
    detail: Plane = (luma - cv2.resize(local, luma.shape[::-1], interpolation=cv2.INTER_LINEAR)) * weight
    return detail


def _periodicity(detail: Plane, weight: Plane, inside: Plane) -> tuple[float, float]:
    """Highest peak off the origin of the masked autocorrelation, and its lag in px; `inside` are the masked details."""
    # Less than one level of detail is rounding and compression noise.
    variance = float(inside @ inside)
    if min(detail.shape) < 2 * _SHORTEST_PERIOD or variance < inside.size:
        return 0.0, 0.0
    correlation, overlap = _autocorrelation(detail, weight, variance)
    ridge = cv2.dilate(correlation, np.ones((5, 5), np.uint8))
    lag, is_period = _lags(*correlation.shape)
    peak = (correlation >= ridge) & is_period & (overlap > 0.3)
    if not peak.any():
        return 0.0, 0.0
    # The origin's own ridge is no repetition: along a stripe everything is similar to itself.
    height = float(correlation[peak].max())
    _, ridges = cv2.connectedComponents((correlation > 0.8 * height).astype(np.uint8), connectivity=8)
    peak &= ridges != ridges[correlation.shape[0] // 2, correlation.shape[1] // 2]
    height = float(correlation[peak].max(initial=0.0))
    if height <= 0:
        return 0.0, 0.0
    # Multiples of the period are as high as itself, so the shortest of the high peaks is meant.
    return min(height, 1.0), float(lag[peak & (correlation >= _AS_HIGH * height)].min())


@lru_cache(maxsize=64)
def _lags(rows: int, columns: int) -> tuple[Plane, Mask]:
    """Distance of each lag from the middle, px, and whether it may be a period."""
    ys, xs = np.ogrid[:rows, :columns]
    lag = np.hypot(ys - rows // 2, xs - columns // 2)
    return lag, (lag >= _SHORTEST_PERIOD) & (lag <= _LONGEST_PERIOD)


def _autocorrelation(detail: Plane, weight: Plane, variance: float) -> tuple[Plane, Plane]:
    """Autocorrelation inside the mask, normalised by the mask's own and the sum of squares; lag 0 is in the middle.

    Returns:
        (correlation, share of the mask that is left at each lag).
    """
    reach = (min(detail.shape[0] - 1, _LONGEST_PERIOD + 3), min(detail.shape[1] - 1, _LONGEST_PERIOD + 3))
    overlap = _lag_products(weight, reach) / np.float32(max(float(weight.sum()), 1.0))
    return _lag_products(detail, reach) / (np.maximum(overlap, 0.05) * np.float32(variance)), overlap


def _lag_products(values: Plane, reach: tuple[int, int]) -> Plane:
    """Sums of the products of values a lag apart, for lags up to `reach` rows and columns; lag 0 is in the middle."""
    rows, columns = (cv2.getOptimalDFTSize(side + lag) for side, lag in zip(values.shape, reach, strict=True))
    padded = np.zeros((rows, columns), dtype=np.float32)
    padded[: values.shape[0], : values.shape[1]] = values
    # The spectrum of real values in OpenCV's packed form: half the work of the complex one.
    spectrum = cv2.dft(padded)
    lags = cv2.idft(cv2.mulSpectrums(spectrum, spectrum, 0, conjB=True), flags=cv2.DFT_SCALE)
    # Negative lags lie at the far end.
    ordered = np.concatenate([lags[-reach[0] :], lags[: reach[0] + 1]])
    return np.concatenate([ordered[:, -reach[1] :], ordered[:, : reach[1] + 1]], axis=1)


def _line_shares(detail: Plane, weight: Plane) -> tuple[float, float]:
    """Share of the detail's variance in small tiles that is explained by row means, and by column means."""
    rows, columns = detail.shape[0] // _TILE, detail.shape[1] // _TILE
    if rows == 0 or columns == 0:
        return 0.0, 0.0
    shape = (rows, _TILE, columns, _TILE)
    tiles = detail[: rows * _TILE, : columns * _TILE].reshape(shape)
    filled = weight[: rows * _TILE, : columns * _TILE].reshape(rows, _TILE, -1).sum(axis=1)
    full = filled.reshape(rows, columns, _TILE).sum(axis=2) > 0.98 * _TILE**2
    if not full.any():
        return 0.0, 0.0
    # (T, 24) means of the rows and of the columns of the full tiles.
    by_row = tiles.mean(axis=3).swapaxes(1, 2)[full]
    by_column = tiles.mean(axis=1)[full]
    squares = (tiles * tiles).mean(axis=1).mean(axis=2)[full]
    total = float((squares - by_row.mean(axis=1) ** 2).sum())
    if total < 1.0:
        return 0.0, 0.0
    return float(by_row.var(axis=1).sum()) / total, float(by_column.var(axis=1).sum()) / total


def _local_structure(slope_x: Plane, slope_y: Plane, weight: Plane) -> tuple[float, float]:
    """Coherence of the structure tensor tile by tile, and how evenly the tiles share the gradient energy."""
    down, across = (_averaging(side, max(1, side // _TILE)) for side in weight.shape)
    weighted_x, weighted_y = slope_x * weight, slope_y * weight
    planes = (weighted_x * slope_x, weighted_y * slope_y, weighted_x * slope_y, weight)
    tiles = np.stack([(down @ plane @ across.T).ravel() for plane in planes], axis=1)
    tiles = tiles[tiles[:, 3] > 0.3]
    energy = tiles[:, 0] + tiles[:, 1]
    if energy.sum() < 1e-3:
        return 0.0, 0.0
    coherence = np.hypot(tiles[:, 0] - tiles[:, 1], 2 * tiles[:, 2]).sum() / energy.sum()
    density = energy / tiles[:, 3]
    return float(coherence), float(np.sqrt(density).mean() ** 2 / density.mean())


@lru_cache(maxsize=256)
def _averaging(side: int, parts: int) -> Plane:
    """(parts, side) weights that average a line of pixels over equal parts, as resizing by area does."""
    edges = np.arange(parts + 1)[:, None] * (side / parts)
    pixel = np.arange(side)[None]
    covered = np.minimum(edges[1:], pixel + 1) - np.maximum(edges[:-1], pixel)
    return np.asarray(np.maximum(covered, 0) * (parts / side), np.float32)


def _fineness(detail: Plane, inside: Plane, places: NDArray[np.intp]) -> float:
    """Share of the detail's variance that a blur of 2 px takes away."""
    total = float(inside @ inside) / max(inside.size, 1)
    if total < 1.0:
        return 0.0
    fine = inside - cv2.GaussianBlur(detail, (0, 0), 2.0).take(places)
    return min(float(fine @ fine) / inside.size / total, 1.0)


def _colors(colors: NDArray[np.uint8]) -> tuple[float, float]:
    """Colorfulness of the masked pixels (N, 3) RGB, and the spread of their chroma in units of 20 CIELAB.

    Source of the first: Hasler and Suesstrunk, "Measuring colourfulness in natural images" (2003).
    """
    row = colors[None]
    mean, deviation = cv2.meanStdDev(cv2.transform(row.astype(np.float32), _OPPONENTS))
    _, lab_deviation = cv2.meanStdDev(cv2.cvtColor(row, cv2.COLOR_RGB2LAB))
    colorfulness = math.hypot(*deviation.ravel()) + 0.3 * math.hypot(*mean.ravel())
    return colorfulness, math.hypot(float(lab_deviation[1, 0]), float(lab_deviation[2, 0])) / 20


def _pattern_entropy(luma: NDArray[np.uint8], mask: Mask) -> float:
    """Entropy of the rotation-invariant uniform local binary patterns, 8 neighbors (Ojala et al. 2002)."""
    if min(luma.shape) < 3:
        return 0.0
    # A neighbor must be clearly lighter, so that noise of a flat surface makes no pattern.
    threshold = cv2.add(luma[1:-1, 1:-1], 3)
    height, width = luma.shape
    ring = ((0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0))
    codes = np.zeros_like(threshold)
    for bit, (y, x) in enumerate(ring):
        codes |= (luma[y : height - 2 + y, x : width - 2 + x] > threshold).view(np.uint8) << np.uint8(bit)
    inside = codes.take(np.flatnonzero(mask[1:-1, 1:-1]))
    counts = np.bincount(_RING_PATTERNS, weights=np.bincount(inside, minlength=256), minlength=10)
    return _entropy(counts) / math.log(10) if inside.size else 0.0


def _entropy(counts: NDArray[np.number[Any]]) -> float:
    shares = counts[counts > 0] / max(int(counts.sum()), 1)
    return max(float(-(shares * np.log(shares)).sum()), 0.0)


def _co_occurrence(luma: NDArray[np.uint8], mask: Mask) -> tuple[float, float]:
    """Contrast (compressed to 0..1) and homogeneity of gray-level co-occurrence at one pixel right and down."""
    levels = luma // (256 // _GLCM_LEVELS)
    counts = np.zeros(_GLCM_LEVELS, np.intp)
    for one, other in ((np.s_[:, 1:], np.s_[:, :-1]), (np.s_[1:], np.s_[:-1])):
        places = np.flatnonzero(mask[one] & mask[other])
        if places.size:
            counts += np.bincount(cv2.absdiff(levels[one], levels[other]).take(places), minlength=_GLCM_LEVELS)
    pairs = int(counts.sum())
    if pairs == 0:
        return 0.0, 1.0
    # Both measures depend on the matrix only by its diagonals, so the histogram of differences is enough.
    shares = counts / pairs
    steps = np.arange(len(shares))
    contrast = float(shares @ steps**2)
    return contrast / (1 + contrast), float(shares @ (1 / (1 + steps**2)))
