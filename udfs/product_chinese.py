"""Names and describes a product in Chinese."""

from __future__ import annotations

from schemas.attributes import load_attributes
from udfs.net_content import net_content_words
from udfs.product_facts import Subject
from udfs.traced_text import TracedText, traced

AUDIENCE = {
    "men": "男士",
    "women": "女士",
    "boys": "男童",
    "girls": "女童",
    "unisex": "男女通用",
    "kids": "儿童",
    "toddler": "幼童",
    "newborn": "新生儿",
    "baby": "婴儿",
    "baby boys": "男婴",
    "baby girls": "女婴",
}
"""Words for the audience before a noun."""

WORN = {
    "casual": "休闲穿着",
    "smart casual": "商务休闲穿着",
    "formal": "正式场合",
    "sports": "运动",
    "ethnic": "传统场合",
    "party": "派对",
    "travel": "旅行",
    "home": "居家穿着",
}
"""Usage of what is worn."""

USED = {**WORN, "casual": "休闲使用", "smart casual": "商务休闲使用", "home": "居家使用"}
"""Usage of what is not worn."""

_CUT = ("sleeve_length", "neckline", "fit")


def name_zh(subject: Subject) -> TracedText:
    """The name: "男士藏青色条纹棉质衬衫"; the brand first, set off by a space where it is in Latin letters."""
    words, brand = _words(subject), subject.brand
    # "Polo Polo衫" and "青岛啤酒啤酒" would stutter.
    if brand and not str(words[0]).startswith(brand):
        if len(words) == 1 and brand.endswith(str(words[0])):
            words = []
        words = [traced(brand, "brand"), *([traced(" ")] if brand[-1].isascii() and words else []), *words]
    text = TracedText().join(words, "")
    if subject.net_content:
        text.add(" ").add(_content(subject), "net_content")
    return text


def description_zh(subject: Subject) -> TracedText:
    """One to three sentences: what it is, how it looks, what it is for and made of."""
    sentences = [one for one in (_what(subject), _look(subject), _details(subject)) if one]
    return TracedText().join([one.add("。") for one in sentences], "")


def _what(subject: Subject) -> TracedText:
    text = TracedText()
    if subject.noun.measure:
        text.add(f"一{subject.noun.measure}", *(["category"] if subject.has_category else []))
    text.join(_words(subject), "")
    parts = [text]
    if subject.brand:
        parts.append(traced(f"品牌为{subject.brand}", "brand"))
    if subject.net_content:
        parts.append(traced(f"净含量{_content(subject)}", "net_content"))
    return TracedText().join(parts, "，")


def _look(subject: Subject) -> TracedText:
    dictionary = load_attributes()
    has = [traced(_cut(name, subject.values[name]), name) for name in _CUT if name in subject.values]
    if subject.values.get("pattern") == "solid":
        has.insert(0, traced("纯色无图案", "pattern"))
    colors = [
        traced(f"{dictionary.name('color', name, 'zh')}（{share:.0%}）", "color") for name, share in subject.colors
    ]
    if subject.color and subject.noun.color == "packaging":
        name = dictionary.name("color", subject.color, "zh")
        text = traced("包装为多色" if subject.color == "multi" else f"包装以{name}为主", "color")
        return text.add("，另有", "color").join(colors, "、") if colors else text
    parts = [TracedText().join(has, "、")] if has else []
    if colors and subject.noun.color == "product":
        lead = "颜色有" if subject.color == "multi" else "另有"
        parts.append(traced(lead, "color").join(colors, "、"))
    return TracedText().join(parts, "；")


def _details(subject: Subject) -> TracedText:
    dictionary, parts = load_attributes(), []
    usage, season = subject.values.get("usage"), subject.values.get("season")
    if usage or season:
        text = traced("适合", "usage" if usage else "season")
        if season:
            text.add(dictionary.name("season", season, "zh"), "season")
        if usage:
            text.add((WORN if subject.noun.wear else USED)[usage], "usage")
        parts.append(text)
    if subject.materials and subject.materials.needs_listing:
        parts.append(traced(f"材质：{subject.materials.listing('zh')}", "material"))
    if subject.size:
        parts.append(traced(f"尺码：{'均码' if subject.size == 'one size' else subject.size}", "size"))
    if subject.care:
        care = dictionary.find("care", subject.care)
        parts.append(traced(f"洗护：{dictionary.name('care', care, 'zh') if care else _wash(subject.care)}", "care"))
    return TracedText().join(parts, "；")


def _cut(attribute: str, value: str) -> str:
    """修身 alone is no statement; 修身版型 is."""
    name = load_attributes().name(attribute, value, "zh")
    return name if attribute != "fit" or name.endswith("版型") else f"{name}版型"


def _wash(care: str) -> str:
    return care.replace("wash at ", "洗涤温度").replace(" °C", "°C")


def _words(subject: Subject) -> list[TracedText]:
    """Audience, color, pattern, material, noun."""
    dictionary, noun, words = load_attributes(), subject.noun, []
    color, pattern = subject.color, subject.values.get("pattern")
    if subject.audience:
        words.append(traced(AUDIENCE[subject.audience], *subject.audience_from))
    if color and noun.color == "product":
        words.append(traced(dictionary.modifier("color", color, "zh"), "color"))
    if pattern and pattern != "solid":
        words.append(traced(dictionary.modifier("pattern", pattern, "zh"), "pattern"))
    if subject.materials and (material := subject.materials.modifier("zh")) and not _said(material, noun.zh):
        words.append(traced(material, "material"))
    words.append(traced(noun.zh, *(["category"] if subject.has_category else [])))
    return words


def _said(material: str, noun: str) -> bool:
    """皮带 is of leather and 牛仔裤 of denim by name."""
    return material in noun or (material.startswith("皮") and "皮" in noun)


def _content(subject: Subject) -> str:
    assert subject.net_content is not None
    return net_content_words(subject.net_content, "zh", "枚" if subject.noun.zh == "鸡蛋" else None)
