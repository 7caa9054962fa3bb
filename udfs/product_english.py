"""Names and describes a product in English.

Order of the words before a noun: whom it is for, color, pattern, material ("men's navy blue striped cotton shirt"). The
contour class (`shape`) is not put into words: it is the shape of a picture's outline, not of the product.
"""

from __future__ import annotations

import re

from schemas.attributes import load_attributes
from udfs.net_content import net_content_words
from udfs.product_facts import Subject
from udfs.traced_text import TracedText, traced

POSSESSIVE = {
    "men": "men's",
    "women": "women's",
    "boys": "boys'",
    "girls": "girls'",
    "unisex": "unisex",
    "kids": "kids'",
    "toddler": "toddlers'",
    "newborn": "newborns'",
    "baby": "baby",
    "baby boys": "baby boys'",
    "baby girls": "baby girls'",
}
"""Words for the audience before a noun."""

FOR_WHOM = {
    **{one: one for one in ("men", "women", "boys", "girls", "baby boys", "baby girls")},
    "unisex": "men and women",
    "kids": "children",
    "toddler": "toddlers",
    "newborn": "newborns",
    "baby": "babies",
}
"""Words for the audience after "for"."""

HAS = {
    "sleeveless": "no sleeves",
    "short sleeve": "short sleeves",
    "three-quarter sleeve": "three-quarter sleeves",
    "long sleeve": "long sleeves",
    "crew neck": "a crew neck",
    "v-neck": "a V-neck",
    "polo collar": "a polo collar",
    "stand collar": "a stand collar",
    "turtleneck": "a turtleneck",
    "hooded": "a hood",
    "off-shoulder": "an off-shoulder neckline",
    "square neck": "a square neck",
    "slim fit": "a slim fit",
    "skinny fit": "a skinny fit",
    "regular fit": "a regular fit",
    "loose fit": "a loose fit",
}
"""Details of cut, as what a garment has."""

WORN = {
    "casual": "casual wear",
    "smart casual": "smart-casual wear",
    "formal": "formal wear",
    "sports": "sports",
    "ethnic": "traditional wear",
    "party": "parties",
    "travel": "travel",
    "home": "wear at home",
}
"""Usage of what is worn."""

USED = {
    **WORN,
    "casual": "casual use",
    "smart casual": "smart-casual use",
    "formal": "formal use",
    "ethnic": "traditional occasions",
    "home": "use at home",
}
"""Usage of what is not worn."""

_CUT = ("sleeve_length", "neckline", "fit")
# Consonant sounds that are written with a vowel, and the other way round.
_CONSONANT_SOUND = re.compile(r"(?:uni(?!n|m)|use|usu|eu|one\b|once|u-|ufo)", re.IGNORECASE)
_VOWEL_SOUND = re.compile(r"(?:hour|honest|heir|[FHLMNRSX](?:[A-Z0-9]|-|\b))")


def article(text: str) -> str:
    """The indefinite article that goes before a text: "an olive shirt", "a unisex cap", "an LED lamp"."""
    if _CONSONANT_SOUND.match(text):
        return "a"
    return "an" if text[:1].lower() in "aeiou" or _VOWEL_SOUND.match(text) else "a"


def name_en(subject: Subject) -> TracedText:
    """The name: "Men's navy blue striped cotton shirt"."""
    words: list[TracedText] = []
    if subject.audience:
        words.append(traced(POSSESSIVE[subject.audience], *subject.audience_from))
    words += _modifiers(subject, with_solid=False)
    words.append(_noun(subject))
    # "Polo" and "polo shirt" side by side would stutter.
    if subject.brand and subject.brand.split()[-1].casefold() != str(words[0]).split()[0].casefold():
        words.insert(0, traced(subject.brand, "brand"))
    return TracedText().join([TracedText().join(words, " "), *_content(subject)], ", ").capitalized()


def description_en(subject: Subject) -> TracedText:
    """One to three sentences: what it is, how it looks, what it is for and made of."""
    sentences = [one.capitalized() for one in (_what(subject), _look(subject), _details(subject)) if one]
    return TracedText().join([one.add(".") for one in sentences], " ")


