"""Exports the trained detector: `python -m models.detector.export --checkpoint FILE --samples DIR --out DIR`.

The ONNX graph takes uint8 pictures; normalization is inside. The folder gets the int8 model, the fp32 model it was
quantized from (for comparison, not to be shipped) and `task.json`, the task as a bundle's manifest states it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from models.detector.network import Detector
from models.detector.samples import Bytes, Sample
from models.detector.train import read_network, read_split
from models.manifest import DetectOutputSpec, DetectTask, InputSpec
from models.model_input import model_input
from models.onnx_export import export_onnx
from models.quantize import quantize_int8

SIDE = 192
MODEL_FILE, REFERENCE_FILE, TASK_FILE = "detect.int8.onnx", "detect.fp32.onnx", "task.json"
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


def export_fp32(network: Detector) -> bytes:
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


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, default=Path(".cache/detector/run/checkpoint.pt"))
    parser.add_argument("--samples", type=Path, default=Path(".cache/detector"), help="folder of the training samples")
    parser.add_argument("--out", type=Path, required=True, help="folder for the models")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    reference = export_fp32(read_network(options.checkpoint))
    quantized = export_int8(reference, read_split(options.samples, "train"))
    (options.out / REFERENCE_FILE).write_bytes(reference)
    (options.out / MODEL_FILE).write_bytes(quantized)
    (options.out / TASK_FILE).write_text(TASK.model_dump_json(indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(f"{MODEL_FILE}: {len(quantized)} bytes; {REFERENCE_FILE}: {len(reference)} bytes\n")


if __name__ == "__main__":
    main()
