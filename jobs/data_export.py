"""Exports pictures for labelling: those that the models are unsure of, and those in quarantine."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F  # noqa: N812 - its usual name

from jobs.annotation_rows import AnnotationRow, Format, write_rows
from jobs.corrections import CATEGORY, CONTENT, IMAGE
from jobs.locations import resolve_location
from jobs.spark_session import spark_session
from jobs.store import TableStore
from schemas.settings import Settings
from schemas.tables import TABLES
from schemas.uri import local_path_text, scheme_of
from udfs.fetch import Fetcher
from udfs.image_format import sniff_format

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

FILE_NAMES: dict[Format, str] = {"csv": "to_label.csv", "jsonl": "to_label.jsonl", "coco": "to_label.json"}
LOW_CONFIDENCE = "low_confidence"

# Attributes with a column of their own; the others are elements of model_attributes.
_OWN_COLUMN = (CATEGORY, "color", "pattern", "shape")


class NothingToReadError(RuntimeError):
    """The tables root holds no tables that could be exported or corrected."""


def export_rows(
    settings: Settings,
    out: Path,
    *,
    below: float = 0.5,
    attribute: str = CATEGORY,
    quarantined: bool = False,
    form: Format = "csv",
    limit: int = 1000,
    copy_images: bool = False,
) -> tuple[Path, int]:
    """Write a file for labelling.

    Args:
        settings: where the tables are.
        out: folder.
        below: pictures whose confidence in `attribute` is lower, least sure first; without any counts as 0. Those
            that somebody has corrected in it are left out.
        attribute: category or an attribute head.
        quarantined: export pictures in quarantine instead.
        form: csv, jsonl or coco.
        limit: most pictures.
        copy_images: copy the pictures beside the file, for tools that open local files only.

    Returns:
        The file and how many pictures it lists.

    Raises:
        NothingToReadError: there are no tables.
    """
    store = open_tables(spark_session("vitrine data export", settings.s3), settings)
    rows = _quarantined(store, limit) if quarantined else _unsure(store, attribute, below, limit)
    fetcher = Fetcher(settings.fetch, settings.s3)
    annotated = [_annotation(row, fetcher if copy_images else None, out) for row in rows]
    return write_rows(out / FILE_NAMES[form], annotated, form), len(annotated)


def open_tables(spark: SparkSession, settings: Settings) -> TableStore:
    """The tables, for reading; a root from before there were corrections has none of these yet.

    Raises:
        NothingToReadError: there are no tables.
    """
    store = TableStore(spark, resolve_location(settings.tables))
    if not store.exists("images"):
        raise NothingToReadError(f"{settings.tables} holds no Vitrine tables; run `vitrine nightly` first")
    return store


def copy_picture(fetcher: Fetcher, uri: str, folder: Path) -> str | None:
    """Copy a picture into `folder`/images; its path relative to `folder`, None when it cannot be read."""
    data = fetcher.fetch(uri).data
    if data is None:
        return None
    try:
        suffix = sniff_format(data)
    except Exception:  # noqa: BLE001 - a file that is no picture keeps a neutral name and is looked at as it is
        suffix = "bin"
    relative = f"images/{hashlib.sha256(data).hexdigest()[:20]}.{suffix.replace('jpeg', 'jpg')}"
    target = folder / relative
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
    return relative


def _unsure(store: TableStore, attribute: str, below: float, limit: int) -> list[Any]:
    images = store.read("images").where("is_active AND status = 'extracted'")
    uris = images.groupBy("content_sha256", "bundle_version").agg(F.min("image_uri").alias("image_uri"))
    described = store.read("image_attributes").join(uris, ["content_sha256", "bundle_version"])
    confidence = F.coalesce(_confidence(attribute), F.lit(0.0))
    if attribute == CATEGORY:
        # Where no path is stated, the best guess still tells how unsure the model is.
        confidence = F.coalesce(F.col("category_confidence"), F.expr("category_candidates[0].score"), F.lit(0.0))
    unsure = described.withColumn("confidence", confidence).where(F.col("confidence") < below)
    if store.exists(_CORRECTIONS):
        done = store.read(_CORRECTIONS).where(F.col("attribute") == attribute)
        by_content = done.where(F.col("subject_kind") == CONTENT).select(F.col("subject").alias("content_sha256"))
        by_uri = done.where(F.col("subject_kind") == IMAGE).select(F.col("subject").alias("image_uri"))
        unsure = unsure.join(by_content, "content_sha256", "left_anti").join(by_uri, "image_uri", "left_anti")
    chosen = unsure.select(
        F.lit(CONTENT).alias("subject_kind"),
        F.col("content_sha256").alias("subject"),
        "image_uri",
        F.lit(LOW_CONFIDENCE).alias("reason"),
        "confidence",
        "category",
        "category_candidates",
        "color",
        "pattern",
        "shape",
        "model_attributes",
        "width_px",
        "height_px",
        F.col("region.box").alias("box"),
    )
    return _with_product(store, chosen).orderBy("confidence", "subject").limit(limit).collect()


def _confidence(attribute: str) -> Column:
    if attribute in _OWN_COLUMN:
        return F.col(f"{attribute}_confidence")
    return F.expr(f"filter(model_attributes, one -> one.attribute = '{attribute}')[0].confidence")


def _quarantined(store: TableStore, limit: int) -> list[Any]:
    rows = store.read("quarantine").where("stage = 'extract' AND resolved_at IS NULL AND image_uri IS NOT NULL")
    chosen = rows.select(F.lit(IMAGE).alias("subject_kind"), F.col("image_uri").alias("subject"), "image_uri", "reason")
    return _with_product(store, chosen).orderBy("reason", "image_uri").limit(limit).collect()


def _with_product(store: TableStore, rows: DataFrame) -> DataFrame:
    """With one product that shows the picture; which one does not matter to whoever labels it."""
    one = F.min_by(F.struct("product_id", "title", "description"), F.col("product_id")).alias("product")
    products = store.read("catalog").where("is_active").groupBy("image_uri").agg(one)
    return rows.join(products, "image_uri", "left")


def _annotation(row: Any, fetcher: Fetcher | None, out: Path) -> AnnotationRow:
    values = row.asDict(recursive=True)
    product = values.get("product") or {}
    box = values.get("box")
    copied = copy_picture(fetcher, values["image_uri"], out) if fetcher is not None else None
    return AnnotationRow(
        subject_kind=values["subject_kind"],
        subject=values["subject"],
        image_uri=values["image_uri"],
        image_path=copied or viewable(values["image_uri"]),
        product_id=product.get("product_id") or "",
        title=product.get("title") or "",
        description=product.get("description") or "",
        reason=values["reason"],
        confidence=values.get("confidence"),
        predicted=_predicted(values),
        width=values.get("width_px"),
        height=values.get("height_px"),
        box=(box["x_min"], box["y_min"], box["x_max"], box["y_max"]) if box else None,
    )


def viewable(uri: str) -> str:
    """A local file's path; any other URI as it is."""
    return local_path_text(uri) if scheme_of(uri) == "file" else uri


def _predicted(values: dict[str, Any]) -> dict[str, str]:
    """What was said, by attribute; the best guess where no category was stated."""
    candidates = values.get("category_candidates") or []
    said = {name: values.get(name) for name in _OWN_COLUMN}
    said[CATEGORY] = said[CATEGORY] or (candidates[0]["category"] if candidates else None)
    for one in values.get("model_attributes") or []:
        # A measured color, pattern or shape stands in its own column and goes before the head's.
        if not said.get(one["attribute"]):
            said[one["attribute"]] = one["value"]
    return {name: value for name, value in said.items() if value}


_CORRECTIONS = TABLES["corrections"].name
