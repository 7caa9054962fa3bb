"""IDX files, the format of MNIST and Fashion-MNIST: read as arrays, or laid out as a labelled data set.

Format (LeCun, "THE MNIST DATABASE of handwritten digits"): two zero bytes, a type code, the number of dimensions, each
dimension as a big-endian 32-bit count, then the values, row-major and big-endian. Files may be gzipped.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import struct
import zlib
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.labelled import LabelledImage, read_labels, write_labels

TYPES: dict[int, str] = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}

FASHION_MNIST = "fashion_mnist"
FASHION_MNIST_CLASSES: tuple[tuple[str, str], ...] = (
    ("T-shirt/top", "apparel/topwear/t-shirt"),
    ("Trouser", "apparel/bottomwear/trousers"),
    ("Pullover", "apparel/topwear/sweater"),
    ("Dress", "apparel/dresses-sets/dress"),
    ("Coat", "apparel/outerwear/coat"),
    ("Sandal", "footwear/sandals-slippers/sandal"),
    ("Shirt", "apparel/topwear/shirt"),
    ("Sneaker", "footwear/shoes/casual-shoe"),
    ("Bag", "accessories/bags"),
    ("Ankle boot", "footwear/boots/boot"),
)
"""Names of the classes 0 to 9 (Xiao et al. 2017) and the taxonomy path of each."""

_FILES = {"train": "train", "test": "t10k"}
_MOST_DIMENSIONS = 8
_GZIP = b"\x1f\x8b"
# Of each ten training pictures one validates: the data set has no validation split of its own.
_VALIDATION_EVERY = 10


class IdxError(ValueError):
    """A file is not the IDX file that is wanted. The message names the file and what is wrong with it."""


@dataclass(frozen=True)
class Digits:
    """Pictures and labels of one split.

    Args:
        images: (N, H, W) uint8.
        labels: (N,) uint8.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]


def read_idx(path: Path) -> NDArray[Any]:
    """Read one IDX file, plain or gzipped, in the machine's byte order.

    Raises:
        IdxError: it is missing, damaged, truncated, longer than it says, or no IDX file.
    """
    try:
        with path.open("rb") as raw:
            zipped = raw.read(2) == _GZIP
        with path.open("rb") as raw:
            return _read(gzip.GzipFile(fileobj=raw) if zipped else raw, path)
    except OSError as error:
        raise IdxError(
            f"{path} cannot be read: {error.strerror or error}; check the path, or fetch it again"
        ) from error
    except (EOFError, zlib.error) as error:
        raise IdxError(f"{path} is a damaged gzip file ({error}); fetch it again") from error


def _read(file: BufferedReader | gzip.GzipFile, path: Path) -> NDArray[Any]:
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in TYPES:
        raise IdxError(f"{path} is no IDX file: it begins with {magic.hex(' ')}, not 00 00 and a type code")
    dimensions = magic[3]
    if not 1 <= dimensions <= _MOST_DIMENSIONS:
        raise IdxError(f"{path} has {dimensions} dimensions; 1 to {_MOST_DIMENSIONS} are read")
    header = file.read(4 * dimensions)
    if len(header) < 4 * dimensions:
        raise IdxError(f"{path} is truncated in its header; fetch it again")
    shape = struct.unpack(f">{dimensions}I", header)
    dtype = np.dtype(TYPES[magic[2]])
    size = math.prod(shape) * dtype.itemsize
    # Read in pieces: a header that promises terabytes must not reserve them.
    content = bytearray()
    while len(content) <= size and (piece := file.read(min(1 << 20, size + 1 - len(content)))):
        content += piece
    if len(content) != size:
        found = "more" if len(content) > size else f"only {len(content)}"
        raise IdxError(
            f"{path} should hold {size} bytes of values by its header {shape} and holds {found}; fetch it again"
        )
    return np.frombuffer(bytes(content), dtype).reshape(shape).astype(dtype.newbyteorder("="))


