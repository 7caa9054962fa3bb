"""Corrections repair what is wrong and leave alone what is right."""

import numpy as np
import pytest

from schemas.cielab import rgb_to_lab
from schemas.palette import PALETTE
from tests.udfs.scenes import product_on, shared_rows
from udfs.color import describe_color
from udfs.preprocess import enhance
from udfs.quality import measure_quality
from udfs.segment import find_product

FAMILY = {color.name: color.family for color in PALETTE}


@pytest.fixture
def picture():
    return product_on((248, 248, 248), (60, 90, 160), "bag")


def tint(pixels, gains):
    return np.clip(((pixels / 255) ** 2.2 * gains) ** (1 / 2.2) * 255, 0, 255).astype(np.uint8)


def veil(pixels):
    return (pixels * 0.35 + 110).astype(np.uint8)


def dim(pixels):
    return (pixels * 0.4).astype(np.uint8)


def test_a_good_picture_is_returned_as_it_is(picture):
    pixels, _ = picture
    enhanced = enhance(pixels, measure_quality(pixels))
    assert enhanced.pixels is enhanced.colored is pixels
    assert enhanced.applied == ()


@pytest.mark.parametrize("gains", [(1.0, 0.88, 0.68), (0.75, 0.9, 1.0)], ids=["yellow light", "blue light"])
def test_a_cast_on_a_white_backdrop_is_removed(gains):
    pixels, mask = product_on((248, 248, 248), (150, 110, 85), "bag")
    tinted = tint(pixels, gains)
    enhanced = enhance(tinted, measure_quality(tinted))
    balanced, applied = enhanced.pixels, enhanced.applied
    assert applied == ("white_balance",)
    # Hue and chroma come back; how bright the picture is stays as it was.
    truth = rgb_to_lab(pixels[mask].mean(axis=0))
    before, after = (np.linalg.norm((rgb_to_lab(p[mask].mean(axis=0)) - truth)[1:]) for p in (tinted, balanced))
    assert after < 0.35 * before


@pytest.mark.parametrize("backdrop", [(250, 200, 215), (120, 170, 90), (40, 60, 120)])
def test_a_colored_backdrop_is_not_taken_for_bad_light(backdrop):
    pixels, _ = product_on(backdrop, (60, 90, 160), "bag")
    assert "white_balance" not in enhance(pixels, measure_quality(pixels)).applied


@pytest.mark.parametrize("harm", [veil, dim])
def test_low_contrast_is_stretched(picture, harm):
    pixels, _ = picture
    flat = harm(pixels)
    enhanced = enhance(flat, measure_quality(flat))
    assert enhanced.applied == ("contrast",)
    assert measure_quality(enhanced.pixels).contrast > 1.5 * measure_quality(flat).contrast


@pytest.mark.parametrize("harm", [veil, dim])
def test_a_white_backdrop_in_weak_light_makes_colors_strong_again(harm):
    pixels, mask = product_on((254, 254, 254), (40, 70, 190), "bag")
    enhanced = enhance(harm(pixels), measure_quality(harm(pixels)))
    assert enhanced.colored is enhanced.pixels
    assert describe_color(enhanced.colored, mask).color == describe_color(pixels, mask).color


def test_a_muted_color_before_a_muted_backdrop_keeps_its_name():
    pixels, mask = product_on((150, 128, 104), (183, 146, 112), "bag")
    assert describe_color(pixels, mask).color == "tan"
    enhanced = enhance(pixels, measure_quality(pixels))
    assert enhanced.applied == ("contrast",), "the models see it stretched"
    assert describe_color(enhanced.colored, mask).color == "tan" != describe_color(enhanced.pixels, mask).color


def test_a_white_product_on_white_is_not_stretched():
    pixels, _ = product_on((254, 254, 254), (236, 236, 234), "bag")
    assert enhance(pixels, measure_quality(pixels)).applied == ()


def test_noise_is_reduced_and_edges_stay(picture):
    pixels, _ = picture
    pixels = (pixels * 0.9).astype(np.uint8)
    noisy = np.clip(pixels + np.random.default_rng(0).normal(0, 14, pixels.shape), 0, 255).astype(np.uint8)
    result = enhance(noisy, measure_quality(noisy))
    enhanced, applied = result.pixels, result.applied
    assert "denoise" in applied
    before, after = (np.abs(p.astype(float) - pixels).mean() for p in (noisy, enhanced))
    assert after < 0.7 * before


@pytest.mark.filterwarnings("error")
def test_degenerate_pictures_pass(degenerate):
    result = enhance(degenerate, measure_quality(degenerate))
    enhanced, applied = result.pixels, result.applied
    assert enhanced.shape == degenerate.shape
    assert enhanced.dtype == np.uint8
    assert (enhanced is degenerate) == (not applied)


def test_real_pictures_keep_their_color_name_better_when_corrected():
    harms = {
        "yellow light": lambda pixels: tint(pixels, (1.0, 0.88, 0.68)),
        "blue light": lambda pixels: tint(pixels, (0.75, 0.9, 1.0)),
        "veil": veil,
        "dim": dim,
    }

    def family(pixels):
        return FAMILY[describe_color(pixels, find_product(pixels).mask).color]

    pictures = [pixels for pixels, _ in shared_rows("myntra224", "val", 60)]
    for name, harm in harms.items():
        kept_before, kept_after = [], []
        for pixels in pictures:
            harmed = np.ascontiguousarray(harm(pixels))
            enhanced = enhance(harmed, measure_quality(harmed)).colored
            truth = family(pixels)
            kept_before.append(family(harmed) == truth)
            kept_after.append(family(enhanced) == truth)
        assert np.mean(kept_after) > np.mean(kept_before) + 0.1, name
        assert np.mean(kept_after) > 0.75, name


def test_real_clean_pictures_are_left_alone():
    changed = [enhance(pixels, measure_quality(pixels)).applied for pixels, _ in shared_rows("myntra224", "val", 100)]
    assert sum(bool(applied) for applied in changed) <= 3
