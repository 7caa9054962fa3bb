"""Finds the product in a picture: its mask and box.

Three ways, from the surest down. `border`: shop pictures mostly have a uniform or smoothly graded backdrop, so its
color is fitted on the picture's border and what differs is the product. `contrast`: otherwise, colors that are common
in the middle and rare at the border make up the product, refined in a few rounds of histogram likelihoods (the idea of
GrabCut, Rother et al. 2004, with an edge-keeping filter in place of the graph cut, which costs several times as much).
`full_frame`: the product fills the picture, or nothing can be told apart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Box = tuple[float, float, float, float]
Method = Literal["border", "contrast", "full_frame"]
Mask = NDArray[np.bool_]
Plane = NDArray[np.float32]

WORKING_SIDE = 256
"""Masks are found at this long side (px) at most."""

_SMALLEST_SIDE = 16
# A backdrop is uniform when this share of the border fits one smooth gradient; a studio's paper, which has next to no
# noise (CIELAB units), is sure enough to be known by less.
_UNIFORM_SHARE = 0.7
_STUDIO_SHARE = 0.4
_STUDIO_NOISE = 0.6
# Distances in CIELAB units.
_NEAR_MEDIAN = 14.0
_NEAR_GRADIENT = 6.0
_TOUCHING_SHARE = 0.2
# Parts smaller than this share of the largest one are specks; a pair's second shoe is far above it.
_SPECK_SHARE = 0.06
_PLAUSIBLE_AREA = (0.004, 0.96)
# Least lightness difference of a product, and least slope per pixel of its outline, on a noiseless backdrop.
_LEAST_STEP = 1.5
_SHADOW_STEP = 2.5
_LEAST_KEPT = 0.5
_CLEAR_STEP = 8.0
# Pockets in a pale product's outline are closed up to twice this width (px); a rim is pale below this contrast.
_POCKET_REACH = 8
_PALE_RIM = 25.0

# Splitting by contrast. The values were chosen on 150 development pictures against the masks of a saliency network.
_CONTRAST_SIDE = 96
_BINS = (12, 16, 16)
# Places as (half-width, half-height, probability in the middle), relative to half the picture.
_SURE_PLACE = (0.25, 0.6, 0.9)
_POSSIBLE_PLACE = (0.7, 1.0, 0.7)
_ROUNDS = 3
_COLOR_TRUST = 2.5
_FILTER_RADIUS = 2
_FILTER_EPSILON = 1e-3


@dataclass(frozen=True)
class Region:
    """Where the product is.

    Args:
        box: (x_min, y_min, x_max, y_max) of the mask, px, upper ends exclusive.
        mask: (H, W) bool, True on the product; never empty.
        area_share: share of True in the mask, 0..1.
        confidence: trust in the mask, 0..1.
        method: `border`, `contrast` or `full_frame`.
    """

    box: Box
    mask: Mask
    area_share: float
    confidence: float
    method: Method


@dataclass(frozen=True)
class _Backdrop:
    residual: Plane  # (H, W, 3): CIELAB minus the fitted gradient
    uniform_share: float
    noise: float
    spread: float


def find_product(pixels: NDArray[np.uint8]) -> Region:
    """Find the product, or the group of products, that a picture shows.

    Args:
        pixels: (H, W, 3) uint8 RGB.

    Returns:
        The region in px of `pixels`.
    """
    height, width = pixels.shape[:2]
    scale = WORKING_SIDE / max(height, width)
    small = pixels
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    if min(small.shape[:2]) < _SMALLEST_SIDE:
        return _region(np.ones((height, width), dtype=bool), 0.1, "full_frame")

    lab = to_lab(small)
    mask, confidence, method = _segment(lab)
    if small is not pixels:
        mask = cv2.resize(mask.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST).astype(bool)
    return _region(mask, confidence, method)


def to_lab(pixels: NDArray[np.uint8]) -> Plane:
    """CIELAB of RGB pixels by OpenCV's 8-bit tables, in the usual units (L* 0..100).

    Args:
        pixels: (H, W, 3) uint8 RGB.

    Returns:
        (H, W, 3) float32.
    """
    lab: Plane = cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB).astype(np.float32)
    lab -= np.array([0, 128, 128], dtype=np.float32)
    lab[..., 0] *= 100 / 255
    return lab


def _segment(lab: Plane) -> tuple[Mask, float, Method]:
    backdrop = _fit_backdrop(lab)
    studio = backdrop.noise < _STUDIO_NOISE
    if backdrop.uniform_share >= (_STUDIO_SHARE if studio else _UNIFORM_SHARE):
        mask = _cut_from_backdrop(backdrop)
        # Outside studios, a mask along much of the border has taken a second backdrop color for product.
        if _plausible(mask) and (studio or mask[_ring(lab.shape)].mean() < _TOUCHING_SHARE):
            return mask, _border_confidence(backdrop, mask), "border"
    if backdrop.spread < 2:
        return np.ones(lab.shape[:2], dtype=bool), 0.2, "full_frame"
    mask, separation = _cut_by_contrast(lab)
    if _plausible(mask):
        return mask, 0.7 * separation, "contrast"
    return np.ones(lab.shape[:2], dtype=bool), 0.3, "full_frame"


def _plausible(mask: Mask) -> bool:
    return bool(_PLAUSIBLE_AREA[0] <= mask.mean() <= _PLAUSIBLE_AREA[1])


def _ring(shape: tuple[int, ...], share: float = 0.03) -> Mask:
    """The border of a picture, `share` of its short side wide."""
    thickness = max(2, round(min(shape[:2]) * share))
    ring = np.ones(shape[:2], dtype=bool)
    ring[thickness:-thickness, thickness:-thickness] = False
    return ring


def _fit_backdrop(lab: Plane) -> _Backdrop:
    """Fit one linear gradient per channel to the border, leaving out what cuts it (legs, arms, straps)."""
    height, width = lab.shape[:2]
    ys, xs = np.nonzero(_ring(lab.shape))
    colors = lab[ys, xs]
    design = np.stack([np.ones_like(xs), xs / width, ys / height], axis=1).astype(np.float32)
    center = np.median(colors, axis=0)
    inliers = np.linalg.norm(colors - center, axis=1) < _NEAR_MEDIAN
    coefficients = np.zeros((3, 3), dtype=np.float32)
    coefficients[0] = center
    residual = colors - center
    for _ in range(2):
        if inliers.sum() < 12:
            break
        coefficients = _least_squares(design[inliers], colors[inliers])
        residual = colors - design @ coefficients
        inliers = np.linalg.norm(residual, axis=1) < _NEAR_GRADIENT
    noise = float(np.median(np.abs(residual[inliers]))) * 1.4826 if inliers.any() else 0.0
    columns = (np.arange(width, dtype=np.float32) / width)[None, :, None]
    rows = (np.arange(height, dtype=np.float32) / height)[:, None, None]
    gradient = coefficients[0] + columns * coefficients[1] + rows * coefficients[2]
    return _Backdrop(lab - gradient, float(inliers.mean()), noise, float(cv2.meanStdDev(lab)[1].max()))


def _least_squares(design: Plane, values: Plane) -> Plane:
    """Normal equations with a breath of ridge: three unknowns need no more, and a degenerate border must not fail."""
    normal = design.T @ design + 1e-3 * np.eye(design.shape[1], dtype=np.float32)
    solution: Plane = np.linalg.solve(normal, design.T @ values).astype(np.float32)
    return solution


def _cut_from_backdrop(backdrop: _Backdrop) -> Mask:
    lightness, chroma_a, chroma_b = cv2.split(backdrop.residual)
    chroma = cv2.magnitude(chroma_a, chroma_b)
    darkness = np.abs(lightness)
    threshold = min(max(3.0 * backdrop.noise, _LEAST_STEP), 7.0)
    differs = (darkness > threshold) | (chroma > 2 * max(threshold, 2.0))

    # A shadow is backdrop that got darker smoothly: it is reached from the border without crossing an edge or a color.
    slope = cv2.magnitude(cv2.Sobel(lightness, cv2.CV_32F, 1, 0), cv2.Sobel(lightness, cv2.CV_32F, 0, 1))
    steep = slope > 8 * max(threshold, _SHADOW_STEP)
    passable = ~(steep | (chroma > max(2 * threshold, 5.0)) | (darkness > 45))
    mask = _restore_leaked(differs & ~_reached_from_border(passable), differs)
    contrast = cv2.magnitude(darkness, chroma)
    mask = _tidy(_without_threads(mask))
    return _fill_pockets(_fill_holes(mask, contrast, steep | (contrast > _CLEAR_STEP)), contrast)


def _without_threads(mask: Mask) -> Mask:
    """Drop thin lines that run into the picture's border, such as the joints of a tiled floor."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7))
    solid = cv2.dilate(cv2.erode(mask.astype(np.uint8), kernel, borderValue=1), kernel, iterations=2).astype(bool)
    threads = mask & ~solid
    if not threads.any():
        return mask
    return np.asarray(mask & ~(threads & _reached_from_border(threads)))


