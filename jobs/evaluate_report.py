"""The report of an evaluation: one self-contained HTML page, readable on a phone, without scripts or network."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from jobs.console_text import format_duration
from jobs.evaluate_charts import reliability_chart, robustness_charts
from jobs.report_picture import category_names
from jobs.report_text import clean, file_size, number, utc_time, words
from jobs.report_thumbnail import ThumbnailError, make_thumbnail
from models.evaluation import ClassRecord, Evaluation, FrequentRecord, MistakeRecord, ScoreRecord, ShareRecord
from models.labelled import LabelledImage

THUMBNAIL_SIDE = 168
THUMBNAIL_BYTES = 7_000
WEAKEST_SHOWN = 20
PROBLEMS_SHOWN = 60

LEVEL_TITLES = {"department": "Department", "category": "Category", "type": "Type", "leaf": "Type or variety"}

ENVIRONMENT = Environment(
    loader=ChoiceLoader([PackageLoader("jobs", "evaluate_page"), PackageLoader("jobs", "report_page")]),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render_evaluation_report(evaluation: Evaluation, images: Iterable[LabelledImage]) -> str:
    """The page as HTML.

    Args:
        evaluation: what was measured.
        images: the labelled pictures, of which those that the page shows are read; one that is gone shows no picture.
    """
    thumbnails = _thumbnails(evaluation, images)
    return ENVIRONMENT.get_template(
        "evaluation.html"
    ).render(
        evaluation=evaluation,
        style=Markup(page_source("page.css") + page_source("evaluation.css")),  # noqa: S704  (our own files)
        headline=_headline(evaluation),
        meta=_meta(evaluation),
        levels=[(title, evaluation.category.levels[level]) for level, title in LEVEL_TITLES.items()],
        heads=[(words(name), record) for name, record in evaluation.heads.items()],
        vocabulary=_vocabulary(evaluation),
        frequent=_frequent(evaluation),
        weakest=_weakest(evaluation),
        reliability=_reliability(evaluation),
        matrix=_matrix(evaluation),
        confusions=_confusions(evaluation, thumbnails),
        mistakes=_mistakes(evaluation.mistakes, thumbnails),
        robustness=robustness_charts(evaluation.robustness),
        problems=evaluation.data.unknown_labels[:PROBLEMS_SHOWN],
        unused=evaluation.data.unused[:PROBLEMS_SHOWN],
        title_of=title_of,
    )


def write_evaluation_report(path: Path, evaluation: Evaluation, images: Iterable[LabelledImage]) -> Path:
    """Write the page to `path` (UTF-8); a reader never sees half a page."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    unfinished.write_text(render_evaluation_report(evaluation, images), encoding="utf-8")
    unfinished.replace(path)
    return path


def share(value: float | None) -> str:
    """A share of 0..1 as "91.3"; percent signs stand in the headings."""
    return "–" if value is None else f"{100 * value:.1f}"


def interval(pair: tuple[float, float] | None) -> str:
    """A 95% interval as "89.1 to 93.0"."""
    return "" if pair is None else f"{share(pair[0])} to {share(pair[1])}"


def title_of(label: str) -> str:
    """A label as people read it: the taxonomy's name of a path, the variety's words below it, else the words."""
    if "/" not in label:
        return category_names(label)[0] if label.islower() and " " not in label else clean(label, 80)
    path = "/".join(label.split("/")[:3])
    variety = words(label.removeprefix(path).strip("/").replace("-", " "))
    name = category_names(path)[0]
    return f"{name}: {variety}" if variety else name


ENVIRONMENT.filters.update(
    share=share,
    interval=interval,
    number=number,
    words=words,
    clean=clean,
    duration=format_duration,
    utc_time=utc_time,
    title=title_of,
)


def page_source(name: str) -> str:
    """Text of a file of the page's folders."""
    assert ENVIRONMENT.loader is not None
    return ENVIRONMENT.loader.get_source(ENVIRONMENT, name)[0]


def _headline(evaluation: Evaluation) -> list[tuple[str, str]]:
    five_shot = next((one.accuracy for one in evaluation.few_shot if one.shots == 5), None)
    retrieval = evaluation.retrieval
    figures = [
        (evaluation.category.levels["type"].accuracy, "type accuracy, %"),
        (evaluation.category.levels["leaf"].accuracy, "type or variety accuracy, %"),
        (evaluation.category.hierarchical_accuracy, "of the label's path right, %"),
        (retrieval.recall_at_1 if retrieval else None, "nearest picture of the same kind, %"),
        (five_shot, "new types from 5 pictures, %"),
        (evaluation.unseen.auroc, "AUROC × 100, known against unknown"),
    ]
    return [(share(value), label) for value, label in figures if value is not None]


