"""Fits the weights by which `udfs.text_likelihood` looks for text; needs the extra `train`.

`python -m jobs.fit_text_gate --rendered DIR --data DIR [--out FILE]`

Two sources: rendered pictures (folders with `truth.jsonl`, as `vitrine render` writes them), whose text is known; and
photos of the development data (train splits), of which the text models say where there is text. This is a command, so
it may look from here into `udfs`; no other module imports it but tests.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from models.model_input import Pixels
from models.softmax_regression import fit_softmax
from schemas.settings import DecodeSettings
from udfs.decode import decode
from udfs.ocr import OcrSettings, recognize_text
from udfs.text_likelihood import (
    CELL_MEASURES,
    TOP_RANKS,
    WEIGHTS_FILE,
    GateWeights,
    cell_scores,
    cell_terms,
    likelihood,
    top_scores,
)

Rows: TypeAlias = tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.float64]]

PHOTO_SETS = ("myntra224", "clothing_small", "grocery_store", "ccp")

HELD_OUT = 4
"""Every so many pictures one is left out of the fit, and figures are of those."""

# Parameters chosen by the held-out pictures.
_RIDGE = 1e-4
_HIDDEN, _EPOCHS, _BATCH, _RATE, _DECAY = 24, 6, 1024, 5e-3, 1e-3
_CELL_POSITIVE, _NEGATIVE_CELLS = 0.3, 80
# Then the empty cells of each picture that look most like text, with the weight of a fifth of a picture each.
_HARD_CELLS, _HARD_WEIGHT = 10, 0.05
# A picture full of small print counts as much as one word of this many cells.
_LEAST_CELLS = 8
_LEAST_SIZE, _VISIBLE = 10.0, 0.9
_SURE_LINE = 0.8
_DECIMALS = 3
# Cells of text that the map may miss when areas are cut from it.
_MISSED_CELLS = 0.03


@dataclass(frozen=True)
class Sample:
    """One picture with known text.

    Args:
        source: rendered, or a data set's name.
        terms: (rows, columns, T).
        cover: (rows, columns) share of each cell under text; NaN where text is too small to count.
        has_text: whether something can be read; None when that is doubtful.
    """

    source: str
    terms: NDArray[np.float32]
    cover: NDArray[np.float32]
    has_text: bool | None


def rendered_samples(folder: Path, most: int) -> Iterator[Sample]:
    """Samples of rendered pictures; `folder` or folders below it hold `truth.jsonl`."""
    taken = 0
    for truth_file in sorted(folder.rglob("truth.jsonl")):
        for text in truth_file.read_text(encoding="utf-8").splitlines():
            row = json.loads(text)
            if taken >= most or row.get("expected_outcome", "extracted") != "extracted":
                continue
            pixels = _decoded(truth_file.parent / row["image_uri"])
            if pixels is None:
                continue
            taken += 1
            asked = [line for line in row["texts"] if _is_asked(line)]
            doubtful = [line for line in row["texts"] if not _is_asked(line)]
            sample = _sample("rendered", pixels, [line["quad"] for line in asked], [line["quad"] for line in doubtful])
            if sample is not None:
                yield sample


def photo_samples(data: Path, most_of_each: int) -> Iterator[Sample]:
    """Samples of photos, train splits; where the text models read a line surely, there is text."""
    for name in PHOTO_SETS:
        with (data / name / "labels.csv").open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["split"] == "train"]
        for row in rows[:: max(1, len(rows) // most_of_each)][:most_of_each]:
            pixels = _decoded(data / row["image_path"])
            if pixels is None:
                continue
            reading = recognize_text(
                pixels, [(0, 0, pixels.shape[1], pixels.shape[0])], settings=OcrSettings(least_confidence=0.5)
            )
            sure = [line for line in reading.lines if line.confidence >= _SURE_LINE and len(line.text) > 1]
            unsure = [line for line in reading.lines if line not in sure]
            quads, doubtful = ([np.reshape(line.quad, (4, 2)) for line in part] for part in (sure, unsure))
            sample = _sample(name, pixels, quads, doubtful)
            if sample is not None:
                yield sample


def fit(samples: Sequence[Sample]) -> GateWeights:
    """Cells first, once more with the empty cells that fooled the first round; then pictures by their best cells."""
    rng = np.random.default_rng(0)
    rows = [_cells_of(sample, rng) for sample in samples]
    weights = _fit_cells(rows)
    rows += [_hard_cells(sample, weights) for sample in samples]
    weights = _fit_cells(rows)
    known = [sample for sample in samples if sample.has_text is not None]
    tops = np.stack([top_scores(cell_scores(sample.terms, weights)) for sample in known]).astype(np.float64)
    said = np.array([int(bool(sample.has_text)) for sample in known])
    matrix = fit_softmax(tops, said, np.ones(len(said)), 2, _RIDGE)
    slopes = (matrix[:, 1] - matrix[:, 0]).astype(np.float32)
    on_text = [
        cell_scores(sample.terms, weights)[sample.cover >= _CELL_POSITIVE] for sample in samples if sample.has_text
    ]
    threshold = float(np.quantile(np.concatenate(on_text), _MISSED_CELLS))
    return replace(weights, picture=slopes[:-1], picture_bias=float(slopes[-1]), cell_threshold=threshold)


def _cells_of(sample: Sample, rng: np.random.Generator) -> Rows:
    """Terms, labels and weights of a picture's cells of text, and of some of its empty ones."""
    terms, cover = sample.terms.reshape(-1, sample.terms.shape[-1]), sample.cover.ravel()
    text = np.flatnonzero(cover >= _CELL_POSITIVE)
    empty = rng.permutation(np.flatnonzero(cover == 0))[:_NEGATIVE_CELLS]
    labels = np.repeat([1.0, 0.0], [len(text), len(empty)])
    weights = np.concatenate([np.full(len(part), 1 / max(len(part), _LEAST_CELLS)) for part in (text, empty)])
    return terms[np.concatenate([text, empty])], labels, weights


