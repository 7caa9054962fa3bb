"""The plain way: the rapidocr package called on each picture, on one thread.

Two settings: the package's own defaults, which enlarge small pictures to 736 px on the short side; and at the
resolution at which Vitrine looks (`--same-resolution`). Prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rapidocr import RapidOCR

from schemas.settings import DecodeSettings
from udfs.decode import decode
from udfs.ocr_detect import DetectSettings


class PackageReader:
    """Reads a picture as `(text, corners x1..y4)` lines."""

    def __init__(self, same_resolution: bool) -> None:
        self._same = same_resolution
        self._engine = self._new()

    def __call__(self, pixels: np.ndarray) -> list[tuple[str, list[float]]]:
        """Lines of a picture (H, W, 3) uint8 RGB."""
        if self._same:
            self._set_resolution(max(pixels.shape[:2]))
        result = self._engine(np.ascontiguousarray(pixels[:, :, ::-1]))
        if result.txts is None:
            return []
        return [
            (text, [float(value) for value in np.ravel(box)])
            for text, box in zip(result.txts, result.boxes, strict=True)
        ]

    def _set_resolution(self, longer: int) -> None:
        """Vitrine's rule: shrink to the side limit, enlarge what is small."""
        settings, detector = DetectSettings(), self._engine.text_det
        if longer < settings.small_side:
            detector.limit_type = "min"
            detector.limit_side_len = round(min(settings.enlarged_side, settings.most_enlargement * longer))
        else:
            detector.limit_type, detector.limit_side_len = "max", settings.side_limit

    @staticmethod
    def _new() -> RapidOCR:
        engine = RapidOCR(
            params={
                "Global.log_level": "critical",
                "EngineConfig.onnxruntime.intra_op_num_threads": 1,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            }
        )
        # Models are loaded lazily; none of that belongs to a picture's time.
        engine._load_det_model(), engine._load_cls_model(), engine._load_rec_model()
        return engine


def main() -> None:
    """Read the pictures that stdin names, one path a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--same-resolution", action="store_true")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    paths = [Path(line) for line in sys.stdin.read().splitlines() if line]
    sys.stdout.write(json.dumps(read_all(paths, PackageReader(given.same_resolution))) + "\n")


def read_all(paths: list[Path], reader: PackageReader) -> dict[str, Any]:
    """Time and lines over all pictures; decoding is outside the clock."""
    pictures = [decode(path.read_bytes(), DecodeSettings()).pixels for path in paths]
    reader(pictures[0])
    wall, cpu = time.perf_counter(), time.process_time()
    lines = [reader(pixels) for pixels in pictures]
    return {
        "wall_seconds": time.perf_counter() - wall,
        "cpu_seconds": time.process_time() - cpu,
        "lines": lines,
    }


if __name__ == "__main__":
    main()
