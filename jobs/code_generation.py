"""Queries over few rows run without code generation: compiling one costs a second of CPU, running it far less."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# Both are needed: without the second, projections and orderings are still compiled one by one.
INTERPRETED = {"spark.sql.codegen.wholeStage": "false", "spark.sql.codegen.factoryMode": "NO_CODEGEN"}
# Above this many rows, interpreting a scan or join costs more than compiling it.
FEW_ROWS = 1_000_000


@contextmanager
def code_generation_for(spark: SparkSession, rows: int) -> Iterator[None]:
    """Switch code generation off within the block when its queries go over few rows.

    Args:
        spark: the session.
        rows: rows of the largest table that the block's queries read.
    """
    if rows > FEW_ROWS:
        yield
        return
    before: dict[str, str | None] = {}
    # Serverless platforms let nobody change these; then the block only costs more.
    with suppress(Exception):
        for key, value in INTERPRETED.items():
            before[key] = spark.conf.get(key)
            spark.conf.set(key, value)
    try:
        yield
    finally:
        with suppress(Exception):
            for key, former in before.items():
                spark.conf.set(key, former or "")
