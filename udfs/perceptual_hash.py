"""A 64-bit hash that near-duplicates of a picture share: resized, re-encoded, slightly corrected."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_SIDE = 32
_FREQUENCIES = 8
# Coefficients below this are rounding noise of flat pictures; a real picture's median is well above it.
_NOISE_FLOOR = 0.5


def perceptual_hash(pixels: NDArray[np.uint8]) -> str:
    """Hash a picture by the signs of its low DCT frequencies.

    Source: Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions" (2010), section 3.2.1 (pHash):
    the 8 x 8 lowest frequencies of the 32 x 32 luma, each compared with their median.

    Args:
        pixels: (H, W, 3) uint8 RGB.

    Returns:
        16 hex digits; the Hamming distance of the bits tells how different two pictures are (below about 8 of 64:
        the same picture).
    """
    return luma_hash(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))


def luma_hash(luma: NDArray[np.uint8]) -> str:
    """`perceptual_hash` of a picture that is luma (H, W) uint8 already."""
    # A picture wider than 32 px is averaged down; a smaller one is stretched smoothly.
    shrinks = min(luma.shape) >= _SIDE
    small = cv2.resize(luma, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    low = cv2.dct(small.astype(np.float32))[:_FREQUENCIES, :_FREQUENCIES].ravel()
    low[np.abs(low) < _NOISE_FLOOR] = 0.0
    # The first coefficient is the mean brightness and would bias the median.
    middle = low.size // 2 - 1
    bits = low > np.partition(low[1:], middle)[middle]
    return np.packbits(bits).tobytes().hex()
