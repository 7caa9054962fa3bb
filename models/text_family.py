"""How `vitrine train --recipe text` makes the text network; see `models.families.Family`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import JsonValue
from torch import nn

from models.bundle import Bundle, write_bundle
from models.calibrate import fit_temperature
from models.export_product import (
    category_thresholds,
    head_threshold,
    json_file,
    licenses_of,
    right_labels,
    training_summary,
)
from models.label_space import LabelSpace
from models.labelled import LabelledImage
from models.manifest import Head, ManifestDraft, TextInputSpec, TextOutputSpec, UnderstandTask
from models.network import CATEGORY
from models.recipe import Recipe
from models.session import new_session
from models.text_augment import without_terms
from models.text_data import TextData, encoder_of, text_settings
from models.text_encoding import ProductText, padded, read_passages
from models.text_export import ATTENTION, IDS, SEGMENTS, text_graph
from models.text_network import TextNetwork, TextNetworkSpec
from models.text_terms import load_lexicon
from models.trainer import Trained

NAME = "text"
MODEL_FILE = "understand.onnx"

_BATCH = 64

Outputs = dict[str, NDArray[np.float32]]


class TextFamily:
    """Texts instead of pictures, everything else as for the other networks."""

    def load_data(self, images: Sequence[LabelledImage], recipe: Recipe, cache: Path, progress: Any) -> TextData:
        """See `Family`."""
        del cache, progress
        return TextData.load(images, recipe)

    def build(self, space: LabelSpace, recipe: Recipe) -> nn.Module:
        """See `Family`."""
        settings = text_settings(recipe)
        spec = TextNetworkSpec(
            vocabulary=encoder_of(settings, load_lexicon()).vocabulary,
            width=settings.width,
            channels=settings.channels,
            hidden=settings.hidden,
            dropout=recipe.dropout,
        )
        return TextNetwork(space, spec)

    def train(self, data: TextData, recipe: Recipe, out: Path, say: Any, deadline: float | None) -> Trained:
        """See `Family`."""
        from models.families import train_labels

        # Batches are small: more threads would wait for one another.
        torch.set_num_threads(1)
        torch.manual_seed(recipe.seed)
        return train_labels(self.build(data.space, recipe), data, recipe, out, say, deadline)

    def export(self, data: TextData, recipe: Recipe, out: Path, version: str, say: Any) -> Bundle:
        """A bundle of the `understand` task alone in `out/bundle`; `models.compose.with_text` adds it to others."""
        from models.families import load_trained

        network, space, _ = load_trained(out)
        assert isinstance(network, TextNetwork)
        say("exporting")
        model = text_graph(network.weights(), network.names)
        reference = text_graph(network.weights(), network.names, int8=False)
        say("calibrating")
        indices, texts = calibration_texts(data)
        settings = text_settings(recipe)
        outputs = run_texts(model, network.names, data, texts, settings.max_units)
        of_reference = run_texts(reference, network.names, data, texts, settings.max_units)
        right = right_labels(data, indices, space)
        temperatures = {name: fit_temperature(outputs[name], mask) for name, mask in right.items()}
        heads = tuple(
            Head(
                name=head,
                output=head,
                labels_file=f"understand.labels.{head}.json",
                temperature=round(temperatures[head], 4),
                threshold=head_threshold(outputs[head], right[head], temperatures[head]),
            )
            for head in space.heads
        )
        task = UnderstandTask(
            name="understand",
            file=MODEL_FILE,
            input=TextInputSpec(
                ids=IDS,
                segments=SEGMENTS,
                buckets=settings.buckets,
                pieces=settings.pieces,
                max_units=settings.max_units,
            ),
            outputs=TextOutputSpec(logits=CATEGORY, attention=ATTENTION),
            concepts_file="understand.concepts.json",
            labels_file="understand.labels.json",
            label_to_taxonomy_file="understand.label_to_taxonomy.json",
            temperature=round(temperatures[CATEGORY], 4),
            thresholds=category_thresholds(space, outputs[CATEGORY], right[CATEGORY], temperatures[CATEGORY]),
            heads=heads,
        )
        draft = ManifestDraft(
            name="text-gru",
            version=version,
            created_at=datetime.now(UTC).replace(microsecond=0),
            tasks=(task,),
            embedding_dimension=recipe.embedding_dimension,
            training_data=training_summary(data, None).replace("pictures", "texts"),
            metrics={"int8_against_fp32": _compare(of_reference, outputs, right)},
            licenses=licenses_of(data, None),
            minimum_runtime={"onnxruntime": "1.22"},
        )
        files = {
            MODEL_FILE: model,
            task.concepts_file: json_file([one.key for one in data.lexicon.concepts]),
            task.labels_file: json_file(space.leaves),
            task.label_to_taxonomy_file: json_file(space.label_paths()),
        }
        files |= {f"understand.labels.{head}.json": json_file(labels) for head, labels in space.heads.items()}
        return write_bundle(out / "bundle", draft, files, overwrite=True)


def calibration_texts(data: TextData) -> tuple[NDArray[np.int64], list[ProductText]]:
    """Validation texts as they are, and once more without the words for the type, as other shops may leave them out.

    Returns:
        Index of the row by text, and the texts.
    """
    indices = data.validation()
    texts = data.texts(indices)
    bare = [_without_type(text) for text in texts]
    told = [place for place, text in enumerate(bare) if text is not None]
    return np.concatenate([indices, indices[told]]), [*texts, *(text for text in bare if text is not None)]


def run_texts(
    model: bytes, names: Sequence[str], data: TextData, texts: Sequence[ProductText], max_units: int
) -> Outputs:
    """Logits by head, on one thread."""
    session = new_session(model)
    encoded = [data.encoder.encode(read_passages(text, data.lexicon, max_units)) for text in texts]
    order = sorted(range(len(encoded)), key=lambda place: len(encoded[place]))
    found: dict[str, list[NDArray[np.float32]]] = {name: [] for name in names}
    for start in range(0, len(order), _BATCH):
        ids, segments = padded([encoded[place] for place in order[start : start + _BATCH]], data.encoder.pieces)
        for name, values in zip(names, session.run(list(names), {IDS: ids, SEGMENTS: segments}), strict=True):
            found[name].append(values)
    back = np.argsort(order)
    return {name: np.concatenate(parts)[back] for name, parts in found.items()}


def _without_type(text: ProductText) -> ProductText | None:
    """Without words for the category; None when nothing is left, or there were none."""
    parts = [text.title, text.description, text.ocr_text]
    kept = [without_terms(part, CATEGORY) if part else None for part in parts]
    return ProductText(*kept) if kept != parts and any(kept) else None


def _compare(reference: Outputs, chosen: Outputs, right: Mapping[str, NDArray[np.bool_]]) -> dict[str, JsonValue]:
    """Accuracy of both on the labelled calibration texts, by head."""
    result: dict[str, JsonValue] = {}
    for name, mask in right.items():
        known = np.flatnonzero(mask.any(axis=1))
        both = [float(mask[known, outputs[name][known].argmax(axis=1)].mean()) for outputs in (reference, chosen)]
        result[name] = {"texts": len(known), "fp32": round(both[0], 4), "int8": round(both[1], 4)}
    return result
