"""How `vitrine train --network detector` makes the detector; see `models.families.Family`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from pydantic import JsonValue
from torch import nn

from models.bundle import Bundle, write_bundle
from models.detector.data import DetectorData
from models.detector.export import REFERENCE_FILE, TASK, export_fp32, export_int8
from models.detector.network import Detector
from models.detector.objective import DetectorObjective, Run, found_products
from models.detector.samples import Bytes, Sample
from models.label_space import LabelSpace
from models.labelled import LabelledImage
from models.manifest import ManifestDraft
from models.quantize import milliseconds_per_image
from models.recipe import Recipe
from models.session import new_session
from models.trainer import Trained
from udfs.detect import DetectOutputs

NAME = "detector"
PRETRAINED = "Apache-2.0 (EfficientNet-Lite0, ImageNet)"


class DetectorFamily:
    """Boxes and maps instead of labels, everything else as for the other networks."""

    def load_data(self, images: Sequence[LabelledImage], recipe: Recipe, cache: Path, progress: Any) -> DetectorData:
        """See `Family`."""
        return DetectorData.load(images, recipe, cache, progress)

    def build(self, space: LabelSpace, recipe: Recipe) -> nn.Module:
        """See `Family`."""
        del space, recipe
        return Detector()

    def train(self, data: DetectorData, recipe: Recipe, out: Path, say: Any, deadline: float | None) -> Trained:
        """See `Family`."""
        from models.families import train_and_save

        say(f"samples: {_counted(data.training)}; to validate on: {_counted(data.validation)}")
        torch.manual_seed(recipe.seed)
        objective = DetectorObjective(data, recipe)
        return train_and_save(Detector(), objective, LabelSpace((), {}), recipe, out, say, deadline)

    def export(self, data: DetectorData, recipe: Recipe, out: Path, version: str, say: Any) -> Bundle:
        """A bundle of the `detect` task alone in `out/bundle`; `models.compose.with_detector` adds it to others.

        The fp32 model that it was quantized from stays in `out`.
        """
        from models.families import load_trained

        network, _, _ = load_trained(out)
        say("exporting")
        reference = export_fp32(network)
        (out / REFERENCE_FILE).write_bytes(reference)
        say("quantizing")
        model = export_int8(reference, data.training, recipe.seed)
        say("measuring")
        draft = ManifestDraft(
            name=NAME,
            version=version,
            created_at=datetime.now(UTC).replace(microsecond=0),
            tasks=(TASK,),
            embedding_dimension=0,
            training_data=f"{len(data.training)} samples of the train splits ({_counted(data.training)}), from "
            f"{PRETRAINED}; measured on {len(data.validation)} of the val splits ({_counted(data.validation)})",
            metrics={
                "int8_against_fp32": _compare(reference, model, data),
                "milliseconds_per_image_by_batch": dict(milliseconds_per_image(model, TASK.input.height)),
            },
            licenses={
                "initial weights": PRETRAINED,
                "trained weights": "Apache-2.0",
                **{f"data {name}": stated for name, stated in data.licenses.items()},
            },
            minimum_runtime={"onnxruntime": "1.22"},
        )
        return write_bundle(out / "bundle", draft, {TASK.file: model}, overwrite=True)


def _counted(samples: Sequence[Sample]) -> str:
    counts = Counter(sample.source for sample in samples)
    return ", ".join(f"{name or 'unnamed'} {count}" for name, count in sorted(counts.items()))


def _compare(reference: bytes, chosen: bytes, data: DetectorData) -> dict[str, JsonValue]:
    """Figures of both on the validation samples, by name."""
    size = TASK.input.height
    fp32, int8 = (found_products(_runner(model), data.validation, size) for model in (reference, chosen))
    return {name: {"fp32": round(fp32[name], 4), "int8": round(int8[name], 4)} for name in fp32}


def _runner(model: bytes) -> Run:
    session, names = new_session(model), TASK.outputs

    def run(pictures: Bytes) -> DetectOutputs:
        return DetectOutputs(*session.run([names.scores, names.distances, names.maps], {TASK.input.name: pictures}))

    return run
