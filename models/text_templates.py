"""Texts made from the taxonomy's and the attribute dictionary's own words, in English and Chinese, with exact labels.

They teach the text network how shops write that no labelled data set comes from: word order, synonyms, invented brands,
things named beside the product, descriptions, print on packs. What a text does not say is not labelled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.label_space import ATTRIBUTE_HEADS, HELD_OUT_TYPES
from models.labelled import LabelledImage
from models.text_terms import head_label
from schemas.attributes import load_attributes
from schemas.taxonomy import Language, load_taxonomy

DATASET = "templates"

_SYLLABLES = (
    "ba be bri ca co da del do en fa fi gra ha hu in jo ka kel la li lo ma mi mon na nor o pa per qui ra ri ro sa"
)
_SYLLABLES += " sen sol sta ta ter tri u va ver vi wa wil xa yo za zen"
_BRAND_CHARACTERS = (
    "安博晨达恩梵菲格海禾恒华佳嘉锦晶凯兰乐丽蓝朗林龙曼美米木南诺欧琪奇青清荣瑞森尚诗思斯天维希夏祥欣星雅逸优宇悦云泽卓"
)
_SALES: Mapping[Language, tuple[str, ...]] = {
    "en": (
        *("new arrival", "sale", "free shipping", "2026", "new season", "best seller", "gift", "premium", "classic"),
        *("comfortable", "lightweight", "stylish", "fashion", "trendy", "high quality", "soft", "cute", "vintage"),
        *(
            "collection",
            "essential",
            "limited edition",
            "original",
            "modern",
            "basic",
            "luxury",
            "durable",
            "great value",
        ),
    ),
    "zh": (
        *(
            "新款",
            "2026新款",
            "爆款",
            "包邮",
            "百搭",
            "时尚",
            "网红",
            "ins风",
            "简约",
            "韩版",
            "潮流",
            "高级感",
            "舒适",
        ),
        *(
            "旗舰店正品",
            "官方",
            "复古",
            "洋气",
            "气质",
            "显瘦",
            "轻薄",
            "透气",
            "小众",
            "设计感",
            "学生",
            "送礼",
            "限量",
        ),
    ),
}
_FLAVORS: Mapping[Language, tuple[str, ...]] = {
    "en": ("chocolate", "strawberry", "vanilla", "lemon", "orange", "peach", "mint", "honey", "original", "spicy"),
    "zh": ("巧克力味", "草莓味", "香草", "柠檬味", "橙味", "蜜桃味", "薄荷", "蜂蜜", "原味", "麻辣"),
}
_ORIGINS: Mapping[Language, tuple[str, ...]] = {
    "en": ("organic", "fresh", "italian", "natural", "whole", "sugar free", "low fat", "family pack", "imported"),
    "zh": ("有机", "新鲜", "进口", "农家", "无糖", "低脂", "家庭装", "整箱", "休闲零食"),
}
_AMOUNTS = ("500g", "250 g", "1kg", "330ml", "1L", "6 x 330ml", "200 ml", "75cl", "24pcs", "12包", "2斤", "500克")
_TECH: Mapping[Language, tuple[str, ...]] = {
    "en": (
        "wireless",
        "bluetooth 5.3",
        "128GB",
        "USB-C",
        "Pro Max",
        "4K",
        "fast charging",
        "noise cancelling",
        "smart",
    ),
    "zh": ("无线", "蓝牙", "128GB", "快充", "高清", "智能", "Pro", "降噪", "便携"),
}
_COSMETIC: Mapping[Language, tuple[str, ...]] = {
    "en": ("50ml", "SPF 50", "long lasting", "matte", "hydrating", "for sensitive skin", "vitamin C", "02 nude rose"),
    "zh": ("50ml", "持久", "保湿", "补水", "敏感肌", "哑光", "滋润", "学生平价", "#02"),
}
_EXTRAS: Mapping[str, tuple[Mapping[Language, tuple[str, ...]], ...]] = {
    "groceries": (_ORIGINS,),
    "packaged-food": (_FLAVORS, _ORIGINS),
    "electronics": (_TECH,),
    "beauty": (_COSMETIC,),
}
_EDIBLE = ("groceries", "packaged-food")
_SIZES = ("size M", "XL", "S/M/L", "42", "EU 38", "170/88A", "均码", "M码", "one size")
# Attribute, how often a title says it.
_SAID = (
    ("gender", 0.5),
    ("color", 0.6),
    ("pattern", 0.3),
    ("material", 0.3),
    ("season", 0.15),
    ("usage", 0.2),
    ("fit", 0.12),
    ("sleeve_length", 0.1),
    ("neckline", 0.08),
)
_COARSER, _DEPARTMENT_ONLY = 0.1, 0.02
_CHANCE_ZH = 0.5


@dataclass(frozen=True)
class _Words:
    """What a text may say of a product."""

    language: Language
    path: str
    noun: str
    other: str
    brand: str
    said: Mapping[str, str]
    sales: Sequence[str]
    extras: Sequence[str]


def template_rows(count: int, seed: int, validation_share: float = 0.05) -> list[LabelledImage]:
    """Labelled texts, all types in turn but those that no model may know; a share of them for validation.

    Args:
        count: how many.
        seed: the same seed writes the same texts.
        validation_share: of them, marked `val`.
    """
    taxonomy = load_taxonomy()
    types = [path for path in taxonomy.types if path not in HELD_OUT_TYPES]
    rng = np.random.default_rng((seed, 5))
    rows = []
    for number in range(count):
        split = "val" if rng.random() < validation_share else "train"
        rows.append(_row(f"template-{number}", split, types[number % len(types)], types, rng))
    return rows


def invented_brand(language: Language, rng: np.random.Generator) -> str:
    """A brand that does not exist."""
    if language == "zh" and rng.random() < 0.7:
        return "".join(_pick(rng, _BRAND_CHARACTERS) for _ in range(int(rng.integers(2, 4))))
    name = "".join(_pick(rng, _SYLLABLES.split()) for _ in range(int(rng.integers(2, 4))))
    return name.upper() if rng.random() < 0.3 else name.title()


def _row(name: str, split: str, path: str, types: Sequence[str], rng: np.random.Generator) -> LabelledImage:
    dictionary = load_attributes()
    language: Language = "zh" if rng.random() < _CHANCE_ZH else "en"
    chance = rng.random()
    depth = 1 if chance < _DEPARTMENT_ONLY else 2 if chance < _COARSER else 3
    node = "/".join(path.split("/")[:depth])
    said: dict[str, str] = {}
    labels: dict[str, str] = {}
    for attribute, probability in _SAID:
        if not dictionary.applies(attribute, path) or rng.random() > probability:
            continue
        if attribute == "color" and path.startswith(_EDIBLE):
            continue
        value = _pick(rng, dictionary.values(attribute))
        entry = dictionary.value(attribute, value)
        said[attribute] = _pick(rng, [entry.name[language], *entry.synonyms[language]])
        if attribute in ATTRIBUTE_HEADS:
            labels[attribute] = head_label(attribute, value)
    other = _pick(rng, types)
    words = _Words(
        language=language,
        path=path,
        noun=_term(node, language, rng),
        other=_term(other, language, rng),
        brand=invented_brand(language, rng) if rng.random() < 0.7 else "",
        said=said,
        sales=[_pick(rng, _SALES[language]) for _ in range(int(rng.integers(0, 3)))],
        extras=_extras(path, language, rng),
    )
    title, description, printed = _arranged(words, rng)
    return LabelledImage(
        path=Path(name),
        image_path=name,
        dataset=DATASET,
        split=split,
        category=node,
        color=labels.pop("color", ""),
        attributes={**labels, "texts": [printed] if printed else []},
        title=title,
        description=description,
        license="Apache-2.0",
        source="templates of vitrine",
    )


def _term(path: str, language: Language, rng: np.random.Generator) -> str:
    terms = load_taxonomy().node(path).terms(language)
    word = terms[0] if rng.random() < 0.4 else _pick(rng, terms)
    # Plurals of English words, as shelves and feeds have them.
    plain = language == "en" and word[-1].isalpha() and not word.endswith(("s", "y", "h", "x"))
    return f"{word}s" if plain and rng.random() < 0.25 else word


def _extras(path: str, language: Language, rng: np.random.Generator) -> list[str]:
    department = path.split("/", maxsplit=1)[0]
    found = [_pick(rng, words[language]) for words in _EXTRAS.get(department, ()) if rng.random() < 0.5]
    if department in (*_EDIBLE, "beauty") and rng.random() < 0.4:
        found.append(_pick(rng, _AMOUNTS))
    if department in ("apparel", "footwear") and rng.random() < 0.15:
        found.append(_pick(rng, _SIZES))
    return found


def _arranged(words: _Words, rng: np.random.Generator) -> tuple[str, str, str]:
    """Title, description and print; at least one says what it is."""
    title = _title_zh(words, rng) if words.language == "zh" else _title_en(words, rng)
    chance = rng.random()
    if chance < 0.62:
        return title, "", ""
    described = _description_zh(words, rng) if words.language == "zh" else _description_en(words, rng)
    if chance < 0.82:
        return title, described, ""
    if chance < 0.88:
        return "", described, ""
    if chance < 0.94:
        return "", "", title
    vague = " ".join(part for part in (words.brand, *words.sales[:1]) if part)
    return vague, described, ""


def _title_en(words: _Words, rng: np.random.Generator) -> str:
    said = dict(words.said)
    gender, before = said.pop("gender", ""), [*said.values(), *words.extras]
    rng.shuffle(before)
    after: list[str] = []
    if before and rng.random() < 0.3:
        after.append(before.pop())
    style = rng.random()
    if gender and style < 0.3:
        after.append(f"for {gender}")
        gender = ""
    if rng.random() < 0.12:
        after.append(_pick(rng, (f"with {words.other}", f"for {words.other}", f"- goes with any {words.other}")))
    noun = words.noun
    front = [words.brand, gender, *words.sales] if style < 0.7 else [*words.sales, gender, words.brand]
    if style > 0.9:
        return _joined([noun, *after, "-", gender, *before, words.brand])
    return _joined([*front, *before, noun, *after])


def _title_zh(words: _Words, rng: np.random.Generator) -> str:
    parts = [*words.said.values(), *words.sales, *words.extras]
    rng.shuffle(parts)
    cut = int(rng.integers(len(parts) // 2, len(parts) + 1))
    noun = [words.noun]
    if words.path.count("/") == 2 and rng.random() < 0.2:
        # Shops write several names of a thing into one title.
        noun.append(_term(words.path, "zh", rng))
    tail = [_pick(rng, (f"搭配{words.other}", f"送{words.other}", f"配{words.other}"))] if rng.random() < 0.1 else []
    between = " " if rng.random() < 0.3 else ""
    return between.join(part for part in (words.brand, *parts[:cut], *noun, *parts[cut:], *tail) if part)


def _description_en(words: _Words, rng: np.random.Generator) -> str:
    said = words.said
    looks = _joined([said.get("color", ""), said.get("pattern", ""), said.get("material", ""), words.noun])
    sentences = [
        _pick(rng, (f"This {looks} is made for every day.", f"A {looks} by {words.brand or 'us'}.", f"{looks}."))
    ]
    for attribute, forms in (
        ("gender", ("Designed for {}.", "For {}.")),
        ("season", ("Perfect for {}.", "Ideal in {}.")),
        ("usage", ("A {} look.", "For {} wear.")),
        ("fit", ("{} cut.",)),
    ):
        if attribute in said:
            sentences.append(_pick(rng, forms).format(said[attribute]))
    sentences += [f"{_pick(rng, _SALES['en']).capitalize()}." for _ in range(int(rng.integers(0, 3)))]
    if rng.random() < 0.1:
        sentences.append(f"Wear it with a {words.other}.")
    return " ".join(sentences)


def _description_zh(words: _Words, rng: np.random.Generator) -> str:
    said = words.said
    looks = f"{said.get('color', '')}{said.get('pattern', '')}{words.noun}"
    clauses = [_pick(rng, (f"{words.brand}{looks}", f"这款{looks}做工精细", f"{words.brand}出品的{looks}"))]
    for attribute, forms in (
        ("material", ("采用{}面料", "{}材质")),
        ("gender", ("适合{}", "{}专用")),
        ("season", ("适合{}", "{}必备")),
        ("usage", ("{}场合皆宜", "适合{}")),
        ("fit", ("{}剪裁",)),
    ):
        if attribute in said:
            clauses.append(_pick(rng, forms).format(said[attribute]))
    clauses += [_pick(rng, _SALES["zh"]) for _ in range(int(rng.integers(0, 3)))]
    return f"{'，'.join(clauses)}。"


def _joined(parts: Sequence[str]) -> str:
    return " ".join(part for part in parts if part)


def _pick(rng: np.random.Generator, options: Sequence[str]) -> str:
    return options[int(rng.integers(len(options)))]
