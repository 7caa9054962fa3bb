"""The product is found where a person would outline it."""

import json

import numpy as np
import pytest

from tests.udfs.scenes import product_on, shared_rows
from udfs.segment import find_product


def overlap(first, second):
    return (first & second).sum() / (first | second).sum()


@pytest.mark.parametrize("backdrop", [(255, 255, 255), (245, 245, 245), (200, 214, 220), (60, 60, 66)])
@pytest.mark.parametrize("shape", ["bag", "pair", "bottle"])
def test_products_on_plain_backdrops_are_cut_out(backdrop, shape):
    pixels, truth = product_on(backdrop, (170, 40, 60), shape)
    region = find_product(pixels)
    assert region.method == "border"
    assert overlap(region.mask, truth) > 0.9
    ys, xs = np.nonzero(truth)
    assert region.box == pytest.approx((xs.min(), ys.min(), xs.max() + 1, ys.max() + 1), abs=4)
    assert region.area_share == pytest.approx(truth.mean(), rel=0.1)


@pytest.mark.parametrize("shape", ["bottle", "pair"])
@pytest.mark.parametrize("white", [(240, 240, 238), (228, 227, 225)])
def test_a_white_product_on_white_is_cut_out(shape, white):
    pixels, truth = product_on((255, 255, 255), white, shape)
    assert overlap(find_product(pixels).mask, truth) > 0.9


def test_a_soft_shadow_is_not_product():
    pixels, truth = product_on((250, 250, 250), (60, 90, 160), "bottle", shadow=True)
    assert overlap(find_product(pixels).mask, truth) > 0.88


def test_both_shoes_of_a_pair_are_kept():
    pixels, truth = product_on((255, 255, 255), (40, 40, 45), "pair")
    mask = find_product(pixels).mask
    assert mask[:, :128].sum() == pytest.approx(truth[:, :128].sum(), rel=0.1)
    assert mask[:, 128:].sum() == pytest.approx(truth[:, 128:].sum(), rel=0.1)


def test_the_opening_under_a_handle_stays_open():
    pixels, truth = product_on((255, 255, 255), (120, 60, 30), "bag")
    mask = find_product(pixels).mask
    assert not truth[95, 130]
    assert not mask[95, 130]


def test_a_busy_background_is_told_apart_by_color():
    pixels, truth = product_on((150, 150, 150), (200, 40, 40), "bottle")
    rng = np.random.default_rng(0)
    blocks = np.kron(rng.integers(40, 220, (16, 16, 1)), np.ones((16, 16, 3))).astype(np.uint8)
    pixels = np.where(truth[..., None], pixels, blocks)
    region = find_product(pixels)
    assert region.method == "contrast"
    assert overlap(region.mask, truth) > 0.7


def test_a_plain_picture_is_all_product_and_not_trusted():
    region = find_product(np.full((120, 90, 3), 200, np.uint8))
    assert region.method == "full_frame"
    assert region.mask.all()
    assert region.box == (0, 0, 90, 120)
    assert region.confidence < 0.5


def test_masks_have_the_size_of_the_picture_and_do_not_depend_on_it():
    small, _ = product_on((255, 255, 255), (30, 120, 70), "bag", side=256)
    large, truth = product_on((255, 255, 255), (30, 120, 70), "bag", side=640)
    region = find_product(large)
    assert region.mask.shape == (640, 640)
    assert overlap(region.mask, truth) > 0.88
    assert region.area_share == pytest.approx(find_product(small).area_share, rel=0.1)


def test_the_same_picture_gives_the_same_region():
    pixels, _ = product_on((150, 170, 150), (200, 40, 40), "pair", shadow=True)
    first, second = find_product(pixels), find_product(pixels.copy())
    assert (first.mask == second.mask).all()
    assert first.confidence == second.confidence


@pytest.mark.filterwarnings("error")
def test_degenerate_pictures_have_a_region(degenerate):
    region = find_product(degenerate)
    assert region.mask.shape == degenerate.shape[:2]
    assert region.mask.any()
    assert 0 <= region.confidence <= 1


def test_street_photos_the_garments_lie_inside_the_region():
    covered = []
    for pixels, row in shared_rows("ccp", "val", 30) or shared_rows("ccp", "train", 30):
        garments = np.zeros(pixels.shape[:2], bool)
        for item in json.loads(row["boxes_json"]):
            x_min, y_min, x_max, y_max = (round(v) for v in item["box"])
            garments[y_min:y_max, x_min:x_max] = True
        x_min, y_min, x_max, y_max = (round(v) for v in find_product(pixels).box)
        covered.append(garments[y_min:y_max, x_min:x_max].sum() / max(garments.sum(), 1))
    assert np.median(covered) > 0.8
