"""Check that a picture's container is whole, which decoders do not do, or only while they draw half a picture."""

from __future__ import annotations

import zlib
from typing import Literal

from schemas.reasons import ImageError, Reason

_PNG_SIGNATURE_BYTES = 8
_CRITICAL_PNG_CHUNKS = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})
# TIFF 6.0: StripOffsets, StripByteCounts, TileOffsets, TileByteCounts; bytes per value by type.
_OFFSET_TAGS, _COUNT_TAGS = (0x0111, 0x0144), (0x0117, 0x0145)
_TIFF_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_MOST_TIFF_STRIPS = 1 << 16
_GIF_TRAILER = b";"


def find_damage(data: bytes, name: str) -> ImageError | None:
    """Look for a missing end or a wrong checksum, without decoding.

    Args:
        data: the file's bytes.
        name: format as in `udfs.image_format`; formats without such marks are not looked at.

    Returns:
        A TRUNCATED or DECODE_FAILED error, or None if the container is whole.
    """
    if name == "png":
        return _png_damage(data)
    if name == "webp":
        return _webp_damage(data)
    if name == "avif":
        return _avif_damage(data)
    return None


def _truncated(name: str, needed: int, present: int) -> ImageError:
    return ImageError(Reason.TRUNCATED, f"{name} needs {needed} bytes and has {present}")


def _png_damage(data: bytes) -> ImageError | None:
    """Walk the chunks to IEND and check the critical ones' CRC (PNG specification, 5.3)."""
    view = memoryview(data)
    at = _PNG_SIGNATURE_BYTES
    while True:
        if at + 12 > len(data):
            return _truncated("PNG", at + 12, len(data))
        length = int.from_bytes(view[at : at + 4], "big")
        end = at + 8 + length
        kind = bytes(view[at + 4 : at + 8])
        if not kind.isalpha():
            return ImageError(Reason.DECODE_FAILED, f"PNG chunk at byte {at} has the impossible name {kind!r}")
        if end + 4 > len(data):
            return _truncated("PNG", end + 4, len(data))
        if kind in _CRITICAL_PNG_CHUNKS and zlib.crc32(view[at + 4 : end]) != int.from_bytes(
            view[end : end + 4], "big"
        ):
            return ImageError(Reason.DECODE_FAILED, f"PNG chunk {kind.decode()} at byte {at} fails its checksum")
        if kind == b"IEND":
            return None
        at = end + 4


def _webp_damage(data: bytes) -> ImageError | None:
    """Compare the size in the RIFF header with what is there (WebP Container Specification)."""
    needed = 8 + int.from_bytes(data[4:8], "little")
    # An odd last chunk may lack its padding byte.
    return _truncated("WebP", needed, len(data)) if len(data) + 1 < needed else None


def _avif_damage(data: bytes) -> ImageError | None:
    """Walk the top-level boxes (ISO/IEC 14496-12, 4.2)."""
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        if size == 0:
            return None
        if size < 8:
            return ImageError(Reason.DECODE_FAILED, f"AVIF box at byte {at} has the impossible size {size}")
        at += size
    return _truncated("AVIF", at, len(data)) if at > len(data) else None


def ends_early(data: bytes, name: str) -> bool:
    """Whether a GIF or TIFF that could not be decoded lacks its end."""
    if name == "gif":
        return not data.rstrip(b"\0").endswith(_GIF_TRAILER)
    return name == "tiff" and _tiff_ends_early(data)


def _tiff_ends_early(data: bytes) -> bool:
    """Whether the first directory of a classic TIFF, or a strip or tile that it names, lies beyond the end."""
    order: Literal["little", "big"] = "little" if data[:2] == b"II" else "big"
    if data[2:4] not in (b"*\0", b"\0*"):
        return False
    if len(data) < 8:
        return True

    def number(at: int, size: int) -> int:
        return int.from_bytes(data[at : at + size], order)

    directory = number(4, 4)
    entries = number(directory, 2)
    if directory + 2 + 12 * entries > len(data):
        return True
    values: dict[int, list[int]] = {}
    for entry in range(directory + 2, directory + 2 + 12 * entries, 12):
        tag, size, count = number(entry, 2), _TIFF_TYPE_BYTES.get(number(entry + 2, 2), 0), number(entry + 4, 4)
        start = entry + 8 if size * count <= 4 else number(entry + 8, 4)
        if start + size * count > len(data):
            return True
        if tag in _OFFSET_TAGS + _COUNT_TAGS and count <= _MOST_TIFF_STRIPS:
            values[tag] = [number(start + size * index, size) for index in range(count)]
    return any(
        offset + count > len(data)
        for offsets, counts in zip(_OFFSET_TAGS, _COUNT_TAGS, strict=True)
        for offset, count in zip(values.get(offsets, []), values.get(counts, []), strict=False)
    )
