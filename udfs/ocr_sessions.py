"""Sessions of the text models: built lazily, once per process, never pickled."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NoReturn, TypeAlias

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from models.ocr_models import DETECT, ORIENT, RECOGNIZE, OcrFile, OcrModels, OcrModelsError
from models.onnx_graph import read_metadata, without_subnormals
from models.openvino_session import OpenVinoSession, why_unfit
from models.session import new_session
from schemas.reasons import ImageError, Reason
from schemas.settings import TextEngine

Floats: TypeAlias = NDArray[np.float32]

_BLANK, _SPACE = "", " "

LEAST_PICTURES = 500
"""Pictures per process from which `auto` takes OpenVINO: its start costs what it saves on about 230
(`benchmarks/steps`)."""


@dataclass(frozen=True)
class Network:
    """A loaded model with one input and one output of interest.

    Args:
        name: file name, for messages.
        compute: its first output for a batch.
    """

    name: str
    compute: Callable[[Floats], Floats]

    def run(self, batch: Floats) -> Floats:
        """The first output for a batch (N, 3, H, W) float32.

        Raises:
            ImageError: `model_failed`, naming the model.
        """
        try:
            return self.compute(batch)
        except Exception as error:  # onnxruntime raises its own C++ exception types, which share no base but Exception
            raise ImageError(Reason.MODEL_FAILED, f"{self.name} on {batch.shape}: {error}") from error


class TextEngineError(OcrModelsError):
    """The engine that was asked for is not installed or no use on this CPU; says what to do."""


class OcrSessions:
    """The text models of one source. Get one from `ocr_sessions_for`; it cannot be pickled.

    Args:
        source: where the models are.
        engine: what reads lines; lines are found by onnxruntime, which other sizes of pictures do not slow down.
    """

    def __init__(self, source: OcrModels, engine: TextEngine = "onnxruntime") -> None:
        self._source = source
        self._engine = engine
        self._lock = threading.Lock()
        self._networks: dict[OcrFile, Network] = {}
        self._characters: tuple[str, ...] = ()

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "OcrSessions holds inference sessions and cannot be pickled: pass OcrModels to the worker and call "
            "ocr_sessions_for(source) there"
        )

    @property
    def detector(self) -> Network:
        """Finds lines."""
        return self._network(DETECT)

    @property
    def recognizer(self) -> Network:
        """Reads lines."""
        return self._network(RECOGNIZE)

    @property
    def orienter(self) -> Network:
        """Tells lines that stand on their head."""
        return self._network(ORIENT)

    @property
    def characters(self) -> tuple[str, ...]:
        """The recognizer's alphabet by class: the blank of CTC first, then the model's own list, then the space.

        Raises:
            OcrModelsError: the model carries no list.
        """
        _ = self.recognizer
        return self._characters

    def _network(self, file: OcrFile) -> Network:
        with self._lock:
            if file not in self._networks:
                model = without_subnormals(self._source.read(file))
                if file is RECOGNIZE:
                    self._characters = _alphabet(model)
                by_openvino = file is RECOGNIZE and usable_engine(self._engine) == "openvino"
                self._networks[file] = _load_by_openvino(model, file) if by_openvino else _load(model, file)
            return self._networks[file]


def usable_engine(engine: TextEngine) -> Literal["onnxruntime", "openvino"]:
    """The engine that reads lines in this process.

    Raises:
        TextEngineError: `openvino` is asked for where it is not installed or no use.
    """
    if engine == "onnxruntime":
        return engine
    reason = why_unfit()
    if reason and engine == "openvino":
        raise TextEngineError(f"text.engine is openvino, but {reason}, or set text.engine=auto")
    return "onnxruntime" if reason else "openvino"


def engine_for(engine: TextEngine, pictures_per_process: float) -> TextEngine:
    """`auto` settled where there is too little work for OpenVINO's start to pay; other choices as they are."""
    return "onnxruntime" if engine == "auto" and pictures_per_process < LEAST_PICTURES else engine


def _alphabet(model: bytes) -> tuple[str, ...]:
    listed = read_metadata(model).get("character")
    if not listed:
        raise OcrModelsError(f"{RECOGNIZE.name} carries no list of characters; install the release that does")
    return (_BLANK, *listed.splitlines(), _SPACE)


def _load_by_openvino(model: bytes, file: OcrFile) -> Network:
    try:
        return Network(file.name, OpenVinoSession(model).run)
    except (ImportError, RuntimeError) as error:
        raise TextEngineError(
            f"openvino cannot load {file.name} ({error}); upgrade it, or set text.engine=onnxruntime"
        ) from error


def _load(model: bytes, file: OcrFile) -> Network:
    try:
        session = new_session(model)
    except Exception as error:  # onnxruntime raises its own C++ exception types, which share no base but Exception
        raise OcrModelsError(
            f"onnxruntime {onnxruntime.__version__} cannot load {file.name} ({error}); upgrade onnxruntime"
        ) from error
    given, asked = session.get_inputs()[0].name, session.get_outputs()[0].name

    def compute(batch: Floats) -> Floats:
        values: Floats = session.run([asked], {given: batch})[0]
        return values

    return Network(file.name, compute)


_sessions: dict[tuple[OcrModels, TextEngine], OcrSessions] = {}
_sessions_lock = threading.Lock()


def ocr_sessions_for(source: OcrModels | None = None, engine: TextEngine = "onnxruntime") -> OcrSessions:
    """The process's text models of that source; each is loaded and verified when first used, then kept."""
    key = (source or OcrModels(), engine)
    with _sessions_lock:
        return _sessions.setdefault(key, OcrSessions(*key))
