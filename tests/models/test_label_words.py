"""Spelling: which known word was meant, and which labels are one label spelt twice."""

from __future__ import annotations

import pytest

from models.label_words import alike, edit_distance, known_words, nearest


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [
        ("shirt", "shirt", 0),
        ("shirt", "shrit", 1),
        ("shirt", "shirts", 1),
        ("shirt", "skirt", 1),
        ("kitten", "sitting", 3),
        ("", "abc", 3),
        ("ca", "abc", 3),
    ],
)
def test_edit_distance(one, other, distance):
    assert edit_distance(one, other, 5) == edit_distance(other, one, 5) == distance


def test_far_words_are_not_worked_out():
    assert edit_distance("abcdefgh", "zyxwvuts", 2) == 3
    assert edit_distance("a", "abcdef", 2) == 3


def test_the_word_that_was_meant_is_found():
    assert nearest("Tshrit", known_words(None)) == "tshirt"
    assert nearest("Aple", known_words(None)) == "apple", "not ale, which is as near"
    assert nearest("Yelow", known_words("color")) == "yellow"
    assert nearest("woman's", known_words("gender")) in {"woman", "women"}
    assert nearest("zyxwv qqq", known_words(None)) is None
    assert nearest("ab", ["xy"]) is None


def test_one_label_spelt_twice_is_noticed():
    found = alike({"T-Shirt": 40, "t shirts": 30, "Trousers": 90, "Trouserss": 2, "Skirt": 50, "Shirt": 60})
    assert [(one.label, one.other, one.same_words) for one in found] == [
        ("Trouserss", "Trousers", False),
        ("t shirts", "T-Shirt", True),
    ]


def test_a_rare_spelling_beside_a_common_one_is_noticed_and_two_common_ones_are_not():
    found = alike({"Sour-Milk": 35, "Soy-Milk": 70, "Aubergine": 100, "Aubregine": 3})
    assert [(one.label, one.images, one.other, one.other_images) for one in found] == [
        ("Aubregine", 3, "Aubergine", 100)
    ]
