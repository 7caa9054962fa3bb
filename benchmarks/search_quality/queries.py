"""Queries made from what is true of the products, never from what a shop says of them; and how answers are scored."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.search_quality.shops import Product, QualityShop
from schemas.taxonomy import LANGUAGES, Language
from udfs.similar_cells import Floats

AT = 10

# In the order in which people write them.
KINDS: Mapping[str, tuple[str, ...]] = {
    "color + type": ("color", "type"),
    "pattern + type": ("pattern", "type"),
    "color + group": ("color", "group"),
    "type": ("type",),
}
LEAST_RELEVANT = 2


@dataclass(frozen=True)
class WordQuery:
    """What a person types, and the products that have all of it.

    Args:
        kind: key of `KINDS`.
        language: of the words.
        text: as typed.
        relevant: ids of the products.
    """

    kind: str
    language: Language
    text: str
    relevant: frozenset[str]


def word_queries(shop: QualityShop) -> list[WordQuery]:
    """One query for each set of facts that some products share, in each language that has words for it.

    Of several words for a value one is taken, which one is told by a checksum: synonyms are asked for like names.
    """
    return [
        WordQuery(kind, language, text, frozenset(found))
        for kind, facts in KINDS.items()
        for values, found in sorted(_sharing(shop.products, facts).items())
        if len(found) >= LEAST_RELEVANT
        for language in LANGUAGES
        if (text := _text(shop, facts, values, language)) is not None
    ]


def _sharing(products: Sequence[Product], facts: Sequence[str]) -> dict[tuple[str, ...], list[str]]:
    found: dict[tuple[str, ...], list[str]] = {}
    for product in products:
        if all(fact in product.facts for fact in facts):
            found.setdefault(tuple(product.facts[fact] for fact in facts), []).append(product.product_id)
    return found


def _text(shop: QualityShop, facts: Sequence[str], values: Sequence[str], language: Language) -> str | None:
    words = []
    for fact, value in zip(facts, values, strict=True):
        choices = shop.words.get((fact, value, language), ())
        if not choices:
            return None
        words.append(choices[zlib.crc32("/".join((*facts, *values)).encode()) % len(choices)])
    return ("" if language == "zh" else " ").join(words).lower()


def precision(found: Sequence[str], relevant: frozenset[str]) -> float:
    """Share of the first ten answers that are right; of as many as there are, where fewer than ten could be."""
    return sum(one in relevant for one in found[:AT]) / min(AT, len(relevant))


def picture_recall(
    shop: QualityShop, vectors: Mapping[str, Floats], facts: Sequence[str] | None
) -> dict[str, float] | None:
    """Each picture looks for others by exact cosine.

    Args:
        shop: the shop.
        vectors: by address of the picture.
        facts: what a right answer shares with the query, pictures of the same product left out; None: the product,
            this picture left out.

    Returns:
        queries; recall: share of the right pictures among the ten nearest, of ten where there are more; first: how
        often the nearest is right. None where no picture has anything to find.
    """
    labels = dict(_picture_labels(shop, facts))
    owners = {address: product.product_id for product in shop.products for address in product.pictures}
    addresses = [address for address in vectors if address in labels]
    _, codes = np.unique([labels[address] for address in addresses], return_inverse=True)
    _, products = np.unique([owners[address] for address in addresses], return_inverse=True)
    matrix = np.stack([vectors[address] for address in addresses])
    left_out = np.eye(len(addresses), dtype=bool) if facts is None else products[:, None] == products
    nearest = np.argsort(np.where(left_out, np.inf, -(matrix @ matrix.T)), axis=1, kind="stable")[:, :AT]
    right = (codes[nearest] == codes[:, None]) & ~np.take_along_axis(left_out, nearest, axis=1)
    possible = ((codes[:, None] == codes) & ~left_out).sum(axis=1)
    asked = possible > 0
    if not asked.any():
        return None
    recall = right.sum(axis=1)[asked] / np.minimum(possible[asked], AT)
    return {
        "queries": int(asked.sum()),
        "recall": round(float(recall.mean()), 4),
        "first": round(float(right[asked, 0].mean()), 4),
    }


def _picture_labels(shop: QualityShop, facts: Sequence[str] | None) -> Iterator[tuple[str, str]]:
    for product in shop.products:
        if facts is None or all(fact in product.facts for fact in facts):
            label = product.product_id if facts is None else "/".join(product.facts[fact] for fact in facts)
            yield from ((address, label) for address in product.pictures)