def _meta(evaluation: Evaluation) -> list[tuple[str, str]]:
    data, options = evaluation.data, evaluation.options
    return [
        ("Measured", utc_time(evaluation.created_at)),
        ("Labels", ", ".join(clean(name, 80) for name in data.labels)),
        ("Split", options.split or "all"),
        ("Pictures", f"{data.evaluated:,} of {data.chosen:,}"),
        ("Bundle size", file_size(evaluation.bundle.size_bytes)),
        ("Manifest SHA-256", evaluation.bundle.sha256[:12]),
        ("Seed", str(options.seed)),
        ("Took", format_duration(evaluation.seconds)),
    ]


def _vocabulary(evaluation: Evaluation) -> list[tuple[str, list[tuple[str, ShareRecord]]]]:
    return [
        (words(dataset) or "unnamed", [(LEVEL_TITLES[level], one) for level, one in levels.items()])
        for dataset, levels in evaluation.category.vocabulary.items()
    ]


def _frequent(evaluation: Evaluation) -> list[tuple[str, FrequentRecord]]:
    options = evaluation.options
    found = [
        (f"Types with at least {options.min_train_count} training pictures", evaluation.category.frequent_types),
        (f"The {options.top_colors} commonest colors", evaluation.common_colors),
    ]
    return [(title, record) for title, record in found if record is not None and record.unrestricted.images]


def _weakest(evaluation: Evaluation) -> list[tuple[str, list[tuple[str, ClassRecord]]]]:
    """Per head, the labels that are found least well, among those with more than a picture or two."""
    records: list[tuple[str, ScoreRecord]] = [("Type", evaluation.category.levels["type"])]
    records += [(words(name), record) for name, record in evaluation.heads.items()]
    shown = []
    for title, record in records:
        classes = sorted(
            ((title_of(label), one) for label, one in record.per_class.items() if one.images >= 3),
            key=lambda pair: (pair[1].f1, -pair[1].images),
        )
        if classes:
            shown.append((title, classes[:WEAKEST_SHOWN]))
    return shown


def _reliability(evaluation: Evaluation) -> list[dict[str, Any]]:
    records = [(title, evaluation.category.levels[level]) for level, title in LEVEL_TITLES.items()]
    records += [(words(name), record) for name, record in evaluation.heads.items()]
    return [
        {
            "title": title,
            "ece": share(record.ece),
            "images": record.images,
            "chart": reliability_chart(record.reliability),
        }
        for title, record in records
        if record.reliability
    ]


def _matrix(evaluation: Evaluation) -> dict[str, Any] | None:
    matrix = evaluation.confusion_matrix
    if not matrix.labels:
        return None
    highest = max(
        (count for row, counts in enumerate(matrix.counts) for column, count in enumerate(counts) if row != column),
        default=0,
    )
    rows = []
    for row, (label, counts) in enumerate(zip(matrix.labels, matrix.counts, strict=True)):
        cells = [
            {
                "count": count,
                "right": row == column,
                "weight": 0.0 if row == column or not highest else count / highest,
                "answer": title_of(matrix.labels[column]),
            }
            for column, count in enumerate(counts)
        ]
        rows.append({"label": title_of(label), "cells": cells})
    return {"columns": [title_of(label) for label in matrix.labels], "rows": rows}


def _confusions(evaluation: Evaluation, thumbnails: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "label": title_of(one.label),
            "answer": title_of(one.answer),
            "images": one.images,
            "share": share(one.share),
            "source": thumbnails.get(one.example),
        }
        for one in evaluation.confusions
    ]


def _mistakes(records: Sequence[MistakeRecord], thumbnails: Mapping[str, str]) -> list[dict[str, Any]]:
    """Contact sheets by head."""
    sheets: dict[str, list[dict[str, Any]]] = {}
    for one in records:
        sheets.setdefault(one.head, []).append(
            {
                "label": title_of(one.label) if one.head == "category" else words(one.label),
                "answer": title_of(one.answer) if one.head == "category" else words(one.answer),
                "confidence": f"{100 * one.confidence:.0f}%",
                "path": clean(one.image_path, 200),
                "source": thumbnails.get(one.image_path),
            }
        )
    return [{"head": words(head), "pictures": pictures} for head, pictures in sheets.items()]


def _thumbnails(evaluation: Evaluation, images: Iterable[LabelledImage]) -> dict[str, str]:
    """Data URIs of the pictures that the page shows, each encoded once."""
    wanted = {one.example for one in evaluation.confusions} | {one.image_path for one in evaluation.mistakes}
    found = {}
    for image in images:
        if image.image_path in wanted and image.image_path not in found:
            try:
                encoded = make_thumbnail(image.path.read_bytes(), THUMBNAIL_SIDE, THUMBNAIL_BYTES)
            except (OSError, ThumbnailError):
                continue
            found[image.image_path] = f"data:image/webp;base64,{base64.b64encode(encoded).decode('ascii')}"
    return found
