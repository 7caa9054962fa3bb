"""zxing-cpp against OpenCV's barcode detector on rendered packages: codes read, wrong codes, CPU per picture."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.ocr.pictures import Picture, rendered
from udfs.barcode import read_barcodes
from udfs.text_codes import is_gtin

FOLDER = Path(__file__).parent


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--with-text", type=int, default=60)
    parser.add_argument("--without-text", type=int, default=48)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--out", type=Path, default=FOLDER / "results", help="folder for barcodes.json")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    results = compare(rendered(given.with_text, given.without_text), given.repetitions)
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "barcodes.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(results, indent=2) + "\n")


def compare(pictures: list[Picture], repetitions: int) -> dict[str, Any]:
    """Both on all pictures, in turn."""
    pixels = [picture.pixels() for picture in pictures]
    truth = [{line.text for line in picture.lines if line.kind == "barcode"} for picture in pictures]
    engines: dict[str, Callable[[np.ndarray], set[str]]] = {"zxing-cpp": _zxing, "opencv": _OpenCv()}
    seconds: dict[str, list[float]] = {name: [] for name in engines}
    found: dict[str, list[set[str]]] = {}
    for _ in range(repetitions):
        for name, read in engines.items():
            started = time.process_time()
            found[name] = [read(one) for one in pixels]
            seconds[name].append(time.process_time() - started)
    return {
        "pictures": len(pictures),
        "pictures_with_barcode": sum(bool(one) for one in truth),
        "engines": {
            name: {
                "read": sum(len(one & codes) for one, codes in zip(found[name], truth, strict=True)),
                "wrong": sum(len(one - codes) for one, codes in zip(found[name], truth, strict=True)),
                "cpu_ms_per_picture": float(np.median(seconds[name])) * 1e3 / len(pictures),
            }
            for name in engines
        },
    }


def _zxing(pixels: np.ndarray) -> set[str]:
    return {code.digits for code in read_barcodes(pixels)}


class _OpenCv:
    def __init__(self) -> None:
        self._detector = cv2.barcode.BarcodeDetector()

    def __call__(self, pixels: np.ndarray) -> set[str]:
        _, decoded, _, _ = self._detector.detectAndDecodeWithType(np.ascontiguousarray(pixels[:, :, ::-1]))
        return {text for text in decoded if is_gtin(text)}


if __name__ == "__main__":
    main()
