"""Products get the color name a shopper would give them."""

import json

import numpy as np
import pytest
from skimage.color import rgb2lab

from schemas.palette import PALETTE, find_color
from tests.udfs.scenes import product_on, shared_rows
from udfs.color import describe_color
from udfs.segment import find_product

FAMILY = {color.name: color.family for color in PALETTE}


@pytest.mark.parametrize(
    ("rgb", "family"),
    [
        ((200, 30, 40), "red"),
        ((30, 30, 32), "black"),
        ((245, 245, 245), "white"),
        ((130, 130, 132), "gray"),
        ((30, 60, 160), "blue"),
        ((25, 35, 75), "blue"),
        ((40, 130, 60), "green"),
        ((245, 210, 50), "yellow"),
        ((240, 125, 30), "orange"),
        ((110, 50, 140), "purple"),
        ((245, 150, 180), "pink"),
        ((105, 65, 35), "brown"),
        ((215, 200, 170), "beige"),
    ],
)
def test_plain_products_are_named_through_shading_and_noise(rgb, family):
    pixels, mask = product_on((120, 140, 150), rgb, "bottle")
    description = describe_color(pixels, mask)
    assert FAMILY[description.color] == family
    assert description.confidence > 0.6
    assert description.colors[0].share > 0.8


def test_two_colors_are_reported_with_their_shares():
    pixels = np.zeros((200, 200, 3), np.uint8)
    pixels[:, :130] = (30, 60, 160)
    pixels[:, 130:] = (245, 210, 50)
    description = describe_color(pixels, np.ones((200, 200), bool))
    assert FAMILY[description.color] == "blue"
    assert [FAMILY[color.name] for color in description.colors] == ["blue", "yellow"]
    assert sum(color.share for color in description.colors) == pytest.approx(1, abs=0.02)
    assert description.colors[0].share > description.colors[1].share > 0.1
    assert description.confidence < 0.85


def test_values_of_a_color_belong_together():
    pixels, mask = product_on((255, 255, 255), (200, 90, 30), "bag")
    for color in describe_color(pixels, mask).colors:
        rgb = np.array([[[int(color.hex[i : i + 2], 16) for i in (1, 3, 5)]]], dtype=np.uint8)
        assert (color.lab_l, color.lab_a, color.lab_b) == pytest.approx(rgb2lab(rgb)[0, 0], abs=1.0)
        assert find_color(color.name_zh).name == color.name


def test_the_color_does_not_depend_on_the_backdrop():
    names = set()
    for backdrop in [(255, 255, 255), (30, 30, 30), (220, 30, 30)]:
        pixels, mask = product_on(backdrop, (40, 130, 60), "bag")
        names.add(describe_color(pixels, mask).color)
    assert len(names) == 1


def test_bare_arms_do_not_make_a_shirt_skin_colored():
    skin = (224, 172, 140)
    pixels = np.full((256, 192, 3), 255, np.uint8)
    pixels[20:250, 20:172] = skin
    pixels[70:220, 40:152] = (40, 90, 160)
    mask = (pixels != 255).any(axis=2)
    assert FAMILY[describe_color(pixels, mask).color] == "blue"


def test_a_product_of_the_color_of_skin_keeps_its_color():
    pixels, mask = product_on((255, 255, 255), (214, 160, 120), "bag")
    assert FAMILY[describe_color(pixels, mask).color] in {"brown", "beige"}


def test_the_same_pixels_give_the_same_description():
    pixels = np.random.default_rng(0).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    mask = np.ones((128, 128), bool)
    assert describe_color(pixels, mask) == describe_color(pixels.copy(), mask.copy())


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("fill", [True, False])
def test_degenerate_pictures_have_a_color(degenerate, fill):
    description = describe_color(degenerate, np.full(degenerate.shape[:2], fill))
    assert description.color in FAMILY
    assert description.colors
    assert 0 < description.confidence <= 1
    assert 0 < sum(color.share for color in description.colors) <= 1.0001
    json.dumps([vars(color) for color in description.colors], allow_nan=False)


def test_real_products_get_the_family_of_their_label():
    agrees = []
    for pixels, row in shared_rows("myntra224", "val", 300):
        labelled = find_color(row["color"])
        if labelled is not None:
            found = describe_color(pixels, find_product(pixels).mask)
            agrees.append(FAMILY[found.color] == labelled.family)
    assert np.mean(agrees) > 0.58
