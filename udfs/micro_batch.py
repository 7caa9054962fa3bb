"""The stages of extraction over some pictures at once: detector, measures, models, text; one row of columns each.

Each model sees the pictures of a micro-batch together. A picture that a stage fails on leaves with its reason and is
not looked at by the stages after it; the others go on.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from schemas.reasons import ImageError, Reason
from schemas.settings import TextSettings
from udfs.describe import Picture, StepClock, box_column, columns_of, describe_product
from udfs.detect import Detections
from udfs.picture_text import NOT_ASKED, find_barcodes, read_texts, text_boxes, text_columns
from udfs.product_region import Look, detect_each, look_at
from udfs.runtime import ClassifyResult, Runtime


@dataclass
class _Work:
    """A picture on its way through the stages."""

    picture: Picture
    columns: dict[str, Any] = field(default_factory=dict)
    step_ms: dict[str, float] = field(default_factory=dict)
    detections: Detections | None = None
    look: Look | None = None
    error: ImageError | None = None


def describe_pictures(
    pictures: Sequence[Picture], runtime: Runtime, text: TextSettings
) -> list[dict[str, Any] | ImageError]:
    """Everything that is seen in some pictures.

    Args:
        pictures: from `udfs.describe.ready_picture`.
        runtime: the bundle's models.
        text: what is read, and how much.

    Returns:
        For each picture the columns of `schemas.image_columns.IMAGE_COLUMNS` but size_bytes, or why there are none.
        `step_ms` has the steps from the picture's quality on.
    """
    works = [_Work(picture, step_ms=dict(picture.step_ms)) for picture in pictures]
    _detect(works, runtime)
    _measure([work for work in works if work.error is None])
    _classify([work for work in works if work.error is None], runtime)
    _read([work for work in works if work.error is None], text)
    return [work.error or {**work.columns, "step_ms": work.step_ms} for work in works]


def _detect(works: list[_Work], runtime: Runtime) -> None:
    started = time.perf_counter()
    found = detect_each([work.picture for work in works], runtime)
    _share_time("detect", works, started)
    for work, detections in zip(works, found, strict=True):
        if isinstance(detections, ImageError):
            work.error = detections
        else:
            work.detections = detections


def _measure(works: list[_Work]) -> None:
    for work in works:
        clock = StepClock(work.step_ms)
        try:
            work.look = look_at(work.picture, work.detections)
            clock.lap("segment")
            work.columns |= describe_product(work.picture, work.look.region)
            clock.lap("features")
        except Exception as error:  # noqa: BLE001 - a measure that trips over one odd picture fails only that
            work.error = ImageError(Reason.FEATURES_FAILED, f"{type(error).__name__}: {error}")
        work.columns["detections"] = detection_columns(work.detections, work.picture)


def _classify(works: list[_Work], runtime: Runtime) -> None:
    if not works:
        return
    started = time.perf_counter()
    inputs = [runtime.prepare(work.picture.pixels, work.look.box if work.look else None) for work in works]
    results = runtime.classify_each(np.stack(inputs))
    for work, result in zip(works, results, strict=True):
        if isinstance(result, ImageError):
            work.error = result
        else:
            work.columns |= model_columns(result, runtime)
    _share_time("models", works, started)


def _read(works: list[_Work], settings: TextSettings) -> None:
    for work in works:
        work.step_ms["text"] = 0.0
        if not settings.read:
            work.columns |= NOT_ASKED
    if not settings.read or not works:
        return
    started = time.perf_counter()
    boxes = [text_boxes(work.detections) for work in works]
    readings = read_texts([work.picture.pixels for work in works], boxes, settings)
    for work, its_boxes, reading in zip(works, boxes, readings, strict=True):
        # Without a detector the lines that were read say where bars may stand.
        places = its_boxes if its_boxes is not None else [line.box for line in reading.lines]
        codes = find_barcodes(work.picture.pixels, places) if settings.barcodes else ()
        height, width = work.picture.pixels.shape[:2]
        scale = (work.picture.width_px / width, work.picture.height_px / height)
        work.columns |= text_columns(reading, codes, scale)
    asked = [work for work, its_boxes in zip(works, boxes, strict=True) if its_boxes is None or its_boxes]
    _share_time("text", asked, started)


def _share_time(step: str, works: Sequence[_Work], started: float) -> None:
    """Count the time since `started` in equal parts."""
    share = (time.perf_counter() - started) * 1e3 / max(1, len(works))
    for work in works:
        work.step_ms[step] = work.step_ms.get(step, 0.0) + share


def detection_columns(detections: Detections | None, picture: Picture) -> list[dict[str, Any]] | None:
    """The detector's boxes as the column `detections`, in px of the source; None without a detector."""
    if detections is None:
        return None
    named = [("product", detections.products), ("tag", detections.tags), ("text", detections.texts)]
    return [
        {"label": label, "box": box_column(picture.to_source(one.box, picture.pixels.shape)), "score": one.score}
        for label, found in named
        for one in found
    ]


def model_columns(result: ClassifyResult, runtime: Runtime) -> dict[str, Any]:
    """The columns that the classify model gives, of a result of one picture."""
    attributes = runtime.attribute_reader.read(result.heads)
    seen = columns_of(runtime.read(result)[0])
    return {
        **seen,
        "category_candidates": [columns_of(one) for one in seen["category_candidates"]],
        "labels": [columns_of(one) for one in seen["labels"]],
        "model_attributes": [columns_of(one) for one in attributes[0]] if attributes else [],
        "embedding": result.embeddings[0],
    }
