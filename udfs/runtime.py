"""Models in a worker process: sessions built lazily, once per process and bundle, never pickled."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, NoReturn, Protocol, Self, TypeAlias, TypeVar

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from models.bundle import Bundle, BundleError, load_bundle
from models.manifest import DetectTask, Task
from models.model_input import Box, Pixels, model_input
from models.onnx_graph import without_input_scaling
from models.session import new_session
from schemas.reasons import ImageError, Reason
from udfs.classify import CategoryReader, Classification, softmax
from udfs.detect import DetectOutputs
from udfs.embed import normalize_embeddings
from udfs.model_attributes import AttributeReader
from udfs.prototypes import PrototypeReader

Floats: TypeAlias = NDArray[np.float32]

CLASSIFY: Final = "classify"
DETECT: Final = "detect"


class Broadcast(Protocol):
    """What is used of a Spark broadcast variable."""

    @property
    def value(self) -> bytes:
        """The packed bundle."""


@dataclass(frozen=True)
class BundleSource:
    """Where a worker finds the bundle; small and picklable, so a UDF may close over it.

    Args:
        sha256: `Bundle.sha256`; the key of the process's cache, and checked after loading.
        broadcast: Spark broadcast of `Bundle.pack()`.
        path: folder or .zip that workers can read (volume, artifact), where broadcasts do not exist.
    """

    sha256: str
    broadcast: Broadcast | None = None
    path: str | None = None

    def __post_init__(self) -> None:
        if (self.broadcast is None) == (self.path is None):
            raise ValueError("BundleSource takes either a broadcast or a path")

    def load(self) -> Bundle:
        """Read and verify the bundle.

        Raises:
            BundleError: it cannot be used, or is not the one the driver meant.
        """
        bundle = load_bundle(self.broadcast.value if self.broadcast else self.path or "")
        if bundle.sha256 != self.sha256:
            raise BundleError(
                f"bundle {bundle.version_id} at {self.path or 'the broadcast'} is not the one the job started with; "
                "start the job again, and do not change a bundle in place"
            )
        return bundle


@dataclass(frozen=True)
class ClassifyResult:
    """One model call. Rows stand in the order of the batch.

    Args:
        probabilities: (N, labels) float32.
        embeddings: (N, embedding dimension) float32, each of length 1.
        heads: (N, labels of the head) float32 by head name; empty for a bundle without attribute heads.
    """

    probabilities: Floats
    embeddings: Floats
    heads: Mapping[str, Floats] = field(default_factory=dict)

    def row(self, index: int) -> ClassifyResult:
        """One picture's result, N = 1."""
        at = slice(index, index + 1)
        heads = {name: probabilities[at] for name, probabilities in self.heads.items()}
        return ClassifyResult(self.probabilities[at], self.embeddings[at], heads)


