"""Tokens and search documents."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from udfs.search_documents import SearchableProduct, search_documents
from udfs.search_tokens import tokens


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("shoe", "Running Shoes"),
        ("T-shirt", "tshirts for men"),
        ("t shirt", "T-Shirts"),
        ("cafe", "Café au lait"),
        ("women", "Women's dress"),
        ("women’s", "for women"),
        ("dress", "Summer dresses"),
        ("batteries", "a battery"),
        ("1.5L", "Wasser １．５Ｌ"),
        ("WH-1000XM4", "Sony wh1000xm4"),
        ("鞋", "红色运动鞋"),
        ("运动鞋", "女式运动鞋 透气"),
        ("牛奶250ml", "250ML 纯牛奶"),
        ("ガム", "キシリトールガム"),
    ],
)
def test_query_finds_text(query, text):
    assert set(tokens(query)) & set(tokens(text))


@pytest.mark.parametrize(("query", "text"), [("1.5l", "15l"), ("glass", "glove"), ("红色", "色红"), ("shirt", "short")])
def test_query_does_not_find_text(query, text):
    assert not set(tokens(query)) - {"红", "色"} & set(tokens(text))


def test_nothing_gives_no_tokens():
    assert tokens(None) == tokens("") == tokens(" – !? ") == []


def test_no_token_is_endless():
    assert max(map(len, tokens("x" * 5000))) <= 64


PRODUCT: dict[str, Any] = {
    "product_id": "p1",
    "title": "Acme running shoes 运动鞋",
    "brand": "Acme",
    "name_en": "Red Acme Sports Shoes",
    "name_zh": "Acme红色运动鞋",
    "description_en": "Red sports shoes for men.",
    "description_zh": "男士红色运动鞋。",
    "category": "footwear/shoes/sports-shoes",
    "category_confidence": 0.9,
    "category_path_en": "Footwear > Shoes > Sports Shoes",
    "category_path_zh": "鞋类 > 鞋 > 运动鞋",
    "color": "red",
    "pattern": "solid",
    "shape": None,
    "gender": "men",
    "season": None,
    "usage": "sports",
    "price": Decimal("59.90"),
    "currency": None,
    "main_image_uri": "file:///shop/1.jpg",
    "text": "ACME 42",
    "barcodes": ["4006381333931"],
    "quality_score": 0.8,
    "needs_review": False,
    "is_publishable": True,
}


def documents(**changes: Any):
    claims = [("color", "red"), ("material", "leather"), ("category", "footwear/shoes/sports-shoes"), ("size", "42")]
    return {
        document.language: document for document in search_documents(SearchableProduct({**PRODUCT, **changes}, claims))
    }


def test_one_document_per_language_with_names_in_it():
    made = documents()
    assert set(made) == {"en", "zh"}
    assert made["en"].name == "Red Acme Sports Shoes"
    assert made["zh"].category_path == "鞋类 > 鞋 > 运动鞋"
    labels = {entry["attribute"]: entry["label"] for entry in made["zh"].attributes}
    assert labels["color"] == "红色"
    assert labels["material"] != "leather"
    assert {entry["value"] for entry in made["zh"].attributes} == {entry["value"] for entry in made["en"].attributes}


def test_words_of_all_fields_are_found():
    made = documents()
    for word in ("shoe", "acme", "红色", "leather", "42", "4006381333931", "men"):
        assert word in made["en"].tokens or word in made["zh"].tokens
    assert made["en"].tokens == sorted(set(made["en"].tokens))
    boosts = {field["field"]: field["boost"] for field in made["en"].fields}
    assert boosts["name"] > boosts["attributes"] > boosts["text"]


def test_facets_count_each_level_of_the_category_and_are_the_same_in_all_languages():
    made = documents()
    assert made["en"].facets == made["zh"].facets
    assert {
        "category=footwear",
        "category=footwear/shoes",
        "category=footwear/shoes/sports-shoes",
        "color=red",
        "material=leather",
        "brand=Acme",
    } <= set(made["en"].facets)


def test_product_of_which_nothing_is_known_still_has_its_title():
    unknown = {name: None for name in PRODUCT if name not in ("product_id", "title", "needs_review", "is_publishable")}
    made = {document.language: document for document in search_documents(SearchableProduct({**PRODUCT, **unknown}, []))}
    assert made["en"].facets == []
    assert [field["field"] for field in made["en"].fields] == ["title"]
    assert "running" in made["en"].tokens
