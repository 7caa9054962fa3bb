"""Finds skin, so that a wearer's face, arms and legs are not taken for the product."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

# Skin's chroma in YCrCb after Chai and Ngan, "Face segmentation using skin-color map" (1999), with the weakly tinted
# corner cut off, where beige fabric lies.
_RED_RANGE = (136, 173)
_BLUE_RANGE = (80, 124)
_DARKEST = 60
_LEAST_TINT = 240


def skin_mask(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Pixels that have the color of skin; tan leather and wood have it too, so judge by the share as well.

    Args:
        pixels: (H, W, 3) uint8 RGB.

    Returns:
        (H, W) bool.
    """
    luma, red, blue = cv2.split(cv2.cvtColor(pixels, cv2.COLOR_RGB2YCrCb))
    tinted = red.astype(np.int16) + blue > _LEAST_TINT
    in_range = (red > _RED_RANGE[0]) & (red < _RED_RANGE[1]) & (blue > _BLUE_RANGE[0]) & (blue < _BLUE_RANGE[1])
    return np.asarray(in_range & tinted & (luma > _DARKEST))
