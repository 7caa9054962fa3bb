"""Spoiled pictures: worse with each strength, the same each time, and never of another form."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data

from models.robustness import KINDS, STRENGTHS, Corruption, corrupt

PHOTO = np.ascontiguousarray(data.astronaut()[:200, :160])


@pytest.mark.parametrize("kind", KINDS)
def test_each_strength_takes_the_picture_further_from_what_it_was(kind):
    before = PHOTO.copy()
    distances = []
    for strength in STRENGTHS:
        spoiled = corrupt(PHOTO, Corruption(kind, strength), "photo.jpg")
        assert spoiled.shape == PHOTO.shape
        assert spoiled.dtype == np.uint8
        # A rectangle may fall on what looks like it; the changed area grows all the same.
        changed = (spoiled != PHOTO).any(axis=2)
        difference = np.abs(spoiled.astype(float) - PHOTO).mean()
        distances.append(changed.mean() if kind == "occlusion" else difference)
    assert np.array_equal(PHOTO, before)
    # Exposure goes up or down by chance, and a light picture clips sooner upwards.
    assert distances[0] > 0
    assert distances == sorted(distances) or (kind == "brightness" and distances[-1] > 2 * distances[0])


@pytest.mark.parametrize("kind", KINDS)
def test_chance_depends_on_the_picture_and_the_seed_alone(kind):
    spoiled = corrupt(PHOTO, Corruption(kind, 3), "a.jpg")
    assert np.array_equal(spoiled, corrupt(PHOTO, Corruption(kind, 3), "a.jpg"))
    if kind in ("noise", "occlusion"):
        assert not np.array_equal(spoiled, corrupt(PHOTO, Corruption(kind, 3), "b.jpg"))
        assert not np.array_equal(spoiled, corrupt(PHOTO, Corruption(kind, 3, seed=1), "a.jpg"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_of_one_pixel_is_spoiled_too(kind):
    assert corrupt(np.full((1, 1, 3), 90, np.uint8), Corruption(kind, 5)).shape == (1, 1, 3)


def test_occlusion_covers_the_share_it_names():
    covered = corrupt(np.full((300, 200, 3), 255, np.uint8), Corruption("occlusion", 3), "x")
    assert (covered != 255).any(axis=2).mean() == pytest.approx(0.2, abs=0.01)


def test_colors_stay_in_their_channels_through_jpeg():
    red = np.zeros((64, 64, 3), np.uint8)
    red[..., 0] = 220
    spoiled = corrupt(red, Corruption("jpeg", 1))
    assert spoiled[..., 0].mean() > 180
    assert spoiled[..., 2].mean() < 40