def _restore_leaked(mask: Mask, differs: Mask) -> Mask:
    """Give back parts that lost most of their area: there the flood came in through a gap in a faint outline."""
    count, labels = cv2.connectedComponents(differs.astype(np.uint8), connectivity=8)
    before = np.bincount(labels.ravel(), minlength=count)
    after = np.bincount(labels.ravel(), weights=mask.ravel(), minlength=count)
    leaked = (after < _LEAST_KEPT * before) & (before > 0.2 * before[1:].max(initial=0))
    leaked[0] = False
    return np.asarray(mask | leaked[labels])


def _fill_pockets(mask: Mask, contrast: Plane) -> Mask:
    """Fill bays of a pale product whose clipped parts look like the backdrop: openings narrow, rims pale."""
    reach = _POCKET_REACH
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    framed = cv2.copyMakeBorder(mask.astype(np.uint8), reach, reach, reach, reach, cv2.BORDER_CONSTANT, value=0)
    closed = cv2.morphologyEx(framed, cv2.MORPH_CLOSE, kernel)[reach:-reach, reach:-reach].astype(bool)
    sealed = ~_reached_from_border(~closed)
    added = sealed & ~mask
    if not added.any():
        return mask
    count, labels = cv2.connectedComponents(added.astype(np.uint8), connectivity=4)
    pale = _rim_contrast(labels, count, mask, contrast) < _PALE_RIM
    pale[0] = False
    return np.asarray(mask | pale[labels])


