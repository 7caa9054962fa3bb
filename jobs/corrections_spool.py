"""Corrections on their way from the service into the table `corrections`.

The service must not write Delta tables: a night may hold the writer lease at any time. So it leaves each correction as
a small file under the tables root, by one put that nobody can lose to, and the next night, which holds the lease, takes
them in before it fuses. A file is deleted only after its correction is committed; taking one in twice changes nothing.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from datetime import UTC
from typing import TYPE_CHECKING, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from jobs.correction_values import known_value
from jobs.small_objects import SmallObjects, small_objects
from schemas.settings import S3Settings

if TYPE_CHECKING:
    from jobs.run import Run

logger = logging.getLogger(__name__)

FOLDER = "_corrections"
SOURCE = "vitrine serve"


class SpooledCorrection(BaseModel):
    """What a person said of a product, as spooled.

    Args:
        product_id: the product.
        attribute: one of `schemas.corrections.CORRECTABLE_OF_PRODUCT`.
        value: taxonomy path or value of the attribute.
        predicted: what the published tables said.
        image_uri: picture that the person looked at.
        corrected_by: who.
        corrected_at: when.
        note: what the person added.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    subject_kind: Literal["product"] = "product"
    product_id: str = Field(min_length=1, max_length=1000)
    attribute: str
    value: str = Field(min_length=1, max_length=200)
    predicted: str | None = None
    image_uri: str | None = None
    corrected_by: str = Field(min_length=1, max_length=200)
    corrected_at: AwareDatetime
    note: str | None = Field(None, max_length=1000)


class CorrectionsSpool:
    """The spool of a tables root.

    Args:
        root: normalised tables root.
        s3: how to reach S3.
    """

    def __init__(self, root: str, s3: S3Settings) -> None:
        self._objects: SmallObjects = small_objects(f"{root.rstrip('/')}/{FOLDER}", s3)

    def put(self, correction: SpooledCorrection) -> str:
        """Leave a correction; returns its name. A later one of the same thing replaces it when they are taken in."""
        name = f"{correction.corrected_at.astimezone(UTC):%Y%m%dT%H%M%S%f}-{uuid.uuid4().hex}.json"
        self._objects.put(name, correction.model_dump_json().encode())
        return name

    def names(self) -> list[str]:
        """What waits, oldest first."""
        return [name for name in self._objects.names() if name.endswith(".json") and "/" not in name]

    def read(self, names: Sequence[str]) -> dict[str, SpooledCorrection]:
        """Corrections by name; one that cannot be read is left out, and stays where it is for a person to look at."""
        found: dict[str, SpooledCorrection] = {}
        for name in names:
            stored = self._objects.read(name)
            if stored is None:
                continue
            try:
                correction = SpooledCorrection.model_validate_json(stored.data)
            except ValidationError as error:
                logger.warning("%s/%s is no correction and is left alone: %s", FOLDER, name, error)
                continue
            if known_value(correction.attribute, correction.value) != correction.value:
                logger.warning("%s/%s: %s has no such value; it is left alone", FOLDER, name, correction.attribute)
                continue
            found[name] = correction
        return found

    def delete(self, names: Sequence[str]) -> None:
        """Take corrections out of the spool."""
        for name in names:
            self._objects.delete(name)


def import_spooled(run: Run) -> int:
    """Take spooled corrections into the table `corrections`; the caller's run holds the writer lease.

    Args:
        run: an open run.

    Returns:
        How many corrections were written.
    """
    from jobs.corrections import correction_id
    from schemas.contract import ddl_columns
    from schemas.tables import CORRECTIONS

    spool = CorrectionsSpool(run.store.root, run.settings.s3)
    found = spool.read(spool.names())
    if not found:
        return 0
    rows = {}
    for correction in sorted(found.values(), key=lambda one: one.corrected_at):
        key = correction_id(correction.subject_kind, correction.product_id, correction.attribute)
        rows[key] = {
            "correction_id": key,
            "subject_kind": correction.subject_kind,
            "subject": correction.product_id,
            **correction.model_dump(include={"attribute", "value", "predicted", "image_uri", "corrected_by", "note"}),
            "corrected_at": correction.corrected_at.astimezone(UTC),
            "source": SOURCE,
            "run_id": run.run_id,
        }
    run.store.upsert(CORRECTIONS, run.spark.createDataFrame(list(rows.values()), ddl_columns(CORRECTIONS.columns)))
    spool.delete(list(found))
    return len(rows)
