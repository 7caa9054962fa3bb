"""Outcomes of extraction as Arrow rows: the struct that the extract UDF returns, and its assembly."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from schemas.arrow import arrow_schema, arrow_type
from schemas.contract import Column, Struct
from schemas.image_columns import IMAGE_COLUMNS
from udfs.extract import Outcome

EXTRACT_COLUMNS: tuple[Column, ...] = (
    Column("status", "string", "extracted, reused or quarantined"),
    Column("reason", "string", "Reason code when quarantined"),
    Column("detail", "string", "What exactly was wrong"),
    Column("content_sha256", "string", "SHA-256 of the bytes, when they could be read"),
    Column("size_bytes", "bigint", "Bytes read", "bytes"),
    Column("fetch_ms", "float", "Time spent reading", "ms"),
    Column("attributes", Struct(IMAGE_COLUMNS), "What was found; null unless extracted"),
)

# Their columns are long lists of floats, which `pa.array` on Python objects handles a hundred times slower.
_VECTOR_COLUMNS = frozenset({"embedding"})


def outcome_columns(outcomes: Sequence[Outcome]) -> dict[str, pa.Array]:
    """The columns of `EXTRACT_COLUMNS` for some outcomes, in order."""
    schema = arrow_schema(EXTRACT_COLUMNS)
    columns = {
        name: pa.array([getattr(outcome, name) for outcome in outcomes], schema.field(name).type)
        for name in schema.names
        if name != "attributes"
    }
    columns["attributes"] = attributes_array([outcome.attributes for outcome in outcomes])
    return columns


def attributes_array(attributes: Sequence[dict[str, Any] | None]) -> pa.StructArray:
    """Attributes as a struct array; None becomes a null struct."""
    arrays = [
        _vectors([None if row is None else row[column.name] for row in attributes])
        if column.name in _VECTOR_COLUMNS
        else pa.array([None if row is None else row[column.name] for row in attributes], arrow_type(column.type))
        for column in IMAGE_COLUMNS
    ]
    missing = pa.array([row is None for row in attributes], pa.bool_())
    return pa.StructArray.from_arrays(arrays, fields=list(arrow_schema(IMAGE_COLUMNS)), mask=missing)


def _vectors(vectors: Iterable[np.ndarray[Any, Any] | None]) -> pa.ListArray:
    """float32 vectors as one list array without going through Python floats."""
    present = [np.asarray(vector, np.float32) if vector is not None else np.empty(0, np.float32) for vector in vectors]
    offsets = np.zeros(len(present) + 1, np.int32)
    np.cumsum([vector.size for vector in present], out=offsets[1:])
    values = np.concatenate(present) if present else np.empty(0, np.float32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values))
