"""What the contestants on Spark share: the project's session and how the list of pictures is dealt out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.engines.workload import Contest
from jobs.spark_session import spark_session
from schemas.contract import Struct, ddl_type
from schemas.image_columns import IMAGE_COLUMNS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

SINGLE_STRUCT = "struct<label: int, score: float, embedding: array<float>>"
SINGLE_DDL = "image_uri string, label int, score float, embedding array<float>"
ATTRIBUTES_DDL = ddl_type(Struct(IMAGE_COLUMNS), comments=False)


class SparkEngine:
    """A local session with as many cores as the contest has processes."""

    jobs: tuple[str, ...] = ("single", "full")

    def __init__(self, contest: Contest) -> None:
        self.contest = contest
        self.spark: SparkSession = spark_session("vitrine benchmark", master=f"local[{contest.processes}]")

    def pictures(self, paths: Sequence[str]) -> DataFrame:
        """A column `image_uri` in two partitions per core, as extract deals out a small wave."""
        rows = self.spark.createDataFrame([(Path(path).as_uri(),) for path in paths], "image_uri string")
        return rows.repartition(2 * self.contest.processes)

    def write(self, rows: DataFrame, out: Path) -> None:
        """Parquet."""
        rows.write.mode("overwrite").parquet(out.as_uri())

    def close(self) -> None:
        """End Spark."""
        self.spark.stop()
