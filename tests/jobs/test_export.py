"""Exports of a published version, read as other systems would read them; and the examples of the documentation."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake

from jobs.export import ExportError, export_table
from jobs.opensearch import query_fields
from schemas.arrow import arrow_schema
from schemas.index_tables import PRODUCT_EMBEDDINGS, SEARCH_DOCUMENTS, SIMILAR_PRODUCTS
from schemas.product_tables import PRODUCTS
from schemas.settings import Settings

CHECKOUT = Path(__file__).resolve().parents[2]
NIGHT = datetime(2026, 11, 24, tzinfo=UTC)


def document(product_id: str, language: str, **changes: Any) -> dict[str, Any]:
    return {
        "product_id": product_id,
        "language": language,
        "title": 'Red "Runner", 5" sole\nnew',
        "name": {"en": "Red Sports Shoes", "zh": "红色运动鞋"}[language],
        "category": "footwear/shoes/sports-shoes",
        "attributes": [{"attribute": "color", "value": "red", "label": {"en": "red", "zh": "红色"}[language]}],
        "tokens": ["red", "runner"],
        "fields": [{"field": "title", "tokens": "red runner", "boost": 4.0}],
        "facets": ["category=footwear", "category=footwear/shoes", "color=red", "brand=A=B"],
        "barcodes": [],
        "price": Decimal("59.90"),
        "needs_review": False,
        "is_publishable": True,
        "input_hash": "0",
        "indexed_at": NIGHT,
        "run_id": "r",
        **changes,
    }


def neighbor(product_id: str, rank: int) -> dict[str, Any]:
    return {"product_id": product_id, "rank": rank, "score": 0.9 - rank / 100, "reason": "same type + color"}


def embedding(product_id: str, view: int) -> dict[str, Any]:
    return {
        "product_id": product_id,
        "view": view,
        "vector": [0.6, 0.8],
        "cell": 0,
        "bundle_version": "b",
        "input_hash": "0",
        "indexed_at": NIGHT,
        "run_id": "r",
    }


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A published version of three products; a later one that is not published has none of them."""
    folder = tmp_path_factory.mktemp("published")
    ids = ("p1", "p2", "p3")
    rows = (
        (SEARCH_DOCUMENTS, [document(one, language) for one in ids for language in ("en", "zh")]),
        (
            SIMILAR_PRODUCTS,
            [
                {
                    "product_id": one,
                    "neighbors": [neighbor(other, rank + 1) for rank, other in enumerate(set(ids) - {one})],
                    "pool_floor": -2.0,
                    "bundle_version": "b",
                    "indexed_at": NIGHT,
                    "run_id": "r",
                }
                for one in ids
            ],
        ),
        (PRODUCT_EMBEDDINGS, [embedding(one, view) for one in ids for view in (-1, 0)]),
        (
            PRODUCTS,
            [
                {
                    "product_id": one,
                    "category": "footwear/shoes/sports-shoes",
                    "color": color,
                    "brand": "Acme",
                    "price": Decimal(price),
                    "image_count": 1,
                    "needs_review": False,
                    "quality_score": 0.8,
                    "is_publishable": one != "p3",
                    "is_active": True,
                    "input_hash": "0",
                    "bundle_version": "b",
                    "fused_at": NIGHT,
                    "changed_at": NIGHT,
                    "run_id": "r",
                }
                for one, color, price in zip(ids, ("red", "red", "blue"), ("59.90", "20", "35.50"), strict=True)
            ],
        ),
    )
    versions = {}
    for table, of_table in rows:
        schema = arrow_schema(table.columns)
        filled = [{name: row.get(name) for name in schema.names} for row in of_table]
        write_deltalake(folder / table.name, pa.Table.from_pylist(filled, schema=schema))
        write_deltalake(folder / table.name, schema.empty_table(), mode="overwrite")
        versions[table.name] = 0
    pointer = {"publication_id": 7, "versions": versions, "bundle_version": "b"}
    (folder / "published.json").write_text(json.dumps(pointer))
    return Settings(tables=str(folder))


def test_bulk_file_is_what_opensearch_takes(shop, tmp_path):
    made = export_table(shop, str(tmp_path), "opensearch-bulk", index="shop")
    lines = [json.loads(line) for name in made.files for line in (tmp_path / name).read_text("utf-8").splitlines()]
    assert made.rows == 6
    actions, documents = lines[::2], lines[1::2]
    assert {action["index"]["_index"] for action in actions} == {"shop-en", "shop-zh"}
    assert {action["index"]["_id"] for action in actions} == {"p1", "p2", "p3"}
    first = documents[0]
    assert first["facets"] == {
        "category": ["footwear", "footwear/shoes"],
        "color": ["red"],
        "brand": ["A=B"],
    }
    assert first["tokens"] == {"title": "red runner"}
    assert first["price"] == 59.9


