"""Fits the weights by which `udfs.pattern` names patterns: `python -m jobs.fit_pattern --data DIR [--out FILE]`.

Two sources: photos of the myntra224 development data whose title names a pattern (train split; val stays unseen), and
fabrics drawn by `models.drawn_fabrics`. This is a command, so it may look from here into `udfs`, whose measures the
weights are for; no other module imports it but tests and benchmarks.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.drawn_fabrics import PATTERNS as DRAWN_PATTERNS
from models.drawn_fabrics import draw_fabric
from models.softmax_regression import fit_softmax
from schemas.settings import DecodeSettings
from udfs.decode import decode
from udfs.pattern import PATTERNS, WEIGHTS_FILE, PatternEvidence, pattern_terms
from udfs.preprocess import enhance
from udfs.quality import measure_quality
from udfs.segment import find_product
from udfs.texture import measure_texture

DATASET = "myntra224"
TITLE_PATTERNS = {
    "solid": "solid",
    "striped": "striped",
    "check": "checked",
    "polka": "dotted",
    "floral": "printed",
    "graphic print": "printed",
    "melange": "textured",
}
"""Pattern by the data set's `pattern_from_title`; `washed` says nothing of the pattern and is left out."""

FIRST_SEED = 1000
"""Fabrics are drawn with seeds from here on; smaller ones are for tests."""

DRAWN_PER_PATTERN = 150
FOLDS = 5
# Cross-validation hardly tells 0.0003 from 0.003; a larger one keeps odd surfaces from odd scores.
RIDGE = 1e-3
# A drawn fabric counts less than a photo. A pattern with more or fewer photos than the typical number weighs less or
# more by the root of the ratio, at most this much.
_DRAWN_WEIGHT = 0.4
_TYPICAL_PHOTOS = 200
_LARGEST_WEIGHT = 3.0
_DECIMALS = 3


@dataclass(frozen=True)
class Samples:
    """Surfaces with known patterns.

    Args:
        terms: (N, T) terms of `udfs.pattern.pattern_terms`.
        names: the T terms' names.
        labels: (N,) index of the pattern in `udfs.pattern.PATTERNS`.
        is_photo: (N,) bool, False for drawn fabrics.
    """

    terms: NDArray[np.float64]
    names: tuple[str, ...]
    labels: NDArray[np.intp]
    is_photo: NDArray[np.bool_]


def collect_samples(data: Path, split: str, drawn_per_pattern: int = DRAWN_PER_PATTERN) -> Samples:
    """Measure the photos of a split and the drawn fabrics.

    Args:
        data: folder of the development data.
        split: train or val.
        drawn_per_pattern: fabrics to draw of each pattern.

    Raises:
        FileNotFoundError: the data set is not in `data`.
    """
    evidence: list[PatternEvidence] = []
    labels: list[str] = []
    for path, pattern in labelled_photos(data, split):
        evidence.append(photo_evidence(path.read_bytes()))
        labels.append(pattern)
    photos = len(labels)
    for pattern in DRAWN_PATTERNS:
        for seed in range(FIRST_SEED, FIRST_SEED + drawn_per_pattern):
            evidence.append(measure_texture(*draw_fabric(pattern, seed))[1])
            labels.append(pattern)
    rows = [pattern_terms(one) for one in evidence]
    return Samples(
        np.array([list(row.values()) for row in rows]),
        tuple(rows[0]),
        np.array([PATTERNS.index(label) for label in labels]),
        np.arange(len(labels)) < photos,
    )


