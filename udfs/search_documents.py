"""Search documents: what a search engine loads of a product, once per language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from schemas.attributes import AttributeDictionary, load_attributes
from schemas.taxonomy import LANGUAGES, Language, Taxonomy, load_taxonomy
from udfs.search_tokens import tokens

BOOSTS = {
    "name": 4.0,
    "title": 4.0,
    "category": 3.0,
    "brand": 3.0,
    "attributes": 2.0,
    "barcodes": 2.0,
    "description": 1.0,
    "text": 0.5,
}
"""Weight of a match by field: what the shop and Vitrine call a product first, what is printed on it last."""

# Claims that have columns of their own, or are no words to search by.
_NO_ATTRIBUTES = frozenset({"category", "brand", "price", "currency", "barcode", "title", "text_present"})
# Words that hardly two products share: nothing to count or to filter by.
_NO_FACETS = frozenset({"ingredients", "nutrition", "best_before", "produced", "shelf_life"})


@dataclass(frozen=True)
class SearchableProduct:
    """What documents are made from.

    Args:
        product: columns of `products`.
        claims: (attribute, value) of the chosen rows of `product_attributes`.
    """

    product: Mapping[str, Any]
    claims: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class SearchDocument:
    """One document; fields as in `search_documents`."""

    product_id: str
    language: Language
    title: str | None
    name: str | None
    description: str | None
    brand: str | None
    category: str | None
    category_path: str | None
    attributes: list[dict[str, str]]
    text: str | None
    tokens: list[str]
    fields: list[dict[str, Any]]
    facets: list[str]
    barcodes: list[str]
    price: Decimal | None
    currency: str | None
    image_uri: str | None
    quality_score: float | None
    category_confidence: float | None
    needs_review: bool
    is_publishable: bool


def search_documents(
    found: SearchableProduct,
    taxonomy: Taxonomy | None = None,
    dictionary: AttributeDictionary | None = None,
) -> Iterator[SearchDocument]:
    """Yield the documents of a product, one per language; by default with the project's own words."""
    words, labels = taxonomy or load_taxonomy(), dictionary or load_attributes()
    product = found.product
    stated = _stated(found)
    for language in LANGUAGES:
        attributes = [
            {"attribute": name, "value": value, "label": _label(labels, name, value, language)}
            for name, value in stated
        ]
        texts: dict[str, str | None] = {
            "name": product[f"name_{language}"],
            "title": product["title"],
            "category": _category_words(words, product["category"], product[f"category_path_{language}"], language),
            "brand": product["brand"],
            "attributes": ". ".join(entry["label"] for entry in attributes),
            "barcodes": " ".join(product["barcodes"] or ()),
            "description": product[f"description_{language}"],
            "text": product["text"],
        }
        by_field = {field: tokens(texts[field]) for field in BOOSTS}
        yield SearchDocument(
            language=language,
            name=product[f"name_{language}"],
            description=product[f"description_{language}"],
            category_path=product[f"category_path_{language}"],
            attributes=attributes,
            tokens=sorted({token for field in by_field.values() for token in field}),
            fields=[
                {"field": field, "tokens": " ".join(found), "boost": BOOSTS[field]}
                for field, found in by_field.items()
                if found
            ],
            facets=list(_facets(product, stated)),
            barcodes=list(product["barcodes"] or ()),
            image_uri=product["main_image_uri"],
            **{
                name: product[name]
                for name in (
                    *("product_id", "title", "brand", "category", "text", "price", "currency"),
                    *("quality_score", "category_confidence", "needs_review", "is_publishable"),
                )
            },
        )


def _stated(found: SearchableProduct) -> list[tuple[str, str]]:
    """Stated values, each once, in order of attribute and value."""
    columns = ("color", "pattern", "shape", "gender", "season", "usage")
    of_columns = {(name, found.product[name]) for name in columns if found.product[name]}
    # A claim only adds what has no column: the column says what was chosen.
    of_claims = {(name, value) for name, value in found.claims if name not in _NO_ATTRIBUTES and name not in columns}
    return sorted(of_columns | of_claims)


def _label(dictionary: AttributeDictionary, name: str, value: str, language: Language) -> str:
    return dictionary.name(name, value, language) if name in dictionary.names else value


def _category_words(taxonomy: Taxonomy, category: str | None, path: str | None, language: Language) -> str | None:
    """The path, and what else the type is called: people search for sneakers and for trainers."""
    if category is None or category not in taxonomy:
        return path
    return ". ".join((path or "", *taxonomy.node(category).terms(language)))


def _facets(product: Mapping[str, Any], stated: Sequence[tuple[str, str]]) -> Iterator[str]:
    if category := product["category"]:
        levels = category.split("/")
        yield from (f"category={'/'.join(levels[: depth + 1])}" for depth in range(len(levels)))
    if brand := product["brand"]:
        yield f"brand={brand}"
    yield from (f"{name}={value}" for name, value in stated if name not in _NO_FACETS)
