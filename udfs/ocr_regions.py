"""Boxes in which text may stand, brought to whole pixels of the picture and joined where they touch."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from models.model_input import Box

SMALLEST = 6
"""Areas with a shorter side (px) hold no letters."""


@dataclass(frozen=True)
class Area:
    """A rectangle of whole pixels, right and bottom exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def rows(self) -> slice:
        """Its rows."""
        return slice(self.top, self.bottom)

    @property
    def columns(self) -> slice:
        """Its columns."""
        return slice(self.left, self.right)

    def touches(self, other: Area) -> bool:
        """Whether both have a pixel in common."""
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def joined(self, other: Area) -> Area:
        """The smallest area around both."""
        return Area(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )


def areas_of(boxes: Iterable[Box], height: int, width: int, margin: float) -> tuple[Area, ...]:
    """Areas of a picture that boxes cover, from top to bottom; no two have a pixel in common.

    Args:
        boxes: (x_min, y_min, x_max, y_max), px; what lies outside is cut, what is empty, turned round or not finite is
            passed over.
        height: the picture's height, px.
        width: its width.
        margin: boxes are widened by this share of their shorter side.
    """
    areas: list[Area] = []
    for box in boxes:
        area = _area(box, height, width, margin)
        if area is None:
            continue
        while True:
            touched = [other for other in areas if other.touches(area)]
            if not touched:
                break
            for other in touched:
                areas.remove(other)
                area = area.joined(other)
        areas.append(area)
    return tuple(sorted(areas, key=lambda one: (one.top, one.left)))


def _area(box: Box, height: int, width: int, margin: float) -> Area | None:
    x_min, y_min, x_max, y_max = (float(value) for value in box)
    if not all(math.isfinite(value) for value in (x_min, y_min, x_max, y_max)) or x_max <= x_min or y_max <= y_min:
        return None
    extra = margin * min(x_max - x_min, y_max - y_min)
    left, top = max(0, math.floor(x_min - extra)), max(0, math.floor(y_min - extra))
    right, bottom = min(width, math.ceil(x_max + extra)), min(height, math.ceil(y_max + extra))
    return Area(left, top, right, bottom) if min(right - left, bottom - top) >= SMALLEST else None
