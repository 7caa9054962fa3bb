"""Decoded training pictures in one memory-mapped file: decode and find the product once, not every epoch."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from schemas.reasons import ImageError
from schemas.settings import DecodeSettings
from udfs.decode import decode
from udfs.segment import find_product

Pixels = NDArray[np.uint8]

LONG_SIDE = 256
"""Pictures are kept at no more than this on their long side, px: larger than any network input here."""

MASK_SIDE = 64
_FORMAT_VERSION = 1
# Below this confidence a mask is not used to exchange the background.
_TRUSTED = 0.8


@dataclass(frozen=True)
class StoredPicture:
    """One decoded picture.

    Args:
        pixels: (H, W, 3) uint8 RGB, long side at most `LONG_SIDE`; a view into the file, do not write.
        box: the product's (x_min, y_min, x_max, y_max), px of `pixels`.
        mask: (MASK_SIDE, MASK_SIDE) bool, the product, stretched to a square; None when it cannot be trusted.
    """

    pixels: Pixels
    box: tuple[float, float, float, float]
    mask: NDArray[np.bool_] | None


class PixelStore:
    """Pictures of a fixed list of files, in its order. Files that cannot be decoded are in `failed`."""

    def __init__(self, folder: Path) -> None:
        index = np.load(folder / "index.npz")
        self._offsets: NDArray[np.int64] = index["offsets"]
        self._sizes: NDArray[np.int32] = index["sizes"]
        self._boxes: NDArray[np.float32] = index["boxes"]
        self._masks: NDArray[np.uint8] = index["masks"]
        self._trusted: NDArray[np.bool_] = index["trusted"]
        self._pixels = np.memmap(folder / "pixels.bin", np.uint8, "r")
        self.failed: dict[int, str] = {int(key): text for key, text in json.loads(str(index["failed"])).items()}

    def __len__(self) -> int:
        return len(self._sizes)

    def __getitem__(self, index: int) -> StoredPicture:
        height, width = (int(side) for side in self._sizes[index])
        if not height:
            raise KeyError(f"picture {index} could not be decoded: {self.failed[index]}")
        start = int(self._offsets[index])
        pixels = self._pixels[start : start + height * width * 3].reshape(height, width, 3)
        mask = None
        if self._trusted[index]:
            mask = np.unpackbits(self._masks[index]).reshape(MASK_SIDE, MASK_SIDE).astype(np.bool_)
        x_min, y_min, x_max, y_max = (float(edge) for edge in self._boxes[index])
        return StoredPicture(pixels, (x_min, y_min, x_max, y_max), mask)


def open_store(
    paths: Sequence[Path], cache: Path, progress: Callable[[int, int], None] | None = None, processes: int | None = None
) -> PixelStore:
    """The store of these files; made when the cache has none for exactly these paths, sizes and times.

    Args:
        paths: picture files.
        cache: folder that may hold several stores.
        progress: called with pictures done and to do.
        processes: decoding processes; all cores by default.
    """
    folder = cache / f"pixels-{_fingerprint(paths)}"
    if not (folder / "index.npz").exists():
        _make(paths, folder, progress, processes)
    return PixelStore(folder)


def _fingerprint(paths: Sequence[Path]) -> str:
    digest = hashlib.sha256(f"{_FORMAT_VERSION} {LONG_SIDE} {MASK_SIDE}".encode())
    for path in paths:
        stat = path.stat() if path.exists() else None
        digest.update(f"{path}\0{stat.st_size if stat else ''}\0{stat.st_mtime_ns if stat else ''}\n".encode())
    return digest.hexdigest()[:16]


def _make(
    paths: Sequence[Path], folder: Path, progress: Callable[[int, int], None] | None, processes: int | None
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    count = len(paths)
    offsets, sizes = np.zeros(count, np.int64), np.zeros((count, 2), np.int32)
    boxes, trusted = np.zeros((count, 4), np.float32), np.zeros(count, np.bool_)
    masks = np.zeros((count, MASK_SIDE * MASK_SIDE // 8), np.uint8)
    failed: dict[int, str] = {}
    position = 0
    context = multiprocessing.get_context("spawn")
    with (folder / "pixels.bin").open("wb") as file, context.Pool(processes or os.cpu_count()) as pool:
        for index, answer in enumerate(pool.imap(_read, paths, chunksize=32)):
            if isinstance(answer, str):
                failed[index] = answer
            else:
                pixels, boxes[index], masks[index], trusted[index] = answer
                offsets[index], sizes[index] = position, pixels.shape[:2]
                file.write(pixels.tobytes())
                position += pixels.size
            if progress is not None:
                progress(index + 1, count)
    # Named last, so that a store that was broken off is made again.
    np.savez(
        folder / "index.npz",
        offsets=offsets,
        sizes=sizes,
        boxes=boxes,
        masks=masks,
        trusted=trusted,
        failed=json.dumps(failed),
    )


def _read(path: Path) -> tuple[Pixels, NDArray[np.float32], Pixels, bool] | str:
    cv2.setNumThreads(1)
    try:
        pixels = decode(path.read_bytes(), DecodeSettings()).pixels
    except (OSError, ImageError) as error:
        return f"{path}: {error}"
    scale = min(1.0, LONG_SIDE / max(pixels.shape[:2]))
    if scale < 1:
        size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    region = find_product(pixels)
    mask = cv2.resize(region.mask.astype(np.uint8) * 255, (MASK_SIDE, MASK_SIDE), interpolation=cv2.INTER_AREA) > 127
    trusted = region.method == "border" and region.confidence >= _TRUSTED
    return np.ascontiguousarray(pixels), np.asarray(region.box, np.float32), np.packbits(mask), trusted
