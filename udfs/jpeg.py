"""Decode JPEG files: scaled, strict about damage, with the color information their markers carry.

TurboJPEG (through simplejpeg) decodes; it reports what libjpeg calls warnings, which Pillow and OpenCV swallow: a file
whose data ends early or is damaged in the middle is refused and not handed on with gray or smeared parts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import simplejpeg  # type: ignore[import-untyped]
from numpy.typing import NDArray

from schemas.reasons import ImageError, Reason
from udfs.exif import orientation_in_exif
from udfs.image_format import unsupported

MAX_SCANS = 256
"""Progressive files have about ten scans; thousands of them in a small file would take minutes to decode."""

# Padding that some encoders leave before a marker; more than this is lost synchronization.
_HARMLESS_EXTRA_BYTES = 16
_EXTRANEOUS = re.compile(r"(\d+) extraneous bytes before marker 0x")
_HARMLESS = ("Invalid SOS parameters", "Unknown Adobe color transform", "unknown JFIF revision")
_UNSUPPORTED = ("Unsupported JPEG process", "Unsupported JPEG data precision", "arithmetic")

_EOI, _SOS = 0xD9, 0xDA
_APP1, _APP2, _APP14 = 0xE1, 0xE2, 0xEE
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})
# SOF0..SOF15 without DHT (C4), JPG (C8) and DAC (CC), ITU T.81 table B.1.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True)
class JpegHeader:
    """What the markers before the first scan say.

    Args:
        width_px: stored width, before EXIF orientation.
        height_px: stored height.
        components: 1 gray, 3 color, 4 CMYK or YCCK.
        orientation: EXIF orientation, 1..8.
        icc_profile: embedded color profile, if any.
        has_adobe_marker: whether Adobe's APP14 is there; its CMYK values are stored inverted.
    """

    width_px: int
    height_px: int
    components: int
    orientation: int
    icc_profile: bytes | None
    has_adobe_marker: bool


def read_jpeg_header(data: bytes) -> JpegHeader:
    """Walk the markers up to the first scan; decodes nothing.

    Raises:
        ImageError: TRUNCATED if the file ends before its first scan, UNSUPPORTED_FORMAT (lossless, 12-bit) or
            DECODE_FAILED.
    """
    frame: tuple[int, int, int] | None = None
    orientation = 1
    has_adobe = False
    profile_parts: dict[int, bytes] = {}
    at = 2
    while True:
        marker, start, end = _next_segment(data, at)
        if marker in (_SOS, _EOI):
            break
        if marker in _FRAMES:
            frame = _frame_of(data, marker, start, end)
        elif marker == _APP1 and data.startswith(b"Exif\0", start):
            orientation = orientation_in_exif(data[start + 6 : end])
        elif marker == _APP2 and data.startswith(b"ICC_PROFILE\0", start) and end > start + 14:
            profile_parts[data[start + 12]] = data[start + 14 : end]
        elif marker == _APP14 and data.startswith(b"Adobe", start):
            has_adobe = True
        at = end
    if frame is None:
        raise ImageError(Reason.DECODE_FAILED, "the JPEG has no frame header before its first scan")
    profile = b"".join(profile_parts[key] for key in sorted(profile_parts)) or None
    return JpegHeader(*frame, orientation, profile, has_adobe)


def decode_jpeg(data: bytes, header: JpegHeader, long_side: int) -> NDArray[np.uint8]:
    """Decode, scaled down by eighths as far as the long side stays at or above `long_side`.

    Args:
        data: the file's bytes.
        header: from `read_jpeg_header`.
        long_side: wanted long side in pixels; smaller pictures are not enlarged.

    Returns:
        uint8 (H, W, 3) RGB, (H, W, 1) gray, or (H, W, 4) CMYK with 255 as full ink; not yet upright.

    Raises:
        ImageError: TRUNCATED, UNSUPPORTED_FORMAT or DECODE_FAILED.
    """
    if data.count(b"\xff\xda") > MAX_SCANS:
        raise ImageError(Reason.DECODE_FAILED, f"the JPEG has more than {MAX_SCANS} scans")
    colorspace = {1: "GRAY", 3: "RGB", 4: "CMYK"}.get(header.components)
    if colorspace is None:
        raise unsupported(f"a JPEG with {header.components} components")
    scale = long_side / max(header.width_px, header.height_px)
    min_height = int(header.height_px * scale) if scale < 1 else 0
    min_width = int(header.width_px * scale) if scale < 1 else 0
    pixels = _decode_strictly(data, colorspace, min_height, min_width)
    if header.components == 4 and header.has_adobe_marker:
        np.subtract(255, pixels, out=pixels)
    return pixels


def _decode_strictly(data: bytes, colorspace: str, min_height: int, min_width: int) -> NDArray[np.uint8]:
    # Halves, quarters and eighths have fast paths; the other eighths cost more than decoding in full (measured).
    options = {"colorspace": colorspace, "min_height": min_height, "min_width": min_width, "min_factor": 2}
    try:
        pixels: NDArray[np.uint8] = simplejpeg.decode_jpeg(data, **options)
    except ValueError as error:
        if not _is_harmless(str(error), data):
            raise _typed(str(error), data) from error
        try:
            pixels = simplejpeg.decode_jpeg(data, strict=False, **options)
        except ValueError as second:
            raise _typed(str(second), data) from second
    return pixels


def _is_harmless(message: str, data: bytes) -> bool:
    """Whether a complaint of libjpeg leaves the picture whole: odd header values, or padding before the end."""
    if any(text in message for text in _HARMLESS):
        return True
    extraneous = _EXTRANEOUS.search(message)
    if extraneous is None:
        return False
    count = int(extraneous.group(1))
    end = data.rfind(b"\xff\xd9")
    # Bytes that are no padding are picture data that the decoder did not reach: it lost its way before.
    return count <= _HARMLESS_EXTRA_BYTES and not data[max(end - count, 0) : end].strip(b"\0\xff")


def _typed(message: str, data: bytes) -> ImageError:
    scan = data.rfind(b"\xff\xda")
    # Inside picture data 0xFF is always escaped, so the first end marker after the last scan's start is the real one.
    if "premature end" in message.lower() or data.find(b"\xff\xd9", max(scan, 0)) < 0:
        return ImageError(Reason.TRUNCATED, f"JPEG data ends early: {message}")
    if any(text in message for text in _UNSUPPORTED):
        return unsupported(f"a JPEG of a rare kind ({message})")
    return ImageError(Reason.DECODE_FAILED, f"JPEG: {message}")


def _next_segment(data: bytes, at: int) -> tuple[int, int, int]:
    """Return marker, payload start and end of the segment at or after `at`."""
    while True:
        at = data.find(b"\xff", at)
        if at < 0 or at + 1 >= len(data):
            raise ImageError(Reason.TRUNCATED, "the JPEG ends before its first scan")
        marker = data[at + 1]
        if marker not in (0x00, 0xFF) and marker not in _STANDALONE:
            break
        at += 1 if marker == 0xFF else 2
    start = at + 4
    end = at + 2 + int.from_bytes(data[at + 2 : start], "big")
    if marker == _EOI:
        return marker, start, start
    if end > len(data) or start > len(data):
        raise ImageError(Reason.TRUNCATED, "the JPEG ends before its first scan")
    return marker, start, max(start, end)


def _frame_of(data: bytes, marker: int, start: int, end: int) -> tuple[int, int, int]:
    """Return width, height and number of components of a frame header (ITU T.81, B.2.2)."""
    if end - start < 6:
        raise ImageError(Reason.DECODE_FAILED, "the JPEG's frame header is too short")
    if marker in (0xC3, 0xC7, 0xCB, 0xCF):
        raise unsupported("a lossless JPEG")
    if data[start] != 8:
        raise unsupported(f"a JPEG with {data[start]} bits per sample")
    height = int.from_bytes(data[start + 1 : start + 3], "big")
    width = int.from_bytes(data[start + 3 : start + 5], "big")
    if not width or not height:
        raise ImageError(Reason.DECODE_FAILED, f"the JPEG header says {width} x {height} pixels")
    return width, height, data[start + 5]
