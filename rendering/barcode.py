"""EAN-13 barcodes as GS1 General Specifications, section 5.2 (EAN/UPC symbology), define them."""

from __future__ import annotations

import numpy as np

from rendering.canvas import Canvas, Flat
from rendering.outlines import rectangle
from rendering.palette_choice import base_rgb, index_of
from rendering.text import Ink, write

_LEFT_ODD = (
    "0001101",
    "0011001",
    "0010011",
    "0111101",
    "0100011",
    "0110001",
    "0101111",
    "0111011",
    "0110111",
    "0001011",
)
_PARITY = ("LLLLLL", "LLGLGG", "LLGGLG", "LLGGGL", "LGLLGG", "LGGLLG", "LGGGLL", "LGLGLG", "LGLGGL", "LGGLGL")
_QUIET_LEFT, _QUIET_RIGHT = 11, 7


def check_digit(twelve: str) -> int:
    """Check digit of the first twelve digits: weights 1 and 3 in turn, up to the next ten."""
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(twelve))
    return -total % 10


def ean13(rng: np.random.Generator) -> str:
    """A random number with a right check digit, under a Chinese (690-699) prefix."""
    twelve = "69" + "".join(str(int(digit)) for digit in rng.integers(0, 10, 10))
    return f"{twelve}{check_digit(twelve)}"


def modules(code: str) -> str:
    """The 95 modules of a code, `1` for a bar.

    Raises:
        ValueError: `code` is not 13 digits with a right check digit.
    """
    if len(code) != 13 or not code.isdigit() or check_digit(code[:12]) != int(code[12]):
        raise ValueError(f"{code!r} is no EAN-13: give 13 digits with the right check digit")
    left = "".join(
        _LEFT_ODD[int(digit)] if parity == "L" else _reversed_right(int(digit))
        for digit, parity in zip(code[1:7], _PARITY[int(code[0])], strict=True)
    )
    right = "".join(_inverted(_LEFT_ODD[int(digit)]) for digit in code[7:])
    return f"101{left}01010{right}101"


def _inverted(bits: str) -> str:
    return "".join("1" if bit == "0" else "0" for bit in bits)


def _reversed_right(digit: int) -> str:
    return _inverted(_LEFT_ODD[digit])[::-1]


def draw_barcode(canvas: Canvas, code: str, x: float, y: float, width: float, height: float) -> None:
    """Draw a barcode on a white field with its number below.

    Bars are set on whole pixels where the field is wide enough, as printers set them on whole dots.

    Args:
        canvas: where.
        code: 13 digits.
        x: left edge of the field, canvas units.
        y: its top.
        width: its width, quiet zones included.
        height: its height, number included.
    """
    bits = modules(code)
    canvas.fill(rectangle(x, y, x + width, y + height), Flat(base_rgb("white"), index_of("white")))
    total = len(bits) + _QUIET_LEFT + _QUIET_RIGHT
    module = width / total
    pixels = int(module * canvas.scale)
    if pixels >= 1:
        module = pixels / canvas.scale
    start = round((x + (width - module * total) / 2 + _QUIET_LEFT * module) * canvas.scale) / canvas.scale
    digits = min(height * 0.2, module * 11)
    top, bottom = y + height * 0.06, y + height - digits * 1.05
    rings = []
    position = 0
    while position < len(bits):
        end = position
        while end < len(bits) and bits[end] == bits[position]:
            end += 1
        if bits[position] == "1":
            guard = position < 3 or 45 <= position < 50 or position >= 92
            rings.append(
                rectangle(start + position * module, top, start + end * module, bottom + (digits * 0.4 if guard else 0))
            )
        position = end
    patch = canvas.cut(rings)
    canvas.lay(patch, np.array(base_rgb("black"), np.float32), index_of("black"))
    write(
        canvas, code, start + len(bits) * module / 2, bottom + digits * 0.16, digits * 0.95, Ink.of("black"),
        "mono", "barcode", max_width=len(bits) * module * 0.94,
    )  # fmt: skip
