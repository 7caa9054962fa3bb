"""The small language in which table contracts are written: columns, types, keys, constraints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

SCALAR_TYPES = frozenset(
    {"string", "boolean", "int", "bigint", "float", "double", "timestamp", "date", "decimal(12,2)"}
)


@dataclass(frozen=True)
class Struct:
    """A struct type with named, commented fields."""

    fields: tuple[Column, ...]


@dataclass(frozen=True)
class Array:
    """An array type; elements are never null."""

    element: Type


@dataclass(frozen=True)
class Map:
    """A map type with non-null values."""

    key: str
    value: str


Type = str | Struct | Array | Map


@dataclass(frozen=True)
class Column:
    """One column or struct field.

    Args:
        name: snake_case name.
        type: a scalar type name of Spark SQL, or `Struct`, `Array`, `Map`.
        comment: what it holds, for people; stored as the Delta column comment.
        unit: unit or range of the values ("px", "ms", "0..1"), appended to the comment.
        nullable: False adds NOT NULL (top-level columns only; Delta does not enforce it inside structs).
    """

    name: str
    type: Type
    comment: str
    unit: str | None = None
    nullable: bool = True

    def __post_init__(self) -> None:
        if isinstance(self.type, str) and self.type not in SCALAR_TYPES:
            raise ValueError(f"column {self.name}: type {self.type!r} is not one of {sorted(SCALAR_TYPES)}")

    @property
    def full_comment(self) -> str:
        """Comment with the unit in brackets."""
        return f"{self.comment} [{self.unit}]" if self.unit else self.comment


@dataclass(frozen=True)
class Table:
    """A table contract.

    Args:
        name: table name and folder name under the tables root.
        purpose: one paragraph for `docs/tables.md` and the Delta table comment.
        columns: in table order.
        key: columns that identify a row; uniqueness is kept by MERGE and checked by the publish gate.
        checks: CHECK constraints by name.
        cluster_by: liquid clustering columns, at most four, scalar.
        filtered_by: further columns that readers filter by, see `statistics_columns`.
        change_data_feed: whether Delta records row changes.
        retention_days: rows older than this may be deleted by maintain (None keeps them).
        retention_column: the timestamp column that `retention_days` refers to.
    """

    name: str
    purpose: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    checks: dict[str, str] = field(default_factory=dict)
    cluster_by: tuple[str, ...] = ()
    filtered_by: tuple[str, ...] = ()
    change_data_feed: bool = True
    retention_days: int | None = None
    retention_column: str | None = None

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        duplicated = {name for name in names if names.count(name) > 1}
        if duplicated:
            raise ValueError(f"table {self.name}: columns defined twice: {sorted(duplicated)}")
        for group, wanted in (("key", self.key), ("cluster_by", self.cluster_by), ("filtered_by", self.filtered_by)):
            unknown = set(wanted) - set(names)
            if unknown:
                raise ValueError(f"table {self.name}: {group} names unknown columns {sorted(unknown)}")

    def column(self, name: str) -> Column:
        """The column of that name; KeyError names the table when there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"table {self.name} has no column {name!r}")

    @property
    def statistics_columns(self) -> tuple[str, ...]:
        """Columns whose minimum and maximum Delta keeps per file, so that readers can skip files.

        Key, clustering, `filtered_by`, the run and moments. By default Delta keeps those of the first 32 fields, nested
        ones too: for wide rows that was a sixth of what the JVM did in a wave of extract.
        """
        moments = tuple(column.name for column in self.columns if column.type == "timestamp")
        run = tuple(name for name in ("run_id",) if name in self.column_names)
        return tuple(dict.fromkeys((*self.key, *self.cluster_by, *self.filtered_by, *moments, *run)))

    @property
    def column_names(self) -> tuple[str, ...]:
        """Column names in table order."""
        return tuple(column.name for column in self.columns)


def ddl_type(type_: Type, *, comments: bool = True) -> str:
    """The Spark SQL spelling of a type.

    Args:
        type_: a contract type.
        comments: keep the comments of struct fields. A UDF's return type must not have them: Spark compares types with
            their comments, and what comes back from Python has none.
    """
    if isinstance(type_, str):
        return type_
    if isinstance(type_, Array):
        return f"array<{ddl_type(type_.element, comments=comments)}>"
    if isinstance(type_, Map):
        return f"map<{type_.key},{type_.value}>"
    return f"struct<{', '.join(_ddl_field(column, comments=comments) for column in type_.fields)}>"


def _ddl_field(column: Column, *, comments: bool) -> str:
    comment = f" COMMENT {quote(column.full_comment)}" if comments else ""
    return f"{column.name}: {ddl_type(column.type, comments=comments)}{comment}"


def ddl_columns(columns: tuple[Column, ...]) -> str:
    """Columns as a DDL list, as `CREATE TABLE` and `StructType.fromDDL` take it."""
    return ",\n  ".join(
        f"{column.name} {ddl_type(column.type)}{'' if column.nullable else ' NOT NULL'}"
        f" COMMENT {quote(column.full_comment)}"
        for column in columns
    )


def quote(text: str) -> str:
    """A SQL string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def walk(columns: tuple[Column, ...], prefix: str = "") -> Iterator[tuple[str, Column]]:
    """Yield (dotted path, column) for every column and nested field, parents first."""
    for column in columns:
        path = f"{prefix}{column.name}"
        yield path, column
        inner = column.type
        while isinstance(inner, Array):
            inner = inner.element
            path += "[]"
        if isinstance(inner, Struct):
            yield from walk(inner.fields, f"{path}.")
