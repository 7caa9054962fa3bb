"""From the detector's dense outputs to product and tag boxes, text regions and the product's mask.

The detector (models/detector) looks at the whole picture once. Its cells each say how likely a product, or a tag, is
centered there and how far its four sides are; its maps say which places are product and which are text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from models.manifest import DetectTask

Floats: TypeAlias = NDArray[np.float32]
Box: TypeAlias = tuple[float, float, float, float]

MOST_PRODUCTS, MOST_TAGS, MOST_TEXTS = 8, 8, 32

# Distances come in quarters of the input's side.
_DISTANCE_UNIT = 0.25
# Boxes of one class that overlap more are one thing; so is a box this much inside a better one.
_SAME_OVERLAP, _SAME_INSIDE = 0.5, 0.85
# Logits beyond this are certain; the limit keeps exp() finite.
_LARGEST_LOGIT = 30.0


@dataclass(frozen=True)
class Detection:
    """One box.

    Args:
        box: (x_min, y_min, x_max, y_max) px of the picture, upper ends exclusive, inside the picture.
        score: 0..1.
    """

    box: Box
    score: float


@dataclass(frozen=True)
class Detections:
    """What the detector sees in one picture.

    Args:
        products: best first, at most `MOST_PRODUCTS`; may be empty.
        tags: tags and labels, likewise, at most `MOST_TAGS`.
        texts: regions of text, largest first, at most `MOST_TEXTS`.
        text_share: share of the picture's area that is text, 0..1.
        product_map: (h, w) float32 probability of product on a coarse grid over the picture; see `product_mask`.
        mask_threshold: what is product at least has.
        height: of the picture, px.
        width: of the picture, px.
    """

    products: tuple[Detection, ...]
    tags: tuple[Detection, ...]
    texts: tuple[Detection, ...]
    text_share: float
    product_map: Floats
    mask_threshold: float
    height: int
    width: int

    def product_mask(self, height: int | None = None, width: int | None = None) -> NDArray[np.bool_]:
        """The product's mask (H, W) bool at the picture's size, or at a smaller one where that will do.

        May be empty: then the detector sees no product.
        """
        size = (width or self.width, height or self.height)
        return np.asarray(
            cv2.resize(self.product_map, size, interpolation=cv2.INTER_CUBIC) > self.mask_threshold, dtype=np.bool_
        )


@dataclass(frozen=True)
class DetectOutputs:
    """The model's answer for a batch of N pictures of side S; rows stand in the order of the batch.

    Args:
        scores: (N, 2, S/8, S/8) float32 logits of product and tag.
        distances: (N, 8, S/8, S/8) float32: left, top, right, bottom of the product, then of the tag, quarters of S.
        maps: (N, 2, S/4, S/4) float32 logits of product and text.
    """

    scores: Floats
    distances: Floats
    maps: Floats

    def row(self, index: int) -> DetectOutputs:
        """One picture's answer, N = 1."""
        at = slice(index, index + 1)
        return DetectOutputs(self.scores[at], self.distances[at], self.maps[at])


@dataclass(frozen=True)
class Placement:
    """Where a picture lies in the model's square, shares of the square's side: its left and top, width and height."""

    left: float
    top: float
    width: float
    height: float


def placement_of(height: int, width: int, task: DetectTask) -> Placement:
    """Where `models.model_input` puts a picture of that size.

    Raises:
        ValueError: the model's input is cut from the picture; then boxes cannot be found in the whole of it.
    """
    spec = task.input
    if spec.resize == "stretch":
        return Placement(0.0, 0.0, 1.0, 1.0)
    if spec.resize != "pad":
        raise ValueError(f"the detector's input must be stretched or padded, not {spec.resize!r}")
    scale = min(spec.height / height, spec.width / width)
    new_height = min(spec.height, max(1, round(height * scale)))
    new_width = min(spec.width, max(1, round(width * scale)))
    top, left = (spec.height - new_height) // 2, (spec.width - new_width) // 2
    return Placement(left / spec.width, top / spec.height, new_width / spec.width, new_height / spec.height)


def read_detections(outputs: DetectOutputs, index: int, height: int, width: int, task: DetectTask) -> Detections:
    """Read one picture's answer.

    Args:
        outputs: of a batch.
        index: the picture's row.
        height: of the picture, px.
        width: of the picture, px.
        task: the bundle's detect task, for the input's form and the thresholds.
    """
    place = placement_of(height, width, task)
    heat = sigmoid(outputs.scores[index])
    products, tags = (
        _found(
            heat[number], outputs.distances[index, 4 * number : 4 * number + 4], threshold, most, place, height, width
        )
        for number, (threshold, most) in enumerate(
            ((task.product_threshold, MOST_PRODUCTS), (task.tag_threshold, MOST_TAGS))
        )
    )
    product_map, text_map = (_cut_to(plane, place) for plane in sigmoid(outputs.maps[index]))
    texts, text_share = text_regions(text_map, height, width, task.text_threshold)
    return Detections(
        products=products,
        tags=tags,
        texts=texts,
        text_share=text_share,
        product_map=product_map,
        mask_threshold=task.mask_threshold,
        height=height,
        width=width,
    )


