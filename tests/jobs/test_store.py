from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from jobs.store import SchemaDriftError, TableStore
from schemas.contract import Column, Table, ddl_columns
from schemas.migrations import Migration
from schemas.tables import CORRECTIONS

FRUIT = Table(
    name="fruit",
    purpose="What it's for.",
    columns=(
        Column("name", "string", "The fruit's name", nullable=False),
        Column("weight", "int", "How heavy", "g"),
    ),
    key=("name",),
    checks={"weight_positive": "weight IS NULL OR weight > 0"},
    cluster_by=("name",),
)


@pytest.fixture
def store(spark, tmp_path):
    store = TableStore(spark, f"file://{tmp_path}/tables with blank")
    store.ensure([FRUIT])
    return store


def rows(store, *values):
    return store.spark.createDataFrame(list(values), "name string, weight int")


def content(store):
    return {row["name"]: row["weight"] for row in store.read("fruit").collect()}


def test_upsert_inserts_and_replaces_by_key(store):
    store.upsert(FRUIT, rows(store, ("apple", 100), ("pear", 120)))
    store.upsert(FRUIT, rows(store, ("pear", 130), ("plum", 40)))
    assert content(store) == {"apple": 100, "pear": 130, "plum": 40}


def test_insert_missing_never_changes_a_row(store):
    store.insert_missing(FRUIT, rows(store, ("apple", 100)))
    store.insert_missing(FRUIT, rows(store, ("apple", 999), ("plum", 40)))
    assert content(store) == {"apple": 100, "plum": 40}


@pytest.mark.parametrize("bad", [("apple", -1), (None, 5)])
def test_constraints_are_enforced_by_the_table(store, bad):
    with pytest.raises(Exception, match=r"CHECK constraint weight_positive|NOT NULL|NULL value"):
        store.upsert(FRUIT, rows(store, bad))
    assert content(store) == {}


def test_change_data_feed_tells_what_changed(store, spark):
    store.upsert(FRUIT, rows(store, ("apple", 100)))
    store.upsert(FRUIT, rows(store, ("apple", 110)))
    changes = (
        spark.read.format("delta")
        .option("readChangeFeed", "true")
        .option("startingVersion", 2)
        .load(store.path("fruit"))
    )
    assert {(row["_change_type"], row["weight"]) for row in changes.collect()} == {
        ("update_preimage", 100),
        ("update_postimage", 110),
    }


def test_comments_with_units_reach_the_table(store, spark):
    described = {row["col_name"]: row["comment"] for row in spark.sql(f"DESCRIBE {store.sql_name('fruit')}").collect()}
    assert described["weight"] == "How heavy [g]"
    assert described["name"] == "The fruit's name"


def test_older_table_is_migrated_once(store):
    store.upsert(FRUIT, rows(store, ("apple", 100)))
    grown = Table(
        name="fruit",
        purpose=FRUIT.purpose,
        columns=(*FRUIT.columns, Column("origin", "string", "Where it grew")),
        key=FRUIT.key,
    )
    migration = Migration("fruit", "0001_add_origin", ("ALTER TABLE {table} ADD COLUMNS (origin string)",))
    store.ensure([grown], [migration])
    version = store.version("fruit")
    store.ensure([grown], [migration])
    assert store.version("fruit") == version, "a migration that was applied must not run again"
    assert store.read("fruit").columns == ["name", "weight", "origin"]
    assert content(store) == {"apple": 100}


def test_drift_without_a_migration_is_refused_by_name(store):
    changed = Table(
        "fruit", "p", (FRUIT.columns[0], Column("weight", "double", "g"), Column("new", "int", "n")), ("name",)
    )
    with pytest.raises(
        SchemaDriftError, match=r"fruit.*new: contract int, table has none.*weight: contract double, table int"
    ):
        store.ensure([changed])


def test_nothing_is_written_without_permission(spark, tmp_path):
    class NoLeaseError(Exception):
        pass

    def refuse():
        raise NoLeaseError

    store = TableStore(spark, f"file://{tmp_path}", before_commit=refuse)
    with pytest.raises(NoLeaseError):
        store.ensure([FRUIT])
    assert not store.exists("fruit")


def test_corrections_of_before_take_what_people_may_say_now(spark, tmp_path):
    store = TableStore(spark, f"file://{tmp_path}")
    older = replace(CORRECTIONS, checks={"attribute_known": "attribute IN ('category', 'color')"})
    store.ensure([older], [])
    row = dict.fromkeys(CORRECTIONS.column_names, "x") | {"corrected_at": datetime(2026, 11, 24, tzinfo=UTC)}
    row |= {"subject_kind": "product", "attribute": "material"}
    rows = spark.createDataFrame([row], ddl_columns(CORRECTIONS.columns))
    with pytest.raises(Exception, match="attribute_known"):
        store.append(CORRECTIONS, rows)
    store.ensure([CORRECTIONS])
    store.append(CORRECTIONS, rows)
    with pytest.raises(Exception, match="attribute_listed"):
        store.append(CORRECTIONS, spark.createDataFrame([row | {"attribute": "price"}], rows.schema))
