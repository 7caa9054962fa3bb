"""Colors of a product: palette names that go well together, and the sRGB values they are drawn with."""

from __future__ import annotations

import functools

import numpy as np

from rendering.seeds import pick
from schemas.cielab import lab_to_rgb, rgb_to_lab
from schemas.palette import PALETTE, name_lab

NAMES: tuple[str, ...] = tuple(color.name for color in PALETTE)
"""Palette names; label maps hold positions in this tuple."""

NO_COLOR = 255
"""Value in label maps where no product color lies."""

Rgb = tuple[float, float, float]

NEUTRALS = ("black", "charcoal", "gray", "light gray", "white", "off white", "beige", "navy blue")
APPAREL = (
    *NEUTRALS, "khaki", "brown", "olive", "denim blue", "light blue", "blue", "red", "maroon", "burgundy", "pink",
    "light pink", "dusty pink", "mustard", "yellow", "green", "dark green", "sage green", "teal", "purple", "lavender",
    "orange", "coral", "rust", "mint", "royal blue", "sky blue", "turquoise", "plum", "cream", "peach", "magenta",
)  # fmt: skip
LEATHER = ("black", "coffee", "brown", "tan", "burgundy", "navy blue", "beige", "white", "red", "taupe", "dark green")
WOOD = ("brown", "tan", "coffee", "beige")
PACKAGING = (
    "red", "white", "green", "blue", "yellow", "orange", "royal blue", "sky blue", "dark green", "purple", "pink",
    "cream", "turquoise", "brown", "black", "hot pink", "teal", "lime green", "maroon", "navy blue", "gold", "mint",
)  # fmt: skip
HOME = (
    "white", "off white", "gray", "charcoal", "beige", "navy blue", "teal", "mustard", "sage green", "dark green",
    "dusty pink", "rust", "light blue", "black", "cream", "blue", "red", "yellow", "turquoise", "taupe",
)  # fmt: skip


def index_of(name: str) -> int:
    """Position of a palette name in `NAMES`."""
    return NAMES.index(name)


@functools.cache
def base_rgb(name: str) -> Rgb:
    """SRGB of a palette name, 0..1."""
    red, green, blue = PALETTE[index_of(name)].rgb
    return red / 255, green / 255, blue / 255


def lightness(name: str) -> float:
    """CIELAB lightness of a palette name, 0..100."""
    return PALETTE[index_of(name)].lab[0]


def shade_of(name: str, rng: np.random.Generator) -> Rgb:
    """A product's own tone of a palette color: near it, and still nearest to it; sRGB 0..1."""
    lab = rgb_to_lab(np.array(PALETTE[index_of(name)].rgb, dtype=np.float64))
    own = lab + rng.normal(0, (1.5, 1.5, 1.5))
    rgb = lab_to_rgb(own)
    if NAMES[int(name_lab(rgb_to_lab(rgb))[0])] != name:
        return base_rgb(name)
    return float(rgb[0]) / 255, float(rgb[1]) / 255, float(rgb[2]) / 255


def distance(first: str, second: str) -> float:
    """Euclidean distance of two palette colors in CIELAB."""
    a, b = (np.array(PALETTE[index_of(name)].lab) for name in (first, second))
    return float(np.linalg.norm(a - b))


def partner(rng: np.random.Generator, main: str, pool: tuple[str, ...] = APPAREL, minimum: float = 34.0) -> str:
    """A second color that stands out from `main`; half of the time a neutral one."""
    choices = [name for name in pool if distance(name, main) >= minimum]
    quiet = [name for name in choices if name in NEUTRALS]
    if quiet and rng.random() < 0.5:
        return pick(rng, quiet)
    return pick(rng, choices)


def ink_on(name: str) -> str:
    """Black-ish or white, whichever reads better on a color."""
    return "black" if lightness(name) > 58 else "white"


def dimmed(rgb: Rgb, factor: float) -> Rgb:
    """A darker (factor below 1) or lighter tone."""
    return min(rgb[0] * factor, 1.0), min(rgb[1] * factor, 1.0), min(rgb[2] * factor, 1.0)


def thread_on(name: str, rgb: Rgb) -> Rgb:
    """Thread that shows on leather of a color: lighter on dark, darker on light."""
    lift = 0.27 if ink_on(name) == "white" else -0.27
    red, green, blue = (float(np.clip(value + lift, 0, 1)) for value in rgb)
    return red, green, blue
