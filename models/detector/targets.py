"""What the network should answer for a sample, and how far off an answer is.

Boxes are learned as in TTFNet (Liu et al. 2020): a Gaussian over the middle of each box says where its score is high
and how much each cell's distances count, which needs far fewer epochs than a single positive cell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from models.detector.network import CELL_STRIDE, CLASSES, MAP_STRIDE
from models.detector.samples import ABSENT, PRESENT, Boxes, Bytes

Floats = NDArray[np.float32]

# Standard deviation of the Gaussian, share of the box's side: its 0.54 middle spans six of them.
_SIGMA_SHARE = 0.54 / 6
_LEAST_SIGMA = 0.6
_LEAST_WEIGHT = 0.05
_UNKNOWN_MAP = -1.0


@dataclass(frozen=True)
class Targets:
    """Answers for one picture of side S.

    Args:
        heat: (2, S/8, S/8) wanted scores 0..1 by class, -1 where not known.
        distances: (8, S/8, S/8) wanted distances in quarters of S, as the network gives them.
        weights: (2, S/8, S/8) how much each cell's distances count; those of a box sum to 1.
        maps: (2, S/4, S/4) wanted product and text 0..1, -1 where not known.
    """

    heat: Floats
    distances: Floats
    weights: Floats
    maps: Floats


def make_targets(side: int, boxes: tuple[Boxes | None, Boxes | None], product: Bytes, text: Bytes) -> Targets:
    """Targets of one picture.

    Args:
        side: S, px.
        boxes: product boxes and tag boxes, px of the picture; None where they are not known.
        product: (S, S) uint8 map of the product, values of `models.detector.samples`.
        text: (S, S) uint8 map of the text.
    """
    cells = side // CELL_STRIDE
    heat = np.zeros((len(CLASSES), cells, cells), np.float32)
    distances = np.zeros((4 * len(CLASSES), cells, cells), np.float32)
    weights = np.zeros_like(heat)
    for number, known in enumerate(boxes):
        if known is None:
            heat[number] = _UNKNOWN_MAP
            continue
        own = slice(4 * number, 4 * number + 4)
        # Larger boxes first, so that a small one inside a large one keeps its middle.
        areas = (known[:, 2] - known[:, 0]) * (known[:, 3] - known[:, 1])
        for row in np.argsort(-areas):
            _add_box(known[row], side, heat[number], distances[own], weights[number])
    return Targets(heat, distances, weights, np.stack([map_target(product, side), map_target(text, side)]))


def map_target(plane: Bytes, side: int) -> Floats:
    """(S/4, S/4) share of PRESENT in each place, -1 where most of it is UNKNOWN."""
    size = (side // MAP_STRIDE, side // MAP_STRIDE)
    present = cv2.resize((plane == PRESENT).astype(np.float32), size, interpolation=cv2.INTER_AREA)
    absent = cv2.resize((plane == ABSENT).astype(np.float32), size, interpolation=cv2.INTER_AREA)
    known = present + absent
    return np.asarray(np.where(known > 0.5, present / np.maximum(known, 1e-6), _UNKNOWN_MAP), np.float32)


def _add_box(box: Floats, side: int, heat: Floats, distances: Floats, weights: Floats) -> None:
    x_min, y_min, x_max, y_max = (float(edge) for edge in box)
    places = (np.arange(heat.shape[0], dtype=np.float32) + 0.5) * CELL_STRIDE
    x_middle, y_middle = (x_min + x_max) / 2, (y_min + y_max) / 2
    x_sigma = max((x_max - x_min) * _SIGMA_SHARE, _LEAST_SIGMA * CELL_STRIDE)
    y_sigma = max((y_max - y_min) * _SIGMA_SHARE, _LEAST_SIGMA * CELL_STRIDE)
    across = np.exp(-(((places - x_middle) / x_sigma) ** 2) / 2)
    down = np.exp(-(((places - y_middle) / y_sigma) ** 2) / 2)
    bump = down[:, None] * across[None, :]
    column = int(np.clip(x_middle // CELL_STRIDE, 0, len(places) - 1))
    row = int(np.clip(y_middle // CELL_STRIDE, 0, len(places) - 1))
    bump[row, column] = 1.0
    np.maximum(heat, bump, out=heat)
    near = bump > _LEAST_WEIGHT
    weights[near] = (bump / bump[near].sum())[near]
    unit = side / 4
    for number, plane in enumerate(
        (
            places[None, :] - x_min + 0 * places[:, None],
            places[:, None] - y_min + 0 * places[None, :],
            x_max - places[None, :] + 0 * places[:, None],
            y_max - places[:, None] + 0 * places[None, :],
        )
    ):
        distances[number][near] = (plane / unit)[near]


def heat_loss(scores: Any, heat: Any) -> Any:
    """Penalty-reduced focal loss (CenterNet, Zhou et al. 2019), per box; cells of unknown classes do not count."""
    known = (heat >= 0).float()
    peak = (heat == 1).float()
    found = torch.sigmoid(scores).clamp(1e-4, 1 - 1e-4)
    missed = -torch.log(found) * (1 - found) ** 2 * peak
    false = -torch.log(1 - found) * found**2 * (1 - heat.clamp(0, 1)) ** 4 * (1 - peak)
    return ((missed + false) * known).sum() / peak.sum().clamp(min=1)


def distance_loss(distances: Any, wanted: Any, weights: Any) -> Any:
    """1 - GIoU (Rezatofighi et al. 2019) of the boxes that cells span, weighted; both boxes hold the cell."""
    classes = weights.shape[1]
    ours = distances.unflatten(1, (classes, 4)).clamp(min=0)
    theirs = wanted.unflatten(1, (classes, 4))
    # A cell near a box's edge may lie just outside: its distances may be negative, and so may the overlap.
    low, high = torch.minimum(ours, theirs), torch.maximum(ours, theirs)
    overlap = (low[:, :, 0] + low[:, :, 2]).clamp(min=0) * (low[:, :, 1] + low[:, :, 3]).clamp(min=0)
    hull = (high[:, :, 0] + high[:, :, 2]) * (high[:, :, 1] + high[:, :, 3])
    union = _area(ours) + _area(theirs) - overlap
    giou = overlap / union.clamp(min=1e-6) - (hull - union) / hull.clamp(min=1e-6)
    return ((1 - giou) * weights).sum() / weights.sum().clamp(min=1)


def _area(distances: Any) -> Any:
    return (distances[:, :, 0] + distances[:, :, 2]) * (distances[:, :, 1] + distances[:, :, 3])


def map_loss(logits: Any, wanted: Any) -> Any:
    """Binary cross-entropy plus Dice (Milletari et al. 2016) over what is known; (N, S/4, S/4) each."""
    known = (wanted >= 0).float()
    wanted = wanted.clamp(0, 1)
    entropy = functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    entropy = (entropy * known).sum() / known.sum().clamp(min=1)
    found, wanted = (torch.sigmoid(logits) * known).flatten(1), (wanted * known).flatten(1)
    overlap, total = (found * wanted).sum(1), found.sum(1) + wanted.sum(1)
    # Of a picture with nothing to find, only the cross-entropy speaks.
    present = (wanted.sum(1) > 0.5).float()
    dice = ((1 - 2 * overlap / total.clamp(min=1e-6)) * present).sum() / present.sum().clamp(min=1)
    return entropy + dice
