"""EAN and UPC numbers: check digits, and numbers printed as text."""

from __future__ import annotations

import re

from udfs.text_field import Found

_DIGITS = re.compile(r"(?<![\d.,])\d(?:[ \-]{0,2}[\doils]){7,13}(?![\d%])")
_READ_AS = str.maketrans({"o": "0", "i": "1", "l": "1", "s": "5"})
_LENGTHS = (8, 12, 13, 14)
# A random number passes the check digit one time in ten, so length and prefix have to speak for it too.
_CLARITY = {13: 0.95, 12: 0.85, 14: 0.8, 8: 0.5}
_MISREAD_PENALTY = 0.7
# A printed date such as 20260501 is no EAN-8, though one in ten would pass.
_DATE = re.compile(r"20[1-4]\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")


def check_digit(digits: str) -> int:
    """Check digit of a GTIN without its last digit (GS1 General Specifications, section 7.9).

    Raises:
        ValueError: `digits` holds something else than digits, or nothing.
    """
    if not digits.isascii() or not digits.isdigit():
        raise ValueError(f"check_digit wants digits, got {digits!r}")
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return -total % 10


def is_gtin(digits: str) -> bool:
    """Whether these are 8, 12, 13 or 14 digits with a right check digit, and not all zeros."""
    return (
        len(digits) in _LENGTHS
        and digits.isascii()
        and digits.isdigit()
        and int(digits) > 0
        and check_digit(digits[:-1]) == int(digits[-1])
    )


def find_codes(folded: str) -> list[Found]:
    """GTINs printed as digits in a folded line (`text_line.fold`), with a right check digit; spaces may divide them."""
    found = []
    for match in _DIGITS.finditer(folded):
        read = re.sub(r"[ \-]", "", match.group())
        digits = read.translate(_READ_AS)
        if is_gtin(digits) and not _DATE.fullmatch(digits):
            clarity = _CLARITY[len(digits)] * (1.0 if digits == read else _MISREAD_PENALTY)
            found.append(Found(match.start(), match.end(), digits, clarity))
    return found
