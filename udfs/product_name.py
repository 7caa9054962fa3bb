"""Names and describes a product in English and Chinese from the attributes found, each phrase traceable to them."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.taxonomy import Taxonomy
from udfs.product_chinese import description_zh, name_zh
from udfs.product_english import description_en, name_en
from udfs.product_facts import ProductFacts, resolve
from udfs.traced_text import Phrase

__all__ = ["Phrase", "ProductFacts", "ProductText", "describe_product"]

NOTHING_KNOWN = "neither category, color, brand nor material is known"


@dataclass(frozen=True)
class ProductText:
    """What to call a product and what to say of it.

    Args:
        name_en: English name, None when nothing is known to make one of.
        name_zh: Chinese name, likewise.
        description_en: one to three English sentences, likewise.
        description_zh: one to three Chinese sentences, likewise.
        phrases: every piece of the four that states something; what lies between them are articles and punctuation.
        reason: why there is no name, None when there is one.
    """

    name_en: str | None
    name_zh: str | None
    description_en: str | None
    description_zh: str | None
    phrases: tuple[Phrase, ...]
    reason: str | None = None


def describe_product(facts: ProductFacts, taxonomy: Taxonomy | None = None) -> ProductText:
    """Name and describe a product; nothing is said that the facts do not hold.

    Values that the attribute dictionary lacks, and those that make no sense for the category (the gender of a carrot),
    are left out.

    Args:
        facts: chosen attributes that are sure enough to state.
        taxonomy: the project's when None; a bundle's extended one where types were enrolled.
    """
    subject = resolve(facts, taxonomy)
    if subject.is_empty:
        return ProductText(None, None, None, None, (), NOTHING_KNOWN)
    english, chinese = (name_en(subject), description_en(subject)), (name_zh(subject), description_zh(subject))
    phrases = (
        *english[0].phrases("en", "name"),
        *chinese[0].phrases("zh", "name"),
        *english[1].phrases("en", "description"),
        *chinese[1].phrases("zh", "description"),
    )
    return ProductText(str(english[0]), str(chinese[0]), str(english[1]), str(chinese[1]), phrases)
