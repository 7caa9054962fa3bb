"""Makes products, and the feed rows that a shop would write about them: in English or Chinese, careful or sloppy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import numpy as np

from rendering.barcode import ean13
from rendering.goods import GOODS, good_of
from rendering.kinds import KINDS, Kind
from rendering.palette_choice import APPAREL, HOME, LEATHER, PACKAGING, WOOD, index_of, partner
from rendering.product import Product
from rendering.seeds import between, chance, child_seed, generator, pick
from rendering.truth import Pattern
from rendering.wording import (
    BRANDS_BEAUTY,
    BRANDS_FASHION,
    BRANDS_FOOD,
    BRANDS_HOME,
    BRANDS_TECH,
    CLOSINGS_EN,
    CLOSINGS_ZH,
    PATTERN_WORDS,
    PRAISE_EN,
    PRAISE_ZH,
)
from schemas.palette import PALETTE
from schemas.taxonomy import load_taxonomy

Flaw = Literal[
    "missing_title", "all_caps", "wrong_color", "no_color", "missing_description", "typo", "keyword_stuffing"
]

_BRANDS = {
    "fashion": BRANDS_FASHION,
    "food": BRANDS_FOOD,
    "home": BRANDS_HOME,
    "beauty": BRANDS_BEAUTY,
    "tech": BRANDS_TECH,
}
_EPOCH = datetime(2026, 1, 5, tzinfo=UTC)
_ONE_COLOR = {"solid", "textured"}


@dataclass(frozen=True)
class Listing:
    """What the feed says of a product, and what is wrong with it.

    Args:
        title: as the shop writes it; None when it left it out.
        description: likewise.
        brand: likewise.
        category: the shop's own spelling of the category.
        price: decimal string.
        updated_at: ISO 8601, UTC.
        language: en or zh.
        flaws: what is sloppy about it.
    """

    title: str | None
    description: str | None
    brand: str | None
    category: str | None
    price: str
    updated_at: str
    language: Literal["en", "zh"]
    flaws: tuple[Flaw, ...]


def product_at(seed: int, index: int) -> Product:
    """The product at a place in the endless catalogue of a seed.

    Kinds take turns in an order of their own, so that each run of as many products as there are kinds has them all.

    Args:
        seed: the catalogue's seed.
        index: place, from 0.
    """
    names = list(KINDS)
    round_number, place = divmod(index, len(names))
    order = generator(seed, "order", round_number).permutation(len(names))
    kind_name = names[int(order[place])]
    return make_product(kind_name, child_seed(seed, "product", index), f"P{index + 1:07d}")


def make_product(kind_name: str, seed: int, product_id: str) -> Product:
    """A product of a kind; everything else about it follows from its seed.

    Raises:
        KeyError: the kind is unknown.
    """
    kind = KINDS[kind_name]
    rng = generator(seed, "identity")
    pattern: Pattern = pick(rng, tuple(kind.patterns), tuple(kind.patterns.values()))
    variant = pick(rng, [name for name, _ in kind.variants], [weight for _, weight in kind.variants])
    if variant == "graphic":
        pattern = "printed"
    if variant == "leather":
        pattern = "solid"
    brand, brand_zh = pick(rng, _BRANDS[kind.range])
    name_en, name_zh, category, net = kind.nouns[0], kind.nouns[1], kind.category, ("", "")
    main = pick(rng, kind.pool)
    if kind_name in GOODS:
        good = good_of(kind_name, variant)
        name_en, name_zh, category, net = good.en, good.zh, good.category, pick(rng, good.nets)
        main = good.color if good.color and chance(rng, 0.7) else main
    low, high = kind.prices
    price = round(float(np.exp(between(rng, np.log(low), np.log(high)))) * 2) / 2 - 0.01
    return Product(
        product_id=product_id,
        seed=seed,
        kind=kind_name,
        category=category,
        colors=_colors(rng, kind, main),
        pattern=pattern,
        brand=brand,
        brand_zh=brand_zh,
        name_en=name_en,
        name_zh=name_zh,
        variant=variant,
        net_content=net[0],
        net_content_zh=net[1],
        price=max(round(price, 2), 0.19),
        barcode=ean13(rng),
    )


def _colors(rng: np.random.Generator, kind: Kind, main: str) -> tuple[str, ...]:
    pools = {"food": PACKAGING, "beauty": PACKAGING, "home": HOME}
    pool = pools.get(kind.range, APPAREL)
    if kind.pool is WOOD:
        second = pick(rng, ("white", "black", "charcoal", "off white", *WOOD))
        return main, second, pick(rng, WOOD)
    if kind.pool is LEATHER:
        pool = (*LEATHER, "gray", "off white")
    second = partner(rng, main, pool)
    third = partner(rng, second, pool, 25.0)
    return main, second, third if third != main else partner(rng, main, pool)


def listing_of(product: Product) -> Listing:
    """What the feed says about a product."""
    rng = product.rng("listing")
    chinese = chance(rng, 0.4)
    flaws = _flaws(rng)
    color = _said_color(product, rng, "wrong_color" in flaws)
    title = _title_zh(product, rng, color, flaws) if chinese else _title_en(product, rng, color, flaws)
    description = None if "missing_description" in flaws else _description(product, color, chinese, rng)
    updated = _EPOCH + timedelta(minutes=int(rng.integers(0, 60 * 24 * 200)))
    return Listing(
        title=None if "missing_title" in flaws else title,
        description=description,
        brand=None if chance(rng, 0.08) else product.brand_zh if chinese and chance(rng, 0.5) else product.brand,
        category=_shop_category(product, chinese, rng),
        price=f"{product.price:.2f}",
        updated_at=updated.strftime("%Y-%m-%dT%H:%M:%SZ"),
        language="zh" if chinese else "en",
        flaws=flaws,
    )


def _flaws(rng: np.random.Generator) -> tuple[Flaw, ...]:
    chances: tuple[tuple[Flaw, float], ...] = (
        ("missing_title", 0.04),
        ("all_caps", 0.08),
        ("wrong_color", 0.05),
        ("no_color", 0.18),
        ("missing_description", 0.15),
        ("typo", 0.05),
        ("keyword_stuffing", 0.06),
    )
    found = [name for name, probability in chances if chance(rng, probability)]
    if "no_color" in found and "wrong_color" in found:
        found.remove("no_color")
    return tuple(found)


def _said_color(product: Product, rng: np.random.Generator, wrong: bool) -> tuple[str, str]:
    """The color the title names, English and Chinese; sometimes by a synonym."""
    name = product.colors[0]
    if wrong:
        name = pick(
            rng, [other for other in ("red", "green", "black", "white", "yellow", "navy blue") if other != name]
        )
    color = PALETTE[index_of(name)]
    english = [color.name, *[word for word in color.synonyms if word.isascii()][:1]]
    chinese = [color.name_zh, *[word for word in color.synonyms if not word.isascii()][:1]]
    return pick(rng, english), pick(rng, chinese)


def _pattern_words(product: Product) -> tuple[str, str]:
    if product.kind in GOODS or product.pattern in _ONE_COLOR:
        return "", ""
    return PATTERN_WORDS[product.pattern]


def _title_en(product: Product, rng: np.random.Generator, color: tuple[str, str], flaws: tuple[Flaw, ...]) -> str:
    said = "" if "no_color" in flaws or product.kind in GOODS else color[0]
    noun = product.name_en
    parts = [product.brand, pick(rng, PRAISE_EN) if chance(rng, 0.3) else "", said, _pattern_words(product)[0], noun]
    if product.net_content:
        parts.append(product.net_content)
    title = " ".join(part for part in parts if part)
    if chance(rng, 0.5):
        title = title.title().replace("'S", "'s")
    if "typo" in flaws:
        place = int(rng.integers(1, max(2, len(title) - 2)))
        title = title[:place] + title[place + 1] + title[place] + title[place + 2 :]
    if "keyword_stuffing" in flaws:
        title += f" - SALE!! {noun} {said} best {noun} 2026 free shipping".replace("  ", " ")
    return title.upper() if "all_caps" in flaws else title


def _title_zh(product: Product, rng: np.random.Generator, color: tuple[str, str], flaws: tuple[Flaw, ...]) -> str:
    said = "" if "no_color" in flaws or product.kind in GOODS else color[1]
    noun = product.name_zh
    praise = pick(rng, PRAISE_ZH) if chance(rng, 0.35) and product.kind not in GOODS else ""
    brand = product.brand_zh if chance(rng, 0.6) else f"{product.brand} "
    net = product.net_content_zh.removeprefix("净含量：")
    title = f"{brand}{praise}{said}{_pattern_words(product)[1]}{noun}{' ' + net if net else ''}"
    if "keyword_stuffing" in flaws:
        title += f" {noun} 爆款 包邮 2026新款"
    return title.upper() if "all_caps" in flaws else title


def _description(product: Product, color: tuple[str, str], chinese: bool, rng: np.random.Generator) -> str:
    pattern = _pattern_words(product)
    if product.kind in GOODS:
        good = good_of(product.kind, product.variant)
        if chinese:
            return f"{product.brand_zh}{product.name_zh}，{product.net_content_zh}。配料：{good.ingredients[1]}。"
        return f"{product.name_en} by {product.brand}, {product.net_content}. Ingredients: {good.ingredients[0]}."
    if chinese:
        closing = pick(rng, CLOSINGS_ZH)
        return f"{product.brand_zh}出品的{pick(rng, PRAISE_ZH)}{product.name_zh}，{color[1]}{pattern[1]}，{closing}。"
    looks = f"{color[0]}{' ' + pattern[0] if pattern[0] else ''}"
    article = "An" if looks[0] in "aeiou" else "A"
    return f"{article} {looks} {product.name_en} by {product.brand}. {pick(rng, CLOSINGS_EN)}"


def _shop_category(product: Product, chinese: bool, rng: np.random.Generator) -> str | None:
    """A category as shops spell it: their own words, other separators, sometimes none."""
    if chance(rng, 0.05):
        return None
    node = load_taxonomy().node(product.category)
    parent = load_taxonomy().node(node.parent) if node.parent else node
    language: Literal["en", "zh"] = "zh" if chinese else "en"
    words = node.terms(language)
    leaf = pick(rng, words[:3]) if chance(rng, 0.4) else words[0]
    style = pick(rng, ("path", "leaf", "leaf", "slug"))
    if style == "path":
        return f"{parent.name[language]} > {leaf}"
    if style == "slug" and not chinese:
        return leaf.lower().replace(" ", "_")
    return leaf if chinese or chance(rng, 0.6) else leaf.title()


def view_counts(products: int, pictures: int) -> list[int]:
    """How many pictures each product gets so that they add up; the earlier ones get the odd ones.

    Raises:
        ValueError: fewer pictures than products.
    """
    if pictures < products:
        raise ValueError(f"{pictures} pictures cannot show {products} products; ask for at least one each")
    base, extra = divmod(pictures, products)
    return [base + (1 if index < extra else 0) for index in range(products)]