def sigmoid(logits: Floats) -> Floats:
    """Probabilities of logits."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -_LARGEST_LOGIT, _LARGEST_LOGIT))), np.float32)


def peaks(heat: Floats, distances: Floats, threshold: float) -> tuple[Floats, Floats]:
    """Local maxima of a score map and their boxes.

    Around a peak of a large object the neighboring cells see the same box; their mean, weighted by score, is steadier
    than the peak's alone.

    Args:
        heat: (h, w) float32 scores 0..1.
        distances: (4, h, w) float32 as the model gives them.
        threshold: least score.

    Returns:
        Boxes (P, 4) float32 in shares of the square, and scores (P,), best first.
    """
    above = heat > threshold
    if not above.any():
        return np.empty((0, 4), np.float32), np.empty(0, np.float32)
    rows, columns = np.nonzero(above & (heat >= cv2.dilate(heat, np.ones((3, 3), np.uint8))))
    order = np.argsort(-heat[rows, columns], kind="stable")
    rows, columns = rows[order], columns[order]
    height, width = heat.shape
    x = (np.arange(width, dtype=np.float32) + 0.5) / width
    y = ((np.arange(height, dtype=np.float32) + 0.5) / height)[:, None]
    reach = np.maximum(distances, 0) * np.float32(_DISTANCE_UNIT)
    edges = np.stack([x - reach[0], y - reach[1], x + reach[2], y + reach[3]], axis=-1)
    boxes = np.empty((len(rows), 4), np.float32)
    for place, (row, column) in enumerate(zip(rows.tolist(), columns.tolist(), strict=True)):
        around = slice(max(row - 1, 0), row + 2), slice(max(column - 1, 0), column + 2)
        # Squared, so that a cell of another object beside the peak has no say.
        weights = heat[around] ** 2
        boxes[place] = (edges[around] * weights[..., None]).sum(axis=(0, 1)) / weights.sum()
    return boxes, heat[rows, columns]


def distinct(boxes: Floats, scores: Floats) -> list[int]:
    """Greedy non-maximum suppression; rows to keep, best first.

    Args:
        boxes: (P, 4).
        scores: (P,).
    """
    kept: list[int] = []
    for row in np.argsort(-scores, kind="stable").tolist():
        if boxes[row, 2] <= boxes[row, 0] or boxes[row, 3] <= boxes[row, 1]:
            continue
        if not any(_same(boxes[row], boxes[other]) for other in kept):
            kept.append(row)
    return kept


def text_regions(text_map: Floats, height: int, width: int, threshold: float) -> tuple[tuple[Detection, ...], float]:
    """Connected places of text as boxes, and the share of the picture that is text.

    Args:
        text_map: (h, w) float32 probability of text over the whole picture.
        height: of the picture, px.
        width: of the picture, px.
        threshold: least probability.

    Returns:
        (regions, largest first, with their mean probability as score; share 0..1).
    """
    mask = (text_map > threshold).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    share = float(mask.mean())
    if count == 1:
        return (), share
    sums = np.bincount(labels.ravel(), weights=text_map.ravel(), minlength=count)
    areas = stats[:, cv2.CC_STAT_AREA]
    x_scale, y_scale = width / mask.shape[1], height / mask.shape[0]
    order = 1 + np.argsort(-areas[1:], kind="stable")[:MOST_TEXTS]
    regions = []
    for label in order.tolist():
        left, top, across, down = (int(value) for value in stats[label, :4])
        box = (left * x_scale, top * y_scale, (left + across) * x_scale, (top + down) * y_scale)
        regions.append(Detection(box, float(sums[label] / areas[label])))
    return tuple(regions), share


def _found(
    heat: Floats, distances: Floats, threshold: float, most: int, place: Placement, height: int, width: int
) -> tuple[Detection, ...]:
    boxes, scores = peaks(heat, distances, threshold)
    boxes = _in_picture(boxes, place, height, width)
    return tuple(_detection(boxes[row], scores[row]) for row in distinct(boxes, scores)[:most])


def _same(box: Floats, better: Floats) -> bool:
    shared = np.maximum(np.minimum(box[2:], better[2:]) - np.maximum(box[:2], better[:2]), 0).prod()
    own, other = (box[2:] - box[:2]).prod(), (better[2:] - better[:2]).prod()
    return bool(shared > _SAME_OVERLAP * (own + other - shared) or shared > _SAME_INSIDE * own)


def _in_picture(boxes: Floats, place: Placement, height: int, width: int) -> Floats:
    """Shares of the square to px of the picture, clipped to it."""
    offset = np.array([place.left, place.top] * 2, np.float32)
    scale = np.array([width / place.width, height / place.height] * 2, np.float32)
    return np.asarray(np.clip((boxes - offset) * scale, 0, np.array([width, height] * 2, np.float32)), np.float32)


def _cut_to(plane: Floats, place: Placement) -> Floats:
    """The part of a map that lies over the picture."""
    height, width = plane.shape
    top, left = round(place.top * height), round(place.left * width)
    bottom = max(top + 1, round((place.top + place.height) * height))
    right = max(left + 1, round((place.left + place.width) * width))
    return np.ascontiguousarray(plane[top:bottom, left:right])


def _detection(box: Floats, score: np.float32) -> Detection:
    x_min, y_min, x_max, y_max = (float(edge) for edge in box)
    return Detection((x_min, y_min, x_max, y_max), float(score))
