"""The row of `products` that follows from what was decided on each attribute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np

from schemas.attributes import load_attributes
from schemas.settings import FuseSettings
from schemas.taxonomy import Taxonomy
from udfs.fuse_category import path_words
from udfs.fuse_claims import CATEGORY, LABELLED, Claim, Picture, ProductInput, clean, main_colors
from udfs.fuse_conflicts import Conflict
from udfs.fuse_texts import read_text
from udfs.product_name import ProductFacts, describe_product

_ROUNDING = 0.02


@dataclass(frozen=True)
class Decision:
    """What was decided on one attribute.

    Args:
        values: what the product has; several only where that makes sense, the main one first.
        confidence: trust in the first one, or in the best guess when there is none.
        source: who says so most.
        conflicts: where sources disagree.
    """

    values: tuple[str, ...] = ()
    confidence: float | None = None
    source: str | None = None
    conflicts: tuple[Conflict, ...] = ()

    @property
    def value(self) -> str | None:
        """The main value; None when nothing was decided."""
        return self.values[0] if self.values else None


def product_row(
    product: ProductInput,
    decisions: Mapping[str, Decision],
    claims: Sequence[Claim],
    taxonomy: Taxonomy,
    rules: FuseSettings,
) -> dict[str, Any]:
    """The columns of `products` that say what a product is.

    Args:
        product: what it was made from.
        decisions: what was decided, by attribute; those of category and color are there.
        claims: all claims, the chosen ones marked.
        taxonomy: the taxonomy.
        rules: thresholds.
    """
    category = decisions[CATEGORY]
    main = _main_picture(product.pictures, rules.publish_quality)
    price, currency = _price(product, decisions.get("price"), claims)
    brand = _brand(product, decisions.get("brand"))
    conflicts = [conflict for decision in decisions.values() for conflict in decision.conflicts]
    name = describe_product(_facts(decisions, claims, brand, main), taxonomy)
    words = path_words(category.value, taxonomy) if category.value else (None, None)
    quality = None if main is None else main.quality
    sure = category.value is not None and (category.confidence or 0.0) >= rules.review_confidence
    publishable = (
        *(category.value is not None, bool(name.name_en), quality is not None and quality >= rules.publish_quality),
        not any(conflict.attribute == CATEGORY for conflict in conflicts),
    )
    return {
        "product_id": product.product_id,
        "title": product.title,
        "brand": brand,
        "name_en": name.name_en or None,
        "name_zh": name.name_zh or None,
        "description_en": name.description_en or None,
        "description_zh": name.description_zh or None,
        "category": category.value,
        "category_confidence": category.confidence,
        "category_source": category.source,
        "category_path_en": words[0],
        "category_path_zh": words[1],
        "color": _value(decisions, "color"),
        "color_confidence": decisions["color"].confidence,
        **{attribute: _value(decisions, attribute) for attribute in LABELLED if attribute != "color"},
        "price": price,
        "currency": currency,
        "main_image_uri": None if main is None else main.image_uri,
        "main_content_sha256": None if main is None else main.content_sha256,
        "image_count": len(product.pictures),
        "text": read_text(product.pictures),
        "barcodes": _barcodes(product.pictures, decisions.get("barcode")),
        "embedding": mean_embedding(product.pictures),
        "conflicts": [vars(conflict) for conflict in conflicts],
        "needs_review": bool(conflicts) or not sure,
        "quality_score": quality,
        "is_publishable": all(publishable),
    }


def _value(decisions: Mapping[str, Decision], attribute: str) -> str | None:
    return decisions[attribute].value if attribute in decisions else None


def _brand(product: ProductInput, decision: Decision | None) -> str | None:
    """The feed's brand, unless a person said otherwise."""
    if decision is not None and (decision.source == "correction" or not clean(product.brand)):
        return decision.value
    return clean(product.brand)


def _facts(
    decisions: Mapping[str, Decision], claims: Sequence[Claim], brand: str | None, main: Picture | None
) -> ProductFacts:
    """What name and description may say: only what was decided."""
    category = decisions[CATEGORY].value
    known = load_attributes().names
    skipped = (CATEGORY, "brand", "price")
    stated = {name: one.value for name, one in decisions.items() if name in known and name not in skipped and one.value}
    if "material" in stated:
        stated["material"] = composition(
            [claim for claim in claims if claim.attribute == "material" and claim.is_chosen]
        )
    return ProductFacts(category, brand, stated, tuple(main_colors(main)))


def composition(claims: Sequence[Claim]) -> str:
    """Materials in one phrase, the largest share first: "60% cotton, 40% polyester"; without shares "cotton, linen"."""
    shares: dict[str, float] = {}
    for claim in claims:
        shares[claim.value] = max(shares.get(claim.value, 0.0), claim.evidence.share or 0.0)
    # More than all of it: shares of several parts, shell and lining, of which it is not known which is which.
    are_known = all(shares.values()) and sum(shares.values()) <= 1 + _ROUNDING
    ordered = sorted(shares.items(), key=lambda one: -one[1])
    return ", ".join(f"{share:.0%} {value}" if are_known else value for value, share in ordered)


def _main_picture(pictures: Sequence[Picture], least_quality: float) -> Picture | None:
    """The first view of good quality, else the best one, else the first; None without pictures."""
    described = [(picture, picture.quality) for picture in pictures if picture.quality is not None]
    good = [picture for picture, quality in described if quality is not None and quality >= least_quality]
    if good:
        return good[0]
    if described:
        return max(described, key=lambda one: one[1] or 0.0)[0]
    return pictures[0] if pictures else None


def _price(
    product: ProductInput, decision: Decision | None, claims: Sequence[Claim]
) -> tuple[Decimal | None, str | None]:
    """Price and currency: the feed's price, with the currency of a tag that says the same; else the tag's."""
    tags = [claim.value.split() for claim in claims if claim.attribute == "price" and claim.source == "ocr"]
    read = [(amount, rest[-1] if rest else None) for amount, *rest in tags if amount]
    if product.price is not None:
        return product.price, next((unit for amount, unit in read if _decimal(amount) == product.price), None)
    if decision is None or decision.value is None:
        return None, None
    amount, *rest = decision.value.split()
    price = _decimal(amount)
    return price, (rest[-1] if rest and price is not None else None)


def _decimal(text: str) -> Decimal | None:
    try:
        value = Decimal(text).quantize(Decimal("0.01"))
    except InvalidOperation:
        return None
    return value if 0 <= value < 10**10 else None


def _barcodes(pictures: Sequence[Picture], decision: Decision | None) -> list[str]:
    """Article numbers, from bars first; a UPC and its EAN are one number."""
    bars = [code["digits"] for picture in pictures for code in (picture.described or {}).get("barcodes") or ()]
    found: dict[str, str] = {}
    for digits in (*bars, *(decision.values if decision else ())):
        found.setdefault(digits.lstrip("0"), digits)
    return list(found.values())


def mean_embedding(pictures: Sequence[Picture]) -> list[float] | None:
    """Mean of the pictures' embeddings, of length 1; None without any.

    Args:
        pictures: their embeddings have length 1; those that are not as long as the first one's are of another network.
    """
    given = [(picture.described or {}).get("embedding") for picture in pictures]
    vectors = [np.asarray(vector, np.float32) for vector in given if vector is not None and len(vector)]
    if not vectors:
        return None
    mean = np.mean([vector for vector in vectors if vector.shape == vectors[0].shape], axis=0)
    length = float(np.linalg.norm(mean))
    return None if length < 1e-6 else [float(value) for value in mean / length]
