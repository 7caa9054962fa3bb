"""Collects the detector's training samples: `python -m models.detector.collect --data DIR --saliency FILE --text FILE`.

Draws the scenes and has the teachers label photos of the train splits.
Each source is one file in the output folder; a file that is there is kept, so a second call goes on where the first
stopped. Takes about ten minutes on a free core. This is a command, so it may look from here into `udfs` and
`rendering`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Container, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np

from models.detector.photos import Teachers, photo_samples
from models.detector.samples import TAGS_FILE, Sample, save_samples, save_tags
from models.detector.scenes import TRAIN_SEED, drawn_tags, rendered_samples
from models.detector.teachers import SaliencyTeacher, TextTeacher
from models.labelled import LabelledImage, read_labels

T = TypeVar("T")

SCENES = 2200
PHOTOS = {"ccp": (423, 120), "grocery_store": (240, 80), "clothing_small": (300, 45), "myntra224": (450, 30)}
"""Photos of the train split per data set at most, and to how many of them the teachers are shown."""

RENDERED_SOURCE = "rendered"
SOURCES = (RENDERED_SOURCE, *PHOTOS)
TAGS = 240
_DRAW_SEED = 0
_REPORT_SECONDS = 15.0


def collect(data: Path, saliency: Path, text: Path, out: Path, sources: Container[str] = SOURCES) -> None:
    """Make the sample files that are not there yet.

    Args:
        data: folder of the development data.
        saliency: ONNX file of U2-Net-p.
        text: ONNX file of PP-OCR's detection network.
        out: folder for the samples.
        sources: of `SOURCES`, those to make now; several processes may share the work.

    Raises:
        FileNotFoundError: a photo is missing.
    """
    cv2.setNumThreads(1)
    if RENDERED_SOURCE in sources:
        if not (out / TAGS_FILE).exists():
            save_tags(out / TAGS_FILE, drawn_tags(TRAIN_SEED, TAGS))
        _make(out / f"train-{RENDERED_SOURCE}.npz", partial(rendered_samples, TRAIN_SEED, SCENES), SCENES)
    teachers: Teachers | None = None
    for name, (most, shown) in ((name, numbers) for name, numbers in PHOTOS.items() if name in sources):
        teachers = teachers or Teachers(SaliencyTeacher(saliency), TextTeacher(text))
        images = chosen_photos(read_labels(data / name / "labels.csv"), "train", most)
        _make(out / f"train-{name}.npz", partial(photo_samples, images, teachers, shown), len(images))


def chosen_photos(images: Iterable[LabelledImage], split: str, most: int) -> list[LabelledImage]:
    """Up to `most` photos of a split, drawn with a fixed seed."""
    rows = [image for image in images if image.split == split]
    order = np.random.default_rng(_DRAW_SEED).permutation(len(rows))
    return [rows[place] for place in order[:most]]


def _make(path: Path, samples: Callable[[], Iterable[Sample | None]], count: int) -> None:
    if path.exists():
        return
    kept = [sample for sample in reported(samples(), count, path.stem) if sample is not None]
    save_samples(path, kept)
    sys.stderr.write(f"{path.stem}: {len(kept)} of {count} samples kept\n")


def reported(items: Iterable[T], count: int, what: str) -> Iterator[T]:
    """The items, with a line on stderr every quarter of a minute: how many, and the time left."""
    started = last = time.monotonic()
    for done, item in enumerate(items, 1):
        yield item
        now = time.monotonic()
        if now - last >= _REPORT_SECONDS:
            last = now
            left = (now - started) / done * (count - done)
            sys.stderr.write(f"{what}: {done} of {count}, {left:.0f} s left\n")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the development data")
    parser.add_argument("--saliency", type=Path, required=True, help="ONNX file of U2-Net-p")
    parser.add_argument("--text", type=Path, required=True, help="ONNX file of PP-OCR's detection network")
    parser.add_argument("--out", type=Path, default=Path(".cache/detector"), help="folder for the samples")
    parser.add_argument("--sources", nargs="+", choices=SOURCES, default=SOURCES, help="which samples to make now")
    options = parser.parse_args()
    collect(options.data, options.saliency, options.text, options.out, options.sources)


if __name__ == "__main__":
    main()
