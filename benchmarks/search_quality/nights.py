"""The tables that are searched, made by whole nights of the pipeline and kept in the cache."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.search_quality.shops import QualityShop
from jobs.light_tables import LightTables
from jobs.nightly import run_stages
from jobs.service.build import build_folder
from jobs.service.published import Publication, PublishedTables
from jobs.service.snapshot import Snapshot
from jobs.small_objects import POINTER
from schemas.settings import S3Settings, Settings
from udfs.similar_cells import Floats

IMAGENET = Path(__file__).parents[2] / "models" / "shipped" / "imagenet-lite0" / "1.0.0"
WAVE_IMAGES = 500

# A shop that takes all its words back is what the gate is there to stop.
_OPEN_GATE = dict.fromkeys(
    (
        *("max_quarantined_share", "max_rejected_rows_share", "max_missing_share", "max_category_loss_share"),
        *("max_uncategorized_share", "max_drift"),
    ),
    1.0,
)


@dataclass(frozen=True)
class Night:
    """A published night, as `vitrine serve` has it."""

    snapshot: Snapshot
    tables: PublishedTables


def nights(shop: QualityShop, folder: Path) -> dict[str, Night]:
    """The shop with its words, and then without: the second night reuses what was seen in the pictures."""
    made = {}
    for name in ("with words", "without words"):
        pointer = folder / f"{shop.name}-{name.replace(' ', '-')}.json"
        tables = folder / "tables"
        if not pointer.is_file():
            feed = folder / "feed.csv"
            shop.write_feed(feed, with_words=name == "with words")
            run_stages(_settings(shop, tables, feed), quiet=True)
            shutil.copyfile(tables / POINTER, pointer)
        said: dict[str, Any] = json.loads(pointer.read_text())
        publication = Publication(said["publication_id"], said["run_id"], said["bundle_version"], said["versions"])
        root, s3 = f"file://{tables.resolve()}", S3Settings()
        served = build_folder(root, s3, publication, folder / "serve")
        made[name] = Night(Snapshot(served, publication).opened(), PublishedTables(root, s3, publication))
    return made


def picture_vectors(shop: QualityShop, folder: Path, models: Path | None) -> dict[str, Floats]:
    """The vector (D,) of each picture, of length 1; of pictures with the same bytes only the first has one.

    Args:
        shop: the shop.
        folder: where its tables are.
        models: another bundle than the shipped one: its pictures are described in tables of their own.
    """
    tables = folder / "tables"
    if models is not None:
        tables = folder / f"tables-{models.parent.name}"
        if not (tables / "done").is_file():
            feed = folder / "feed.csv"
            shop.write_feed(feed, with_words=False)
            settings = _settings(shop, tables, feed, models=str(models), text={"read": False, "barcodes": False})
            run_stages(settings, ("ingest", "extract"), quiet=True)
            (tables / "done").touch()
    light = LightTables(f"file://{tables.resolve()}", S3Settings())
    described = light.read("image_attributes", ("content_sha256", "embedding")).to_pylist()
    by_content = {row["content_sha256"]: row["embedding"] for row in described if row["embedding"]}
    vectors: dict[str, Floats] = {}
    images = light.read("images", ("image_uri", "content_sha256")).to_pylist()
    for address, content in sorted((row["image_uri"], row["content_sha256"]) for row in images):
        if (embedding := by_content.pop(content, None)) is not None:
            vector = np.asarray(embedding, dtype=np.float32)
            vectors[address.removeprefix("file://")] = vector / max(float(np.linalg.norm(vector)), 1e-12)
    return vectors


def _settings(shop: QualityShop, tables: Path, feed: Path, **changes: Any) -> Settings:
    return Settings(
        tables=str(tables),
        catalog=str(feed),
        allowed_roots=(str(shop.picture_root),),
        extract={"wave_images": WAVE_IMAGES},
        gate=_OPEN_GATE,
        **changes,
    )
