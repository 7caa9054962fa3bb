"""Labelled pictures: the one data set format that training, evaluation and annotation read and write.

A data set is a CSV with the columns `COLUMNS` beside (or below) a folder of pictures; the renderer writes the same
form. Only `image_path` is needed; an empty field means that nobody has labelled it.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

COLUMNS = (
    "image_path",
    "dataset",
    "split",
    "category",
    "subcategory",
    "color",
    "attributes_json",
    "boxes_json",
    "title",
    "description",
    "license",
    "source",
)
SPLITS = ("train", "val", "test", "catalogue")

# A description may be long; the csv module's own limit is 128 KiB.
_FIELD_LIMIT = 4 * 1024 * 1024


class LabelsError(ValueError):
    """A labels file cannot be read. The message names the file, the line and what to do."""


@dataclass(frozen=True)
class LabelledBox:
    """One labelled box: (x_min, y_min, x_max, y_max) in pixels, right and bottom exclusive."""

    label: str
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class LabelledImage:
    """One row of a labels file; empty strings stand for what is not labelled.

    Args:
        path: the picture's file.
        image_path: as the labels file spells it.
        line: its line in the labels file, from 2 on; 0 when it came from elsewhere.
        dataset: name of the data set, which decides how its labels are read.
        split: train, val, test, catalogue, or empty.
        category: coarse label, or a taxonomy path.
        subcategory: fine label, in the data set's own words.
        color: color label, in the data set's own words.
        attributes: anything else: gender, season, usage, pattern, fine, ...
        boxes: labelled boxes.
        title: the product's title.
        description: the product's description.
        license: license of the picture.
        source: where it came from.
    """

    path: Path
    image_path: str
    line: int = 0
    dataset: str = ""
    split: str = ""
    category: str = ""
    subcategory: str = ""
    color: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    boxes: tuple[LabelledBox, ...] = ()
    title: str = ""
    description: str = ""
    license: str = ""
    source: str = ""


def read_labels(labels: Path, images_root: Path | None = None) -> list[LabelledImage]:
    """Read a labels file.

    Args:
        labels: the CSV.
        images_root: folder that `image_path` refers to; by default the CSV's folder, or its parent when the paths
            begin with the folder's own name (as in a collection of data sets).

    Raises:
        LabelsError: the file is missing or no CSV, lacks image_path, or has a line that cannot be read.
    """
    try:
        with labels.open(encoding="utf-8-sig", newline="") as file:
            csv.field_size_limit(_FIELD_LIMIT)
            reader = csv.DictReader(file)
            if "image_path" not in (reader.fieldnames or ()):
                raise LabelsError(
                    f"{labels} has no column image_path; it has {', '.join(reader.fieldnames or ['none'])}"
                )
            rows = [(reader.line_num, row) for row in reader]
    except OSError as error:
        raise LabelsError(f"{labels} cannot be read: {error.strerror}; check the path") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise LabelsError(f"{labels} is not a CSV in UTF-8 ({error}); export it again") from error
    root = images_root or _root_of(labels, [row["image_path"] for _, row in rows])
    return [_labelled(labels, root, line, row) for line, row in rows]


def read_collection(folder: Path) -> list[LabelledImage]:
    """Every labels.csv directly below a folder, data sets in the order of their names.

    Raises:
        LabelsError: there is none, or one cannot be read.
    """
    files = sorted(folder.glob("*/labels.csv"))
    if not files:
        raise LabelsError(f"{folder} has no data set (no */labels.csv); name the folder that holds the data sets")
    return [image for file in files for image in read_labels(file)]


def write_labels(labels: Path, images: Iterable[LabelledImage]) -> None:
    """Write a labels file; `image_path` is written as it stands."""
    labels.parent.mkdir(parents=True, exist_ok=True)
    with labels.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for image in images:
            boxes = [{"label": one.label, "box": list(one.box)} for one in image.boxes]
            writer.writerow(
                {
                    **{name: getattr(image, name) for name in COLUMNS if not name.endswith("_json")},
                    "attributes_json": json.dumps(dict(image.attributes), ensure_ascii=False),
                    "boxes_json": json.dumps(boxes, ensure_ascii=False) if boxes else "",
                }
            )


def _root_of(labels: Path, paths: list[str]) -> Path:
    folder = labels.parent
    prefix = f"{folder.name}/"
    nested = bool(paths) and all(path.startswith(prefix) for path in paths) and not (folder / folder.name).is_dir()
    return folder.parent if nested else folder


def _labelled(labels: Path, root: Path, line: int, row: Mapping[str, str | None]) -> LabelledImage:
    def text(name: str) -> str:
        value = (row.get(name) or "").strip()
        # pandas writes missing values of object columns so.
        return "" if value.lower() == "nan" else value

    if not text("image_path"):
        raise LabelsError(f"{labels} line {line}: image_path is empty; remove the line or name the picture")
    attributes = _json(labels, line, "attributes_json", text("attributes_json"), dict)
    boxes = _json(labels, line, "boxes_json", text("boxes_json"), list)
    return LabelledImage(
        path=root / text("image_path"),
        image_path=text("image_path"),
        line=line,
        attributes=attributes or {},
        boxes=tuple(_box(labels, line, one) for one in boxes or ()),
        **{name: text(name) for name in COLUMNS if name != "image_path" and not name.endswith("_json")},
    )


def _json(labels: Path, line: int, name: str, content: str, kind: type) -> Any:
    if not content:
        return None
    try:
        value = json.loads(content)
    except json.JSONDecodeError as error:
        raise LabelsError(f"{labels} line {line}: {name} is not JSON ({error}); correct the line") from error
    if not isinstance(value, kind):
        raise LabelsError(f"{labels} line {line}: {name} must be a JSON {kind.__name__}; correct the line")
    return value


def _box(labels: Path, line: int, value: Any) -> LabelledBox:
    try:
        x_min, y_min, x_max, y_max = (float(edge) for edge in value["box"])
        return LabelledBox(str(value.get("label", "")), (x_min, y_min, x_max, y_max))
    except (TypeError, KeyError, ValueError) as error:
        raise LabelsError(
            f"{labels} line {line}: a box must be {{label, box: [x_min, y_min, x_max, y_max]}}, not {value!r}"
        ) from error
