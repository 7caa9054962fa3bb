"""The Delta tables under one root: created and migrated by contract, read, and written by short MERGEs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from jobs.side_by_side import side_by_side
from jobs.spark_session import spark_uri
from schemas.contract import Array, Map, Table, Type, ddl_columns, quote
from schemas.migrations import MIGRATIONS, Migration
from schemas.tables import TABLES

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

MIGRATIONS_PROPERTY = "vitrine.migrations"
# Readers that are not Spark (delta-rs, DuckDB) fail on deletion vectors, so shared tables do without them.
FIXED_PROPERTIES = {"delta.enableDeletionVectors": "false"}
# Column of a MERGE's source that marks rows to delete.
GONE = "_gone"


class SchemaDriftError(RuntimeError):
    """A table on disk is not what its contract says and no migration mends it; names the columns."""


class TableStore:
    """Tables under a root, by contract.

    Args:
        spark: the session.
        root: normalised `file://` or `s3://` root.
        before_commit: called before every write, e.g. to check the writer lease.

    `written` names the tables to which this store has committed something.
    """

    def __init__(self, spark: SparkSession, root: str, before_commit: Callable[[], None] = lambda: None) -> None:
        self.spark = spark
        self.root = root.rstrip("/")
        self._before_commit = before_commit
        self.written: set[str] = set()

    def path(self, name: str) -> str:
        """Path of a table (or of another folder under the root) as Spark spells it."""
        return f"{spark_uri(self.root)}/{name}"

    def sql_name(self, name: str) -> str:
        """The table as SQL names it."""
        return f"delta.`{self.path(name)}`"

    def exists(self, name: str) -> bool:
        """Whether the table has been created."""
        return self._column_types(name) is not None

    def read(self, name: str, version: int | None = None) -> DataFrame:
        """The table, at a Delta version when one is given."""
        reader = self.spark.read.format("delta")
        if version is not None:
            reader = reader.option("versionAsOf", version)
        return reader.load(self.path(name))

    def versions(self, names: Sequence[str]) -> dict[str, int]:
        """Latest Delta version of each table."""
        return dict(zip(names, side_by_side(self.version, names), strict=True))

    def version(self, name: str) -> int:
        """Latest Delta version of the table."""
        row = self.spark.sql(f"DESCRIBE HISTORY {self.sql_name(name)} LIMIT 1").first()
        assert row is not None
        return int(row["version"])

    def ensure(
        self, tables: Sequence[Table] = tuple(TABLES.values()), migrations: Sequence[Migration] = MIGRATIONS
    ) -> None:
        """Create missing tables, migrate old ones, and check that each is what its contract says.

        Raises:
            SchemaDriftError: a table differs from its contract after all migrations.
        """
        side_by_side(lambda table: self._ensure_one(table, migrations), tables)

    def _ensure_one(self, table: Table, migrations: Sequence[Migration]) -> None:
        named = [migration for migration in migrations if migration.table == table.name]
        types = self._column_types(table.name)
        if types is None:
            self._create(table, named)
            return
        if self._migrate(table, named):
            types = self._column_types(table.name)
        self._check_schema(table, types or {})

    def upsert(self, table: Table, rows: DataFrame) -> None:
        """Insert rows, or replace those with the same key. Rows must have exactly the contract's columns.

        The caller passes rows that are new or changed: a MERGE rewrites each file that holds a matching key.
        """
        columns = rows.select(*table.column_names)
        self._merge(table, columns, "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *")

    def append(self, table: Table, rows: DataFrame) -> None:
        """Add rows whose keys the caller knows to be new."""
        self._begin_commit(table)
        rows.select(*table.column_names).write.format("delta").mode("append").save(self.path(table.name))

    def insert_missing(self, table: Table, rows: DataFrame) -> None:
        """Insert the rows whose key is not there yet; never changes a row."""
        self._merge(table, rows.select(*table.column_names), "WHEN NOT MATCHED THEN INSERT *")

    def upsert_and_delete(self, table: Table, rows: DataFrame, gone: DataFrame) -> None:
        """Upsert some rows and delete others in one commit.

        Args:
            table: the table.
            rows: rows to insert or to replace, with exactly the contract's columns.
            gone: keys of rows to delete; no key of `rows`.
        """
        from pyspark.sql import functions as F  # noqa: N812 - its usual name

        leaving = gone.select(*table.key).withColumn(GONE, F.lit(True))
        source = rows.select(*table.column_names).withColumn(GONE, F.lit(False))
        deleting = f"WHEN MATCHED AND source.{GONE} THEN DELETE"
        self._merge(
            table,
            source.unionByName(leaving, allowMissingColumns=True),
            f"{deleting} WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED AND NOT source.{GONE} THEN INSERT *",
        )

    def delete(self, table: Table, condition: str) -> None:
        """Delete rows by a SQL condition."""
        self._begin_commit(table)
        self.spark.sql(f"DELETE FROM {self.sql_name(table.name)} WHERE {condition}")

    def execute(self, statement: str, table: Table) -> DataFrame:
        """Run a SQL statement with `{table}` standing for the table, as maintenance does."""
        self._begin_commit(table)
        return self.spark.sql(statement.replace("{table}", self.sql_name(table.name)))

    def _begin_commit(self, table: Table) -> None:
        self._before_commit()
        self.written.add(table.name)

    def _merge(self, table: Table, rows: DataFrame, clauses: str) -> None:
        self._begin_commit(table)
        keys = " AND ".join(f"target.{key} = source.{key}" for key in table.key)
        # Of the table's own, so that tables can be written side by side.
        view = f"vitrine_merge_into_{table.name}"
        rows.createOrReplaceTempView(view)
        self.spark.sql(f"MERGE INTO {self.sql_name(table.name)} AS target USING {view} AS source ON {keys} {clauses}")
        self.spark.catalog.dropTempView(view)

    def _create(self, table: Table, migrations: Sequence[Migration]) -> None:
        self._begin_commit(table)
        properties = {
            **FIXED_PROPERTIES,
            "delta.enableChangeDataFeed": str(table.change_data_feed).lower(),
            "delta.dataSkippingStatsColumns": ",".join(table.statistics_columns),
            **{f"delta.constraints.{name}": check for name, check in table.checks.items()},
            # A new table is born in the state after all migrations.
            MIGRATIONS_PROPERTY: ",".join(migration.name for migration in migrations),
        }
        cluster_by = f"CLUSTER BY ({', '.join(table.cluster_by)})" if table.cluster_by else ""
        spelled = ", ".join(f"{quote(key)} = {quote(value)}" for key, value in properties.items())
        self.spark.sql(
            f"CREATE TABLE IF NOT EXISTS {self.sql_name(table.name)} (\n  {ddl_columns(table.columns)}\n) USING DELTA "
            f"{cluster_by} COMMENT {quote(table.purpose)} TBLPROPERTIES ({spelled})"
        )

    def _migrate(self, table: Table, migrations: Sequence[Migration]) -> bool:
        """Apply the migrations that are missing; whether there were any."""
        if not migrations:
            return False
        applied = self._properties(table).get(MIGRATIONS_PROPERTY, "").split(",")
        missing = [migration for migration in migrations if migration.name not in applied]
        for migration in missing:
            for statement in migration.statements:
                self.execute(statement, table)
            applied = [name for name in applied if name] + [migration.name]
            self.execute(
                f"ALTER TABLE {{table}} SET TBLPROPERTIES ({quote(MIGRATIONS_PROPERTY)} = {quote(','.join(applied))})",
                table,
            )
        return bool(missing)

    def _check_schema(self, table: Table, actual: dict[str, str]) -> None:
        wanted = {column.name: _type_text(column.type) for column in table.columns}
        if actual == wanted:
            return
        differences = [
            f"{name}: contract {wanted.get(name, 'has none')}, table {actual.get(name, 'has none')}"
            for name in sorted(actual.keys() | wanted.keys())
            if actual.get(name) != wanted.get(name)
        ]
        raise SchemaDriftError(
            f"table {table.name} at {self.path(table.name)} differs from its contract; write a migration in "
            f"schemas/migrations.py. Differences: {'; '.join(differences)}"
        )

    def _properties(self, table: Table) -> dict[str, str]:
        rows = self.spark.sql(f"SHOW TBLPROPERTIES {self.sql_name(table.name)}").collect()
        return {row["key"]: row["value"] for row in rows}

    def _column_types(self, name: str) -> dict[str, str] | None:
        """The table's columns as Spark spells their types; None when there is no such table."""
        from pyspark.errors import AnalysisException

        try:
            # Reading the schema is the one test that works on every store, Connect included.
            fields = self.spark.read.format("delta").load(self.path(name)).schema.fields
        except AnalysisException as error:
            if _is_missing_table(error):
                return None
            raise
        return {field.name: field.dataType.simpleString() for field in fields} or None


def _type_text(type_: Type) -> str:
    """A contract's type as `DataType.simpleString` spells it."""
    if isinstance(type_, str):
        return type_
    if isinstance(type_, Array):
        return f"array<{_type_text(type_.element)}>"
    if isinstance(type_, Map):
        return f"map<{type_.key},{type_.value}>"
    return f"struct<{','.join(f'{column.name}:{_type_text(column.type)}' for column in type_.fields)}>"


def _is_missing_table(error: Exception) -> bool:
    text = str(error)
    return any(
        sign in text
        for sign in (
            "DELTA_MISSING_DELTA_TABLE",
            "DELTA_TABLE_NOT_FOUND",
            "PATH_NOT_FOUND",
            "DELTA_PATH_DOES_NOT_EXIST",
            "is not a Delta table",
        )
    )
