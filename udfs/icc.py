"""Bring pixels from an embedded ICC profile to sRGB, with LittleCMS through Pillow."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

SAME_AS_SRGB = 2
"""Profiles that move no color by more than this many of 255 levels are taken for sRGB, whatever their name."""

_LARGEST_PROFILE_BYTES = 4 * 1024 * 1024
_SPACE_OF_MODE = {"L": b"GRAY", "RGB": b"RGB ", "CMYK": b"CMYK"}
_MODE_OF_CHANNELS = {1: "L", 3: "RGB", 4: "CMYK"}
_SRGB = ImageCms.createProfile("sRGB")
_GRID_LEVELS = 9


def to_srgb(pixels: NDArray[np.uint8], profile: bytes | None) -> NDArray[np.uint8]:
    """Convert to sRGB; without a usable profile, gray and RGB are taken for sRGB and CMYK is converted naively.

    A damaged profile is ignored: the picture is worth more than its exact colors.

    Args:
        pixels: uint8 (H, W, 1) gray, (H, W, 3) RGB or (H, W, 4) CMYK with 255 as full ink.
        profile: embedded profile, if any.

    Returns:
        uint8 (H, W, 3) sRGB.
    """
    mode = _MODE_OF_CHANNELS[pixels.shape[2]]
    if mode == "L" and (profile is None or profile[16:20] == _SPACE_OF_MODE["RGB"]):
        pixels, mode = cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB), "RGB"
    transform = None
    if profile is not None and len(profile) <= _LARGEST_PROFILE_BYTES and profile[16:20] == _SPACE_OF_MODE[mode]:
        transform = _transform(profile, mode)
    if transform is None:
        return _without_profile(pixels, mode)
    return _applied(transform, pixels, mode)


def _without_profile(pixels: NDArray[np.uint8], mode: str) -> NDArray[np.uint8]:
    if mode == "RGB":
        return pixels
    if mode == "L":
        gray: NDArray[np.uint8] = cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB)
        return gray
    # Ideal inks: what passes through ink and black is the product of both.
    ink = 255 - pixels.astype(np.uint16)
    return ((ink[..., :3] * ink[..., 3:] + 127) // 255).astype(np.uint8)


@lru_cache(maxsize=32)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Build the transform to sRGB; None if the profile is damaged or is sRGB already."""
    try:
        transform = ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(BytesIO(profile)),
            _SRGB,
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        if mode == "RGB":
            grid = _color_grid()
            moved = np.abs(_applied(transform, grid, mode).astype(np.int16) - grid)
            if int(moved.max()) <= SAME_AS_SRGB:
                return None
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
    return transform


def _applied(transform: ImageCms.ImageCmsTransform, pixels: NDArray[np.uint8], mode: str) -> NDArray[np.uint8]:
    flat = pixels[..., 0] if mode == "L" else pixels
    source = Image.frombytes(mode, (pixels.shape[1], pixels.shape[0]), np.ascontiguousarray(flat))
    return np.array(transform.apply(source))


def _color_grid() -> NDArray[np.uint8]:
    levels = np.linspace(0, 255, _GRID_LEVELS).round().astype(np.uint8)
    grid = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1)
    return np.ascontiguousarray(grid.reshape(_GRID_LEVELS, -1, 3))
