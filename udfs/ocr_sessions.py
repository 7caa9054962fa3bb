"""Sessions of the text models: built lazily, once per process, never pickled."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NoReturn, TypeAlias

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from models.ocr_models import DETECT, ORIENT, RECOGNIZE, OcrFile, OcrModels, OcrModelsError
from models.session import new_session
from schemas.reasons import ImageError, Reason

Floats: TypeAlias = NDArray[np.float32]

_BLANK, _SPACE = "", " "


@dataclass(frozen=True)
class Network:
    """A loaded model with one input and one output of interest.

    Args:
        name: file name, for messages.
        session: onnxruntime session.
        input_name: name of its input.
        output_name: name of its first output.
    """

    name: str
    session: Any
    input_name: str
    output_name: str

    def run(self, batch: Floats) -> Floats:
        """The first output for a batch (N, 3, H, W) float32.

        Raises:
            ImageError: `model_failed`, naming the model.
        """
        try:
            values: Floats = self.session.run([self.output_name], {self.input_name: batch})[0]
        except Exception as error:  # onnxruntime raises its own C++ exception types, which share no base but Exception
            raise ImageError(Reason.MODEL_FAILED, f"{self.name} on {batch.shape}: {error}") from error
        return values


class OcrSessions:
    """The text models of one source. Get one from `ocr_sessions_for`; it cannot be pickled."""

    def __init__(self, source: OcrModels) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._networks: dict[OcrFile, Network] = {}

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

    @cached_property
    def characters(self) -> tuple[str, ...]:
        """The recognizer's alphabet by class: the blank of CTC first, then the model's own list, then the space.

        Raises:
            OcrModelsError: the model carries no list.
        """
        listed = self.recognizer.session.get_modelmeta().custom_metadata_map.get("character")
        if not listed:
            raise OcrModelsError(f"{RECOGNIZE.name} carries no list of characters; install the release that does")
        return (_BLANK, *listed.splitlines(), _SPACE)

    def _network(self, file: OcrFile) -> Network:
        with self._lock:
            if file not in self._networks:
                self._networks[file] = _load(self._source, file)
            return self._networks[file]


def _load(source: OcrModels, file: OcrFile) -> Network:
    try:
        session = new_session(source.read(file))
    except OcrModelsError:
        raise
    except Exception as error:  # onnxruntime raises its own C++ exception types, which share no base but Exception
        raise OcrModelsError(
            f"onnxruntime {onnxruntime.__version__} cannot load {file.name} ({error}); upgrade onnxruntime"
        ) from error
    return Network(file.name, session, session.get_inputs()[0].name, session.get_outputs()[0].name)


_sessions: dict[OcrModels, OcrSessions] = {}
_sessions_lock = threading.Lock()


def ocr_sessions_for(source: OcrModels | None = None) -> OcrSessions:
    """The process's text models of that source; each is loaded and verified when first used, then kept."""
    with _sessions_lock:
        return _sessions.setdefault(source or OcrModels(), OcrSessions(source or OcrModels()))
