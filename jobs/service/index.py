"""The keyword index: tantivy over the products of one published version.

Texts reach tantivy as words of `jobs.service.words`, queries as query objects made from `jobs.service.meaning`: there
is no query language that anybody could inject into.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tantivy
from tantivy import FieldType, Occur, Query

from jobs.service.facts import broader, facets
from jobs.service.meaning import Term
from jobs.service.words import text_words
from models.text_terms import CATEGORY

WRITER_BYTES = 64_000_000
MOST_FACET_VALUES = 2000

_WORDS = "words"
# Weight of a match by field. A stated value is worth more than a word, for a word may be part of another's name.
_TEXT_WEIGHTS = {"names": 2.0, "brand": 2.0, "description": 0.6, "text": 0.5}
_CONCEPT_SCORE, _BROADER_SCORE = 12.0, 6.0
_PUBLISHABLE_SCORE = 0.5
# More than all else together: products that have all terms come first.
_COMPLETE_SCORE = 1000.0
# Where fewer products have all terms, those that have most of them follow: what the models see is sometimes wrong, and
# a striped shirt that was taken for a checked one is better found late than never.
FEWEST_COMPLETE = 10

SORTS: Mapping[str, tuple[str, tantivy.Order]] = {
    "price": ("price", tantivy.Order.Asc),
    "-price": ("price", tantivy.Order.Desc),
    "-quality": ("quality", tantivy.Order.Desc),
    "confidence": ("confidence", tantivy.Order.Asc),
    "-confidence": ("confidence", tantivy.Order.Desc),
    "-changed": ("changed", tantivy.Order.Desc),
}
"""Orders besides by relevance: the field, and which end first."""


@dataclass(frozen=True)
class Filters:
    """What products must have.

    Args:
        facets: values by name, e.g. {"color": ("red", "blue")}; one of a name's values is enough.
        price: least and most, either may be None.
        confidence: least trust in the category.
        quality: least usability of the main picture.
    """

    facets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    price: tuple[float | None, float | None] = (None, None)
    confidence: float | None = None
    quality: float | None = None

    @property
    def is_empty(self) -> bool:
        """Whether everything passes."""
        return not any(self.facets.values()) and self.price == (None, None) and not (self.confidence or self.quality)


@dataclass(frozen=True)
class Hits:
    """Products found.

    Args:
        total: all of them.
        ordinals: of the page, best first.
        scores: theirs; empty where another order was asked for.
        facets: counts by name and value among all found; those of a name that is filtered by, as if it were not.
        price: lowest and highest price among all found.
        complete: how many of them have all terms; they come first.
    """

    total: int
    ordinals: tuple[int, ...]
    scores: tuple[float, ...]
    facets: Mapping[str, Mapping[str, int]]
    price: tuple[float, float] | None
    complete: int


def _schema() -> Any:
    builder = tantivy.SchemaBuilder()
    for name in _TEXT_WEIGHTS:
        builder.add_text_field(name, tokenizer_name=_WORDS, index_option="freq")
    for name in ("broader", "identifiers"):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("facets", tokenizer_name="raw", index_option="basic", fast=True)
    for name in ("price", "confidence", "quality", "changed"):
        builder.add_float_field(name, indexed=True, fast=True)
    builder.add_unsigned_field("ordinal", fast=True)
    return builder.build()


def _opened(folder: Path, schema: Any) -> Any:
    index = tantivy.Index(schema, path=str(folder))
    analyzer = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
    index.register_tokenizer(_WORDS, analyzer)
    return index


def write_index(folder: Path, products: Iterable[tuple[int, Mapping[str, Any], Mapping[str, str], str | None]]) -> None:
    """Write the index of a version.

    Args:
        folder: empty; must exist.
        products: ordinal, row of `products`, stated attributes (`jobs.service.facts.stated`) and the feed's
            description of each product.
    """
    writer = _opened(folder, _schema()).writer(WRITER_BYTES, 1)
    for ordinal, product, attributes, description in products:
        writer.add_document(_document(ordinal, product, attributes, description))
    writer.commit()
    writer.wait_merging_threads()


def _document(
    ordinal: int, product: Mapping[str, Any], attributes: Mapping[str, str], description: str | None
) -> tantivy.Document:
    document = tantivy.Document()
    names = [product.get(name) for name in ("title", "name_en", "name_zh", "category_path_en", "category_path_zh")]
    descriptions = [description, product.get("description_en"), product.get("description_zh")]
    texts = {
        "names": names,
        "brand": [product.get("brand")],
        "description": descriptions,
        "text": [product.get("text")],
    }
    for name, parts in texts.items():
        document.add_text(name, " ".join(word for part in parts for word in text_words(part)))
    for key in facets(product, attributes):
        document.add_text("facets", key)
    for key in broader(product, attributes):
        document.add_text("broader", key)
    for identifier in (product["product_id"], *(product.get("barcodes") or ())):
        document.add_text("identifiers", identifier.casefold())
    numbers = {
        "price": product.get("price"),
        "confidence": product.get("category_confidence"),
        "quality": product.get("quality_score"),
        "changed": product["changed_at"].timestamp() if product.get("changed_at") else None,
    }
    for name, number in numbers.items():
        if number is not None:
            document.add_float(name, float(number))
    document.add_unsigned("ordinal", ordinal)
    return document


class KeywordIndex:
    """Searches one index; safe to share among threads.

    Args:
        folder: from `write_index`.
    """

    def __init__(self, folder: Path) -> None:
        self._schema = _schema()
        self._searcher = _opened(folder, self._schema).searcher()

    def knows(self, word: str) -> bool:
        """Whether a word occurs in any text."""
        return any(self._searcher.doc_freq(name, word) for name in _TEXT_WEIGHTS)

    def search(
        self,
        terms: Sequence[Term],
        filters: Filters,
        *,
        query: str = "",
        sort: str | None = None,
        offset: int = 0,
        limit: int = 24,
        with_facets: bool = True,
    ) -> Hits:
        """Find products that have all terms; where these are few, those that have most of them follow.

        Args:
            terms: from `jobs.service.meaning.understand`; none finds every product.
            filters: what else they must have.
            query: as typed: it may be an identifier or a barcode.
            sort: key of `SORTS`; by relevance when None, or by quality without terms.
            offset: products to pass over.
            limit: products to return.
            with_facets: whether to count facets.
        """
        wanted, complete = self._wanted_in_order(terms, query, filters, may_follow=sort is None)
        found = self._filtered(wanted, filters)
        if sort is None and not terms and not query.strip():
            sort = "-quality"
        field_name, order = SORTS[sort] if sort else (None, tantivy.Order.Desc)
        result = self._searcher.search(found, max(1, limit), order_by_field=field_name, order=order, offset=offset)
        hits = result.hits[:limit]
        ordinals = self._searcher.fast_field_values("ordinal", [address for _, address in hits])
        counts, price = self._facets(wanted, filters) if with_facets else ({}, None)
        return Hits(
            total=result.count,
            ordinals=tuple(int(one) for one in ordinals if one is not None),
            scores=() if sort else tuple(float(score) for score, _ in hits),
            facets=counts,
            price=price,
            complete=result.count if complete is None else complete,
        )

    def _wanted_in_order(
        self, terms: Sequence[Term], query: str, filters: Filters, *, may_follow: bool
    ) -> tuple[Query, int | None]:
        """What is looked for, and how many products have all of it; None for all that are found.

        Args:
            terms: of the query.
            query: as typed.
            filters: what else they must have.
            may_follow: whether products with most of the terms may follow those with all; in another order than by
                relevance they would stand among them.
        """
        everything = self._wanted(terms, query, len(terms))
        if len(terms) < 2:
            return everything, None
        complete = self._count(everything, filters)
        if complete >= (FEWEST_COMPLETE if may_follow else 1):
            return everything, None
        # What kind of thing it is matters most: a red bag is no answer to "red shirt", a blue shirt may be.
        kinds = [
            (Occur.Must, _silent(self._term(term)))
            for term in terms
            if any(concept.attribute == CATEGORY for concept in term.concepts)
        ]
        first = (Occur.Should, Query.const_score_query(everything, _COMPLETE_SCORE))
        for needed, least in ((kinds, len(terms) - 1), ([], len(terms) - 1), ([], 1)):
            loose = Query.boolean_query([(Occur.Must, self._wanted(terms, query, least)), first, *needed])
            if complete or self._count(loose, filters):
                return loose, complete
        return everything, None

    def _count(self, wanted: Query, filters: Filters) -> int:
        return int(self._searcher.search(self._filtered(wanted, filters), 1).count)

    def _wanted(self, terms: Sequence[Term], query: str, least: int) -> Query:
        identifier = query.strip().casefold()
        parts: list[tuple[Occur, Query]] = []
        if terms:
            parts.append((Occur.Should, Query.boolean_query([(Occur.Should, self._term(one)) for one in terms], least)))
        if identifier:
            match = Query.term_query(self._schema, "identifiers", identifier)
            parts.append((Occur.Should, Query.const_score_query(match, 100.0)))
        if not parts:
            return Query.all_query()
        fit = Query.const_score_query(Query.term_query(self._schema, "facets", "publishable=yes"), _PUBLISHABLE_SCORE)
        return Query.boolean_query([(Occur.Must, Query.boolean_query(parts, 1)), (Occur.Should, fit)])

    def _term(self, term: Term) -> Query:
        """The best way in which a product has the term counts, the other ways a little."""
        ways = []
        for concept in term.concepts:
            stated = Query.term_query(self._schema, "facets", concept.key)
            above = Query.term_query(self._schema, "broader", concept.key)
            ways += [
                Query.const_score_query(stated, _CONCEPT_SCORE),
                Query.const_score_query(above, _BROADER_SCORE),
            ]
        if term.words:
            ways.append(Query.boolean_query([(Occur.Must, self._word(word)) for word in term.words]))
        return Query.disjunction_max_query(ways, 0.2)

    def _word(self, word: str) -> Query:
        return Query.disjunction_max_query(
            [
                Query.boost_query(Query.term_query(self._schema, name, word, "freq"), weight)
                for name, weight in _TEXT_WEIGHTS.items()
            ],
            0.1,
        )

    def _filtered(self, wanted: Query, filters: Filters, without: str | None = None) -> Query:
        parts = [(Occur.Must, wanted)]
        for name, values in filters.facets.items():
            if values and name != without:
                keys = [f"{name}={value}" for value in values]
                parts.append((Occur.Must, _silent(Query.term_set_query(self._schema, "facets", keys))))
        ranges = {"price": filters.price, "confidence": (filters.confidence, None), "quality": (filters.quality, None)}
        for name, (least, most) in ranges.items():
            if least is not None or most is not None:
                within = Query.range_query(self._schema, name, FieldType.Float, least, most)
                parts.append((Occur.Must, _silent(within)))
        return Query.boolean_query(parts) if len(parts) > 1 else wanted

    def _facets(self, wanted: Query, filters: Filters) -> tuple[dict[str, dict[str, int]], tuple[float, float] | None]:
        asked: dict[str, Any] = {
            "facets": {"terms": {"field": "facets", "size": MOST_FACET_VALUES}},
            "price": {"stats": {"field": "price"}},
        }
        answer = self._searcher.aggregate(self._filtered(wanted, filters), asked)
        counts = _counts(answer["facets"]["buckets"])
        for name, values in filters.facets.items():
            if values:
                others = self._searcher.aggregate(
                    self._filtered(wanted, filters, without=name), {"facets": asked["facets"]}
                )
                counts[name] = _counts(others["facets"]["buckets"]).get(name, {})
        price = answer["price"]
        known = price["count"] and price["min"] is not None
        return counts, (float(price["min"]), float(price["max"])) if known else None


def _silent(query: Query) -> Query:
    """A filter: it says yes or no, and nothing about the order."""
    return Query.const_score_query(query, 0.0)


def _counts(buckets: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for bucket in buckets:
        name, _, value = bucket["key"].partition("=")
        counts.setdefault(name, {})[value] = int(bucket["doc_count"])
    return counts
