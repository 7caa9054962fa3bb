"""Networks in bfloat16 on the CPU, by OpenVINO: an optional package, and worth it only on CPUs that multiply bfloat16.

onnxruntime has no bfloat16 kernels for x86, and networks of nothing but products are bound by those. Nothing but
`OpenVinoSession` imports the package, which takes 0.3 s.
"""

from __future__ import annotations

import importlib.util
import threading
from typing import Any, Literal, NoReturn, TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.session import cpu_multiplies_bfloat16

Floats: TypeAlias = NDArray[np.float32]
Precision: TypeAlias = Literal["bf16", "f32"]

PACKAGE = "openvino"

COMPILED_PARTS = 2_000
"""Compiled layers that are kept, the latest used: those of about 60 shapes of the reader, at up to 6 MiB a shape.
OpenVINO's own limit is 5,000."""


def why_unfit() -> str | None:
    """Why OpenVINO is no use here and what to do about it; None where it is installed and the CPU is fit."""
    if importlib.util.find_spec(PACKAGE) is None:
        return f"the package {PACKAGE} is not installed; install vitrine[{PACKAGE}]"
    if not cpu_multiplies_bfloat16():
        return "this CPU multiplies no bfloat16 (flags avx512_bf16, amx_bf16); use machines that do, or onnxruntime"
    return None


class OpenVinoSession:
    """A network with one input and one output of interest, on one thread. It cannot be pickled: load it where it runs.

    What was compiled for a shape of the input is kept, within `COMPILED_PARTS`: the first call of each shape takes
    longer (measured for reading lines: 17 ms), so shapes should be few.

    Args:
        model: serialized ONNX model.
        precision: of products and of what lies between layers; input and output are float32.

    Raises:
        RuntimeError: OpenVINO cannot load it.
        ImportError: the package is missing.
    """

    def __init__(self, model: bytes, precision: Precision = "bf16") -> None:
        import openvino

        core = openvino.Core()
        settings = {
            "INFERENCE_NUM_THREADS": 1,
            "NUM_STREAMS": 1,
            # All workers of a machine would be held to its first core.
            "ENABLE_CPU_PINNING": False,
            "INFERENCE_PRECISION_HINT": precision,
            "CPU_RUNTIME_CACHE_CAPACITY": str(COMPILED_PARTS),
        }
        self._request: Any = core.compile_model(core.read_model(model), "CPU", settings).create_infer_request()
        self._lock = threading.Lock()

    def __reduce__(self) -> NoReturn:
        raise TypeError("OpenVinoSession holds a compiled network and cannot be pickled")

    def run(self, batch: Floats) -> Floats:
        """The first output, float32, for an input of any size that the model takes."""
        with self._lock:
            values: Floats = self._request.infer([batch], share_inputs=True)[0]
        return values
