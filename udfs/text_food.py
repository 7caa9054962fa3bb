"""Whether a line heads a list of ingredients or belongs to a nutrition table."""

from __future__ import annotations

import re

from udfs.text_field import Found, plain_number
from udfs.text_line import fold
from udfs.text_numbers import NUMBER, parse_number

_INGREDIENTS = re.compile(
    r"\bingredien(?:ts?|ser)\b|\binnehåll(?:er)?\s?:|\bingrédients\b|\bzutaten\b|\bingredientes\b|\bainesosat\b"
    r"|配料表?|原料|成分表|原材料"
)
_CONTAINS = re.compile(r"\b(?:may )?contains?\b|\ballergen|过敏原|致敏")
_TABLE = re.compile(r"\bnutrition(?:al)?\b|\bnäringsvärde|\bnährwert|\bvaleurs? nutriti|营养成分|营养标签|营养素")
NUTRIENTS: dict[str, tuple[str, ...]] = {
    "energy": ("energy", "energi", "energie", "calories", "能量", "热量"),
    "protein": ("protein", "proteins", "protéines", "eiweiß", "蛋白质"),
    "fat": ("fat", "total fat", "fett", "脂肪"),
    "saturated fat": ("saturated fat", "saturates", "mättat fett", "饱和脂肪"),
    "carbohydrate": ("carbohydrate", "carbohydrates", "carbs", "kolhydrat", "kolhydrater", "碳水化合物"),
    "sugar": ("sugar", "sugars", "sockerarter", "糖"),
    "fiber": ("fiber", "fibre", "膳食纤维"),
    "salt": ("salt", "sel", "盐"),
    "sodium": ("sodium", "natrium", "钠"),
}
"""Words for nutrients by English name."""

_NUTRIENT_OF = {word: name for name, words in NUTRIENTS.items() for word in words}
_NUTRIENT_WORDS = "|".join(
    rf"\b{re.escape(word)}\b" if word[0].isascii() else re.escape(word)
    for word in sorted(_NUTRIENT_OF, key=len, reverse=True)
)
_NUTRIENT = re.compile(_NUTRIENT_WORDS)
_AMOUNT = re.compile(rf"(?<![\w.,])(?P<amount>{NUMBER})\s?(?P<unit>kj|kcal|mg|µg|μg|g|千焦|克|毫克)(?![a-z])")
_UNITS = {"千焦": "kj", "克": "g", "毫克": "mg", "μg": "µg"}

_HEAD, _ROW, _WEAK = 0.95, 0.85, 0.45


def find_ingredients(text: str) -> list[Found]:
    """The head of a list of ingredients in a line as read; `value` is the list as far as the line goes.

    An allergen notice ("may contain nuts") counts too, with little clarity.
    """
    folded = fold(text)
    if match := _INGREDIENTS.search(folded):
        listed = text[match.end() :].strip(" :：;.,")
        return [Found(match.start(), len(text.rstrip()), listed or "present", _HEAD)]
    if match := _CONTAINS.search(folded):
        return [Found(match.start(), len(text.rstrip()), text[match.start() :].strip(), _WEAK)]
    return []


def find_nutrition(folded: str) -> list[Found]:
    """The head or a row of a nutrition table in a folded line.

    Rows that name a nutrient carry the amount when the line also holds it.
    """
    if match := _TABLE.search(folded):
        return [Found(match.start(), match.end(), "present", _HEAD)]
    match = _NUTRIENT.search(folded)
    if not match:
        return []
    name = _NUTRIENT_OF[match.group()]
    rest = folded[: match.start()] + " " * len(match.group()) + folded[match.end() :]
    amount = _AMOUNT.search(rest)
    if amount and (number := parse_number(amount["amount"])) is not None:
        unit = _UNITS.get(amount["unit"], amount["unit"]).replace("kj", "kJ")
        start, end = min(match.start(), amount.start()), max(match.end(), amount.end())
        return [Found(start, end, f"{name} {plain_number(number)} {unit}", _ROW, number, unit, 1)]
    # A nutrient's name that is most of the line is a row whose number stands in another line.
    others = re.sub(r"[\W\d]", "", _NUTRIENT.sub("", folded))
    # One Chinese character is part of many words: 棉花糖 is candy.
    alone = len(others) <= 3 and (len(match.group()) > 1 or not others)
    return [Found(match.start(), match.end(), name, _ROW if alone else _WEAK)]
