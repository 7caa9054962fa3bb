"""The named colors in which Vitrine speaks of products, in English and Chinese, and how a color gets its name.

The palette follows the color words that shops use. Each color belongs to one of the 11 basic color terms of Berlin
and Kay (Basic Color Terms, 1969) or to beige, which shops treat as one. Metals have no color of their own in a
picture: gold, silver, copper and bronze stand here as the colors they look like. The values are how those colors come
out in shop photographs (black cloth is far from #000000 there), calibrated on 3,500 photos of the myntra
catalogue's training and validation splits (docs/models/color.md).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from schemas.cielab import delta_e, rgb_to_lab

FAMILIES: dict[str, str] = {
    "black": "黑色",
    "white": "白色",
    "gray": "灰色",
    "red": "红色",
    "orange": "橙色",
    "yellow": "黄色",
    "green": "绿色",
    "blue": "蓝色",
    "purple": "紫色",
    "pink": "粉色",
    "brown": "棕色",
    "beige": "米色",
}
"""Color families with their Chinese names."""

LUT_LEVELS = 32
"""Levels per channel of the lookup table behind `name_pixels`."""


@dataclass(frozen=True)
class PaletteColor:
    """One named color.

    Args:
        name: English name, lower case, American spelling.
        name_zh: Chinese name.
        hex: sRGB, `#rrggbb`.
        family: key of `FAMILIES`.
        synonyms: other words for it, English (lower case) and Chinese.
    """

    name: str
    name_zh: str
    hex: str
    family: str
    synonyms: tuple[str, ...] = ()

    @property
    def rgb(self) -> tuple[int, int, int]:
        """sRGB, 0..255."""
        return int(self.hex[1:3], 16), int(self.hex[3:5], 16), int(self.hex[5:7], 16)

    @functools.cached_property
    def lab(self) -> tuple[float, float, float]:
        """CIELAB under D65."""
        lightness, a, b = rgb_to_lab(self.rgb)
        return float(lightness), float(a), float(b)


PALETTE: tuple[PaletteColor, ...] = (
    PaletteColor("black", "黑色", "#313133", "black", ("jet black", "onyx", "ebony", "纯黑", "黑")),
    PaletteColor("charcoal", "炭灰色", "#636569", "gray", ("dark gray", "graphite", "anthracite", "深灰色", "深灰")),
    PaletteColor("gray", "灰色", "#909294", "gray", ("gray melange", "melange gray", "slate", "ash", "灰", "麻灰色")),
    PaletteColor("silver", "银色", "#aaaeb2", "gray", ("steel", "stainless steel", "metallic", "chrome", "银", "钢色")),
    PaletteColor("light gray", "浅灰色", "#bfc1c3", "gray", ("pale gray", "浅灰", "银灰色")),
    PaletteColor("white", "白色", "#eeeeee", "white", ("pure white", "snow", "纯白", "白")),
    PaletteColor("off white", "米白色", "#efebe3", "white", ("ivory", "eggshell", "象牙白", "米白", "乳白色")),
    PaletteColor("cream", "奶油色", "#f3e6c3", "beige", ("vanilla", "奶白色", "奶油黄")),
    PaletteColor("beige", "米色", "#dccbae", "beige", ("sand", "ecru", "oatmeal", "杏色", "沙色", "燕麦色")),
    PaletteColor("nude", "裸色", "#e4bea4", "beige", ("skin", "flesh", "肤色", "裸粉色")),
    PaletteColor("khaki", "卡其色", "#b9a883", "beige", ("卡其",)),
    PaletteColor("tan", "驼色", "#c08c5a", "brown", ("camel", "caramel", "焦糖色", "浅棕色")),
    PaletteColor("taupe", "灰褐色", "#786e65", "brown", ("mushroom", "mushroom brown", "大象灰", "灰棕色")),
    PaletteColor("brown", "棕色", "#633c22", "brown", ("chestnut", "褐色", "棕", "咖色", "栗色")),
    PaletteColor(
        "coffee",
        "咖啡色",
        "#43332d",
        "brown",
        ("coffee brown", "dark brown", "chocolate", "espresso", "深棕色", "巧克力色"),
    ),
    PaletteColor("rust", "铁锈色", "#98482a", "brown", ("terracotta", "brick", "锈红色", "砖红色")),
    PaletteColor("copper", "铜色", "#ab6f53", "brown", ("rose gold", "玫瑰金", "古铜色")),
    PaletteColor("bronze", "青铜色", "#83643a", "brown", ("antique gold", "青铜")),
    PaletteColor("gold", "金色", "#c8a350", "yellow", ("golden", "金", "香槟金")),
    PaletteColor("mustard", "芥末黄", "#cf981c", "yellow", ("mustard yellow", "ochre", "姜黄色", "芥黄色")),
    PaletteColor("yellow", "黄色", "#f5d530", "yellow", ("lemon", "lemon yellow", "柠檬黄", "黄", "明黄色")),
    PaletteColor("light yellow", "浅黄色", "#f7ed9f", "yellow", ("pale yellow", "pastel yellow", "鹅黄色", "浅黄")),
    PaletteColor("lime green", "青柠色", "#9fc93c", "green", ("lime", "apple green", "苹果绿", "黄绿色", "草绿色")),
    PaletteColor(
        "fluorescent green", "荧光绿", "#b9fb2c", "green", ("neon green", "neon yellow", "fluorescent yellow", "荧光黄")
    ),
    PaletteColor(
        "olive", "橄榄绿", "#66673f", "green", ("olive green", "army green", "military green", "军绿色", "橄榄色")
    ),
    PaletteColor("green", "绿色", "#2c8f47", "green", ("emerald", "kelly green", "翠绿色", "绿")),
    PaletteColor(
        "dark green", "墨绿色", "#1a3f2a", "green", ("bottle green", "forest green", "hunter green", "深绿色", "森林绿")
    ),
    PaletteColor(
        "light green", "浅绿色", "#a3d39c", "green", ("pale green", "pistachio", "pastel green", "浅绿", "豆绿色")
    ),
    PaletteColor("sage green", "鼠尾草绿", "#99a992", "green", ("sage", "gray green", "灰绿色", "豆沙绿")),
    PaletteColor("mint", "薄荷绿", "#c0e8d5", "green", ("mint green", "薄荷色")),
    PaletteColor("sea green", "海绿色", "#3da288", "green", ("seafoam", "jade", "碧绿色", "玉绿色")),
    PaletteColor("teal", "蓝绿色", "#14757c", "blue", ("peacock blue", "petrol", "孔雀蓝", "孔雀绿", "鸭绿色")),
    PaletteColor("turquoise", "绿松石色", "#36c1c6", "blue", ("turquoise blue", "aqua", "cyan", "湖蓝色", "青色")),
    PaletteColor(
        "light blue", "浅蓝色", "#a0c2de", "blue", ("baby blue", "powder blue", "pale blue", "浅蓝", "粉蓝色")
    ),
    PaletteColor("sky blue", "天蓝色", "#62b2ea", "blue", ("azure", "天空蓝", "天蓝")),
    PaletteColor("blue", "蓝色", "#4769aa", "blue", ("cobalt", "cobalt blue", "medium blue", "蓝")),
    PaletteColor("royal blue", "宝蓝色", "#2639bd", "blue", ("electric blue", "ultramarine", "克莱因蓝", "宝石蓝")),
    PaletteColor(
        "denim blue",
        "牛仔蓝",
        "#687691",
        "blue",
        ("denim", "steel blue", "slate blue", "indigo blue", "雾霾蓝", "灰蓝色"),
    ),
    PaletteColor(
        "navy blue",
        "藏青色",
        "#242b45",
        "blue",
        ("navy", "dark blue", "midnight blue", "indigo", "深蓝色", "藏蓝色", "海军蓝"),
    ),
    PaletteColor("purple", "紫色", "#7a42a3", "purple", ("violet", "grape", "紫罗兰色", "紫", "葡萄紫")),
    PaletteColor("plum", "深紫色", "#513549", "purple", ("aubergine", "eggplant", "dark purple", "茄紫色", "梅子色")),
    PaletteColor("lavender", "薰衣草紫", "#cbbee2", "purple", ("lilac", "light purple", "浅紫色", "丁香紫", "香芋紫")),
    PaletteColor("mauve", "藕紫色", "#97788d", "purple", ("dusty purple", "藕色", "灰紫色")),
    PaletteColor("magenta", "洋红色", "#c01085", "pink", ("fuchsia", "品红色", "紫红色")),
    PaletteColor("hot pink", "玫红色", "#f24c86", "pink", ("rose", "deep pink", "raspberry", "玫瑰红", "桃红色")),
    PaletteColor("pink", "粉色", "#f09bb7", "pink", ("粉红色", "粉")),
    PaletteColor("light pink", "浅粉色", "#fadde3", "pink", ("baby pink", "blush", "pale pink", "淡粉色", "樱花粉")),
    PaletteColor("dusty pink", "豆沙粉", "#c58c91", "pink", ("dusty rose", "old rose", "豆沙色", "灰粉色")),
    PaletteColor("peach", "桃色", "#eeb598", "orange", ("apricot", "salmon", "蜜桃色", "杏粉色")),
    PaletteColor("coral", "珊瑚色", "#f4806f", "orange", ("coral red", "珊瑚红", "珊瑚橙")),
    PaletteColor("orange", "橙色", "#f27c22", "orange", ("tangerine", "pumpkin", "橘色", "橘红色", "橙")),
    PaletteColor("red", "红色", "#c4343a", "red", ("scarlet", "crimson", "大红色", "正红色", "红", "朱红色")),
    PaletteColor("maroon", "褐红色", "#681c23", "red", ("dark red", "cherry", "深红色", "枣红色")),
    PaletteColor("burgundy", "酒红色", "#602637", "red", ("wine", "wine red", "oxblood", "bordeaux", "勃艮第红")),
)
"""The palette, in no order that matters."""

_PALETTE_LAB: NDArray[np.float64] = np.array([color.lab for color in PALETTE])
# Light and shade change lightness, not the name: CIEDE2000 (2:1:1), as the textile trade uses it.
_LIGHTNESS_TOLERANCE = 2.0
# Scales of L*, a*, b* for the preselection in `name_lab`.
_PRESELECTION = np.array([1 / np.sqrt(2), 0.5, 0.5])
_CANDIDATES = 16
_BY_WORD: dict[str, PaletteColor] = {
    word: color for color in PALETTE for word in (*color.synonyms, color.name_zh, color.name)
}


def find_color(word: str) -> PaletteColor | None:
    """The palette color that an English or Chinese color word means; None when the palette has none.

    Case, hyphens and the spelling "grey" do not matter.
    """
    normalised = " ".join(word.lower().replace("-", " ").replace("_", " ").split())
    return _BY_WORD.get(normalised.replace("grey", "gray"))


def name_lab(lab: ArrayLike) -> NDArray[np.intp]:
    """Name CIELAB colors by the palette color at the smallest CIEDE2000 (2:1:1) difference.

    Args:
        lab: (N, 3) under D65.

    Returns:
        (N,) indices into `PALETTE`.
    """
    colors = np.asarray(lab, dtype=np.float64).reshape(-1, 3)
    # CIEDE2000 is dear: it only ranks the candidates that a Euclidean distance with damped chroma lets through. Against
    # ranking all of them, 1 of 10,000 colors spread over sRGB gets its second-nearest name.
    damped, damped_palette = colors * _PRESELECTION, _PALETTE_LAB * _PRESELECTION
    distance = (damped_palette**2).sum(axis=1) - 2 * damped @ damped_palette.T
    candidates = np.argpartition(distance, _CANDIDATES, axis=1)[:, :_CANDIDATES]
    nearest = delta_e(colors[:, None, :], _PALETTE_LAB[candidates], _LIGHTNESS_TOLERANCE).argmin(axis=1)
    return np.asarray(np.take_along_axis(candidates, nearest[:, None], axis=1)[:, 0])


def name_pixels(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Name pixels by a lookup table of `LUT_LEVELS`³ colors, which the first call builds (about 0.2 s).

    Args:
        pixels: (..., 3) uint8 RGB.

    Returns:
        (...) uint8 indices into `PALETTE`.
    """
    levels = (pixels >> np.uint8((256 // LUT_LEVELS).bit_length() - 1)).astype(np.uint16)
    places = (levels[..., 0] * LUT_LEVELS + levels[..., 1]) * LUT_LEVELS + levels[..., 2]
    return np.asarray(_lookup_table().take(places), np.uint8)


@functools.cache
def _lookup_table() -> NDArray[np.uint8]:
    step = 256 // LUT_LEVELS
    centers = np.arange(LUT_LEVELS) * step + (step - 1) / 2
    grid = np.stack(np.meshgrid(centers, centers, centers, indexing="ij"), axis=-1).reshape(-1, 3)
    table: NDArray[np.uint8] = name_lab(rgb_to_lab(grid)).astype(np.uint8)
    return table
