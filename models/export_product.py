"""A trained network as a bundle: ONNX, int8, temperatures, thresholds, and what the rest needs to read it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from models.bundle import Bundle, write_bundle
from models.calibrate import fit_temperature, log_probabilities, threshold_for
from models.families import load_trained
from models.label_space import HELD_OUT_TYPES, LabelSpace
from models.labelled import LabelledImage
from models.losses import UNLABELLED
from models.manifest import Head, InputSpec, ManifestDraft, OutputSpec, Task, Thresholds
from models.network import CATEGORY, EMBEDDING, outputs_in_order
from models.onnx_export import export_onnx
from models.prototypes import EmbeddingReference, build_reference
from models.quantize import milliseconds_per_image, quantize_int8
from models.session import new_session
from models.training_data import TrainingData, input_spec

Precision = Literal["fp32", "int8"]
Floats = NDArray[np.float32]
Outputs = dict[str, Floats]

CALIBRATION_PICTURES = 512
PRETRAINED = "Apache-2.0 (EfficientNet-Lite0, ImageNet)"
# What is stated should be right this often on the validation pictures.
_CATEGORY_PRECISION = {"type": 0.9, "category": 0.93, "department": 0.95}
_HEAD_PRECISION = 0.8
_BATCH = 32


class ExportData(TrainingData, Protocol):
    """What the export needs of a data set beside what the trainer does."""

    @property
    def images(self) -> Sequence[LabelledImage]:
        """The rows, by index."""

    def training(self) -> NDArray[np.int64]:
        """Indices of the training pictures."""


class _Graph:
    """Builds the torch module with the graph's outputs; torch is imported late so that reading needs none."""

    @staticmethod
    def of(network: Any) -> Any:
        from torch import nn

        class Exported(nn.Module):  # type: ignore[misc]
            def __init__(self) -> None:
                super().__init__()
                self.network = network

            def forward(self, image: Any) -> Any:
                return outputs_in_order(self.network(image))

        return Exported().eval()


@dataclass(frozen=True)
class ExportedModel:
    """An ONNX model and what was measured on it.

    Args:
        model: the ONNX file's bytes.
        outputs: of the validation pictures, by name.
    """

    model: bytes
    outputs: Outputs


