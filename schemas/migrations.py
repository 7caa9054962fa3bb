"""Named schema migrations: the only way in which an existing table changes.

A migration has a name that is recorded in the table's properties once it has been applied, so that it runs once.
Contracts in `schemas/tables.py` describe the state after all of them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Migration:
    """One change of one table.

    Args:
        table: name of the table.
        name: e.g. "0001_add_ocr_lines"; migrations run in the order of `MIGRATIONS`.
        statements: SQL with `{table}` for the table, e.g. `ALTER TABLE {table} ADD COLUMNS (...)`.
    """

    table: str
    name: str
    statements: tuple[str, ...]


MIGRATIONS: tuple[Migration, ...] = (
    Migration(
        "image_attributes",
        "0001_model_attributes",
        (
            "ALTER TABLE {table} ADD COLUMNS (model_attributes array<struct<attribute: string, value: string, "
            "confidence: float, is_stated: boolean>> COMMENT 'What the model''s attribute heads say, one per head' "
            "AFTER labels)",
        ),
    ),
)
