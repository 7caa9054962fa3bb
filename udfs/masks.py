"""Cleans masks of a product: specks, threads, leaks, holes and bays.

Masks are (H, W) bool, True on the product; `contrast` is (H, W) float32, the difference to the
backdrop in CIELAB units.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Plane = NDArray[np.float32]

# Parts smaller than this share of the largest one are specks; a pair's second shoe is far above it.
_SPECK_SHARE = 0.06
# A part that kept less than this share of its area leaked.
_LEAST_KEPT = 0.5
# Pockets in a pale product's outline are closed up to twice this width (px); a rim is pale below this contrast.
_POCKET_REACH = 8
_PALE_RIM = 25.0


def reached_from_border(passable: Mask) -> Mask:
    """The passable pixels connected to the picture's border."""
    padded = cv2.copyMakeBorder(passable.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1)
    cv2.floodFill(padded, None, (0, 0), 2)
    reached: Mask = padded[1:-1, 1:-1] == 2
    return reached


def without_threads(mask: Mask) -> Mask:
    """Drop thin lines that run into the picture's border, such as the joints of a tiled floor."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7))
    solid = cv2.dilate(cv2.erode(mask.astype(np.uint8), kernel, borderValue=1), kernel, iterations=2).astype(bool)
    threads = mask & ~solid
    if not threads.any():
        return mask
    return np.asarray(mask & ~(threads & reached_from_border(threads)))


def restore_leaked(mask: Mask, differs: Mask) -> Mask:
    """Give back parts that lost most of their area: there the flood came in through a gap in a faint outline."""
    count, labels = cv2.connectedComponents(differs.astype(np.uint8), connectivity=8)
    before = np.bincount(labels.ravel(), minlength=count)
    after = np.bincount(labels.ravel(), weights=mask.ravel(), minlength=count)
    leaked = (after < _LEAST_KEPT * before) & (before > 0.2 * before[1:].max(initial=0))
    leaked[0] = False
    return np.asarray(mask | leaked[labels])


def tidy(mask: Mask) -> Mask:
    """Close gaps of a pixel or two, remove threads and specks, keep the large parts."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    closed = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, kernel, iterations=2)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
    if count <= 1:
        return np.asarray(closed, dtype=bool)
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    return np.asarray((areas >= _SPECK_SHARE * areas.max())[labels])


def fill_holes(mask: Mask, contrast: Plane, textured: Mask) -> Mask:
    """Fill holes, except real openings (handles, straps): large, plain inside, and with a rim that stands out."""
    holes = ~(mask | reached_from_border(~mask))
    if not holes.any():
        return mask
    count, labels, stats, _ = cv2.connectedComponentsWithStats(holes.astype(np.uint8), connectivity=4)
    areas = stats[:, cv2.CC_STAT_AREA]
    rough = np.bincount(labels.ravel(), weights=textured.ravel(), minlength=count) / np.maximum(areas, 1)
    opening = (areas > 0.005 * mask.sum()) & (rough < 0.1) & (_rim_contrast(labels, count, mask, contrast) >= _PALE_RIM)
    opening[0] = False
    return np.asarray(mask | (holes & ~opening[labels]))


def fill_pockets(mask: Mask, contrast: Plane) -> Mask:
    """Fill bays of a pale product whose clipped parts look like the backdrop: openings narrow, rims pale."""
    reach = _POCKET_REACH
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    framed = cv2.copyMakeBorder(mask.astype(np.uint8), reach, reach, reach, reach, cv2.BORDER_CONSTANT, value=0)
    closed = cv2.morphologyEx(framed, cv2.MORPH_CLOSE, kernel)[reach:-reach, reach:-reach].astype(bool)
    sealed = ~reached_from_border(~closed)
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
