"""Vitrine's text stage on the same pictures, on one thread, in micro-batches of 16.

`--no-gate` reads every picture whole; `--regions` reads the boxes that stdin gives instead of asking the gate.
Prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import cv2

from schemas.settings import DecodeSettings, TextEngine
from udfs.decode import decode
from udfs.ocr import OcrSettings, recognize_texts
from udfs.ocr_sessions import ocr_sessions_for

MICRO_BATCH = 16


def main() -> None:
    """Read the pictures that stdin names: one JSON list [path, boxes] a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-gate", action="store_true")
    parser.add_argument("--regions", action="store_true")
    parser.add_argument("--engine", choices=["onnxruntime", "openvino"], default="onnxruntime")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    rows = [json.loads(line) for line in sys.stdin.read().splitlines() if line]
    sys.stdout.write(
        json.dumps(read_all(rows, gate=not given.no_gate, regions=given.regions, engine=given.engine)) + "\n"
    )


def read_all(
    rows: list[tuple[str, list[Any]]], *, gate: bool, regions: bool, engine: TextEngine = "onnxruntime"
) -> dict[str, Any]:
    """Time and lines over all pictures; decoding is outside the clock, the gate inside."""
    pictures = [decode(Path(path).read_bytes(), DecodeSettings()).pixels for path, _ in rows]
    settings = OcrSettings() if gate else OcrSettings(least_likelihood=0.0)
    sessions = ocr_sessions_for(engine=engine)
    boxes = [
        boxes if regions else None if gate else [(0, 0, *pixels.shape[1::-1])]
        for (_, boxes), pixels in zip(rows, pictures, strict=True)
    ]
    whole = [(0, 0, *pictures[0].shape[1::-1])]
    recognize_texts(pictures[:1], [whole], sessions=sessions, settings=settings)
    _ = sessions.recognizer, sessions.orienter
    wall, cpu = time.perf_counter(), time.process_time()
    readings = []
    for start in range(0, len(pictures), MICRO_BATCH):
        part = slice(start, start + MICRO_BATCH)
        readings += recognize_texts(pictures[part], boxes[part], sessions=sessions, settings=settings)
    return {
        "wall_seconds": time.perf_counter() - wall,
        "cpu_seconds": time.process_time() - cpu,
        "lines": [[(line.text, list(line.quad), line.confidence) for line in one.lines] for one in readings],
        "statuses": [one.status for one in readings],
    }


if __name__ == "__main__":
    main()
