"""Delta tables without Spark, by delta-rs: milliseconds for small reads and appends where a Spark job takes seconds.

Needs the optional package `deltalake`; whoever uses this must go on without it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from schemas.contract import Table
from schemas.settings import S3Settings
from schemas.uri import local_path, scheme_of

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import DeltaTable
    from pyarrow.dataset import Dataset

DEFAULT_REGION = "us-east-1"


class LightTables:
    """Tables under a root, read and appended to in this process.

    Args:
        root: normalised `file://` or `s3://` root.
        s3: how to reach S3; credentials come from the usual AWS chain.

    Raises:
        ImportError: `deltalake` is not installed.
    """

    def __init__(self, root: str, s3: S3Settings) -> None:
        from deltalake import DeltaTable

        self._open = DeltaTable
        self._root = root.rstrip("/")
        self._s3 = s3

    def state(self, name: str) -> str:
        """Identity of the table and its latest version: equal only when not a row differs."""
        table = self._table(name)
        return f"{table.metadata().id}@{table.version()}"

    def row_count(self, name: str) -> int:
        """Rows in the latest version, from the log alone."""
        import pyarrow as pa

        actions = pa.table(self._table(name).get_add_actions(flatten=True))
        return sum(actions.column("num_records").to_pylist())

    def read(self, name: str, columns: Sequence[str]) -> pa.Table:
        """Some columns of the latest version."""
        return self._table(name).to_pyarrow_dataset().to_table(columns=list(columns))

    def dataset(self, name: str, version: int) -> Dataset:
        """One version of a table, to be read in parts."""
        return self._table(name, version).to_pyarrow_dataset()

    def rows(self, name: str, column: str, values: Sequence[str]) -> list[dict[str, Any]]:
        """Rows of the latest version whose column has one of some values."""
        import pyarrow.dataset as ds

        dataset = self._table(name).to_pyarrow_dataset()
        found: list[dict[str, Any]] = dataset.to_table(filter=ds.field(column).isin(list(values))).to_pylist()
        return found

    def append(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add rows whose keys the caller knows to be new, in one commit; the table's constraints are enforced."""
        import pyarrow as pa
        from deltalake import write_deltalake

        target = self._table(table.name)
        schema = pa.schema(target.schema().to_arrow())
        entered = pa.Table.from_pylist([_for_arrow(row) for row in rows], schema=schema)
        write_deltalake(target, entered, mode="append")

    def _table(self, name: str, version: int | None = None) -> DeltaTable:
        place = f"{self._root}/{name}"
        if scheme_of(place) == "file":
            return self._open(local_path(place), version)
        return self._open(place, version, storage_options=_storage_options(self._s3))


def _for_arrow(row: Mapping[str, Any]) -> dict[str, Any]:
    """Arrow takes maps as pairs."""
    return {name: list(value.items()) if isinstance(value, dict) else value for name, value in row.items()}


def _storage_options(s3: S3Settings) -> dict[str, str]:
    """Options of delta-rs; credentials are boto3's, so that there is one chain to explain."""
    import boto3

    session = boto3.session.Session()
    region = s3.region or session.region_name or os.environ.get("AWS_REGION") or DEFAULT_REGION
    virtual_hosts = not (s3.path_style or s3.endpoint_url)
    options = {
        "AWS_REGION": region,
        "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": str(virtual_hosts).lower(),
        # Commits are made by If-None-Match, on which the writer lease relies as well.
        "aws_conditional_put": "etag",
    }
    if s3.endpoint_url:
        unencrypted = s3.endpoint_url.startswith("http:")
        options |= {"AWS_ENDPOINT_URL": s3.endpoint_url, "AWS_ALLOW_HTTP": str(unencrypted).lower()}
    if (found := session.get_credentials()) is not None:
        frozen = found.get_frozen_credentials()
        keys = {
            "AWS_ACCESS_KEY_ID": frozen.access_key,
            "AWS_SECRET_ACCESS_KEY": frozen.secret_key,
            "AWS_SESSION_TOKEN": frozen.token,
        }
        options |= {name: value for name, value in keys.items() if value}
    return options
