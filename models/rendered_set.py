"""Drawn pictures with exact labels, beside the photos: for what no photo set shows."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

from models.labelled import LabelledImage, read_labels

_PRODUCTS_PER_SHARD = 250


def rendered_images(products: int, seed: int, cache: Path) -> list[LabelledImage]:
    """Labelled pictures of drawn products, one view each; drawn once and kept.

    Args:
        products: how many.
        seed: of the catalogue.
        cache: folder to keep them in.

    Raises:
        FontMissingError: the `render` extra is not installed.
    """
    folder = cache / f"rendered-{seed}-{products}"
    shards = [
        (folder / f"{number:04d}", min(_PRODUCTS_PER_SHARD, products - start), seed * 1000 + number)
        for number, start in enumerate(range(0, products, _PRODUCTS_PER_SHARD))
    ]
    missing = [shard for shard in shards if not (shard[0] / "labels.csv").exists()]
    if missing:
        with multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool:
            pool.starmap(_draw, missing, chunksize=1)
    return [image for path, _, _ in shards for image in read_labels(path / "labels.csv")]


def _draw(folder: Path, products: int, seed: int) -> None:
    from rendering.dataset import write_dataset

    write_dataset(folder, products=products, views=1, seed=seed, broken=False)
