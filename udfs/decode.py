"""Decode a picture's bytes into upright sRGB pixels of a bounded size.

JPEG goes through TurboJPEG (see `udfs.jpeg`), everything else through Pillow (see `udfs.decode_pillow`).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from schemas.settings import DecodeSettings
from udfs.decode_pillow import decode_with_pillow
from udfs.exif import swaps_sides, turned_upright
from udfs.icc import to_srgb
from udfs.image_format import check_pixels, sniff_format
from udfs.jpeg import decode_jpeg, read_jpeg_header


@dataclass(frozen=True)
class DecodedImage:
    """A picture ready for measures and models.

    Args:
        pixels: uint8 (H, W, 3) RGB, sRGB, upright, C-contiguous; long side at most `DecodeSettings.working_side`.
        width_px: width of the source, upright.
        height_px: height of the source, upright.
        format: jpeg, png, webp, gif, bmp, tiff or avif.
    """

    pixels: NDArray[np.uint8]
    width_px: int
    height_px: int
    format: str


def decode(data: bytes, settings: DecodeSettings) -> DecodedImage:
    """Decode a picture: first frame, upright, sRGB, transparency on white, shrunk to the working side.

    Args:
        data: the file's bytes.
        settings: pixel limit and working side.

    Returns:
        The picture. It is never enlarged.

    Raises:
        ImageError: EMPTY_FILE, NOT_AN_IMAGE, UNSUPPORTED_FORMAT, TOO_MANY_PIXELS (told from the header), TRUNCATED or
            DECODE_FAILED.
    """
    name = sniff_format(data)
    if name == "jpeg":
        header = read_jpeg_header(data)
        check_pixels(header.width_px, header.height_px, settings.max_pixels)
        stored = decode_jpeg(data, header, settings.working_side)
        width, height, orientation, profile = header.width_px, header.height_px, header.orientation, header.icc_profile
    else:
        source = decode_with_pillow(data, name, settings.max_pixels, settings.working_side)
        stored = source.pixels
        width, height, orientation, profile = source.width_px, source.height_px, source.orientation, source.icc_profile
    shrunk = _shrunk(stored, width, height, settings.working_side)
    pixels = np.ascontiguousarray(turned_upright(to_srgb(shrunk, profile), orientation))
    if swaps_sides(orientation):
        width, height = height, width
    return DecodedImage(pixels, width, height, name)


def _shrunk(pixels: NDArray[np.uint8], width: int, height: int, working_side: int) -> NDArray[np.uint8]:
    """Shrink to exactly the working side by area averaging; `width` and `height` are the source's."""
    scale = working_side / max(width, height)
    if scale >= 1:
        return pixels
    target = (max(round(width * scale), 1), max(round(height * scale), 1))
    if (pixels.shape[1], pixels.shape[0]) == target:
        return pixels
    shrunk: NDArray[np.uint8] = cv2.resize(pixels, target, interpolation=cv2.INTER_AREA)
    return shrunk.reshape(target[1], target[0], pixels.shape[2])
