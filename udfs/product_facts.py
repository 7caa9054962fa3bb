"""From the chosen attributes of a product to what may be said of it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from schemas.attributes import AttributeDictionary, load_attributes
from schemas.nouns import UNKNOWN, Noun, noun_for
from schemas.taxonomy import Taxonomy
from udfs.product_material import Materials, read_materials

Audience = Literal[
    "men", "women", "boys", "girls", "unisex", "kids", "toddler", "newborn", "baby", "baby boys", "baby girls"
]

MOST_CHARACTERS = 80
"""Brands and free values longer than this are no names but text that went astray."""

LEAST_SHARE = 0.1
"""Further colors with a smaller share of the product are not worth a word."""

_MOST_FURTHER_COLORS = 2
# Written on the product or in its title, these hold whatever the product is.
_OF_ANY_PRODUCT = frozenset({"color", "brand", "material", "net_content", "size"})
_NO_BRAND = frozenset(
    {"-", "n/a", "na", "nan", "none", "null", "unknown", "unbranded", "no brand", "generic", "other", "无", "无品牌"}
)
_CHILD_OF = {"men": "boys", "women": "girls", "unisex": "kids"}
_BABY_OF = {"men": "baby", "women": "baby", "boys": "baby boys", "girls": "baby girls"}


@dataclass(frozen=True)
class ProductFacts:
    """What is known of a product; only chosen values that are sure enough to state.

    Args:
        category: taxonomy path.
        brand: as the shop writes it.
        attributes: value by attribute, in the words of `schemas.attributes`; category and brand stand above.
        colors: colors measured on the product and their shares, 0..1, largest first.
    """

    category: str | None = None
    brand: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    colors: Sequence[tuple[str, float]] = ()


@dataclass(frozen=True)
class Subject:
    """The facts that both languages speak of: normalised, and only what makes sense for the category.

    Args:
        noun: what to call it; `schemas.nouns.UNKNOWN` without a category.
        has_category: whether the noun comes from a category.
        brand: cleaned, None without.
        audience: who it is for.
        audience_from: attributes that say so.
        values: listed value by attribute, without those above and below.
        materials: what it is made of, None when unknown.
        size: as given.
        care: listed or free value.
        net_content: normalised, as `udfs.text_content` writes it.
        colors: further colors (value, share) beside the main one.
    """

    noun: Noun
    has_category: bool
    brand: str | None
    audience: Audience | None
    audience_from: tuple[str, ...]
    values: Mapping[str, str]
    materials: Materials | None
    size: str | None
    care: str | None
    net_content: str | None
    colors: tuple[tuple[str, float], ...]

    @property
    def color(self) -> str | None:
        """The main color."""
        return self.values.get("color")

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known that could name the product."""
        return not (self.has_category or self.brand or self.color or self.materials)


def resolve(facts: ProductFacts, taxonomy: Taxonomy | None = None) -> Subject:
    """Normalise the facts; values that are unknown, or make no sense for the category, are left out."""
    dictionary = load_attributes()
    noun = noun_for(facts.category, taxonomy)
    given = {name: text for name, value in facts.attributes.items() if (text := clean(value))}

    def applies(attribute: str) -> bool:
        if attribute not in dictionary.names:
            return False
        return attribute in _OF_ANY_PRODUCT if noun is None else dictionary.applies(attribute, facts.category)

    values: dict[str, str] = {}
    for attribute, text in given.items():
        if applies(attribute) and (found := dictionary.find(attribute, text)) is not None:
            values[attribute] = found
    values.pop("material", None)
    values.pop("care", None)
    audience, audience_from = _audience(values.pop("gender", None), values.pop("age_group", None), noun)
    if values.get("color") == "multi" and values.get("pattern") == "solid":
        # Both cannot be; the color is the plainer statement.
        values.pop("pattern")
    free = {name: given[name] for name in ("size", "care", "net_content") if name in given and applies(name)}
    brand = clean(facts.brand) or given.get("brand")
    return Subject(
        noun=noun or UNKNOWN,
        has_category=noun is not None,
        brand=brand if brand and brand.casefold() not in _NO_BRAND else None,
        audience=audience,
        audience_from=audience_from,
        values=values,
        materials=read_materials(given["material"]) if "material" in given and applies("material") else None,
        size=free.get("size"),
        care=free.get("care"),
        net_content=free.get("net_content"),
        colors=_further_colors(facts.colors, values, dictionary),
    )


def clean(text: str | None) -> str | None:
    """One line without control and formatting characters; None when nothing is left, or too much.

    Pandas' NaN, which stands for a missing string in a column, counts as nothing.
    """
    if not isinstance(text, str):
        return None
    composed = unicodedata.normalize("NFC", text)
    visible = "".join(" " if unicodedata.category(one)[0] in "CZ" else one for one in composed)
    line = re.sub(r"\s+", " ", visible).strip()
    return line if line and len(line) <= MOST_CHARACTERS else None


def _audience(gender: str | None, age: str | None, noun: Noun | None) -> tuple[Audience | None, tuple[str, ...]]:
    """Who it is for: men of age kids are boys; what is for babies is for no grown-ups."""
    by_kind = noun is not None and noun.audience == "baby"
    because = tuple(name for name, value in (("gender", gender), ("age_group", age)) if value)
    if by_kind or age == "infant":
        one = _BABY_OF.get(gender or "", "baby")
        grounds = ("category",) if by_kind else ("age_group",)
        return one, (*grounds, "gender") if one != "baby" else grounds  # type: ignore[return-value]
    if age in {"toddler", "newborn"}:
        return age, ("age_group",)  # type: ignore[return-value]
    if age == "kids":
        return _CHILD_OF.get(gender or "unisex", gender), because  # type: ignore[return-value]
    return gender, because if gender else ()  # type: ignore[return-value]


def _further_colors(
    colors: Sequence[tuple[str, float]], values: Mapping[str, str], dictionary: AttributeDictionary
) -> tuple[tuple[str, float], ...]:
    """Colors beside the main one; all of them for a multicolored product, none for a solid one.

    A color with a larger share than the main one's family is not "also" there: source and measure see different things,
    and nothing is said of it.
    """
    main = values.get("color")
    if main is None or values.get("pattern") == "solid":
        return ()
    known = [(dictionary.find("color", name), share) for name, share in colors]
    most = 1.0
    if main != "multi":
        most = sum(share for name, share in known if name is not None and _same(name, main, dictionary))
    kept: list[tuple[str, float]] = []
    for name, share in known:
        if name is None or not LEAST_SHARE <= share <= most or any(_same(name, other, dictionary) for other, _ in kept):
            continue
        if main == "multi" or not _same(name, main, dictionary):
            kept.append((name, share))
    return tuple(kept[: _MOST_FURTHER_COLORS + (main == "multi")])


def _same(one: str, other: str, dictionary: AttributeDictionary) -> bool:
    """Whether two colors are of one family: shades of the main color are no further color."""
    family = {name: (*dictionary.broader("color", name), name)[0] for name in (one, other)}
    return family[one] == family[other]
