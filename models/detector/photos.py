"""Samples from labelled photos: masks and text by the teachers, boxes from the labels or from the masks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.detector.samples import (
    ABSENT,
    PRESENT,
    UNKNOWN,
    Boxes,
    Bytes,
    Sample,
    as_boxes,
    shrink,
    shrink_factor,
)
from models.detector.teachers import SaliencyTeacher, TextTeacher
from models.labelled import LabelledImage
from udfs.masks import tidy
from udfs.segment import find_product
from udfs.skin import skin_mask

# A mask this unsure (mean distance of the probabilities from one half, doubled) or this small or large teaches nothing.
_LEAST_CERTAIN = 0.85
_PLAUSIBLE_AREA = (0.01, 0.97)
_ABSENT_BELOW, _PRESENT_ABOVE = 0.35, 0.65
_CLEAR_BACKDROP = 0.93
# More skin than this inside the mask: somebody wears the product, and the mask's box is the person's.
_WORN_SKIN_SHARE = 0.06
# Shelves have price labels; the other photos have next to none.
_SETS_WITH_UNKNOWN_TAGS = frozenset({"grocery_store"})


PRODUCT, TAG, TEXT = "product", "tag", "text"
"""Labels of boxes that mean just that; all others are names of goods."""


def goods(image: LabelledImage) -> list[tuple[float, float, float, float]]:
    """Boxes labelled `product`; where there are none, of everything but tags and texts."""
    named = [one.box for one in image.boxes if one.label == PRODUCT]
    return named or [one.box for one in image.boxes if one.label not in (TAG, TEXT)]


def product_region(image: LabelledImage) -> tuple[float, float, float, float] | None:
    """The union of a picture's goods (a person's garments and what they carry); None where none are labelled."""
    boxes = goods(image)
    if not boxes:
        return None
    edges = np.array(boxes, np.float64)
    low, high = edges[:, :2].min(axis=0), edges[:, 2:].max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


@dataclass(frozen=True)
class Teachers:
    """Both networks; without the first, photos before unclear backdrops teach what their boxes say."""

    saliency: SaliencyTeacher | None
    text: TextTeacher


def photo_samples(images: Sequence[LabelledImage], teachers: Teachers | None, shown: int) -> Iterator[Sample | None]:
    """Photos as samples, in order; None for a photo whose mask is no use.

    The teachers cost most of a second per photo, so only the first `shown` photos are shown to them. Of the others,
    those before a clear backdrop have an exact mask anyway, and those with labelled boxes still teach the product's box
    and where the product is not.

    Raises:
        FileNotFoundError: a photo cannot be read.
    """
    for place, image in enumerate(images):
        pixels = cv2.imread(str(image.path), cv2.IMREAD_COLOR_RGB)
        if pixels is None:
            raise FileNotFoundError(f"{image.path} cannot be read")
        yield _photo_sample(np.asarray(pixels, np.uint8), image, teachers if place < shown else None)


def _photo_sample(pixels: Bytes, image: LabelledImage, teachers: Teachers | None) -> Sample | None:
    small = shrink(pixels)
    if teachers is None:
        lines = np.full(small.shape[:2], UNKNOWN, np.uint8)
    else:
        lines = shrink(teachers.text.text_map(pixels), exact=True)
    probability = _product_probability(small, teachers)
    if probability is None:
        return _labelled_sample(small, lines, image, shrink_factor(*pixels.shape[:2]))
    skin = skin_mask(small)
    region = product_region(image)
    if region is not None:
        scale = shrink_factor(*pixels.shape[:2])
        product = _garments(probability, as_boxes(goods(image), scale), skin)
        boxes: Boxes | None = as_boxes([region], scale)
    else:
        product, boxes = _single_product(probability, skin, worn=image.category == "Apparel")
    if not _PLAUSIBLE_AREA[0] <= (product == PRESENT).mean() <= _PLAUSIBLE_AREA[1]:
        return None
    tags = _tags(image, shrink_factor(*pixels.shape[:2]))
    return Sample(small, product, lines, boxes, tags, image.dataset, cut_out=boxes is not None)


def _product_probability(pixels: Bytes, teachers: Teachers | None) -> NDArray[np.float32] | None:
    """Before a clear backdrop the classical cut is exact and cheap; else the teacher's mask, if it is sure."""
    region = find_product(pixels)
    if region.method == "border" and region.confidence >= _CLEAR_BACKDROP:
        return region.mask.astype(np.float32)
    if teachers is None or teachers.saliency is None:
        return None
    probability = teachers.saliency.probability(pixels)
    return probability if np.abs(probability - 0.5).mean() * 2 >= _LEAST_CERTAIN else None


def _tags(image: LabelledImage, scale: float) -> Boxes | None:
    """The labelled ones; where none is labelled there is none, but in some sets nobody looked for them."""
    labelled = [one.box for one in image.boxes if one.label == TAG]
    return None if not labelled and image.dataset in _SETS_WITH_UNKNOWN_TAGS else as_boxes(labelled, scale)


def _labelled_sample(small: Bytes, lines: Bytes, image: LabelledImage, scale: float) -> Sample | None:
    """What the labels alone say: inside a garment's box may be product, elsewhere is none."""
    region = product_region(image)
    if region is None:
        return None
    inside = _inside(small.shape[:2], as_boxes(goods(image), scale))
    product = np.where(inside, UNKNOWN, ABSENT).astype(np.uint8)
    return Sample(small, product, lines, as_boxes([region], scale), _tags(image, scale), image.dataset, cut_out=False)


def _garments(probability: NDArray[np.float32], boxes: Boxes, skin: NDArray[np.bool_]) -> Bytes:
    """The salient pixels inside the garments' boxes; skin there stays open."""
    inside = _inside(probability.shape, boxes)
    product = _levels(probability)
    product[~inside] = ABSENT
    product[inside & skin & (product == PRESENT)] = UNKNOWN
    return product


def _inside(shape: tuple[int, ...], boxes: Boxes) -> NDArray[np.bool_]:
    """(H, W) bool, True inside any of the boxes."""
    inside = np.zeros(shape, bool)
    for x_min, y_min, x_max, y_max in np.rint(boxes).astype(int):
        inside[max(y_min, 0) : y_max, max(x_min, 0) : x_max] = True
    return inside


def _single_product(
    probability: NDArray[np.float32], skin: NDArray[np.bool_], worn: bool
) -> tuple[Bytes, Boxes | None]:
    """The salient thing and its box; on a wearer the skin stays open and the box is not known."""
    mask = tidy(probability > 0.5)
    product = _levels(probability)
    product[~mask & (product == PRESENT)] = UNKNOWN
    if not mask.any():
        return product, None
    if worn and skin[mask].mean() > _WORN_SKIN_SHARE:
        product[skin & (product == PRESENT)] = UNKNOWN
        return product, None
    ys, xs = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return product, as_boxes([(xs[0], ys[0], xs[-1] + 1, ys[-1] + 1)])


def _levels(probability: NDArray[np.float32]) -> Bytes:
    levels = np.full(probability.shape, UNKNOWN, np.uint8)
    levels[probability < _ABSENT_BELOW] = ABSENT
    levels[probability > _PRESENT_ABOVE] = PRESENT
    return levels
