"""The contestants of the searches by words; all of them are tantivy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import tantivy
from tantivy import Occur, Query

from benchmarks.search_quality.nights import Night
from benchmarks.search_quality.queries import AT, WordQuery
from jobs.service.index import Filters
from jobs.service.words import query_words, text_words
from schemas.taxonomy import LANGUAGES
from udfs.search_documents import BOOSTS
from udfs.search_tokens import tokens

Engine = Callable[[WordQuery], list[str]]
"""Ids of the products found, best first."""


def engines(night: Night) -> dict[str, Engine]:
    """The contestants by name."""
    return {"vitrine serve": served(night), "search_documents": documents(night), "titles, BM25": titles(night)}


def served(night: Night) -> Engine:
    """As `vitrine serve` answers `GET /search?q=...`."""
    snapshot = night.snapshot

    def find(query: WordQuery) -> list[str]:
        terms = snapshot.understand(query.text)
        hits = snapshot.index.search(terms, Filters(), query=query.text, limit=AT, with_facets=False)
        return [product["product_id"] for product in snapshot.details.products(hits.ordinals)]

    return find


def documents(night: Night) -> Engine:
    """BM25 of `search_documents` with the boosts of its fields, as a search engine does that has nothing but the table.

    A word counts in the field where it is worth most; a product need not have all words, those that have come first.
    """
    rows = list(night.tables.rows("search_documents", ("product_id", "language", "fields")))
    by_language = {}
    for language in LANGUAGES:
        documents = (
            (row["product_id"], {field["field"]: field["tokens"] for field in row["fields"]})
            for row in rows
            if row["language"] == language
        )
        by_language[language] = _Words(tuple(BOOSTS), documents)
    return lambda query: by_language[query.language].find(tokens(query.text), BOOSTS)


def titles(night: Night) -> Engine:
    """BM25 of the shop's titles: the same engine and words as the service, and nothing of what was seen."""
    rows = night.snapshot.details.every_product()
    index = _Words(
        ("title",), ((row["product_id"], {"title": " ".join(text_words(row["title"]))}) for _, row, _, _ in rows)
    )
    return lambda query: index.find(query_words(query.text), {"title": 1.0})


class _Words:
    """An index in memory.

    Args:
        fields: their names.
        documents: product and words by field, separated by blanks.
    """

    def __init__(self, fields: Sequence[str], documents: Iterable[tuple[str, Mapping[str, str]]]) -> None:
        builder = tantivy.SchemaBuilder()
        builder.add_text_field("product_id", stored=True, tokenizer_name="raw")
        for name in fields:
            builder.add_text_field(name, tokenizer_name="words", index_option="freq")
        self._schema: Any = builder.build()
        index = tantivy.Index(self._schema)
        index.register_tokenizer("words", tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build())
        writer = index.writer(64_000_000, 1)
        for product_id, texts in documents:
            document = tantivy.Document(product_id=product_id)
            for name, text in texts.items():
                document.add_text(name, text)
            writer.add_document(document)
        writer.commit()
        writer.wait_merging_threads()
        index.reload()
        self._searcher = index.searcher()

    def find(self, words: Sequence[str], weights: Mapping[str, float]) -> list[str]:
        """Ids of the products that have some of the words, best first."""
        if not words:
            return []
        wanted = Query.boolean_query([(Occur.Should, self._word(word, weights)) for word in words])
        hits = self._searcher.search(wanted, AT).hits
        return [self._searcher.doc(address)["product_id"][0] for _, address in hits]

    def _word(self, word: str, weights: Mapping[str, float]) -> Query:
        ways = [
            Query.boost_query(Query.term_query(self._schema, name, word, "freq"), weight)
            for name, weight in weights.items()
        ]
        return Query.disjunction_max_query(ways, 0.1)
