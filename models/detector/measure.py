"""Measures a detector, and the classical segmentation, on pictures whose truth is known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from models.detector.average_precision import Found, average_precision, iou_matrix
from models.detector.samples import ABSENT, PRESENT, Bytes
from models.manifest import DetectTask
from models.model_input import model_input
from models.session import new_session
from udfs.detect import Detection, Detections, DetectOutputs, read_detections
from udfs.segment import find_product

# Average precision wants the whole ranking, also what use would leave out.
_RANKED_FROM = 0.02

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Known:
    """A picture and its truth.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        product: (1, 4) the product's box, px.
        tags: (M, 4) boxes of tags; None when they are not known.
        mask: (H, W) bool; None when it is not known.
        text: (H, W) uint8 map; None when it is not known.
        lines: (4, 2) corners of each line of text that can be read.
        garments: (G, 4) boxes of single garments.
    """

    pixels: Bytes
    product: Values
    tags: Values | None = None
    mask: NDArray[np.bool_] | None = None
    text: Bytes | None = None
    lines: tuple[Values, ...] = ()
    garments: Values | None = None


@dataclass(frozen=True)
class Seen:
    """What a detector sees in a picture, with all low-scored boxes kept."""

    products: Found
    tags: Found
    mask: NDArray[np.bool_]
    text: NDArray[np.bool_]
    text_share: float


Look = Callable[[Bytes], Seen]


def detector_look(model: bytes, task: DetectTask) -> Look:
    """Looks with an ONNX model, one picture at a time."""
    session = new_session(model)
    names = task.outputs
    ranking = task.model_copy(update={"product_threshold": _RANKED_FROM, "tag_threshold": _RANKED_FROM})

    def look(pixels: Bytes) -> Seen:
        height, width = pixels.shape[:2]
        batch = model_input(pixels, None, task.input)[None]
        values = session.run([names.scores, names.distances, names.maps], {task.input.name: batch})
        detections = read_detections(DetectOutputs(*values), 0, height, width, ranking)
        text = np.zeros((height, width), bool)
        for region in detections.texts:
            x_min, y_min, x_max, y_max = (round(edge) for edge in region.box)
            text[y_min:y_max, x_min:x_max] = True
        return Seen(
            _found(detections.products), _found(detections.tags), _mask(detections), text, detections.text_share
        )

    return look


def classical_look(pixels: Bytes) -> Seen:
    """Looks with `udfs.segment`, which knows one product and neither tags nor text."""
    region = find_product(pixels)
    nothing = Found(np.zeros((0, 4)), np.zeros(0))
    return Seen(
        Found(np.array([region.box]), np.array([region.confidence])),
        nothing,
        region.mask,
        np.zeros(pixels.shape[:2], bool),
        0.0,
    )


def combined_look(detector: Look, least_confidence: float = 0.9) -> Look:
    """Looks with `udfs.segment` where the backdrop is clear, and with the detector elsewhere and for tags and text."""

    def look(pixels: Bytes) -> Seen:
        seen, region = detector(pixels), find_product(pixels)
        if region.method != "border" or region.confidence < least_confidence:
            return seen
        products = Found(np.array([region.box]), np.array([region.confidence]))
        return replace(seen, products=products, mask=region.mask)

    return look


def measure(look: Look, pictures: Iterable[Known]) -> dict[str, float]:
    """Every figure that the truth allows.

    `product_ap50`, `tag_ap50`: average precision at an IoU of 0.5. `product_top1_iou`: mean IoU of the best box.
    `mask_iou`: mean over pictures. `text_precision`, `text_recall`: of the pixels in text regions, over all pictures
    together. `text_lines_found`: share of the readable lines at least half of which lies in a region.
    `text_gate_auroc`: how well `text_share` tells pictures with readable text from those without any.
    `garments_covered`: mean share of the garments' area that lies in the best product box.
    """
    known = list(pictures)
    seen = [look(one.pixels) for one in known]
    figures = {
        "pictures": float(len(known)),
        "product_ap50": average_precision([one.products for one in seen], [one.product for one in known]),
        "product_ap75": average_precision([one.products for one in seen], [one.product for one in known], 0.75),
        "product_top1_iou": float(np.mean([_best_iou(s, k) for s, k in zip(seen, known, strict=True)])),
    }
    tagged = [(s, k.tags) for s, k in zip(seen, known, strict=True) if k.tags is not None]
    if any(len(tags) for _, tags in tagged):
        figures["tag_ap50"] = average_precision([s.tags for s, _ in tagged], [tags for _, tags in tagged])
        figures["tags"] = float(sum(len(tags) for _, tags in tagged))
    masked = [(s.mask, k.mask) for s, k in zip(seen, known, strict=True) if k.mask is not None]
    if masked:
        figures["mask_iou"] = float(np.mean([_mask_iou(ours, theirs) for ours, theirs in masked]))
    garments = [_covered(s, k.garments) for s, k in zip(seen, known, strict=True) if k.garments is not None]
    if garments:
        figures["garments_covered"] = float(np.mean(garments))
    return figures | _text_figures(seen, known)


def _text_figures(seen: Sequence[Seen], known: Sequence[Known]) -> dict[str, float]:
    pairs = [(s, k, k.text) for s, k in zip(seen, known, strict=True) if k.text is not None]
    right = sum(float((s.text & (text == PRESENT)).sum()) for s, _, text in pairs)
    false = sum(float((s.text & (text == ABSENT)).sum()) for s, _, text in pairs)
    wanted = sum(float((text == PRESENT).sum()) for _, _, text in pairs)
    if not wanted:
        return {}
    lines = [_line_found(s.text, quad) for s, k, _ in pairs for quad in k.lines]
    shares = np.array([s.text_share for s, _, _ in pairs])
    with_text = np.array([bool((text == PRESENT).any()) for _, _, text in pairs])
    without = np.array([not (text != ABSENT).any() for _, _, text in pairs])
    figures = {
        "text_precision": right / max(right + false, 1.0),
        "text_recall": right / wanted,
        "text_lines_found": float(np.mean(lines)) if lines else 0.0,
    }
    if with_text.any() and without.any():
        figures["text_gate_auroc"] = auroc(shares[with_text], shares[without])
    return figures


def auroc(positive: Values, negative: Values) -> float:
    """Probability that a positive's value is above a negative's, ties counted half (Mann and Whitney 1947)."""
    above = (positive[:, None] > negative[None, :]).mean()
    equal = (positive[:, None] == negative[None, :]).mean()
    return float(above + equal / 2)


def _line_found(text: NDArray[np.bool_], quad: Values) -> bool:
    area = np.zeros(text.shape, np.uint8)
    cv2.fillConvexPoly(area, np.rint(quad).astype(np.int32), 1)
    inside = area > 0
    return bool(inside.any() and text[inside].mean() >= 0.5)


def _best_iou(seen: Seen, known: Known) -> float:
    if not len(seen.products.scores):
        return 0.0
    best = seen.products.boxes[[seen.products.scores.argmax()]]
    return float(iou_matrix(best, known.product).max())


def _mask_iou(ours: NDArray[np.bool_], theirs: NDArray[np.bool_]) -> float:
    union = (ours | theirs).sum()
    return float((ours & theirs).sum() / union) if union else 1.0


def _covered(seen: Seen, garments: Values) -> float:
    if not len(seen.products.scores):
        return 0.0
    x_min, y_min, x_max, y_max = seen.products.boxes[seen.products.scores.argmax()]
    low = np.maximum(garments[:, :2], [x_min, y_min])
    high = np.minimum(garments[:, 2:], [x_max, y_max])
    inside = np.clip(high - low, 0, None).prod(axis=1).sum()
    return float(inside / max((garments[:, 2:] - garments[:, :2]).prod(axis=1).sum(), 1e-6))


def _found(detections: Sequence[Detection]) -> Found:
    boxes = np.array([one.box for one in detections], np.float64).reshape(-1, 4)
    return Found(boxes, np.array([one.score for one in detections], np.float64))


def _mask(detections: Detections) -> NDArray[np.bool_]:
    return detections.product_mask()
