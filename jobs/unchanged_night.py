"""Tells without Spark that a night has nothing to do, and enters it in `runs`.

A whole night leaves a note: what it read (feed, settings, bundle, code) and the state in which it left each table. If
all of that is still so, the feed's rows are those that the tables hold already, and what is left of a night is to look
at each picture and at what is due for another try. That takes a second; Spark alone takes longer to start.

Whatever differs or cannot be told leads to a full night. There is one at least once per retention period, so that
tables are compacted and vacuumed.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError

from jobs.close import night_counts
from jobs.corrections_spool import CorrectionsSpool
from jobs.feed import FeedLocation
from jobs.lease import WriterLease
from jobs.light_tables import LightTables
from jobs.listing import location_fingerprint
from jobs.run import StageRecord, new_run_id, stage_row
from jobs.small_objects import POINTER, READY_NOTE, SmallObjects, read_pointer, small_objects
from schemas.reasons import Reason
from schemas.settings import Settings
from schemas.tables import RUNS, TABLES
from udfs.fetch import Fetcher, ImageStat

if TYPE_CHECKING:
    import pyarrow as pa

logger = logging.getLogger(__name__)

NOTE = "_last_night.json"
# Looking at more pictures than this is work for a cluster.
MOST_PICTURES = 20_000
IMAGE_COLUMNS = (
    *("image_uri", "etag", "size_bytes", "modified_at", "status", "reason"),
    *("is_active", "bundle_version", "attempts", "changed_at"),
)


class LastNight(BaseModel):
    """The note.

    Args:
        key: hash of what the night read, see `night_key`.
        states: identity and version of each table but `runs`, in which every night writes.
        publication_id: publication that names these versions.
        full_night_at: when the last full night ended.
        counts: ingest's counts of the feed, and how many products fuse found.
        reasons: rejected feed rows by reason.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    states: dict[str, str]
    publication_id: int
    full_night_at: datetime
    counts: dict[str, int]
    reasons: dict[str, int]


@dataclass(frozen=True)
class NightInputs:
    """What a night reads besides tables and pictures.

    Args:
        settings: the night's settings.
        root: normalised tables root.
        feed: where the feed lies.
        attributes_version: version under which pictures are described.
        bundle_sha256: the bundle's identity.
    """

    settings: Settings
    root: str
    feed: FeedLocation
    attributes_version: str
    bundle_sha256: str


@dataclass(frozen=True)
class UnchangedNight:
    """A night that had nothing to do, as entered in `runs`."""

    run_id: str
    rows: tuple[dict[str, Any], ...]


def night_key(night: NightInputs) -> str | None:
    """Hash of the inputs with the feed's content; None when that cannot be told cheaply."""
    feed, code = location_fingerprint(night.feed.uri, night.settings.s3), _code_fingerprint()
    if feed is None or code is None:
        return None
    told = night.settings.model_dump(mode="json", exclude={"lease_seconds", "serve"})
    models = [night.attributes_version, night.bundle_sha256]
    read = {"settings": told, "feed": feed, "models": models, "code": code}
    return hashlib.sha256(json.dumps(read, sort_keys=True).encode()).hexdigest()


def remember_night(night: NightInputs, objects: SmallObjects, records: list[StageRecord], key: str | None) -> None:
    """Leave the note after a full night that succeeded, or take the old one away.

    Args:
        night: what it read.
        objects: small objects under the tables root; the caller holds the lease.
        records: what its stages did.
        key: `night_key` as it was before the night began.
    """
    note = None
    try:
        # The feed must have stood still while it was read.
        if key is not None and key == night_key(night):
            note = _note_of(night, objects, records, key)
    except Exception as error:  # noqa: BLE001 - the night is done; without a note the next one is a full one
        logger.warning("no note was left for the next night: %s", error)
    if note is None:
        objects.delete(NOTE)
    else:
        objects.put(NOTE, note.model_dump_json(indent=2).encode())