def test_mapping_has_every_field_of_a_document_and_of_the_query(shop, tmp_path):
    made = export_table(shop, str(tmp_path), "opensearch-bulk")
    document = json.loads((tmp_path / made.files[0]).read_text("utf-8").splitlines()[1])
    for language in ("en", "zh"):
        mapping = json.loads((tmp_path / f"opensearch-mapping-{language}.json").read_text("utf-8"))
        fields = mapping["mappings"]["properties"]
        assert set(document) <= set(fields)
        assert fields["vector"]["dimension"] == 2
        for field in query_fields():
            assert field.partition("^")[0].removeprefix("tokens.") in fields["tokens"]["properties"]


def test_vectors_are_added_to_the_documents(shop, tmp_path):
    made = export_table(shop, str(tmp_path), "opensearch-bulk", table="product_embeddings")
    lines = [json.loads(line) for line in (tmp_path / made.files[0]).read_text("utf-8").splitlines()]
    assert len(lines) == 2 * 2 * 3, "two languages, an action and a body each; the pictures' vectors are not needed"
    assert lines[1] == {"doc": {"vector": [0.6, 0.8]}}


def test_lists_as_csv_give_a_line_per_neighbor(shop, tmp_path):
    made = export_table(shop, str(tmp_path), "csv", table="similar_products")
    with (tmp_path / made.files[0]).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6
    assert list(rows[0]) == ["product_id", "rank", "neighbor_id", "score", "reason"]
    assert made.rows == 3


def test_text_with_quotes_and_line_breaks_survives_csv(shop, tmp_path):
    made = export_table(shop, str(tmp_path), "csv")
    with (tmp_path / made.files[0]).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["title"] for row in rows} == {'Red "Runner", 5" sole\nnew'}
    assert json.loads(rows[0]["attributes"])[0]["attribute"] == "color"


@pytest.mark.parametrize("to", ["jsonl", "csv", "opensearch-bulk"])
def test_parts_hold_every_row_once(shop, tmp_path, to):
    made = export_table(shop, str(tmp_path), to, part_bytes=1)
    assert len(made.files) == 6
    whole = export_table(shop, str(tmp_path / "whole"), to)
    parts = [(tmp_path / name).read_text("utf-8") for name in made.files]
    if to == "csv":
        header, *_ = parts[0].splitlines(keepends=True)
        assert all(part.startswith(header) for part in parts)
        parts = [header, *(part.removeprefix(header) for part in parts)]
    assert "".join(parts) == (tmp_path / "whole" / whole.files[0]).read_text("utf-8")


def test_parquet_has_the_columns_of_the_table(shop, tmp_path):
    made = export_table(shop, str(tmp_path), "parquet")
    table = pq.read_table(tmp_path / made.files[0])
    assert table.num_rows == 6
    assert table.schema.names == list(SEARCH_DOCUMENTS.column_names)


def test_manifest_names_the_files_of_one_publication(shop, tmp_path):
    made = export_table(shop, str(tmp_path), "jsonl")
    (manifest,) = tmp_path.glob("*.manifest.json")
    told = json.loads(manifest.read_text())
    assert told["publication_id"] == 7
    assert tuple(told["files"]) == made.files
    assert sum(len((tmp_path / name).read_text("utf-8").splitlines()) for name in told["files"]) == told["rows"]


@pytest.mark.parametrize(
    ("to", "table", "said"),
    [
        ("jsonl", "runs", "cannot be exported"),
        ("opensearch-bulk", "similar_products", "no table of documents"),
        ("csv", "near_duplicates", "has no near_duplicates"),
    ],
)
def test_what_cannot_be_exported_says_why(shop, tmp_path, to, table, said):
    with pytest.raises(ExportError, match=said):
        export_table(shop, str(tmp_path), to, table=table)


def test_nothing_published_says_so(tmp_path):
    with pytest.raises(ExportError, match="no publication"):
        export_table(Settings(tables=str(tmp_path)), str(tmp_path / "out"), "jsonl")


def test_recommender_example_of_the_documentation_runs(shop, tmp_path):
    """The blocks of docs/search-and-recommendation.md marked for this test, in the order of the page."""
    text = (CHECKOUT / "docs" / "search-and-recommendation.md").read_text(encoding="utf-8")
    blocks = re.findall(r"<!-- tests/jobs/test_export.py runs this block -->\n```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) >= 2
    (tmp_path / "tables").symlink_to(shop.tables)
    script = "\n".join(blocks) + "\nprint(len(lists), len(features), recommended)\n"
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    answer = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr[-2000:]
    # p3 is not fit for shop pages: it is never recommended.
    assert answer.stdout.split("\n")[-2].startswith("6 3 ")
    assert "p2" in answer.stdout.split("\n")[-2]
    assert "p3" not in answer.stdout.split("\n")[-2]