def labelled_photos(data: Path, split: str) -> list[tuple[Path, str]]:
    """(file, pattern) of the photos whose title names a pattern.

    Raises:
        FileNotFoundError: the data set is not in `data`.
    """
    photos = []
    with (data / DATASET / "labels.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            title_pattern = json.loads(row["attributes_json"])["pattern_from_title"]
            if row["split"] == split and title_pattern in TITLE_PATTERNS:
                photos.append((data / row["image_path"], TITLE_PATTERNS[title_pattern]))
    return photos


def photo_evidence(content: bytes) -> PatternEvidence:
    """Measure a picture file of at most 256 px as extraction does."""
    pixels = decode(content, DecodeSettings()).pixels
    pixels = enhance(pixels, measure_quality(pixels)).pixels
    return measure_texture(pixels, find_product(pixels).mask)[1]


def fit(samples: Samples) -> NDArray[np.float64]:
    """(T + 1, P) weights, intercepts last."""
    weights = sample_weights(samples)
    return fit_softmax(samples.terms, samples.labels, weights, len(PATTERNS), RIDGE)


def sample_weights(samples: Samples) -> NDArray[np.float64]:
    """(N,) weights that soften the imbalance of patterns among the photos, and of drawn fabrics."""
    weights = np.where(samples.is_photo, 1.0, _DRAWN_WEIGHT)
    for pattern in range(len(PATTERNS)):
        photos = samples.is_photo & (samples.labels == pattern)
        if photos.any():
            weights[photos] = min((photos.sum() / _TYPICAL_PHOTOS) ** -0.5, _LARGEST_WEIGHT)
    return weights


def cross_validate(samples: Samples, folds: int = FOLDS) -> NDArray[np.intp]:
    """(N,) pattern named for each sample by weights fitted without its fold; folds are drawn with a fixed seed."""
    fold = np.random.default_rng(0).integers(0, folds, len(samples.labels))
    named = np.empty(len(samples.labels), dtype=np.intp)
    for held_out in range(folds):
        rest = fold != held_out
        weights = fit(Samples(samples.terms[rest], samples.names, samples.labels[rest], samples.is_photo[rest]))
        named[~rest] = (samples.terms[~rest] @ weights[:-1] + weights[-1]).argmax(axis=1)
    return named


def accuracy_report(samples: Samples, named: NDArray[np.intp]) -> dict[str, Any]:
    """Accuracy on photos and drawn fabrics, and recall by pattern among the photos."""
    right = named == samples.labels
    counts = np.bincount(samples.labels[samples.is_photo], minlength=len(PATTERNS))
    recall = {
        pattern: round(float(right[samples.is_photo & (samples.labels == index)].mean()), 3)
        for index, pattern in enumerate(PATTERNS)
        if counts[index]
    }
    return {
        "photos": round(float(right[samples.is_photo].mean()), 3),
        "drawn": round(float(right[~samples.is_photo].mean()), 3),
        "photos_by_pattern": recall,
        "photos_of_pattern": dict(zip(PATTERNS, counts.tolist(), strict=True)),
    }


def write_weights(path: Path, samples: Samples, weights: NDArray[np.float64], accuracy: dict[str, Any]) -> None:
    """Write the file that `udfs.pattern.load_weights` reads."""
    rounded = np.round(weights, _DECIMALS).tolist()
    content = {
        "fitted_on": {
            "photos": f"{int(samples.is_photo.sum())} of {DATASET}, train split, by the pattern named in their title",
            "drawn": int((~samples.is_photo).sum()),
        },
        f"accuracy_of_{FOLDS}_fold_cross_validation": accuracy,
        "patterns": list(PATTERNS),
        "intercept": rounded[-1],
        "weights": dict(zip(samples.names, rounded[:-1], strict=True)),
    }
    # One line per list of numbers, so that a new fit shows in a diff as what it is.
    text = re.sub(r"\[[^\[\]]*\]", lambda found: " ".join(found.group().split()), json.dumps(content, indent=2))
    path.write_text(text + "\n", encoding="utf-8")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the development data")
    parser.add_argument("--out", type=Path, default=WEIGHTS_FILE, help="weights to write (default: those that ship)")
    options = parser.parse_args()
    samples = collect_samples(options.data, "train")
    accuracy = accuracy_report(samples, cross_validate(samples))
    write_weights(options.out, samples, fit(samples), accuracy)
    sys.stdout.write(json.dumps(accuracy, indent=2) + "\n")


if __name__ == "__main__":
    main()