def _note_of(night: NightInputs, objects: SmallObjects, records: list[StageRecord], key: str) -> LastNight | None:
    tables = LightTables(night.root, night.settings.s3)
    states = _states(tables)
    publication = read_pointer(objects)
    counts = {record.stage: record.counts for record in records}
    # OPTIMIZE after publish makes versions that the next night has to publish.
    if "ingest" not in counts or "fuse" not in counts or publication is None or not _is_published(states, publication):
        return None
    names = ("feed_rows", "rows_accepted", "rows_rejected", "ignored_files")
    return LastNight(
        key=key,
        states=states,
        publication_id=publication["publication_id"],
        full_night_at=datetime.now(UTC),
        counts={name: counts["ingest"][name] for name in names} | {"products": counts["fuse"]["products"]},
        reasons=next(record.reasons for record in records if record.stage == "ingest"),
    )


def unchanged_night(night: NightInputs, run_id: str | None, key: str) -> UnchangedNight | None:
    """Enter an unchanged night in `runs`, or return None when a full night is needed.

    Args:
        night: what it would read.
        run_id: identity of the night; a new one by default.
        key: `night_key` of tonight.

    Raises:
        LeaseHeldError: another driver is writing these tables.
    """
    clock, now = time.monotonic(), datetime.now(UTC)
    run_id = run_id or new_run_id(now)
    objects = small_objects(night.root, night.settings.s3)
    try:
        note = _standing_note(night.settings, objects, key)
        if note is None or CorrectionsSpool(night.root, night.settings.s3).names():
            return None
        tables = LightTables(night.root, night.settings.s3)
        records = _look(night, tables, note, run_id, now)
    except Exception as error:  # noqa: BLE001 - the full night finds out what is wrong and says so
        logger.debug("cannot tell whether anything changed: %s", error)
        return None
    if records is None:
        return None
    with WriterLease(objects, run_id, night.settings.lease_seconds) as lease:
        # Whoever held the lease until now may have written.
        if _states(tables) != note.states or objects.read(READY_NOTE) is not None or not _is_new(tables, run_id):
            return None
        objects.delete_folder("_staging")
        pointer = read_pointer(objects)
        assert pointer is not None
        records["ingest"].seconds = records["nightly"].seconds = time.monotonic() - clock
        rows = tuple(
            stage_row(
                record,
                run_id=run_id,
                status="succeeded",
                started_at=now,
                finished_at=datetime.now(UTC),
                settings=night.settings,
                bundle_version=night.attributes_version,
                input_snapshot=night.feed.snapshot,
            )
            for record in records.values()
        )
        lease.check()
        objects.put(POINTER, json.dumps({**pointer, "run_id": run_id}, indent=2).encode())
        tables.append(RUNS, rows)
    return UnchangedNight(run_id, rows)


def due_pictures(images: list[dict[str, Any]], settings: Settings, bundle_version: str, now: datetime) -> int:
    """How many pictures extract would look at: the rule of `jobs.extract`, for rows of `images` in this process."""
    rules = settings.extract
    before = now - timedelta(hours=rules.retry_after_hours)

    def is_due(row: dict[str, Any]) -> bool:
        if row["status"] == "pending":
            return True
        if row["status"] == "extracted":
            return bool(row["bundle_version"] != bundle_version)
        retry = Reason(row["reason"]).retryable and row["attempts"] < rules.max_attempts and row["changed_at"] <= before
        return retry or row["reason"] in rules.retry_reasons

    return sum(is_due(row) for row in images if row["is_active"])


def is_same_picture(row: dict[str, Any], seen: ImageStat) -> bool:
    """Whether a picture is as `images` has it: ingest's rule, by etag and size, else by size and time."""
    if row["size_bytes"] != seen.size_bytes:
        return False
    if row["etag"] is not None and seen.etag is not None:
        return bool(row["etag"] == seen.etag)
    return bool(row["modified_at"] == seen.modified_at)


def _standing_note(settings: Settings, objects: SmallObjects, key: str) -> LastNight | None:
    """The note, when tonight reads what that night read and its tables are published and need no upkeep."""
    stored = objects.read(NOTE)
    if stored is None:
        return None
    try:
        note = LastNight.model_validate_json(stored.data)
    except ValidationError:
        return None
    oldest = datetime.now(UTC) - timedelta(hours=settings.maintain.vacuum_retention_hours)
    publication = read_pointer(objects)
    stands = (
        note.key == key
        and note.full_night_at > oldest
        and publication is not None
        and publication["publication_id"] == note.publication_id
        and _is_published(note.states, publication)
    )
    return note if stands else None


