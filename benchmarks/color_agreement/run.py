"""How often color and pattern agree with the labels of the myntra224 development photos."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jobs.fit_pattern import DATASET, TITLE_PATTERNS
from models.bundle import SHIPPED_BUNDLE, load_bundle
from schemas.palette import PALETTE
from schemas.reasons import ImageError
from schemas.settings import DecodeSettings
from udfs.decode import decode
from udfs.describe import Picture, describe_product, ready_picture
from udfs.product_region import detect_each, look_at
from udfs.runtime import BundleSource, Runtime, runtime_for
from udfs.segment import Region, find_product

LABELS = json.loads(Path(__file__).with_name("labels.json").read_text(encoding="utf-8"))
FAMILY_OF_LABEL: dict[str, str] = LABELS["dataset_color_to_family"]
FAMILY_OF_COLOR = {color.name: color.family for color in PALETTE}
CONFUSIONS = 8


@dataclass(frozen=True)
class Verdict:
    """One photo: its labels (None where it has none that counts) and what was said, best color first."""

    category: str
    color: str | None
    pattern: str | None
    stated_color: str
    stated_colors: tuple[str, ...]
    color_confidence: float
    stated_pattern: str
    pattern_confidence: float


def label_of(color: str) -> str:
    """The data set's color label that a palette color stands for."""
    label = LABELS["palette_color_to_dataset_color"].get(color)
    return str(label or LABELS["palette_family_to_dataset_color"][FAMILY_OF_COLOR[color]])


def joined(label: str) -> str:
    """A label, or the one that it is counted as."""
    return str(LABELS["dataset_color_same_as"].get(label, label))


def read_rows(folder: Path, split: str) -> list[dict[str, str]]:
    """Rows of the data set's label file."""
    with (folder / DATASET / "labels.csv").open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["split"] == split]


def judge(folder: Path, row: dict[str, str], runtime: Runtime | None) -> Verdict:
    """Describe a photo as extraction does; without a runtime the product is found by the classical cut."""
    picture = ready_picture(decode((folder / row["image_path"]).read_bytes(), DecodeSettings()))
    columns = describe_product(picture, region_in(picture, runtime))
    pattern = TITLE_PATTERNS.get(json.loads(row["attributes_json"])["pattern_from_title"])
    return Verdict(
        row["category"],
        row["color"] if row["color"] in FAMILY_OF_LABEL else None,
        pattern,
        columns["color"],
        tuple(color["name"] for color in columns["colors"]),
        columns["color_confidence"],
        columns["pattern"],
        columns["pattern_confidence"],
    )


def region_in(picture: Picture, runtime: Runtime | None) -> Region:
    """The product's region as extraction finds it; by the classical cut without a runtime."""
    if runtime is None:
        return find_product(picture.small)
    (detections,) = detect_each([picture], runtime)
    if isinstance(detections, ImageError):
        raise detections
    return look_at(picture, detections).region


def color_figures(verdicts: list[Verdict]) -> dict[str, Any]:
    """Agreement with the color label: the label itself, its family, and the label among the first three colors."""
    labelled = [(v, joined(v.color)) for v in verdicts if v.color]
    right = [label_of(v.stated_color) == label for v, label in labelled]
    confusions = Counter((label, label_of(v.stated_color)) for v, label in labelled)
    wrong = [(f"{label} -> {stated}", n) for (label, stated), n in confusions.most_common() if label != stated]
    return {
        "photos": len(labelled),
        "label": mean(right),
        "family": mean(FAMILY_OF_COLOR[v.stated_color] == FAMILY_OF_LABEL[str(v.color)] for v, _ in labelled),
        "top3": mean(label in {label_of(c) for c in v.stated_colors[:3]} for v, label in labelled),
        "label_by_category": by_category([v.category for v, _ in labelled], right),
        "label_by_confidence": by_fifths([v.color_confidence for v, _ in labelled], right),
        "most_frequent_confusions": dict(wrong[:CONFUSIONS]),
    }


def pattern_figures(verdicts: list[Verdict]) -> dict[str, Any]:
    """Accuracy against the pattern named in the title."""
    labelled = [v for v in verdicts if v.pattern]
    right = [v.stated_pattern == v.pattern for v in labelled]
    confusions = Counter((str(v.pattern), v.stated_pattern) for v in labelled)
    commonest = Counter(v.pattern for v in labelled).most_common(1)
    return {
        "photos": len(labelled),
        "accuracy": mean(right),
        "always_the_commonest": round(commonest[0][1] / len(labelled), 3) if labelled else None,
        "by_confidence": by_fifths([v.pattern_confidence for v in labelled], right),
        "confusions": {f"{truth} -> {stated}": n for (truth, stated), n in sorted(confusions.items())},
    }


def mean(values: Iterable[bool]) -> float | None:
    """Share of True; None of nothing."""
    listed = list(values)
    return round(float(np.mean(listed)), 3) if listed else None


def by_category(categories: list[str], right: list[bool]) -> dict[str, str]:
    """Agreement and number of photos by category."""
    groups = {category: [r for c, r in zip(categories, right, strict=True) if c == category] for category in categories}
    return {category: f"{mean(group)} of {len(group)}" for category, group in sorted(groups.items())}


def by_fifths(confidences: list[float], right: list[bool]) -> list[dict[str, float | None]]:
    """Mean confidence and agreement in five equal parts, least sure first."""
    order = np.argsort(confidences, kind="stable")
    return [
        {
            "confidence": round(float(np.mean([confidences[i] for i in part])), 3),
            "right": mean(right[i] for i in part),
        }
        for part in np.array_split(order, 5)
        if part.size
    ]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the development data")
    parser.add_argument("--split", default="val", choices=["train", "val", "test"])
    parser.add_argument("--most", type=int, help="evaluate no more than so many photos, evenly from the split")
    parser.add_argument("--classical", action="store_true", help="find products by the classical cut, not the detector")
    options = parser.parse_args()
    source = BundleSource(load_bundle(SHIPPED_BUNDLE).sha256, path=str(SHIPPED_BUNDLE))
    runtime = None if options.classical else runtime_for(source)
    rows = read_rows(options.data, options.split)
    if options.most:
        rows = rows[:: max(1, len(rows) // options.most)][: options.most]
    verdicts = [judge(options.data, row, runtime) for row in rows]
    report = {"split": options.split, "color": color_figures(verdicts), "pattern": pattern_figures(verdicts)}
    sys.stdout.write(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
