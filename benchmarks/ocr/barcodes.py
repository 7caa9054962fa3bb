"""zxing-cpp against OpenCV's barcode detector: codes read, wrong codes, CPU per picture.

Two sets: rendered pictures of products, most without a barcode and most barcodes too small for anybody; and barcodes
drawn at known widths of their narrowest bar, tilted, blurred and noisy. zxing-cpp is no dependency: without it
(`pip install zxing-cpp`) only OpenCV runs.
"""

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

from benchmarks.ocr.pictures import rendered
from rendering.barcode import draw_barcode, ean13
from rendering.canvas import Canvas
from udfs.barcode import read_barcodes
from udfs.text_codes import is_gtin

try:
    import zxingcpp
except ImportError:
    zxingcpp = None

FOLDER = Path(__file__).parent

MODULES = (1.0, 1.25, 1.5, 2.0, 3.0)
"""Widths of the narrowest bar, px."""


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--with-text", type=int, default=60)
    parser.add_argument("--without-text", type=int, default=48)
    parser.add_argument("--codes", type=int, default=24, help="drawn codes of each size")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--out", type=Path, default=FOLDER / "results", help="folder for barcodes.json")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    pictures = rendered(given.with_text, given.without_text)
    truth = [{line.text for line in picture.lines if line.kind == "barcode"} for picture in pictures]
    results = {"products": compare([picture.pixels() for picture in pictures], truth, given.repetitions)}
    for module in MODULES:
        pixels, codes = drawn_codes(module, given.codes)
        results[f"drawn_{module:g}_px_per_module"] = compare(pixels, codes, given.repetitions)
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "barcodes.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(results, indent=2) + "\n")


def drawn_codes(module: float, number: int) -> tuple[list[np.ndarray], list[set[str]]]:
    """Pictures of 420 px with one EAN-13 each, tilted by up to 8 degrees, blurred and noisy."""
    pixels, codes = [], []
    for seed in range(number):
        rng = np.random.default_rng([seed, round(module * 100)])
        code = ean13(rng)
        # Drawn four times as large, so that bars of any width come out as a lens would show them.
        canvas = Canvas(1680, 1680, 4.0)
        canvas.rgb[:] = 0.6
        wide = 113 * module
        draw_barcode(canvas, code, (420 - wide) / 2, 210 - 45 * module, wide, 90 * module)
        turn = cv2.getRotationMatrix2D((840, 840), float(rng.uniform(-8, 8)), 1.0)
        large = cv2.warpAffine(canvas.rgb, turn, (1680, 1680), borderMode=cv2.BORDER_REPLICATE)
        small = cv2.GaussianBlur(cv2.resize(large, (420, 420), interpolation=cv2.INTER_AREA), (0, 0), 0.5)
        noisy = small * 255 + rng.normal(0, 3, small.shape)
        pixels.append(np.clip(noisy, 0, 255).astype(np.uint8))
        codes.append({code})
    return pixels, codes


def compare(pixels: list[np.ndarray], truth: list[set[str]], repetitions: int) -> dict[str, Any]:
    """Both on all pictures, in turn."""
    engines: dict[str, Callable[[np.ndarray], set[str]]] = {"opencv": _opencv} | (
        {"zxing-cpp": _zxing} if zxingcpp else {}
    )
    seconds: dict[str, list[float]] = {name: [] for name in engines}
    found: dict[str, list[set[str]]] = {}
    for _ in range(repetitions):
        for name, read in engines.items():
            started = time.process_time()
            found[name] = [read(one) for one in pixels]
            seconds[name].append(time.process_time() - started)
    return {
        "pictures": len(pixels),
        "with_barcode": sum(bool(one) for one in truth),
        "engines": {
            name: {
                "read": sum(len(one & codes) for one, codes in zip(found[name], truth, strict=True)),
                "wrong": sum(len(one - codes) for one, codes in zip(found[name], truth, strict=True)),
                "cpu_ms_per_picture": float(np.median(seconds[name])) * 1e3 / len(pixels),
            }
            for name in engines
        },
    }


def _opencv(pixels: np.ndarray) -> set[str]:
    return {code.digits for code in read_barcodes(pixels)}


def _zxing(pixels: np.ndarray) -> set[str]:
    formats = (zxingcpp.BarcodeFormat.EAN13, zxingcpp.BarcodeFormat.UPCA)
    gray = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    results = zxingcpp.read_barcodes(gray, formats=formats, text_mode=zxingcpp.TextMode.Plain, try_invert=False)
    return {result.text for result in results if is_gtin(result.text)}


if __name__ == "__main__":
    main()
