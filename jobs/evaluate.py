"""Evaluates a bundle on labelled pictures: `metrics.json` and `report.html`.

The bundle sees what extraction shows it and nothing else: no titles, no labels.
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from jobs.evaluate_detection import detection_records
from jobs.evaluate_embeddings import few_shot_records, few_shot_types, retrieval_record
from jobs.evaluate_measured import Measured
from jobs.evaluate_mistakes import confusion_matrix, confusions, mistakes
from jobs.evaluate_report import write_evaluation_report
from jobs.evaluate_robustness import robustness_records
from jobs.progress import StageProgress
from jobs.session import read_bundle
from models.bundle import Bundle
from models.category_scores import DatasetVocabulary, category_record, unseen_record
from models.category_space import CategorySpace, cut
from models.evaluation import (
    BundleRecord,
    DataRecord,
    DatasetRecord,
    Evaluation,
    FrequentRecord,
    LabelProblem,
    Options,
    ScoreRecord,
    UnusedPicture,
)
from models.label_space import HELD_OUT_TYPES, ResolvedLabels, resolve, taxonomy_path
from models.labelled import LabelledImage, LabelsError, read_labels
from models.predict import Predictions, Predictor
from models.score_records import frequent_record, score_record
from schemas.settings import Settings

METRICS_NAME = "metrics.json"
REPORT_NAME = "report.html"

COLOR = "color"


@dataclass(frozen=True)
class LabelledSet:
    """Labels files, read.

    Args:
        images: every picture that they list.
        names: names of the files.
        sha256: SHA-256 of each file.
    """

    images: tuple[LabelledImage, ...]
    names: tuple[str, ...] = ()
    sha256: tuple[str, ...] = ()


def read_labelled_set(labels: Sequence[Path], images_root: Path | None = None) -> LabelledSet:
    """Read labels files.

    Raises:
        LabelsError: one cannot be read, or they list no picture.
    """
    images = [image for file in labels for image in read_labels(file, images_root)]
    if not images:
        raise LabelsError(f"{', '.join(map(str, labels)) or 'no labels file'}: lists no picture; nothing to evaluate")
    sha256 = tuple(hashlib.sha256(file.read_bytes()).hexdigest() for file in labels)
    return LabelledSet(tuple(images), tuple(f"{file.parent.name}/{file.name}" for file in labels), sha256)


def default_split(images: Sequence[LabelledImage]) -> str | None:
    """The split to evaluate when none is named: test, else val, else all."""
    splits = {image.split for image in images}
    return next((split for split in ("test", "val") if split in splits), None)


def evaluate(
    bundle: Bundle,
    labelled: LabelledSet,
    options: Options,
    *,
    workers: int | None = None,
    quiet: bool = False,
) -> Evaluation:
    """Measure a bundle.

    Args:
        bundle: a verified bundle with a classify task.
        labelled: the pictures; all splits, since training counts and vocabularies come from all of them.
        options: split, limits and seed.
        workers: processes; by default one per core.
        quiet: show no progress.

    Raises:
        BundleError: the bundle cannot be used.
        LabelsError: no picture of that split is listed, or none can be read.
        PredictionError: a worker process died.
    """
    started, began = datetime.now(UTC), time.monotonic()
    everything = [resolve(image) for image in labelled.images]
    chosen = _chosen(labelled, options)
    space = CategorySpace.from_bundle(bundle)
    pool = _few_shot_pool(labelled, everything, chosen, space, options.limit)
    wanted = [labelled.images[index] for index in (*chosen, *pool)]
    is_chosen = {id(labelled.images[index]) for index in chosen}
    with Predictor(bundle, workers) as predictor:
        with StageProgress("evaluate", len(wanted), quiet=quiet) as shown:
            predictions = predictor.predict(wanted, progress=_reporter(shown))
        both = Measured.of(bundle, predictions)
        measured = both.select(np.array([id(image) in is_chosen for image in predictions.images], bool))
        if not len(measured.predictions):
            first = predictions.failures[0]
            raise LabelsError(
                f"none of {len(chosen)} pictures can be read, e.g. {first.image.path}: {first.reason}; name the folder "
                "that image_path refers to with --images-root"
            )
        robustness = robustness_records(measured, options, predictor, quiet=quiet)
    vocabulary = _vocabulary(labelled.images, everything)
    shots, shot_types = few_shot_records(both, options.seed), few_shot_types(both)
    return Evaluation(
        created_at=started,
        options=options,
        bundle=_bundle_record(bundle, space),
        data=_data_record(labelled, everything, chosen, len(pool), measured, predictions, is_chosen),
        category=category_record(measured.answers, vocabulary, options.min_train_count),
        heads=head_records(measured),
        common_colors=_common_colors(measured, vocabulary, options.top_colors),
        retrieval=retrieval_record(measured),
        unseen=unseen_record(measured.answers, [_is_outside(one) for one in measured.labels]),
        few_shot=shots,
        few_shot_types=shot_types,
        detection=detection_records(measured, quiet=quiet),
        confusions=confusions(measured),
        confusion_matrix=confusion_matrix(measured),
        mistakes=mistakes(measured),
        robustness=robustness,
        datasets=_by_dataset(measured, vocabulary, options),
        seconds=time.monotonic() - began,
    )


def head_records(measured: Measured) -> dict[str, ScoreRecord]:
    """Scores of each attribute head that is labelled in these pictures."""
    records = {}
    for head in measured.bundle.task("classify").heads:
        labels = measured.head_labels(head.name)
        if any(label is not None for label in labels):
            names = measured.bundle.labels(head)
            records[head.name] = score_record(measured.predictions.heads[head.name], names, labels)
    return records


def run_evaluation(
    bundle: Bundle,
    labelled: LabelledSet,
    options: Options,
    out: Path,
    *,
    workers: int | None = None,
    quiet: bool = False,
) -> Evaluation:
    """Measure a bundle and write `metrics.json` and `report.html` into `out`."""
    evaluation = evaluate(bundle, labelled, options, workers=workers, quiet=quiet)
    out.mkdir(parents=True, exist_ok=True)
    (out / METRICS_NAME).write_text(evaluation.model_dump_json(indent=1) + "\n", encoding="utf-8")
    write_evaluation_report(out / REPORT_NAME, evaluation, labelled.images)
    return evaluation


def run_evaluation_command(
    labels: Sequence[Path],
    out: Path,
    *,
    images_root: Path | None,
    bundle: str | None,
    split: str | None,
    workers: int | None,
    quiet: bool,
    limit: int | None,
    min_train_count: int,
    top_colors: int,
    robustness_images: int,
    seed: int,
) -> None:
    """What `vitrine evaluate` does; `split` may be `all`, and None stands for `default_split`."""
    labelled = read_labelled_set(labels, images_root)
    options = Options(
        split=None if split == "all" else split or default_split(labelled.images),
        limit=limit,
        min_train_count=min_train_count,
        top_colors=top_colors,
        robustness_images=robustness_images,
        seed=seed,
    )
    # Of the settings only the registry and the way to S3 matter, from the environment or VITRINE_CONFIG.
    settings = Settings(tables="(none)")
    found = read_bundle(bundle, settings.s3, settings.models_root)
    evaluation = run_evaluation(found, labelled, options, out, workers=workers, quiet=quiet)
    if not quiet:
        sys.stdout.write(f"{summary(evaluation)}\n{out / REPORT_NAME}\n")


def summary(evaluation: Evaluation) -> str:
    """The main figures, a line each."""
    figures = {f"category, {level}": record.accuracy for level, record in evaluation.category.levels.items()}
    figures |= {name: record.accuracy for name, record in evaluation.heads.items()}
    if evaluation.retrieval:
        figures["retrieval, recall at 1"] = evaluation.retrieval.recall_at_1
    figures |= {f"few-shot, {one.shots} pictures": one.accuracy for one in evaluation.few_shot}
    unseen = evaluation.unseen.unseen_types + evaluation.unseen.outside_taxonomy
    figures[f"AUROC of {unseen} unseen"] = evaluation.unseen.auroc
    figures |= {f"{one.subject}, AP50": one.ap50 for one in evaluation.detection}
    lines = [f"{name:<28}{100 * value:6.1f}%" for name, value in figures.items() if value is not None]
    unused, unknown = len(evaluation.data.unused), len(evaluation.data.unknown_labels)
    return "\n".join([*lines, f"{evaluation.data.evaluated} pictures; {unused} unusable, {unknown} labels unknown"])


def _reporter(shown: StageProgress) -> Callable[[int, int], None]:
    return lambda done, failed: shown.update(done=done, note=f"{failed} unreadable" if failed else None)


def _chosen(labelled: LabelledSet, options: Options) -> list[int]:
    """Indices of the pictures to evaluate, in the files' order."""
    found = [
        index for index, image in enumerate(labelled.images) if options.split is None or image.split == options.split
    ]
    if not found:
        splits = ", ".join(sorted({image.split or "(none)" for image in labelled.images}))
        raise LabelsError(f"no picture of split {options.split!r} is listed; there is {splits}")
    return _drawn(found, options.limit, options.seed)


