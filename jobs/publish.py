"""Publish: a quality gate looks at tonight's tables, and if all holds, the published version moves.

Readers take the Delta versions named by the newest row of `publications` (or by `published.json` without Spark), so
they never see half a night. A gate that fails leaves yesterday's publication in place.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F  # noqa: N812 - its usual name

from jobs.fuse import UNCHANGED, stale_products
from jobs.metrics import NONE, NightMetrics, measure_night
from jobs.run import Run, StageRecord
from jobs.side_by_side import side_by_side
from jobs.small_objects import GATE_NOTE, POINTER, SmallObjects, read_pointer
from jobs.store import TableStore
from schemas.contract import ddl_columns
from schemas.index_tables import INDEX_TABLES
from schemas.settings import GateSettings
from schemas.tables import PUBLICATIONS

PUBLISHED_TABLES = (
    *("catalog", "images", "image_attributes", "products", "product_attributes"),
    *(table.name for table in INDEX_TABLES),
    "quarantine",
)


class GateFailedError(RuntimeError):
    """Tonight's tables are not fit for readers; names each expectation that failed. Nothing was published."""


@dataclass(frozen=True)
class GateCheck:
    """One expectation and what was seen."""

    name: str
    passed: bool
    observed: str
    expected: str


@dataclass(frozen=True)
class Publication:
    """What readers should read."""

    publication_id: int
    versions: dict[str, int]
    bundle_version: str


def publish(run: Run, objects: SmallObjects) -> Publication:
    """Check tonight's tables and move the published version; nothing is checked or moves when nothing changed.

    Raises:
        GateFailedError: an expectation failed.
    """
    with run.stage("publish") as record:
        versions = run.store.versions(PUBLISHED_TABLES)
        previous = latest_publication(run.store)
        checks = _checked(run, record, objects, previous, versions)
        assert run.bundle_version is not None
        if previous is not None and (previous.versions, previous.bundle_version) == (versions, run.bundle_version):
            record.counts["published"] = 0
            publication = previous
        else:
            number = previous.publication_id + 1 if previous else 1
            publication = Publication(number, versions, run.bundle_version)
            _write(run, publication, checks)
            record.counts["published"] = 1
        # Written on every night: a run that died between the table and this file is mended by the next.
        pointer = {**asdict(publication), "run_id": run.run_id, "gate": run.settings.gate.model_dump(mode="json")}
        objects.put(POINTER, json.dumps(pointer, indent=2).encode())
        return publication


def gate(run: Run, objects: SmallObjects) -> list[GateCheck]:
    """Check tonight's tables and move nothing: the gate as a step of its own, for schedulers.

    What it saw is left in a note, so that a publish of these very versions need not look again.

    Raises:
        GateFailedError: an expectation failed.
    """
    with run.stage("gate") as record:
        versions = run.store.versions(PUBLISHED_TABLES)
        checks = _checked(run, record, objects, latest_publication(run.store), versions)
        note = {**_subject(run, versions), "checks": [asdict(check) for check in checks]}
        objects.put(GATE_NOTE, json.dumps(note, indent=2).encode())
        return checks


def _checked(
    run: Run, record: StageRecord, objects: SmallObjects, previous: Publication | None, versions: dict[str, int]
) -> list[GateCheck]:
    """The checks, of which all have passed; none when these versions have been published under the same gate."""
    if _is_checked(run, objects, previous, versions):
        checks: list[GateCheck] = []
    else:
        checks = _noted_checks(run, objects, versions) or list(_checks(run, previous))
    record.counts = {"checks": len(checks), "checks_failed": sum(not check.passed for check in checks)}
    failed = [f"{check.name}: {check.observed}, expected {check.expected}" for check in checks if not check.passed]
    if failed:
        raise GateFailedError(f"not published, readers keep the previous version: {'; '.join(failed)}")
    return checks


