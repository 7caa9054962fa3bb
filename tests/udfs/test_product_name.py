"""Names and descriptions read well in both languages and say nothing that the facts do not hold."""

from __future__ import annotations

import random
import re
from itertools import pairwise

import pytest

from schemas.attributes import load_attributes
from schemas.nouns import load_nouns, noun_for
from schemas.taxonomy import TaxonomyNode, load_taxonomy
from udfs.product_chinese import AUDIENCE
from udfs.product_chinese import USED as USED_ZH
from udfs.product_english import FOR_WHOM, HAS, POSSESSIVE, USED, WORN, article
from udfs.product_name import NOTHING_KNOWN, ProductFacts, ProductText, describe_product

MATERIALS = ("cotton", "100% cotton", "60% cotton, 40% polyester", "wool and silk", "leather", "denim", "棉60% 涤纶40%")
OPEN_VALUES = {
    "material": MATERIALS,
    "net_content": ("330 ml", "6 x 330 ml", "1000 g", "1500 ml", "12 pieces", "1 piece"),
    "size": ("M", "EU 42", "one size", "170/92A"),
    "care": ("machine wash", "wash at 30 °C"),
}
GREEN_AND_WHITE = (("dark green", 0.4), ("green", 0.3), ("white", 0.2))
BRANDS = (None, "Nike", "蓝月亮", "H&M", "Polo", "iFixit")

# What may stand between phrases: articles, conjunctions and punctuation, which state nothing. "Product" and 商品 name
# a thing of unknown kind.
GLUE = re.compile(r"(?:\b(?:An?|a|an|and|with)\b|[Pp]roduct\b|商品|[ .,;，。、；])*")


def random_facts(path: str | None, chance: random.Random) -> ProductFacts:
    dictionary = load_attributes()
    attributes = {
        name: chance.choice(OPEN_VALUES.get(name) or dictionary.values(name))
        for name in dictionary.names
        if (name in OPEN_VALUES or dictionary.values(name)) and chance.random() < 0.5
    }
    colors = [(attributes.get("color", "red"), 0.6), ("white", 0.18), ("teal", 0.12), ("red", 0.05)]
    return ProductFacts(path, chance.choice(BRANDS), attributes, colors if chance.random() < 0.5 else ())


def texts(described: ProductText) -> dict[tuple[str, str], str]:
    return {
        ("en", "name"): described.name_en or "",
        ("zh", "name"): described.name_zh or "",
        ("en", "description"): described.description_en or "",
        ("zh", "description"): described.description_zh or "",
    }


@pytest.fixture(scope="module")
def samples() -> list[tuple[ProductFacts, ProductText]]:
    """Every path of the taxonomy (and none) with chance attributes, six times."""
    chance = random.Random(7)
    facts = [random_facts(path, chance) for path in (*load_taxonomy().paths, None) for _ in range(6)]
    return [(one, describe_product(one)) for one in facts]


def test_every_word_is_traced_to_an_attribute_that_is_known(samples: list[tuple[ProductFacts, ProductText]]) -> None:
    for facts, described in samples:
        known = {"category"} if facts.category else set()
        known |= set(facts.attributes) | ({"brand"} if facts.brand else set())
        for (language, field), text in texts(described).items():
            end = 0
            for phrase in described.phrases:
                if (phrase.language, phrase.field) != (language, field):
                    continue
                assert phrase.attributes and set(phrase.attributes) <= known, (facts, phrase)
                assert text[phrase.start : phrase.start + len(phrase.text)] == phrase.text
                assert GLUE.fullmatch(text[end : phrase.start]), (text, text[end : phrase.start])
                end = phrase.start + len(phrase.text)
            assert GLUE.fullmatch(text[end:]), (text, text[end:])


def test_text_is_tidy(samples: list[tuple[ProductFacts, ProductText]]) -> None:
    for facts, described in samples:
        for (language, field), text in texts(described).items():
            assert "  " not in text and text == text.strip(), text
            assert not re.search(r"\bNone\b|\bnan\b|[_\[\]{}]|\( ?\)", text), text
            assert not re.search(r" [,.;，。；]|[,.;，。；、]{2}", text), text
            if language == "en":
                words = text.replace(",", "").split()
                assert all(one.lower() != other.lower() for one, other in pairwise(words)), text
                assert text[:1].isupper() or (facts.brand and text.startswith(facts.brand)) or not text, text
            if field == "description" and text:
                marks = ". " if language == "en" else "。"
                assert 1 <= len(text.rstrip(marks).split(marks)) <= 3, text
            assert len(text) <= (100 if field == "name" else 330), text


def test_names_are_without_full_stops_and_there_is_one_in_both_languages_or_none(
    samples: list[tuple[ProductFacts, ProductText]],
) -> None:
    for facts, described in samples:
        assert len({text == "" for text in texts(described).values()}) == 1, facts
        assert (described.name_en is None) == (described.reason is not None)
        assert described.name_en is not None or facts.category is None
        assert not (described.name_en or "").endswith(".")
        chinese = re.sub(f"{facts.brand}|Polo", "", described.name_zh or "")
        assert not re.search("[a-z]{3}", chinese), chinese


