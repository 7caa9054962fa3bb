"""Small real picture files for tests, drawn on the spot, and the place of the shared photos."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

_CANDIDATE = Path(os.environ.get("VITRINE_SHARED_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
SHARED_DATA: Path | None = _CANDIDATE if _CANDIDATE.is_dir() else None

COLORS = {"red": (200, 30, 40), "blue": (40, 70, 190), "green": (40, 140, 70), "black": (20, 20, 22)}


def draw(seed: int = 0, size: tuple[int, int] = (240, 300), color: tuple[int, int, int] = COLORS["red"]) -> Image.Image:
    """A rounded block of one color on white, with a little noise that makes each seed a different picture."""
    width, height = size
    image = Image.new("RGB", size, (252, 252, 252))
    box = (width * 0.25, height * 0.2, width * 0.75, height * 0.85)
    ImageDraw.Draw(image).rounded_rectangle(box, radius=width * 0.06, fill=color)
    noise = np.random.default_rng(seed).normal(0, 2, (height, width, 1))
    return Image.fromarray(np.clip(np.asarray(image) + noise, 0, 255).astype(np.uint8))


def write_picture(path: Path, seed: int = 0, **options: object) -> Path:
    """Write `draw(seed)` in the format of the path's suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draw(seed, **options).save(path)  # type: ignore[arg-type]
    return path


def write_feed(path: Path, rows: Iterable[Mapping[str, object]]) -> Path:
    """Write a CSV feed whose columns are all keys that occur."""
    rows = list(rows)
    names = list(dict.fromkeys(name for row in rows for name in row))
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_shop(folder: Path, pictures: int = 6) -> Path:
    """A little shop: pictures and a feed beside them; returns the feed."""
    names = list(COLORS)
    rows = []
    for number in range(pictures):
        color = names[number % len(names)]
        write_picture(folder / "images" / f"{number}.jpg", number, color=COLORS[color])
        rows.append(
            {
                "product_id": f"p{number}",
                "image_uri": f"images/{number}.jpg",
                "title": f"{color} box {number}",
                "price": f"{number}.50",
                "updated_at": "2026-11-01T08:00:00Z",
            }
        )
    return write_feed(folder / "catalog.csv", rows)
