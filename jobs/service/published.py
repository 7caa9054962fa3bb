"""The published tables, as one publication names them; read by delta-rs, without Spark."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jobs.light_tables import LightTables
from jobs.small_objects import POINTER, ROOTS_NOTE, SmallObjects, read_pointer
from schemas.settings import S3Settings

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS = 8192


class NotPublishedError(RuntimeError):
    """There is nothing to serve yet; the message says what is missing and which command makes it."""


@dataclass(frozen=True)
class Publication:
    """What a pointer says.

    Args:
        publication_id: counts up.
        run_id: run that published or confirmed it.
        bundle_version: bundle and measuring code whose attributes are the published ones.
        versions: Delta version by table.
    """

    publication_id: int
    run_id: str
    bundle_version: str
    versions: Mapping[str, int]


def read_publication(objects: SmallObjects) -> Publication:
    """The present publication of a tables root.

    Raises:
        NotPublishedError: there is none, or it has no products.
    """
    pointer = read_pointer(objects)
    if pointer is None:
        raise NotPublishedError(f"there is no {POINTER} under the tables root: run `vitrine nightly` first")
    versions = {str(name): int(version) for name, version in pointer["versions"].items()}
    if "products" not in versions:
        raise NotPublishedError("the published night has no products: run `vitrine nightly` with this version first")
    return Publication(
        int(pointer["publication_id"]), str(pointer.get("run_id", "")), str(pointer["bundle_version"]), versions
    )


def noted_roots(objects: SmallObjects) -> tuple[str, ...]:
    """Roots that the last ingest let pictures in from; none when there was no ingest."""
    noted = objects.read(ROOTS_NOTE)
    return tuple(json.loads(noted.data)["allowed_roots"]) if noted is not None else ()


class PublishedTables:
    """Reads the tables of one publication.

    Args:
        root: normalised tables root.
        s3: how to reach S3.
        publication: which versions.
    """

    def __init__(self, root: str, s3: S3Settings, publication: Publication) -> None:
        self._tables = LightTables(root, s3)
        self._versions = publication.versions

    def has(self, name: str) -> bool:
        """Whether the table is published."""
        return name in self._versions

    def batches(self, name: str, columns: Sequence[str], condition: Any = None) -> Iterator[pa.RecordBatch]:
        """Some columns in batches of rows; nothing for a table that is not published.

        Columns that this version of the table lacks are left out.

        Args:
            name: of the table.
            columns: which ones.
            condition: a `pyarrow.dataset` expression that rows must meet.
        """
        if not self.has(name):
            return
        dataset = self._tables.dataset(name, self._versions[name])
        known = [column for column in columns if column in dataset.schema.names]
        yield from dataset.to_batches(columns=known, filter=condition, batch_size=BATCH_ROWS, batch_readahead=2)

    def rows(self, name: str, columns: Sequence[str], condition: Any = None) -> Iterator[dict[str, Any]]:
        """The same as rows; columns that the version lacks are None."""
        for batch in self.batches(name, columns, condition):
            missing = {column: None for column in columns if column not in batch.schema.names}
            for row in batch.to_pylist():
                yield {**row, **missing}