def test_articles_are_right(samples: list[tuple[ProductFacts, ProductText]]) -> None:
    for _, described in samples:
        for match in re.finditer(r"\b([Aa]n?) (\w[\w-]*)", described.description_en or ""):
            word = match[2]
            sounds_like_vowel = word[0].lower() in "aeiou" and not word.startswith(("unisex", "uni"))
            assert (match[1].lower() == "an") == sounds_like_vowel, described.description_en


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("olive shirt", "an"),
        ("shirt", "a"),
        ("unisex cap", "a"),
        ("umbrella", "an"),
        ("undershirt", "an"),
        ("European size", "a"),
        ("LED lamp", "an"),
        ("TV or video device", "a"),
        ("hourglass", "an"),
        ("V-neck", "a"),
        ("one-piece", "a"),
    ],
)
def test_article(word: str, expected: str) -> None:
    assert article(word) == expected


@pytest.mark.parametrize(
    ("facts", "english", "chinese"),
    [
        (
            ProductFacts(
                "apparel/topwear/shirt",
                None,
                {"gender": "men", "color": "navy blue", "pattern": "striped", "material": "100% cotton"},
            ),
            "Men's navy blue striped cotton shirt",
            "男士藏青色条纹纯棉衬衫",
        ),
        (
            ProductFacts(
                "apparel/bottomwear/jeans", "Levi's", {"gender": "boys", "color": "blue", "material": "denim"}
            ),
            "Levi's boys' blue jeans",
            "Levi's 男童蓝色牛仔裤",
        ),
        (
            ProductFacts("footwear/shoes/sports-shoe", None, {"gender": "women", "age_group": "kids"}),
            "Girls' sports shoes",
            "女童运动鞋",
        ),
        (
            ProductFacts("groceries/plant-based/oat-milk", "Oatly", {"net_content": "1000 ml", "gender": "men"}),
            "Oatly oat milk, 1 L",
            "Oatly 燕麦奶 1升",
        ),
        (
            ProductFacts("packaged-food/drinks/beer", "青岛啤酒", {"net_content": "6 x 330 ml", "color": "green"}),
            "青岛啤酒 beer, 6 × 330 ml",
            "青岛啤酒 330毫升×6",
        ),
        (
            ProductFacts("apparel/baby-clothing/baby-romper", None, {"gender": "girls", "color": "pink"}),
            "Baby girls' pink romper",
            "女婴粉色连体衣",
        ),
        (
            ProductFacts("apparel/baby-clothing/baby-romper", None, {"gender": "men"}),
            "Baby romper",
            "婴儿连体衣",
        ),
        (
            ProductFacts("accessories/small-accessories/belt", None, {"material": "leather", "color": "brown"}),
            "Brown leather belt",
            "棕色皮带",
        ),
        (ProductFacts("groceries/fruit/orange", None, {"color": "orange"}), "Oranges", "橙子"),
        (ProductFacts("groceries/fruit/apple", None, {"color": "green"}), "Green apples", "绿色苹果"),
        (ProductFacts("apparel/topwear/polo-shirt", "Polo", {}), "Polo shirt", "Polo衫"),
        (ProductFacts(None, "Nike", {"color": "red", "gender": "men"}), "Nike red product", "Nike 红色商品"),
        (ProductFacts("accessories/bags/backpack", None, {"gender": "unisex"}), "Unisex backpack", "男女通用双肩包"),
        (
            ProductFacts("home/kitchen/bowl", None, {"material": "wood", "color": "multi", "pattern": "solid"}),
            "Multicolor wooden bowl",
            "多色木质碗",
        ),
    ],
)
def test_names(facts: ProductFacts, english: str, chinese: str) -> None:
    described = describe_product(facts)
    assert (described.name_en, described.name_zh) == (english, chinese)


def test_description_of_a_garment() -> None:
    described = describe_product(
        ProductFacts(
            "apparel/topwear/t-shirt",
            "Uniqlo",
            {
                "gender": "women",
                "color": "white",
                "pattern": "striped",
                "material": "60% cotton, 40% polyester",
                "sleeve_length": "short sleeve",
                "neckline": "crew neck",
                "usage": "casual",
                "season": "summer",
                "size": "M",
                "care": "machine wash",
            },
            [("off white", 0.62), ("navy blue", 0.25), ("red", 0.04)],
        )
    )
    assert described.description_en == (
        "A white striped cotton-blend T-shirt for women by Uniqlo. It has short sleeves and a crew neck, and it also "
        "shows navy blue (25%). Suited to casual wear in summer; material: 60% cotton, 40% polyester; size: M; "
        "care: machine wash."
    )
    assert described.description_zh == (
        "一件女士白色条纹棉混纺T恤，品牌为Uniqlo。短袖、圆领；另有藏青色（25%）。"
        "适合夏季休闲穿着；材质：60%棉、40%聚酯纤维；尺码：M；洗护：可机洗。"
    )


