"""Net content: weight, volume or pieces in a line of text, with normalized units."""

from __future__ import annotations

import re
from dataclasses import dataclass

from udfs.text_field import Found, plain_number, without_overlaps
from udfs.text_numbers import NUMBER, parse_number


@dataclass(frozen=True)
class _Unit:
    name: str
    factor: float


_G, _ML, _PIECE = "g", "ml", "piece"
_UNITS: dict[str, _Unit] = {
    "mg": _Unit(_G, 0.001), "g": _Unit(_G, 1), "gr": _Unit(_G, 1), "gram": _Unit(_G, 1), "grams": _Unit(_G, 1),
    "kg": _Unit(_G, 1000), "kilo": _Unit(_G, 1000), "hg": _Unit(_G, 100), "lb": _Unit(_G, 453.592),
    "lbs": _Unit(_G, 453.592), "oz": _Unit(_G, 28.3495), "毫克": _Unit(_G, 0.001), "克": _Unit(_G, 1),
    "千克": _Unit(_G, 1000), "公斤": _Unit(_G, 1000), "斤": _Unit(_G, 500),
    "ml": _Unit(_ML, 1), "cl": _Unit(_ML, 10), "dl": _Unit(_ML, 100), "l": _Unit(_ML, 1000), "lt": _Unit(_ML, 1000),
    "ltr": _Unit(_ML, 1000), "liter": _Unit(_ML, 1000), "litre": _Unit(_ML, 1000), "liters": _Unit(_ML, 1000),
    "litres": _Unit(_ML, 1000), "fl oz": _Unit(_ML, 29.5735), "fl. oz": _Unit(_ML, 29.5735),
    "fl.oz": _Unit(_ML, 29.5735), "毫升": _Unit(_ML, 1), "升": _Unit(_ML, 1000),
}  # fmt: skip
_PIECES_EN = (
    "pieces|pcs|pc|pack|packs|tablets|tabs|capsules|caps|softgels|sheets|rolls|bags|tea bags|teabags|sachets|wipes|"
    "count|ct|eggs|pairs|cans|bottles|bars|st|stk|pods|refills"
)
_PIECES_ZH = "片|枚|粒|只|个|包|袋|支|瓶|条|抽|罐|盒|卷|张|块|双|听|颗|件|杯|桶"

_MEASURE_WORDS = "|".join(sorted((re.escape(word) for word in _UNITS), key=len, reverse=True))
# Chinese letters may stand right before a number and after a unit; Latin ones may not, but for the x of "330mlx6".
_START = r"(?<![a-z0-9åäö.,/])"
_MEASURE = rf"(?:{_MEASURE_WORDS})(?!(?!x\s?\d)[a-zåäö])"
_QUANTITY = rf"(?P<amount>{NUMBER})\s?(?P<unit>{_MEASURE})"
_TIMES = r"\s?[x*]\s?"

_SINGLE = re.compile(rf"{_START}{_QUANTITY}")
_MULTI_FIRST = re.compile(rf"{_START}(?P<count>\d{{1,3}})(?:{_TIMES}|\s?(?:pack|st)\s?(?:of|å|a)?\s){_QUANTITY}")
_MULTI_LAST = re.compile(rf"{_START}{_QUANTITY}(?:e\b)?{_TIMES}(?P<count>\d{{1,3}})\s?(?:{_PIECES_ZH})?(?![\d.,])")
_PIECES = re.compile(rf"{_START}(?P<count>\d{{1,4}})\s?(?:(?:{_PIECES_EN})\b|(?:{_PIECES_ZH})(?:装|入)?(?!年|月|日))")

_CUE = re.compile(
    r"净含[量重]|净重|规格|含量|内容量|\bnet\b|\bnetto(?:vikt)?\b|\bcontents?\b|\bnt\.? ?wt|\bvolume?n?\b|℮|\d ?e\b"
)
# Amounts that are no content of the package: nutrition, dosage, doses of an ingredient, comparison prices.
_NOT_CONTENT = re.compile(
    r"\bper\b|每|\bprotein|\bfat\b|\bsugars?\b|\bsalt\b|\bsodium|\benergy|\bcarbohydrate|\bfib(?:re|er)|\bvitamin|\bserving"
    r"|\bportion|/\s?(?:100|kg|l)\b|kj|kcal|蛋白质|脂肪|碳水|能量|糖\b|钠|营养|\bfett\b|\bkolhydrat|\benergi\b|%"
)

_CUED, _MULTIPACK, _PLAIN, _PIECES_CLARITY, _DOUBTFUL = 0.97, 0.92, 0.8, 0.7, 0.25
_MOST_GRAMS_OR_ML = 100_000.0


def find_net_contents(folded: str) -> list[Found]:
    """Net contents in a folded line (`text_line.fold`), in its order.

    Weights come out in g, volumes in ml, other goods in pieces. `amount` is one unit's, `count` the number of units, so
    "6 x 330 ml" is 330 ml, 6. An amount beside words of nutrition or "per" is doubtful (clarity below 0.5).
    """
    cued = bool(_CUE.search(folded))
    doubtful = bool(_NOT_CONTENT.search(folded))
    found = []
    for pattern, clarity in ((_MULTI_FIRST, _MULTIPACK), (_MULTI_LAST, _MULTIPACK), (_SINGLE, _PLAIN)):
        for match in pattern.finditer(folded):
            count = int(match.groupdict().get("count") or 1)
            mobile = not cued and re.fullmatch("[2-6]g", match.group())
            found.append(_measured(match, count, _DOUBTFUL if doubtful or mobile else _CUED if cued else clarity))
    for match in _PIECES.finditer(folded):
        count = int(match["count"])
        clarity = _DOUBTFUL if doubtful else _CUED if cued else _PIECES_CLARITY
        value = f"{count} {'piece' if count == 1 else 'pieces'}"
        found.append(Found(match.start(), match.end(), value, clarity, 1.0, _PIECE, count))
    return without_overlaps([one for one in found if one is not None and one.count])


def _measured(match: re.Match[str], count: int, clarity: float) -> Found | None:
    unit = _UNITS[match["unit"]]
    number = parse_number(match["amount"], three_decimals=unit.factor >= 1000)
    if number is None:
        return None
    amount = round(number * unit.factor, 3)
    if not 0 < amount <= _MOST_GRAMS_OR_ML:
        return None
    value = f"{plain_number(amount)} {unit.name}"
    if count > 1:
        value = f"{count} x {value}"
    return Found(match.start(), match.end(), value, clarity, amount, unit.name, count)
