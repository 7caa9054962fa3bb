"""Bulk requests and index mappings of OpenSearch (Elasticsearch takes the same but for the vector field)."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from schemas.index_tables import PRODUCT_VIEW
from schemas.taxonomy import LANGUAGES
from udfs.search_documents import BOOSTS

MAPPING_FILE = Path(__file__).parents[1] / "schemas" / "opensearch_mapping.json"
"""The mapping of all languages, without vectors."""

# Of the table only: the document's own columns say what is needed.
_LEFT_OUT = frozenset({"language", "tokens", "fields", "facets", "input_hash", "run_id"})


def bulk_lines(rows: Iterable[dict[str, Any]], index: str) -> Iterator[str]:
    """Yield for each row its lines of a bulk request.

    Args:
        rows: of search_documents, or of product_embeddings: these add the product's vector to its documents.
        index: name that the indexes begin with; `-en` or `-zh` follows.
    """
    for row in rows:
        if "vector" not in row:
            action = {"index": {"_index": f"{index}-{row['language']}", "_id": row["product_id"]}}
            yield _lines(action, document(row))
        elif row["view"] == PRODUCT_VIEW:
            vector = {"doc": {"vector": [round(value, 6) for value in row["vector"]]}}
            yield "".join(
                _lines({"update": {"_index": f"{index}-{language}", "_id": row["product_id"]}}, vector)
                for language in LANGUAGES
            )


def document(row: dict[str, Any]) -> dict[str, Any]:
    """A row of search_documents as the mapping has it: facets and tokens become fields of their own."""
    made = {name: value for name, value in row.items() if name not in _LEFT_OUT and value not in (None, [])}
    made["tokens"] = {field["field"]: field["tokens"] for field in row["fields"]}
    facets: dict[str, list[str]] = {}
    for facet in row["facets"]:
        name, _, value = facet.partition("=")
        facets.setdefault(name, []).append(value)
    made["facets"] = facets
    return made


def mappings(dimension: int | None) -> dict[str, dict[str, Any]]:
    """Settings and mapping of each language's index.

    Args:
        dimension: length of the vectors; None leaves the vector field out.
    """
    base = json.loads(MAPPING_FILE.read_text(encoding="utf-8"))
    made: dict[str, dict[str, Any]] = {}
    for language in LANGUAGES:
        mapping = copy.deepcopy(base)
        analyzer = {"en": "english", "zh": "cjk"}[language]
        for field in ("name", "description", "category_path"):
            mapping["mappings"]["properties"][field]["analyzer"] = analyzer
        if dimension is not None:
            mapping["settings"]["index"]["knn"] = True
            mapping["mappings"]["properties"]["vector"] = {
                "type": "knn_vector",
                "dimension": dimension,
                "space_type": "innerproduct",
            }
        made[language] = mapping
    return made


def query_fields() -> list[str]:
    """Fields with their weights, for a multi_match over tokens made by `udfs.search_tokens`."""
    return [f"tokens.{field}^{boost:g}" for field, boost in BOOSTS.items()]


def _lines(*parts: dict[str, Any]) -> str:
    return "".join(json.dumps(part, ensure_ascii=False, default=plain) + "\n" for part in parts)


def plain(value: Any) -> Any:
    """What JSON has no type for."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")
