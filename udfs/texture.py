"""Describes the surface of a product by texture measures, and names its pattern."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

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
    luma = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    slope_x = cv2.Sobel(luma, cv2.CV_32F, 1, 0, scale=1 / 8)
    slope_y = cv2.Sobel(luma, cv2.CV_32F, 0, 1, scale=1 / 8)
    inside_x, inside_y = slope_x[mask], slope_y[mask]
    energy = inside_x**2 + inside_y**2
    orientation, anisotropy = _orientation(inside_x, inside_y)
    detail = _detail(luma, mask)
    periodicity, period = _periodicity(detail, mask)
    contrast, homogeneity = _co_occurrence(luma, mask)
    descriptors = TextureDescriptors(
        edge_density=float((energy > _EDGE_SLOPE**2).mean()),
        orientation_degrees=orientation,
        anisotropy=anisotropy,
        periodicity=periodicity,
        period_px=period,
        entropy=_pattern_entropy(luma, mask),
        contrast=contrast,
        homogeneity=homogeneity,
        colorfulness=_colorfulness(pixels, mask),
    )
    along, across = _orientation_shares(inside_x, inside_y, energy)
    rows, columns = _line_shares(detail, mask)
    coherence, coverage = _local_structure(slope_x, slope_y, mask)
    evidence = PatternEvidence(
        edge_density=descriptors.edge_density,
        anisotropy=anisotropy,
        periodicity=periodicity,
        entropy=descriptors.entropy,
        contrast=contrast,
        homogeneity=homogeneity,
        strength=float(detail[mask].std()) / 40,
        fineness=_fineness(detail, mask),
        dominant_direction=along,
        perpendicular_direction=across,
        straight_lines=max(rows, columns),
        crossing_lines=min(rows, columns),
        color_spread=_color_spread(pixels, mask),
        local_coherence=coherence,
        coverage=coverage,
    )
    return descriptors, evidence


def _surface(pixels: NDArray[np.uint8], mask: Mask) -> tuple[NDArray[np.uint8], Mask]:
    """Crop to the middle of the product: without its outline, a wearer's skin, and what is worn above and below."""
    if not mask.any():
        mask = np.ones_like(mask)
    ys, xs = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    height, width = int(ys[-1] - ys[0] + 1), int(xs[-1] - xs[0] + 1)
    window = np.s_[
        ys[0] + round(0.15 * height) : ys[-1] + 1 - round(0.15 * height),
        xs[0] + round(0.08 * width) : xs[-1] + 1 - round(0.08 * width),
    ]
    cut = np.ascontiguousarray(pixels[window])
    eroded = cv2.erode(mask[window].astype(np.uint8), np.ones((3, 3), np.uint8), iterations=4, borderValue=1)
    inner: Mask = eroded.astype(bool)
    if inner.sum() < max(64, 0.2 * mask.sum()):
        window = np.s_[ys[0] : ys[-1] + 1, xs[0] : xs[-1] + 1]
        cut, inner = np.ascontiguousarray(pixels[window]), mask[window]
    skin = cv2.dilate((skin_mask(cut) & inner).astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    without = inner & ~skin
    if without.sum() > (1 - _SKIN_MAJORITY) * inner.sum() and without.sum() > 64:
        inner = without
    return cut, np.ascontiguousarray(inner)


def _orientation(slope_x: Plane, slope_y: Plane) -> tuple[float, float]:
    """Direction along the stripes and coherence of the structure tensor (Bigun and Granlund 1987)."""
    xx, yy, xy = (float((p * q).mean()) for p, q in ((slope_x, slope_x), (slope_y, slope_y), (slope_x, slope_y)))
    if xx + yy < 1e-6:
        return 0.0, 0.0
    # The picture's y axis points down, so angles are mirrored to count counter-clockwise.
    across = -0.5 * math.degrees(math.atan2(2 * xy, xx - yy))
    return (across + 90) % 180, math.hypot(xx - yy, 2 * xy) / (xx + yy)


def _orientation_shares(slope_x: Plane, slope_y: Plane, energy: Plane) -> tuple[float, float]:
    """Gradient energy within 15 degrees of the commonest direction, and of the direction across it."""
    bins = 12
    angles = (np.arctan2(slope_y, slope_x) * (bins / math.pi)).astype(np.intp) % bins
    histogram = np.bincount(angles, weights=energy, minlength=bins)
    if histogram.sum() < 1e-6:
        return 0.0, 0.0
    histogram = (histogram + np.roll(histogram, 1)) / histogram.sum()
    best = int(histogram.argmax())
    return float(histogram[best]), float(histogram[(best + bins // 2) % bins])


def _detail(luma: NDArray[np.uint8], mask: Mask) -> Plane:
    """Luma without shading: minus its local mean, which is taken inside the mask only; zero outside."""
    weight = mask.astype(np.float32)
    # Shading is smooth, so the mean is taken at a quarter of the size.
    size = (max(1, luma.shape[1] // 4), max(1, luma.shape[0] // 4))
    small_weight = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
    small = cv2.resize(luma * weight, size, interpolation=cv2.INTER_AREA)
    sigma = _SHADING_SIGMA / 4
    local = cv2.GaussianBlur(small, (0, 0), sigma) / np.maximum(cv2.GaussianBlur(small_weight, (0, 0), sigma), 1e-3)
    detail: Plane = (luma - cv2.resize(local, luma.shape[::-1], interpolation=cv2.INTER_LINEAR)) * weight
    return detail


def _periodicity(detail: Plane, mask: Mask) -> tuple[float, float]:
    """Highest peak off the origin of the masked autocorrelation, and its lag in px."""
    if min(detail.shape) < 2 * _SHORTEST_PERIOD:
        return 0.0, 0.0
    correlation, overlap = _autocorrelation(detail, mask.astype(np.float32))
    ridge = cv2.dilate(correlation, np.ones((5, 5), np.uint8))
    ys, xs = np.ogrid[: correlation.shape[0], : correlation.shape[1]]
    lag = np.hypot(ys - correlation.shape[0] // 2, xs - correlation.shape[1] // 2)
    peak = (correlation >= ridge) & (lag >= _SHORTEST_PERIOD) & (lag <= _LONGEST_PERIOD) & (overlap > 0.3)
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


def _autocorrelation(detail: Plane, weight: Plane) -> tuple[Plane, Plane]:
    """Autocorrelation inside the mask, normalised by the mask's own; lag 0 is in the middle."""
    reach = [min(side - 1, _LONGEST_PERIOD + 3) for side in detail.shape]
    shape = [cv2.getOptimalDFTSize(side + lag) for side, lag in zip(detail.shape, reach, strict=True)]
    planes: list[Plane] = []
    for values in (detail, weight):
        padded = np.zeros(shape, dtype=np.float32)
        padded[: values.shape[0], : values.shape[1]] = values
        # The spectrum of real values in OpenCV's packed form: half the work of the complex one.
        spectrum = cv2.dft(padded)
        power = cv2.mulSpectrums(spectrum, spectrum, 0, conjB=True)
        lags = cv2.idft(power, flags=cv2.DFT_SCALE)
        # Negative lags lie at the far end.
        rows = np.concatenate([lags[-reach[0] :], lags[: reach[0] + 1]])
        planes.append(np.concatenate([rows[:, -reach[1] :], rows[:, : reach[1] + 1]], axis=1))
    overlap = planes[1] / max(float(weight.sum()), 1.0)
    normalised = planes[0] / np.maximum(overlap, 0.05)
    variance = float(normalised[reach[0], reach[1]])
    # Less than one level of detail is rounding and compression noise.
    if variance < float(weight.sum()):
        return np.zeros_like(overlap), overlap
    return normalised / variance, overlap


def _line_shares(detail: Plane, mask: Mask) -> tuple[float, float]:
    """Share of the detail's variance in small tiles that is explained by row means, and by column means."""
    rows, columns = detail.shape[0] // _TILE, detail.shape[1] // _TILE
    if rows == 0 or columns == 0:
        return 0.0, 0.0
    window = np.s_[: rows * _TILE, : columns * _TILE]
    tiles = detail[window].reshape(rows, _TILE, columns, _TILE).swapaxes(1, 2)
    full = mask[window].reshape(rows, _TILE, columns, _TILE).swapaxes(1, 2).mean(axis=(2, 3)) > 0.98
    if not full.any():
        return 0.0, 0.0
    tiles = tiles[full]
    total = float(tiles.var(axis=(1, 2)).sum())
    if total < 1.0:
        return 0.0, 0.0
    return float(tiles.mean(axis=2).var(axis=1).sum()) / total, float(tiles.mean(axis=1).var(axis=1).sum()) / total


def _local_structure(slope_x: Plane, slope_y: Plane, mask: Mask) -> tuple[float, float]:
    """Coherence of the structure tensor tile by tile, and how evenly the tiles share the gradient energy."""
    size = (max(1, mask.shape[1] // _TILE), max(1, mask.shape[0] // _TILE))
    weight = mask.astype(np.float32)
    products = cv2.merge([slope_x * slope_x, slope_y * slope_y, slope_x * slope_y, np.ones_like(slope_x)])
    tiles = cv2.resize(products * weight[..., None], size, interpolation=cv2.INTER_AREA).reshape(-1, 4)
    tiles = tiles[tiles[:, 3] > 0.3]
    energy = tiles[:, 0] + tiles[:, 1]
    if energy.sum() < 1e-3:
        return 0.0, 0.0
    coherence = np.hypot(tiles[:, 0] - tiles[:, 1], 2 * tiles[:, 2]).sum() / energy.sum()
    density = energy / tiles[:, 3]
    return float(coherence), float(np.sqrt(density).mean() ** 2 / density.mean())


def _fineness(detail: Plane, mask: Mask) -> float:
    """Share of the detail's variance that a blur of 2 px takes away."""
    total = float((detail[mask] ** 2).mean())
    if total < 1.0:
        return 0.0
    coarse = cv2.GaussianBlur(detail, (0, 0), 2.0)
    return min(float(((detail - coarse)[mask] ** 2).mean()) / total, 1.0)


def _color_spread(pixels: NDArray[np.uint8], mask: Mask) -> float:
    """Spread of chroma over the surface, in units of 20 CIELAB."""
    lab = cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)
    _, deviation = cv2.meanStdDev(lab, mask=mask.astype(np.uint8))
    return math.hypot(float(deviation[1, 0]), float(deviation[2, 0])) / 20


def _pattern_entropy(luma: NDArray[np.uint8], mask: Mask) -> float:
    """Entropy of the rotation-invariant uniform local binary patterns, 8 neighbors (Ojala et al. 2002)."""
    if min(luma.shape) < 3:
        return 0.0
    # A neighbor must be clearly lighter, so that noise of a flat surface makes no pattern.
    threshold = cv2.add(luma[1:-1, 1:-1], 3)
    height, width = luma.shape
    ring = ((0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0))
    bits = [(luma[y : height - 2 + y, x : width - 2 + x] > threshold).view(np.uint8) for y, x in ring]
    ones, changes = bits[0].copy(), bits[0] ^ bits[-1]
    for previous, bit in itertools.pairwise(bits):
        ones += bit
        changes += previous ^ bit
    codes = np.where(changes <= 2, ones, 9)[mask[1:-1, 1:-1]]
    return _entropy(np.bincount(codes, minlength=10)) / math.log(10) if codes.size else 0.0


def _entropy(counts: NDArray[np.intp]) -> float:
    shares = counts[counts > 0] / max(int(counts.sum()), 1)
    return max(float(-(shares * np.log(shares)).sum()), 0.0)


def _co_occurrence(luma: NDArray[np.uint8], mask: Mask) -> tuple[float, float]:
    """Contrast (compressed to 0..1) and homogeneity of gray-level co-occurrence at one pixel right and down."""
    levels = (luma // (256 // _GLCM_LEVELS)).astype(np.int8)
    right = (levels[:, 1:] - levels[:, :-1])[mask[:, 1:] & mask[:, :-1]]
    down = (levels[1:] - levels[:-1])[mask[1:] & mask[:-1]]
    differences = np.abs(np.concatenate([right, down]))
    if differences.size == 0:
        return 0.0, 1.0
    # Both measures depend on the matrix only by its diagonals, so the histogram of differences is enough.
    shares = np.bincount(differences, minlength=_GLCM_LEVELS) / differences.size
    steps = np.arange(len(shares))
    contrast = float(shares @ steps**2)
    return contrast / (1 + contrast), float(shares @ (1 / (1 + steps**2)))


def _colorfulness(pixels: NDArray[np.uint8], mask: Mask) -> float:
    """Hasler and Suesstrunk, "Measuring colourfulness in natural images" (2003)."""
    mean, deviation = cv2.meanStdDev(cv2.transform(pixels.astype(np.float32), _OPPONENTS), mask=mask.view(np.uint8))
    return float(np.hypot(*deviation.ravel()) + 0.3 * np.hypot(*mean.ravel()))
