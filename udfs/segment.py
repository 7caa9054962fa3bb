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

from udfs.backdrop import STUDIO_SHARE, border_confidence, border_ring, cut_from_backdrop, fit_backdrop
from udfs.masks import Mask, Plane, reached_from_border, tidy

Box = tuple[float, float, float, float]
Method = Literal["detector", "border", "contrast", "full_frame"]

WORKING_SIDE = 256
"""Masks are found at this long side (px) at most."""

_SMALLEST_SIDE = 16
# A backdrop is uniform when this share of the border fits one smooth gradient; a studio's paper, which has next to no
# noise (CIELAB units), is sure enough to be known by less.
_UNIFORM_SHARE = 0.7
_STUDIO_NOISE = 0.6
_TOUCHING_SHARE = 0.2
_PLAUSIBLE_AREA = (0.004, 0.96)

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
        method: `detector` (see `udfs.product_region`), `border`, `contrast` or `full_frame`.
    """

    box: Box
    mask: Mask
    area_share: float
    confidence: float
    method: Method


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
        return region_of(np.ones((height, width), dtype=bool), 0.1, "full_frame")

    lab = to_lab(small)
    mask, confidence, method = _segment(lab)
    if small is not pixels:
        mask = cv2.resize(mask.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST).astype(bool)
    return region_of(mask, confidence, method)


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
    backdrop = fit_backdrop(lab)
    studio = backdrop.noise < _STUDIO_NOISE
    if backdrop.uniform_share >= (STUDIO_SHARE if studio else _UNIFORM_SHARE):
        mask = cut_from_backdrop(backdrop)
        # Outside studios, a mask along much of the border has taken a second backdrop color for product.
        if _plausible(mask) and (studio or mask[border_ring(lab.shape)].mean() < _TOUCHING_SHARE):
            return mask, border_confidence(backdrop, mask), "border"
    if backdrop.spread < 2:
        return np.ones(lab.shape[:2], dtype=bool), 0.2, "full_frame"
    mask, separation = _cut_by_contrast(lab)
    if _plausible(mask):
        return mask, 0.7 * separation, "contrast"
    return np.ones(lab.shape[:2], dtype=bool), 0.3, "full_frame"


def _plausible(mask: Mask) -> bool:
    return bool(_PLAUSIBLE_AREA[0] <= mask.mean() <= _PLAUSIBLE_AREA[1])


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
    mask_small = ~reached_from_border(~tidy(foreground > 0.5))
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


def region_of(mask: Mask, confidence: float, method: Method) -> Region:
    """The region of a mask, which must not be empty."""
    left, top, width, height = cv2.boundingRect(mask.view(np.uint8))
    box = (float(left), float(top), float(left + width), float(top + height))
    return Region(box, mask, np.count_nonzero(mask) / mask.size, float(confidence), method)
