"""Decode PNG, WebP, GIF, BMP, TIFF and AVIF with Pillow: any pixel layout to 8-bit gray, RGB or CMYK, shrunk in strips.

Large pictures are converted and shrunk strip by strip, so that beside Pillow's own buffer only a strip and the small
result are held, whatever the layout.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import logging
import warnings
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import PIL
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from schemas.reasons import ImageError, Reason
from udfs.container_check import ends_early, find_damage
from udfs.exif import orientation_in_exif
from udfs.image_format import PILLOW_NAMES, check_pixels, unsupported

# Set once, at import: pixels are limited by settings, before decoding, and Pillow's complaints about metadata concern
# nobody. `warnings.catch_warnings` around each call would race between threads.
Image.MAX_IMAGE_PIXELS = None
Image.init()
warnings.filterwarnings("ignore", module=r"PIL\.")
logging.getLogger("PIL").setLevel(logging.CRITICAL)


def _silence_libtiff() -> None:
    """Keep libtiff from writing to standard error what Pillow raises anyway; does nothing where it is not found."""
    package = Path(PIL.__file__).parent
    bundled = [*package.parent.glob("pillow.libs/libtiff*"), *package.glob(".dylibs/libtiff*")]
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(str(bundled[0]) if bundled else ctypes.util.find_library("tiff"))
        library.TIFFSetErrorHandler.argtypes = [ctypes.c_void_p]
        library.TIFFSetErrorHandler.restype = ctypes.c_void_p
        library.TIFFSetErrorHandler(None)


_silence_libtiff()

_STRIP_ROWS = 256
_ALPHA_MODES = frozenset({"RGBA", "RGBa", "LA", "La", "PA"})
_DEEP_MODES = frozenset({"I;16", "I;16B", "I;16L", "I;16N", "I", "F"})
_WHITE = (255, 255, 255)


@dataclass(frozen=True)
class PillowImage:
    """A picture as stored, perhaps shrunk.

    Args:
        pixels: uint8 (H, W, 1) gray, (H, W, 3) RGB or (H, W, 4) CMYK with 255 as full ink.
        width_px: stored width, before shrinking and before EXIF orientation.
        height_px: stored height.
        orientation: EXIF orientation still to be applied, 1..8.
        icc_profile: embedded color profile, if any.
    """

    pixels: NDArray[np.uint8]
    width_px: int
    height_px: int
    orientation: int
    icc_profile: bytes | None


def decode_with_pillow(data: bytes, name: str, max_pixels: int, long_side: int) -> PillowImage:
    """Decode the first frame, shrunk by a whole factor as far as its long side stays at or above `long_side`.

    Args:
        data: the file's bytes.
        name: png, webp, gif, bmp, tiff or avif.
        max_pixels: most pixels allowed by the header.
        long_side: wanted long side in pixels.

    Raises:
        ImageError: TOO_MANY_PIXELS, TRUNCATED, UNSUPPORTED_FORMAT or DECODE_FAILED.
    """
    if PILLOW_NAMES[name] not in Image.OPEN:
        raise unsupported(f"{name}, which this build of Pillow cannot read")
    damage = find_damage(data, name)
    if damage is not None:
        raise damage
    try:
        with Image.open(BytesIO(data), formats=(PILLOW_NAMES[name],)) as image:
            check_pixels(*image.size, max_pixels)
            image.load()
            return _shrunk(image, long_side)
    except ImageError:
        raise
    # Pillow's plugins raise whatever comes on damaged files: OSError, SyntaxError, struct.error, KeyError ...
    except Exception as error:
        raise _typed(error, data, name) from error


def _shrunk(image: Image.Image, long_side: int) -> PillowImage:
    width, height = image.size
    factor = max(max(width, height) // long_side, 1)
    white_level = _white_level(image) if image.mode in _DEEP_MODES else 1.0
    if factor == 1:
        pixels = _channels(_eight_bit(image, white_level))
    else:
        rows = max(_STRIP_ROWS // factor, 1) * factor
        strips = [
            _channels(_eight_bit(image.crop((0, top, width, min(top + rows, height))), white_level).reduce(factor))
            for top in range(0, height, rows)
        ]
        pixels = np.concatenate(strips)
    exif = image.info.get("exif")
    orientation = orientation_in_exif(exif.removeprefix(b"Exif\0\0")) if isinstance(exif, bytes) else 1
    profile = image.info.get("icc_profile")
    return PillowImage(pixels, width, height, orientation, profile if isinstance(profile, bytes) else None)


def _eight_bit(image: Image.Image, white_level: float) -> Image.Image:
    """Return the picture as L, RGB or CMYK, with transparency laid on white."""
    mode = image.mode
    if mode in _DEEP_MODES:
        return _from_deep(image, white_level)
    if mode in _ALPHA_MODES or "transparency" in image.info:
        return _on_white(image)
    if mode in ("L", "RGB", "CMYK"):
        return image
    return image.convert("L" if mode == "1" else "RGB")


def _on_white(image: Image.Image) -> Image.Image:
    # RGBa and La, with multiplied alpha, convert only through their plain forms.
    plain = {"RGBa": "RGBA", "La": "LA"}.get(image.mode)
    if plain is not None:
        image = image.convert(plain)
    rgba = image if image.mode == "RGBA" else image.convert("RGBA")
    canvas = Image.new("RGB", image.size, _WHITE)
    canvas.paste(rgba, mask=rgba.getchannel("A"))
    return canvas


def _white_level(image: Image.Image) -> float:
    """Return the value that stands for white in a picture of more than 8 bits.

    Integers of 16 bits say so themselves. Floating point and 32-bit files do not: the smallest usual range that holds
    all values is taken, 1, 255 or 65535, else their maximum.
    """
    if image.mode.startswith("I;16"):
        return 65535.0
    brightest = float(image.getextrema()[1])  # type: ignore[arg-type]
    levels = (1.0, 255.0, 65535.0) if image.mode == "F" else (255.0, 65535.0)
    return next((level for level in levels if brightest <= level), brightest)


def _from_deep(image: Image.Image, white_level: float) -> Image.Image:
    values = np.asarray(image).astype(np.float32)
    scaled = np.nan_to_num(values * (255.0 / white_level), nan=0.0, posinf=255.0, neginf=0.0)
    return Image.fromarray((np.clip(scaled, 0, 255) + 0.5).astype(np.uint8))


def _channels(image: Image.Image) -> NDArray[np.uint8]:
    pixels: NDArray[np.uint8] = np.array(image)
    return pixels[..., np.newaxis] if pixels.ndim == 2 else pixels


def _typed(error: Exception, data: bytes, name: str) -> ImageError:
    message = " ".join(str(error).split())[:200] or type(error).__name__
    if isinstance(error, UnidentifiedImageError):
        # Pillow's own message holds nothing but an address in memory.
        message = "the header is damaged, or of a kind that Pillow cannot read"
    if isinstance(error, EOFError) or "truncated" in message.lower() or ends_early(data, name):
        return ImageError(Reason.TRUNCATED, f"{name} data ends early: {message}")
    return ImageError(Reason.DECODE_FAILED, f"{name}: {type(error).__name__}: {message}")