def _rim_contrast(labels: NDArray[np.int32], count: int, mask: Mask, contrast: Plane) -> Plane:
    """Mean contrast to the backdrop of the mask's pixels within two px of each labelled area."""
    grown = cv2.dilate(labels.astype(np.float32), np.ones((5, 5), np.uint8)).astype(np.intp)
    rim = np.where(mask & (labels == 0), grown, 0).ravel()
    sums = np.bincount(rim, weights=contrast.ravel(), minlength=count)
    means: Plane = (sums / np.maximum(np.bincount(rim, minlength=count), 1)).astype(np.float32)
    return means


def _reached_from_border(passable: Mask) -> Mask:
    """The passable pixels connected to the picture's border."""
    padded = cv2.copyMakeBorder(passable.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1)
    cv2.floodFill(padded, None, (0, 0), 2)
    reached: Mask = padded[1:-1, 1:-1] == 2
    return reached


def _tidy(mask: Mask) -> Mask:
    """Close gaps of a pixel or two, remove threads and specks, keep the large parts."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    closed = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, kernel, iterations=2)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
    if count <= 1:
        return np.asarray(closed, dtype=bool)
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    return np.asarray((areas >= _SPECK_SHARE * areas.max())[labels])


def _fill_holes(mask: Mask, contrast: Plane, textured: Mask) -> Mask:
    """Fill holes, except real openings (handles, straps): large, plain inside, and with a rim that stands out."""
    holes = ~(mask | _reached_from_border(~mask))
    if not holes.any():
        return mask
    count, labels, stats, _ = cv2.connectedComponentsWithStats(holes.astype(np.uint8), connectivity=4)
    areas = stats[:, cv2.CC_STAT_AREA]
    rough = np.bincount(labels.ravel(), weights=textured.ravel(), minlength=count) / np.maximum(areas, 1)
    opening = (areas > 0.005 * mask.sum()) & (rough < 0.1) & (_rim_contrast(labels, count, mask, contrast) >= _PALE_RIM)
    opening[0] = False
    return np.asarray(mask | (holes & ~opening[labels]))


def _border_confidence(backdrop: _Backdrop, mask: Mask) -> float:
    """Trust grows with the backdrop's uniformity and with how far the product stands out from it."""
    strength = cv2.mean(np.abs(backdrop.residual), mask.astype(np.uint8))
    contrast = min(sum(strength[:3]) / 30, 1.0)
    uniform = (backdrop.uniform_share - _STUDIO_SHARE) / (1 - _STUDIO_SHARE)
    return round(0.4 + 0.35 * contrast + 0.25 * uniform, 4)


