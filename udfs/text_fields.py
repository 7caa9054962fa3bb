"""Reads facts from text lines: brand, net content, price, size, material, care, food words, dates, EAN/UPC.

Each fact carries its confidence and its evidence: the line, the span in it, the characters as read. The parsers of one
subject each stand in `text_*` modules; here they are composed, and lines beside each other are looked at together.
"""

from __future__ import annotations

from collections.abc import Sequence

from udfs.barcode import Barcode
from udfs.text_brand import find_known_brands, guess_brand
from udfs.text_codes import find_codes
from udfs.text_content import find_net_contents
from udfs.text_dates import find_dates
from udfs.text_field import FieldName, Found, TextField
from udfs.text_food import find_ingredients, find_nutrition
from udfs.text_line import TextLine, fold, language_of
from udfs.text_materials import find_care, find_materials
from udfs.text_money import CurrencyDefaults, find_prices
from udfs.text_sizes import find_sizes

LONGEST_LINE = 1000
"""Characters of a line that are looked at; no printed line is longer, and patterns stay quick."""

LEAST_CONFIDENCE = 0.2
"""Facts below this are not reported."""

_DECODED = 0.99
_IN_TABLE = 0.25
# 12 oz and 340 g on one pack are the same statement, rounded.
_SAME_AMOUNT = 0.03


def parse_fields(
    lines: Sequence[TextLine],
    *,
    brands: Sequence[str] = (),
    currency: CurrencyDefaults | None = None,
    barcodes: Sequence[Barcode] = (),
) -> tuple[TextField, ...]:
    """Facts in text lines of one picture, most confident first within each name.

    Args:
        lines: text lines, e.g. `udfs.ocr.recognize_text`'s.
        brands: names to look for: the feed's brand, or a list. Without a hit the largest lettering is guessed, with a
            confidence below 0.4.
        currency: what $, ¥ and kr stand for.
        barcodes: decoded barcodes; a number that is also printed is reported once.
    """
    found: list[tuple[FieldName, int, Found]] = []
    for number, line in enumerate(lines):
        found += [(name, number, one) for name, one in _of_line(line.text[:LONGEST_LINE], currency)]
    found = _without_table_amounts(found, lines)
    found += [("brand", number, one) for number, one in find_known_brands(lines, brands)]
    if not any(name == "brand" for name, _, _ in found):
        guess = guess_brand(lines, [number for name, number, one in found if one.clarity >= 0.5])
        found += [("brand", *guess)] if guess else []
    fields = [_decoded(barcode) for barcode in barcodes]
    fields += [_field(name, lines[number], number, one) for name, number, one in found]
    return _distinct(fields)


def parse_text(text: str, **options: object) -> tuple[TextField, ...]:
    """Facts in plain text such as a title; lines end at line breaks. Options as in `parse_fields`."""
    return parse_fields([plain_line(line) for line in text.splitlines()], **options)  # type: ignore[arg-type]


def plain_line(text: str) -> TextLine:
    """A line that comes from no picture: sure, and without a place."""
    return TextLine(text, 1.0, language_of(text), (0.0,) * 8, 0.0)


def _of_line(text: str, currency: CurrencyDefaults | None) -> list[tuple[FieldName, Found]]:
    folded = fold(text)
    contents = find_net_contents(folded)
    prices = find_prices(folded, currency)
    codes = find_codes(folded)
    dates = find_dates(folded)
    # "3件99元" is an offer and no three pieces; a date or an EAN is no price.
    contents = [one for one in contents if not any(one.overlaps(price) for price in prices)]
    prices = [
        one for one in prices if not any(one.overlaps(other) for other in [*codes, *[found for _, found in dates]])
    ]
    result: list[tuple[FieldName, Found]] = [("net_content", one) for one in contents]
    result += [("price", one) for one in prices]
    result += [("size", one) for one in find_sizes(folded)]
    result += [("material", one) for one in find_materials(folded)]
    result += [("care", one) for one in find_care(folded)]
    result += [("ingredients", one) for one in find_ingredients(text)]
    result += [("nutrition", one) for one in find_nutrition(folded)]
    result += [("barcode", one) for one in codes]
    result += [(name, one) for name, one in dates]  # type: ignore[misc]
    return result


def _without_table_amounts(
    found: list[tuple[FieldName, int, Found]], lines: Sequence[TextLine]
) -> list[tuple[FieldName, int, Found]]:
    """Amounts in the row of a nutrient's name belong to the table: they are doubtful as net content."""
    rows = [lines[number].box for name, number, one in found if name == "nutrition" and one.clarity >= 0.5]
    result = []
    for name, number, one in found:
        box = lines[number].box
        if name == "net_content" and any(_same_row(box, row) for row in rows):
            one = Found(one.start, one.end, one.value, min(one.clarity, _IN_TABLE), one.amount, one.unit, one.count)  # noqa: PLW2901
        result.append((name, number, one))
    return result


def _same_row(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    """Whether two different boxes share at least half of the lower one's height and stand side by side."""
    if one == other:
        return False
    common = min(one[3], other[3]) - max(one[1], other[1])
    beside = one[0] >= other[2] - 0.2 * (other[2] - other[0]) or other[0] >= one[2] - 0.2 * (one[2] - one[0])
    return beside and common >= 0.5 * min(one[3] - one[1], other[3] - other[1]) > 0


def _field(name: FieldName, line: TextLine, number: int, one: Found) -> TextField:
    return TextField(
        name=name,
        value=one.value,
        amount=one.amount,
        unit=one.unit,
        count=one.count,
        confidence=round(one.clarity * line.confidence, 4),
        line=number,
        span_start=one.start,
        span_end=one.end,
        evidence=line.text[one.start : one.end],
    )


def _decoded(barcode: Barcode) -> TextField:
    return TextField("barcode", barcode.digits, None, None, None, _DECODED, None, None, None, barcode.digits)


def _distinct(fields: list[TextField]) -> tuple[TextField, ...]:
    """Each (name, value) once, by its best evidence; one of two net contents that say the same in other units."""
    kept: list[TextField] = []
    # Of two equally sure amounts the round one is what the pack states: 340 g rather than 12 oz in grams.
    for one in sorted(fields, key=lambda field: (field.name, -field.confidence, (field.amount or 0) % 1 > 0)):
        if one.confidence < LEAST_CONFIDENCE or any(_same_fact(one, other) for other in kept):
            continue
        kept.append(one)
    return tuple(kept)


def _same_fact(one: TextField, other: TextField) -> bool:
    if one.name != other.name:
        return False
    if one.value == other.value or (one.name == "barcode" and one.value.lstrip("0") == other.value.lstrip("0")):
        return True
    if one.name != "net_content" or one.unit != other.unit or one.count != other.count:
        return False
    return abs((one.amount or 0) - (other.amount or 0)) <= _SAME_AMOUNT * max(one.amount or 0, other.amount or 0)