def _noted_checks(run: Run, objects: SmallObjects, versions: dict[str, int]) -> list[GateCheck]:
    """What the gate saw of these very versions, when it stood as a step of its own."""
    stored = objects.read(GATE_NOTE)
    note = json.loads(stored.data) if stored is not None else {}
    if any(note.get(name) != value for name, value in _subject(run, versions).items()):
        return []
    return [GateCheck(**check) for check in note["checks"]]


def _subject(run: Run, versions: dict[str, int]) -> dict[str, Any]:
    """What the gate's answer depends on."""
    gate = run.settings.gate.model_dump(mode="json")
    return {"versions": versions, "bundle_version": run.bundle_version, "gate": gate}


def _is_checked(run: Run, objects: SmallObjects, previous: Publication | None, versions: dict[str, int]) -> bool:
    """Whether these very versions have passed the same gate: the pointer is written after that and says which."""
    pointer = read_pointer(objects)
    if previous is None or pointer is None:
        return False
    passed = (pointer["publication_id"], pointer["versions"], pointer["bundle_version"], pointer.get("gate"))
    return bool(
        (previous.versions, previous.bundle_version) == (versions, run.bundle_version)
        and passed == (previous.publication_id, versions, run.bundle_version, run.settings.gate.model_dump(mode="json"))
    )


def latest_publication(store: TableStore) -> Publication | None:
    """The present publication, or None before the first."""
    row = store.read("publications").orderBy(F.col("publication_id").desc()).first()
    return Publication(row["publication_id"], dict(row["versions"]), row["bundle_version"]) if row else None


def _write(run: Run, publication: Publication, checks: list[GateCheck]) -> None:
    row = Row(
        publication_id=publication.publication_id,
        run_id=run.run_id,
        published_at=run.started_at,
        versions=publication.versions,
        bundle_version=publication.bundle_version,
        checks=[Row(**asdict(check)) for check in checks],
    )
    run.store.insert_missing(PUBLICATIONS, run.spark.createDataFrame([row], ddl_columns(PUBLICATIONS.columns)))


def _checks(run: Run, previous: Publication | None) -> Iterator[GateCheck]:
    gate = run.settings.gate
    looks: list[Callable[[], Iterable[GateCheck]]] = [
        lambda: _picture_checks(run),
        lambda: _row_checks(run, previous),
        lambda: [_none("duplicate_attributes", _duplicates(run), "contents described twice by one bundle")],
        lambda: [_none("missing_attributes", _without_attributes(run), "extracted pictures without attributes")],
        lambda: _product_checks(run, previous),
        lambda: distribution_checks(measure_night(run, is_first=previous is None), gate),
    ]
    if gate.max_feed_age_hours is not None:
        looks.append(partial(_freshness_checks, run, gate.max_feed_age_hours))
    for found in side_by_side(lambda look: list(look()), looks):
        yield from found


def _picture_checks(run: Run) -> Iterator[GateCheck]:
    gate = run.settings.gate
    images = {row["status"]: row["count"] for row in _active(run, "images").groupBy("status").count().collect()}
    active = sum(images.values())
    yield GateCheck("pictures", active > 0, f"{active}", "at least one active picture")
    yield _share("pending_pictures", images.get("pending", 0), active, gate.max_pending_share)
    yield _share("quarantined_pictures", images.get("quarantined", 0), active, gate.max_quarantined_share)


def _row_checks(run: Run, previous: Publication | None) -> Iterator[GateCheck]:
    gate = run.settings.gate
    rows = _active(run, "catalog").count()
    rejected = run.store.read("quarantine").where("stage = 'ingest' AND resolved_at IS NULL").count()
    yield _share("rejected_rows", rejected, rows + rejected, gate.max_rejected_rows_share)
    if previous is not None:
        before = run.store.read("catalog", previous.versions["catalog"]).where("is_active").count()
        lost = max(0, before - rows)
        yield _share("lost_rows", lost, before, gate.max_shrink_share)