def _what(subject: Subject) -> TracedText:
    noun = subject.noun
    words = TracedText().join([*_modifiers(subject, with_solid=True), _noun(subject)], " ")
    text = TracedText()
    if noun.pair:
        text.add("a pair of", *_noun_from(subject)).add(" ")
    elif noun.number == "one":
        text.add(article(str(words))).add(" ")
    text.join([words], "")
    if subject.audience:
        text.add(" ").add(f"for {FOR_WHOM[subject.audience]}", *subject.audience_from)
    if subject.brand:
        text.add(" ").add(f"by {subject.brand}", "brand")
    return TracedText().join([text, *_content(subject)], ", ")


def _look(subject: Subject) -> TracedText:
    verb, they = ("have", "they") if subject.noun.number == "many" else ("has", "it")
    has = [traced(HAS[subject.values[name]], name) for name in _CUT if name in subject.values]
    colors = [
        traced(f"{load_attributes().name('color', name)} ({share:.0%})", "color") for name, share in subject.colors
    ]
    if subject.color and subject.noun.color == "packaging":
        text = traced(f"the packaging is mainly {load_attributes().name('color', subject.color)}", "color")
        if subject.color == "multi":
            text = traced("the packaging is multicolored", "color")
        return text.add(", with ", *(["color"] if colors else [])).join(colors, ", ", " and ") if colors else text
    if subject.noun.color == "none":
        colors = []
    text = TracedText()
    if has:
        text.add(f"{they} {verb} ", *_noun_from(subject)).join(has, ", ", " and ")
    if colors:
        show, also = "show" if they == "they" else "shows", "" if subject.color == "multi" else "also "
        lead = f"{they} {also}{show} "
        text.add(", and " if has else "").add(lead, "color").join(colors, ", ", " and ")
    return text


def _details(subject: Subject) -> TracedText:
    parts = []
    usage, season = subject.values.get("usage"), subject.values.get("season")
    if usage or season:
        text = traced("suited to ", *(["usage"] if usage else ["season"]))
        if usage:
            text.add((WORN if subject.noun.wear else USED)[usage], "usage")
        if season:
            text.add(f" in {season}" if usage else season, "season")
        parts.append(text)
    if subject.materials and subject.materials.needs_listing:
        parts.append(traced(f"material: {subject.materials.listing('en')}", "material"))
    if subject.size:
        parts.append(traced(f"size: {subject.size}", "size"))
    if subject.care:
        parts.append(traced(f"care: {subject.care}", "care"))
    return TracedText().join(parts, "; ")


def _modifiers(subject: Subject, *, with_solid: bool) -> list[TracedText]:
    """Color, pattern and material before the noun, as far as the noun does not say so itself."""
    dictionary, noun, words = load_attributes(), subject.noun.en.split(), []
    color, pattern = subject.color, subject.values.get("pattern")
    named = color if color and subject.noun.color == "product" and not set(color.split()) & set(noun) else None
    if pattern == "solid" and with_solid:
        words.append(traced("solid" if named else "solid-color", "pattern"))
    if named:
        words.append(traced(dictionary.modifier("color", named), "color"))
    if pattern and pattern != "solid":
        words.append(traced(dictionary.modifier("pattern", pattern), "pattern"))
    if subject.materials and (material := subject.materials.modifier("en")) and not _said(material, noun):
        words.append(traced(material, "material"))
    return words


def _said(material: str, noun: list[str]) -> bool:
    """Jeans are of denim anyway; a word of the noun need not be said twice."""
    return bool(set(material.split()) & set(noun)) or (material == "denim" and "jeans" in noun)


def _noun(subject: Subject) -> TracedText:
    return traced(subject.noun.en, *_noun_from(subject))


def _noun_from(subject: Subject) -> tuple[str, ...]:
    """The word "product" for a thing of unknown kind states nothing."""
    return ("category",) if subject.has_category else ()


def _content(subject: Subject) -> list[TracedText]:
    return [traced(net_content_words(subject.net_content, "en"), "net_content")] if subject.net_content else []
