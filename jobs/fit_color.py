"""Fits the weights by which `udfs.color` names the main color: `python -m jobs.fit_color --data DIR [--out FILE]`.

Two sources: photos of the myntra224 development data with their color label (train split; val stays unseen), and
rendered pictures with one color on at least half of the product. A command like `jobs.fit_pattern`, with the training
packages.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.cache import cache_folder
from jobs.fit_pattern import DATASET
from models.bundle import SHIPPED_BUNDLE, load_bundle
from models.rendered_set import rendered_images
from schemas.palette import PALETTE
from schemas.reasons import ImageError
from schemas.settings import DecodeSettings
from udfs.color import WEIGHTS_FILE, color_terms, count_votes
from udfs.decode import decode
from udfs.describe import ready_picture
from udfs.product_region import detect_each, look_at
from udfs.runtime import BundleSource, Runtime, runtime_for

APART = {
    "cream": "cream",
    "nude": "tan",
    "tan": "tan",
    "gold": "gold",
    "olive": "olive",
    "navy blue": "navy",
    "maroon": "maroon",
    "burgundy": "maroon",
}
"""Palette colors that shops call by another word than their family's."""

LABELS = {
    "Beige": "beige", "Black": "black", "Blue": "blue", "Brown": "brown", "Cream": "cream", "Gold": "gold",
    "Green": "green", "Grey": "gray", "Maroon": "maroon", "Navy Blue": "navy", "Olive": "olive", "Orange": "orange",
    "Pink": "pink", "Purple": "purple", "Red": "red", "Silver": "gray", "Steel": "gray", "Tan": "tan",
    "White": "white", "Yellow": "yellow",
}  # fmt: skip
"""The group that each color label of the data set stands for; photos with another label are left out."""

RENDERED, RENDERED_SEED = 3000, 101
CLEAR_SHARE = 0.5
RIDGE = 3e-3
# A rendered picture's color is certain, a shop's label one person's word.
_RENDERED_WEIGHT = 1.5
_MICRO_BATCH = 16
_STEPS = 60
_DECIMALS = 2


@dataclass(frozen=True)
class Samples:
    """Pictures with known main colors.

    Args:
        terms: (N, 4 P) terms of `udfs.color.color_terms`.
        labels: (N,) index into `groups()`.
        weights: (N,) weight of each.
    """

    terms: NDArray[np.float64]
    labels: NDArray[np.intp]
    weights: NDArray[np.float64]


def group_of_color() -> dict[str, str]:
    """The group of each palette color, in the palette's order."""
    return {color.name: APART.get(color.name, color.family) for color in PALETTE}


def groups() -> list[str]:
    """The groups, in the order in which the palette names them."""
    return list(dict.fromkeys(group_of_color().values()))


def labelled_photos(data: Path, split: str) -> list[tuple[Path, str]]:
    """(file, group) of the photos of a split with a usable color label.

    Raises:
        FileNotFoundError: the data set is not in `data`.
    """
    with (data / DATASET / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == split and row["color"] in LABELS]
    return [(data / row["image_path"], LABELS[row["color"]]) for row in rows]


def rendered_pictures(products: int, seed: int, cache: Path) -> list[tuple[Path, str]]:
    """(file, group) of rendered pictures of which one color covers at least `CLEAR_SHARE`."""
    group = group_of_color()
    folders = {image.path.parents[2] for image in rendered_images(products, seed, cache)}
    chosen = []
    for folder in sorted(folders):
        with (folder / "truth.jsonl").open(encoding="utf-8") as file:
            for line in file:
                truth = json.loads(line)
                main = truth["colors"][0] if truth.get("colors") else None
                if main is not None and main["share"] >= CLEAR_SHARE:
                    chosen.append((folder / truth["image_uri"], group[main["name"]]))
    return chosen


def measure(pictures: Sequence[tuple[Path, str]], runtime: Runtime, weight: float) -> Samples:
    """Count the votes of each picture's product as extraction does; pictures that fail are left out."""
    names = groups()
    terms, labels = [], []
    for part in _parts(pictures):
        ready = [ready_picture(decode(path.read_bytes(), DecodeSettings())) for path, _ in part]
        for (_, group), picture, detections in zip(part, ready, detect_each(ready, runtime), strict=True):
            if not isinstance(detections, ImageError):
                region = look_at(picture, detections).region
                terms.append(color_terms(count_votes(picture.small_colored, region.mask)))
                labels.append(names.index(group))
    return Samples(np.array(terms), np.array(labels), np.full(len(labels), weight))


def fit(samples: Sequence[Samples], ridge: float = RIDGE) -> NDArray[np.float64]:
    """(4 P + 1, G) weights, intercepts last: softmax regression on standardised terms by L-BFGS (Nocedal 1980)."""
    import torch

    terms = np.concatenate([one.terms for one in samples])
    share = np.concatenate([one.weights for one in samples])
    mean, spread = terms.mean(axis=0), np.maximum(terms.std(axis=0), 1e-6)
    design = torch.tensor((terms - mean) / spread, dtype=torch.float32)
    labels = torch.tensor(np.concatenate([one.labels for one in samples]))
    weights = torch.tensor(share / share.sum(), dtype=torch.float32)
    slopes = torch.zeros(design.shape[1], len(groups()), requires_grad=True)
    intercept = torch.zeros(len(groups()), requires_grad=True)
    optimizer = torch.optim.LBFGS([slopes, intercept], max_iter=_STEPS, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        losses = torch.nn.functional.cross_entropy(design @ slopes + intercept, labels, reduction="none")
        value = (losses * weights).sum() + ridge / 2 * (slopes**2).sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(loss)  # type: ignore[no-untyped-call, arg-type]
    in_units = slopes.detach().numpy() / spread[:, None]
    return np.vstack([in_units, intercept.detach().numpy() - mean @ in_units])


def write_weights(path: Path, weights: NDArray[np.float64], about: dict[str, Any]) -> None:
    """Write the file that `udfs.color.load_weights` reads, one row of weights a line."""
    rows = ",\n    ".join(json.dumps([round(float(value), _DECIMALS) for value in row]) for row in weights[:-1])
    head = {"fitted_on": about, "groups": groups(), "group_of": group_of_color()}
    intercept = [round(float(value), _DECIMALS) for value in weights[-1]]
    text = json.dumps(head, indent=2, ensure_ascii=False).rstrip("}\n ")
    path.write_text(
        f'{text}\n  }},\n  "intercept": {intercept},\n  "weights": [\n    {rows}\n  ]\n}}\n', encoding="utf-8"
    )


def _parts(pictures: Iterable[tuple[Path, str]]) -> Iterator[list[tuple[Path, str]]]:
    rest = iter(pictures)
    while part := list(islice(rest, _MICRO_BATCH)):
        yield part


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the development data")
    parser.add_argument("--out", type=Path, default=WEIGHTS_FILE, help="weights to write (default: those that ship)")
    options = parser.parse_args()
    runtime = runtime_for(BundleSource(load_bundle(SHIPPED_BUNDLE).sha256, path=str(SHIPPED_BUNDLE)))
    photos = measure(labelled_photos(options.data, "train"), runtime, 1.0)
    drawn = rendered_pictures(RENDERED, RENDERED_SEED, cache_folder() / "train")
    rendered = measure(drawn, runtime, _RENDERED_WEIGHT)
    about = {"photos": f"{len(photos.labels)} of {DATASET}, train split", "rendered": len(rendered.labels)}
    write_weights(options.out, fit([photos, rendered]), about)
    sys.stdout.write(json.dumps(about) + "\n")


if __name__ == "__main__":
    main()
