"""The console that jobs talk to people on, and how numbers and untrusted text are written there."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from rich.console import Console

CONSOLE = Console(stderr=True, highlight=False)


def format_duration(seconds: float) -> str:
    """A short duration: "0.4 s", "42 s", "3 min 5 s", "2 h 10 min"."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"


def format_rate(rate: float) -> str:
    """A rate with about three significant digits: "0.42", "7.3", "118"."""
    if rate >= 100:
        return f"{rate:,.0f}"
    return f"{rate:.1f}" if rate >= 1 else f"{rate:.2f}"


def printable(text: str) -> str:
    """The text on one line without control or bidirectional formatting characters, which could rewrite a terminal."""
    return "".join(
        " " if character in "\n\r\t" else character
        for character in text
        if character in "\n\r\t" or unicodedata.category(character) not in ("Cc", "Cf", "Cs")
    )


_INDEX_TABLES = ("product_embeddings", "near_duplicates", "similar_products", "search_documents")
# A map column comes back from Spark in no order: sums first, then their parts.
_COUNT_ORDER = (
    *("feed_rows", "rows_accepted", "rows_inserted", "rows_updated", "rows_unchanged", "rows_rejected"),
    *("rows_deactivated", "ignored_files"),
    *("images", "images_new", "images_changed", "images_unchanged", "images_deactivated", "unchanged"),
    *("candidates", "extracted", "reused", "quarantined", "recovered"),
    *("products", "products_fused", "products_unchanged", "products_deactivated", "products_publishable"),
    *("products_to_review", "products_in_conflict", "claims"),
    *("products_changed", "lists_computed"),
    *(f"{table}_{done}" for table in _INDEX_TABLES for done in ("written", "deleted")),
    *("checks", "checks_failed", "published"),
    *("attributes_deleted", "tables_compacted", "tables_vacuumed"),
)


def ordered_counts(counts: Mapping[str, int]) -> dict[str, int]:
    """Counts as people read them: sums before their parts, and none that is zero unless all are."""
    places = {name: place for place, name in enumerate(_COUNT_ORDER)}
    ordered = sorted(counts, key=lambda name: (places.get(name, len(places)), name))
    return {name: int(counts[name]) for name in ordered if counts[name] or not any(counts.values())}
