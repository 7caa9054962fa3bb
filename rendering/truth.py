"""What is known about a drawn picture, exactly, because the same code drew it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Box = tuple[float, float, float, float]
Language = Literal["en", "zh"]
TextKind = Literal["brand", "name", "net_content", "price", "barcode", "other"]
Pattern = Literal["solid", "striped", "checked", "dotted", "printed", "textured"]

PATTERNS: tuple[Pattern, ...] = ("solid", "striped", "checked", "dotted", "printed", "textured")


@dataclass(frozen=True)
class TextLine:
    """One line of text in a picture.

    Args:
        text: the characters, as drawn.
        language: en or zh.
        kind: what the text says.
        quad: (4, 2) corners, clockwise from the top left as the text reads, pixels.
        visible: share of the quadrilateral that lies inside the picture and in front, 0..1.
        legible: whether its letters are large enough to be read.
    """

    text: str
    language: Language
    kind: TextKind
    quad: Array
    visible: float = 1.0
    legible: bool = True

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "text": self.text,
            "language": self.language,
            "kind": self.kind,
            "quad": [[round(float(x), 1), round(float(y), 1)] for x, y in self.quad],
            "visible": round(self.visible, 3),
            "legible": self.legible,
        }


@dataclass(frozen=True)
class ImageTruth:
    """Everything true of one picture.

    Args:
        product_id: product shown.
        view: position among the product's pictures, from 0.
        view_name: front, back, detail, ...
        kind: product type as the renderer calls it.
        category: taxonomy path.
        colors: palette names with their share of the visible product, largest first; shares sum to 1.
        pattern: one of `PATTERNS`.
        shape: contour class of the visible product; None when the picture's edge cuts it.
        box: product's bounding box, pixels, right and bottom exclusive.
        tag_boxes: boxes of labels and price tags.
        texts: text lines.
        background: kind of background.
        width: pixels.
        height: pixels.
    """

    product_id: str
    view: int
    view_name: str
    kind: str
    category: str
    colors: tuple[tuple[str, float], ...]
    pattern: Pattern
    shape: str | None
    box: Box
    tag_boxes: tuple[Box, ...]
    texts: tuple[TextLine, ...]
    background: str
    width: int
    height: int

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "product_id": self.product_id,
            "view": self.view,
            "view_name": self.view_name,
            "kind": self.kind,
            "category": self.category,
            "colors": [{"name": name, "share": round(share, 4)} for name, share in self.colors],
            "pattern": self.pattern,
            "shape": self.shape,
            "box": [round(value, 1) for value in self.box],
            "tag_boxes": [[round(value, 1) for value in box] for box in self.tag_boxes],
            "texts": [line.as_dict() for line in self.texts],
            "background": self.background,
            "width": self.width,
            "height": self.height,
        }


@dataclass(frozen=True)
class RenderedImage:
    """A picture with its truth.

    Args:
        pixels: (height, width, 3) uint8 RGB, or 4 with transparency, before encoding.
        mask: (height, width) bool, the visible product.
        data: the encoded file.
        extension: file name extension that fits `data`.
        truth: what is in it.
    """

    pixels: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    data: bytes
    extension: str
    truth: ImageTruth


def box_of(mask: NDArray[np.bool_]) -> Box:
    """Bounding box of a mask, right and bottom exclusive.

    Raises:
        ValueError: the mask is empty.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        raise ValueError("the mask is empty: the product lies outside the picture")
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)
