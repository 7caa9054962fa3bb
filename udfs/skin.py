"""Finds skin, so that a wearer's face, arms and legs are not taken for the product."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

# Skin's chroma in YCrCb after Chai and Ngan, "Face segmentation using skin-color map" (1999), with the weakly tinted
# corner cut off, where beige fabric lies.
# Luma, red and blue, both ends included.
_LOWEST, _HIGHEST = (61, 137, 81), (255, 172, 123)
_LEAST_TINT = 240


def skin_mask(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Pixels that have the color of skin; tan leather and wood have it too, so judge by the share as well.

    Args:
        pixels: (H, W, 3) uint8 RGB.

    Returns:
        (H, W) bool.
    """
    pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2YCrCb)
    in_range = cv2.inRange(pixels, _LOWEST, _HIGHEST)
    # The sum ends at 255, which is above the limit too.
    tint = cv2.add(cv2.extractChannel(pixels, 1), cv2.extractChannel(pixels, 2))
    return np.asarray((in_range > 0) & (tint > _LEAST_TINT))