def read_pair(images: Path, labels: Path) -> Digits:
    """Read a file of pictures and the file of their labels.

    Raises:
        IdxError: one cannot be read, has another form, or they do not belong together.
    """
    pictures, classes = read_idx(images), read_idx(labels)
    for path, values, wanted in ((images, pictures, 3), (labels, classes, 1)):
        if values.ndim != wanted or values.dtype != np.uint8:
            raise IdxError(f"{path} holds {values.ndim}-dimensional {values.dtype}; wanted: {wanted}-dimensional uint8")
    if len(pictures) != len(classes):
        raise IdxError(f"{images} has {len(pictures)} pictures but {labels} has {len(classes)} labels")
    return Digits(pictures, classes)


def is_idx_folder(folder: Path) -> bool:
    """Whether a folder holds the training pictures of MNIST or Fashion-MNIST under their usual name."""
    return _find(folder, "train", "images") is not None


def read_split(folder: Path, split: str) -> Digits:
    """Read `train` or `test` of a folder with the four usual files, `train-images-idx3-ubyte[.gz]` and so on.

    Raises:
        IdxError: a file is missing or wrong.
    """
    found = {}
    for kind in ("images", "labels"):
        path = _find(folder, split, kind)
        if path is None:
            raise IdxError(f"{folder} has no {_name(split, kind)} (nor .gz); put the four files of the data set there")
        found[kind] = path
    return read_pair(found["images"], found["labels"])


def fashion_mnist(folder: Path, cache: Path, limit: int | None = None) -> list[LabelledImage]:
    """The pictures of a folder with Fashion-MNIST's files as a labelled data set, written once below `cache`.

    The classes are taken for Fashion-MNIST's. Each tenth training picture validates.

    Args:
        folder: with the four files.
        cache: where PNG files and `labels.csv` go.
        limit: pictures per split, the first ones; all by default.

    Raises:
        IdxError: a file is missing or wrong, or a label is none of the ten classes.
    """
    splits = {split: read_split(folder, split) for split in _FILES}
    digest = hashlib.sha256(repr(limit).encode())
    for digits in splits.values():
        digest.update(digits.images.tobytes())
        digest.update(digits.labels.tobytes())
    out = cache / f"{FASHION_MNIST}-{digest.hexdigest()[:16]}"
    labels_file = out / "labels.csv"
    if not labels_file.exists():
        rows = [row for split, digits in splits.items() for row in _write_split(out, split, digits, limit)]
        # Written last: without it an unfinished folder is written again.
        write_labels(labels_file, rows)
    return read_labels(labels_file)


def _write_split(out: Path, split: str, digits: Digits, limit: int | None) -> list[LabelledImage]:
    unknown = sorted(set(digits.labels.tolist()) - set(range(len(FASHION_MNIST_CLASSES))))
    if unknown:
        raise IdxError(f"the {split} labels hold {unknown[0]}, which is none of Fashion-MNIST's classes 0 to 9")
    (out / "images").mkdir(parents=True, exist_ok=True)
    rows = []
    for number, (picture, label) in enumerate(zip(digits.images[:limit], digits.labels[:limit], strict=True)):
        name = f"images/{split}-{number:05}.png"
        if not cv2.imwrite(str(out / name), picture):
            raise IdxError(f"{out / name} cannot be written; look at the disk")
        word, path = FASHION_MNIST_CLASSES[int(label)]
        # Another place in each ten, so that files sorted or cycled by class still validate on every class.
        validates = split == "train" and number % _VALIDATION_EVERY == number // _VALIDATION_EVERY % _VALIDATION_EVERY
        rows.append(
            LabelledImage(
                path=out / name,
                image_path=name,
                dataset=FASHION_MNIST,
                split="val" if validates else split,
                category=path,
                attributes={"class": word},
                license="MIT",
                source="Fashion-MNIST (Zalando Research)",
            )
        )
    return rows


def _name(split: str, kind: str) -> str:
    return f"{_FILES[split]}-{kind}-idx{3 if kind == 'images' else 1}-ubyte"


def _find(folder: Path, split: str, kind: str) -> Path | None:
    name = _name(split, kind)
    # Some tools unpack `train-images-idx3-ubyte` as `train-images.idx3-ubyte`.
    spellings = (name, name.replace("-idx", ".idx"))
    return next(
        (folder / f"{one}{end}" for one in spellings for end in ("", ".gz") if (folder / f"{one}{end}").is_file()), None
    )