def test_a_solid_product_is_called_so_in_the_description_only() -> None:
    described = describe_product(
        ProductFacts(
            "footwear/boots/boot", None, {"color": "olive", "pattern": "solid"}, [("olive", 0.6), ("white", 0.3)]
        )
    )
    assert described.name_en == "Olive boots"
    assert described.description_en == "A pair of solid olive boots."
    assert described.description_zh == "一双橄榄绿靴子。纯色无图案。"


def test_the_color_of_packed_food_is_its_packaging() -> None:
    described = describe_product(ProductFacts("packaged-food/drinks/juice", None, {"color": "green"}, GREEN_AND_WHITE))
    assert described.name_en == "Juice"
    assert described.description_en == "Juice. The packaging is mainly green, with white (20%)."
    assert described.description_zh == "果汁。包装以绿色为主，另有白色（20%）。"


def test_a_color_that_covers_more_than_the_main_one_is_not_called_a_further_one() -> None:
    """Source and measure see different things; no sentence may contradict itself."""
    facts = ProductFacts(
        "apparel/topwear/tunic", None, {"color": "blue"}, [("mint", 0.5), ("blue", 0.2), ("red", 0.15)]
    )
    assert describe_product(facts).description_en == "A blue tunic. It also shows red (15%)."
    facts = ProductFacts("apparel/topwear/tunic", None, {"color": "blue"}, [("mint", 0.5), ("red", 0.3)])
    assert describe_product(facts).description_en == "A blue tunic."


def test_what_makes_no_sense_for_the_category_is_left_out() -> None:
    facts = {"gender": "men", "season": "winter", "usage": "formal", "material": "wool", "pattern": "checked"}
    assert describe_product(ProductFacts("groceries/vegetables/carrot", None, facts)).description_en == "Carrots."


def test_without_anything_to_name_it_by_there_is_a_reason_and_no_name() -> None:
    for facts in (ProductFacts(), ProductFacts(None, " ", {"gender": "men", "color": "invisible"})):
        described = describe_product(facts)
        assert described.name_en is None and described.description_zh is None and not described.phrases
        assert described.reason == NOTHING_KNOWN


@pytest.mark.parametrize(
    "brand", ["None", "nan", "N/A", "", "\u200b", "x" * 300, "Acme\n\x00", "العربية", "🙂 Brand", float("nan")]
)
def test_odd_brands_do_no_harm(brand: str) -> None:
    described = describe_product(ProductFacts("apparel/topwear/shirt", brand, {"color": "red"}))
    assert described.name_en is not None
    assert described.name_en.endswith("red shirt") or described.name_en == "Red shirt"
    assert not re.search(r"[\x00-\x1f\u200b]|None|nan|N/A|xxx", described.name_en)


@pytest.mark.parametrize("material", ["unobtainium", "80% cotton, 80% wool", "%", "60%", "cotton, unobtainium"])
def test_a_material_that_is_not_understood_is_left_out(material: str) -> None:
    described = describe_product(ProductFacts("apparel/topwear/shirt", None, {"material": material}))
    assert described.name_en == "Shirt"


def test_a_type_that_was_enrolled_is_named_by_its_taxonomy_or_by_what_stands_above() -> None:
    path = "toys-sports/fitness/yoga-block"
    node = TaxonomyNode(
        path=path,
        name={"en": "Yoga block", "zh": "瑜伽砖"},
        synonyms={"en": (), "zh": ()},
        public_path="Sporting Goods",
    )
    facts = ProductFacts(path, None, {"color": "purple"})
    named = describe_product(facts, load_taxonomy().with_nodes([node]))
    assert (named.name_en, named.name_zh) == ("Purple yoga block", "紫色瑜伽砖")
    assert describe_product(facts).name_en == "Purple fitness product"


def test_there_are_words_for_every_value() -> None:
    dictionary = load_attributes()
    cut = {value for name in ("sleeve_length", "neckline", "fit") for value in dictionary.values(name)}
    assert cut <= set(HAS)
    assert set(dictionary.values("usage")) <= set(WORN) & set(USED) & set(USED_ZH)
    assert set(AUDIENCE) == set(FOR_WHOM) == set(POSSESSIVE) >= set(dictionary.values("gender"))


def test_nouns_follow_the_taxonomy() -> None:
    assert set(load_nouns()) <= set(load_taxonomy().paths)
    trousers, milk, boots = (
        noun_for(path) for path in ("apparel/bottomwear/trousers", "groceries/dairy/milk", "footwear/boots/boot")
    )
    assert trousers is not None and trousers.pair and trousers.measure == "条"
    assert milk is not None and milk.number == "mass" and milk.measure is None
    assert boots is not None and boots.en == "boots" and boots.measure == "双"
    assert noun_for("nowhere/at-all") is None
