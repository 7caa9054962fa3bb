"""One product to draw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rendering.fabric import Colors, Fabric
from rendering.seeds import generator
from rendering.truth import Pattern
from rendering.weaves import WEAVES, Weave

TILE_TEXELS = 288
"""Side of a cloth tile, the same in every view, so that the same cloth shows the same pattern."""


@dataclass(frozen=True)
class Product:
    """Everything that fixes how a product looks and what the feed says of it.

    Args:
        product_id: the shop's identifier.
        seed: source of all that is random about it.
        kind: product type as the renderer calls it.
        category: taxonomy path.
        colors: palette names, main color first.
        pattern: pattern of its surface.
        brand: Latin brand.
        brand_zh: Chinese brand.
        name_en: English name.
        name_zh: Chinese name.
        variant: what flavor or model of the kind it is.
        net_content: English net content, "" where there is none.
        net_content_zh: Chinese net content.
        price: in the shop's currency.
        barcode: EAN-13.
    """

    product_id: str
    seed: int
    kind: str
    category: str
    colors: tuple[str, ...]
    pattern: Pattern
    brand: str
    brand_zh: str
    name_en: str
    name_zh: str
    variant: str
    net_content: str
    net_content_zh: str
    price: float
    barcode: str

    def rng(self, *names: str | int) -> np.random.Generator:
        """Generator for one purpose."""
        return generator(self.seed, *names)

    @property
    def tones(self) -> Colors:
        """Palette names with this product's own tones."""
        return Colors.of(self.colors, self.seed)

    def cloth(self, weave: Weave | None = None, colors: Colors | None = None) -> Fabric:
        """The product's cloth: by its pattern, or of a given weave."""
        chosen = weave or WEAVES[self.pattern]
        return chosen(colors or self.tones, self.rng("cloth", chosen.__name__), TILE_TEXELS)

    def plain(self, position: int = 0, weave: Weave | None = None) -> Fabric:
        """Cloth of a single one of its colors."""
        tones = self.tones
        name, rgb = tones.other(position)
        return self.cloth(weave or WEAVES["solid"], Colors((name,), (rgb,)))
