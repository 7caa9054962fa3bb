"""Rows of the tables made into answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

from jobs.corrections_spool import SpooledCorrection
from jobs.service.answers import (
    Card,
    Claim,
    Conflict,
    Evidence,
    Facet,
    FacetValue,
    Names,
    PendingCorrection,
    ProductPicture,
    SeenPicture,
    UnderstoodTerm,
    Vocabulary,
)
from jobs.service.facts import CATEGORY, attribute_label, color_hex, value_label
from jobs.service.meaning import Term
from schemas.attributes import MANY_VALUED, load_attributes
from schemas.corrections import CORRECTABLE_OF_PRODUCT
from schemas.taxonomy import load_taxonomy

FACETS = ("category", "color", "pattern", "gender", "material", "season", "usage", "shape", "brand")
"""Names that one can filter by, in the order in which they are shown."""

_MOST_BRANDS = 60
_CANDIDATES = 6


@lru_cache(maxsize=16384)
def names(attribute: str, value: str) -> Names:
    """A value in words."""
    return Names(en=value_label(attribute, value, "en"), zh=value_label(attribute, value, "zh"))


def labels(attribute: str) -> Names:
    """An attribute in words."""
    return Names(en=attribute_label(attribute, "en"), zh=attribute_label(attribute, "zh"))


def image_path(content: str | None) -> str | None:
    """Where the service serves a picture."""
    return f"/images/{content}" if content else None


def card(product: Mapping[str, Any], score: float | None = None, reason: str | None = None) -> Card:
    """A product in a list, of a row of `products`."""
    category = product.get("category")
    title = product.get("title") or product["product_id"]
    return Card(
        product_id=product["product_id"],
        title=product.get("title"),
        name=Names(en=product.get("name_en") or title, zh=product.get("name_zh") or title),
        brand=product.get("brand"),
        category=category,
        category_name=names(CATEGORY, category) if category else None,
        category_confidence=product.get("category_confidence"),
        color=product.get("color"),
        color_name=names("color", product["color"]) if product.get("color") else None,
        color_hex=color_hex(product.get("color")),
        pattern=product.get("pattern"),
        pattern_name=names("pattern", product["pattern"]) if product.get("pattern") else None,
        price=product.get("price"),
        currency=product.get("currency"),
        quality_score=product.get("quality_score"),
        needs_review=bool(product.get("needs_review")),
        is_publishable=bool(product.get("is_publishable")),
        image=image_path(product.get("main_content_sha256")),
        image_count=product.get("image_count") or 0,
        score=score,
        reason=reason,
    )


def facet_list(counts: Mapping[str, Mapping[str, int]], chosen: Mapping[str, Sequence[str]]) -> list[Facet]:
    """Facets to show; values that are chosen stay, even where nothing has them."""
    found = []
    for name in FACETS:
        values = {**dict.fromkeys(chosen.get(name, ()), 0), **counts.get(name, {})}
        if not values:
            continue
        ordered = sorted(values.items(), key=lambda item: (-item[1], item[0]))
        if name == "brand":
            ordered = ordered[:_MOST_BRANDS]
        if name == CATEGORY:
            order = _category_order()
            ordered.sort(key=lambda item: order.get(item[0], len(order)))
        found.append(Facet(name=name, label=labels(name), values=[facet_value(name, *one) for one in ordered]))
    return found


def facet_value(attribute: str, value: str, count: int) -> FacetValue:
    """A value to choose."""
    shown = color_hex(value) if attribute == "color" else None
    return FacetValue(value=value, name=names(attribute, value), count=count, hex=shown)


def understood(terms: Iterable[Term]) -> list[UnderstoodTerm]:
    """How a query was read."""
    return [
        UnderstoodTerm(
            text=term.text,
            meanings=[concept.key for concept in term.concepts],
            names=[names(concept.attribute, concept.value) for concept in term.concepts],
            written=term.written,
        )
        for term in terms
    ]


def claims(rows: Iterable[Mapping[str, Any]]) -> list[Claim]:
    """Claims, chosen and sure ones first within each attribute, attributes in the order of the facets."""
    order = {name: place for place, name in enumerate(FACETS)}
    ordered = sorted(
        rows,
        key=lambda row: (
            *(order.get(row["attribute"], len(order)), row["attribute"]),
            *(not row["is_chosen"], -row["confidence"], row["value"], row["source"]),
        ),
    )
    return [
        Claim(
            attribute=row["attribute"],
            label=labels(row["attribute"]),
            value=row["value"],
            name=names(row["attribute"], row["value"]),
            hex=color_hex(row["value"]) if row["attribute"] == "color" else None,
            confidence=row["confidence"],
            source=row["source"],
            is_chosen=row["is_chosen"],
            evidence=Evidence(**row["evidence"]) if row.get("evidence") else None,
            model_version=row.get("model_version"),
        )
        for row in ordered
    ]


def conflicts(product: Mapping[str, Any]) -> list[Conflict]:
    """Where sources of a product disagree, in words."""
    return [
        Conflict(
            **one,
            label=labels(one["attribute"]),
            name=names(one["attribute"], one["value"]),
            other_name=names(one["attribute"], one["other_value"]),
        )
        for one in product.get("conflicts") or []
        if one["value"] is not None and one["other_value"] is not None
    ]


def picture(row: Mapping[str, Any]) -> ProductPicture:
    """A picture of a product, of `Details.pictures`."""
    described = row["seen"] is not None
    return ProductPicture(**row, image=image_path(row["content_sha256"]) if described else None)


def seen_picture(seen: Mapping[str, Any]) -> SeenPicture:
    """What was seen in a picture to search by."""
    category, color, pattern = (seen.get(name) for name in (CATEGORY, "color", "pattern"))
    candidates = seen.get("category_candidates") or []
    return SeenPicture(
        category=category,
        category_name=names(CATEGORY, category) if category else None,
        category_confidence=candidates[0]["score"] if candidates else seen.get("category_confidence"),
        color=color,
        color_name=names("color", color) if color else None,
        color_hex=color_hex(color),
        pattern=pattern,
        pattern_name=names("pattern", pattern) if pattern else None,
        width_px=seen["width_px"],
        height_px=seen["height_px"],
        box=(seen.get("region") or {}).get("box"),
    )


def candidates(
    product: Mapping[str, Any], content: Mapping[str, Any] | None, rows: Iterable[Mapping[str, Any]]
) -> list[FacetValue]:
    """Categories that a source believes in, most believed first; counts are percent."""
    belief: dict[str, float] = {}
    for row in rows:
        if row["attribute"] == CATEGORY:
            belief[row["value"]] = max(belief.get(row["value"], 0.0), row["confidence"])
    for one in (content or {}).get("category_candidates") or []:
        belief[one["category"]] = max(belief.get(one["category"], 0.0), one["score"])
    if product.get("category"):
        belief.setdefault(product["category"], product.get("category_confidence") or 0.0)
    best = sorted(belief.items(), key=lambda item: (-item[1], item[0]))[:_CANDIDATES]
    return [facet_value(CATEGORY, path, round(100 * score)) for path, score in best]


def review_reasons(product: Mapping[str, Any]) -> list[str]:
    """Why a person should look."""
    reasons = ["conflict"] if product.get("conflicts") else []
    if product.get("category") is None:
        reasons.append("no_category")
    elif not reasons:
        reasons.append("unsure_category")
    return reasons


def pending(name: str, correction: SpooledCorrection) -> PendingCorrection:
    """A spooled correction."""
    return PendingCorrection(
        id=name.removesuffix(".json"),
        product_id=correction.product_id,
        attribute=correction.attribute,
        value=correction.value,
        name=names(correction.attribute, correction.value),
        predicted=correction.predicted,
        corrected_by=correction.corrected_by,
        corrected_at=correction.corrected_at.isoformat(),
        note=correction.note,
    )


@cache
def vocabulary() -> dict[str, Vocabulary]:
    """The values that a correction may give, by attribute."""
    dictionary = load_attributes()
    found = {}
    for attribute in CORRECTABLE_OF_PRODUCT:
        is_category = attribute == CATEGORY
        values: Sequence[str] = load_taxonomy().paths if is_category else dictionary.values(attribute)
        is_open = not is_category and dictionary.attribute(attribute).open
        shown = [facet_value(attribute, value, 0) for value in values]
        is_many = attribute in MANY_VALUED
        found[attribute] = Vocabulary(label=labels(attribute), values=shown, is_open=is_open, is_many=is_many)
    return found


@cache
def _category_order() -> dict[str, int]:
    return {path: place for place, path in enumerate(load_taxonomy().paths)}
