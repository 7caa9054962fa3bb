import numpy as np

from models.augment import AugmentSettings, augment
from models.pixel_store import MASK_SIDE, StoredPicture

STILL = AugmentSettings(
    whole=1, scale=(1, 1), stretch=1, shift=0, rotate=0, flip=0, background=0, light=0, tint=0, blur=0, noise=0, jpeg=0,
    shrink=0, occlude=0,
)  # fmt: skip


def picture(mask=None):
    pixels = np.full((80, 60, 3), 255, np.uint8)
    pixels[20:60, 15:45] = (200, 30, 30)
    pixels[20:60, 15:30] = (30, 30, 200)
    return StoredPicture(pixels, (15.0, 20.0, 45.0, 60.0), mask)


def test_without_changes_it_is_the_picture_stretched_to_the_square():
    view = augment(picture(), 60, STILL, np.random.default_rng(0))
    assert view.shape == (60, 60, 3)
    assert tuple(view[30, 20]) == (30, 30, 200)
    assert tuple(view[30, 40]) == (200, 30, 30)
    assert tuple(view[2, 2]) == (255, 255, 255)


def test_a_mirror_image_swaps_left_and_right():
    settings = AugmentSettings(**{**vars(STILL), "flip": 1})
    view = augment(picture(), 60, settings, np.random.default_rng(0))
    assert tuple(view[30, 20]) == (200, 30, 30)


def test_the_box_fills_the_view_when_the_whole_picture_is_not_shown():
    settings = AugmentSettings(**{**vars(STILL), "whole": 0})
    view = augment(picture(), 64, settings, np.random.default_rng(0))
    product = (view != 255).any(axis=2).mean()
    assert product > 0.7


def test_the_background_is_exchanged_and_the_product_stays():
    mask = np.zeros((MASK_SIDE, MASK_SIDE), bool)
    mask[16:48, 16:48] = True
    settings = AugmentSettings(**{**vars(STILL), "background": 1})
    views = [augment(picture(mask), 60, settings, np.random.default_rng(seed)) for seed in range(4)]
    assert all(tuple(view[30, 22]) == (30, 30, 200) for view in views)
    assert len({tuple(view[2, 2]) for view in views}) == 4
    assert all(tuple(view[2, 2]) != (255, 255, 255) for view in views)


def test_the_same_seed_gives_the_same_view_and_another_seed_another():
    settings = AugmentSettings()
    first, again, other = (augment(picture(), 48, settings, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert picture().pixels[0, 0, 0] == 255, "the stored picture is not written to"
