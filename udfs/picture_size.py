"""Pictures and boxes brought to another size."""

from __future__ import annotations

from models.model_input import Box, Pixels
from models.shrink import shrink


def shrunk(pixels: Pixels, side: int) -> Pixels:
    """The picture with at most `side` px on its long side, by area averaging; never enlarged."""
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return pixels
    return shrink(pixels, max(1, round(height * scale)), max(1, round(width * scale)))


def scaled_box(box: Box, size: tuple[int, ...], to: tuple[int, ...]) -> Box:
    """A box of a picture of one (height, width) in px of the same picture at another."""
    x_min, y_min, x_max, y_max = box
    across, down = to[1] / size[1], to[0] / size[0]
    return (x_min * across, y_min * down, x_max * across, y_max * down)
