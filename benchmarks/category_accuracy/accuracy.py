"""How often a bundle names the right department, category and type on the development photos."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from models.bundle import SHIPPED_BUNDLE, load_bundle
from udfs.runtime import BundleSource, Runtime, runtime_for
from udfs.segment import find_product

DATASET_LABELS = Path(__file__).parents[2] / "models" / "dataset_labels.json"
LABEL_KINDS = {
    "grocery_store": ("grocery_store", "fine"),
    "myntra224": ("myntra", "article_type"),
    "clothing_small": ("clothing_small", "type"),
}
LEVELS = ("department", "category", "type")
BATCH = 16


@dataclass(frozen=True)
class Photo:
    """A photo and the taxonomy path it shows; the path may end above the type."""

    path: Path
    category: str


@dataclass(frozen=True)
class Verdict:
    """What was said about one photo: the best path per level, and the one path that passed its threshold."""

    truth: str
    best: tuple[str, ...]
    stated: str | None


def read_photos(folder: Path, dataset: str, split: str) -> list[Photo]:
    """The photos of a split with the taxonomy paths of their labels."""
    name, kind = LABEL_KINDS[dataset]
    paths = json.loads(DATASET_LABELS.read_text(encoding="utf-8"))[name][kind]
    with (folder / dataset / "labels.csv").open(encoding="utf-8", newline="") as file:
        return [
            Photo(folder / row["image_path"], paths[_label(row, kind)])
            for row in csv.DictReader(file)
            if row["split"] == split
        ]


def _label(row: dict[str, str], kind: str) -> str:
    return str(json.loads(row["attributes_json"])["fine"]) if kind == "fine" else row["subcategory"]


def judge(runtime: Runtime, photos: list[Photo]) -> Iterator[Verdict]:
    """Run the photos through product box and model, as extraction does."""
    reader = runtime.category_reader
    levels = [[i for i, path in enumerate(reader.paths) if path.count("/") == depth] for depth in range(len(LEVELS))]
    for start in range(0, len(photos), BATCH):
        batch = photos[start : start + BATCH]
        result = runtime.classify(np.stack([_prepared(runtime, photo.path) for photo in batch]))
        scores = reader.path_probabilities(result.probabilities)
        for photo, row, read in zip(batch, scores, runtime.read(result), strict=True):
            best = tuple(reader.paths[max(level, key=lambda index: row[index])] for level in levels)
            yield Verdict(photo.category, best, read.category)


def _prepared(runtime: Runtime, path: Path) -> np.ndarray:
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    if pixels is None:
        raise FileNotFoundError(f"{path} cannot be read")
    return runtime.prepare(pixels, find_product(pixels).box)


def figures(verdicts: list[Verdict]) -> dict[str, float | int]:
    """Accuracy per level, and how often something is stated and right."""
    result: dict[str, float | int] = {"images": len(verdicts)}
    for depth, level in enumerate(LEVELS):
        right = [
            v.best[depth] == "/".join(v.truth.split("/")[: depth + 1]) for v in verdicts if v.truth.count("/") >= depth
        ]
        result[f"{level}_top1"] = round(float(np.mean(right)), 3)
    stated = [v for v in verdicts if v.stated]
    result["stated_share"] = round(len(stated) / len(verdicts), 3)
    result["stated_right"] = round(float(np.mean([_agree(str(v.stated), v.truth) for v in stated])), 3)
    result["stated_type_share"] = round(float(np.mean([str(v.stated).count("/") == 2 for v in verdicts])), 3)
    return result


def _agree(stated: str, truth: str) -> bool:
    """Whether one path is the other or lies above it."""
    short, long = sorted((stated.split("/"), truth.split("/")), key=len)
    return long[: len(short)] == short


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, required=True, help="folder of the development photos")
    parser.add_argument("--bundle", type=Path, default=SHIPPED_BUNDLE)
    parser.add_argument("--split", default="val", choices=["train", "val"])
    options = parser.parse_args()
    runtime = runtime_for(BundleSource(load_bundle(options.bundle).sha256, path=str(options.bundle)))
    every: list[Verdict] = []
    report: dict[str, object] = {"bundle": runtime.bundle.version_id, "split": options.split}
    for dataset in LABEL_KINDS:
        verdicts = list(judge(runtime, read_photos(options.photos, dataset, options.split)))
        report[dataset] = figures(verdicts)
        every += verdicts
    report["all"] = figures(every)
    sys.stdout.write(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
