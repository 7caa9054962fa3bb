"""Writes a normalised net content ("6 x 330 ml", "1500 g", "12 pieces") as packs do in English and Chinese."""

from __future__ import annotations

import re

from schemas.taxonomy import Language
from udfs.text_field import plain_number

_MEASURED = re.compile(r"(?:(?P<count>\d+) ?[x×] ?)?(?P<amount>\d+(?:\.\d+)?) ?(?P<unit>k?g|ml|l)", re.IGNORECASE)
_PIECES = re.compile(r"(?P<count>\d+) pieces?")
_LARGE = {"g": "kg", "ml": "L"}
_ZH = {"g": "克", "kg": "千克", "ml": "毫升", "L": "升"}


def net_content_words(value: str, language: Language, measure: str | None = None) -> str:
    """The words to print; a value of another form stays as it is.

    Args:
        value: as `udfs.text_content` normalises it: g, ml or pieces.
        language: of the words.
        measure: Chinese measure word of the pieces.
    """
    if match := _PIECES.fullmatch(value):
        pieces = int(match["count"])
        return f"{pieces}{measure or '件'}" if language == "zh" else f"{pieces} {'piece' if pieces == 1 else 'pieces'}"
    match = _MEASURED.fullmatch(value)
    if match is None:
        return value
    amount, unit = float(match["amount"]), match["unit"].lower()
    unit = "L" if unit == "l" else unit
    if amount >= 1000 and unit in _LARGE:
        amount, unit = amount / 1000, _LARGE[unit]
    number, count = plain_number(amount), match["count"]
    if language == "zh":
        return f"{number}{_ZH[unit]}" + (f"×{count}" if count else "")
    return (f"{count} × " if count else "") + f"{number} {unit}"
