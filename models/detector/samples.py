"""Training samples of the detector: small decoded pictures with what is known of them, one file per source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Boxes = NDArray[np.float32]

SIDE = 256
"""Samples are kept at this long side (px) at most."""

TAGS_FILE = "tags.npz"
"""Drawn tags, in the folder of the samples."""

ABSENT, UNKNOWN, PRESENT = 0, 128, 255
"""Values of a sample's maps; nothing is learned where a map says UNKNOWN."""

_NO_BOXES = np.zeros((0, 4), np.float32)


@dataclass(frozen=True)
class Sample:
    """One picture.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        product: (H, W) uint8, ABSENT, UNKNOWN or PRESENT: where the product is.
        text: (H, W) uint8, likewise: where text is.
        boxes: (N, 4) float32 product boxes, px, upper ends exclusive; None when they are not known.
        tags: (M, 4) float32 boxes of tags and labels; None when they are not known.
        source: the data set.
        cut_out: the mask is good enough to paste the product before another background.
    """

    pixels: Bytes
    product: Bytes
    text: Bytes
    boxes: Boxes | None
    tags: Boxes | None
    source: str
    cut_out: bool


@dataclass(frozen=True)
class TagArt:
    """One drawn tag: (h, w, 3) uint8 pixels, (h, w) uint8 coverage, (h, w) uint8 text map."""

    pixels: Bytes
    cover: Bytes
    text: Bytes


def shrink_factor(height: int, width: int) -> float:
    """By what a picture is scaled to become a sample; never above 1."""
    return min(1.0, SIDE / max(height, width))


def shrink(plane: Bytes, *, exact: bool = False) -> Bytes:
    """A picture or map at the size of a sample; `exact` keeps the values of a map."""
    height, width = plane.shape[:2]
    scale = shrink_factor(height, width)
    if scale == 1:
        return np.ascontiguousarray(plane)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_NEAREST if exact else cv2.INTER_AREA))


def as_boxes(boxes: Sequence[Sequence[float]], scale: float = 1.0) -> Boxes:
    """Boxes as (N, 4) float32, scaled."""
    return np.asarray(boxes, np.float32).reshape(-1, 4) * np.float32(scale)


def save_samples(path: Path, samples: Sequence[Sample]) -> None:
    """Write samples to one .npz, atomically."""
    arrays: dict[str, NDArray[Any]] = {
        "shapes": np.array([sample.pixels.shape[:2] for sample in samples], np.int32).reshape(-1, 2),
        "sources": np.array([sample.source for sample in samples], dtype=np.str_),
        "cut_out": np.array([sample.cut_out for sample in samples], bool),
    }
    for name in ("pixels", "product", "text"):
        planes = [getattr(sample, name).ravel() for sample in samples]
        arrays[name] = np.concatenate(planes) if planes else np.zeros(0, np.uint8)
    for name in ("boxes", "tags"):
        known = [getattr(sample, name) for sample in samples]
        arrays[f"{name}_count"] = np.array([-1 if value is None else len(value) for value in known], np.int32)
        arrays[name] = np.concatenate([_NO_BOXES, *(value for value in known if value is not None)])
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, **arrays)  # type: ignore[arg-type]
    partial.replace(path)


def load_samples(path: Path) -> list[Sample]:
    """Read what `save_samples` wrote.

    Raises:
        FileNotFoundError: the file is missing.
    """
    with np.load(path) as stored:
        arrays = {name: stored[name] for name in stored.files}
    samples, pixel, counts = [], 0, {"boxes": 0, "tags": 0}
    for row, (height, width) in enumerate(arrays["shapes"]):
        area = int(height) * int(width)
        boxes: dict[str, Boxes | None] = {}
        for name, start in counts.items():
            count = int(arrays[f"{name}_count"][row])
            boxes[name] = None if count < 0 else arrays[name][start : start + count]
            counts[name] = start + max(count, 0)
        samples.append(
            Sample(
                pixels=arrays["pixels"][3 * pixel : 3 * (pixel + area)].reshape(height, width, 3),
                product=arrays["product"][pixel : pixel + area].reshape(height, width),
                text=arrays["text"][pixel : pixel + area].reshape(height, width),
                boxes=boxes["boxes"],
                tags=boxes["tags"],
                source=str(arrays["sources"][row]),
                cut_out=bool(arrays["cut_out"][row]),
            )
        )
        pixel += area
    return samples


def save_tags(path: Path, tags: Sequence[TagArt]) -> None:
    """Write drawn tags to one .npz."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {f"{row}": np.dstack([tag.pixels, tag.cover, tag.text]) for row, tag in enumerate(tags)}
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, **arrays)  # type: ignore[arg-type]
    partial.replace(path)


def load_tags(path: Path) -> list[TagArt]:
    """Read what `save_tags` wrote."""
    with np.load(path) as stored:
        layers = [stored[name] for name in stored.files]
    return [TagArt(*(np.ascontiguousarray(x[..., part]) for part in (slice(3), 3, 4))) for x in layers]
