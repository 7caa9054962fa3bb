"""IDX files give the arrays they hold, and wrong ones say what is wrong."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from models.idx import FASHION_MNIST_CLASSES, IdxError, fashion_mnist, is_idx_folder, read_idx, read_pair, read_split
from models.label_space import resolve

CODES = {"uint8": 0x08, "int8": 0x09, "int16": 0x0B, "int32": 0x0C, "float32": 0x0D, "float64": 0x0E}


def idx(values: NDArray[np.generic]) -> bytes:
    """The bytes of an IDX file, from the description of the format."""
    head = bytes([0, 0, CODES[values.dtype.name], values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
    return head + values.astype(values.dtype.newbyteorder(">")).tobytes()


def digits(count: int, seed: int = 0) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    random = np.random.default_rng(seed)
    return random.integers(0, 256, (count, 28, 28), np.uint8), (np.arange(count) % 10).astype(np.uint8)


def write_folder(folder: Path, train: int = 30, test: int = 10, end: str = "") -> Path:
    folder.mkdir()
    for name, count in (("train", train), ("t10k", test)):
        images, labels = digits(count, count)
        for kind, values in (("images-idx3", images), ("labels-idx1", labels)):
            content = gzip.compress(idx(values)) if end else idx(values)
            (folder / f"{name}-{kind}-ubyte{end}").write_bytes(content)
    return folder


@pytest.mark.parametrize("name", list(CODES))
def test_every_type_comes_back_as_it_was(tmp_path, name):
    values = np.array([[1, 2, 3], [100, 5, 127]]).astype(name)
    (tmp_path / "x").write_bytes(idx(values))
    found = read_idx(tmp_path / "x")
    np.testing.assert_array_equal(found, values)
    assert found.dtype == values.dtype


def test_gzip_is_told_by_content(tmp_path):
    images, labels = digits(7)
    (tmp_path / "images").write_bytes(gzip.compress(idx(images)))
    (tmp_path / "labels.gz").write_bytes(idx(labels))
    pair = read_pair(tmp_path / "images", tmp_path / "labels.gz")
    np.testing.assert_array_equal(pair.images, images)
    np.testing.assert_array_equal(pair.labels, labels)


GOOD = idx(digits(3)[0])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no IDX file"),
        (b"\x89PNG\r\n\x1a\n", "begins with 89 50 4e 47"),
        (b"\0\0\x07\x01", "no IDX file"),
        (b"\0\0\x08\0", "0 dimensions"),
        (b"\0\0\x08\xff", "255 dimensions"),
        (GOOD[:9], "truncated in its header"),
        (GOOD[:-1], r"should hold 2352 bytes .* holds only 2351"),
        (GOOD + b"\0", "holds more"),
        (b"\0\0\x08\x03" + b"\xff" * 12 + b"tiny", "holds only 4"),
        (gzip.compress(GOOD)[:-20], "damaged gzip"),
        (gzip.compress(GOOD)[:30] + b"\xff" * 40, "gzip|cannot be read"),
    ],
)
def test_wrong_files_are_explained(tmp_path, content, message):
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(IdxError, match=message) as caught:
        read_idx(tmp_path / "x")
    assert str(tmp_path / "x") in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(IdxError, match=r"nothing cannot be read"):
        read_idx(tmp_path / "nothing")
    with pytest.raises(IdxError, match=r"has no train-images-idx3-ubyte \(nor \.gz\)"):
        read_split(tmp_path, "train")


def test_pictures_and_labels_must_belong_together(tmp_path):
    images, labels = digits(5)
    for name, values in (("images", images), ("four", labels[:4]), ("words", labels.astype(np.int32))):
        (tmp_path / name).write_bytes(idx(values))
    with pytest.raises(IdxError, match=r"5 pictures but .* has 4 labels"):
        read_pair(tmp_path / "images", tmp_path / "four")
    with pytest.raises(IdxError, match="words holds 1-dimensional int32"):
        read_pair(tmp_path / "images", tmp_path / "words")
    with pytest.raises(IdxError, match="four holds 1-dimensional uint8; wanted: 3"):
        read_pair(tmp_path / "four", tmp_path / "images")


@pytest.mark.parametrize("end", ["", ".gz"])
def test_fashion_mnist_becomes_a_data_set_that_trains_and_evaluates(tmp_path, end):
    folder = write_folder(tmp_path / "fashion", end=end)
    assert is_idx_folder(folder)
    assert not is_idx_folder(tmp_path)
    images = fashion_mnist(folder, tmp_path / "cache")
    assert [sum(one.split == split for one in images) for split in ("train", "val", "test")] == [27, 3, 10]
    assert [resolve(one).node for one in images[:10]] == [path for _, path in FASHION_MNIST_CLASSES]
    assert all(not resolve(one).problems for one in images)
    assert images[0].path.is_file()
    before = images[0].path.stat().st_mtime_ns
    again = fashion_mnist(folder, tmp_path / "cache")
    assert again == images
    assert again[0].path.stat().st_mtime_ns == before, "written once"


def test_labels_beyond_the_ten_classes_are_refused(tmp_path):
    folder = write_folder(tmp_path / "letters")
    (folder / "train-labels-idx1-ubyte").write_bytes(idx(np.full(30, 17, np.uint8)))
    with pytest.raises(IdxError, match="hold 17, which is none of Fashion-MNIST"):
        fashion_mnist(folder, tmp_path / "cache")
