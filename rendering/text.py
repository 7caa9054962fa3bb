"""Writes text on a canvas and remembers where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from rendering.canvas import Canvas, Patch
from rendering.fonts import font
from rendering.palette_choice import NO_COLOR, Rgb, base_rgb, index_of
from rendering.truth import Language, TextKind, TextLine

Array = NDArray[Any]

LEGIBLE_PIXELS = 6.5
"""Lines lower than this on the canvas are drawn as gray bars, and are no text in the truth."""


@dataclass(frozen=True)
class Ink:
    """What text is written with.

    Args:
        rgb: sRGB 0..1.
        label: palette position that the pixels count for; `NO_COLOR` keeps what was there.
        weight: extra thickness, share of the letter height.
        opacity: 0..1.
    """

    rgb: Rgb
    label: int = NO_COLOR
    weight: float = 0.0
    opacity: float = 0.95

    @classmethod
    def of(cls, name: str, weight: float = 0.0) -> Ink:
        """Ink of a palette color."""
        return cls(base_rgb(name), index_of(name), weight)


def is_chinese(text: str) -> bool:
    """Whether a line holds at least one Chinese character."""
    return any("\u4e00" <= character <= "\u9fff" for character in text)


def write(
    canvas: Canvas,
    text: str,
    x: float,
    y: float,
    height: float,
    ink: Ink,
    face: str,
    kind: TextKind = "other",
    align: str = "center",
    max_width: float | None = None,
) -> tuple[float, float]:
    """Write one line.

    Args:
        canvas: where.
        text: one line.
        x: its left, middle or right, by `align`; canvas units.
        y: top of the letters, canvas units.
        height: letter size (em), canvas units; made smaller to respect `max_width`.
        ink: color and weight.
        face: name of a face in `rendering.fonts`; Chinese text falls back to a Chinese face.
        kind: what the text says.
        align: left, center or right.
        max_width: canvas units.

    Returns:
        Bottom of the line and its width, canvas units.
    """
    if is_chinese(text) and not face.startswith("zh"):
        face = "zh-serif" if "serif" in face or face == "slab" else "zh-sans"
    pixels = max(2, round(height * canvas.scale))
    stroke = round(ink.weight * pixels)
    typeface = font(face, pixels)
    box = typeface.getbbox(text, stroke_width=stroke)
    if max_width is not None and (box[2] - box[0]) > max_width * canvas.scale:
        pixels = max(2, int(pixels * max_width * canvas.scale / (box[2] - box[0])))
        stroke = round(ink.weight * pixels)
        typeface = font(face, pixels)
        box = typeface.getbbox(text, stroke_width=stroke)
    width, letter = int(np.ceil(box[2] - box[0])), int(np.ceil(box[3] - box[1]))
    left = x * canvas.scale - {"left": 0.0, "center": width / 2, "right": width}[align]
    top = y * canvas.scale
    column, row = round(left), round(top)
    bottom, units_wide = (row + letter) / canvas.scale, width / canvas.scale
    if width < 1 or letter < 1:
        return bottom, units_wide
    if pixels < LEGIBLE_PIXELS:
        if canvas.text_enabled:
            _lay(canvas, np.full((max(1, letter // 2), width), 120, np.uint8), column, row, ink)
        return bottom, units_wide
    if canvas.text_enabled:
        image = Image.new("L", (width, letter))
        ImageDraw.Draw(image).text((-box[0], -box[1]), text, font=typeface, fill=255, stroke_width=stroke)
        _lay(canvas, np.asarray(image), column, row, ink)
    quad = np.array(
        [[column, row], [column + width, row], [column + width, row + letter], [column, row + letter]], np.float64
    )
    language: Language = "zh" if is_chinese(text) else "en"
    canvas.texts.append(TextLine(text, language, kind, quad / canvas.scale))
    return bottom, units_wide


def _lay(canvas: Canvas, mask: Array, column: int, row: int, ink: Ink) -> None:
    height, width = mask.shape
    x0, y0 = max(column, 0), max(row, 0)
    x1, y1 = min(column + width, canvas.width), min(row + height, canvas.height)
    if x1 <= x0 or y1 <= y0:
        return
    cover = mask[y0 - row : y1 - row, x0 - column : x1 - column].astype(np.float32) / 255 * ink.opacity
    rows, columns = slice(y0, y1), slice(x0, x1)
    # Ink never reaches beyond what it is printed on.
    cover *= canvas.alpha[rows, columns]
    target = canvas.rgb[rows, columns]
    target += (np.array(ink.rgb, np.float32) * canvas.alpha[rows, columns][..., None] - target) * cover[..., None]
    if ink.label != NO_COLOR:
        canvas.label[rows, columns][cover > 0.5] = ink.label


def paragraph(
    canvas: Canvas, lines: list[str], x: float, y: float, height: float, ink: Ink, face: str, max_width: float
) -> float:
    """Write lines one below the other, left-aligned; returns the bottom in canvas units."""
    for line in lines:
        write(canvas, line, x, y, height, ink, face, "other", "left", max_width)
        y += height * 1.35
    return y


def patch_of(canvas: Canvas) -> Patch:
    """A patch that covers the whole canvas."""
    return Patch(0, 0, np.ones((canvas.height, canvas.width), np.float32))
