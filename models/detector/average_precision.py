"""Average precision of boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Found:
    """Boxes (N, 4) and scores (N,) that a detector gives for one picture."""

    boxes: Values
    scores: Values


def iou_matrix(ours: Values, theirs: Values) -> Values:
    """Intersection over union of every pair, (N, M), of boxes (N, 4) and (M, 4) with exclusive upper ends."""
    low = np.maximum(ours[:, None, :2], theirs[None, :, :2])
    high = np.minimum(ours[:, None, 2:], theirs[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (ours, theirs)]
    union = areas[0][:, None] + areas[1][None, :] - shared
    return np.asarray(np.divide(shared, union, out=np.zeros_like(shared), where=union > 0))


def average_precision(found: Sequence[Found], truths: Sequence[Values], least_iou: float = 0.5) -> float:
    """Area under the interpolated precision-recall curve (PASCAL VOC since 2010, Everingham et al. 2015).

    All boxes of all pictures are taken in the order of their scores. A box is right when, among the true boxes of its
    picture that it overlaps by at least `least_iou`, the one it overlaps most is not taken yet, and takes it.

    Args:
        found: per picture.
        truths: (M, 4) true boxes per picture, in the same order.
        least_iou: 0.5 for AP50.

    Raises:
        ValueError: there is no true box at all, so that recall has no meaning.
    """
    total = sum(len(boxes) for boxes in truths)
    if not total:
        raise ValueError("average precision needs at least one true box")
    overlaps = [iou_matrix(one.boxes, boxes) for one, boxes in zip(found, truths, strict=True)]
    ranked = sorted(
        ((score, picture, row) for picture, one in enumerate(found) for row, score in enumerate(one.scores.tolist())),
        key=lambda entry: -entry[0],
    )
    taken: set[tuple[int, int]] = set()
    right = np.zeros(len(ranked), bool)
    for place, (_, picture, row) in enumerate(ranked):
        candidates = overlaps[picture][row]
        best = int(candidates.argmax()) if candidates.size else -1
        if best >= 0 and candidates[best] >= least_iou and (picture, best) not in taken:
            taken.add((picture, best))
            right[place] = True
    recall = np.concatenate([[0.0], right.cumsum() / total])
    precision = right.cumsum() / np.arange(1, len(right) + 1)
    # Interpolated: at each recall the best precision at that recall or a higher one.
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(recall) * envelope).sum())
