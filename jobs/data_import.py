"""Imports corrections: every line is checked first, and one that is wrong stops the whole file."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jobs.annotation_rows import BOX_LABELS, PREDICTED, CorrectedRow, listed, read_rows
from jobs.correction_values import known_value
from jobs.corrections import BOXES, CATEGORY, CONTENT, IMAGE, PRODUCT, correction_id
from jobs.data_export import open_tables
from jobs.lease import WriterLease
from jobs.locations import resolve_location
from jobs.run import new_run_id
from jobs.small_objects import small_objects
from jobs.spark_session import spark_session
from jobs.store import TableStore
from models.label_space import ATTRIBUTE_HEADS
from models.label_words import known_words, nearest
from schemas.attributes import load_attributes
from schemas.contract import ddl_columns
from schemas.corrections import CORRECTABLE, CORRECTABLE_OF_PICTURE, CORRECTABLE_OF_PRODUCT
from schemas.settings import Settings
from schemas.tables import CORRECTIONS

_NOTE = "note"
_SUBJECTS = {
    CONTENT: ("image_attributes", "content_sha256"),
    IMAGE: ("images", "image_uri"),
    PRODUCT: ("catalog", "product_id"),
}


class ImportRefusedError(ValueError):
    """Lines of a file of corrections are wrong; nothing was written. Names the lines and what is wrong with each."""


@dataclass(frozen=True)
class Correction:
    """One corrected attribute; the columns of the table `corrections` but the run's."""

    line: int
    subject_kind: str
    subject: str
    attribute: str
    value: str
    predicted: str | None
    image_uri: str | None
    corrected_by: str
    corrected_at: datetime
    note: str | None


def import_corrections(settings: Settings, file: Path, by: str | None = None) -> int:
    """Check a file of corrections and write them; the latest import of a thing replaces what was there.

    Args:
        settings: where the tables are.
        file: .csv, .jsonl or COCO .json, as `vitrine data export` writes them.
        by: who corrected, where the file does not say; this user by default.

    Returns:
        How many corrections were written.

    Raises:
        AnnotationFileError: the file cannot be read.
        ImportRefusedError: a line is wrong; nothing was written.
        LeaseHeldError: another job is writing the tables.
        NothingToReadError: there are no tables.
    """
    corrections = check_rows(file.name, read_rows(file), by or getpass.getuser(), datetime.now(UTC))
    spark = spark_session("vitrine data import", settings.s3)
    _refuse_strangers(file.name, open_tables(spark, settings), corrections)
    if not corrections:
        return 0
    root = resolve_location(settings.tables)
    run_id = new_run_id()
    with WriterLease(small_objects(root, settings.s3), run_id, settings.lease_seconds) as lease:
        store = TableStore(spark, root, lease.check)
        store.ensure((CORRECTIONS,))
        rows = [_row(one, file.name, run_id) for one in corrections]
        store.upsert(CORRECTIONS, spark.createDataFrame(rows, ddl_columns(CORRECTIONS.columns)))
    return len(corrections)


def check_rows(file: str, rows: Sequence[CorrectedRow], by: str, now: datetime) -> list[Correction]:
    """Corrections of a file's rows; a row without any is passed over.

    Args:
        file: its name, for messages.
        rows: what it holds.
        by: who corrected, where a row does not say.
        now: when, where a row does not say.

    Raises:
        ImportRefusedError: names every line with an unknown label, without a subject, or that contradicts another.
    """
    problems: list[str] = []
    found: dict[str, Correction] = {}
    for row in rows:
        try:
            corrections = _corrections(row, by, now)
        except ImportRefusedError as error:
            problems.append(f"line {row.line}: {error}")
            continue
        for one in corrections:
            key = correction_id(one.subject_kind, one.subject, one.attribute)
            before = found.setdefault(key, one)
            if before.value != one.value:
                problems.append(
                    f"line {row.line}: {one.attribute} {one.value!r} contradicts {before.value!r} of line {before.line}"
                )
    if problems:
        raise ImportRefusedError(f"{file}: nothing was imported; {listed(problems)}")
    return list(found.values())


