"""Many pictures on one sheet, to judge them by eye."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from rendering.fonts import font
from rendering.truth import RenderedImage


def contact_sheet(
    images: Sequence[RenderedImage], columns: int = 8, cell: int = 240, boxes: bool = False
) -> NDArray[np.uint8]:
    """Lay pictures out in a grid with a caption each.

    Args:
        images: the pictures.
        columns: pictures per row.
        cell: side of a cell, px.
        boxes: draw the true boxes and text quadrilaterals.

    Returns:
        (h, w, 3) uint8 RGB.
    """
    rows = -(-len(images) // columns)
    sheet = Image.new("RGB", (columns * cell, max(rows, 1) * (cell + 16)), (70, 70, 72))
    draw = ImageDraw.Draw(sheet)
    for number, image in enumerate(images):
        picture = _flat(image, boxes)
        picture.thumbnail((cell - 6, cell - 6))
        x, y = number % columns * cell, number // columns * (cell + 16)
        sheet.paste(picture, (x + (cell - picture.width) // 2, y + (cell - picture.height) // 2))
        truth = image.truth
        color = truth.colors[0][0] if truth.colors else "-"
        draw.text(
            (x + 4, y + cell), f"{truth.kind} | {color} | {truth.pattern}", fill=(230, 230, 230), font=font("plain", 10)
        )
    return np.asarray(sheet)


def _flat(image: RenderedImage, boxes: bool) -> Image.Image:
    picture = Image.fromarray(image.pixels)
    if picture.mode == "RGBA":
        ground = Image.new("RGB", picture.size, (255, 255, 255))
        ground.paste(picture, mask=picture.getchannel("A"))
        picture = ground
    if boxes:
        draw = ImageDraw.Draw(picture)
        draw.rectangle(image.truth.box, outline=(255, 0, 0), width=2)
        for box in image.truth.tag_boxes:
            draw.rectangle(box, outline=(0, 90, 255), width=2)
        for line in image.truth.texts:
            corners: list[Any] = [tuple(point) for point in line.quad]
            draw.polygon(corners, outline=(0, 170, 0) if line.legible else (255, 160, 0))
    return picture