def export_bundle(
    trained: Path,
    data: ExportData,
    out: Path,
    *,
    version: str,
    size: int,
    name: str = "product-lite0",
    spec: InputSpec | None = None,
    pretrained: str | None = PRETRAINED,
    precision: Precision = "int8",
    metrics: Mapping[str, JsonValue] | None = None,
    overwrite: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> Bundle:
    """Export, quantize, calibrate and write the bundle.

    Args:
        trained: folder that `vitrine train` filled.
        data: the pictures that it was trained and validated on.
        out: the bundle's folder.
        version: of the bundle.
        size: px, of the square input.
        name: of the bundle.
        spec: how pictures are brought to the network; the product network's way by default.
        pretrained: license and name of the weights that training began with, None for none.
        precision: int8, or fp32 to compare with.
        metrics: measured elsewhere, kept in the manifest.
        overwrite: replace a bundle that is there.
        say: takes a line per step.
    """
    network, space, recipe = load_trained(trained)
    spec = spec or input_spec(size)
    names = (CATEGORY, EMBEDDING, *space.heads)
    say("exporting")
    fp32 = export_onnx(_Graph.of(network), size, names, channels=spec.channels)
    validation = data.validation()
    reference = ExportedModel(fp32, run(fp32, data, validation, size))
    chosen = reference
    if precision == "int8":
        say("quantizing")
        generator = np.random.default_rng(recipe.seed)
        pictures = data.views(data.draw(CALIBRATION_PICTURES, generator), size)
        model = quantize_int8(fp32, list(pictures))
        chosen = ExportedModel(model, run(model, data, validation, size))
    say("calibrating")
    right = right_labels(data, validation, space)
    temperatures = {name: fit_temperature(chosen.outputs[name], mask) for name, mask in right.items()}
    measured: dict[str, JsonValue] = {
        **dict(metrics or {}),
        "int8_against_fp32": _compare(reference.outputs, chosen.outputs, right),
        "milliseconds_per_image_by_batch": dict(milliseconds_per_image(chosen.model, size, channels=spec.channels)),
    }
    file = f"classify.{precision}.onnx"
    draft = ManifestDraft(
        name=name if precision == "int8" else f"{name}-{precision}",
        version=version,
        created_at=datetime.now(UTC).replace(microsecond=0),
        tasks=(_task(file, spec, space, chosen.outputs, right, temperatures),),
        embedding_dimension=recipe.embedding_dimension,
        training_data=training_summary(data, pretrained),
        metrics=measured,
        licenses=licenses_of(data, pretrained),
        minimum_runtime={"onnxruntime": "1.22"},
    )
    files = {
        file: chosen.model,
        "labels.json": json_file(space.leaves),
        "label_to_taxonomy.json": json_file(space.label_paths()),
    }
    files |= {f"labels.{head}.json": json_file(labels) for head, labels in space.heads.items()}
    return write_bundle(out, draft, files, overwrite=overwrite)


def run(model: bytes, data: ExportData, indices: NDArray[np.int64], size: int) -> Outputs:
    """Outputs by name for views of pictures, on one thread."""
    session = new_session(model)
    names = [output.name for output in session.get_outputs()]
    batches = [
        session.run(names, {"image": data.views(indices[start : start + _BATCH], size)})
        for start in range(0, len(indices), _BATCH)
    ]
    return {name: np.concatenate([batch[place] for batch in batches]) for place, name in enumerate(names)}


def right_labels(data: ExportData, indices: NDArray[np.int64], space: LabelSpace) -> dict[str, NDArray[np.bool_]]:
    """What counts as right, (N, labels) bool by output; rows without any are not labelled."""
    targets = data.targets(indices)
    right: dict[str, NDArray[np.bool_]] = {CATEGORY: targets.leaves.numpy()}
    for head, labels in targets.heads.items():
        known = labels.numpy()
        mask = np.zeros((len(known), len(space.heads[head])), np.bool_)
        rows = np.flatnonzero(known != UNLABELLED)
        mask[rows, known[rows]] = True
        right[head] = mask
    return right


def _task(
    file: str,
    spec: InputSpec,
    space: LabelSpace,
    outputs: Outputs,
    right: Mapping[str, NDArray[np.bool_]],
    temperatures: Mapping[str, float],
) -> Task:
    heads = tuple(
        Head(
            name=head,
            output=head,
            labels_file=f"labels.{head}.json",
            temperature=round(temperatures[head], 4),
            threshold=head_threshold(outputs[head], right[head], temperatures[head]),
        )
        for head in space.heads
    )
    return Task(
        name="classify",
        file=file,
        input=spec,
        outputs=OutputSpec(logits=CATEGORY, embedding=EMBEDDING),
        labels_file="labels.json",
        label_to_taxonomy_file="label_to_taxonomy.json",
        temperature=round(temperatures[CATEGORY], 4),
        thresholds=category_thresholds(space, outputs[CATEGORY], right[CATEGORY], temperatures[CATEGORY]),
        heads=heads,
    )


def head_threshold(logits: Floats, right: NDArray[np.bool_], temperature: float) -> float:
    """Probability from which on a head's best label is right often enough to state it."""
    known = right.any(axis=1)
    probabilities = np.exp(log_probabilities(logits[known], temperature))
    best = probabilities.argmax(axis=1)
    return threshold_for(
        probabilities.max(axis=1).astype(np.float32), right[known][np.arange(len(best)), best], _HEAD_PRECISION
    )


def category_thresholds(space: LabelSpace, logits: Floats, right: NDArray[np.bool_], temperature: float) -> Thresholds:
    """Per level: sum the leaves' probabilities below each path, take the best path, ask how often it is right."""
    probabilities = np.exp(log_probabilities(logits, temperature))
    thresholds = {}
    for depth, (level, precision) in enumerate(reversed(_CATEGORY_PRECISION.items()), start=1):
        paths = sorted({"/".join(leaf.split("/")[:depth]) for leaf in space.leaves})
        below = np.zeros((len(space.leaves), len(paths)), np.float64)
        for row, leaf in enumerate(space.leaves):
            below[row, paths.index("/".join(leaf.split("/")[:depth]))] = 1
        labelled = right.astype(np.float64) @ below > 0
        # A label that spans several paths of this level says nothing at this level.
        clear = labelled.sum(axis=1) == 1
        at_level = probabilities[clear] @ below
        best = at_level.argmax(axis=1)
        thresholds[level] = threshold_for(
            at_level.max(axis=1).astype(np.float32), labelled[clear][np.arange(len(best)), best], precision
        )
    return Thresholds(**thresholds)


def _compare(reference: Outputs, chosen: Outputs, right: Mapping[str, NDArray[np.bool_]]) -> dict[str, JsonValue]:
    """Accuracy of both on the labelled validation pictures, by head, and how close the embeddings are."""
    result: dict[str, JsonValue] = {}
    for name, mask in right.items():
        known = np.flatnonzero(mask.any(axis=1))
        both = [float(mask[known, outputs[name][known].argmax(axis=1)].mean()) for outputs in (reference, chosen)]
        result[name] = {"images": len(known), "fp32": round(both[0], 4), "int8": round(both[1], 4)}
    pairs = [
        outputs[EMBEDDING] / np.linalg.norm(outputs[EMBEDDING], axis=1, keepdims=True)
        for outputs in (reference, chosen)
    ]
    cosines = (pairs[0] * pairs[1]).sum(axis=1)
    result["embedding_cosine"] = {
        "mean": round(float(cosines.mean()), 4),
        "p05": round(float(np.percentile(cosines, 5)), 4),
    }
    return result


def reference_of(bundle: Bundle, data: ExportData, per_leaf: int = 64) -> EmbeddingReference:
    """Sample of the training pictures' embeddings, which enrolling new types needs.

    Args:
        bundle: the exported network.
        data: the pictures that it was trained on.
        per_leaf: pictures whose mean stands for a leaf.
    """
    task = bundle.task("classify")
    indices = data.training()
    leaves = data.targets(indices).leaves.numpy()
    # A label that spans several leaves says nothing about one of them.
    clear = np.flatnonzero(leaves.sum(axis=1) == 1)
    of_row = leaves[clear].argmax(axis=1)
    chosen = np.sort(np.concatenate([clear[of_row == leaf][:per_leaf] for leaf in np.unique(of_row)]))
    embeddings = run(bundle.files[task.file], data, indices[chosen], task.input.height)[task.outputs.embedding]
    names = bundle.labels(task)
    return build_reference(embeddings, [names[leaf] for leaf in leaves[chosen].argmax(axis=1)])


def training_summary(data: ExportData, pretrained: str | None) -> str:
    """What the weights were trained on, in one sentence."""
    training = [data.images[int(index)] for index in data.training()]
    counts = ", ".join(f"{name} {count}" for name, count in sorted(Counter(one.dataset for one in training).items()))
    return (
        f"{len(training)} labelled pictures of the train splits ({counts}), from {pretrained or 'random weights'}; "
        f"calibrated on the val splits ({len(data.validation())} pictures); types "
        f"{', '.join(sorted(HELD_OUT_TYPES))} were held out"
    )


def licenses_of(data: ExportData, pretrained: str | None) -> dict[str, str]:
    """License as stated upstream, by part."""
    stated = {f"data {image.dataset}": image.license for image in data.images}
    return {**({"initial weights": pretrained} if pretrained else {}), "trained weights": "Apache-2.0", **stated}


def json_file(value: Any) -> bytes:
    """A JSON file of a bundle, readable in a diff."""
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode()
