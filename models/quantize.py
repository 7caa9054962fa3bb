"""Static int8 quantization of ONNX models, and what it costs: agreement with fp32 and milliseconds per image.

Needs the `train` extra (onnx); extraction never imports this module.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from models.session import new_session

Pixels = NDArray[np.uint8]

_FULLY_CONNECTED = ("Gemm", "MatMul")


class _Reader(CalibrationDataReader):  # type: ignore[misc]
    """Feeds calibration pictures one by one."""

    def __init__(self, input_name: str, pictures: Iterable[Pixels]) -> None:
        self._feeds = ({input_name: picture[np.newaxis]} for picture in pictures)

    def get_next(self) -> dict[str, Pixels] | None:
        return next(self._feeds, None)


def quantize_int8(model: bytes, pictures: Sequence[Pixels], *, reduce_range: bool = False) -> bytes:
    """Quantize weights per channel (int8, symmetric) and activations per tensor (uint8, extremes) in QDQ form.

    Fully connected layers stay in float: they take a hundredth of the time, and with logits of 8 bits the small heads
    lost up to a point of accuracy.

    Args:
        model: fp32 ONNX model with one uint8 NHWC input.
        pictures: calibration pictures (H, W, 3) uint8 of the model's input size.
        reduce_range: 7-bit weights, which cannot overflow the 16-bit sums of CPUs without VNNI. Not needed with the
            sessions of `models.session`, and it cost agreement with fp32 here (embedding cosine 0.992 to 0.969).

    Returns:
        The quantized ONNX model.
    """
    with tempfile.TemporaryDirectory() as folder:
        source, prepared, target = (Path(folder) / name for name in ("fp32.onnx", "prepared.onnx", "int8.onnx"))
        source.write_bytes(model)
        quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        name = new_session(prepared.read_bytes()).get_inputs()[0].name
        nodes = onnx.load(str(prepared)).graph.node
        quantize_static(
            str(prepared),
            str(target),
            _Reader(name, pictures),
            quant_format=QuantFormat.QDQ,
            nodes_to_exclude=[node.name for node in nodes if node.op_type in _FULLY_CONNECTED],
            per_channel=True,
            reduce_range=reduce_range,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
        )
        return target.read_bytes()


@dataclass(frozen=True)
class Agreement:
    """How close a model stays to its reference on the same pictures."""

    images: int
    top1_agreement: float
    mean_embedding_cosine: float
    p05_embedding_cosine: float

    def as_dict(self) -> dict[str, float | int]:
        """For a manifest; shares rounded to four digits."""
        return {key: round(value, 4) for key, value in asdict(self).items()}


def compare(reference: bytes, candidate: bytes, pictures: Sequence[Pixels]) -> Agreement:
    """Run both models, outputs `logits` and `embedding`, on pictures that neither was calibrated on."""
    expected_logits, expected_embeddings = run_model(reference, pictures)
    logits, embeddings = run_model(candidate, pictures)
    norms = np.linalg.norm(embeddings, axis=1) * np.linalg.norm(expected_embeddings, axis=1)
    cosines = (embeddings * expected_embeddings).sum(axis=1) / norms
    return Agreement(
        images=len(pictures),
        top1_agreement=float((logits.argmax(axis=1) == expected_logits.argmax(axis=1)).mean()),
        mean_embedding_cosine=float(cosines.mean()),
        p05_embedding_cosine=float(np.percentile(cosines, 5)),
    )


def run_model(
    model: bytes, pictures: Sequence[Pixels], batch: int = 16
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Logits (N, labels) and embeddings (N, dimension) of pictures, on one thread."""
    session = new_session(model)
    name = session.get_inputs()[0].name
    outputs = [
        session.run(["logits", "embedding"], {name: np.stack(pictures[start : start + batch])})
        for start in range(0, len(pictures), batch)
    ]
    return np.concatenate([pair[0] for pair in outputs]), np.concatenate([pair[1] for pair in outputs])


def milliseconds_per_image(
    model: bytes, size: int, batches: Sequence[int] = (1, 8, 16, 32), channels: int = 3
) -> dict[str, float]:
    """Best of several runs per batch size, on one thread; the best is what other load disturbs least."""
    session = new_session(model)
    name = session.get_inputs()[0].name
    generator = np.random.default_rng(0)
    result = {}
    for batch in batches:
        pixels = generator.integers(0, 256, (batch, size, size, channels), dtype=np.uint8)
        session.run(None, {name: pixels})
        seconds = []
        for _ in range(max(3, 48 // batch)):
            start = time.perf_counter()
            session.run(None, {name: pixels})
            seconds.append(time.perf_counter() - start)
        result[str(batch)] = round(min(seconds) / batch * 1000, 2)
    return result
