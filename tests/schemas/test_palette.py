"""The palette names colors as shops and people do."""

import re

import numpy as np
import pytest

from schemas.cielab import delta_e, delta_e_of_two, lab_to_rgb, rgb_to_lab
from schemas.palette import FAMILIES, PALETTE, find_color, name_lab, name_pixels

INDEX = {color.name: index for index, color in enumerate(PALETTE)}

# Every color label of the myntra catalogue and the palette color it means.
MYNTRA_COLORS = {
    "Beige": "beige",
    "Black": "black",
    "Blue": "blue",
    "Bronze": "bronze",
    "Brown": "brown",
    "Burgundy": "burgundy",
    "Charcoal": "charcoal",
    "Coffee Brown": "coffee",
    "Copper": "copper",
    "Cream": "cream",
    "Fluorescent Green": "fluorescent green",
    "Gold": "gold",
    "Green": "green",
    "Grey": "gray",
    "Grey Melange": "gray",
    "Khaki": "khaki",
    "Lavender": "lavender",
    "Lime Green": "lime green",
    "Magenta": "magenta",
    "Maroon": "maroon",
    "Mauve": "mauve",
    "Metallic": "silver",
    "Mushroom Brown": "taupe",
    "Mustard": "mustard",
    "Navy Blue": "navy blue",
    "Nude": "nude",
    "Off White": "off white",
    "Olive": "olive",
    "Orange": "orange",
    "Peach": "peach",
    "Pink": "pink",
    "Purple": "purple",
    "Red": "red",
    "Rose": "hot pink",
    "Rust": "rust",
    "Sea Green": "sea green",
    "Silver": "silver",
    "Skin": "nude",
    "Steel": "silver",
    "Tan": "tan",
    "Taupe": "taupe",
    "Teal": "teal",
    "Turquoise Blue": "turquoise",
    "White": "white",
    "Yellow": "yellow",
}


def test_entries_are_complete_and_unambiguous():
    words = [word for color in PALETTE for word in (color.name, color.name_zh, *color.synonyms)]
    assert len(words) == len(set(words)), sorted(word for word in words if words.count(word) > 1)
    assert {color.family for color in PALETTE} == set(FAMILIES)
    for color in PALETTE:
        assert re.fullmatch(r"#[0-9a-f]{6}", color.hex), color
        assert re.search(r"[\u4e00-\u9fff]", color.name_zh), color


@pytest.mark.parametrize(("label", "name"), MYNTRA_COLORS.items())
def test_catalog_labels_are_known_words(label, name):
    color = find_color(label)
    assert color is not None
    assert color.name == name


@pytest.mark.parametrize(
    ("word", "name"), [("GREY", "gray"), ("Off-White", "off white"), ("酒红色", "burgundy"), ("藏青色", "navy blue")]
)
def test_words_are_found_in_either_language_and_spelling(word, name):
    assert find_color(word).name == name


def test_a_word_that_is_no_color_is_not_found():
    assert find_color("Multi") is None
    assert find_color("") is None


def test_every_palette_color_names_itself():
    assert name_lab([color.lab for color in PALETTE]).tolist() == list(range(len(PALETTE)))
    for color in PALETTE:
        assert rgb_to_lab(color.rgb) == pytest.approx(np.array(color.lab))


def test_lookup_table_agrees_with_exact_naming():
    pixels = np.random.default_rng(3).integers(0, 256, (4000, 3), dtype=np.uint8)
    exact = delta_e(rgb_to_lab(pixels)[:, None], np.array([color.lab for color in PALETTE]), 2.0).argmin(axis=1)
    agreement = (name_pixels(pixels) == exact).mean()
    assert agreement > 0.9
    nearest = np.array([PALETTE[index].lab for index in name_pixels(pixels)])
    best = np.array([PALETTE[index].lab for index in exact])
    lab = rgb_to_lab(pixels)
    # Where the table errs, it errs at a border between two names.
    assert np.max(delta_e(lab, nearest, 2.0) - delta_e(lab, best, 2.0)) < 6


@pytest.mark.parametrize(
    ("hexcode", "family"),
    [
        ("#000000", "black"),
        ("#ffffff", "white"),
        ("#ff0000", "red"),
        ("#00ff00", "green"),
        ("#0000ff", "blue"),
        ("#ffff00", "yellow"),
        ("#ff8000", "orange"),
        ("#8b4513", "brown"),
        ("#800080", "purple"),
        ("#ffc0cb", "pink"),
        ("#f5f5dc", "beige"),
        ("#777777", "gray"),
        ("#001f5b", "blue"),
        ("#f5deb3", "beige"),
    ],
)
def test_textbook_colors_get_their_basic_term(hexcode, family):
    pixel = np.array([[int(hexcode[i : i + 2], 16) for i in (1, 3, 5)]], dtype=np.uint8)
    assert PALETTE[name_pixels(pixel)[0]].family == family


def test_a_gray_ladder_runs_from_black_to_white_without_a_tint():
    levels = np.repeat(np.arange(0, 256, 5, dtype=np.uint8)[:, None], 3, axis=1)
    families = [PALETTE[index].family for index in name_pixels(levels)]
    assert [family for i, family in enumerate(families) if i == 0 or family != families[i - 1]] == [
        "black",
        "gray",
        "white",
    ]


# From the supplementary test data of Sharma, Wu and Dalal (2005): pairs that catch the usual mistakes.
@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, -1.3802, -84.2814), (50.0, 0.0, -82.7485), 1.0000),
        ((50.0, 2.5, 0.0), (50.0, 0.0, -2.5), 4.3065),
        ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_delta_e_matches_published_values(first, second, expected):
    assert delta_e(first, second) == pytest.approx(expected, abs=1e-4)
    assert delta_e(second, first) == pytest.approx(expected, abs=1e-4)


def test_delta_e_of_two_is_delta_e():
    colors = np.random.default_rng(5).uniform((0, -90, -90), (100, 90, 90), (400, 2, 3))
    # Neutral, and hues on both sides of the turn.
    edges = [((50, 0, 0), (60, 10, 5)), ((50, 20, -1), (50, 20, 1)), ((40, -9, 0), (41, 9, 0)), ((3, 2, 1), (3, 2, 1))]
    for first, second in [*colors, *np.array(edges, float)]:
        assert delta_e_of_two(first, second) == pytest.approx(float(delta_e(first, second)), abs=1e-9)


def test_lab_conversion_is_reversible():
    pixels = np.random.default_rng(0).integers(0, 256, (500, 3))
    assert (lab_to_rgb(rgb_to_lab(pixels)) == pixels).all()
