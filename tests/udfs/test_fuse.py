"""One product of its pictures, texts, feed and corrections: what it becomes, and what every claim rests on."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from schemas.arrow import arrow_schema
from schemas.product_tables import CONFLICT, EVIDENCE, PRODUCTS
from schemas.settings import FuseSettings
from schemas.taxonomy import load_taxonomy
from udfs.fuse import FusedProduct, _fuse, fuse_products
from udfs.fuse_category import decide_category, deepest, with_feed
from udfs.fuse_claims import Claim, Evidence, Picture, ProductInput, distinct
from udfs.fuse_conflicts import Conflict, find_conflicts, values_agree
from udfs.fuse_row import composition, mean_embedding
from udfs.fusion import PLAIN_WEIGHTS
from udfs.spark_fuse import FUSED_COLUMNS, _batch, product_input
from udfs.text_understanding import TextAttribute, TextReader, TextUnderstanding

RULES = FuseSettings()
SHA = "ab" * 32
BOX = {"x_min": 10.0, "y_min": 20.0, "x_max": 110.0, "y_max": 220.0}
SHIRT, SHOE = "apparel/topwear/t-shirt", "footwear/shoes/casual-shoe"


@pytest.fixture(scope="module")
def reader() -> TextReader:
    return TextReader()


@pytest.fixture
def fuse(reader: TextReader):
    def one(**facts: Any) -> FusedProduct:
        rules = facts.pop("rules", RULES)
        return fuse_products([ProductInput("p1", **facts)], reader, PLAIN_WEIGHTS, rules)[0]

    return one


def picture(
    view: int = 0,
    categories: tuple[tuple[str, float], ...] = ((SHIRT, 0.85), ("apparel/topwear/shirt", 0.1)),
    color: str = "red",
    heads: tuple[tuple[str, str, float], ...] = (("color", "red", 0.9), ("gender", "men", 0.9)),
    corrected: dict[str, str] | None = None,
    **columns: Any,
) -> Picture:
    described = {
        "quality": {"score": 0.8},
        "region": {"box": BOX},
        "color": color,
        "color_confidence": 0.7,
        "colors": [{"name": color, "share": 0.8}],
        "pattern": "solid",
        "pattern_confidence": 0.8,
        "shape": "tall",
        "shape_confidence": 0.8,
        "category_candidates": [{"category": path, "score": score} for path, score in categories],
        "model_attributes": [
            {"attribute": name, "value": value, "confidence": sure, "is_stated": sure > 0.5}
            for name, value, sure in heads
        ],
        "embedding": [1.0, 0.0],
        "text_lines": None,
        "text_fields": None,
        "barcodes": None,
        **columns,
    }
    return Picture(f"file:///{view}.jpg", view, SHA, described, corrected or {})


def line(text: str) -> dict[str, Any]:
    quad = [5.0, 6.0, 50.0, 6.0, 50.0, 16.0, 5.0, 16.0]
    return {"text": text, "confidence": 0.95, "language": "en", "quad": quad, "height_px": 10.0}


def read_field(name: str, value: str, number: int = 0, **facts: Any) -> dict[str, Any]:
    plain = {"amount": None, "unit": None, "count": None, "confidence": 0.9, "span_start": 0, "span_end": 3}
    return {"name": name, "value": value, "line": number, "evidence": value, **plain, **facts}


def claims(product: FusedProduct, attribute: str) -> dict[tuple[str, str], Claim]:
    return {(claim.source, claim.value): claim for claim in product.claims if claim.attribute == attribute}


def test_all_sources_together_name_the_product_and_each_claim_has_its_evidence(fuse):
    product = fuse(
        title="Men's red cotton t-shirt",
        brand="Nike",
        category="T-Shirts",
        price=Decimal("9.99"),
        pictures=(picture(), picture(1)),
    )
    row = product.row
    assert (row["category"], row["color"], row["gender"], row["brand"]) == (SHIRT, "red", "men", "Nike")
    assert row["category_confidence"] > 0.95
    assert row["category_path_en"] == "Apparel > Topwear > T-shirt"
    assert "T恤" in row["category_path_zh"]
    assert (row["price"], row["image_count"], row["conflicts"]) == (Decimal("9.99"), 2, [])
    assert (row["needs_review"], row["is_publishable"]) == (False, True)
    assert all(word in row["name_en"] for word in ("Nike", "red", "cotton", "T-shirt"))
    assert {source for source, _ in claims(product, "category")} == {"image", "title", "feed"}
    said = claims(product, "color")
    title = said["title", "red"]
    assert title.is_chosen
    assert "Men's red cotton t-shirt"[title.evidence.span_start : title.evidence.span_end] == "red"
    assert said["image", "red"].evidence.image_uri == "file:///0.jpg"
    assert said["image", "red"].evidence.box == BOX
    assert claims(product, "category")["feed", SHIRT].evidence.text == "T-Shirts"


def test_product_without_pictures_is_what_its_texts_say(fuse):
    row = fuse(title="Women's navy blue cotton t-shirt").row
    assert (row["category"], row["color"], row["gender"]) == (SHIRT, "navy blue", "women")
    assert (row["main_image_uri"], row["embedding"], row["image_count"]) == (None, None, 0)
    assert row["quality_score"] is None
    assert not row["is_publishable"], "a shop page needs a picture"


def test_product_without_texts_is_what_its_pictures_show(fuse):
    row = fuse(pictures=(picture(),)).row
    assert (row["category"], row["color"], row["gender"], row["pattern"]) == (SHIRT, "red", "men", "solid")
    assert row["is_publishable"]


def test_product_with_nothing_is_a_row_without_facts(fuse):
    product = fuse()
    assert product.claims == ()
    assert {name for name, value in product.row.items() if value not in (None, [], False)} == {
        "product_id",
        "needs_review",
    }
    assert product.row["image_count"] == 0


def test_picture_that_could_not_be_described_counts_as_picture_only(fuse):
    row = fuse(title="red t-shirt", pictures=(Picture("file:///broken.jpg", 0),)).row
    assert (row["main_image_uri"], row["main_content_sha256"], row["image_count"]) == ("file:///broken.jpg", None, 1)
    assert row["category"] == SHIRT


@pytest.mark.parametrize(
    "text",
    [
        *("", "   ", "\x00\x01\x02", "🎽" * 50, "قميص أحمر للرجال", "T" * 10_000, "a " * 5_000, "\u202eevil\u202c"),
        *("nan", "%s %d {0}", "<script>alert(1)</script>", "\n\r\t", "１００％綿", "赤いTシャツ メンズ"),
    ],
)
def test_odd_texts_never_fail_and_never_silence_the_picture(fuse, text):
    product = fuse(title=text, description=text, brand=text, category=text, pictures=(picture(),))
    assert product.row["category"] is not None
    assert product.row["color"] == "red"
    _batch([product], ["h"])


def test_title_and_picture_that_disagree_are_in_conflict_and_reviewed(fuse):
    row = fuse(title="blue t-shirt for women", pictures=(picture(),)).row
    found = {conflict["attribute"]: conflict for conflict in row["conflicts"]}
    assert set(found) == {"color", "gender"}
    color = found["color"]
    assert {(color["value"], color["source"]), (color["other_value"], color["other_source"])} == {
        ("blue", "title"),
        ("red", "image"),
    }
    assert row["needs_review"]
    assert row["is_publishable"], "a conflict on the color does not hide the product"


def test_conflict_on_the_category_keeps_a_product_from_publishing(fuse):
    row = fuse(title="red shoes", pictures=(picture(),)).row
    assert "category" in {conflict["attribute"] for conflict in row["conflicts"]}
    assert row["needs_review"]
    assert not row["is_publishable"]


def test_guesses_are_in_no_conflict(fuse):
    unsure = picture(categories=((SHOE, 0.4), (SHIRT, 0.3)), heads=(("color", "blue", 0.4), ("gender", "women", 0.4)))
    row = fuse(title="men's red t-shirt", pictures=(unsure,)).row
    assert row["conflicts"] == []
    assert (row["category"], row["gender"]) == (SHIRT, "men")


@pytest.mark.parametrize(
    ("attribute", "one", "other", "agree"),
    [
        ("color", "navy blue", "blue", True),
        ("color", "navy", "navy blue", True),
        ("color", "navy blue", "black", True),  # shops and cameras mix them up
        ("color", "multi", "green", True),
        ("color", "red", "maroon", True),
        ("color", "red", "blue", False),
        ("color", "green", "yellow", False),
        ("category", SHIRT, "apparel/topwear", True),
        ("category", "apparel", SHIRT, True),
        ("category", SHIRT, SHOE, False),
        ("category", "apparel/topwear/top", "apparel/topwear/t-shirt", False),
        ("gender", "men", "unisex", True),
        ("gender", "men", "boys", True),
        ("gender", "men", "women", False),
        ("gender", "boys", "girls", False),
        ("pattern", "floral", "printed", True),
        ("pattern", "solid", "striped", False),
    ],
)
def test_synonyms_parents_and_shades_agree(attribute, one, other, agree):
    assert values_agree(attribute, one, other) is agree
    assert values_agree(attribute, other, one) is agree
    sides = [Claim(attribute, one, 0.9, "title", Evidence("text_span"))]
    sides.append(Claim(attribute, other, 0.9, "image", Evidence("image_region")))
    assert bool(find_conflicts(attribute, one, sides, 0.7)) is not agree


def test_only_words_are_in_conflict_not_what_is_likely_of_such_a_title():
    text = "Casual top"
    likely = TextAttribute("pattern", "solid", 0.95, True, "title", 0, 6, "Casual")
    said = TextAttribute("pattern", "solid", 0.95, True, "title", 0, 5, "Plain")
    striped = picture(heads=(("pattern", "striped", 0.95),))
    for attribute, expected in ((likely, []), (said, ["pattern"])):
        understood = TextUnderstanding(attributes=(attribute,))
        made = _fuse(ProductInput("p", text, pictures=(striped,)), understood, PLAIN_WEIGHTS, load_taxonomy(), RULES)
        assert [conflict["attribute"] for conflict in made.row["conflicts"]] == expected


def test_color_of_the_title_that_the_picture_also_has_is_no_conflict(fuse):
    colors = [{"name": "red", "share": 0.6}, {"name": "blue", "share": 0.3}]
    row = fuse(title="blue t-shirt", pictures=(picture(colors=colors),)).row
    assert row["conflicts"] == []


def test_feed_category_that_the_taxonomy_does_not_know_is_no_claim(fuse):
    product = fuse(category="Summer Sale %% 2026", pictures=(picture(),))
    assert {source for source, _ in claims(product, "category")} == {"image"}


def test_feed_alone_is_enough_for_a_category(fuse):
    row = fuse(category="T恤").row
    assert (row["category"], row["category_source"]) == (SHIRT, "feed")


def test_unsure_types_of_one_category_give_the_category(fuse):
    split = ((SHIRT, 0.4), ("apparel/topwear/shirt", 0.35), (SHOE, 0.2))
    row = fuse(pictures=(picture(categories=split),)).row
    assert row["category"] == "apparel/topwear"
    assert row["category_confidence"] == pytest.approx(0.75, abs=0.1)


def test_nothing_sure_is_no_category_and_a_review(fuse):
    row = fuse(pictures=(picture(categories=((SHIRT, 0.3), (SHOE, 0.3), ("groceries/fruit/apple", 0.2))),)).row
    assert row["category"] is None
    assert 0 < row["category_confidence"] < 0.5
    assert (row["needs_review"], row["is_publishable"]) == (True, False)


def test_attribute_that_makes_no_sense_for_the_category_is_not_claimed(fuse):
    product = fuse(pictures=(picture(categories=(("groceries/vegetables/carrot", 0.95),)),))
    assert product.row["gender"] is None
    assert not claims(product, "gender")
    assert "men" not in product.row["name_en"]


def test_shade_is_named_by_the_title_else_as_measured(fuse):
    blue = picture(color="sky blue", heads=(("color", "blue", 0.9),))
    assert fuse(pictures=(blue,)).row["color"] == "sky blue"
    assert fuse(title="royal blue t-shirt", pictures=(blue,)).row["color"] == "royal blue"


class TestCorrections:
    def test_word_on_the_product_wins_over_everything(self, fuse):
        product = fuse(
            title="blue t-shirt",
            category="T-Shirts",
            pictures=(picture(corrected={"color": "green"}),),
            corrected={"category": SHOE, "color": "black"},
        )
        row = product.row
        assert (row["category"], row["category_confidence"], row["category_source"]) == (SHOE, 1.0, "correction")
        assert (row["color"], row["color_confidence"]) == ("black", 1.0)
        assert [claim.is_chosen for claim in claims(product, "color").values()].count(True) == 1
        assert claims(product, "color")["correction", "black"].evidence.kind == "correction"
        assert claims(product, "color")["title", "blue"].confidence > 0.5, "what was said before stays on record"

    def test_it_settles_the_conflict(self, fuse):
        facts = {"title": "red shoes", "pictures": (picture(),)}
        assert not fuse(**facts).row["is_publishable"]
        settled = fuse(**facts, corrected={"category": SHOE}).row
        assert settled["conflicts"] == []
        assert (settled["needs_review"], settled["is_publishable"]) == (False, True)

    def test_word_on_a_picture_counts_for_its_product(self, fuse):
        product = fuse(pictures=(picture(), picture(1, corrected={"gender": "women"})))
        assert product.row["gender"] == "women"
        assert claims(product, "gender")["correction", "women"].evidence.image_uri == "file:///1.jpg"

    def test_most_pictures_decide_then_the_first(self, fuse):
        def said(*colors):
            views = tuple(picture(view, corrected={"color": color}) for view, color in enumerate(colors))
            return fuse(pictures=views).row["color"]

        assert said("green", "black", "black") == "black"
        assert said("green", "black") == "green"

    def test_it_goes_before_what_texts_and_the_feed_say(self, fuse):
        said = {"brand": "Adidas", "material": "60% linen, 40% cotton", "net_content": "500 ml"}
        product = fuse(title="cotton shirt", brand="Nike", pictures=(picture(),), corrected=said)
        assert product.row["brand"] == "Adidas"
        assert claims(product, "brand")["feed", "Nike"].is_chosen is False
        materials = {key: claim.evidence.share for key, claim in claims(product, "material").items()}
        assert materials["correction", "linen"] == pytest.approx(0.6)
        assert materials["correction", "cotton"] == pytest.approx(0.4)
        assert "60% linen, 40% cotton" in product.row["description_en"]
        assert claims(product, "net_content")["correction", "500 ml"].is_chosen, "nobody else had said anything"

    def test_it_needs_neither_picture_nor_text(self, fuse):
        row = fuse(corrected={"category": SHIRT, "color": "red"}).row
        assert (row["category"], row["color"]) == (SHIRT, "red")


class TestTextOfPictures:
    def test_facts_read_become_claims_with_the_line_they_stand_in(self, fuse):
        pack = picture(
            categories=(("packaged-food/drinks/juice", 0.9),),
            text_lines=[line("Orange Juice"), line("330 ml"), line("€1.99")],
            text_fields=[
                read_field("net_content", "330 ml", 1, amount=330.0, unit="ml"),
                read_field("price", "1.99 EUR", 2, amount=1.99, unit="EUR"),
                read_field("barcode", "4006381333931", None),
            ],
            barcodes=[{"digits": "4006381333931", "format": "ean13", "quad": [0.0] * 8}],
        )
        product = fuse(pictures=(pack,))
        row = product.row
        assert row["text"] == "Orange Juice\n330 ml\n€1.99"
        assert (row["price"], row["currency"], row["barcodes"]) == (Decimal("1.99"), "EUR", ["4006381333931"])
        assert "330 ml" in row["name_en"]
        content = claims(product, "net_content")["ocr", "330 ml"]
        assert content.is_chosen
        assert content.evidence.box == {"x_min": 5.0, "y_min": 6.0, "x_max": 50.0, "y_max": 16.0}
        assert claims(product, "barcode")["ocr", "4006381333931"].evidence.box is None

    def test_feed_goes_before_the_pack(self, fuse):
        pack = picture(
            text_lines=[line("¥45.99")],
            text_fields=[
                read_field("price", "45.99 CNY", amount=45.99, unit="CNY"),
                read_field("brand", "ACME"),
            ],
        )
        same = fuse(price=Decimal("45.99"), brand="Acme Co", pictures=(pack,)).row
        assert (same["price"], same["currency"], same["brand"]) == (Decimal("45.99"), "CNY", "Acme Co")
        other = fuse(price=Decimal("39.00"), pictures=(pack,)).row
        assert (other["price"], other["currency"], other["brand"]) == (Decimal("39.00"), None, "ACME")

    def test_what_is_understood_of_text_in_pictures_points_to_its_line(self, fuse):
        tag = picture(heads=(), color="gray", text_lines=[line("NEW IN"), line("women's cotton jeans")])
        product = fuse(pictures=(tag,))
        said = claims(product, "material")["ocr", "cotton"].evidence
        assert (said.kind, said.image_uri, said.content_sha256) == ("ocr_line", "file:///0.jpg", SHA)
        assert "women's cotton jeans"[said.span_start : said.span_end] == "cotton"

    @pytest.mark.parametrize("price", ["1e400 EUR", "-3 EUR", "12345678901 EUR", "EUR", ""])
    def test_price_that_is_none_is_left_out(self, fuse, price):
        tag = picture(text_lines=[line("x")], text_fields=[read_field("price", price)])
        assert fuse(pictures=(tag,)).row["price"] is None


def test_composition_in_the_description_keeps_its_shares(fuse):
    product = fuse(title="red t-shirt", description="Soft.\nFabric: 60% cotton, 40% polyester")
    said = claims(product, "material")
    cotton, polyester = said["description", "cotton"], said["description", "polyester"]
    assert (cotton.evidence.share, polyester.evidence.share) == (0.6, 0.4)
    text = "Soft.\nFabric: 60% cotton, 40% polyester"
    assert "cotton" in text[cotton.evidence.span_start : cotton.evidence.span_end]
    assert "60% cotton" in product.row["description_en"]


@pytest.mark.parametrize(
    ("shares", "phrase"),
    [
        ({"cotton": 0.6, "linen": 0.4}, "60% cotton, 40% linen"),
        ({"cotton": 0.4, "linen": 0.6}, "60% linen, 40% cotton"),
        ({"cotton": None, "linen": None}, "cotton, linen"),
        ({"cotton": 1.0, "polyester": 1.0}, "cotton, polyester"),  # shell and lining: which is which is not known
    ],
)
def test_composition(shares, phrase):
    said = [Claim("material", name, 0.9, "ocr", Evidence("ocr_line", share=share)) for name, share in shares.items()]
    assert composition(said) == phrase


def test_main_picture_is_the_first_good_one(fuse):
    views = (
        picture(0, quality={"score": 0.05}),
        picture(1, quality={"score": 0.5}),
        picture(2, quality={"score": 0.9}),
    )
    assert fuse(pictures=views).row["main_image_uri"] == "file:///1.jpg"
    dim = fuse(pictures=views[:1]).row
    assert (dim["main_image_uri"], dim["is_publishable"]) == ("file:///0.jpg", False)
    assert fuse(pictures=views[:1], rules=FuseSettings(publish_quality=0.01)).row["is_publishable"]


def test_embedding_is_the_normalised_mean_of_pictures_of_one_network():
    views = [picture(embedding=[1.0, 0.0]), picture(1, embedding=[0.0, 1.0]), picture(2, embedding=[1.0, 2.0, 3.0])]
    assert mean_embedding(views) == pytest.approx([0.5**0.5, 0.5**0.5])
    assert mean_embedding([picture(embedding=None), Picture("file:///x.jpg", 0)]) is None
    opposite = [picture(embedding=[1.0, 0.0]), picture(1, embedding=[-1.0, 0.0])]
    assert mean_embedding(opposite) is None


def test_feed_moves_probabilities_by_its_odds():
    taxonomy = load_taxonomy()
    images = ((SHOE, 0.6), (SHIRT, 0.4))
    after = dict(with_feed(images, SHIRT, 0.9))
    assert sum(after.values()) == pytest.approx(1.0)
    assert after[SHIRT] > 0.98, "of two that pictures waver between, the feed's word settles it"
    assert dict(with_feed(images, "groceries/fruit/apple", 0.9))["groceries/fruit/apple"] < 0.5, (
        "a lone word is doubted"
    )
    unsure = dict(with_feed(((SHOE, 0.5), ("groceries/fruit/apple", 0.2)), SHIRT, 0.9))
    assert unsure[SHIRT] > 0.5, "what pictures leave open, the feed may fill"
    coarse = dict(with_feed((("apparel", 0.8), (SHOE, 0.2)), SHIRT, 0.9))
    assert coarse[SHIRT] > 0.9, "a path above the feed's is not against it"
    assert "apparel" not in coarse
    assert with_feed((), SHIRT, 0.9) == ((SHIRT, 0.9),)
    assert decide_category(images, None, taxonomy, RULES).category == SHOE
    assert decide_category((), None, taxonomy, RULES).confidence is None
    certain = dict(with_feed(((SHIRT, 1.0),), SHIRT, 1.0))
    assert 0.99 < certain[SHIRT] <= 1.0


def test_enrolled_types_below_the_taxonomy_have_its_ancestors():
    taxonomy = load_taxonomy()
    enrolled = "apparel/topwear/tabard"
    assert enrolled not in taxonomy
    assert deepest(((enrolled, 0.9),), taxonomy, 0.5) == (enrolled, 0.9)
    assert deepest(((enrolled, 0.4), (SHIRT, 0.4)), taxonomy, 0.5) == ("apparel/topwear", 0.8)


def test_one_claim_per_attribute_value_and_source():
    weak, strong = (Claim("color", "red", sure, "image", Evidence("palette")) for sure in (0.5, 0.9))
    assert distinct([weak, strong]) == (strong,)


def test_first_view_that_has_a_fact_gives_it():
    views = [
        {
            "view": 1,
            "image_uri": "b",
            "title": "second",
            "description": "d",
            "brand": None,
            "category": "",
            "price": None,
        },
        {"view": 0, "image_uri": "a", "title": "", "description": None, "brand": None, "category": None, "price": None},
    ]
    rest = {"content_sha256": SHA, "corrected": None, "described": None}
    row = {"product_id": "p", "pictures": [{**view, **rest} for view in views], "corrected": None}
    product = product_input(row)
    assert (product.title, product.description, product.brand, product.category) == ("second", "d", None, None)
    assert [picture.image_uri for picture in product.pictures] == ["a", "b"]
    assert product.pictures[0].content_sha256 is None, "a content that is not described is not joined to"


def test_rows_fit_the_tables(fuse):
    product = fuse(title="blue women's shoes", brand="Nike", price=Decimal("1.50"), pictures=(picture(), picture(1)))
    batch = _batch([product], ["h"])
    assert batch.schema == arrow_schema(FUSED_COLUMNS)
    [row] = batch.to_pylist()
    assert row["price"] == Decimal("1.50")
    assert np.linalg.norm(row["embedding"]) == pytest.approx(1.0)
    assert len({(one["attribute"], one["value"], one["source"]) for one in row["claims"]}) == len(row["claims"])
    assert pa.types.is_decimal(batch.schema.field("price").type)
    for column in PRODUCTS.columns:
        assert column.nullable or column.name not in row or row[column.name] is not None


def test_dataclasses_have_the_fields_of_the_contract():
    assert [field.name for field in fields(Evidence)] == [column.name for column in EVIDENCE.fields]
    assert [field.name for field in fields(Conflict)] == [column.name for column in CONFLICT.fields]
