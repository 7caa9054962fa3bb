"""Runs a bundle over labelled pictures exactly as extraction does, on all cores: decode, measure, prepare, classify.

Evaluation, the promotion gate and calibration share it. Only paths go to the worker processes, only probabilities and
embeddings come back.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.bundle import Bundle
from models.labelled import LabelledImage
from models.robustness import Corruption, corrupt
from schemas.reasons import ImageError, Reason
from schemas.settings import DecodeSettings, FetchSettings, S3Settings
from schemas.uri import normalize_uri
from udfs.decode import decode
from udfs.describe import Picture, ready_picture
from udfs.fetch import Fetcher
from udfs.product_region import detect_each, look_at
from udfs.runtime import BundleSource, Runtime, runtime_for

Floats: TypeAlias = NDArray[np.float32]

MICRO_BATCH = 16
"""Pictures per model call and per piece of work."""

# Fewer pictures than this are done sooner than worker processes start.
_WORTH_PROCESSES = 96


class PredictionError(RuntimeError):
    """The pictures could not be run through the bundle; says why and what to do."""


@dataclass(frozen=True)
class PictureFailure:
    """A picture that gave no prediction."""

    image: LabelledImage
    reason: str
    detail: str


@dataclass(frozen=True)
class Predictions:
    """What a bundle says of pictures; rows stand in the order of `images`.

    Args:
        images: the pictures that could be read.
        contents: SHA-256 of each picture's bytes.
        probabilities: (N, labels) float32, after the bundle's temperature; their logarithms are logits up to a
            constant per row and that temperature.
        embeddings: (N, D) float32 of unit length.
        heads: (N, labels of the head) float32 by attribute head.
        failures: the pictures that are missing or could not be read.
    """

    images: tuple[LabelledImage, ...]
    contents: tuple[str, ...]
    probabilities: Floats
    embeddings: Floats
    heads: Mapping[str, Floats]
    failures: tuple[PictureFailure, ...] = ()

    def __len__(self) -> int:
        return len(self.images)

    def select(self, mask: NDArray[np.bool_]) -> Predictions:
        """The pictures of a (N,) mask; failures are left out."""
        at = np.flatnonzero(mask).tolist()
        return replace(
            self,
            images=tuple(self.images[index] for index in at),
            contents=tuple(self.contents[index] for index in at),
            probabilities=self.probabilities[at],
            embeddings=self.embeddings[at],
            heads={name: values[at] for name, values in self.heads.items()},
            failures=(),
        )


@dataclass(frozen=True)
class _Piece:
    """What comes back for one piece of work: results of the readable pictures, by their place in the piece."""

    places: list[int]
    contents: list[str]
    probabilities: Floats
    embeddings: Floats
    heads: dict[str, Floats]
    failures: list[tuple[int, str, str]]


# File, name for chance, how to spoil it.
_Task: TypeAlias = list[tuple[str, str, Corruption | None]]


class Predictor:
    """Runs a bundle over pictures. Use as a context manager: worker processes live as long as it.

    Args:
        bundle: a verified bundle with a classify task.
        workers: processes; by default one per core that this process may use.
    """

    def __init__(self, bundle: Bundle, workers: int | None = None) -> None:
        self._bundle = bundle
        self._workers = workers or usable_cores()
        self._folder = tempfile.TemporaryDirectory(prefix="vitrine-bundle-")
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        packed = Path(self._folder.name) / "bundle.zip"
        packed.write_bytes(self._bundle.pack())
        self._source = BundleSource(self._bundle.sha256, path=str(packed))
        return self

    def __exit__(self, *exception: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        self._folder.cleanup()

    def predict(
        self,
        images: Sequence[LabelledImage],
        corruptions: Sequence[Corruption | None] | None = None,
        *,
        progress: Callable[[int, int], None] = lambda done, failed: None,
    ) -> Predictions:
        """Run the bundle over pictures.

        Args:
            images: which pictures; only their files are looked at, never titles.
            corruptions: how to spoil each picture after decoding, None for not at all; by default none is.
            progress: called with pictures done and failed so far.

        Raises:
            BundleError: the bundle cannot be used.
            PredictionError: a worker process died.
        """
        tasks = _tasks(images, list(corruptions or [None] * len(images)))
        pieces: list[_Piece] = []
        done = failed = 0
        for task, piece in zip(tasks, self._run_all(tasks, len(images)), strict=True):
            pieces.append(piece)
            done += len(task)
            failed += len(piece.failures)
            progress(done, failed)
        return _joined(self._bundle, images, pieces)

    def _run_all(self, tasks: Sequence[_Task], images: int) -> Iterator[_Piece]:
        if self._workers == 1 or (self._pool is None and images < _WORTH_PROCESSES):
            runtime, fetcher = runtime_for(self._source), _fetcher()
            yield from (_run(runtime, fetcher, task) for task in tasks)
            return
        if self._pool is None:
            # Spawned, not forked: onnxruntime's threads do not survive a fork.
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self._workers, context, _start_worker, (self._source,))
        try:
            yield from self._pool.map(_run_in_worker, tasks)
        except BrokenProcessPool as error:
            raise PredictionError(
                "a worker process died, most likely for lack of memory; try again with fewer workers"
            ) from error


def predict(
    bundle: Bundle,
    images: Sequence[LabelledImage],
    *,
    workers: int | None = None,
    progress: Callable[[int, int], None] = lambda done, failed: None,
) -> Predictions:
    """Run a bundle over pictures once; see `Predictor.predict`."""
    with Predictor(bundle, workers) as predictor:
        return predictor.predict(images, progress=progress)


def _tasks(images: Sequence[LabelledImage], spoiled: Sequence[Corruption | None]) -> list[_Task]:
    if len(spoiled) != len(images):
        raise ValueError(f"{len(images)} pictures but {len(spoiled)} corruptions")
    return [
        [
            (str(image.path.absolute()), image.image_path, corruption)
            for image, corruption in zip(
                images[start : start + MICRO_BATCH], spoiled[start : start + MICRO_BATCH], strict=True
            )
        ]
        for start in range(0, len(images), MICRO_BATCH)
    ]


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_worker: tuple[Runtime, Fetcher] | None = None


def _start_worker(source: BundleSource) -> None:
    global _worker  # noqa: PLW0603 - a process pool hands its workers nothing else
    _worker = runtime_for(source), _fetcher()


def _run_in_worker(task: _Task) -> _Piece:
    assert _worker is not None
    return _run(*_worker, task)


def _fetcher() -> Fetcher:
    return Fetcher(FetchSettings(), S3Settings())


def _run(runtime: Runtime, fetcher: Fetcher, task: _Task) -> _Piece:
    """One piece of work, in a worker."""
    pictures: list[Picture] = []
    places: list[tuple[int, str]] = []
    failures: list[tuple[int, str, str]] = []
    for place, (path, name, corruption) in enumerate(task):
        try:
            picture, content = _ready(fetcher, path, name, corruption)
        except ImageError as error:
            failures.append((place, error.reason.value, error.detail))
            continue
        pictures.append(picture)
        places.append((place, content))
    prepared: list[NDArray[np.uint8]] = []
    readable: list[tuple[int, str]] = []
    for about, picture, detections in zip(places, pictures, detect_each(pictures, runtime), strict=True):
        if isinstance(detections, ImageError):
            failures.append((about[0], detections.reason.value, detections.detail))
            continue
        try:
            prepared.append(runtime.prepare(picture.pixels, look_at(picture, detections).box))
        except Exception as error:  # noqa: BLE001 - as in `udfs.micro_batch`: one odd picture must not end the run
            failures.append((about[0], Reason.FEATURES_FAILED.value, f"{type(error).__name__}: {error}"))
            continue
        readable.append(about)
    results = runtime.classify_each(np.stack(prepared)) if prepared else []
    failures += [
        (place, result.reason.value, result.detail)
        for (place, _), result in zip(readable, results, strict=True)
        if isinstance(result, ImageError)
    ]
    good = [
        (*about, result) for about, result in zip(readable, results, strict=True) if not isinstance(result, ImageError)
    ]
    names = [head.name for head in runtime.classify_task.heads]
    return _Piece(
        places=[place for place, _, _ in good],
        contents=[content for _, content, _ in good],
        probabilities=_rows([result.probabilities for *_, result in good]),
        embeddings=_rows([result.embeddings for *_, result in good]),
        heads={name: _rows([result.heads[name] for *_, result in good]) for name in names},
        failures=failures,
    )


def _ready(fetcher: Fetcher, path: str, name: str, corruption: Corruption | None) -> tuple[Picture, str]:
    """A decoded picture with its quality, and the SHA-256 of its bytes."""
    fetched = fetcher.fetch(normalize_uri(path))
    if fetched.data is None:
        raise fetched.error or ImageError(Reason.FETCH_FAILED, path)
    decoded = decode(fetched.data, DecodeSettings())
    if corruption is not None:
        decoded = replace(decoded, pixels=corrupt(decoded.pixels, corruption, name))
    try:
        picture = ready_picture(decoded)
    except Exception as error:
        raise ImageError(Reason.FEATURES_FAILED, f"{path}: {type(error).__name__}: {error}") from error
    return picture, hashlib.sha256(fetched.data).hexdigest()


def _rows(values: list[Floats]) -> Floats:
    return np.concatenate(values) if values else np.zeros((0, 0), np.float32)


def _joined(bundle: Bundle, images: Sequence[LabelledImage], pieces: Sequence[_Piece]) -> Predictions:
    task = bundle.task("classify")
    read: list[LabelledImage] = []
    failures: list[PictureFailure] = []
    for number, piece in enumerate(pieces):
        start = number * MICRO_BATCH
        read += [images[start + place] for place in piece.places]
        failures += [PictureFailure(images[start + place], reason, detail) for place, reason, detail in piece.failures]
    full = [piece for piece in pieces if piece.places]

    def stacked(values: list[Floats], width: int) -> Floats:
        return np.concatenate(values) if values else np.zeros((0, width), np.float32)

    return Predictions(
        images=tuple(read),
        contents=tuple(content for piece in full for content in piece.contents),
        probabilities=stacked([piece.probabilities for piece in full], len(bundle.labels(task))),
        embeddings=stacked([piece.embeddings for piece in full], bundle.manifest.embedding_dimension),
        heads={
            head.name: stacked([piece.heads[head.name] for piece in full], len(bundle.labels(head)))
            for head in task.heads
        },
        failures=tuple(failures),
    )
