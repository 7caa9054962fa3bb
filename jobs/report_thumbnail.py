"""Thumbnails for the report page: small WebP pictures within a byte budget."""

from __future__ import annotations

import io
import warnings

from PIL import Image, ImageOps

THUMBNAIL_SIDE = 240
"""Longest side in pixels: sharp on a phone's screen, small enough to inline hundreds."""

THUMBNAIL_BYTES = 12_000
"""300 of these are 4.8 MB as base64."""

WEBP_QUALITIES = (76, 60, 45, 30)

MAX_THUMBNAIL_PIXELS = 120_000_000


class ThumbnailError(Exception):
    """The bytes could not be made into a thumbnail; the message says why."""


def make_thumbnail(data: bytes, side: int = THUMBNAIL_SIDE, max_bytes: int = THUMBNAIL_BYTES) -> bytes:
    """A WebP thumbnail, upright (EXIF applied), RGB, on white where the picture is transparent.

    Args:
        data: bytes of a picture in any format Pillow reads.
        side: longest side in pixels; smaller pictures keep their size.
        max_bytes: quality is lowered step by step until the thumbnail fits; the last step is taken as it is.

    Raises:
        ThumbnailError: the bytes cannot be decoded or have too many pixels.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data))
        if image.width * image.height > MAX_THUMBNAIL_PIXELS:
            raise ThumbnailError(f"{image.width} x {image.height} px are too many to draw")
        image.draft("RGB", (2 * side, 2 * side))
        upright = _on_white(ImageOps.exif_transpose(image))
        upright.thumbnail((side, side), Image.Resampling.LANCZOS)
        encoded = b""
        for quality in WEBP_QUALITIES:
            buffer = io.BytesIO()
            upright.save(buffer, "WEBP", quality=quality, method=4)
            encoded = buffer.getvalue()
            if len(encoded) <= max_bytes:
                break
    # Broken files make Pillow raise nearly anything: its decoders' own errors, struct's, zlib's by way of these.
    except (OSError, ValueError, SyntaxError, TypeError, KeyError, OverflowError, MemoryError) as error:
        raise ThumbnailError(f"{type(error).__name__}: {error}") from error
    except Image.DecompressionBombError as error:
        raise ThumbnailError(str(error)) from error
    return encoded


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        colored = image.convert("RGBA")
        ground = Image.new("RGBA", colored.size, (255, 255, 255, 255))
        return Image.alpha_composite(ground, colored).convert("RGB")
    if image.mode.startswith("I") or image.mode == "F":
        # 16-bit gray: Pillow clips instead of scaling.
        return image.convert("F").point(lambda value: value / 257.0 + 0.0).convert("L").convert("RGB")
    return image.convert("RGB")
