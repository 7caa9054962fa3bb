"""Vitrine's form: paths through `mapInArrow`, everything fused in one function, Arrow in and Arrow out.

`full` is the extract job's own function (`udfs.spark_extract.extract_batches`); `single` has the thin model in its
place, behind the same fetcher.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from benchmarks.engines.on_spark import SINGLE_DDL, SparkEngine
from benchmarks.engines.workload import classified, shipped_source
from schemas.contract import ddl_columns
from schemas.settings import FetchSettings, S3Settings
from udfs.extract import ExtractorConfig
from udfs.extract_rows import EXTRACT_COLUMNS
from udfs.fetch import Fetcher
from udfs.spark_extract import extract_batches


class Engine(SparkEngine):
    """`mapInArrow`."""

    def run(self, job: str, pictures: Sequence[str], out: Path) -> None:
        """Do a job on all pictures."""
        rows = self.pictures(pictures)
        if job == "single":
            self.write(rows.mapInArrow(_single(self.contest.model), SINGLE_DDL), out)
            return
        known = rows.selectExpr("image_uri", "CAST(null AS array<string>) AS known_sha256")
        extract = extract_batches(ExtractorConfig(shipped_source()))
        found = known.mapInArrow(extract, f"image_uri string, {ddl_columns(EXTRACT_COLUMNS)}")
        self.write(found.select("image_uri", "content_sha256", "attributes"), out)


def _single(model: str) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def classify(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        fetcher = Fetcher(FetchSettings(), S3Settings())
        try:
            uris = (uri for batch in batches for uri in batch.column("image_uri").to_pylist())
            yield from classified(((one.uri, one.data) for one in fetcher.prefetch(uris)), model)
        finally:
            fetcher.close()

    return classify
