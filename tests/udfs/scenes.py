"""Draws shop pictures whose product mask and color are known, and finds real ones where they are at hand."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).parents[2]


def shared_rows(folder: str, split: str, most: int) -> list[tuple[np.ndarray, dict[str, str]]]:
    """Real pictures with their label rows; skips the test where the development data is absent."""
    data = Path(os.environ.get("VITRINE_SHARED_DATA") or ROOT.parent / "shared" / "data")
    labels = data / folder / "labels.csv"
    if not labels.exists():
        pytest.skip(f"development pictures {folder} are not at hand (VITRINE_SHARED_DATA)")
    with labels.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == split]
    step = max(1, len(rows) // most)
    return [(cv2.imread(str(data / row["image_path"]))[:, :, ::-1].copy(), row) for row in rows[::step][:most]]


def product_on(
    backdrop: tuple[int, int, int],
    product: tuple[int, int, int],
    shape: str = "bag",
    shadow: bool = False,
    side: int = 256,
) -> tuple[np.ndarray, np.ndarray]:
    """A product on a lit backdrop as (pixels, mask): a bag with a handle, a pair of shoes, or a bottle."""
    mask = np.zeros((side, side), np.uint8)
    unit = side / 256
    if shape == "bag":
        cv2.rectangle(mask, *_corners(unit, 70, 120, 190, 210), 1, -1)
        cv2.ellipse(mask, _point(unit, 130, 120), _point(unit, 40, 60), 0, 180, 360, 1, max(2, round(9 * unit)))
    elif shape == "pair":
        cv2.ellipse(mask, _point(unit, 75, 150), _point(unit, 38, 70), 0, 0, 360, 1, -1)
        cv2.ellipse(mask, _point(unit, 180, 150), _point(unit, 38, 70), 0, 0, 360, 1, -1)
    else:
        cv2.rectangle(mask, *_corners(unit, 98, 80, 158, 230), 1, -1)
        cv2.rectangle(mask, *_corners(unit, 115, 30, 141, 80), 1, -1)
    ys, xs = np.mgrid[:side, :side] / side
    light = (1.0 - 0.05 * ys)[..., None]
    picture = np.array(backdrop) * light
    if shadow:
        cast = cv2.GaussianBlur(np.roll(mask.astype(np.float32), round(14 * unit), axis=0), (0, 0), 12 * unit)
        picture *= (1 - 0.18 * cast)[..., None]
    shading = (0.93 + 0.07 * np.cos((xs - 0.4) * 5))[..., None]
    picture = np.where(mask[..., None] > 0, np.array(product) * shading, picture)
    picture = cv2.GaussianBlur(picture, (0, 0), 0.7) + np.random.default_rng(1).normal(0, 1.0, picture.shape)
    return picture.clip(0, 255).astype(np.uint8), mask.astype(bool)


def _point(unit: float, x: float, y: float) -> tuple[int, int]:
    return round(x * unit), round(y * unit)


def _corners(unit: float, *edges: float) -> tuple[tuple[int, int], tuple[int, int]]:
    return _point(unit, *edges[:2]), _point(unit, *edges[2:])
