"""Exports the trained detector: an ONNX graph that takes uint8 pictures, normalization inside, and its int8 form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from models.detector.samples import Bytes, Sample
from models.manifest import DetectOutputSpec, DetectTask, InputSpec
from models.model_input import model_input
from models.onnx_export import export_onnx
from models.quantize import quantize_int8

SIDE = 192
MODEL_FILE, REFERENCE_FILE = "detect.int8.onnx", "detect.fp32.onnx"
CALIBRATION_PICTURES = 320

TASK = DetectTask(
    name="detect",
    file=MODEL_FILE,
    input=InputSpec(name="image", height=SIDE, width=SIDE, resize="pad", region="image", box_margin=0.0),
    outputs=DetectOutputSpec(scores="scores", distances="distances", maps="maps"),
    product_threshold=0.3,
    tag_threshold=0.3,
    text_threshold=0.5,
    mask_threshold=0.5,
)
"""How the model is fed and read. The thresholds are round numbers that did well on the val splits."""


def export_fp32(network: Any) -> bytes:
    """The network as an ONNX model: input `image` (N, 192, 192, 3) uint8; outputs as in `Detector.forward`."""
    names = TASK.outputs
    return export_onnx(network.eval(), SIDE, (names.scores, names.distances, names.maps))


def export_int8(model: bytes, samples: Sequence[Sample], seed: int = 0) -> bytes:
    """Quantize the fp32 model with ranges from training samples, drawn with a fixed seed."""
    rows = np.random.default_rng(seed).permutation(len(samples))[:CALIBRATION_PICTURES]
    return quantize_int8(model, [prepared(samples[row].pixels) for row in rows])


def prepared(pixels: Bytes) -> Bytes:
    """A picture as the model wants it."""
    return model_input(pixels, None, TASK.input)