def _drawn(indices: list[int], limit: int | None, seed: int) -> list[int]:
    if limit is None or len(indices) <= limit:
        return indices
    return sorted(np.random.default_rng(seed).choice(indices, limit, replace=False).tolist())


def _few_shot_pool(
    labelled: LabelledSet,
    everything: Sequence[ResolvedLabels],
    chosen: Sequence[int],
    space: CategorySpace,
    limit: int | None,
) -> list[int]:
    """Pictures of held-out types of any other split: no model was trained on them, and a test split has too few."""
    taken = set(chosen)
    found = [
        index
        for index, labels in enumerate(everything)
        if index not in taken
        and labels.node is not None
        and taxonomy_path(labels.node) in HELD_OUT_TYPES
        and not space.space.knows(taxonomy_path(labels.node))
    ]
    return _drawn(found, limit, 0)


def _vocabulary(images: Sequence[LabelledImage], labels: Sequence[ResolvedLabels]) -> DatasetVocabulary:
    nodes: dict[str, set[str]] = {}
    types: Counter[str] = Counter()
    colors: Counter[str] = Counter()
    for image, one in zip(images, labels, strict=True):
        if one.node is not None:
            nodes.setdefault(image.dataset, set()).add(one.node)
        if image.split == "train":
            if one.node is not None and (path := cut(one.node, 3)) is not None:
                types[path] += 1
            if COLOR in one.attributes:
                colors[one.attributes[COLOR]] += 1
    return DatasetVocabulary({name: frozenset(found) for name, found in nodes.items()}, types, colors)


