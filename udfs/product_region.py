"""Where the product is in each picture of a micro-batch: by the bundle's detector, else by the classical cut.

On rendered truth the detector's masks overlap the product's by .92, the classical cut's by .70
(`docs/models/detector.md`), so the cut only stands in where there is no detector, or where it sees no product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.model_input import Box
from schemas.reasons import ImageError
from udfs.describe import Picture
from udfs.detect import Detections, read_detections
from udfs.masks import Mask
from udfs.picture_size import scaled_box
from udfs.runtime import Runtime
from udfs.segment import Region, find_product, region_of

# The mask may reach beyond the box by this share of its longer side: boxes are found in steps of 8 px of 192.
_BEYOND_BOX = 0.04
# A box that its mask fills less than this holds something too thin for the mask's places.
_THIN = 0.05
# Trust in a mask without a box, and the share of the picture from which it counts.
_MASK_ALONE, _LEAST_AREA = 0.3, 0.0025


@dataclass(frozen=True)
class Look:
    """What a look at a whole picture gives.

    Args:
        region: the product, px of the small picture.
        box: the product's box, px of the picture at its working size; what the models' crop is cut by.
    """

    region: Region
    box: Box


def detect_each(pictures: Sequence[Picture], runtime: Runtime) -> list[Detections | ImageError | None]:
    """What the detector sees in each picture, in one call for all; None for each where the bundle has no detector.

    A picture that the model fails on gets its error. It looks at the small pictures; places are px of the large ones.
    """
    if not pictures or not runtime.detects:
        return [None] * len(pictures)
    task = runtime.detect_task
    outputs = runtime.detect_each(np.stack([runtime.prepare_detect(picture.small) for picture in pictures]))
    found: list[Detections | ImageError | None] = []
    for picture, output in zip(pictures, outputs, strict=True):
        height, width = picture.pixels.shape[:2]
        found.append(output if isinstance(output, ImageError) else read_detections(output, 0, height, width, task))
    return found


def look_at(picture: Picture, detections: Detections | None) -> Look:
    """Find the product of a picture.

    Args:
        picture: the picture.
        detections: what the detector sees in it, if there is one.
    """
    size, small_size = picture.pixels.shape[:2], picture.small.shape[:2]
    if detections is not None and detections.products:
        best = detections.products[0]
        mask = mask_in_box(detections.product_mask(*small_size), scaled_box(best.box, size, small_size))
        return Look(region_of(mask, best.score, "detector"), best.box)
    if detections is not None and (mask := detections.product_mask(*small_size)).mean() > _LEAST_AREA:
        region = region_of(mask, _MASK_ALONE, "detector")
    else:
        region = find_product(picture.small)
    return Look(region, scaled_box(region.box, small_size, size))


def mask_in_box(mask: Mask, box: Box) -> Mask:
    """The part of a mask that belongs to a box; the whole box where that is next to nothing. Never empty.

    Args:
        mask: (H, W) bool.
        box: (x_min, y_min, x_max, y_max), px of the mask.
    """
    height, width = mask.shape
    x_min, y_min, x_max, y_max = box
    extra = _BEYOND_BOX * max(x_max - x_min, y_max - y_min)
    rows = slice(max(0, round(y_min - extra)), max(1, min(height, round(y_max + extra))))
    columns = slice(max(0, round(x_min - extra)), max(1, min(width, round(x_max + extra))))
    inside = np.zeros_like(mask)
    inside[rows, columns] = mask[rows, columns]
    if inside.sum() >= max(1.0, _THIN * (x_max - x_min) * (y_max - y_min)):
        return inside
    rows = slice(min(int(y_min), height - 1), max(int(y_min) + 1, round(y_max)))
    columns = slice(min(int(x_min), width - 1), max(int(x_min) + 1, round(x_max)))
    inside[rows, columns] = True
    return inside
