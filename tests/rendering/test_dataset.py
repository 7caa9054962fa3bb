"""The written catalogue: feed, labels and truth agree with the files, and the broken ones are broken as said."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rendering.dataset import LABEL_COLUMNS, DatasetSummary, write_dataset
from schemas.reasons import ImageError, Reason
from schemas.settings import DecodeSettings
from schemas.uri import check_allowed, normalize_uri
from udfs.decode import decode

PRODUCTS, VIEWS = 9, 2


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> DatasetSummary:
    return write_dataset(tmp_path_factory.mktemp("catalogue"), PRODUCTS, VIEWS, seed=21)


@pytest.fixture(scope="module")
def feed(dataset: DatasetSummary) -> list[dict[str, str]]:
    with dataset.feed.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def truth(dataset: DatasetSummary) -> list[dict]:
    return [json.loads(line) for line in (dataset.folder / "truth.jsonl").read_text(encoding="utf-8").splitlines()]


def test_counts_add_up(dataset: DatasetSummary, feed: list, truth: list) -> None:
    assert dataset.pictures == PRODUCTS * VIEWS
    broken = [row for row in truth if "case" in row]
    assert dataset.broken == len(broken)
    assert len(truth) == dataset.pictures + dataset.broken
    assert len(feed) == dataset.feed_rows == dataset.pictures + sum(row["rows"] for row in broken)


def test_each_good_picture_decodes_to_the_size_in_the_truth(dataset: DatasetSummary, truth: list) -> None:
    for row in truth:
        if "case" not in row:
            picture = decode((dataset.folder / row["image_uri"]).read_bytes(), DecodeSettings())
            assert (picture.width_px, picture.height_px) == (row["width"], row["height"])


def test_labels_have_the_columns_of_the_photo_sets(dataset: DatasetSummary) -> None:
    with (dataset.folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == LABEL_COLUMNS
    assert len(rows) == dataset.pictures
    for row in rows:
        assert (dataset.folder / row["image_path"]).is_file()
        (product, *_) = json.loads(row["boxes_json"])
        assert len(product["box"]) == 4
        assert json.loads(row["attributes_json"])["pattern"]
        assert row["split"] in {"train", "val", "test"}


def test_broken_files_fail_with_the_reason_that_is_promised(dataset: DatasetSummary, truth: list) -> None:
    file_reasons = {
        Reason.EMPTY_FILE, Reason.NOT_AN_IMAGE, Reason.TRUNCATED, Reason.TOO_MANY_PIXELS, Reason.UNSUPPORTED_FORMAT,
    }  # fmt: skip
    seen = set()
    for row in truth:
        if "case" not in row or not str(row["image_uri"]).startswith("images/"):
            continue
        path, expected = dataset.folder / row["image_uri"], row["expected_outcome"]
        if expected == Reason.NOT_FOUND:
            assert not path.exists()
        elif expected in file_reasons:
            with pytest.raises(ImageError) as failure:
                decode(path.read_bytes(), DecodeSettings())
            assert failure.value.reason == expected, row["case"]
        else:
            assert decode(path.read_bytes(), DecodeSettings()).pixels.size
        seen.add(expected)
    assert file_reasons | {Reason.NOT_FOUND, "extracted"} <= seen


def test_wrong_rows_are_wrong_as_said(dataset: DatasetSummary, feed: list, truth: list) -> None:
    base = dataset.folder.as_uri()
    for row in (row for row in truth if "case" in row):
        if row["expected_outcome"] in {Reason.BAD_URI, Reason.UNKNOWN_SCHEME, Reason.OUTSIDE_ALLOWED_ROOTS}:
            with pytest.raises(ImageError) as failure:
                check_allowed(normalize_uri(row["image_uri"], base), [base])
            assert failure.value.reason == row["expected_outcome"]
    assert sum(row["product_id"] == "" for row in feed) == 1
    assert sum(row["image_uri"] == "" for row in feed) == 1
    assert sum(row["price"] == "ask us" for row in feed) == 1
    assert sum(row["image_uri"] == "images/odd/twice.jpg" for row in feed) == 2


def test_odd_files_are_odd_as_said(dataset: DatasetSummary) -> None:
    odd = dataset.folder / "images" / "odd"
    with Image.open(odd / "cmyk.jpg") as picture:
        assert picture.mode == "CMYK"
    with Image.open(odd / "sixteen_bit.png") as picture:
        assert picture.mode.startswith("I;16")
    with Image.open(odd / "animated.gif") as picture:
        assert picture.n_frames == 3
    with Image.open(odd / "rotated.jpg") as picture:
        assert picture.getexif()[0x0112] == 6
    assert (odd / "bomb.png").stat().st_size < 10_000
    upright = decode((odd / "rotated.jpg").read_bytes(), DecodeSettings()).pixels
    plain = decode((odd / "twice.jpg").read_bytes(), DecodeSettings()).pixels
    assert upright.shape == plain.shape
    assert np.abs(upright.astype(int) - plain).mean() < 6
    copies = [
        path
        for path in (dataset.folder / "images").rglob("*.jpg")
        if _digest(path) == _digest(odd / "copy_of_first.jpg")
    ]
    assert len(copies) == 2


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_writing_again_gives_the_same_bytes(dataset: DatasetSummary, tmp_path: Path) -> None:
    again = write_dataset(tmp_path, 2, VIEWS, seed=21, broken=False)
    for path in (again.folder / "images").rglob("*.*"):
        assert path.read_bytes() == (dataset.folder / path.relative_to(tmp_path)).read_bytes()


def test_fewer_than_one_product_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        write_dataset(tmp_path, 0)
