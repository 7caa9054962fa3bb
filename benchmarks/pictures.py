"""Draws the pictures that benchmarks run on, once, and keeps them in the cache."""

from __future__ import annotations

import csv
import multiprocessing
import os
import shutil
from pathlib import Path

import cv2

from jobs.cache import cache_folder
from rendering.catalog import listing_of, product_at
from rendering.dataset import FEED_COLUMNS, feed_row, image_path
from rendering.render import render_product

SEED = 11


def rendered_catalog(images: int, folder: Path | None = None) -> Path:
    """The feed of a rendered catalogue with one picture of 400-800 px per product; drawn when it is not there yet.

    Args:
        images: number of pictures.
        folder: where to keep it; by default `bench/images-N` in the project's cache.

    Returns:
        The feed, a CSV file beside the folder `images/`.
    """
    folder = folder or cache_folder() / "bench" / f"images-{images}"
    feed = folder / "catalog.csv"
    if feed.exists():
        return feed
    shutil.rmtree(folder, ignore_errors=True)
    with multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool:
        rows = pool.map(_Draw(folder), range(images), chunksize=16)
    unfinished = feed.with_suffix(".part")
    with unfinished.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, FEED_COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    # The feed is named last, so that drawing that was broken off starts again.
    return unfinished.rename(feed)


def picture_paths(feed: Path) -> list[Path]:
    """The pictures that a feed of `rendered_catalog` names, in its order."""
    with feed.open(newline="", encoding="utf-8") as file:
        return [feed.parent / row["image_uri"] for row in csv.DictReader(file)]


class _Draw:
    """Draws and writes one product's first picture; its feed row."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, index: int) -> dict[str, str | None]:
        cv2.setNumThreads(1)
        product = product_at(SEED, index)
        image = render_product(product, 0)
        path = image_path(product, 0, image.extension)
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(image.data)
        return feed_row(product, listing_of(product), path)
