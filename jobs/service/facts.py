"""What is said of one product, as the index and the pages need it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from schemas.attributes import load_attributes
from schemas.palette import find_color
from schemas.taxonomy import Language, load_taxonomy
from udfs.fuse_claims import LABELLED

BRAND, CATEGORY = "brand", "category"


def stated(product: Mapping[str, Any], claims: Iterable[Mapping[str, Any]] = ()) -> dict[str, str]:
    """Attributes that are stated of a product, category and brand aside.

    Args:
        product: row of `products`.
        claims: rows of `product_attributes`.
    """
    values = {name: product[name] for name in LABELLED if product.get(name)}
    for claim in claims:
        if claim["is_chosen"] and claim["attribute"] not in (CATEGORY, BRAND):
            values.setdefault(claim["attribute"], claim["value"])
    return values


def facets(product: Mapping[str, Any], attributes: Mapping[str, str]) -> list[str]:
    """What to filter and count by, as `name=value`; a category stands with each one above it."""
    found = [f"{CATEGORY}={path}" for path in _line(product.get("category"))]
    found += [f"{name}={value}" for name, value in attributes.items()]
    if product.get("brand"):
        found.append(f"{BRAND}={product['brand']}")
    found.append(f"review={'yes' if product.get('needs_review') else 'no'}")
    found.append(f"publishable={'yes' if product.get('is_publishable') else 'no'}")
    return found


def broader(product: Mapping[str, Any], attributes: Mapping[str, str]) -> list[str]:
    """What the stated values are kinds of, as `name=value`: navy blue is found by "blue", last of all."""
    found = [f"{CATEGORY}={path}" for path in _line(product.get("category"))[:-1]]
    dictionary = load_attributes()
    for name, value in attributes.items():
        if name in dictionary.names:
            found += [f"{name}={above}" for above in dictionary.broader(name, value)]
    return found


def _line(path: str | None) -> tuple[str, ...]:
    if not path:
        return ()
    segments = path.split("/")
    return tuple("/".join(segments[:count]) for count in range(1, len(segments) + 1))


@lru_cache(maxsize=16384)
def value_label(attribute: str, value: str, language: Language) -> str:
    """What to call a value; an unlisted one stands for itself."""
    if attribute == CATEGORY:
        taxonomy = load_taxonomy()
        return taxonomy.name(value, language) if value in taxonomy else value
    dictionary = load_attributes()
    return dictionary.name(attribute, value, language) if attribute in dictionary.names else value


def attribute_label(attribute: str, language: Language) -> str:
    """What to call an attribute."""
    own = {CATEGORY: ("Category", "类目"), BRAND: ("Brand", "品牌")}
    if attribute in own:
        return own[attribute][language == "zh"]
    dictionary = load_attributes()
    return dictionary.label(attribute, language) if attribute in dictionary.names else attribute.replace("_", " ")


@lru_cache(maxsize=1024)
def color_hex(value: str | None) -> str | None:
    """`#rrggbb` of a color of the palette."""
    color = find_color(value) if value else None
    return color.hex if color else None
