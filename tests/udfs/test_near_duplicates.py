"""Near-duplicates on drawn pictures: copies are found, other products are not."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from models.bundle import SHIPPED_BUNDLE, load_bundle
from models.labelled import LabelledImage
from models.predict import Predictor
from rendering.dataset import write_dataset
from schemas.settings import DecodeSettings
from udfs.decode import decode
from udfs.describe import ready_picture
from udfs.near_duplicates import LEAST_COSINE, MOST_BITS

COPIES = ("half", "re-encoded", "marked")


def copies(picture: Image.Image) -> dict[str, tuple[Image.Image, int]]:
    """The picture and its copies, each with the JPEG quality to store it with."""
    width, height = picture.size
    marked = picture.copy()
    font = ImageFont.load_default(size=max(10, width // 18))
    ImageDraw.Draw(marked).text((width * 0.62, height * 0.92), "shop.example", fill=(120, 120, 120), font=font)
    return {
        "original": (picture, 92),
        "half": (picture.resize((width // 2, height // 2)), 85),
        "re-encoded": (picture, 45),
        "marked": (marked, 90),
    }


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[int, str], tuple[int, np.ndarray]]:
    """Hash and vector of pictures of 8 products and of their copies, by product and copy."""
    folder = tmp_path_factory.mktemp("duplicates")
    write_dataset(folder / "shop", products=8)
    sources = sorted((folder / "shop" / "images").rglob("P*_0.*"))
    files: dict[tuple[int, str], Path] = {}
    for number, path in enumerate(sources):
        with Image.open(path) as picture:
            for name, (copy, quality) in copies(picture.convert("RGB")).items():
                files[number, name] = folder / f"{number}-{name}.jpg"
                copy.save(files[number, name], quality=quality)
    nothing = {"dataset": "drawn", "split": "test", "category": "", "subcategory": "", "color": "", "attributes": {}}
    about = {"line": 1, **nothing, "boxes": (), "title": "", "description": "", "license": "", "source": ""}
    images = [LabelledImage(path=path, image_path=path.name, **about) for path in files.values()]
    with Predictor(load_bundle(SHIPPED_BUNDLE), workers=1) as predictor:
        vectors = predictor.predict(images).embeddings
    hashes = [ready_picture(decode(path.read_bytes(), DecodeSettings())).perceptual_hash for path in files.values()]
    return {key: (int(hash_, 16), vector) for key, hash_, vector in zip(files, hashes, vectors, strict=True)}


def are_twins(one: tuple[int, np.ndarray], other: tuple[int, np.ndarray]) -> bool:
    distance = (one[0] ^ other[0]).bit_count()
    return distance <= MOST_BITS and float(one[1] @ other[1]) >= LEAST_COSINE[distance]


@pytest.mark.parametrize("copy", COPIES)
def test_copies_of_a_picture_are_found(seen, copy):
    found = [are_twins(seen[number, "original"], seen[number, copy]) for number, name in seen if name == "original"]
    assert len(found) == 8
    assert sum(found) >= 7


def test_pictures_of_other_products_are_not(seen):
    originals = [value for (_, name), value in seen.items() if name == "original"]
    assert not any(are_twins(one, other) for one, other in combinations(originals, 2))
