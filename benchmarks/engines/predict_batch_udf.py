"""The form of Databricks' guide to batch inference: `binaryFile`, a UDF that decodes into `array<float>`, and
`predict_batch_udf` on that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.engines.on_spark import SparkEngine
from benchmarks.engines.workload import MICRO_BATCH, SIDE, model_pixels, predict


class Engine(SparkEngine):
    """Bytes and pixels cross the border between JVM and Python."""

    jobs = ("single",)
    element = "float"

    def run(self, job: str, pictures: Sequence[str], out: Path) -> None:
        """Do a job on all pictures."""
        files = self.spark.read.format("binaryFile").load([Path(path).as_uri() for path in pictures])
        pixels = files.select("path", _decode(self.element)("content").alias("pixels"))
        found = pixels.select("path", _predict(self.contest.model)("pixels").alias("found"))
        self.write(found.selectExpr("path AS image_uri", "found.*"), out)


def _decode(element: str) -> Callable[..., Any]:
    from pyspark.sql.functions import pandas_udf

    dtype = np.float32 if element == "float" else np.int16

    def decode(contents: pd.Series) -> pd.Series:
        return contents.map(lambda data: model_pixels(data).astype(dtype).ravel())

    # With `from __future__ import annotations` Spark cannot see the types of a nested function.
    decode.__annotations__ = {"contents": pd.Series, "return": pd.Series}
    return pandas_udf(decode, f"array<{element}>")


def _predict(model: str) -> Callable[..., Any]:
    from pyspark.ml.functions import predict_batch_udf
    from pyspark.sql.types import ArrayType, FloatType, IntegerType, StructType

    # The type as an object: a type's text is taken, and fails when the first batch comes back.
    result = StructType().add("label", IntegerType()).add("score", FloatType()).add("embedding", ArrayType(FloatType()))

    def make() -> Callable[[np.ndarray[Any, Any]], dict[str, np.ndarray[Any, Any]]]:
        def classify(batch: np.ndarray[Any, Any]) -> dict[str, np.ndarray[Any, Any]]:
            labels, scores, embeddings = predict(model, batch.astype(np.uint8))
            return {"label": labels, "score": scores, "embedding": embeddings}

        return classify

    return predict_batch_udf(make, return_type=result, batch_size=MICRO_BATCH, input_tensor_shapes=[[SIDE, SIDE, 3]])
