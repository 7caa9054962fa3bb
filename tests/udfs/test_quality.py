"""Quality measures move the way a photographer would expect."""

import dataclasses
import math

import cv2
import numpy as np
import pytest

from models.drawn_fabrics import draw_fabric
from tests.udfs.scenes import product_on
from udfs.quality import measure_quality


@pytest.fixture(scope="module")
def picture():
    pixels, _ = product_on((252, 252, 252), (120, 60, 40), "bag", side=512)
    print_, _ = draw_fabric("printed", 1)
    pixels[250:400, 150:370] = print_[50:200, 20:240]
    return pixels


def test_blur_lowers_sharpness_and_score(picture):
    sharp, blurred = measure_quality(picture), measure_quality(cv2.GaussianBlur(picture, (0, 0), 4))
    assert blurred.sharpness < 0.6 * sharp.sharpness
    assert blurred.score < sharp.score


def test_sharpness_does_not_depend_on_the_width_of_the_backdrop(picture):
    framed = cv2.copyMakeBorder(picture[100:440, 100:420], 80, 80, 90, 90, cv2.BORDER_CONSTANT, value=(252,) * 3)
    assert measure_quality(framed).sharpness == pytest.approx(measure_quality(picture).sharpness, abs=0.12)


@pytest.mark.parametrize("sigma", [3, 8, 15])
def test_noise_is_estimated_in_levels(sigma):
    pixels, _ = product_on((200, 200, 200), (120, 60, 40), "bag", side=512)
    clean = cv2.GaussianBlur(pixels, (0, 0), 2).astype(float)
    noisy = clean + np.random.default_rng(0).normal(0, sigma, clean.shape[:2])[..., None]
    assert measure_quality(noisy.clip(0, 255).astype(np.uint8)).noise_sigma == pytest.approx(sigma, rel=0.25)


def test_fabric_is_not_noise():
    assert measure_quality(draw_fabric("checked", 3)[0]).noise_sigma < 5


def test_exposure_is_measured():
    dark = measure_quality(np.full((100, 100, 3), 1, np.uint8))
    assert dark.dark_clipped_share == 1
    assert dark.brightness == pytest.approx(1 / 255, abs=1e-3)
    assert dark.score == 0
    half = np.full((100, 100, 3), 255, np.uint8)
    half[:50] = 0
    measured = measure_quality(half)
    assert measured.brightness == pytest.approx(0.5, abs=0.01)
    assert measured.contrast == pytest.approx(0.5, abs=0.01)
    assert measured.bright_clipped_share == pytest.approx(0.5, abs=0.01)


def test_a_yellow_light_shows_as_cast(picture):
    tinted = (picture * np.array([1.0, 0.93, 0.78])).astype(np.uint8)
    assert measure_quality(picture).color_cast < 3
    assert measure_quality(tinted).color_cast > 8


def test_backdrops_are_recognised(picture):
    white = measure_quality(picture)
    assert white.white_background_share > 0.95
    assert white.border_uniformity > 0.9
    busy = measure_quality(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    assert busy.border_uniformity < 0.3
    assert busy.white_background_share < 0.2


def test_heavy_compression_shows_as_blocks(picture):
    _, coarse = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 8])
    blocky = measure_quality(cv2.imdecode(coarse, cv2.IMREAD_COLOR))
    assert blocky.blockiness > measure_quality(picture).blockiness + 0.5


@pytest.mark.filterwarnings("error")
def test_degenerate_pictures_give_finite_measures(degenerate):
    values = dataclasses.asdict(measure_quality(degenerate))
    assert all(math.isfinite(value) and type(value) is float for value in values.values()), values
    assert 0 <= values["score"] <= 1
