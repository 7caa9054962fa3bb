"""Patterns are told apart, and the descriptors mean what the table says."""

import dataclasses
import math

import cv2
import numpy as np
import pytest

from models.drawn_fabrics import PATTERNS, draw_fabric
from tests.udfs.scenes import shared_rows
from udfs.texture import describe_texture


@pytest.mark.parametrize("pattern", PATTERNS)
def test_drawn_fabrics_are_named(pattern):
    # The classifier was fitted on seeds from 1000 on.
    named = [describe_texture(*draw_fabric(pattern, seed))[1] for seed in range(30)]
    assert np.mean([name == pattern for name in named]) >= 0.75, named


def stripes(period, degrees):
    ys, xs = np.mgrid[:256, :256]
    angle = math.radians(degrees)
    # Stripes run along the angle, counter-clockwise from the x axis, so lightness changes across it.
    across = xs * math.sin(angle) + ys * math.cos(angle)
    luma = np.where(across % period < period / 2, 70, 190).astype(np.uint8)
    return cv2.GaussianBlur(cv2.cvtColor(luma, cv2.COLOR_GRAY2RGB), (0, 0), 0.8), np.ones((256, 256), bool)


@pytest.mark.parametrize("degrees", [0, 30, 90, 135])
@pytest.mark.parametrize("period", [8, 20, 40])
def test_stripes_have_their_direction_and_period(period, degrees):
    descriptors, pattern, _ = describe_texture(*stripes(period, degrees))
    assert pattern == "striped"
    difference = abs(descriptors.orientation_degrees - degrees) % 180
    assert min(difference, 180 - difference) < 5
    assert descriptors.periodicity > 0.7
    # A multiple of the period is a period, too.
    assert descriptors.period_px / period == pytest.approx(round(descriptors.period_px / period), abs=0.12)
    assert descriptors.anisotropy > 0.8


def test_a_plain_cloth_has_no_texture():
    descriptors, pattern, confidence = describe_texture(
        np.full((256, 256, 3), 120, np.uint8), np.ones((256, 256), bool)
    )
    assert pattern == "solid"
    assert confidence > 0.5
    assert descriptors.edge_density == descriptors.periodicity == descriptors.entropy == descriptors.contrast == 0
    assert descriptors.homogeneity == 1


def test_descriptors_do_not_see_the_backdrop():
    pixels, mask = draw_fabric("striped", 3)
    other = np.where(mask[..., None], pixels, np.random.default_rng(0).integers(0, 256, pixels.shape, dtype=np.uint8))
    first, second = (dataclasses.astuple(describe_texture(p, mask)[0]) for p in (pixels, other))
    assert first == pytest.approx(second, rel=0.1, abs=0.03)


def test_colorfulness_grows_with_color():
    mask = np.ones((64, 64), bool)
    gray = np.full((64, 64, 3), 128, np.uint8)
    colored = gray.copy()
    colored[:, ::2], colored[:, 1::2] = (220, 40, 40), (40, 200, 60)
    assert describe_texture(gray, mask)[0].colorfulness == 0
    assert describe_texture(colored, mask)[0].colorfulness > 80


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("fill", [True, False])
def test_degenerate_pictures_have_a_texture(degenerate, fill):
    descriptors, pattern, confidence = describe_texture(degenerate, np.full(degenerate.shape[:2], fill))
    assert pattern in PATTERNS
    assert 0 < confidence <= 1
    assert all(math.isfinite(value) and type(value) is float for value in dataclasses.astuple(descriptors))


def test_real_garments_get_the_pattern_their_title_names():
    import json

    from udfs.segment import find_product

    meaning = {"solid": "solid", "striped": "striped", "check": "checked", "graphic print": "printed"}
    agrees = []
    for pixels, row in shared_rows("myntra224", "val", 711):
        named = meaning.get(json.loads(row["attributes_json"])["pattern_from_title"])
        if named:
            agrees.append(describe_texture(pixels, find_product(pixels).mask)[1] == named)
    assert np.mean(agrees) > 0.55
