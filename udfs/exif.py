"""EXIF orientation: read it, and turn pixels upright."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

_ORIENTATION_TAG = 0x0112
_SHORT = 3
_BYTE_ORDERS: dict[bytes, Literal["little", "big"]] = {b"II*\0": "little", b"MM\0*": "big"}

# EXIF 2.32, tag Orientation: what brings the stored pixels upright.
_ROTATIONS = {3: cv2.ROTATE_180, 6: cv2.ROTATE_90_CLOCKWISE, 8: cv2.ROTATE_90_COUNTERCLOCKWISE}
_FLIP_HORIZONTALLY, _FLIP_VERTICALLY = 1, 0


def orientation_in_exif(tiff: bytes) -> int:
    """Return the orientation, 1..8, of an EXIF block without its `Exif` header; 1 if it is absent or damaged."""
    order = _BYTE_ORDERS.get(tiff[:4])
    if order is None:
        return 1

    def number(at: int, size: int) -> int:
        return int.from_bytes(tiff[at : at + size], order)

    directory = number(4, 4)
    for entry in range(directory + 2, min(directory + 2 + 12 * number(directory, 2), len(tiff) - 11), 12):
        if number(entry, 2) == _ORIENTATION_TAG:
            value = number(entry + 8, 2) if number(entry + 2, 2) == _SHORT else number(entry + 8, 4)
            return valid_orientation(value)
    return 1


def valid_orientation(value: object) -> int:
    """Return the orientation if it is one of 1..8, else 1."""
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def swaps_sides(orientation: int) -> bool:
    """Whether width and height change places when the picture is turned upright."""
    return orientation >= 5


def turned_upright(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Turn and mirror pixels as the EXIF orientation asks.

    Args:
        pixels: uint8 (H, W, C) as stored.
        orientation: 1..8.

    Returns:
        uint8 upright pixels, C-contiguous; the same array for orientation 1.
    """
    upright: NDArray[np.uint8]
    if orientation in _ROTATIONS:
        upright = cv2.rotate(pixels, _ROTATIONS[orientation])
    elif orientation == 2:
        upright = cv2.flip(pixels, _FLIP_HORIZONTALLY)
    elif orientation == 4:
        upright = cv2.flip(pixels, _FLIP_VERTICALLY)
    elif orientation == 5:
        upright = cv2.transpose(pixels)
    elif orientation == 7:
        upright = cv2.rotate(cv2.transpose(pixels), cv2.ROTATE_180)
    else:
        return pixels
    return upright