def _cut_by_contrast(lab: Plane) -> tuple[Mask, float]:
    """Split by color likelihood: histograms of a center prior and of the border, sharpened in a few rounds."""
    height, width = lab.shape[:2]
    scale = _CONTRAST_SIDE / max(height, width)
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    small = cv2.resize(lab, size, interpolation=cv2.INTER_AREA)
    codes = _color_codes(small)
    foreground = _place_prior(small.shape[:2], _SURE_PLACE)
    prior = _place_prior(small.shape[:2], _POSSIBLE_PLACE)
    logit = np.log(prior / (1 - prior))
    for _ in range(_ROUNDS):
        likelihood = np.clip(_likelihood(codes, foreground), 0.02, 0.98)
        evidence = _smooth_along(small[..., 0] / 100, np.log(likelihood / (1 - likelihood)))
        foreground = 1 / (1 + np.exp(-(_COLOR_TRUST * evidence + logit)))
    mask_small = ~_reached_from_border(~_tidy(foreground > 0.5))
    certain = np.abs(foreground - 0.5).mean() * 2
    probability = cv2.resize(mask_small.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    return probability > 0.5, float(certain)


def _smooth_along(guide: Plane, values: Plane) -> Plane:
    """Guided filter (He, Sun and Tang 2010): smooths values but keeps the edges of the guide."""
    size = (2 * _FILTER_RADIUS + 1, 2 * _FILTER_RADIUS + 1)
    mean_guide, mean_values = cv2.blur(guide, size), cv2.blur(values, size)
    variance = cv2.blur(guide * guide, size) - mean_guide**2
    slope = (cv2.blur(guide * values, size) - mean_guide * mean_values) / (variance + _FILTER_EPSILON)
    offset = mean_values - slope * mean_guide
    smooth: Plane = cv2.blur(slope, size) * guide + cv2.blur(offset, size)
    return smooth


def _color_codes(lab: Plane) -> NDArray[np.intp]:
    """Quantise CIELAB to `_BINS`, chroma within -64..64."""
    lightness, a, b = _BINS
    scaled = (lab + np.array([0, 64, 64], dtype=np.float32)) * np.array([lightness / 100, a / 128, b / 128])
    bins = np.clip(scaled, 0, np.array(_BINS) - 1).astype(np.intp)
    return np.asarray((bins[..., 0] * a + bins[..., 1]) * b + bins[..., 2])


def _place_prior(shape: tuple[int, ...], place: tuple[float, float, float]) -> Plane:
    """Probability of product by place: high in the middle, nearly none on the border."""
    half_width, half_height, top = place
    ys = np.linspace(-1, 1, shape[0], dtype=np.float32)[:, None] / half_height
    xs = np.linspace(-1, 1, shape[1], dtype=np.float32)[None, :] / half_width
    prior: Plane = np.clip(top * np.exp(-(xs**4 + ys**4)), 0.02, 0.98)
    return prior


def _likelihood(codes: NDArray[np.intp], foreground: Plane) -> Plane:
    """P(product | color) from soft histograms, blurred over neighboring bins."""
    size = math.prod(_BINS)
    flat = codes.ravel()
    inside = np.bincount(flat, weights=foreground.ravel(), minlength=size).astype(np.float64)
    outside = np.bincount(flat, minlength=size) - inside
    inside, outside = _blur_histogram(inside), _blur_histogram(outside)
    inside, outside = inside / max(inside.sum(), 1e-9), outside / max(outside.sum(), 1e-9)
    share: Plane = (inside / (inside + outside + 1e-9)).astype(np.float32)
    return share[codes]


def _blur_histogram(histogram: NDArray[np.float64]) -> NDArray[np.float64]:
    """Blur with (1, 2, 1) / 4 along each axis."""
    cube = histogram.reshape(_BINS)
    for axis in range(3):
        padded = np.pad(cube, [(1, 1) if other == axis else (0, 0) for other in range(3)], mode="edge")
        low, high = (np.take(padded, range(start, start + cube.shape[axis]), axis=axis) for start in (0, 2))
        cube = 0.25 * low + 0.5 * cube + 0.25 * high
    return cube.ravel()


def _region(mask: Mask, confidence: float, method: Method) -> Region:
    ys, xs = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    box = (float(xs[0]), float(ys[0]), float(xs[-1] + 1), float(ys[-1] + 1))
    return Region(box, mask, float(mask.mean()), float(confidence), method)
