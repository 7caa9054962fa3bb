"""Texts in pieces: units with their places, dictionary terms, and numbers for the network."""

import numpy as np
import pytest

from models.text_augment import augmented, misread, without_terms
from models.text_encoding import Encoder, ProductText, padded, read_passages
from models.text_templates import template_rows
from models.text_terms import load_lexicon
from models.text_units import split_units
from schemas.taxonomy import load_taxonomy


def found(text):
    units = split_units(text)
    return {text[term.start : term.end]: {one.key for one in term.concepts} for term in load_lexicon().find(units)}


def test_units_say_where_they_stand_in_the_text_as_given():
    text = "Café  Men's\u200b T‐Shirt，纯棉Ｔ恤 №5"
    for unit in split_units(text):
        assert unit.start < unit.end <= len(text)
    pieces = [(unit.text, text[unit.start : unit.end]) for unit in split_units(text)]
    assert ("cafe", "Café") in pieces
    assert ("mens", "Men's") in pieces
    assert ("t", "Ｔ") in pieces
    assert [text for text, _ in pieces if text in "纯棉恤"] == ["纯", "棉", "恤"]


def test_ascii_and_other_texts_are_cut_alike():
    plain = "Women's slim-fit jeans 32/34, 98% cotton"
    assert [one.text for one in split_units(plain)] == [one.text for one in split_units(plain + " ✓")]


@pytest.mark.parametrize("text", ["", "   ", "\x00\x07\x1b", "😀👍🏽", "…—!?", "\ud800", "\u202e\u200f"])
def test_text_without_letters_has_no_units(text):
    assert split_units(text) == []


def test_accents_composed_and_combined_are_the_same_word():
    assert split_units("caf\u00e9")[0].text == split_units("cafe\u0301")[0].text == "cafe"


def test_korean_and_kana_stay_whole():
    assert [one.text for one in split_units("한국어 ガ")] == ["한국어", "ガ"]


def test_the_limit_ends_the_reading():
    assert len(split_units("word " * 100, 7)) == len(split_units("字" * 100, 7)) == 7


def test_terms_of_both_languages_mean_the_same():
    assert found("navy t-shirts for women") == {
        "navy": {"color=navy blue"},
        "t-shirts": {"category=apparel/topwear/t-shirt"},
        "women": {"gender=women"},
    }
    assert found("女士藏青色T恤") == {
        "女士": {"gender=women"},
        "藏青色": {"color=navy blue"},
        "T恤": {"category=apparel/topwear/t-shirt"},
    }


def test_the_longest_term_wins():
    assert found("orange juice") == {"orange juice": {"category=packaged-food/drinks/juice"}}
    assert "grey" in found("grey dresses")
    assert "dresses" in found("grey dresses")


def test_a_term_is_never_part_of_a_word():
    assert found("predressed redo shirtless") == {}


def test_every_concept_has_a_number_of_its_own():
    lexicon = load_lexicon()
    encoder = Encoder(64, 8, [one.key for one in lexicon.concepts])
    english = encoder.encode(read_passages(ProductText("dress"), lexicon, 10))
    chinese = encoder.encode(read_passages(ProductText("连衣裙"), lexicon, 10))
    shared = set(english.ids[0].tolist()) & set(chinese.ids[0].tolist()) - {0}
    assert any(number > 64 for number in shared)
    assert max(english.ids.max(), chinese.ids.max()) < encoder.vocabulary


def test_numbers_do_not_depend_on_what_stands_beside_them():
    lexicon = load_lexicon()
    encoder = Encoder(64, 8, ())
    both = [encoder.encode(read_passages(ProductText(one), lexicon, 9)) for one in ("red shirt", "a b c d red shirt")]
    ids, segments = padded(both, 8)
    assert ids.shape == (2, 6, 8)
    assert (ids[0, :2] == ids[1, 4:]).all()
    assert segments.tolist() == [[1, 1, 0, 0, 0, 0], [1] * 6]


def test_all_texts_share_the_units():
    passages = read_passages(ProductText("a " * 90, "b " * 90, "c " * 90), load_lexicon(), 60)
    assert sum(len(one.units) for one in passages) == 60
    assert [(one.source, len(one.units)) for one in passages] == [("title", 36), ("description", 14), ("ocr", 10)]
    assert all(one.is_cut for one in passages)
    assert [one.source for one in read_passages(ProductText("a", None, "c " * 90), load_lexicon(), 60)] == [
        "title",
        "ocr",
    ]


def test_templates_say_what_their_labels_say():
    rows = template_rows(800, 5)
    taxonomy = load_taxonomy()
    assert all(row.category in taxonomy for row in rows)
    assert {row.split for row in rows} == {"train", "val"}
    texts = [" ".join([row.title, row.description, *row.attributes["texts"]]) for row in rows]
    assert all(text.strip() for text in texts)
    chinese = [any("\u4e00" <= one <= "\u9fff" for one in text) for text in texts]
    assert 0.3 < np.mean(chinese) < 0.7
    for row, text in zip(rows, texts, strict=True):
        if row.color:
            meanings = {key for keys in found(text).values() for key in keys}
            assert any(key.startswith(("color=", "material=")) for key in meanings), text
    assert template_rows(20, 5) == rows[:20]


def test_augmented_text_keeps_its_language_mostly_and_never_gets_lost():
    rng = np.random.default_rng(0)
    given = ProductText("Puma Men Navy Blue Shirt", "A navy blue shirt.", "PUMA 100% cotton")
    for _ in range(200):
        changed = augmented(given, rng)
        assert any([changed.title, changed.description, changed.ocr_text])
    assert any(augmented(given, rng).title != given.title for _ in range(20))


def test_words_for_the_type_can_be_taken_out():
    assert without_terms("Puma Men Navy Blue Shirts", "category") == "Puma Men Navy Blue"
    assert without_terms("女士红色连衣裙", "category") == "女士红色"


def test_misreading_changes_few_letters():
    rng = np.random.default_rng(0)
    text = "Freshly squeezed orange juice"
    readings = [misread(text, rng) for _ in range(50)]
    assert any(one != text for one in readings)
    assert all(abs(len(one) - len(text)) < 8 for one in readings)
