"""Files and feed rows that are broken or odd, each with what the pipeline is expected to make of it."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from schemas.reasons import Reason

BOMB_SIDE = 60_000
"""Side that the decompression bomb's header claims, px."""


@dataclass(frozen=True)
class BrokenCase:
    """One broken or odd thing.

    Args:
        name: what it is.
        expected: the reason it should be quarantined for; None when it should be extracted all the same.
        file_name: file in the folder `images/odd`; None when the row names no file of ours.
        data: the file's bytes; None when the file is to be missing.
        image_uri: what the feed row says; None for a null; by default the file.
        row: columns of the feed row that differ from an ordinary one.
        copies: how often the row stands in the feed.
        note: what to look at.
    """

    name: str
    expected: Reason | None
    file_name: str | None = None
    data: bytes | None = None
    image_uri: str | None = ""
    row: dict[str, str | None] = field(default_factory=dict)
    copies: int = 1
    note: str = ""

    @property
    def uri(self) -> str | None:
        """The row's image_uri."""
        return f"images/odd/{self.file_name}" if self.image_uri == "" else self.image_uri


def broken_cases(sample: Image.Image, original: bytes) -> list[BrokenCase]:
    """All broken and odd things.

    Args:
        sample: a good picture, RGB, from which the odd ones are made.
        original: bytes of a good JPEG of the catalogue, for the exact duplicate.
    """
    jpeg = _saved(sample, "JPEG", quality=88)
    turned = sample.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    # Orientation 6: the viewer must turn the stored pixels 90 degrees clockwise.
    exif[0x0112] = 6
    return [
        BrokenCase("empty file", Reason.EMPTY_FILE, "empty.jpg", b""),
        BrokenCase(
            "text named .jpg",
            Reason.NOT_AN_IMAGE,
            "readme.jpg",
            b"This is not a picture. It is a note to the photographer.\n" * 8,
        ),
        BrokenCase(
            "HTML error page named .jpg",
            Reason.NOT_AN_IMAGE,
            "error_page.jpg",
            b"<!DOCTYPE html><html><head><title>404</title></head><body>Not Found</body></html>\n",
        ),
        BrokenCase("truncated JPEG", Reason.TRUNCATED, "truncated.jpg", jpeg[: int(len(jpeg) * 0.45)]),
        BrokenCase("decompression bomb", Reason.TOO_MANY_PIXELS, "bomb.png", bomb_png(BOMB_SIDE, BOMB_SIDE)),
        BrokenCase("missing file", Reason.NOT_FOUND, "gone.jpg", None),
        BrokenCase(
            "SVG drawing",
            Reason.UNSUPPORTED_FORMAT,
            "logo.svg",
            b'<?xml version="1.0" encoding="UTF-8"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="200" height="200">'
            b'<circle cx="100" cy="100" r="80" fill="teal"/></svg>\n',
        ),
        BrokenCase(
            "Photoshop file",
            Reason.UNSUPPORTED_FORMAT,
            "layers.psd",
            b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, 400, 400, 8, 3) + b"\0" * 512,
        ),
        BrokenCase(
            "CMYK JPEG",
            None,
            "cmyk.jpg",
            _saved(sample.convert("CMYK"), "JPEG", quality=90),
            note="colors as in the RGB picture",
        ),
        BrokenCase("16-bit PNG", None, "sixteen_bit.png", _sixteen_bit(sample)),
        BrokenCase("animated palette GIF", None, "animated.gif", _animated(sample), note="the first frame counts"),
        BrokenCase(
            "EXIF-rotated JPEG",
            None,
            "rotated.jpg",
            _saved(turned, "JPEG", quality=90, exif=exif),
            note="upright like the original",
        ),
        BrokenCase(
            "exact duplicate under another name", None, "copy_of_first.jpg", original, note="reused, not computed again"
        ),
        BrokenCase("no product_id", Reason.NULL_PRODUCT_ID, "good_but_nameless.jpg", jpeg, row={"product_id": None}),
        BrokenCase("no image_uri", Reason.NULL_IMAGE_URI, image_uri=None),
        BrokenCase(
            "same row twice",
            Reason.DUPLICATE_ROW,
            "twice.jpg",
            _saved(sample, "JPEG", quality=70),
            copies=2,
            note="one of the two rows stays",
        ),
        BrokenCase("malformed URI", Reason.BAD_URI, image_uri="s3:/bucket-with-one-slash/picture.jpg"),
        BrokenCase("unknown scheme", Reason.UNKNOWN_SCHEME, image_uri="ftp://pictures.example/shoe.jpg"),
        BrokenCase("path out of the roots", Reason.OUTSIDE_ALLOWED_ROOTS, image_uri="../../etc/passwd"),
        BrokenCase(
            "price that is no number",
            Reason.BAD_VALUE,
            "priceless.jpg",
            _saved(sample, "JPEG", quality=60),
            row={"price": "ask us"},
        ),
    ]


def bomb_png(width: int, height: int) -> bytes:
    """A small valid PNG whose header claims a huge picture."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    # Only the first rows are there; a decoder that trusts the header allocates gigabytes before it notices.
    rows = zlib.compress(b"\0" * (width + 1) * 4, 9)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _saved(picture: Image.Image, file_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, file_format, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


def _sixteen_bit(picture: Image.Image) -> bytes:
    gray = np.asarray(picture.convert("L"), dtype=np.uint16) * 257
    return _saved(Image.fromarray(gray), "PNG")


def _animated(picture: Image.Image) -> bytes:
    first = picture.resize((240, round(240 * picture.height / picture.width))).quantize(128)
    frames = [first.rotate(6 * step) for step in (1, 2)]
    return _saved(first, "GIF", save_all=True, append_images=frames, duration=200, loop=0)