class Runtime:
    """A bundle's models, ready to run in this process. Get one from `runtime_for`; it cannot be pickled."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self._lock = threading.Lock()
        self._sessions: dict[str, Any] = {}

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a Runtime holds inference sessions and cannot be pickled: pass the BundleSource to the worker and call "
            "runtime_for(source) there"
        )

    @cached_property
    def classify_task(self) -> Task:
        """The classify task; BundleError when the bundle has none."""
        return self.bundle.task(CLASSIFY)

    @cached_property
    def detect_task(self) -> DetectTask:
        """The detect task; BundleError when the bundle has none."""
        return self.bundle.task(DETECT)

    @cached_property
    def detects(self) -> bool:
        """Whether the bundle has a detector."""
        return any(task.name == DETECT for task in self.bundle.manifest.tasks)

    @cached_property
    def category_reader(self) -> CategoryReader:
        """Reads probabilities as taxonomy paths."""
        return CategoryReader.from_bundle(self.bundle, self.classify_task)

    @cached_property
    def prototype_reader(self) -> PrototypeReader | None:
        """Recognizes enrolled types; None when there are none."""
        table, reference = self.bundle.prototypes, self.bundle.embedding_reference
        return PrototypeReader.from_table(table, reference) if table and reference else None

    def prepare(self, pixels: Pixels, box: Box | None = None) -> Pixels:
        """One picture (H, W, 3) uint8 RGB as the classify model wants it; see `model_input`."""
        return model_input(pixels, box, self.classify_task.input)

    def classify(self, batch: Pixels) -> ClassifyResult:
        """Run the classify model on a batch from `prepare`.

        Args:
            batch: (N, height, width, 3) uint8 RGB, N >= 1.

        Raises:
            ImageError: `model_failed`, naming the model. A caller with N > 1 repeats the batch with `classify_each`,
                so that one picture does not fail the others.
        """
        task = self.classify_task
        outputs = [task.outputs.logits, task.outputs.embedding, *(head.output for head in task.heads)]
        logits, embeddings, *of_heads = self._run(task, outputs, batch)
        probabilities, embeddings = softmax(logits, task.temperature), normalize_embeddings(embeddings)
        if self.prototype_reader is not None:
            probabilities = self.prototype_reader.extend(probabilities, embeddings)
        return ClassifyResult(
            probabilities,
            embeddings,
            {head.name: softmax(values, head.temperature) for head, values in zip(task.heads, of_heads, strict=True)},
        )

    def classify_each(self, batch: Pixels) -> list[ClassifyResult | ImageError]:
        """Run a batch whole, or one by one when that fails; each picture gets its result (N = 1) or its error."""
        return _each(self.classify, batch)

    def prepare_detect(self, pixels: Pixels) -> Pixels:
        """One whole picture (H, W, 3) uint8 RGB as the detector wants it; see `model_input`."""
        return model_input(pixels, None, self.detect_task.input)

    def detect(self, batch: Pixels) -> DetectOutputs:
        """Run the detector on a batch from `prepare_detect`; `udfs.detect.read_detections` reads a row.

        Args:
            batch: (N, height, width, 3) uint8 RGB, N >= 1.

        Raises:
            ImageError: `model_failed`, naming the model.
        """
        names = self.detect_task.outputs
        return DetectOutputs(*self._run(self.detect_task, [names.scores, names.distances, names.maps], batch))

    def detect_each(self, batch: Pixels) -> list[DetectOutputs | ImageError]:
        """Run the detector on a batch whole, or one by one when that fails, as `classify_each` does."""
        return _each(self.detect, batch)

    @cached_property
    def attribute_reader(self) -> AttributeReader:
        """Reads the heads' probabilities as attributes."""
        return AttributeReader(self.bundle, self.classify_task)

    def read(self, result: ClassifyResult) -> list[Classification]:
        """Labels and categories of each row."""
        return self.category_reader.classify(result.probabilities)

    def _run(self, task: Task | DetectTask, outputs: list[str], batch: Pixels) -> list[Floats]:
        name = f"{self.bundle.version_id} {task.file}"
        expected = task.input.shape
        if batch.ndim != 4 or batch.shape[1:] != expected or batch.dtype != np.uint8 or not len(batch):
            raise ImageError(
                Reason.MODEL_FAILED, f"{name}: wants (N, *{expected}) uint8, got {batch.shape} {batch.dtype}"
            )
        if task.input.layout == "NCHW":
            batch = batch.transpose(0, 3, 1, 2)
        session = self._session(task.file)
        try:
            values: list[Floats] = session.run(outputs, {task.input.name: np.ascontiguousarray(batch)})
        except Exception as error:  # onnxruntime raises its own C++ exception types, which share no base but Exception
            raise ImageError(Reason.MODEL_FAILED, f"{name}: {error}") from error
        for output, value in zip(outputs, values, strict=True):
            if not np.isfinite(value).all():
                raise ImageError(Reason.MODEL_FAILED, f"{name}: output {output} is not finite")
        return values

    def _session(self, file: str) -> Any:
        with self._lock:
            if file not in self._sessions:
                self._sessions[file] = load_session(self.bundle, file)
            return self._sessions[file]


class _Rows(Protocol):
    """Results of a batch."""

    def row(self, index: int) -> Self:
        """One picture's result."""


_Result = TypeVar("_Result", bound=_Rows)


def _each(model: Callable[[Pixels], _Result], batch: Pixels) -> list[_Result | ImageError]:
    try:
        whole = model(batch)
        return [whole.row(row) for row in range(len(batch))]
    except ImageError as error:
        if len(batch) == 1:
            return [error]
    return [_each(model, batch[row : row + 1])[0] for row in range(len(batch))]


def load_session(bundle: Bundle, file: str) -> Any:
    """An inference session for one file of a bundle.

    Raises:
        BundleError: onnxruntime cannot load the file.
    """
    try:
        return new_session(without_input_scaling(bundle.files[file]))
    except Exception as error:  # onnxruntime raises its own C++ exception types, which share no base but Exception
        raise BundleError(
            f"bundle {bundle.version_id}: onnxruntime {onnxruntime.__version__} cannot load {file} ({error}); "
            "upgrade onnxruntime or export the model again"
        ) from error


_runtimes: dict[str, Runtime] = {}
_runtimes_lock = threading.Lock()


def runtime_for(source: BundleSource) -> Runtime:
    """The process's runtime for that bundle; loaded and verified on the first call, then reused.

    Raises:
        BundleError: the bundle cannot be used.
    """
    with _runtimes_lock:
        runtime = _runtimes.get(source.sha256)
        if runtime is None:
            cv2.setNumThreads(1)
            runtime = _runtimes[source.sha256] = Runtime(source.load())
        return runtime
