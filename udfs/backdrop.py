"""Cuts a product from a uniform or smoothly graded backdrop, whose color is fitted on the picture's border."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from udfs.masks import Mask, Plane, fill_holes, fill_pockets, reached_from_border, restore_leaked, tidy, without_threads

STUDIO_SHARE = 0.4
"""Share of the border that must fit one smooth gradient where the backdrop is a studio's paper."""

# Distances in CIELAB units.
_NEAR_MEDIAN = 14.0
_NEAR_GRADIENT = 6.0
# Least lightness difference of a product, and least slope per pixel of its outline, on a noiseless backdrop.
_LEAST_STEP = 1.5
_SHADOW_STEP = 2.5
_CLEAR_STEP = 8.0
# JPEG rings by a few percent of a step, no further than its 8 px blocks; the window spans one to either side.
_RINGING_SHARE = 0.08
_RINGING_REACH = 13


@dataclass(frozen=True)
class Backdrop:
    """A backdrop fitted to a picture's border.

    Args:
        residual: (H, W, 3) float32, the picture's CIELAB minus the fitted gradient.
        uniform_share: share of the border that the gradient fits, 0..1.
        noise: standard deviation of that part around the gradient, CIELAB units.
        spread: largest standard deviation of a channel over the whole picture, CIELAB units.
    """

    residual: Plane
    uniform_share: float
    noise: float
    spread: float


def border_ring(shape: tuple[int, ...], share: float = 0.03) -> Mask:
    """The border of a picture, `share` of its short side wide."""
    thickness = max(2, round(min(shape[:2]) * share))
    ring = np.ones(shape[:2], dtype=bool)
    ring[thickness:-thickness, thickness:-thickness] = False
    return ring


def fit_backdrop(lab: Plane) -> Backdrop:
    """Fit one smooth surface per channel to the border, leaving out what cuts it (legs, arms, straps).

    Quadratic, because a vignette or a spot of light is: its curvature shows along each side of the border.

    Args:
        lab: (H, W, 3) float32 CIELAB, 16 px or more a side.
    """
    height, width = lab.shape[:2]
    ys, xs = np.nonzero(border_ring(lab.shape))
    colors = lab[ys, xs]
    design = _terms(xs / width, ys / height)
    center = np.median(colors, axis=0)
    inliers = np.linalg.norm(colors - center, axis=1) < _NEAR_MEDIAN
    coefficients = np.zeros((design.shape[1], 3), dtype=np.float32)
    coefficients[0] = center
    residual = colors - center
    for _ in range(2):
        if inliers.sum() < 12:
            break
        coefficients = _least_squares(design[inliers], colors[inliers])
        residual = colors - design @ coefficients
        inliers = np.linalg.norm(residual, axis=1) < _NEAR_GRADIENT
    noise = float(np.median(np.abs(residual[inliers]))) * 1.4826 if inliers.any() else 0.0
    columns, rows = np.meshgrid(np.arange(width) / width, np.arange(height) / height)
    gradient = (_terms(columns.ravel(), rows.ravel()) @ coefficients).reshape(lab.shape)
    return Backdrop(lab - gradient, float(inliers.mean()), noise, float(cv2.meanStdDev(lab)[1].max()))


def _terms(x: NDArray[np.floating[Any]], y: NDArray[np.floating[Any]]) -> Plane:
    """Terms of a quadratic surface at places 0..1, one row each."""
    x, y = x - 0.5, y - 0.5
    return np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=1).astype(np.float32)


def _least_squares(design: Plane, values: Plane) -> Plane:
    """Normal equations with a breath of ridge: so few unknowns need no more, and a degenerate border must not fail."""
    normal = design.T @ design + 1e-3 * np.eye(design.shape[1], dtype=np.float32)
    solution: Plane = np.linalg.solve(normal, design.T @ values).astype(np.float32)
    return solution


def cut_from_backdrop(backdrop: Backdrop) -> Mask:
    """Cut out what differs from the backdrop, its shadow left behind.

    Args:
        backdrop: as `fit_backdrop` gives it.

    Returns:
        (H, W) bool, True on the product; may be empty.
    """
    lightness, chroma_a, chroma_b = cv2.split(backdrop.residual)
    chroma = cv2.magnitude(chroma_a, chroma_b)
    darkness = np.abs(lightness)
    threshold = min(max(3.0 * backdrop.noise, _LEAST_STEP), 7.0)
    differs = (darkness > threshold) | (chroma > 2 * max(threshold, 2.0))
    # JPEG blocks ring around a strong outline, above the noise of clean paper: what is faint beside it is no product.
    contrast = cv2.magnitude(darkness, chroma)
    differs &= contrast > _RINGING_SHARE * cv2.dilate(contrast, np.ones((_RINGING_REACH, _RINGING_REACH), np.uint8))

    # A shadow is backdrop that got darker smoothly: it is reached from the border without crossing an edge or a color.
    slope = cv2.magnitude(cv2.Sobel(lightness, cv2.CV_32F, 1, 0), cv2.Sobel(lightness, cv2.CV_32F, 0, 1))
    steep = slope > 8 * max(threshold, _SHADOW_STEP)
    passable = ~(steep | (chroma > max(2 * threshold, 5.0)) | (darkness > 45))
    mask = restore_leaked(differs & ~reached_from_border(passable), differs)
    mask = tidy(without_threads(mask))
    return fill_pockets(fill_holes(mask, contrast, steep | (contrast > _CLEAR_STEP)), contrast)


def border_confidence(backdrop: Backdrop, mask: Mask) -> float:
    """Trust grows with the backdrop's uniformity and with how far the product stands out from it; 0.4..1."""
    strength = cv2.mean(np.abs(backdrop.residual), mask.astype(np.uint8))
    contrast = min(sum(strength[:3]) / 30, 1.0)
    uniform = (backdrop.uniform_share - STUDIO_SHARE) / (1 - STUDIO_SHARE)
    return round(0.4 + 0.35 * contrast + 0.25 * uniform, 4)
