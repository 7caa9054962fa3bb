"""Printed fronts and backs of packages: brand, name, net content, picture, ingredients, barcode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendering.barcode import draw_barcode
from rendering.canvas import Canvas, Flat
from rendering.fonts import DISPLAY_FACES
from rendering.goods import Good, good_of
from rendering.icons import draw_icon
from rendering.outlines import ellipse, outline, rectangle
from rendering.paints import own_paint
from rendering.palette_choice import base_rgb, index_of, ink_on, lightness
from rendering.product import Product
from rendering.seeds import chance, pick
from rendering.solids import blank
from rendering.text import Ink, write

Array = NDArray[Any]


@dataclass(frozen=True)
class _Design:
    """Choices that every face of one package shares."""

    ground: str
    accent: str
    third: str
    face: str
    small_face: str
    layout: str
    chinese_first: bool

    @property
    def ink(self) -> Ink:
        return Ink.of(ink_on(self.ground))

    @property
    def accent_ink(self) -> Ink:
        return Ink.of(ink_on(self.accent))


def _design(product: Product) -> _Design:
    rng = product.rng("design")
    ground, accent, third = product.colors[:3]
    return _Design(
        ground, accent, third, pick(rng, DISPLAY_FACES), pick(rng, ("sans", "plain")),
        pick(rng, ("band", "badge", "diagonal", "minimal", "panel")), chance(rng, 0.5),
    )  # fmt: skip


def front(canvas: Canvas, product: Product) -> None:
    """Print the front of a package over the whole canvas, 1000 units wide and as high as it is."""
    good = good_of(product.kind, product.variant)
    design = _design(product)
    high = canvas.height / canvas.scale
    canvas.fill(rectangle(-2, -2, 1002, high + 2), own_paint(product))
    layouts = {"band": _band, "badge": _badge, "diagonal": _diagonal, "minimal": _minimal, "panel": _panel}
    layout = _landscape if high < 820 else layouts[design.layout]
    layout(canvas, product, good, design, high)


def _names(
    canvas: Canvas, product: Product, design: _Design, y: float, size: float, ink: Ink, wide: float = 880.0
) -> float:
    """Both names, the larger first; returns the bottom."""
    first, second = (product.name_zh, product.name_en) if design.chinese_first else (product.name_en, product.name_zh)
    heavy = Ink(ink.rgb, ink.label, 0.025 if design.chinese_first else 0.0)
    bottom, _ = write(canvas, first, 500, y, size, heavy, design.face, "name", max_width=wide)
    bottom, _ = write(
        canvas, second, 500, bottom + size * 0.28, size * 0.5, ink, design.small_face, "name", max_width=wide * 0.85
    )
    return bottom


def _brand(
    canvas: Canvas, product: Product, design: _Design, y: float, size: float, ink: Ink, wide: float = 820.0
) -> float:
    text = product.brand_zh if design.chinese_first and chance(product.rng("brand"), 0.5) else product.brand
    bottom, _ = write(canvas, text, 500, y, size, Ink(ink.rgb, ink.label, 0.02), design.face, "brand", max_width=wide)
    return bottom


def _net(
    canvas: Canvas, product: Product, y: float, size: float, ink: Ink, x: float = 500.0, align: str = "center"
) -> None:
    if product.net_content:
        both = chance(product.rng("net"), 0.6)
        text = product.net_content_zh if chance(product.rng("net language"), 0.5) else product.net_content
        bottom, _ = write(canvas, text, x, y, size, ink, "sans", "net_content", align, max_width=760)
        if both and text != product.net_content and y + size * 2.2 < canvas.height / canvas.scale:
            write(
                canvas,
                product.net_content,
                x,
                bottom + size * 0.25,
                size * 0.8,
                ink,
                "sans",
                "net_content",
                align,
                max_width=500,
            )


def _band(canvas: Canvas, product: Product, good: Good, design: _Design, high: float) -> None:
    split = high * 0.34
    accent = Flat(base_rgb(design.accent), index_of(design.accent))
    canvas.fill(rectangle(-2, -2, 1002, split), accent)
    canvas.fill(rectangle(-2, split, 1002, split + high * 0.018), Flat(base_rgb(design.third), index_of(design.third)))
    _brand(canvas, product, design, high * 0.09, min(170, high * 0.14), design.accent_ink)
    bottom = _names(canvas, product, design, high * 0.4, min(150, high * 0.11), design.ink)
    radius = min(190.0, max((high * 0.9 - bottom) * 0.42, 40))
    draw_icon(canvas, good.icon, 500, min(bottom + radius * 1.25, high * 0.76), radius, product.rng("icon"))
    _net(canvas, product, high * 0.92 - 40, 62, design.ink)


def _badge(canvas: Canvas, product: Product, good: Good, design: _Design, high: float) -> None:
    radius = min(430.0, high * 0.26)
    middle = high * 0.34
    accent = Flat(base_rgb(design.accent), index_of(design.accent))
    canvas.fill(ellipse(500, middle, min(radius * 1.12, 470), radius), accent)
    rim = [
        ellipse(500, middle, min(radius * 1.06, 450), radius * 0.94),
        ellipse(500, middle, min(radius * 1.03, 440), radius * 0.91),
    ]
    canvas.fill(rim, Flat(base_rgb(design.third), index_of(design.third)))
    _brand(canvas, product, design, middle - radius * 0.6, radius * 0.36, design.accent_ink, radius * 1.5)
    write(
        canvas,
        product.name_zh,
        500,
        middle + radius * 0.05,
        radius * 0.3,
        design.accent_ink,
        "zh-serif",
        "name",
        max_width=radius * 1.5,
    )
    write(
        canvas,
        product.name_en,
        500,
        middle + radius * 0.5,
        radius * 0.17,
        design.accent_ink,
        design.small_face,
        "name",
        max_width=radius * 1.2,
    )
    size = min(170.0, high * 0.13)
    draw_icon(canvas, good.icon, 500, high * 0.74, size, product.rng("icon"))
    _net(canvas, product, high * 0.92 - 40, 60, design.ink)


def _diagonal(canvas: Canvas, product: Product, good: Good, design: _Design, high: float) -> None:
    accent = Flat(base_rgb(design.accent), index_of(design.accent))
    canvas.fill(outline([(-5, high * 0.5, 1), (1005, high * 0.36, 1), (1005, high + 5, 1), (-5, high + 5, 1)]), accent)
    canvas.fill(
        outline([(-5, high * 0.5, 1), (1005, high * 0.36, 1), (1005, high * 0.39, 1), (-5, high * 0.54, 1)]),
        Flat(base_rgb(design.third), index_of(design.third)),
    )
    _brand(canvas, product, design, high * 0.06, min(150, high * 0.1), design.ink)
    _names(canvas, product, design, high * 0.2, min(165, high * 0.1), design.ink)
    radius = min(260.0, high * 0.17)
    draw_icon(canvas, good.icon, 500, high * 0.66, radius, product.rng("icon"))
    _net(canvas, product, high * 0.92 - 40, 64, design.accent_ink)


def _minimal(canvas: Canvas, product: Product, good: Good, design: _Design, high: float) -> None:
    contrast = abs(lightness(design.accent) - lightness(design.ground))
    readable = design.accent if contrast > 38 else ink_on(design.ground)
    ink = Ink.of(readable)
    canvas.fill(
        [rectangle(60, high * 0.06, 940, high * 0.94), rectangle(68, high * 0.06 + 8, 932, high * 0.94 - 8)],
        Flat(ink.rgb, ink.label),
    )
    _brand(canvas, product, design, high * 0.12, min(110, high * 0.08), ink, 700)
    draw_icon(canvas, good.icon, 500, high * 0.38, min(190.0, high * 0.15), product.rng("icon"))
    _names(canvas, product, design, high * 0.58, min(130, high * 0.09), ink, 780)
    _net(canvas, product, high * 0.88 - 40, 56, ink)


def _panel(canvas: Canvas, product: Product, good: Good, design: _Design, high: float) -> None:
    radius = min(300.0, high * 0.2)
    draw_icon(canvas, good.icon, 500, high * 0.72, radius, product.rng("icon"))
    canvas.fill(rectangle(70, high * 0.16, 930, high * 0.5, 50), Flat(base_rgb(design.accent), index_of(design.accent)))
    _brand(canvas, product, design, high * 0.045, min(120, high * 0.08), design.ink)
    _names(canvas, product, design, high * 0.22, min(150, high * 0.1), design.accent_ink, 760)
    _net(canvas, product, high * 0.93 - 36, 58, design.ink, 930, "right")


def _landscape(canvas: Canvas, product: Product, good: Good, design: _Design, high: float) -> None:
    """For faces wider than high: picture on the left, words on the right."""
    radius = min(210.0, high * 0.3)
    canvas.fill(rectangle(-2, -2, 400, high + 2), Flat(base_rgb(design.accent), index_of(design.accent)))
    canvas.fill(rectangle(400, -2, 412, high + 2), Flat(base_rgb(design.third), index_of(design.third)))
    draw_icon(canvas, good.icon, 200, high * 0.5, min(radius, 165), product.rng("icon"))
    first, second = (product.name_zh, product.name_en) if design.chinese_first else (product.name_en, product.name_zh)
    bottom, _ = write(
        canvas, product.brand, 705, high * 0.12, high * 0.14, design.ink, design.face, "brand", max_width=520
    )
    bottom, _ = write(
        canvas, first, 705, bottom + high * 0.09, high * 0.19, design.ink, design.face, "name", max_width=540
    )
    bottom, _ = write(
        canvas, second, 705, bottom + high * 0.06, high * 0.11, design.ink, design.small_face, "name", max_width=520
    )
    write(
        canvas,
        product.net_content,
        705,
        min(bottom + high * 0.1, high * 0.86),
        high * 0.09,
        design.ink,
        "sans",
        "net_content",
        max_width=420,
    )


def back(canvas: Canvas, product: Product) -> None:
    """Print the back or the side: ingredients, nutrition, barcode."""
    good = good_of(product.kind, product.variant)
    design = _design(product)
    high = canvas.height / canvas.scale
    canvas.fill(rectangle(-2, -2, 1002, high + 2), own_paint(product))
    _brand(canvas, product, design, high * 0.05, min(100, high * 0.07), design.ink)
    panel = (60.0, high * 0.15, 940.0, high * 0.94)
    canvas.fill(rectangle(*panel, 24), Flat(base_rgb("white"), index_of("white")))
    ink = Ink.of("black")
    y = panel[1] + high * 0.03
    size = min(64.0, high * 0.046)
    bottom, _ = write(
        canvas, product.name_zh, 100, y, size * 1.15, Ink(ink.rgb, ink.label, 0.025), "zh-sans", "name", "left", 800
    )
    for text in (
        f"配料：{good.ingredients[1]}",
        f"Ingredients: {good.ingredients[0]}",
        product.net_content_zh,
        "保质期：12个月",
        "Best before: see lid",
    ):
        kind = "net_content" if text == product.net_content_zh else "other"
        bottom, _ = write(canvas, text, 100, bottom + size * 0.45, size * 0.8, ink, "sans", kind, "left", 800)  # type: ignore[arg-type]
    _nutrition(canvas, 100, bottom + size * 0.6, 800, size * 0.8, product.rng("nutrition"))
    height = min(260.0, high * 0.2)
    draw_barcode(canvas, product.barcode, 190, panel[3] - height - high * 0.015, 620, height)


def _nutrition(canvas: Canvas, x: float, y: float, width: float, size: float, rng: np.random.Generator) -> None:
    if y + size * 7.5 > canvas.height / canvas.scale * 0.7:
        return
    ink = Ink.of("black")
    for name, low, high, unit in (
        ("能量 Energy", 120, 2100, "kJ"),
        ("蛋白质 Protein", 0, 21, "g"),
        ("脂肪 Fat", 0, 32, "g"),
        ("钠 Sodium", 5, 700, "mg"),
    ):
        canvas.tint(rectangle(x, y, x + width, y + 4), opacity=0.7)
        write(canvas, name, x, y + size * 0.35, size * 0.72, ink, "zh-sans", "other", "left", width * 0.55)
        write(
            canvas,
            f"{int(rng.integers(low, high))} {unit}",
            x + width,
            y + size * 0.35,
            size * 0.72,
            ink,
            "sans",
            "other",
            "right",
        )
        y += size * 1.4


def plate(canvas: Canvas, product: Product) -> None:
    """A small plate for a flacon: brand, name, net content."""
    design = _design(product)
    high = canvas.height / canvas.scale
    canvas.fill(rectangle(4, 4, 996, high - 4), Flat(base_rgb("off white"), index_of("off white")))
    canvas.tint([rectangle(40, 30, 960, high - 30), rectangle(50, 40, 950, high - 40)], opacity=0.6)
    ink = Ink.of("black")
    _brand(canvas, product, design, high * 0.14, high * 0.26, ink, 780)
    write(canvas, product.name_en, 500, high * 0.5, high * 0.13, ink, design.small_face, "name", max_width=760)
    _net(canvas, product, high * 0.72, high * 0.11, ink)


def flat_print(canvas: Canvas, product: Product, face: str, width: float, height: float) -> Canvas:
    """The front or back print for a face of so many canvas units, at the canvas's resolution."""
    art = blank(width, height, width * canvas.scale * 1.25, canvas)
    (back if face == "back" else front)(art, product)
    return art