def distribution_checks(measured: NightMetrics, gate: GateSettings) -> Iterator[GateCheck]:
    """What tonight's distributions must hold: values are there, and they have not moved far.

    Drift is judged only where both sides have `drift_min_pictures`; for fewer it is still written to `metrics`.
    """
    for name in ("color", "pattern", "shape"):
        missing = measured.shares.get(name, {}).get(NONE, 0.0)
        yield _share(f"missing_{name}", round(missing * measured.pictures), measured.pictures, gate.max_missing_share)
    for against, drift in measured.drift.items():
        if min(measured.pictures, measured.pictures_before[against]) < gate.drift_min_pictures:
            continue
        worst = max(drift, key=lambda name: drift[name])
        observed = f"{worst} {drift[worst]:.3f}"
        expected = f"divergence of at most {gate.max_drift:.3f}"
        yield GateCheck(f"drift_from_last_{against}", drift[worst] <= gate.max_drift, observed, expected)


def _freshness_checks(run: Run, max_hours: float) -> list[GateCheck]:
    newest = _active(run, "catalog").agg(F.max("updated_at").cast("double").alias("newest")).first()
    assert newest is not None
    if newest["newest"] is None:
        return [GateCheck("feed_age", passed=False, observed="no row says when it was updated", expected="updated_at")]
    hours = (run.started_at.timestamp() - newest["newest"]) / 3600
    return [GateCheck("feed_age", hours <= max_hours, f"{hours:.1f} h", f"at most {max_hours:.1f} h")]


def _product_checks(run: Run, previous: Publication | None) -> Iterator[GateCheck]:
    """Each active product has one row, made from what the other tables hold now, and categories did not get lost."""
    gate = run.settings.gate
    compared = stale_products(run).agg(
        F.count_if(F.col("action") != UNCHANGED).alias("stale"),
        (F.count("*") - F.count_distinct("product_id")).alias("duplicates"),
    )
    products = _active(run, "products").agg(
        F.count("*").alias("products"), F.count_if(F.col("category").isNull()).alias("uncategorized")
    )
    seen = compared.crossJoin(products).first()
    assert seen is not None
    yield _none("stale_products", seen["stale"], "products not as pictures, feed and corrections have them; run fuse")
    yield _none("duplicate_products", seen["duplicates"], "rows of a product that has another")
    allowed = gate.max_uncategorized_share
    yield _share("uncategorized_products", seen["uncategorized"], seen["products"], allowed)
    if previous is not None and "products" in previous.versions:
        published = run.store.read("products", previous.versions["products"]).where(
            "is_active AND category IS NOT NULL"
        )
        now = _active(run, "products").select("product_id", F.col("category").isNull().alias("is_lost"))
        row = published.join(now, "product_id").agg(F.count("*").alias("known"), F.count_if("is_lost").alias("lost"))
        counted = row.first()
        assert counted is not None
        yield _share("lost_categories", counted["lost"], counted["known"], gate.max_category_loss_share)


def _active(run: Run, table: str) -> DataFrame:
    return run.store.read(table).where("is_active")


def _share(name: str, part: int, whole: int, allowed: float) -> GateCheck:
    share = part / whole if whole else 0.0
    return GateCheck(name, share <= allowed, f"{part} of {whole} ({share:.1%})", f"at most {allowed:.1%}")


def _none(name: str, count: int, what: str) -> GateCheck:
    return GateCheck(name, count == 0, f"{count} {what}", "none")


def _duplicates(run: Run) -> int:
    keys = run.store.read("image_attributes").groupBy("content_sha256", "bundle_version").count()
    return keys.where("count > 1").count()


def _without_attributes(run: Run) -> int:
    extracted = run.store.read("images").where("is_active AND status = 'extracted'")
    described = run.store.read("image_attributes").select("content_sha256", "bundle_version")
    return extracted.join(described, ["content_sha256", "bundle_version"], "left_anti").count()


if __name__ == "__main__":
    from jobs.cli import run_as_script

    run_as_script("publish")