def _corrections(row: CorrectedRow, by: str, now: datetime) -> list[Correction]:
    values = row.values
    filled = {name: values[name] for name in CORRECTABLE if name in values and name != BOXES}
    if not filled and row.boxes is None:
        return []
    kind, subject = _subject(values)
    _refuse_foreign(kind, filled)
    checked = {name: _checked(name, text) for name, text in filled.items()}
    if row.boxes is not None:
        checked[BOXES] = json.dumps([_box(one) for one in row.boxes])
    return [
        Correction(
            line=row.line,
            subject_kind=kind,
            subject=subject,
            attribute=attribute,
            value=value,
            predicted=values.get(f"{PREDICTED}{attribute}"),
            image_uri=values.get("image_uri"),
            corrected_by=values.get("corrected_by", by),
            corrected_at=_moment(values.get("corrected_at"), now),
            note=values.get(_NOTE),
        )
        for attribute, value in checked.items()
    ]


def _subject(values: Any) -> tuple[str, str]:
    """What a row is about: as exported, or by the first of the columns that people write by hand."""
    kind, subject = values.get("subject_kind"), values.get("subject")
    if kind and subject:
        if kind not in _SUBJECTS:
            raise ImportRefusedError(f"subject_kind {kind!r} is not one of {', '.join(_SUBJECTS)}")
        return kind, subject
    for kind, (_, column) in _SUBJECTS.items():
        if column in values:
            return kind, values[column]
    raise ImportRefusedError("it names no subject; fill in content_sha256, image_uri or product_id")


def _refuse_foreign(kind: str, attributes: Iterable[str]) -> None:
    fitting = CORRECTABLE_OF_PRODUCT if kind == PRODUCT else CORRECTABLE_OF_PICTURE
    foreign = [attribute for attribute in attributes if attribute not in fitting]
    if foreign:
        raise ImportRefusedError(
            f"{', '.join(foreign)} cannot be corrected of {'a product' if kind == PRODUCT else 'a picture'}; "
            f"{'leave it empty' if kind == PRODUCT else 'give product_id instead'}"
        )


def _checked(attribute: str, text: str) -> str:
    value = known_value(attribute, text)
    if value is None:
        guess = nearest(text, _words_of(attribute))
        hint = f", perhaps {guess!r}" if guess else ""
        raise ImportRefusedError(f"{attribute} {text!r} is unknown{hint}")
    return value


def _words_of(attribute: str) -> tuple[str, ...]:
    if attribute == CATEGORY or attribute in ATTRIBUTE_HEADS:
        return known_words(None if attribute == CATEGORY else attribute)
    return load_attributes().values(attribute)


def _box(one: dict[str, Any]) -> dict[str, Any]:
    x_min, y_min, x_max, y_max = one["box"]
    if one["label"] not in BOX_LABELS:
        raise ImportRefusedError(f"box label {one['label']!r} is not one of {', '.join(BOX_LABELS)}")
    if not (0 <= x_min < x_max and 0 <= y_min < y_max):
        raise ImportRefusedError(f"box {one['box']} has no area")
    return {"label": one["label"], "box": [round(edge, 1) for edge in one["box"]]}


def _moment(text: str | None, now: datetime) -> datetime:
    if text is None:
        return now
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ImportRefusedError(f"corrected_at {text!r} is no time; write 2026-11-24T08:30:00Z") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _refuse_strangers(file: str, store: TableStore, corrections: Sequence[Correction]) -> None:
    """Corrections must be of something that the tables hold: a slip in an id would be silently without effect."""
    problems = []
    for kind, (table, column) in _SUBJECTS.items():
        lines = {one.subject: one.line for one in reversed(corrections) if one.subject_kind == kind}
        if not lines:
            continue
        wanted = store.spark.createDataFrame([(subject,) for subject in lines], f"{column} string")
        strangers = wanted.join(store.read(table).select(column), column, "left_anti").collect()
        problems += [
            (lines[row[column]], f"line {lines[row[column]]}: {column} {row[column]!r} is not in {table}")
            for row in strangers
        ]
    if problems:
        raise ImportRefusedError(f"{file}: nothing was imported; {listed(text for _, text in sorted(problems))}")


def _row(one: Correction, file: str, run_id: str) -> dict[str, Any]:
    return {
        "correction_id": correction_id(one.subject_kind, one.subject, one.attribute),
        "subject_kind": one.subject_kind,
        "subject": one.subject,
        "attribute": one.attribute,
        "value": one.value,
        "predicted": one.predicted,
        "image_uri": one.image_uri,
        "corrected_by": one.corrected_by,
        "corrected_at": one.corrected_at,
        "note": one.note,
        "source": file,
        "run_id": run_id,
    }