def _look(
    night: NightInputs, tables: LightTables, note: LastNight, run_id: str, now: datetime
) -> dict[str, StageRecord] | None:
    """Look at tables and pictures; the stages' records, or None when there is something to do."""
    if _states(tables) != note.states or not _is_new(tables, run_id) or tables.row_count("images") > MOST_PICTURES:
        return None
    images: list[dict[str, Any]] = [row for row in tables.read("images", IMAGE_COLUMNS).to_pylist() if row["is_active"]]
    if due_pictures(images, night.settings, night.attributes_version, now):
        return None
    if not all(is_same_picture(row, seen) for row, seen in _seen(night, images)):
        return None
    shown = [row for row in tables.read("catalog", ("image_uri", "is_active")).to_pylist() if row["is_active"]]
    if {row["image_uri"] for row in shown} != {row["image_uri"] for row in images}:
        return None
    return _records(note, rows=len(shown), images=len(images))


def _seen(night: NightInputs, images: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], ImageStat]]:
    if night.feed.form == "pictures":
        # The feed is a listing of the pictures, so its fingerprint has seen them all.
        return
    if night.settings.ingest.stat == "changed_rows":
        images = [row for row in images if row["status"] != "extracted"]
    fetcher = Fetcher(night.settings.fetch, night.settings.s3)
    try:
        yield from zip(images, fetcher.stat_many(row["image_uri"] for row in images), strict=True)
    finally:
        fetcher.close()


def _records(note: LastNight, rows: int, images: int) -> dict[str, StageRecord] | None:
    """The records of a night's stages, or None when the counts do not add up."""
    nothing = dict.fromkeys(("rows_inserted", "rows_updated", "rows_deactivated"), 0)
    nothing |= dict.fromkeys(("images_new", "images_changed", "images_deactivated"), 0)
    feed = {name: count for name, count in note.counts.items() if name != "products"}
    products = note.counts["products"]
    ingest = {**feed, **nothing, "rows_unchanged": rows, "images": images, "images_unchanged": images}
    if note.counts["rows_accepted"] != rows or note.counts["feed_rows"] != rows + note.counts["rows_rejected"]:
        return None
    done = dict.fromkeys(("candidates", "extracted", "reused", "quarantined", "recovered"), 0)
    counts = {
        "ingest": ingest,
        "extract": {**done, "images": images, "unchanged": images},
        "fuse": {
            "products": products,
            "products_unchanged": products,
            "products_fused": 0,
            "products_deactivated": 0,
        },
        "index": {"products_changed": 0, "lists_computed": 0},
        "publish": {"checks": 0, "checks_failed": 0, "published": 0},
        "maintain": {"attributes_deleted": 0, "tables_compacted": 0, "tables_vacuumed": 0},
    }
    counts["nightly"] = night_counts(counts.values())
    records = {stage: StageRecord(stage, counts=counted) for stage, counted in counts.items()}
    records["ingest"].reasons = dict(note.reasons)
    return records


def _states(tables: LightTables) -> dict[str, str]:
    return {name: tables.state(name) for name in TABLES if name != RUNS.name}


def _is_new(tables: LightTables, run_id: str) -> bool:
    """Whether no row of `runs` has this id, and none is still `running`: a dead night has to be marked first."""
    rows: pa.Table = tables.read(RUNS.name, ("run_id", "status"))
    return not any(row["run_id"] == run_id or row["status"] == "running" for row in rows.to_pylist())


def _is_published(states: dict[str, str], publication: dict[str, Any]) -> bool:
    versions: dict[str, int] = publication["versions"]
    return all(states[name].endswith(f"@{version}") for name, version in versions.items())


def _code_fingerprint() -> str | None:
    """Hash of the code that judges feeds, pictures and products, with its vocabulary (taxonomy, attribute dictionary);
    None when its source is not at hand (a zipped package).
    """
    root = Path(__file__).parents[1]
    packages = ("jobs", "schemas", "udfs", "models")
    sources = [
        path for package in packages for end in ("py", "json") for path in sorted((root / package).glob(f"*.{end}"))
    ]
    digest = hashlib.sha256()
    for path in sources:
        digest.update(path.read_bytes())
    return digest.hexdigest() if sources else None
