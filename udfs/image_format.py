"""Tell a picture's container format from its first bytes."""

from __future__ import annotations

from schemas.reasons import ImageError, Reason

PILLOW_NAMES = {
    "jpeg": "JPEG",
    "png": "PNG",
    "webp": "WEBP",
    "gif": "GIF",
    "bmp": "BMP",
    "tiff": "TIFF",
    "avif": "AVIF",
}
"""Supported formats as the tables spell them, with Pillow's names."""

_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
)
_UNSUPPORTED_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "PDF"),
    (b"8BPS", "Photoshop (PSD)"),
    (b"\0\0\1\0", "Windows icon (ICO)"),
    (b"\0\0\2\0", "Windows cursor (CUR)"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000 codestream"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    (b"\xff\xd8", "damaged or lossless JPEG"),
    (b"IIU\0", "raw camera file (Panasonic RW2)"),
    (b"IIRO", "raw camera file (Olympus ORF)"),
    (b"IIRS", "raw camera file (Olympus ORF)"),
    (b"MMOR", "raw camera file (Olympus ORF)"),
    (b"FUJIFILMCCD-RAW", "raw camera file (Fujifilm RAF)"),
    (b"II\xbc\x01", "JPEG XR"),
    (b"%!PS", "PostScript"),
    (b"\xc5\xd0\xd3\xc6", "PostScript (EPS)"),
    (b"gimp xcf", "GIMP (XCF)"),
    (b"DDS ", "DirectDraw texture (DDS)"),
    (b"v/1\x01", "OpenEXR"),
    (b"#?RADIANCE", "Radiance HDR"),
    (b"qoif", "QOI"),
    (b"icns", "Apple icon (ICNS)"),
    (b"\x59\xa6\x6a\x95", "Sun raster"),
    (b"\x8aMNG\r\n\x1a\n", "MNG"),
    (b"AT&TFORM", "DjVu"),
    (b"\xd7\xcd\xc6\x9a", "Windows metafile (WMF)"),
    (b"\x1aE\xdf\xa3", "Matroska or WebM video"),
)
# Brands of ISO base media files (ISO/IEC 14496-12); AVIF's stand in the AV1 Image File Format.
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs"})
_RAW_CANON = frozenset({b"crx "})
_PROBE_BYTES = 1024


def sniff_format(data: bytes) -> str:
    """Return the format of a supported picture: jpeg, png, webp, gif, bmp, tiff or avif.

    Args:
        data: the file's bytes; only the first ones are looked at.

    Raises:
        ImageError: EMPTY_FILE, UNSUPPORTED_FORMAT (naming the format) or NOT_AN_IMAGE.
    """
    if not data:
        raise ImageError(Reason.EMPTY_FILE, "the file has no bytes")
    for signature, name in _SIGNATURES:
        if data.startswith(signature):
            return _tiff_or_raw(data) if name == "tiff" else name
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "webp"
    # "BM" alone is too common; the size of the header that follows is one of a few.
    if data.startswith(b"BM") and data[14:18] in _BMP_HEADERS:
        return "bmp"
    if data[4:8] == b"ftyp":
        return _base_media(data)
    for signature, name in _UNSUPPORTED_SIGNATURES:
        if data.startswith(signature):
            raise unsupported(name)
    raise _not_an_image(data)


_BMP_HEADERS = frozenset(size.to_bytes(4, "little") for size in (12, 16, 40, 52, 56, 64, 108, 124))


def unsupported(name: str) -> ImageError:
    """Return the error for a format that is recognized but not read."""
    return ImageError(Reason.UNSUPPORTED_FORMAT, f"the file is {name}; use JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF")


def check_pixels(width_px: int, height_px: int, max_pixels: int) -> None:
    """Refuse a picture by its header, before a pixel is decoded.

    Raises:
        ImageError: TOO_MANY_PIXELS.
    """
    if width_px * height_px > max_pixels:
        detail = f"{width_px} x {height_px} are {width_px * height_px} pixels; at most {max_pixels} are allowed"
        raise ImageError(Reason.TOO_MANY_PIXELS, detail)


def _tiff_or_raw(data: bytes) -> str:
    # Raw camera files are TIFF containers whose first picture is but a thumbnail.
    if data[8:10] == b"CR":
        raise unsupported("a raw camera file (Canon CR2)")
    return "tiff"


def _base_media(data: bytes) -> str:
    if len(data) < max(int.from_bytes(data[:4], "big"), 16):
        raise ImageError(Reason.TRUNCATED, "the file ends within its first box")
    box_size = min(int.from_bytes(data[:4], "big"), 256)
    brands = {data[8:12]} | {data[at : at + 4] for at in range(16, box_size - 3, 4)}
    if brands & _AVIF_BRANDS:
        return "avif"
    if brands & _HEIF_BRANDS or data[8:12] in (b"mif1", b"msf1"):
        raise unsupported("HEIC/HEIF")
    if brands & _RAW_CANON:
        raise unsupported("a raw camera file (Canon CR3)")
    raise unsupported(f"a video or another media file (brand {data[8:12]!r})")


def _not_an_image(data: bytes) -> ImageError:
    head = data[:_PROBE_BYTES].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith(b"<svg") or (head.startswith((b"<?xml", b"<!doctype svg", b"<!--")) and b"<svg" in head):
        return unsupported("SVG")
    if head.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return ImageError(Reason.NOT_AN_IMAGE, "the file is an HTML page")
    if head.startswith((b"<?xml", b"<error")):
        return ImageError(Reason.NOT_AN_IMAGE, "the file is XML, perhaps a store's error message")
    if not data.strip(b"\0"):
        return ImageError(Reason.NOT_AN_IMAGE, f"the file is {len(data)} zero bytes")
    return ImageError(Reason.NOT_AN_IMAGE, f"no known picture format begins with {data[:8].hex(' ')}")
