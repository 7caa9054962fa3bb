"""Corrections as a labelled data set, which training and evaluation read like any other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyspark.sql import functions as F  # noqa: N812 - its usual name

from jobs.corrections import BOXES, CATEGORY, CONTENT, content_corrections
from jobs.data_export import copy_picture, open_tables
from jobs.spark_session import spark_session
from models.labelled import LabelledBox, LabelledImage, write_labels
from schemas.settings import Settings
from udfs.fetch import Fetcher

DATASET = "corrections"
LABELS_NAME = "labels.csv"

# One content in ten goes to validation, always the same ones.
_VALIDATION_OF_16 = 2
_COLOR = "color"


def write_corrections_as_labels(settings: Settings, out: Path) -> tuple[Path, int, list[str]]:
    """Write a data set of every corrected picture: `out`/labels.csv and `out`/images.

    Corrections of products are no labels of any one picture and are left out.

    Returns:
        The labels file, how many pictures it lists, and the URIs of those that could not be read any more.

    Raises:
        NothingToReadError: there are no tables.
    """
    store = open_tables(spark_session("vitrine data labels", settings.s3), settings)
    rows: list[Any] = []
    if store.exists("corrections"):
        uris = store.read("images").groupBy("content_sha256").agg(F.min("image_uri").alias("image_uri"))
        known = store.read("corrections").where(F.col("subject_kind") == CONTENT).where("image_uri IS NOT NULL")
        as_seen = known.groupBy(F.col("subject").alias("content_sha256")).agg(F.min("image_uri").alias("seen_uri"))
        joined = content_corrections(store).join(uris, "content_sha256", "left").join(as_seen, "content_sha256", "left")
        rows = joined.orderBy("content_sha256").collect()
    fetcher = Fetcher(settings.fetch, settings.s3)
    images, gone = [], []
    for row in rows:
        uri = row["image_uri"] or row["seen_uri"]
        copied = copy_picture(fetcher, uri, out) if uri else None
        if copied is None:
            gone.append(uri or row["content_sha256"])
        else:
            images.append(_labelled(out, copied, uri, row["content_sha256"], row["corrected"]))
    write_labels(out / LABELS_NAME, images)
    return out / LABELS_NAME, len(images), gone


def _labelled(folder: Path, copied: str, uri: str, content: str, corrected: Mapping[str, str]) -> LabelledImage:
    boxes = json.loads(corrected.get(BOXES, "[]"))
    return LabelledImage(
        path=folder / copied,
        image_path=copied,
        dataset=DATASET,
        split="val" if int(content[:1], 16) < _VALIDATION_OF_16 else "train",
        category=corrected.get(CATEGORY, ""),
        color=corrected.get(_COLOR, ""),
        attributes={name: value for name, value in corrected.items() if name not in (CATEGORY, _COLOR, BOXES)},
        boxes=tuple(LabelledBox(one["label"], tuple(one["box"])) for one in boxes),
        source=uri,
    )
