"""A plain pandas UDF, in its best form: an iterator, everything fused in it, a struct as result.

`full` is `extract_image(uri)`, which Vitrine offers to notebooks and SQL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.engines.on_spark import SINGLE_STRUCT, SparkEngine
from benchmarks.engines.workload import classified, shipped_source
from udfs.extract import ExtractorConfig
from udfs.spark_extract import extract_image_udf


class Engine(SparkEngine):
    """`pandas_udf` of iterators."""

    def run(self, job: str, pictures: Sequence[str], out: Path) -> None:
        """Do a job on all pictures."""
        rows = self.pictures(pictures)
        if job == "single":
            found = rows.withColumn("found", _single(self.contest.model)("image_uri"))
            self.write(found.select("image_uri", "found.*"), out)
            return
        found = rows.withColumn("found", extract_image_udf(ExtractorConfig(shipped_source()))("image_uri"))
        self.write(found.select("image_uri", "found.content_sha256", "found.attributes"), out)


def _single(model: str) -> Callable[..., Any]:
    from pyspark.sql.functions import pandas_udf

    def classify(batches: Iterator[pd.Series]) -> Iterator[pd.DataFrame]:
        for uris in batches:
            files = ((uri, Path(uri.removeprefix("file://")).read_bytes()) for uri in uris)
            parts = [batch.drop_columns(["image_uri"]).to_pandas() for batch in classified(files, model)]
            yield pd.concat(parts, ignore_index=True)

    return pandas_udf(classify, SINGLE_STRUCT)
