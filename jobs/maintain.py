"""Maintain: compacts and clusters tables, deletes what nobody needs, and never what the published version needs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import datetime, timedelta

from pyspark.sql import functions as F  # noqa: N812 - its usual name

from jobs.publish import Publication, latest_publication
from jobs.run import Run
from jobs.side_by_side import side_by_side
from jobs.small_objects import READY_NOTE, SmallObjects
from schemas.contract import Table
from schemas.tables import IMAGE_ATTRIBUTES, TABLES

# When each table was vacuumed: once per retention period is enough, and looking for files to delete takes long.
VACUUM_NOTE = "_vacuumed.json"
# Below this many files a table is read as fast as it can be; compacting it would only cost.
FEWEST_FILES_TO_COMPACT = 8


def maintain(run: Run, objects: SmallObjects) -> None:
    """Retention, OPTIMIZE and VACUUM of every table, and removal of staging folders left by dead runs.

    As part of a night it compacts what the night has written; on its own it looks at every table.
    """
    with run.stage("maintain") as record:
        record.counts["attributes_deleted"] = _drop_old_bundles(run)
        publication = latest_publication(run.store)
        record.counts |= {"tables_compacted": 0, "tables_vacuumed": 0}
        for table in _worth_compacting(run):
            run.store.execute("OPTIMIZE {table}", table)
            record.counts["tables_compacted"] += 1
        for table in _due_for_vacuum(run, objects):
            _vacuum(run, table, publication)
            record.counts["tables_vacuumed"] += 1
        # A computed wave that waits for its commit is worth keeping: the next extract commits it.
        if objects.read(READY_NOTE) is None:
            objects.delete_folder("_staging")


def _drop_old_bundles(run: Run) -> int:
    """Delete attributes of bundles that are neither in use nor among the newest ones kept for comparison."""
    attributes = run.store.read("image_attributes")
    newest = (
        attributes.groupBy("bundle_version").agg(F.max("extracted_at").alias("at"), F.count("*").alias("rows"))
    ).orderBy(F.col("at").desc())
    versions = [(row["bundle_version"], row["rows"]) for row in newest.collect()]
    in_use = {row["bundle_version"] for row in run.store.read("images").select("bundle_version").distinct().collect()}
    old = [entry for entry in versions[run.settings.maintain.old_bundles_kept :] if entry[0] not in in_use]
    if old:
        spelled = ", ".join(f"'{version}'" for version, _ in old)
        run.store.delete(IMAGE_ATTRIBUTES, f"bundle_version IN ({spelled})")
    return sum(rows for _, rows in old)


def _worth_compacting(run: Run) -> list[Table]:
    """Tables of many files; in a night only those that it has written."""
    if not run.settings.maintain.optimize:
        return []
    tables = [table for table in TABLES.values() if not run.in_night or table.name in run.store.written]
    counts = side_by_side(lambda table: _file_count(run, table), tables)
    return [table for table, files in zip(tables, counts, strict=True) if files >= FEWEST_FILES_TO_COMPACT]


def _file_count(run: Run, table: Table) -> int:
    row = run.spark.sql(f"DESCRIBE DETAIL {run.store.sql_name(table.name)}").select("numFiles").first()
    assert row is not None
    return int(row["numFiles"])


def _due_for_vacuum(run: Run, objects: SmallObjects) -> Iterator[Table]:
    """Yield tables whose last VACUUM is a retention period ago, and note that once the caller is done with them.

    For a table that was never vacuumed the period begins tonight.
    """
    stored = objects.read(VACUUM_NOTE)
    times: dict[str, str] = json.loads(stored.data) if stored is not None else {}
    period = timedelta(hours=run.settings.maintain.vacuum_retention_hours)
    tonight = run.started_at.isoformat()
    begun = {table.name: times.get(table.name, tonight) for table in TABLES.values()}
    for table in TABLES.values():
        if run.started_at - datetime.fromisoformat(begun[table.name]) >= period:
            yield table
            begun[table.name] = tonight
    if begun != times:
        objects.put(VACUUM_NOTE, json.dumps(begun, indent=2).encode())


def _vacuum(run: Run, table: Table, publication: Publication | None) -> None:
    hours = run.settings.maintain.vacuum_retention_hours
    version = publication.versions.get(table.name) if publication else None
    if version is not None:
        hours = max(hours, _hours_since_superseded(run, table, version))
    key = "spark.databricks.delta.retentionDurationCheck.enabled"
    # The check refuses less than seven days; the lease guarantees that no other writer is at work.
    run.spark.conf.set(key, "false")
    try:
        run.store.execute(f"VACUUM {{table}} RETAIN {hours} HOURS", table)
    finally:
        run.spark.conf.unset(key)


def _hours_since_superseded(run: Run, table: Table, version: int) -> int:
    """Age of the commit that followed the published version: files it removed are still being read.

    Zero when the published version is the newest one.
    """
    history = run.spark.sql(f"DESCRIBE HISTORY {run.store.sql_name(table.name)}").where(F.col("version") > version)
    age = F.unix_timestamp() - F.min(F.unix_timestamp("timestamp"))
    row = history.agg(age.alias("seconds")).first()
    return 0 if row is None or row["seconds"] is None else math.ceil(row["seconds"] / 3600) + 1


if __name__ == "__main__":
    from jobs.cli import run_as_script

    run_as_script("maintain")
