"""Materials with percentages, and care instructions, in a line of text."""

from __future__ import annotations

import re

from udfs.text_field import Found, plain_number, without_overlaps
from udfs.text_numbers import parse_number

MATERIALS: dict[str, tuple[str, ...]] = {
    "organic cotton": ("organic cotton", "有机棉"),
    "cotton": ("cotton", "coton", "baumwolle", "algodón", "algodon", "cotone", "bomull", "纯棉", "全棉", "棉"),
    "recycled polyester": ("recycled polyester", "再生聚酯纤维"),
    "polyester": ("polyester", "poliester", "poliéster", "聚酯纤维", "涤纶", "聚酯"),
    "elastane": ("elastane", "spandex", "lycra", "elasthan", "elastan", "elasthanne", "氨纶", "弹性纤维"),
    "nylon": ("nylon", "polyamide", "polyamid", "锦纶", "尼龙", "聚酰胺纤维"),
    "merino wool": ("merino wool", "merino", "美利奴羊毛"),
    "wool": ("wool", "laine", "wolle", "lana", "ull", "羊毛"),
    "cashmere": ("cashmere", "kaschmir", "羊绒", "山羊绒"),
    "mohair": ("mohair", "马海毛"),
    "silk": ("silk", "soie", "seide", "seta", "桑蚕丝", "真丝", "蚕丝"),
    "linen": ("linen", "flax", "lin", "leinen", "亚麻", "麻"),
    "viscose": ("viscose", "rayon", "viskose", "viskos", "粘胶纤维", "粘纤", "人造丝"),
    "modal": ("modal", "莫代尔"),
    "lyocell": ("lyocell", "tencel", "莱赛尔", "天丝"),
    "acrylic": ("acrylic", "acrylique", "polyacryl", "akryl", "腈纶"),
    "acetate": ("acetate", "triacetate", "醋酯纤维", "醋酸"),
    "hemp": ("hemp", "大麻纤维", "汉麻"),
    "bamboo": ("bamboo", "竹纤维"),
    "polyurethane": ("polyurethane", "聚氨酯"),
    "down": ("duck down", "goose down", "down", "鸭绒", "鹅绒", "羽绒", "白鸭绒", "白鹅绒"),
    "feather": ("feather", "feathers", "羽毛"),
    "leather": ("genuine leather", "leather", "cowhide", "牛皮", "真皮", "羊皮", "头层牛皮"),
    "suede": ("suede", "麂皮"),
    "rubber": ("rubber", "橡胶"),
    "polypropylene": ("polypropylene", "丙纶", "聚丙烯"),
    "stainless steel": ("stainless steel", "不锈钢"),
    "ceramic": ("ceramic", "陶瓷"),
    "porcelain": ("porcelain", "骨瓷"),
    "glass": ("borosilicate glass", "glass", "玻璃"),
}
"""Words for materials by normalized English name."""

CARE: dict[str, tuple[str, ...]] = {
    "do not bleach": ("do not bleach", "no bleach", "non-chlorine bleach", "不可漂白", "勿漂白", "不可氯漂"),
    "dry clean only": ("dry clean only", "professional dry clean", "只可干洗", "仅可干洗"),
    "do not dry clean": ("do not dry clean", "不可干洗", "勿干洗"),
    "dry clean": ("dry clean", "可干洗", "干洗"),
    "hand wash": ("hand wash", "handwash", "handtvätt", "手洗", "轻柔手洗"),
    "do not wash": ("do not wash", "不可水洗"),
    "machine wash": ("machine wash", "machine washable", "wash cold", "gentle cycle", "可机洗", "机洗"),
    "do not tumble dry": ("do not tumble dry", "不可翻转干燥", "不可烘干", "勿烘干"),
    "tumble dry": ("tumble dry low", "tumble dry", "可烘干", "低温烘干"),
    "line dry": ("line dry", "hang dry", "hang to dry", "悬挂晾干", "阴干", "自然晾干"),
    "dry flat": ("dry flat", "lay flat to dry", "平摊晾干", "平铺晾干"),
    "do not iron": ("do not iron", "不可熨烫", "勿熨烫"),
    "iron low": ("cool iron", "iron low", "low iron", "低温熨烫", "低温慰烫"),
    "iron": ("warm iron", "iron medium", "中温熨烫", "可熨烫"),
    "wash separately": (
        "wash separately",
        "wash with like colors",
        "wash with similar colours",
        "分开洗涤",
        "单独洗涤",
    ),
}
"""Words for care instructions by normalized English phrase."""