def _common_colors(measured: Measured, vocabulary: DatasetVocabulary, top: int) -> FrequentRecord | None:
    """Over the commonest colors of the training pictures, or of these pictures where nothing is marked as training."""
    head = next((one for one in measured.bundle.task("classify").heads if one.name == COLOR), None)
    labels = measured.head_labels(COLOR)
    counts: Mapping[str, int] = vocabulary.train_colors or Counter(label for label in labels if label is not None)
    if head is None or not any(labels):
        return None
    common = sorted(counts, key=lambda label: (-counts[label], label))[:top]
    return frequent_record(measured.predictions.heads[COLOR], measured.bundle.labels(head), labels, common)


def _is_outside(labels: ResolvedLabels) -> bool:
    return any(problem.startswith(("category:", "subcategory:")) for problem in labels.problems)


def _by_dataset(measured: Measured, vocabulary: DatasetVocabulary, options: Options) -> dict[str, DatasetRecord]:
    names = [image.dataset for image in measured.predictions.images]
    if len(set(names)) < 2:
        return {}
    records = {}
    for name in sorted(set(names)):
        part = measured.select(np.array([one == name for one in names], bool))
        records[name] = DatasetRecord(
            images=len(part.predictions),
            category=category_record(part.answers, vocabulary, options.min_train_count),
            heads=head_records(part),
        )
    return records


def _bundle_record(bundle: Bundle, space: CategorySpace) -> BundleRecord:
    task = bundle.task("classify")
    return BundleRecord(
        id=bundle.version_id,
        sha256=bundle.sha256,
        size_bytes=sum(len(content) for content in bundle.files.values()),
        category_labels=len(bundle.labels(task)),
        category_nodes=len(space.nodes),
        heads={head.name: len(bundle.labels(head)) for head in task.heads},
    )


def _data_record(
    labelled: LabelledSet,
    everything: Sequence[ResolvedLabels],
    chosen: Sequence[int],
    pool: int,
    measured: Measured,
    predictions: Predictions,
    is_chosen: set[int],
) -> DataRecord:
    problems = Counter(
        (labelled.images[index].dataset, problem) for index in chosen for problem in everything[index].problems
    )
    return DataRecord(
        labels=list(labelled.names),
        labels_sha256=list(labelled.sha256),
        listed=len(labelled.images),
        chosen=len(chosen),
        evaluated=len(measured.predictions),
        distinct=len(set(measured.predictions.contents)),
        few_shot_pool=pool,
        datasets=dict(sorted(Counter(image.dataset for image in measured.predictions.images).items())),
        unused=[
            UnusedPicture(image_path=one.image.image_path, line=one.image.line, reason=one.reason, detail=one.detail)
            for one in predictions.failures
            if id(one.image) in is_chosen
        ],
        unknown_labels=[
            LabelProblem(dataset=dataset, label=problem, images=count)
            for (dataset, problem), count in sorted(problems.items(), key=lambda item: (-item[1], item[0]))
        ],
    )


if __name__ == "__main__":
    from jobs.cli import run_as_script

    run_as_script("evaluate")
