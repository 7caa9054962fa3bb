"""Outlines are measured right and named as a person would."""

import dataclasses
import math

import cv2
import numpy as np
import pytest

from udfs.shape import describe_shape


def draw(*polygons, circle=None):
    mask = np.zeros((256, 256), np.uint8)
    for polygon in polygons:
        cv2.fillPoly(mask, [np.array(polygon)], 1)
    if circle:
        cv2.circle(mask, *circle, 1, -1)
    return mask.astype(bool)


OUTLINES = {
    "rectangular": draw([(40, 60), (210, 60), (210, 200), (40, 200)]),
    "round": draw(circle=((128, 128), 80)),
    "tall": draw([(105, 10), (150, 10), (150, 245), (105, 245)]),
    "wide": draw([(10, 100), (245, 100), (245, 160), (10, 160)]),
    "tapered_up": draw([(110, 40), (146, 40), (215, 215), (40, 215)]),
    "tapered_down": draw([(40, 40), (215, 40), (146, 215), (110, 215)]),
    "irregular": draw([(128, 20), (150, 100), (230, 110), (165, 150), (200, 230), (128, 180), (56, 230), (91, 150)]),
}


@pytest.mark.parametrize("name", OUTLINES)
def test_outlines_are_named(name):
    _, found, confidence = describe_shape(OUTLINES[name])
    assert found == name
    assert 0.5 <= confidence <= 1


def test_a_rectangle_has_the_measures_of_a_rectangle():
    shape, _, _ = describe_shape(OUTLINES["rectangular"])
    assert shape.aspect_ratio == pytest.approx(171 / 141)
    assert shape.fill == 1
    assert shape.solidity == pytest.approx(1, abs=0.01)
    assert shape.symmetry == 1
    assert shape.top_bottom_ratio == 1
    assert shape.holes == 0
    assert shape.eccentricity == pytest.approx(math.sqrt(1 - (141 / 171) ** 2), abs=0.01)


def test_a_circle_has_the_measures_of_a_circle():
    shape, _, _ = describe_shape(OUTLINES["round"])
    assert shape.circularity == pytest.approx(1, abs=0.04)
    assert shape.fill == pytest.approx(math.pi / 4, abs=0.02)
    assert shape.eccentricity < 0.1


def test_a_handle_makes_a_hole():
    mask = OUTLINES["rectangular"].copy()
    mask[80:120, 90:160] = False
    assert describe_shape(mask)[0].holes == 1
    mask[150, 100] = False
    assert describe_shape(mask)[0].holes == 1


def test_a_lopsided_outline_is_not_symmetric():
    mask = draw([(40, 40), (80, 40), (80, 160), (210, 160), (210, 210), (40, 210)])
    assert describe_shape(mask)[0].symmetry < 0.6


def test_names_do_not_depend_on_size():
    for name, mask in OUTLINES.items():
        small = cv2.resize(mask.astype(np.uint8), (96, 96), interpolation=cv2.INTER_AREA).astype(bool)
        assert describe_shape(small)[1] == name


def test_an_empty_mask_has_no_shape():
    shape, name, confidence = describe_shape(np.zeros((50, 50), bool))
    assert (name, confidence) == ("irregular", 0.0)
    assert shape.fill == 0


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("size", [(1, 1), (1, 200), (200, 1), (2, 2), (3, 256), (256, 256)])
def test_full_masks_of_every_size_have_a_shape(size):
    shape, _, confidence = describe_shape(np.ones(size, bool))
    assert all(math.isfinite(value) for value in dataclasses.astuple(shape))
    assert type(shape.holes) is int
    assert shape.fill == 1
    assert 0 < confidence <= 1
