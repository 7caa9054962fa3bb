"""Texts of products: what they say, where they say it, and that no text whatever breaks the reader."""

import math

import pytest

from models.bundle import load_bundle
from models.compose import TEXT_PART
from udfs.text_understanding import MAX_CANDIDATES, ProductText, TextReader, understand

ODD_TEXTS = {
    "empty": "",
    "blank": " \t\n　",
    "10,000 characters": "shirt " * 1667,
    "10,000 characters without a space": "x" * 10_000,
    "10,000 Chinese characters": "裙" * 10_000,
    "control characters": "\x00Men\x07's \x1b[31mred\x1b[0m\x7f shirt\x85",
    "right-to-left": "\u202eקפה שחור\u202c حذاء رجالي أسود",
    "emoji": "😀👩🏽‍🚀🇨🇳🔥",
    "emoji between words": "🔥red👗dress🔥",
    "lone surrogate": "red \ud83d shirt",
    "another script": "Мужская красная рубашка",
    "Korean": "남성 빨간 셔츠",
    "Thai": "เสื้อเชิ้ตสีแดง",
    "digits": "0123456789 0123",
    "punctuation": "!!! --- ??? ...",
    "combining marks": "r\u0301\u0301\u0301e\u0301d" + "\u0301" * 500,
    "ligatures and full width": "ﬁne Ｒｅｄ ｓｈｉｒｔ Ⅷ ㎏",
    "zero width": "r\u200be\u200bd\u200b s\u200dh\u200dirt",
}


@pytest.fixture(scope="module", params=["dictionary", "network"])
def reader(request):
    return TextReader() if request.param == "dictionary" else TextReader(load_bundle(TEXT_PART))


@pytest.mark.parametrize("name", ODD_TEXTS)
def test_no_text_breaks_it(reader, name):
    text = ODD_TEXTS[name]
    for given in (
        ProductText(text),
        ProductText(None, text),
        ProductText(None, None, text),
        ProductText(text, text, text),
    ):
        result = understand([given], reader)[0]
        assert result.status in {"read", "empty"}
        if not result.category_candidates:
            assert result.detail
        assert len(result.category_candidates) <= MAX_CANDIDATES
        assert all(0 < score <= 1 for _, score in result.category_candidates)
        for one in (*result.attributes, *([result.category_evidence] if result.category_evidence else [])):
            assert 0 <= one.confidence <= 1
            source = {"title": given.title, "description": given.description, "ocr": given.ocr_text}[one.source]
            assert one.evidence == source[one.span_start : one.span_end]
            assert one.evidence


@pytest.mark.parametrize("missing", [None, "", "  ", math.nan, 7])
def test_nothing_to_read_is_said(reader, missing):
    result = understand([ProductText(missing, missing, missing)], reader)[0]
    assert result.status == "empty"
    assert "no title" in result.detail
    assert result.category_candidates == result.attributes == ()


@pytest.mark.parametrize("name", ["right-to-left", "another script", "Korean", "Thai", "digits"])
def test_other_languages_claim_nothing(reader, name):
    result = understand([ProductText(ODD_TEXTS[name])], reader)[0]
    assert result.category_candidates == result.attributes == ()
    assert "no Chinese or English words" in result.detail


def test_a_cut_text_says_so(reader):
    assert "only its beginning" in understand([ProductText("shirt " * 1667)], reader)[0].detail
    assert understand([ProductText("red shirt")], reader)[0].detail == ""


@pytest.mark.parametrize(
    ("title", "path", "stated"),
    [
        (
            "Men's navy striped cotton shirt",
            "apparel/topwear/shirt",
            {"gender": "men", "color": "navy blue", "pattern": "striped", "material": "cotton"},
        ),
        (
            "女士碎花连衣裙 纯棉 红色",
            "apparel/dresses-sets/dress",
            {"gender": "women", "pattern": "printed", "material": "cotton", "color": "red"},
        ),
        ("🔥 RED 👗 DRESS 🔥", "apparel/dresses-sets/dress", {"color": "red"}),
        (
            "\x00black\x07 leather\x1f belt",
            "accessories/small-accessories/belt",
            {"color": "black", "material": "leather"},
        ),
        ("男童黑色运动鞋", "footwear/shoes/sports-shoe", {"gender": "boys", "color": "black"}),
    ],
)
def test_titles_are_understood_with_their_evidence(reader, title, path, stated):
    result = understand([ProductText(title)], reader)[0]
    assert result.category_candidates[0][0] == path
    assert result.category_evidence.value == path
    found = {one.attribute: one for one in result.attributes if one.is_stated}
    assert {name: found[name].value for name in stated} == stated
    assert found["color"].evidence.casefold() in title.casefold()


def test_a_claim_names_the_text_it_came_from(reader):
    result = understand(
        [ProductText("Everyday jeans", "Made of denim in dark blue for women.", "100% COTTON")], reader
    )[0]
    sources = {(one.attribute, one.value): one.source for one in result.attributes}
    assert sources[("gender", "women")] == "description"
    assert sources[("material", "cotton")] == "ocr"
    assert result.category_evidence.source == "title"


def test_a_type_that_no_network_learned_is_known_by_its_name(reader):
    result = understand([ProductText("Folding umbrella windproof")], reader)[0]
    assert result.category_candidates[0][0] == "accessories/small-accessories/umbrella"


def test_food_has_no_color_by_its_name(reader):
    result = understand([ProductText("Fresh red onions 1kg")], reader)[0]
    assert not any(one.attribute == "color" and one.is_stated for one in result.attributes)


def test_the_order_of_texts_is_kept(reader):
    texts = [
        ProductText(title)
        for title in ("red shirt", None, "蓝色牛仔裤", "😀", "a very long title of a green dress " * 5)
    ]
    together = understand(texts, reader)
    assert [one.status for one in together] == ["read", "empty", "read", "empty", "read"]
    for text, result in zip(texts, together, strict=True):
        alone = understand([text], reader)[0]
        assert [path for path, _ in alone.category_candidates[:1]] == [
            path for path, _ in result.category_candidates[:1]
        ]


def test_no_texts_give_no_answers(reader):
    assert understand([], reader) == []


def test_a_network_that_fails_leaves_the_dictionary(monkeypatch):
    reader = TextReader(load_bundle(TEXT_PART))

    def fail(*_):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(reader, "run", fail)
    result = understand([ProductText("red shirt")], reader)[0]
    assert result.status == "failed"
    assert "out of memory" in result.detail
    assert result.category_candidates[0][0] == "apparel/topwear/shirt"
