"""The rows that go to a person for labelling and come back corrected, and the three forms of file they travel in.

CSV and JSON Lines have the columns of a labels file, further ones that name the picture and what was said of it, and
empty ones to fill in. COCO is for boxes.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from models.label_space import ATTRIBUTE_HEADS
from models.labelled import COLUMNS

Format = Literal["csv", "jsonl", "coco"]

FILL_IN = ("category", *ATTRIBUTE_HEADS, "note")
"""Columns that a person fills in; empty ones say nothing."""

PREDICTED = "predicted_"
BOX_LABELS = ("product", "tag", "text")

_ABOUT = ("subject_kind", "subject", "image_uri", "product_id", "reason", "confidence", "corrected_by", "corrected_at")
_FIELD_LIMIT = 4 * 1024 * 1024


class AnnotationFileError(ValueError):
    """A file of corrections cannot be read. Names the file, the line and what to do."""


@dataclass(frozen=True)
class AnnotationRow:
    """One picture for labelling.

    Args:
        subject_kind: content or image.
        subject: content_sha256 or image_uri.
        image_uri: where the picture is.
        image_path: the file to look at.
        product_id: a product that shows it.
        title: that product's title.
        description: that product's description.
        reason: why it is exported: `low_confidence`, or the reason of its quarantine.
        confidence: of the attribute in question.
        predicted: what was said, by attribute.
        width: px of the upright picture, None for quarantined ones.
        height: px.
        box: the product's box as found, (x_min, y_min, x_max, y_max) px.
    """

    subject_kind: str
    subject: str
    image_uri: str
    image_path: str
    product_id: str = ""
    title: str = ""
    description: str = ""
    reason: str = ""
    confidence: float | None = None
    predicted: Mapping[str, str] = field(default_factory=dict)
    width: int | None = None
    height: int | None = None
    box: tuple[float, float, float, float] | None = None


@dataclass(frozen=True)
class CorrectedRow:
    """One row as it came back.

    Args:
        line: its line in the file, for messages; for COCO the picture's place in `images`.
        values: text by column, empty ones left out.
        boxes: corrected boxes, None where the file does not speak of boxes.
    """

    line: int
    values: Mapping[str, str]
    boxes: tuple[dict[str, Any], ...] | None = None


def write_rows(path: Path, rows: Sequence[AnnotationRow], form: Format) -> Path:
    """Write rows for labelling in one of the forms."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if form == "coco":
        path.write_text(json.dumps(_coco(rows), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        return path
    with path.open("w", encoding="utf-8", newline="") as file:
        if form == "jsonl":
            file.writelines(json.dumps(_record(row), ensure_ascii=False) + "\n" for row in rows)
            return path
        writer = csv.DictWriter(file, _columns())
        writer.writeheader()
        writer.writerows(_record(row) for row in rows)
    return path


def read_rows(path: Path) -> list[CorrectedRow]:
    """Read a file of corrections: .csv, .jsonl, or COCO .json.

    Raises:
        AnnotationFileError: it is none of these, or cannot be read.
    """
    readers = {".csv": _read_csv, ".jsonl": _read_jsonl, ".json": _read_coco}
    if path.suffix.lower() not in readers:
        raise AnnotationFileError(f"{path} is not .csv, .jsonl or .json (COCO); export it in one of these forms")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise AnnotationFileError(f"{path} cannot be read: {error.strerror}; check the path") from error
    except UnicodeDecodeError as error:
        raise AnnotationFileError(f"{path} is not UTF-8 ({error}); save it again as UTF-8") from error
    return readers[path.suffix.lower()](path, text)


def _columns() -> list[str]:
    """A labels file's columns first, so that the file can be looked at as one; then the others."""
    fill_in = [name for name in FILL_IN if name not in COLUMNS]
    predicted = [f"{PREDICTED}{name}" for name in ("category", *ATTRIBUTE_HEADS)]
    return [*COLUMNS, *fill_in, *_ABOUT, *predicted]


def _record(row: AnnotationRow) -> dict[str, str]:
    values = dict.fromkeys(_columns(), "")
    values |= {
        "image_path": row.image_path,
        "dataset": "export",
        "title": row.title,
        "description": row.description,
        "source": row.image_uri,
        "subject_kind": row.subject_kind,
        "subject": row.subject,
        "image_uri": row.image_uri,
        "product_id": row.product_id,
        "reason": row.reason,
        "confidence": "" if row.confidence is None else f"{row.confidence:.4f}",
        **{f"{PREDICTED}{name}": value for name, value in row.predicted.items()},
    }
    if row.box is not None:
        values["boxes_json"] = json.dumps([{"label": "product", "box": [round(edge, 1) for edge in row.box]}])
    return values


def _coco(rows: Sequence[AnnotationRow]) -> dict[str, Any]:
    """COCO's object detection form: https://cocodataset.org/#format-data."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, row in enumerate(rows, start=1):
        images.append(
            {
                "id": number,
                "file_name": row.image_path,
                "width": row.width,
                "height": row.height,
                **{name: getattr(row, name) for name in ("subject_kind", "subject", "image_uri")},
            }
        )
        if row.box is not None:
            x_min, y_min, x_max, y_max = row.box
            box = [round(value, 1) for value in (x_min, y_min, x_max - x_min, y_max - y_min)]
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": 1,
                    "bbox": box,
                    "area": round(box[2] * box[3], 1),
                    "iscrowd": 0,
                }
            )
    categories = [{"id": number, "name": name} for number, name in enumerate(BOX_LABELS, start=1)]
    info = {"description": "Vitrine export for labelling"}
    return {"info": info, "licenses": [], "images": images, "categories": categories, "annotations": annotations}


def _filled(values: Mapping[str, Any]) -> dict[str, str]:
    return {str(name): str(value).strip() for name, value in values.items() if value is not None and str(value).strip()}


def _read_csv(path: Path, text: str) -> list[CorrectedRow]:
    csv.field_size_limit(_FIELD_LIMIT)
    reader = csv.DictReader(io.StringIO(text, newline=""))
    try:
        return [CorrectedRow(reader.line_num, _filled({k: v for k, v in row.items() if k})) for row in reader]
    except csv.Error as error:
        raise AnnotationFileError(f"{path} line {reader.line_num} is not CSV ({error}); correct the line") from error


def _read_jsonl(path: Path, text: str) -> list[CorrectedRow]:
    rows = []
    for line, content in enumerate(text.split("\n"), start=1):
        if not content.strip():
            continue
        try:
            values = json.loads(content)
        except json.JSONDecodeError as error:
            raise AnnotationFileError(f"{path} line {line} is not JSON ({error}); correct the line") from error
        if not isinstance(values, dict):
            raise AnnotationFileError(f"{path} line {line} is no JSON object; correct the line")
        rows.append(CorrectedRow(line, _filled(values)))
    return rows


def _read_coco(path: Path, text: str) -> list[CorrectedRow]:
    try:
        document = json.loads(text)
        names = {one["id"]: str(one["name"]) for one in document["categories"]}
        boxes: dict[Any, list[dict[str, Any]]] = {image["id"]: [] for image in document["images"]}
        for one in document["annotations"]:
            left, top, width, height = (float(value) for value in one["bbox"])
            box = [left, top, left + width, top + height]
            boxes[one["image_id"]].append({"label": names[one["category_id"]], "box": box})
        return [
            CorrectedRow(place, _filled(image), tuple(boxes[image["id"]]))
            for place, image in enumerate(document["images"], start=1)
        ]
    except (json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise AnnotationFileError(
            f"{path} is not in COCO's form ({type(error).__name__}: {error}); it needs images, categories, annotations"
        ) from error


def listed(lines: Iterable[str], most: int = 10) -> str:
    """Findings joined for one message, cut after a few."""
    found = list(lines)
    rest = f"; and {len(found) - most} more" if len(found) > most else ""
    return "; ".join(found[:most]) + rest
