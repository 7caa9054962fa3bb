"""How well types that no model was trained on are recognized from 1, 5 and 10 pictures, and what that costs others."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.bundle import SHIPPED_BUNDLE, Bundle, load_bundle
from models.enrollment import NewType, calibrated_type, reference_from_pictures, simulate
from models.label_space import HELD_OUT_TYPES, resolve, taxonomy_path
from models.labelled import LabelledImage, read_collection
from models.predict import predict
from models.prototypes import EmbeddingReference, PrototypeTable
from models.retrieval import few_shot_scores, first_of_each
from udfs.prototypes import PrototypeReader

SHOTS = (1, 5, 10)
SPLIT = "val"
LEAST_QUERIES = 6
CONFIDENCE_EDGES = (0.0, 0.3, 0.5, 0.7, 0.9, 1.0)

Floats = NDArray[np.float32]


def pictures(data: Path, limit: int | None) -> tuple[list[LabelledImage], list[str]]:
    """Pictures of held-out types, and validation pictures of known types, with the taxonomy path of each."""
    chosen = []
    for image in read_collection(data):
        node = resolve(image).node
        if node is None or node.count("/") < 2:
            continue
        if taxonomy_path(node) in HELD_OUT_TYPES or image.split == SPLIT:
            chosen.append((image, taxonomy_path(node)))
    if limit:
        order = np.random.default_rng(0).permutation(len(chosen))[:limit]
        chosen = [chosen[index] for index in sorted(order)]
    return [image for image, _ in chosen], [path for _, path in chosen]


def enroll_many(
    bundle: Bundle,
    reference: EmbeddingReference,
    embeddings: Floats,
    probabilities: Floats,
    paths: NDArray[Any],
    shots: int,
    trials: int,
) -> dict[str, Any]:
    """Enroll each held-out type several times from other pictures; means over types."""
    random = np.random.default_rng(shots)
    held_out = np.isin(paths, list(HELD_OUT_TYPES))
    known, thresholds = embeddings[~held_out], bundle.task("classify").thresholds
    curve = simulate(reference, shots)
    by_type: dict[str, dict[str, float]] = {}
    confidences: list[Floats] = []
    weights: list[Floats] = []
    right: list[NDArray[np.bool_]] = []
    for path in sorted(set(paths[held_out])):
        members = np.flatnonzero(paths == path)
        if len(members) < shots + LEAST_QUERIES:
            continue
        rows = []
        for _ in range(trials):
            order = random.permutation(members)
            support, queries = order[:shots], order[shots:]
            enrolled = calibrated_type(NewType(path, path, path), embeddings[support], ["-"], reference, curve=curve)
            table = PrototypeTable(embedding_dimension=embeddings.shape[1], types=(enrolled,))
            reader = PrototypeReader.from_table(table, reference)
            own = reader.extend(probabilities[queries], embeddings[queries])
            others = held_out & (paths != path)
            of_known = reader.confidences(known)[:, 0]
            share = enrolled.calibration.expected_share
            rows.append(
                {
                    "found": (own[:, -1] > 0).mean(),
                    "first": (own.argmax(axis=1) == own.shape[1] - 1).mean(),
                    "stated": (own[:, -1] >= thresholds.type).mean(),
                    "known_claimed": (of_known > 0).mean(),
                    "known_stated": (of_known >= thresholds.type).mean(),
                    "unseen_claimed": (reader.confidences(embeddings[others]) > 0).mean(),
                    "expected_found": enrolled.calibration.expected_recall,
                }
            )
            confidences += [own[:, -1], of_known]
            weights += [np.full(len(own), share / len(own)), np.full(len(of_known), (1 - share) / len(of_known))]
            right += [np.ones(len(own), bool), np.zeros(len(of_known), bool)]
        by_type[path] = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    joined = np.concatenate(confidences), np.concatenate(weights), np.concatenate(right)
    means = {name: round(float(np.mean([one[name] for one in by_type.values()])), 3) for name in rows[0]}
    return {
        "types": len(by_type),
        **means,
        "confidence": reliability(*joined),
        "found_by_type": {path: round(one["found"], 3) for path, one in by_type.items()},
    }


def reliability(confidences: Floats, weights: Floats, right: NDArray[np.bool_]) -> list[dict[str, float]]:
    """Stated confidence against the share of right claims, at the share of the new type it is stated for."""
    bins = []
    for low, high in pairwise(CONFIDENCE_EDGES):
        inside = (confidences > low) & (confidences <= high)
        if inside.any():
            total = float(weights[inside].sum())
            bins.append(
                {
                    "up_to": high,
                    "claims": int(inside.sum()),
                    "confidence": round(float((confidences * weights)[inside].sum()) / total, 3),
                    "right": round(float(weights[inside & right].sum()) / total, 3),
                }
            )
    return bins


def run(
    data: Path, bundle: Bundle, trials: int, limit: int | None = None, workers: int | None = None
) -> dict[str, Any]:
    """All figures of a bundle."""
    images, paths = pictures(data, limit)
    predictions = predict(bundle, images, workers=workers)
    path_of = {image.image_path: path for image, path in zip(images, paths, strict=True)}
    distinct = first_of_each(predictions.contents)
    embeddings, probabilities = predictions.embeddings[distinct], predictions.probabilities[distinct]
    names = np.array([path_of[predictions.images[index].image_path] for index in distinct])
    reference = bundle.embedding_reference or reference_from_pictures(bundle, read_collection(data))
    held_out = np.isin(names, list(HELD_OUT_TYPES))
    classes = np.unique(names[held_out], return_inverse=True)[1]
    report: dict[str, Any] = {
        "bundle": bundle.version_id,
        "held_out_pictures": int(held_out.sum()),
        "known_pictures": int((~held_out).sum()),
        "episodes_5_way": {},
        "enrolled": {},
    }
    for shots in SHOTS:
        episodes = few_shot_scores(embeddings[held_out], classes, shots=shots)
        if episodes is not None:
            report["episodes_5_way"][str(shots)] = [round(episodes.accuracy, 3), round(episodes.interval, 3)]
        report["enrolled"][str(shots)] = enroll_many(bundle, reference, embeddings, probabilities, names, shots, trials)
    return report


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the development photos")
    parser.add_argument("--bundle", type=Path, default=SHIPPED_BUNDLE)
    parser.add_argument("--trials", type=int, default=10, help="enrollments per type and number of pictures")
    parser.add_argument("--limit", type=int, help="look at so many pictures only")
    parser.add_argument("--workers", type=int, help="processes")
    parser.add_argument("--out", type=Path, help="file for the figures, too")
    given = parser.parse_args(arguments)
    report = json.dumps(run(given.data, load_bundle(given.bundle), given.trials, given.limit, given.workers), indent=1)
    if given.out:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(report + "\n", encoding="utf-8")
    sys.stdout.write(report + "\n")


if __name__ == "__main__":
    main()
