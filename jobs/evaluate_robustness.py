"""How far a bundle follows when pictures get worse: accuracy by kind and strength of spoiling."""

from __future__ import annotations

import numpy as np

from jobs.evaluate_measured import Measured
from jobs.progress import StageProgress
from models.category_scores import LEAF, type_record
from models.category_space import LEVELS, index_of
from models.evaluation import Options, RobustnessRecord
from models.predict import Predictor
from models.robustness import AMOUNTS, KINDS, STRENGTHS, UNITS, Corruption
from models.score_records import score_record


def robustness_records(
    measured: Measured, options: Options, predictor: Predictor, *, quiet: bool = False
) -> list[RobustnessRecord]:
    """Accuracy on a drawn part of the pictures, untouched and spoiled in every way and strength.

    Args:
        measured: the pictures as they are.
        options: how many to draw (`robustness_images`), and the seed.
        predictor: runs the same bundle.
        quiet: show no progress.
    """
    # Pictures without a known type tell nothing of the category's curve; they serve where there are no others.
    types = index_of(measured.answers.level("type")[2], measured.space.level(len(LEVELS))[0]) >= 0
    useful = np.flatnonzero(types if types.any() else [bool(one.attributes) for one in measured.labels])
    if not options.robustness_images or not len(useful):
        return []
    count = min(options.robustness_images, len(useful))
    drawn = np.random.default_rng(options.seed).choice(useful, count, replace=False)
    mask = np.zeros(len(measured.labels), bool)
    mask[drawn] = True
    part = measured.select(mask)
    ways = [Corruption(kind, strength, options.seed) for kind in KINDS for strength in STRENGTHS]
    images = [image for _ in ways for image in part.predictions.images]
    corruptions = [way for way in ways for _ in part.predictions.images]
    with StageProgress("evaluate spoiled pictures", len(images), quiet=quiet) as shown:
        spoiled = predictor.predict(images, corruptions, progress=lambda done, failed: shown.update(done=done))
    # A picture that was readable a moment ago and is not any more would shift the rows.
    if spoiled.failures:
        gone = {id(one.image) for one in spoiled.failures}
        part = part.select(np.array([id(image) not in gone for image in part.predictions.images], bool))
        spoiled = spoiled.select(np.array([id(image) not in gone for image in spoiled.images], bool))
    records = [_record(part, kind, 0) for kind in KINDS]
    for number, way in enumerate(ways):
        rows = np.zeros(len(spoiled), bool)
        rows[number * len(part.predictions) : (number + 1) * len(part.predictions)] = True
        records.append(_record(Measured.of(measured.bundle, spoiled.select(rows)), way.kind, way.strength))
    return sorted(records, key=lambda record: (KINDS.index(record.kind), record.strength))  # type: ignore[arg-type]


def _record(part: Measured, kind: str, strength: int) -> RobustnessRecord:
    heads = {}
    for head in part.bundle.task("classify").heads:
        labels = part.head_labels(head.name)
        accuracy = score_record(part.predictions.heads[head.name], part.bundle.labels(head), labels).accuracy
        if accuracy is not None:
            heads[head.name] = accuracy
    known = next(one for one in KINDS if one == kind)
    return RobustnessRecord(
        kind=kind,
        strength=strength,
        amount=AMOUNTS[known][strength - 1] if strength else None,
        unit=UNITS[known],
        images=len(part.predictions),
        type_accuracy=type_record(part.answers).accuracy,
        leaf_accuracy=type_record(part.answers, LEAF).accuracy,
        heads=heads,
    )
