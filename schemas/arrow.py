"""Arrow types of contract columns: what workers hand back to Spark."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from schemas.contract import Array, Column, Map, Struct, Type

_SCALARS: dict[str, pa.DataType] = {
    "string": pa.string(),
    "boolean": pa.bool_(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "date": pa.date32(),
    "decimal(12,2)": pa.decimal128(12, 2),
}


def arrow_type(type_: Type) -> pa.DataType:
    """The Arrow type of a contract type."""
    if isinstance(type_, str):
        return _SCALARS[type_]
    if isinstance(type_, Array):
        return pa.list_(arrow_type(type_.element))
    if isinstance(type_, Map):
        return pa.map_(_SCALARS[type_.key], _SCALARS[type_.value])
    if isinstance(type_, Struct):
        return pa.struct(list(arrow_schema(type_.fields)))
    raise TypeError(f"{type_!r} is no contract type")


def arrow_schema(columns: Sequence[Column]) -> pa.Schema:
    """The Arrow schema of contract columns."""
    return pa.schema([pa.field(column.name, arrow_type(column.type)) for column in columns])