def _hard_cells(sample: Sample, weights: GateWeights) -> Rows:
    scores = np.where(sample.cover == 0, cell_scores(sample.terms, weights), -np.inf).ravel()
    places = np.argsort(-scores)[:_HARD_CELLS]
    places = places[np.isfinite(scores[places])]
    terms = sample.terms.reshape(-1, sample.terms.shape[-1])[places]
    return terms, np.zeros(len(places)), np.full(len(places), _HARD_WEIGHT)


def _fit_cells(rows: Sequence[Rows]) -> GateWeights:
    """The network of cells, on standardised terms; the standardising is folded into its weights."""
    torch.manual_seed(0)
    terms, labels, weights = (np.concatenate(part).astype(np.float32) for part in zip(*rows, strict=True))
    mean, spread = terms.mean(axis=0), terms.std(axis=0) + 1e-6
    first, last = torch.nn.Linear(terms.shape[1], _HIDDEN), torch.nn.Linear(_HIDDEN, 1)
    parameters = [*first.parameters(), *last.parameters()]
    inputs, targets = torch.tensor((terms - mean) / spread), torch.tensor(labels)
    shares = torch.tensor(weights / weights.mean())
    optimizer = torch.optim.AdamW(parameters, lr=_RATE, weight_decay=_DECAY)
    steps = _EPOCHS * -(-len(terms) // _BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=steps)
    for _ in range(_EPOCHS):
        for chosen in torch.randperm(len(terms)).split(_BATCH):
            optimizer.zero_grad()
            scores = last(torch.relu(first(inputs[chosen])))[:, 0]
            loss = torch.nn.functional.binary_cross_entropy_with_logits(scores, targets[chosen], shares[chosen])
            loss.backward()
            optimizer.step()
            schedule.step()
    hidden = first.weight.detach().numpy().T / spread[:, None]
    bias = first.bias.detach().numpy() - mean @ hidden
    output = last.weight.detach().numpy()[0]
    nothing = np.zeros(len(TOP_RANKS), np.float32)
    return GateWeights(hidden, bias, output, float(last.bias.detach()), nothing, 0.0, 0.0)


def report(samples: Sequence[Sample], weights: GateWeights) -> dict[str, Any]:
    """Recall, share passed and precision by source and threshold, on pictures whose text is known."""
    result: dict[str, Any] = {}
    for source in sorted({sample.source for sample in samples}):
        own = [sample for sample in samples if sample.source == source and sample.has_text is not None]
        said = np.array([bool(sample.has_text) for sample in own])
        likely = np.array([likelihood(cell_scores(sample.terms, weights), weights) for sample in own])
        rows = {}
        for threshold in (0.05, 0.1, 0.15, 0.2, 0.3, 0.5):
            passed = likely >= threshold
            rows[str(threshold)] = {
                "recall": round(float(passed[said].mean()), 3) if said.any() else None,
                "passed_without_text": round(float(passed[~said].mean()), 3) if (~said).any() else None,
                "precision": round(float(said[passed].mean()), 3) if passed.any() else None,
            }
        result[source] = {"pictures": len(own), "with_text": int(said.sum()), "thresholds": rows}
    return result


def write_weights(path: Path, weights: GateWeights, fitted_on: dict[str, int], held_out: dict[str, Any]) -> None:
    """Write the file that `udfs.text_likelihood.load_gate_weights` reads."""
    content = {
        "fitted_on": fitted_on,
        "held_out": held_out,
        "cell_measures": list(CELL_MEASURES),
        "top_ranks": list(TOP_RANKS),
        "hidden": np.round(weights.hidden.astype(float), _DECIMALS).tolist(),
        "hidden_bias": np.round(weights.hidden_bias.astype(float), _DECIMALS).tolist(),
        "output": np.round(weights.output.astype(float), _DECIMALS).tolist(),
        "output_bias": round(weights.output_bias, _DECIMALS),
        "picture": np.round(weights.picture.astype(float), _DECIMALS).tolist(),
        "picture_bias": round(weights.picture_bias, _DECIMALS),
        "cell_threshold": round(weights.cell_threshold, _DECIMALS),
    }
    # One line per list of numbers, so that a new fit shows in a diff as what it is.
    text = re.sub(r"\[[^\[\]]*\]", lambda found: " ".join(found.group().split()), json.dumps(content, indent=2))
    path.write_text(text + "\n", encoding="utf-8")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rendered", type=Path, required=True, help="folder of rendered pictures with truth.jsonl")
    parser.add_argument("--data", type=Path, required=True, help="folder of the development data")
    parser.add_argument("--most-rendered", type=int, default=1500)
    parser.add_argument("--most-photos", type=int, default=250, help="of each data set")
    parser.add_argument("--out", type=Path, default=WEIGHTS_FILE, help="weights to write (default: those that ship)")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    samples = [
        *rendered_samples(options.rendered, options.most_rendered),
        *photo_samples(options.data, options.most_photos),
    ]
    held_out = samples[::HELD_OUT]
    rest = [sample for place, sample in enumerate(samples) if place % HELD_OUT]
    figures = report(held_out, fit(rest))
    counts = {
        source: sum(sample.source == source for sample in samples)
        for source in sorted({sample.source for sample in samples})
    }
    write_weights(options.out, fit(samples), counts, figures)
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")


def _decoded(path: Path) -> Pixels | None:
    return decode(path.read_bytes(), DecodeSettings()).pixels if path.exists() else None


def _is_asked(line: dict[str, Any]) -> bool:
    quad = np.array(line["quad"])
    height = float(np.linalg.norm(quad[3] - quad[0]) + np.linalg.norm(quad[2] - quad[1])) / 2
    return bool(line["legible"] and line["visible"] >= _VISIBLE and height >= _LEAST_SIZE)


def _sample(source: str, pixels: Pixels, quads: Sequence[Any], doubtful: Sequence[Any]) -> Sample | None:
    terms = cell_terms(pixels)
    if terms is None:
        return None
    cover = _cover(quads, pixels, terms.shape[:2])
    unclear = _cover(doubtful, pixels, terms.shape[:2])
    cover[(unclear > 0) & (cover < _CELL_POSITIVE)] = np.nan
    has_text = True if quads else None if doubtful else False
    return Sample(source, terms, cover, has_text)


def _cover(quads: Sequence[Any], pixels: Pixels, cells: tuple[int, int]) -> NDArray[np.float32]:
    """Share of each cell under quadrilaterals."""
    mask = np.zeros(pixels.shape[:2], np.uint8)
    for quad in quads:
        cv2.fillPoly(mask, [np.rint(np.asarray(quad)).astype(np.int32)], 255)
    shares = np.asarray(cv2.resize(mask, (cells[1], cells[0]), interpolation=cv2.INTER_AREA), np.float32)
    return shares / np.float32(255)


if __name__ == "__main__":
    main()
