"""Helps analysts: tables under their names at their published versions, placeholders for versions and paths."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pyspark.sql import functions as F  # noqa: N812 - its usual name

from jobs.publish import latest_publication
from jobs.store import TableStore
from jobs.views import NothingPublishedError
from schemas.tables import TABLES

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

WEEK = timedelta(days=7)


def register_tables(spark: SparkSession, root: str) -> tuple[str, ...]:
    """Make every table a temporary view of its own name: published ones at their versions, the others as they are.

    Args:
        spark: the session.
        root: normalised tables root.

    Returns:
        The names.

    Raises:
        NothingPublishedError: nothing has been published yet.
    """
    store = TableStore(spark, root)
    versions = _published(store)
    for name in TABLES:
        store.read(name, versions.get(name)).createOrReplaceTempView(name)
    return tuple(TABLES)


def placeholders(spark: SparkSession, root: str) -> dict[str, object]:
    """What stands for `{NAME_path}`, `{NAME_version}`, `{NAME_version_before}` and `{NAME_version_after_before}`.

    `before` is the newest publication that is a week old, else the oldest.

    Raises:
        NothingPublishedError: nothing has been published yet.
    """
    store = TableStore(spark, root)
    now = _published(store)
    publications = store.read("publications")
    is_old = F.col("published_at") <= F.current_timestamp() - F.expr(f"INTERVAL {WEEK.days} DAYS")
    age = F.when(is_old, F.lit(0)).otherwise(F.lit(1))
    number = F.when(is_old, -F.col("publication_id")).otherwise(F.col("publication_id"))
    row = publications.orderBy(age, number).first()
    assert row is not None
    before = dict(row["versions"])
    found: dict[str, object] = {f"{name}_path": store.path(name) for name in TABLES}
    for name, version in now.items():
        earlier = before.get(name, version)
        found[f"{name}_version"] = version
        found[f"{name}_version_before"] = earlier
        found[f"{name}_version_after_before"] = min(earlier + 1, version)
    return found


def query(spark: SparkSession, root: str, text: str) -> DataFrame:
    """Run SQL with placeholders, as docs/queries.md has it."""
    return spark.sql(text.strip().rstrip(";").format(**placeholders(spark, root)))


def _published(store: TableStore) -> dict[str, int]:
    publication = latest_publication(store) if store.exists("publications") else None
    if publication is None:
        raise NothingPublishedError(f"{store.root} has no publication; run `vitrine nightly` first")
    return publication.versions