_WASH_DEGREES = re.compile(
    r"(?:\bwash(?:\s\w+){0,3}\s(?:at|max\.?)?\s?|水温(?:不超过|不高于)?|最高(?:洗涤)?(?:温度|水温)?)(?P<degrees>[3-9]0)\s?(?:°|º|℃|度|o?c\b|degrees)"
)
_CUE = re.compile(
    r"\bmaterial|\bfabric|\bcomposition|\bmade of\b|\bshell\b|\blining\b|面料|里料|成分|材质|填充物|纤维含量|\bouter\b"
)


def _words(table: dict[str, tuple[str, ...]]) -> tuple[str, dict[str, str]]:
    name_of = {word: name for name, words in table.items() for word in words}
    longest_first = sorted(name_of, key=len, reverse=True)
    # Chinese has no word boundaries; Latin words must be whole.
    return "|".join(
        rf"\b{re.escape(word)}\b" if word[0].isascii() else re.escape(word) for word in longest_first
    ), name_of


_MATERIAL_WORDS, _MATERIAL_OF = _words(MATERIALS)
_CARE_WORDS, _CARE_OF = _words(CARE)
_PERCENT = r"(?<![\d.,])(?P<percent>\d{1,3}(?:[.,]\d{1,2})?)\s?%"
# OCR drops the space ("60%cotton"), so the material after a percent sign needs no word boundary on its left.
_LOOSE_WORDS = "|".join(re.escape(word) for word in sorted(_MATERIAL_OF, key=len, reverse=True))
_PERCENT_FIRST = re.compile(rf"{_PERCENT}\s?(?:of\s)?(?P<word>{_LOOSE_WORDS})(?![a-zåäö])")
_PERCENT_LAST = re.compile(rf"(?P<word>{_MATERIAL_WORDS})\s?[:(]?\s?{_PERCENT}")
_MATERIAL = re.compile(_MATERIAL_WORDS)
_CARE_PATTERN = re.compile(_CARE_WORDS)

_CLEAR, _CUED, _WORD = 0.97, 0.85, 0.5
# One character is part of many words (棉花糖 is candy), and these words mean other things too: alone they say little.
_AMBIGUOUS_WORD = 0.3
_AMBIGUOUS = frozenset({"down", "glass", "lin", "ull", "lana", "seta", "flax", "bamboo", "modal"})


def find_materials(folded: str) -> list[Found]:
    """Materials in a folded line (`text_line.fold`); `amount` is the percentage where one is said.

    Percent before ("60% cotton") and after ("棉60%") are both read; where both could be meant ("棉 60% 涤纶 40%"), the
    order of the whole line decides. A material without a percentage is clear only beside a word such as "fabric".
    """
    before, after = list(_PERCENT_FIRST.finditer(folded)), list(_PERCENT_LAST.finditer(folded))
    chosen = (after if _word_leads(folded, after) else before) or after
    found = [one for one in map(_percent, chosen) if one is not None]
    clarity = _CUED if _CUE.search(folded) else _WORD
    for match in _MATERIAL.finditer(folded):
        word = match.group()
        weak = clarity < _CUED and (len(word) == 1 or word in _AMBIGUOUS)
        found.append(Found(match.start(), match.end(), _MATERIAL_OF[word], _AMBIGUOUS_WORD if weak else clarity))
    return without_overlaps(found)


def _word_leads(folded: str, after: list[re.Match[str]]) -> bool:
    """Whether the line's first percentage follows its material."""
    first = re.search(_PERCENT, folded)
    return bool(first and after and after[0].start("percent") == first.start("percent"))


def _percent(match: re.Match[str]) -> Found | None:
    percent = parse_number(match["percent"])
    if percent is None or not 0 < percent <= 100:
        return None
    name = _MATERIAL_OF[match["word"]]
    return Found(match.start(), match.end(), f"{plain_number(percent)}% {name}", _CLEAR, percent, "percent", 1)


def find_care(folded: str) -> list[Found]:
    """Care instructions in a folded line: normalized phrases, and the washing temperature as `machine wash 30 °C`."""
    found = [
        Found(match.start(), match.end(), f"wash at {match['degrees']} °C", _CLEAR, float(match["degrees"]), "°C", 1)
        for match in _WASH_DEGREES.finditer(folded)
    ]
    found += [
        Found(match.start(), match.end(), _CARE_OF[match.group()], _CUED + 0.1)
        for match in _CARE_PATTERN.finditer(folded)
    ]
    return without_overlaps(found)
