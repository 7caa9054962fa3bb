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
    enhanced, applied = enhance(pixels, measure_quality(pixels))
    assert enhanced is pixels
    assert applied == ()


@pytest.mark.parametrize("gains", [(1.0, 0.88, 0.68), (0.75, 0.9, 1.0)], ids=["yellow light", "blue light"])
def test_a_cast_on_a_white_backdrop_is_removed(gains):
    pixels, mask = product_on((248, 248, 248), (150, 110, 85), "bag")
    tinted = tint(pixels, gains)
    balanced, applied = enhance(tinted, measure_quality(tinted))
    assert applied == ("white_balance",)
    # Hue and chroma come back; how bright the picture is stays as it was.
    truth = rgb_to_lab(pixels[mask].mean(axis=0))
    before, after = (np.linalg.norm((rgb_to_lab(p[mask].mean(axis=0)) - truth)[1:]) for p in (tinted, balanced))
    assert after < 0.35 * before


@pytest.mark.parametrize("backdrop", [(250, 200, 215), (120, 170, 90), (40, 60, 120)])
def test_a_colored_backdrop_is_not_taken_for_bad_light(backdrop):
    pixels, _ = product_on(backdrop, (60, 90, 160), "bag")
    assert "white_balance" not in enhance(pixels, measure_quality(pixels))[1]


@pytest.mark.parametrize("harm", [veil, dim])
def test_low_contrast_is_stretched(picture, harm):
    pixels, _ = picture
    flat = harm(pixels)
    enhanced, applied = enhance(flat, measure_quality(flat))
    assert applied == ("contrast",)
    assert measure_quality(enhanced).contrast > 1.5 * measure_quality(flat).contrast


def test_a_white_product_on_white_is_not_stretched():
    pixels, _ = product_on((254, 254, 254), (236, 236, 234), "bag")
    assert enhance(pixels, measure_quality(pixels))[1] == ()


def test_noise_is_reduced_and_edges_stay(picture):
    pixels, _ = picture
    pixels = (pixels * 0.9).astype(np.uint8)
    noisy = np.clip(pixels + np.random.default_rng(0).normal(0, 14, pixels.shape), 0, 255).astype(np.uint8)
    enhanced, applied = enhance(noisy, measure_quality(noisy))
    assert "denoise" in applied
    before, after = (np.abs(p.astype(float) - pixels).mean() for p in (noisy, enhanced))
    assert after < 0.7 * before


@pytest.mark.filterwarnings("error")
def test_degenerate_pictures_pass(degenerate):
    enhanced, applied = enhance(degenerate, measure_quality(degenerate))
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
            enhanced, _ = enhance(harmed, measure_quality(harmed))
            truth = family(pixels)
            kept_before.append(family(harmed) == truth)
            kept_after.append(family(enhanced) == truth)
        assert np.mean(kept_after) > np.mean(kept_before) + 0.1, name
        assert np.mean(kept_after) > 0.75, name


def test_real_clean_pictures_are_left_alone():
    changed = [enhance(pixels, measure_quality(pixels))[1] for pixels, _ in shared_rows("myntra224", "val", 100)]
    assert sum(bool(applied) for applied in changed) <= 3
