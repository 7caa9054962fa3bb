"""What the index was made from: a note beside the tables, so that a night computes what changed since, and no more.

The note names Delta versions. What changed since is read from the tables' change feeds; where that cannot be had
(vacuumed, other code, other models) everything is computed again and what differs is written. The note is written
last: a run that dies leaves the old one, and the next run does the same work again.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812 - its usual name

from jobs.run import Run
from jobs.small_objects import SmallObjects
from schemas.attributes import load_attributes
from schemas.taxonomy import load_taxonomy
from udfs.similar_cells import Cells

INDEX_VERSION = "2"
"""Raise it when other code makes other rows of the same input."""

STATE_NOTE = "_index/state.json"


@dataclass(frozen=True)
class IndexState:
    """The note.

    Args:
        made_with: hash of code, models, words and settings.
        versions: Delta version of each table that an index step read changes from.
        at: start of the run that left it.
        cells: digest of the cells; None while one cell is enough.
    """

    made_with: str
    versions: dict[str, int]
    at: str
    cells: str | None = None


def made_with(run: Run) -> str:
    """What all index rows are made with, in short."""
    told = {
        "code": INDEX_VERSION,
        "bundle": run.bundle_version,
        "words": [load_taxonomy().version, load_attributes().version],
        "settings": run.settings.index.model_dump(mode="json", exclude={"max_touched", "shard_products"}),
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def read_state(run: Run, objects: SmallObjects) -> IndexState | None:
    """The note, if it was made with what we would make it with now."""
    stored = objects.read(STATE_NOTE)
    if stored is None:
        return None
    state = IndexState(**json.loads(stored.data))
    # VACUUM takes change feeds away after this long.
    kept = timedelta(hours=run.settings.maintain.vacuum_retention_hours)
    is_fresh = run.started_at - datetime.fromisoformat(state.at) < kept
    return state if is_fresh and state.made_with == made_with(run) else None


def write_state(objects: SmallObjects, state: IndexState) -> None:
    """Leave the note."""
    objects.put(STATE_NOTE, json.dumps(asdict(state), indent=2).encode())


def read_cells(run: Run, objects: SmallObjects) -> Cells | None:
    """Stored cells of this bundle's vectors; None when there are none."""
    stored = objects.read(_cells_name(run))
    return None if stored is None else Cells.from_bytes(stored.data)


def write_cells(run: Run, objects: SmallObjects, cells: Cells) -> None:
    """Store cells; a run that dies after that finds them changed and makes all lists anew."""
    objects.put(_cells_name(run), cells.to_bytes())


def _cells_name(run: Run) -> str:
    return f"_index/cells-{hashlib.sha256(str(run.bundle_version).encode()).hexdigest()[:16]}.npz"


def changes_since(run: Run, table: str, version: int | None) -> DataFrame | None:
    """Rows of a table that came, went or changed after a version, before and after; None when that cannot be told."""
    if version is None:
        return None
    latest = run.store.version(table)
    if version > latest:
        return None
    if version == latest:
        return run.store.read(table).where(F.lit(False))
    reader = run.spark.read.format("delta").option("readChangeFeed", "true").option("startingVersion", version + 1)
    return reader.option("endingVersion", latest).load(run.store.path(table))
