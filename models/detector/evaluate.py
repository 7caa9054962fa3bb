"""Measures the detector: `python -m models.detector.evaluate --model FILE --data DIR`.

On photos of street outfits (ccp; the product region is the union of all labelled boxes of a picture) and on rendered
scenes of a catalogue that training never saw; beside it the classical segmentation on the same pictures. This is a
command, so it may look from here into `udfs` and `rendering`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from models.detector.average_precision import Found
from models.detector.export import TASK
from models.detector.measure import Known, Look, Seen, classical_look, combined_look, detector_look, measure
from models.detector.photos import product_region
from models.detector.samples import Bytes
from models.detector.scenes import TEST_SEED, VAL_SEED, on_white, rendered_image, text_map
from models.labelled import read_labels
from models.manifest import DetectTask
from rendering.truth import RenderedImage

STREET_SET = "ccp"
SCENES = {"val": (VAL_SEED, 150), "test": (TEST_SEED, 400)}
"""Catalogue seed and pictures by split."""


def street_photos(data: Path, split: str) -> list[Known]:
    """Photos of street outfits with their product region and garments.

    Raises:
        FileNotFoundError: a photo is missing.
    """
    known = []
    for image in read_labels(data / STREET_SET / "labels.csv"):
        region = product_region(image)
        if image.split != split or region is None:
            continue
        pixels = cv2.imread(str(image.path), cv2.IMREAD_COLOR_RGB)
        if pixels is None:
            raise FileNotFoundError(f"{image.path} cannot be read")
        garments = np.array([one.box for one in image.boxes])
        known.append(Known(np.asarray(pixels, np.uint8), np.array([region]), garments=garments))
    return known


def cropped(photos: Sequence[Known], seed: int = 0) -> list[Known]:
    """Each photo cut at random outside its product region, so that knowing how a set is framed does not help."""
    rng = np.random.default_rng(seed)
    known = []
    for one in photos:
        height, width = one.pixels.shape[:2]
        x_min, y_min, x_max, y_max = np.clip(one.product[0], 0, [width, height] * 2)
        left, top = (int(rng.uniform(0, edge)) for edge in (x_min, y_min))
        right, bottom = int(np.ceil(rng.uniform(x_max, width))), int(np.ceil(rng.uniform(y_max, height)))
        offset = np.array([left, top] * 2)
        garments = None if one.garments is None else one.garments - offset
        pixels = np.ascontiguousarray(one.pixels[top:bottom, left:right])
        known.append(Known(pixels, one.product - offset, garments=garments))
    return known


def scenes(split: str) -> Iterator[Known]:
    """Rendered scenes of a split, at full size, drawn on the spot."""
    seed, count = SCENES[split]
    for index in range(count):
        yield known_scene(rendered_image(seed, index))


def known_scene(image: RenderedImage) -> Known:
    """A rendered picture with everything known of it."""
    truth = image.truth
    return Known(
        pixels=on_white(image.pixels),
        product=np.array([truth.box]),
        tags=np.array(truth.tag_boxes, np.float64).reshape(-1, 4),
        mask=image.mask,
        text=text_map(truth.texts, truth.height, truth.width),
        lines=tuple(np.asarray(line.quad, np.float64) for line in truth.texts if line.legible),
    )


def always_there(photos: Sequence[Known]) -> Look:
    """The mean product region of those photos, said of every picture: what a detector must beat."""
    shares = [one.product[0] / np.array([one.pixels.shape[1], one.pixels.shape[0]] * 2) for one in photos]
    mean = np.mean(shares, axis=0)

    def look(pixels: Bytes) -> Seen:
        height, width = pixels.shape[:2]
        box = (mean * np.array([width, height] * 2))[None]
        empty = np.zeros((height, width), bool)
        nothing = Found(np.zeros((0, 4)), np.zeros(0))
        return Seen(Found(box, np.ones(1)), nothing, empty, empty, 0.0)

    return look


def evaluate(models: dict[str, bytes], data: Path | None, split: str, task: DetectTask = TASK) -> dict[str, object]:
    """Figures of each model, of the first with the classical segmentation, of that alone and of the constant box."""
    report: dict[str, object] = {}
    looks = {name: detector_look(model, task) for name, model in models.items()}
    looks |= {f"{name} and classical": combined_look(look) for name, look in list(looks.items())[:1]}
    looks["classical"] = classical_look
    if data is not None:
        photos = street_photos(data, split)
        framed = street_photos(data, "train")
        for name, tested, known in (
            ("street_photos", photos, framed),
            ("street_photos_cropped", cropped(photos), cropped(framed)),
        ):
            report[name] = _measure_all(looks | {"constant_box": always_there(known)}, tested)
    report["rendered_scenes"] = _measure_all(looks, list(scenes(split)))
    return report


def _measure_all(looks: dict[str, Look], known: Iterable[Known]) -> dict[str, dict[str, float]]:
    pictures = list(known)
    return {
        name: {figure: round(value, 4) for figure, value in measure(look, pictures).items()}
        for name, look in looks.items()
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, nargs="+", required=True, help="ONNX files")
    parser.add_argument("--data", type=Path, help="folder of the development data; without it, rendered scenes only")
    parser.add_argument("--split", choices=sorted(SCENES), default="test")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    report = evaluate({path.name: path.read_bytes() for path in options.model}, options.data, options.split)
    sys.stdout.write(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
