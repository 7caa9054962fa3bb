"""Spark's side of extraction: a pandas UDF for notebooks and SQL, and a batch function for the extract job."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import pandas as pd
import pyarrow as pa

from schemas.contract import Struct, ddl_type
from udfs.extract import Extractor, ExtractorConfig, ExtractRequest, Outcome
from udfs.extract_rows import EXTRACT_COLUMNS, outcome_columns

if TYPE_CHECKING:
    from pyspark.sql import Column, SparkSession

EXTRACT_TYPE = ddl_type(Struct(EXTRACT_COLUMNS), comments=False)
"""Spark type of `extract_image`'s result."""

SQL_NAME = "extract_image"

Batch = TypeVar("Batch")
Progress = Callable[[list[Outcome]], None]


def extract_image_udf(config: ExtractorConfig) -> Callable[..., Column]:
    """`extract_image(uri_column)`: one fused iterator pandas UDF that returns `EXTRACT_TYPE`.

    Every row gets its attributes, also when two rows show the same content.

    Args:
        config: bundle, limits and credentials-free S3 settings; travels to the executors.
    """
    from pyspark.sql.pandas.functions import pandas_udf

    each_row = replace(config, deduplicate=False)

    def extract_image(uris: Iterator[pd.Series]) -> Iterator[pd.DataFrame]:
        extractor = each_row.build()
        try:
            for size, outcomes in _by_batch(extractor, uris, _series_requests):
                columns = outcome_columns(outcomes)
                assert len(outcomes) == size
                yield pd.DataFrame({name: _objects(array) for name, array in columns.items()})
        finally:
            extractor.close()

    return pandas_udf(extract_image, EXTRACT_TYPE)  # type: ignore[call-overload, no-any-return]


def register_sql_function(spark: SparkSession, config: ExtractorConfig) -> None:
    """Make `SELECT extract_image(image_uri)` work in the session's SQL."""
    spark.udf.register(SQL_NAME, extract_image_udf(config))  # type: ignore[arg-type]


def extract_batches(
    config: ExtractorConfig, progress: Progress | None = None
) -> Callable[[Iterable[pa.RecordBatch]], Iterable[pa.RecordBatch]]:
    """The function that the extract job gives to `mapInArrow`.

    It expects the columns image_uri and known_sha256 (array of strings, may be null), passes every input column but
    known_sha256 through, and appends `EXTRACT_COLUMNS`. No pandas on the way: Arrow in, Arrow out.

    Args:
        config: as for `extract_image_udf`.
        progress: called in the worker with each batch's outcomes.
    """

    def extract(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        extractor = config.build()
        waiting: deque[pa.RecordBatch] = deque()

        def remembered() -> Iterator[pa.RecordBatch]:
            for batch in batches:
                if batch.num_rows:
                    waiting.append(batch)
                    yield batch

        try:
            for _, outcomes in _by_batch(extractor, remembered(), _arrow_requests):
                if progress is not None:
                    progress(outcomes)
                yield _appended(waiting.popleft(), outcomes)
        finally:
            extractor.close()

    return extract


def _by_batch(
    extractor: Extractor, batches: Iterable[Batch], requests_of: Callable[[Batch], list[ExtractRequest]]
) -> Iterator[tuple[int, list[Outcome]]]:
    """Outcomes grouped as the input was batched; reading runs ahead across the batches' borders."""
    sizes: deque[int] = deque()

    def requests() -> Iterator[ExtractRequest]:
        for batch in batches:
            of_batch = requests_of(batch)
            sizes.append(len(of_batch))
            yield from of_batch

    outcomes: list[Outcome] = []
    for outcome in extractor.extract(requests()):
        outcomes.append(outcome)
        if len(outcomes) == sizes[0]:
            yield sizes.popleft(), outcomes
            outcomes = []


def _series_requests(uris: pd.Series) -> list[ExtractRequest]:
    # A null URI arrives as NaN; the empty URI fails with a reason instead of being looked for as 'nan'.
    return [ExtractRequest(uri if isinstance(uri, str) else "") for uri in uris]


def _arrow_requests(batch: pa.RecordBatch) -> list[ExtractRequest]:
    uris = batch.column("image_uri").to_pylist()
    known = batch.column("known_sha256").to_pylist()
    return [ExtractRequest(uri, frozenset(contents or ())) for uri, contents in zip(uris, known, strict=True)]


def _appended(batch: pa.RecordBatch, outcomes: list[Outcome]) -> pa.RecordBatch:
    columns = {
        name: column for name, column in zip(batch.schema.names, batch.columns, strict=True) if name != "known_sha256"
    }
    return pa.RecordBatch.from_pydict(columns | outcome_columns(outcomes))


def _objects(array: pa.Array) -> pd.Series:
    """A column as pandas objects: nested values as Python ones, nulls as None."""
    values = array.to_pylist()
    return pd.Series(values, dtype=object)
