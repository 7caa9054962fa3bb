"""Pictures and texts pooled: agreement strengthens, a missing side changes nothing, confidence stays a probability."""

import pytest

from udfs.fusion import PLAIN_WEIGHTS, FusionWeights, HeadWeights, fuse_attribute, fuse_category

SHIRT, DRESS, BOOT = "apparel/topwear/shirt", "apparel/dresses-sets/dress", "footwear/boots/boot"
WEIGHTS = FusionWeights(
    heads={
        "category": HeadWeights(labels=50, image=0.5, text=0.9, image_floor=0.05, text_floor=0.05),
        "color": HeadWeights(labels=30, image=0.4, text=1.0),
    }
)


def test_sides_that_agree_are_surer_than_either():
    pooled = fuse_category([[(SHIRT, 0.6), (DRESS, 0.3)]], [(SHIRT, 0.7), (BOOT, 0.1)], PLAIN_WEIGHTS)
    assert pooled[0][0] == SHIRT
    assert pooled[0][1] > 0.7


def test_without_text_the_pictures_decide_as_before():
    image = [(SHIRT, 0.6), (DRESS, 0.3), (BOOT, 0.05)]
    for text in (None, ()):
        assert [path for path, _ in fuse_category([image], text, WEIGHTS)] == [SHIRT, DRESS, BOOT]
    assert dict(fuse_category([image], None, WEIGHTS)) == pytest.approx(dict(image), abs=1e-6)


def test_without_pictures_the_text_decides():
    assert fuse_category([], [(BOOT, 0.8), (SHIRT, 0.1)], WEIGHTS)[0][0] == BOOT
    assert fuse_category([[]], [(BOOT, 0.8)], WEIGHTS)[0][0] == BOOT


def test_without_anything_there_is_no_answer():
    assert fuse_category([], None, WEIGHTS) == ()
    assert fuse_attribute("color", [], None, WEIGHTS) == ()


def test_what_one_side_never_named_is_not_impossible():
    pooled = dict(fuse_category([[(SHIRT, 1.0)]], [(DRESS, 0.99)], WEIGHTS))
    assert pooled[DRESS] > 0.1


def test_several_views_count_as_one_picture_and_outvote_a_stray_one():
    one, three = [(SHIRT, 0.6), (DRESS, 0.3)], [[(SHIRT, 0.6), (DRESS, 0.3)]] * 3
    assert dict(fuse_category([one], None, WEIGHTS)) == pytest.approx(dict(fuse_category(three, None, WEIGHTS)))
    assert fuse_category([one, one, [(BOOT, 0.5), (SHIRT, 0.3)]], None, WEIGHTS)[0][0] == SHIRT


def test_a_text_that_names_only_the_department_helps_what_lies_below():
    pooled = fuse_category([[(SHIRT, 0.45), (BOOT, 0.4)]], [("footwear", 0.9)], WEIGHTS)
    assert pooled[0][0] == BOOT
    assert "footwear" not in dict(pooled)


def test_a_clear_word_wins_over_a_doubtful_picture():
    assert fuse_attribute("color", [("black", 0.5)], ("navy blue", 0.95), WEIGHTS)[0][0] == "navy blue"
    assert fuse_attribute("color", [("black", 0.9), ("black", 0.8)], ("navy blue", 0.3), PLAIN_WEIGHTS)[0][0] == "black"


@pytest.mark.parametrize("head", ["color", "material"])
def test_probabilities_never_exceed_one(head):
    for confidence in (0.0, 1e-9, 0.5, 1.0):
        found = fuse_attribute(head, [("red", confidence), ("blue", 1.0)], ("red", confidence), WEIGHTS)
        assert sum(score for _, score in found) <= 1 + 1e-9
        assert all(0 <= score <= 1 for _, score in found)


def test_a_bias_moves_what_both_sides_leave_open():
    biased = FusionWeights(heads={"color": HeadWeights(labels=30, bias={"blue": 1.0})})
    assert fuse_attribute("color", [("red", 0.5)], ("blue", 0.5), biased)[0][0] == "blue"
