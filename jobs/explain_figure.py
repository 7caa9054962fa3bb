"""Draws explanations as pictures: where the product is, where text was read, where the evidence for a label lies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, ImageOps

from jobs.report_text import hex_color, words
from models.model_input import Pixels
from udfs.explain import PictureExplanation, Statement
from udfs.heat_map import HeatMap

SIDE = 720
"""Long side (px) of pictures on the page."""

PANEL = 360
"""Side (px) of a panel of the figure."""

BOX_COLORS = {"product": "#0f8f86", "tag": "#c9702b", "text": "#7a5bd0"}
"""Colors of the detector's boxes."""

OUTLINE = "#ffffff"

_COLUMNS = 4
_CAPTION = 44
_GAP = 12
# Cold places stay as they are; the hottest hide two thirds of what is under them.
_MOST_OPACITY = 0.68
_FROM = 0.08


def picture_image(explained: PictureExplanation, side: int = SIDE) -> Image.Image:
    """The picture as the models see it, at no more than `side` px."""
    image = Image.fromarray(explained.picture.pixels)
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    return image


def heat_image(explained: PictureExplanation, heat: HeatMap, side: int = SIDE) -> Image.Image:
    """The heat alone, to lay over `picture_image` of the same side: RGBA, clear where there is none."""
    height, width = explained.picture.pixels.shape[:2]
    spread = heat.on_picture(height, width)
    scale = min(1.0, side / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    spread = np.clip(cv2.resize(spread, size, interpolation=cv2.INTER_AREA), 0, 1)
    colors = cv2.applyColorMap((spread * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1]
    opacity = np.clip((spread - _FROM) / (1 - _FROM), 0, 1) ** 0.6 * _MOST_OPACITY
    return Image.fromarray(np.dstack([colors, (opacity * 255).astype(np.uint8)]))


def overlaid(explained: PictureExplanation, heat: HeatMap, side: int = SIDE) -> Image.Image:
    """The heat over the picture, which is shown in gray so that colors are the heat's."""
    ground = picture_image(explained, side).convert("L").convert("RGBA")
    layer = heat_image(explained, heat, side)
    if layer.size != ground.size:
        layer = layer.resize(ground.size)
    return Image.alpha_composite(ground, layer).convert("RGB")


def marked(explained: PictureExplanation, side: int = SIDE) -> Image.Image:
    """The picture with the product's outline, the detector's boxes and the lines of text that were read."""
    image = picture_image(explained, side)
    scale_x, scale_y = image.width / explained.picture.width_px, image.height / explained.picture.height_px
    draw = ImageDraw.Draw(image)
    for contour in product_outline(explained):
        points = [(x * image.width, y * image.height) for x, y in contour]
        draw.line([*points, points[0]], fill="#000000", width=3, joint="curve")
        draw.line([*points, points[0]], fill=OUTLINE, width=1)
    for found in explained.columns.get("detections") or []:
        box = found["box"]
        edges = (box["x_min"] * scale_x, box["y_min"] * scale_y, box["x_max"] * scale_x, box["y_max"] * scale_y)
        draw.rectangle(edges, outline=BOX_COLORS.get(found["label"], "#888888"), width=2)
    for line in explained.columns.get("text_lines") or []:
        corners = list(zip(line["quad"][::2], line["quad"][1::2], strict=True))
        draw.polygon([(x * scale_x, y * scale_y) for x, y in corners], outline="#d02f7a", width=2)
    return image


def product_outline(explained: PictureExplanation) -> list[list[tuple[float, float]]]:
    """Contours of the product's mask as shares of the picture's width and height, the larger ones."""
    mask = explained.mask.astype(np.uint8)
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    least = 0.002 * mask.size
    kept = [cv2.approxPolyDP(contour, 0.8, True) for contour in contours if cv2.contourArea(contour) >= least]
    height, width = mask.shape
    return [
        [((x + 0.5) / width, (y + 0.5) / height) for x, y in contour[:, 0].tolist()]
        for contour in kept
        if len(contour) > 2
    ]


def explain_figure(explained: PictureExplanation, panel: int = PANEL) -> Image.Image:
    """One picture of the whole explanation, as a notebook cell or a PNG shows it.

    First the marked picture, then the heat of each attribute with its value, and the palette below.
    """
    marks = (
        []
        if explained.attribute not in {None, "text"}
        else [_panel(marked(explained), "Product, tags, text", "", panel)]
    )
    heats = [
        _panel(overlaid(explained, one.heat), f"{words(one.attribute)}: {value_words(one)}", _under(one), panel)
        for one in explained.statements
    ]
    panels = [*marks, *heats]
    if explained.attribute in {None, "color"}:
        panels.append(
            _panel(_palette(explained.columns.get("colors") or [], panel), "Colors of the product", "", panel)
        )
    return _grid(panels)


def value_words(said: Statement) -> str:
    """A value to show: the last part of a path, "of" nothing else."""
    return words(said.value.rpartition("/")[2])


def _under(said: Statement) -> str:
    sure = "" if said.is_stated else " (a guess)"
    return f"{said.confidence:.0%}{sure}; {said.inside:.0%} of the heat on the product"


def _palette(colors: Sequence[dict[str, Any]], panel: int) -> Image.Image:
    image = Image.new("RGB", (panel, panel), "#f2efe9")
    draw = ImageDraw.Draw(image)
    top = 0.0
    font = ImageFont.load_default(15)
    for color in colors:
        bottom = top + color["share"] * panel
        fill = hex_color(color["hex"])
        draw.rectangle((0, top, panel, bottom), fill=fill)
        luma = sum(weight * int(fill[at : at + 2], 16) for weight, at in ((0.3, 1), (0.59, 3), (0.11, 5)))
        if bottom - top >= 18:
            ink = "#ffffff" if luma < 140 else "#000000"
            draw.text((10, (top + bottom) / 2), f"{color['name']}  {color['share']:.0%}", ink, font, anchor="lm")
        top = bottom
    return image


def _panel(content: Image.Image, title: str, note: str, side: int) -> Image.Image:
    image = Image.new("RGB", (side, side + _CAPTION), "#ffffff")
    content = ImageOps.contain(content, (side, side), Image.Resampling.LANCZOS)
    image.paste(content, ((side - content.width) // 2, (side - content.height) // 2))
    draw = ImageDraw.Draw(image)
    draw.text((2, side + 4), title, "#211f1b", ImageFont.load_default(16))
    draw.text((2, side + 24), note, "#68625a", ImageFont.load_default(13))
    return image


def _grid(panels: Sequence[Image.Image]) -> Image.Image:
    across = min(_COLUMNS, len(panels)) or 1
    down = -(-len(panels) // across)
    width, height = panels[0].size if panels else (1, 1)
    sheet = Image.new("RGB", (across * (width + _GAP) + _GAP, down * (height + _GAP) + _GAP), "#ffffff")
    for number, panel in enumerate(panels):
        row, column = divmod(number, across)
        sheet.paste(panel, (_GAP + column * (width + _GAP), _GAP + row * (height + _GAP)))
    return sheet


def as_array(image: Image.Image) -> Pixels:
    """(H, W, 3) uint8 RGB, for libraries that draw arrays."""
    pixels: NDArray[np.uint8] = np.asarray(image.convert("RGB"))
    return pixels
