"""The attribute dictionary is consistent, knows what models and text parsers say, and finds what people call things."""

from __future__ import annotations

import json

import pytest

from models.bundle import SHIPPED_BUNDLE
from schemas.attributes import ATTRIBUTES_FILE, AttributeDictionaryError, load_attributes, parse_attributes
from schemas.palette import PALETTE
from schemas.taxonomy import LANGUAGES, load_taxonomy
from udfs.pattern import PATTERNS
from udfs.text_materials import CARE, MATERIALS


def entry(value: str, **changes: object) -> dict[str, object]:
    return {
        "value": value,
        "name": {"en": value, "zh": f"{value}的"},
        "synonyms": {"en": [], "zh": []},
        **changes,
    }


def document(*values: dict[str, object], **changes: object) -> dict[str, object]:
    attribute = {"name": "pattern", "label": {"en": "Pattern", "zh": "图案"}, "public_name": "pattern"}
    return {"version": "1", "attributes": [{**attribute, "values": list(values), **changes}]}


def test_every_label_of_the_shipped_heads_is_a_value_or_a_word_for_one() -> None:
    heads = json.loads((SHIPPED_BUNDLE / "manifest.json").read_text(encoding="utf-8"))["tasks"][0]["heads"]
    assert {head["name"] for head in heads} <= set(load_attributes().names)
    for head in heads:
        for label in json.loads((SHIPPED_BUNDLE / head["labels_file"]).read_text(encoding="utf-8")):
            assert load_attributes().find(head["name"], label) is not None, (head["name"], label)


def test_what_measures_and_text_parsers_say_is_listed() -> None:
    dictionary = load_attributes()
    assert set(PATTERNS) <= set(dictionary.values("pattern"))
    assert {color.name for color in PALETTE} <= set(dictionary.values("color"))
    for attribute, table in (("material", MATERIALS), ("care", CARE)):
        for value, words in table.items():
            assert value in dictionary.values(attribute)
            chinese = [word for word in words if not word.isascii() and "\u4e00" <= word[0] <= "\u9fff"]
            known = [word for word in chinese if dictionary.find(attribute, word) is not None]
            assert {dictionary.find(attribute, word) for word in known} <= {value}
            assert known or not chinese


def test_every_value_has_names_in_both_languages() -> None:
    dictionary = load_attributes()
    for attribute in dictionary.names:
        assert all(dictionary.label(attribute, language).strip() for language in LANGUAGES)
        for value in dictionary.values(attribute):
            assert dictionary.name(attribute, value, "en").isascii()
            assert not dictionary.name(attribute, value, "zh").isascii()


@pytest.mark.parametrize(
    ("attribute", "term", "value"),
    [
        ("color", "Navy", "navy blue"),
        ("color", "Off-White", "off white"),
        ("color", "dark grey", "charcoal"),
        ("color", "海军蓝", "navy blue"),
        ("color", "multicolour", "multi"),
        ("pattern", "Polka-Dot", "dotted"),
        ("pattern", "格子", "checked"),
        ("gender", "Men's", "men"),
        ("gender", "女童", "girls"),
        ("season", "Autumn", "fall"),
        ("material", "spandex", "elastane"),
        ("material", "纯棉", "cotton"),
        ("usage", "商务", "formal"),
        ("material", "unobtainium", None),
        ("brand", "Nike", None),
    ],
)
def test_find(attribute: str, term: str, value: str | None) -> None:
    assert load_attributes().find(attribute, term) == value


def test_find_can_be_kept_to_a_language() -> None:
    assert load_attributes().find("season", "冬季", "zh") == "winter"
    assert load_attributes().find("season", "冬季", "en") is None


def test_a_term_may_mean_several_things() -> None:
    meanings = [(meaning.attribute, meaning.value) for meaning in load_attributes().meanings("steel")]
    assert meanings == [("color", "silver"), ("material", "stainless steel")]
    assert load_attributes().meanings("quantum") == ()


def test_broader_and_narrower_values_agree() -> None:
    dictionary = load_attributes()
    assert dictionary.agree("color", "navy", "blue")
    assert dictionary.agree("pattern", "printed", "floral")
    assert dictionary.agree("material", "merino", "wool")
    assert not dictionary.agree("color", "navy blue", "sky blue")
    assert not dictionary.agree("pattern", "striped", "checked")
    assert dictionary.agree("brand", "Nike", "Nike")


def test_attributes_apply_where_they_make_sense() -> None:
    dictionary = load_attributes()
    assert dictionary.applies("gender", "apparel/topwear/shirt")
    assert not dictionary.applies("gender", "groceries/vegetables/carrot")
    assert not dictionary.applies("gender", None)
    assert dictionary.applies("color", None)
    taxonomy = load_taxonomy()
    for name in dictionary.names:
        assert all(path in taxonomy for path in dictionary.attribute(name).applies_to)


def test_public_names() -> None:
    dictionary = load_attributes()
    assert dictionary.public("gender", "boys") == {"gender": "male", "age_group": "kids"}
    assert dictionary.public("color", "navy blue") == {"color": "navy blue"}
    assert dictionary.public("season", "summer") == {"product_detail": "General:Season:summer"}
    assert dictionary.public("barcode", "6901234567892") == {"gtin": "6901234567892"}


def test_unknown_names_are_named() -> None:
    with pytest.raises(AttributeDictionaryError, match="smell"):
        load_attributes().values("smell")
    with pytest.raises(AttributeDictionaryError, match="stripy"):
        load_attributes().value("pattern", "stripy")
    assert load_attributes().name("brand", "Nike", "zh") == "Nike"


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (document(entry("a"), entry("a")), "twice"),
        (document(entry("a", synonyms={"en": ["x"], "zh": []}), entry("b", synonyms={"en": ["X"], "zh": []})), "'X'"),
        (document(entry("a", broader="b")), "broader 'b'"),
        (document(entry("a", broader="a")), "broader 'a'"),
        (document(entry("a", name={"en": "a"})), "lacks a name"),
        (document(), "no values"),
        (document(entry("a", color="red")), "wrong entry"),
        ({"attributes": []}, "lacks 'version'"),
    ],
)
def test_an_inconsistent_dictionary_is_refused(broken: dict[str, object], message: str) -> None:
    with pytest.raises(AttributeDictionaryError, match=message):
        parse_attributes(broken)


def test_the_file_repeats_no_color_of_the_palette() -> None:
    colors = next(
        attribute
        for attribute in json.loads(ATTRIBUTES_FILE.read_text(encoding="utf-8"))["attributes"]
        if attribute["name"] == "color"
    )
    palette = {word for color in PALETTE for word in (color.name, color.name_zh, *color.synonyms)}
    assert not any(value["value"] in palette or value["name"]["zh"] in palette for value in colors["values"])
