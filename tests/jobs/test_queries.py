"""Every block of docs/queries.md runs; what some of them must find is known."""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from jobs.queries import query, register_tables
from jobs.views import NothingPublishedError

DOCUMENT = (Path(__file__).parents[2] / "docs" / "queries.md").read_text(encoding="utf-8")
SQL = dict(re.findall(r"^### (\d+)\. .*?^```sql\n(.*?)^```", DOCUMENT, flags=re.MULTILINE | re.DOTALL))


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^<!-- {kind} -->\n```python\n(.*?)^```", DOCUMENT, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def analyst(spark: Any, lakehouse: Any) -> Any:
    """A session set up as the document says; runs a query by its number."""
    (setup,) = blocks("setup")
    with contextlib.chdir(lakehouse.folder):
        exec(setup, {"spark": spark})
    return lambda number: [
        row.asDict(recursive=True) for row in query(spark, lakehouse.root, SQL[str(number)]).collect()
    ]


def test_there_are_queries_for_all_that_analysts_ask():
    assert list(SQL) == [str(number) for number in range(1, 18)]


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 6, 8, 9, 13, 14, 15, 16, 17])
def test_query_finds_rows(analyst, number):
    assert analyst(number)


def test_counts_by_category_are_those_of_the_products(analyst, spark):
    active = spark.table("products").where("is_active").count()
    assert sum(row["products"] for row in analyst(1)) == active
    assert sum(row["products"] for row in analyst(3)) == active


def test_twins_are_products_with_the_same_bytes(analyst):
    for row in analyst(7):
        assert row["products"] == len(row["product_ids"]) > 1


def test_products_to_review_come_with_what_the_sources_say(analyst, spark):
    assert len(analyst(10)) == min(50, spark.table("products").where("is_active AND needs_review").count())


def test_change_feed_tells_what_the_second_night_changed(analyst, lakehouse):
    changes = analyst(11)
    assert {row["change"] for row in changes} <= {"update_postimage", "insert", "delete"}
    assert {lakehouse.renamed, lakehouse.gone} <= {row["product_id"] for row in changes}


def test_time_travel_shows_the_title_before_and_the_product_that_is_gone(analyst, lakehouse):
    found = {row["product_id"]: row for row in analyst(12)}
    assert found[lakehouse.renamed]["title_now"] == "a title of the second night"
    assert found[lakehouse.renamed]["title_before"] != "a title of the second night"
    assert found[lakehouse.gone]["title_now"] is None


def test_last_nights_are_listed_newest_first(analyst):
    assert [row["run_id"] for row in analyst(15)] == ["night-2", "night-1"]


def test_blocks_without_spark_agree_with_each_other_and_with_spark(analyst, lakehouse, spark):
    names: dict[str, Any] = {}
    with contextlib.chdir(lakehouse.folder):
        for block in blocks("without spark"):
            exec(block, names)
    duckdb_rows = [tuple(row.values()) for row in names["by_color"].to_pylist()]
    assert duckdb_rows == names["same"].rows()
    expected = spark.sql(
        "SELECT category, color, count(*) FROM products WHERE is_active AND color IS NOT NULL GROUP BY ALL"
    ).collect()
    assert sorted(map(str, duckdb_rows)) == sorted(str(tuple(row)) for row in expected)
    assert lakehouse.renamed in names["changes"].column("product_id").to_pylist()


def test_tables_keep_away_from_features_that_other_readers_lack(lakehouse):
    pointer = json.loads((lakehouse.tables / "published.json").read_text())
    for name in (*pointer["versions"], "runs", "metrics", "publications"):
        protocol = DeltaTable(lakehouse.tables / name).protocol()
        assert protocol.min_reader_version == 1, f"{name} needs a reader of version {protocol.min_reader_version}"
        assert not protocol.reader_features


def test_tables_that_were_never_published_are_not_registered(spark, tmp_path):
    with pytest.raises(NothingPublishedError, match="run `vitrine nightly` first"):
        register_tables(spark, f"file://{tmp_path}")
