"""Decimal numbers as packages and price tags write them, with point or comma."""

from __future__ import annotations

import re

NUMBER = r"(?:\d{1,3}(?:[ .,']\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d{1,3})?)(?!\d)"
"""Pattern of a decimal number in folded text: 1.5, 1,5, 12,90, 1 299,00, 1,299.00."""

_THOUSANDS = re.compile(r"\d{1,3}(?:([ .,'])\d{3})(?:\1\d{3})*(?:[.,]\d{1,2})?")


def parse_number(text: str, *, three_decimals: bool = False) -> float | None:
    """The value of a text that `NUMBER` matches.

    A single separator before three digits is a thousands separator ("1,299") except after a lone zero ("0,125");
    before one or two digits it is the decimal sign. None when it is no number.

    Args:
        text: the number.
        three_decimals: read "1.299" as a decimal, as in "1.299 kg".
    """
    text = text.strip()
    if not re.fullmatch(NUMBER, text):
        return None
    grouped = _THOUSANDS.fullmatch(text)
    if grouped and not text.startswith("0") and not (three_decimals and re.fullmatch(r"\d+[.,]\d{3}", text)):
        separator = grouped.group(1)
        text = text.replace(separator, "")
    text = text.replace(" ", "").replace("'", "").replace(",", ".")
    try:
        return float(text)
    except ValueError:
        return None
