# ruff: noqa: E501 - the table of cuts reads best with one row per line
"""The cuts of garments for the upper body: measures by kind, varied per product."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from rendering.product import Product
from rendering.seeds import between, chance, pick

Array = NDArray[Any]


Neck = Literal["crew", "v", "scoop", "collar", "high", "hood", "lapel", "strap"]


Front = Literal["none", "placket", "buttons", "zip", "wrap"]


@dataclass(frozen=True)
class Cut:
    """Measures of a garment, canvas units; x from the middle line, y from the top."""

    neck: Neck = "crew"
    top: float = 150
    neck_width: float = 85
    neck_depth: float = 70
    shoulder: float = 215
    slope: float = 45
    chest: float = 205
    armpit: float = 370
    waist: float = 200
    waist_y: float = 600
    hem: float = 205
    hem_y: float = 860
    sleeve: float = 190
    spread: float = 38
    cuff: float = 120
    front: Front = "none"
    rib: float = 0
    cuff_rib: float = 0
    pockets: Literal["none", "chest", "kangaroo", "welt", "flap"] = "none"
    flare: float = 0

    @property
    def shoulder_y(self) -> float:
        """Height of the shoulder tip."""
        return self.top + self.slope


def cut_for(product: Product) -> Cut:
    """The cut of a kind, with this product's own proportions."""
    rng = product.rng("cut")
    base = _CUTS[product.kind]
    stretch = between(rng, 0.93, 1.07)
    cut = replace(
        base,
        neck_width=base.neck_width * between(rng, 0.9, 1.12),
        neck_depth=base.neck_depth * between(rng, 0.85, 1.2),
        shoulder=base.shoulder * stretch,
        chest=base.chest * stretch * between(rng, 0.97, 1.04),
        waist=base.waist * stretch * between(rng, 0.94, 1.04),
        hem=base.hem * stretch * between(rng, 0.95, 1.06),
        hem_y=base.hem_y + between(rng, -35, 25),
        sleeve=base.sleeve * between(rng, 0.88, 1.12),
        spread=base.spread + between(rng, -6, 8),
        cuff=base.cuff * between(rng, 0.92, 1.08),
    )
    if product.kind in {"t-shirt", "sweater", "blouse"}:
        cut = replace(
            cut, neck=pick(rng, ("crew", "v", "scoop") if product.kind != "sweater" else ("crew", "v", "high"))
        )
        if cut.neck == "v":
            cut = replace(cut, neck_depth=cut.neck_depth * 1.7)
    if product.kind == "shirt" and chance(rng, 0.35):
        cut = replace(cut, sleeve=185, spread=36, cuff=125)
    if product.kind == "dress":
        cut = _dress_cut(cut, rng)
    if product.kind == "jacket":
        cut = replace(cut, neck=pick(rng, ("high", "collar", "hood")), front=pick(rng, ("zip", "zip", "buttons")))
    return cut


def _dress_cut(cut: Cut, rng: np.random.Generator) -> Cut:
    sleeve = pick(rng, (0.0, 110.0, 300.0), (3, 2, 1))
    style = {
        "neck": pick(rng, ("scoop", "v", "crew", "strap") if sleeve == 0 else ("scoop", "v", "crew")),
        "sleeve": sleeve,
        "flare": between(rng, 60, 190),
        "hem_y": pick(rng, (800.0, 900.0, 955.0)),
        "shoulder": 150.0 if sleeve == 0 else 165.0,
        "front": pick(rng, ("none", "none", "buttons")),
    }
    return replace(cut, **style)  # type: ignore[arg-type]


_CUTS: dict[str, Cut] = {
    "t-shirt": Cut(sleeve=165, spread=40, cuff=135),
    "long-sleeve top": Cut(sleeve=520, spread=17, cuff=72, chest=195, waist=190, hem=198),
    "polo shirt": Cut(neck="collar", neck_width=78, neck_depth=60, sleeve=165, spread=38, cuff=122, front="placket", cuff_rib=20),
    "shirt": Cut(neck="collar", neck_width=74, neck_depth=56, sleeve=530, spread=15, cuff=78, front="buttons", pockets="chest", hem_y=880),
    "blouse": Cut(neck="scoop", neck_width=100, neck_depth=90, shoulder=185, chest=185, waist=175, hem=215, sleeve=330, spread=24, cuff=110, hem_y=800),
    "tank top": Cut(neck="scoop", neck_width=92, neck_depth=130, shoulder=140, slope=22, chest=185, armpit=360, waist=178, hem=188, sleeve=0),
    "sweater": Cut(neck="crew", sleeve=520, spread=18, cuff=88, rib=46, cuff_rib=44, neck_depth=58, hem_y=840),
    "sweatshirt": Cut(neck="hood", neck_width=80, neck_depth=62, sleeve=525, spread=18, cuff=92, rib=44, cuff_rib=40, pockets="kangaroo", chest=215, hem=205, top=200, armpit=420, hem_y=880),
    "jacket": Cut(neck="high", neck_width=78, neck_depth=40, sleeve=530, spread=16, cuff=96, front="zip", rib=0, pockets="welt", chest=222, waist=218, hem=212, armpit=385, hem_y=840, top=165),
    "coat": Cut(neck="lapel", neck_width=70, neck_depth=250, sleeve=560, spread=12, cuff=104, front="buttons", pockets="flap", chest=205, waist=200, hem=240, armpit=330, waist_y=520, hem_y=950, top=85, shoulder=205),
    "blazer": Cut(neck="lapel", neck_width=68, neck_depth=290, sleeve=560, spread=12, cuff=92, front="buttons", pockets="flap", chest=205, waist=182, hem=215, armpit=350, waist_y=580, hem_y=840, top=110, shoulder=212),
    "vest": Cut(neck="high", neck_width=78, neck_depth=40, shoulder=175, slope=40, sleeve=0, chest=205, waist=202, hem=200, front="zip", pockets="welt", hem_y=830),
    "dress": Cut(neck="scoop", top=70, neck_width=82, neck_depth=90, shoulder=165, slope=32, chest=152, armpit=255, waist=118, waist_y=430, hem=220, hem_y=920, sleeve=0, spread=30, cuff=105, flare=120),
}  # fmt: skip


def neck_curve(cut: Cut, depth: float) -> list[tuple[float, float]]:
    """From the left to the right neck point along the neckline."""
    width, top = cut.neck_width, cut.top
    if cut.neck == "v" and depth > 40:
        half = [(500 + width, top), (500 + width * 0.56, top + depth * 0.46), (500 + 4, top + depth)]
    elif cut.neck == "lapel" and depth > 60:
        half = [(500 + width, top), (500 + width * 0.75, top + depth * 0.35), (500 + 6, top + depth)]
    else:
        half = [
            (500 + width, top),
            (500 + width * 0.86, top + depth * 0.55),
            (500 + width * 0.45, top + depth * 0.94),
            (500.0, top + depth),
        ]
    left = [(1000 - x, y) for x, y in half if x != 500.0]
    return [*left, *half[::-1]]
