"""Average precision of the bundle's detector on pictures with labelled boxes.

A picture's product region is the box labelled `product`, else the union of all its boxes: the garments of a person, the
goods of a scene. Tags are judged only in data sets that label them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from jobs.evaluate_measured import Measured
from jobs.progress import StageProgress
from models.bundle import Bundle
from models.detector.average_precision import Found, average_precision
from models.detector.measure import Seen, detector_look
from models.detector.photos import TAG, product_region
from models.evaluation import DetectionRecord
from models.labelled import LabelledImage
from models.manifest import DetectTask
from schemas.reasons import ImageError
from schemas.settings import DecodeSettings, FetchSettings, S3Settings
from schemas.uri import normalize_uri
from udfs.decode import decode
from udfs.fetch import Fetcher

Boxes = NDArray[np.float64]


def detection_records(measured: Measured, *, quiet: bool = False) -> list[DetectionRecord]:
    """AP50 of product regions and of tags; empty without a detect task or without labelled boxes."""
    task = next((one for one in measured.bundle.manifest.tasks if isinstance(one, DetectTask)), None)
    images = [image for image in measured.predictions.images if image.boxes]
    if task is None or not images:
        return []
    seen = _look_at(measured.bundle, task, images, quiet)
    with_tags = {image.dataset for image, _ in seen if any(box.label == TAG for box in image.boxes)}
    tagged = [(image, one) for image, one in seen if image.dataset in with_tags]
    regions, tags = [_region(image) for image, _ in seen], [_tags(image) for image, _ in tagged]
    records = [
        _record("product region", [one.products for _, one in seen], regions),
        _record("tags", [one.tags for _, one in tagged], tags),
    ]
    return [record for record in records if record is not None]


def _region(image: LabelledImage) -> Boxes:
    """(1, 4), or (0, 4) where nothing but tags and texts is labelled."""
    region = product_region(image)
    return np.array([] if region is None else [region], np.float64).reshape(-1, 4)


def _tags(image: LabelledImage) -> Boxes:
    return np.array([one.box for one in image.boxes if one.label == TAG], np.float64).reshape(-1, 4)


def _record(subject: str, found: Sequence[Found], truths: Sequence[Boxes]) -> DetectionRecord | None:
    boxes = sum(len(one) for one in truths)
    if not boxes:
        return None
    ap50 = min(1.0, average_precision(found, truths))
    return DetectionRecord(images=len(truths), boxes=boxes, ap50=ap50, subject=subject)


def _look_at(
    bundle: Bundle, task: DetectTask, images: Sequence[LabelledImage], quiet: bool
) -> list[tuple[LabelledImage, Seen]]:
    """What the detector sees, with boxes in pixels of the source, as labels have them."""
    look, fetcher = detector_look(bundle.files[task.file], task), Fetcher(FetchSettings(), S3Settings())
    seen = []
    with StageProgress("evaluate detection", len(images), quiet=quiet) as shown:
        for number, image in enumerate(images, start=1):
            data = fetcher.fetch(normalize_uri(str(image.path.absolute()))).data
            try:
                decoded = decode(data or b"", DecodeSettings())
            except ImageError:
                continue
            one = look(decoded.pixels)
            scale = decoded.width_px / decoded.pixels.shape[1]
            for found in (one.products, one.tags):
                found.boxes[:] *= scale
            seen.append((image, one))
            shown.update(done=number)
    return seen
