"""The work that every engine does: the same functions on the same bytes, with the same rows as result.

- `single`: decode, resize, one forward pass of EfficientNet-Lite0, best label and embedding.
- `full`: all of extraction.

Needs neither Spark nor `jobs`, so that it can be imported in the environment of Daft and Ray.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models.bundle import BASELINE_BUNDLE, SHIPPED_BUNDLE, load_bundle
from models.model_input import model_input
from models.session import new_session
from schemas.arrow import arrow_type
from schemas.contract import Struct
from schemas.image_columns import IMAGE_COLUMNS
from schemas.reasons import ImageError
from schemas.settings import DecodeSettings, TextSettings
from udfs.classify import softmax
from udfs.decode import decode
from udfs.describe import ready_picture
from udfs.extract_rows import attributes_array
from udfs.micro_batch import describe_pictures
from udfs.runtime import BundleSource, Runtime, runtime_for

MICRO_BATCH = 16
SIDE = 224

SINGLE_SCHEMA = pa.schema(
    [("image_uri", pa.string()), ("label", pa.int32()), ("score", pa.float32()), ("embedding", pa.list_(pa.float32()))]
)
FULL_SCHEMA = pa.schema(
    [("image_uri", pa.string()), ("content_sha256", pa.string()), ("attributes", arrow_type(Struct(IMAGE_COLUMNS)))]
)


@dataclass(frozen=True)
class Contest:
    """What is the same for all engines.

    Args:
        model: ONNX file of the single model.
        processes: processes that compute, one thread each.
    """

    model: str
    processes: int


File = tuple[str, bytes]


def read(paths: Iterable[str]) -> Iterator[File]:
    """Path and bytes of each file."""
    for path in paths:
        yield path, Path(path).read_bytes()


def model_pixels(data: bytes) -> np.ndarray[Any, Any]:
    """A picture's bytes as the single model wants them: (224, 224, 3) uint8 RGB."""
    return model_input(decode(data, DecodeSettings()).pixels, None, _input_spec())


def predict(model: str, batch: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], ...]:
    """Labels (N,) int32, scores (N,) float32 and embeddings (N, 1280) float32 of pixels (N, 224, 224, 3) uint8."""
    logits, embeddings = _session(model).run(["logits", "embedding"], {"image": np.ascontiguousarray(batch)})
    probabilities = softmax(logits, 1.0)
    labels = probabilities.argmax(axis=1)
    return labels.astype(np.int32), probabilities[np.arange(len(labels)), labels], embeddings


def classified(files: Iterable[File], model: str) -> Iterator[pa.RecordBatch]:
    """The job `single`: one record batch with `SINGLE_SCHEMA` per micro-batch."""
    for part in _micro_batches(files):
        labels, scores, embeddings = predict(model, np.stack([model_pixels(data) for _, data in part]))
        offsets = np.arange(len(part) + 1, dtype=np.int32) * embeddings.shape[1]
        vectors = pa.ListArray.from_arrays(pa.array(offsets), pa.array(embeddings.ravel()))
        uris = pa.array([uri for uri, _ in part])
        yield pa.RecordBatch.from_arrays([uris, pa.array(labels), pa.array(scores), vectors], schema=SINGLE_SCHEMA)


def described(files: Iterable[File]) -> Iterator[pa.RecordBatch]:
    """The job `full`: one record batch with `FULL_SCHEMA` per micro-batch."""
    runtime = shipped_runtime()
    for part in _micro_batches(files):
        pictures, started = [], []
        for _, data in part:
            clock = time.perf_counter()
            decoded = decode(data, DecodeSettings())
            started.append({"fetch": 0.0, "decode": (time.perf_counter() - clock) * 1e3})
            pictures.append(ready_picture(decoded))
        rows = []
        results = describe_pictures(pictures, runtime, TextSettings())
        for (_, data), step_ms, columns in zip(part, started, results, strict=True):
            if isinstance(columns, ImageError):
                raise columns
            rows.append({**columns, "size_bytes": len(data), "step_ms": step_ms | columns["step_ms"]})
        uris = pa.array([uri for uri, _ in part])
        digests = pa.array([hashlib.sha256(data).hexdigest() for _, data in part])
        yield pa.RecordBatch.from_arrays([uris, digests, attributes_array(rows)], schema=FULL_SCHEMA)


def rows_of(job: str, files: Iterable[File], contest: Contest) -> pa.Table:
    """A job's rows for some files, as a table."""
    batches = classified(files, contest.model) if job == "single" else described(files)
    return pa.Table.from_batches(batches, SINGLE_SCHEMA if job == "single" else FULL_SCHEMA)


def write_rows(table: pa.Table, folder: Path) -> None:
    """One Parquet file in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, folder / "rows.parquet", compression="snappy")


@cache
def shipped_source() -> BundleSource:
    """The shipped bundle, by path."""
    return BundleSource(load_bundle(SHIPPED_BUNDLE).sha256, path=str(SHIPPED_BUNDLE))


@cache
def shipped_runtime() -> Runtime:
    """The shipped bundle's models in this process."""
    return runtime_for(shipped_source())


@cache
def _session(model: str) -> Any:
    cv2.setNumThreads(1)
    return new_session(Path(model).read_bytes())


@cache
def _input_spec() -> Any:
    return load_bundle(BASELINE_BUNDLE).task("classify").input


def _micro_batches(files: Iterable[File]) -> Iterator[Sequence[File]]:
    waiting = iter(files)
    while part := list(islice(waiting, MICRO_BATCH)):
        yield part
