# ruff: noqa: E501 - tables read best with one row per line
"""The product types the renderer can draw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from rendering import palette_choice as pools
from rendering.accessories import draw_belt, draw_sunglasses, draw_umbrella, draw_watch
from rendering.bags import draw_clutch, draw_handbag, draw_tote
from rendering.bottoms import draw_legs, draw_skirt
from rendering.canvas import Canvas
from rendering.cartons import draw_carton, draw_gable_carton, draw_perfume, draw_pouch, draw_tube
from rendering.footwear import draw_shoe
from rendering.fruit import draw_apple, draw_banana, draw_orange
from rendering.furniture import draw_chair, draw_shelf, draw_sofa, draw_table
from rendering.gadgets import draw_ball, draw_book, draw_headphones, draw_phone
from rendering.goods import GOODS
from rendering.homeware import (
    draw_basket,
    draw_candle,
    draw_clock,
    draw_cushion,
    draw_lamp,
    draw_towel,
    draw_water_bottle,
)
from rendering.packaging import (
    draw_can,
    draw_cup,
    draw_drink_bottle,
    draw_jar,
    draw_pump_bottle,
    draw_sauce_bottle,
    draw_wine_bottle,
)
from rendering.pottery import draw_bowl, draw_mug, draw_plate, draw_teapot, draw_vase
from rendering.product import Product
from rendering.sandals import draw_flip_flop
from rendering.scene import Placement
from rendering.textile_accessories import draw_cap, draw_hat, draw_scarf, draw_socks, draw_tie
from rendering.tops import draw_top
from rendering.travel_bags import draw_backpack, draw_messenger, draw_suitcase
from rendering.truth import Pattern

Draw = Callable[[Canvas, Product, str], None]
Range = Literal["fashion", "food", "home", "beauty", "tech"]


@dataclass(frozen=True)
class Kind:
    """A product type.

    Args:
        category: taxonomy path.
        draw: draws the product on a square canvas in a named view.
        patterns: possible patterns with weights.
        views: names of its views, in order.
        placement: how it is shown.
        pool: palette names it comes in.
        nouns: English and Chinese names.
        range: which brands it takes: fashion, food, home, beauty, tech.
        prices: lowest and highest price.
        tag: how a price tag is fixed to it.
        variants: models or flavors, with weights.
    """

    category: str
    draw: Draw
    patterns: dict[Pattern, float]
    views: tuple[str, ...]
    placement: Placement
    pool: tuple[str, ...]
    nouns: tuple[str, str]
    range: Range
    prices: tuple[float, float]
    tag: Literal["hang", "stand", "none"] = "hang"
    variants: tuple[tuple[str, float], ...] = (("", 1.0),)


_GARMENT = ("front", "back", "detail", "tilted")
_SHOE = ("front", "pair", "back", "detail")
_PACK = ("front", "angled", "back", "detail")
_THING = ("front", "back", "tilted", "detail")
_ROOM = ("front", "side", "detail")
_PLAIN: dict[Pattern, float] = {"solid": 1}
_HIDE: dict[Pattern, float] = {"solid": 3, "textured": 2}
_TOP: dict[Pattern, float] = {"solid": 4, "striped": 2, "checked": 1, "dotted": 1, "printed": 1.5}
_LOWER: dict[Pattern, float] = {"solid": 4, "striped": 0.8, "checked": 1}
_CLOTH: dict[Pattern, float] = {"solid": 2, "striped": 2, "checked": 2, "dotted": 1.5, "printed": 2, "textured": 2}
_POTTERY: dict[Pattern, float] = {"solid": 3, "striped": 1, "dotted": 1, "printed": 2}
_WOODEN: dict[Pattern, float] = {"textured": 1}
_SCREEN = (
    "black",
    "charcoal",
    "white",
    "silver",
    "navy blue",
    "sage green",
    "lavender",
    "light pink",
    "royal blue",
    "red",
)


def _apparel() -> dict[str, Kind]:
    rows: tuple[tuple[str, str, Draw, dict[Pattern, float], tuple[str, str], tuple[float, float]], ...] = (
        ("t-shirt", "topwear/t-shirt", draw_top, _TOP, ("T-shirt", "T恤"), (9, 45)),
        ("long-sleeve top", "topwear/long-sleeve-top", draw_top, _TOP, ("long-sleeve top", "长袖上衣"), (12, 50)),
        ("polo shirt", "topwear/polo-shirt", draw_top, _TOP, ("polo shirt", "Polo衫"), (15, 65)),
        ("shirt", "topwear/shirt", draw_top, _TOP, ("shirt", "衬衫"), (18, 90)),
        ("blouse", "topwear/blouse", draw_top, _TOP, ("blouse", "女士衬衣"), (18, 80)),
        ("tank top", "topwear/tank-top", draw_top, _TOP, ("tank top", "吊带背心"), (8, 30)),
        ("sweater", "topwear/sweater", draw_top, {"solid": 2, "striped": 2, "textured": 4}, ("sweater", "毛衣"), (25, 120)),
        ("sweatshirt", "topwear/sweatshirt", draw_top, {"solid": 4, "printed": 1}, ("hoodie", "连帽卫衣"), (25, 90)),
        ("jacket", "outerwear/jacket", draw_top, {"solid": 3, "textured": 3, "checked": 0.6}, ("jacket", "夹克"), (45, 190)),
        ("coat", "outerwear/coat", draw_top, {"solid": 4, "checked": 1.5, "textured": 1.5}, ("coat", "大衣"), (80, 320)),
        ("blazer", "outerwear/blazer", draw_top, {"solid": 4, "checked": 1.5, "striped": 1, "textured": 1}, ("blazer", "西装外套"), (60, 260)),
        ("vest", "outerwear/vest", draw_top, {"solid": 2, "textured": 3}, ("quilted vest", "马甲"), (30, 120)),
        ("dress", "dresses-sets/dress", draw_top, {"solid": 3, "printed": 4, "dotted": 2, "striped": 1, "checked": 1}, ("dress", "连衣裙"), (25, 150)),
        ("trousers", "bottomwear/trousers", draw_legs, {"solid": 5, "striped": 0.7, "checked": 1, "textured": 1}, ("trousers", "休闲裤"), (20, 110)),
        ("jeans", "bottomwear/jeans", draw_legs, {"textured": 1}, ("jeans", "牛仔裤"), (25, 120)),
        ("shorts", "bottomwear/shorts", draw_legs, {"solid": 4, "printed": 1.5, "checked": 1, "striped": 1}, ("shorts", "短裤"), (12, 55)),
        ("track pants", "bottomwear/track-pants", draw_legs, {"solid": 1}, ("track pants", "运动裤"), (18, 70)),
        ("leggings", "bottomwear/leggings", draw_legs, {"solid": 3, "printed": 1}, ("leggings", "打底裤"), (12, 60)),
        ("skirt", "bottomwear/skirt", draw_skirt, _TOP, ("skirt", "半身裙"), (15, 80)),
        ("socks", "legwear/socks", draw_socks, {"solid": 2, "striped": 3, "dotted": 1}, ("socks", "袜子"), (3, 15)),
    )  # fmt: skip
    kinds = {
        name: Kind(f"apparel/{path}", draw, patterns, _GARMENT, "lay", pools.APPAREL, nouns, "fashion", prices)
        for name, path, draw, patterns, nouns, prices in rows
    }
    kinds["jeans"] = replace(
        kinds["jeans"], pool=("denim blue", "navy blue", "light blue", "black", "blue", "charcoal", "gray")
    )
    kinds["t-shirt"] = replace(kinds["t-shirt"], variants=(("", 3.0), ("graphic", 1.2)))
    kinds["sweatshirt"] = replace(kinds["sweatshirt"], variants=(("", 3.0), ("graphic", 0.5)))
    kinds["jacket"] = replace(kinds["jacket"], variants=(("", 3.0), ("leather", 1.0)))
    kinds["socks"] = replace(kinds["socks"], views=("front", "tilted", "detail"))
    return kinds


def _footwear() -> dict[str, Kind]:
    rows: tuple[tuple[str, str, tuple[str, ...], tuple[str, str], tuple[float, float]], ...] = (
        ("casual shoe", "shoes/casual-shoe", pools.APPAREL, ("sneakers", "休闲鞋"), (30, 120)),
        ("sports shoe", "shoes/sports-shoe", pools.APPAREL, ("running shoes", "跑步鞋"), (40, 160)),
        ("formal shoe", "shoes/formal-shoe", pools.LEATHER, ("oxford shoes", "牛津鞋"), (50, 190)),
        ("loafer", "shoes/loafer", pools.LEATHER, ("loafers", "乐福鞋"), (45, 150)),
        ("high heel", "shoes/high-heel", (*pools.LEATHER, "nude", "dusty pink", "hot pink", "silver", "gold"), ("high heels", "高跟鞋"), (35, 180)),
        ("boot", "boots/boot", pools.LEATHER, ("ankle boots", "短靴"), (55, 210)),
        ("sandal", "sandals-slippers/sandal", pools.LEATHER, ("sandals", "凉鞋"), (20, 90)),
    )  # fmt: skip
    kinds = {
        name: Kind(f"footwear/{path}", draw_shoe, _HIDE, _SHOE, "stand", pool, nouns, "fashion", prices, "stand")
        for name, path, pool, nouns, prices in rows
    }
    kinds["casual shoe"] = replace(kinds["casual shoe"], patterns={"solid": 4, "checked": 1, "printed": 0.7})
    kinds["sports shoe"] = replace(kinds["sports shoe"], patterns={"solid": 1})
    kinds["flip-flop"] = Kind(
        "footwear/sandals-slippers/flip-flop", draw_flip_flop, {"solid": 3, "striped": 1, "printed": 1}, ("front", "tilted", "detail"),
        "lay", pools.APPAREL, ("flip-flops", "人字拖"), "fashion", (5, 30),
    )  # fmt: skip
    return kinds


def _accessories() -> dict[str, Kind]:
    rows: tuple[tuple[str, str, Draw, dict[Pattern, float], tuple[str, ...], Placement, tuple[str, str], tuple[float, float]], ...] = (
        ("handbag", "bags/handbag", draw_handbag, _HIDE, pools.LEATHER, "stand", ("handbag", "手提包"), (40, 320)),
        ("tote", "bags/handbag", draw_tote, _CLOTH, pools.APPAREL, "hang", ("tote bag", "帆布托特包"), (10, 60)),
        ("backpack", "bags/backpack", draw_backpack, {"solid": 4, "printed": 1, "checked": 0.5}, pools.APPAREL, "stand", ("backpack", "双肩包"), (25, 130)),
        ("messenger bag", "bags/messenger-bag", draw_messenger, _HIDE, pools.LEATHER, "stand", ("messenger bag", "斜挎包"), (35, 160)),
        ("clutch", "bags/clutch", draw_clutch, _HIDE, (*pools.LEATHER, "gold", "silver", "hot pink"), "lay", ("clutch", "手拿包"), (25, 140)),
        ("wallet", "bags/wallet", draw_clutch, _HIDE, pools.LEATHER, "lay", ("wallet", "钱包"), (15, 90)),
        ("suitcase", "bags/suitcase", draw_suitcase, {"solid": 5, "printed": 0.6}, pools.APPAREL, "stand", ("suitcase", "拉杆箱"), (60, 260)),
        ("watch", "watches/watch", draw_watch, _HIDE, pools.LEATHER, "lay", ("watch", "手表"), (40, 400)),
        ("belt", "small-accessories/belt", draw_belt, _HIDE, pools.LEATHER, "lay", ("leather belt", "皮带"), (15, 90)),
        ("cap", "headwear/cap", draw_cap, {"solid": 4, "checked": 1}, pools.APPAREL, "lay", ("baseball cap", "棒球帽"), (8, 40)),
        ("hat", "headwear/hat", draw_hat, {"textured": 3, "solid": 2}, pools.APPAREL, "lay", ("hat", "帽子"), (12, 60)),
        ("sunglasses", "eyewear/sunglasses", draw_sunglasses, {"solid": 1}, ("black", "coffee", "burgundy", "gold", "navy blue", "white", "red"), "lay", ("sunglasses", "太阳镜"), (15, 180)),
        ("tie", "neckwear/tie", draw_tie, {"solid": 2, "striped": 3, "dotted": 2, "checked": 1}, pools.APPAREL, "lay", ("tie", "领带"), (10, 70)),
        ("scarf", "neckwear/scarf", draw_scarf, {"solid": 2, "checked": 3, "striped": 1, "textured": 2}, pools.APPAREL, "lay", ("scarf", "围巾"), (12, 80)),
        ("umbrella", "small-accessories/umbrella", draw_umbrella, _CLOTH, pools.APPAREL, "hang", ("umbrella", "雨伞"), (10, 45)),
    )  # fmt: skip
    return {
        name: Kind(
            f"accessories/{path}", draw, patterns, _THING, placement, pool, nouns, "fashion", prices,
            "stand" if placement == "stand" else "hang",
        )
        for name, path, draw, patterns, pool, placement, nouns, prices in rows
    }  # fmt: skip


def _packages() -> dict[str, Kind]:
    rows: tuple[tuple[str, Draw, tuple[str, str], tuple[float, float]], ...] = (
        ("drink bottle", draw_drink_bottle, ("bottle", "瓶装"), (1, 6)),
        ("wine bottle", draw_wine_bottle, ("bottle", "瓶装"), (8, 60)),
        ("drink can", draw_can, ("can", "罐装"), (1, 4)),
        ("food can", draw_can, ("can", "罐头"), (2, 7)),
        ("jar", draw_jar, ("jar", "瓶装"), (3, 14)),
        ("sauce bottle", draw_sauce_bottle, ("bottle", "瓶装"), (2, 16)),
        ("cereal box", draw_carton, ("box", "盒装"), (3, 9)),
        ("snack box", draw_carton, ("box", "盒装"), (2, 12)),
        ("milk carton", draw_gable_carton, ("carton", "盒装"), (2, 5)),
        ("pouch", draw_pouch, ("bag", "袋装"), (2, 12)),
        ("yogurt cup", draw_cup, ("cup", "杯装"), (1, 4)),
        ("shampoo bottle", draw_pump_bottle, ("bottle", "瓶装"), (4, 18)),
        ("cream tube", draw_tube, ("tube", "软管装"), (4, 30)),
        ("perfume", draw_perfume, ("flacon", "瓶装"), (30, 160)),
    )
    beauty = {"shampoo bottle", "cream tube", "perfume"}
    return {
        name: Kind(
            GOODS[name][0].category, draw, {"printed": 1}, _PACK, "stand", pools.PACKAGING, nouns,
            "beauty" if name in beauty else "food", prices, "stand", tuple((good.en, 1.0) for good in GOODS[name]),
        )
        for name, draw, nouns, prices in rows
    }  # fmt: skip


def _home() -> dict[str, Kind]:
    rows: tuple[tuple[str, str, Draw, dict[Pattern, float], tuple[str, ...], tuple[str, ...], Placement, tuple[str, str], tuple[float, float]], ...] = (
        ("mug", "kitchen/mug", draw_mug, _POTTERY, pools.HOME, ("front", "back", "detail"), "stand", ("mug", "马克杯"), (5, 25)),
        ("bowl", "kitchen/bowl", draw_bowl, _POTTERY, pools.HOME, ("front", "detail"), "stand", ("bowl", "碗"), (5, 30)),
        ("plate", "kitchen/plate", draw_plate, _POTTERY, pools.HOME, ("front", "tilted", "detail"), "lay", ("dinner plate", "餐盘"), (5, 28)),
        ("teapot", "kitchen/teapot", draw_teapot, _POTTERY, pools.HOME, ("front", "back", "detail"), "stand", ("teapot", "茶壶"), (18, 70)),
        ("water bottle", "kitchen/water-bottle", draw_water_bottle, {"solid": 4, "printed": 1, "striped": 0.6}, pools.HOME, ("front", "detail"), "stand", ("insulated bottle", "保温杯"), (12, 40)),
        ("vase", "decor/vase", draw_vase, {"solid": 3, "striped": 1, "textured": 2, "printed": 0}, pools.HOME, ("front", "detail"), "stand", ("vase", "花瓶"), (12, 80)),
        ("clock", "decor/clock", draw_clock, _PLAIN, pools.HOME, ("front", "tilted", "detail"), "hang", ("wall clock", "挂钟"), (15, 70)),
        ("candle", "lighting/candle", draw_candle, _PLAIN, pools.HOME, ("front", "detail"), "stand", ("scented candle", "香薰蜡烛"), (8, 35)),
        ("table lamp", "lighting/table-lamp", draw_lamp, {"solid": 4, "striped": 1, "printed": 0}, pools.HOME, ("front", "detail"), "stand", ("table lamp", "台灯"), (25, 140)),
        ("floor lamp", "lighting/floor-lamp", draw_lamp, {"solid": 4, "striped": 1}, pools.HOME, ("front", "detail"), "stand", ("floor lamp", "落地灯"), (50, 220)),
        ("cushion", "textiles/cushion", draw_cushion, _CLOTH, pools.HOME, ("front", "back", "tilted", "detail"), "lay", ("cushion", "抱枕"), (10, 45)),
        ("towel", "textiles/towel", draw_towel, {"solid": 3, "striped": 2, "checked": 1}, pools.HOME, ("front", "tilted", "detail"), "lay", ("towel", "毛巾"), (6, 30)),
        ("basket", "household/basket", draw_basket, _WOODEN, ("tan", "beige", "khaki", "brown", "gray", "coffee"), ("front", "detail"), "stand", ("woven basket", "编织篮"), (12, 50)),
        ("chair", "furniture/chair", draw_chair, _WOODEN, pools.WOOD, _ROOM, "stand", ("chair", "椅子"), (45, 220)),
        ("table", "furniture/table", draw_table, _WOODEN, pools.WOOD, _ROOM, "stand", ("table", "桌子"), (80, 480)),
        ("bookcase", "furniture/storage-furniture", draw_shelf, _WOODEN, pools.WOOD, _ROOM, "stand", ("bookcase", "书架"), (60, 350)),
        ("sofa", "furniture/sofa", draw_sofa, {"solid": 4, "textured": 2, "checked": 0.5}, pools.HOME, ("front", "angled", "detail"), "stand", ("sofa", "沙发"), (250, 1400)),
    )  # fmt: skip
    kinds = {
        name: Kind(f"home/{path}", draw, patterns, views, placement, pool, nouns, "home", prices, "stand")
        for name, path, draw, patterns, pool, views, placement, nouns, prices in rows
    }
    for name in ("mug", "bowl", "plate"):
        kinds[name] = replace(kinds[name], variants=(("", 2.0), ("two-tone", 1.0)))
    return kinds


def _others() -> dict[str, Kind]:
    rows: tuple[tuple[str, str, Draw, tuple[str, ...], tuple[str, ...], Placement, tuple[str, str], Range, tuple[float, float]], ...] = (
        ("smartphone", "electronics/phones/smartphone", draw_phone, _SCREEN, ("front", "back", "tilted"), "lay", ("smartphone", "智能手机"), "tech", (150, 1100)),
        ("smartwatch", "electronics/wearables/smartwatch", draw_watch, pools.APPAREL, ("front", "tilted", "detail"), "lay", ("smartwatch", "智能手表"), "tech", (60, 380)),
        ("headphones", "electronics/audio/headphones", draw_headphones, _SCREEN, ("front", "tilted", "detail"), "lay", ("headphones", "头戴式耳机"), "tech", (30, 320)),
        ("football", "toys-sports/balls/football", draw_ball, ("white", "yellow", "sky blue", "orange"), ("front", "back"), "stand", ("football", "足球"), "fashion", (10, 60)),
        ("basketball", "toys-sports/balls/basketball", draw_ball, ("rust", "orange", "brown"), ("front", "back"), "stand", ("basketball", "篮球"), "fashion", (12, 60)),
        ("book", "other/office/book", draw_book, pools.PACKAGING, ("front", "tilted"), "lay", ("notebook", "笔记本"), "home", (5, 25)),
        ("apple", "groceries/fruit/apple", draw_apple, ("red", "lime green", "maroon", "yellow"), ("front", "back"), "stand", ("apple", "苹果"), "food", (0.4, 2)),
        ("tomato", "groceries/vegetables/tomato", draw_apple, ("red",), ("front", "back"), "stand", ("tomato", "番茄"), "food", (0.4, 2)),
        ("orange", "groceries/fruit/orange", draw_orange, ("orange",), ("front", "back"), "stand", ("orange", "橙子"), "food", (0.4, 2)),
        ("lemon", "groceries/fruit/lemon", draw_orange, ("yellow",), ("front", "back"), "stand", ("lemon", "柠檬"), "food", (0.4, 2)),
        ("lime", "groceries/fruit/lime", draw_orange, ("green", "lime green"), ("front", "back"), "stand", ("lime", "青柠"), "food", (0.4, 2)),
        ("banana", "groceries/fruit/banana", draw_banana, ("yellow",), ("front", "back"), "lay", ("bananas", "香蕉"), "food", (0.8, 3)),
    )  # fmt: skip
    kinds = {
        name: Kind(path, draw, _PLAIN, views, placement, pool, nouns, brands, prices, "stand")
        for name, path, draw, pool, views, placement, nouns, brands, prices in rows
    }
    kinds["football"] = replace(kinds["football"], patterns={"printed": 1})
    kinds["book"] = replace(kinds["book"], patterns={"solid": 2, "printed": 2, "checked": 1, "striped": 1})
    return kinds


KINDS: dict[str, Kind] = {**_apparel(), **_footwear(), **_accessories(), **_packages(), **_home(), **_others()}
"""Every product type by the renderer's own name."""
