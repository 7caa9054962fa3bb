"""Near-duplicates share their hash; other pictures do not."""

import itertools
import re

import cv2
import numpy as np
import pytest

from models.drawn_fabrics import draw_fabric
from tests.udfs.scenes import product_on, shared_rows
from udfs.perceptual_hash import perceptual_hash


def distance(first, second):
    return (int(first, 16) ^ int(second, 16)).bit_count()


def variants(pixels):
    height, width = pixels.shape[:2]
    yield cv2.resize(pixels, (width * 2, height * 2), interpolation=cv2.INTER_CUBIC)
    yield cv2.resize(pixels, (width * 3 // 5, height * 3 // 5), interpolation=cv2.INTER_AREA)
    yield cv2.imdecode(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 40])[1], cv2.IMREAD_COLOR)
    yield cv2.convertScaleAbs(pixels, alpha=0.9, beta=10)


def test_copies_of_a_picture_are_near():
    for shape in ("bag", "pair", "bottle"):
        pixels, _ = product_on((255, 255, 255), (90, 50, 140), shape)
        for variant in variants(pixels):
            assert distance(perceptual_hash(pixels), perceptual_hash(variant)) <= 8


def test_other_pictures_are_far():
    hashes = [perceptual_hash(draw_fabric("printed", seed)[0]) for seed in range(6)]
    hashes += [perceptual_hash(product_on((255, 255, 255), (20, 60, 60), shape)[0]) for shape in ("bag", "pair")]
    assert min(distance(first, second) for first, second in itertools.combinations(hashes, 2)) > 8


def test_real_copies_are_nearer_than_real_strangers():
    pictures = [pixels for pixels, _ in shared_rows("clothing_small", "train", 30)]
    hashes = [perceptual_hash(pixels) for pixels in pictures]
    copies = [
        distance(own, perceptual_hash(variant))
        for own, pixels in zip(hashes, pictures, strict=True)
        for variant in variants(pixels)
    ]
    strangers = [distance(first, second) for first, second in itertools.combinations(hashes, 2)]
    assert np.quantile(copies, 0.95) <= 8
    assert np.quantile(strangers, 0.05) > 12


@pytest.mark.filterwarnings("error")
def test_degenerate_pictures_have_a_hash(degenerate):
    assert re.fullmatch("[0-9a-f]{16}", perceptual_hash(degenerate))


def test_flat_pictures_share_a_hash_whatever_their_shade():
    assert perceptual_hash(np.full((64, 64, 3), 30, np.uint8)) == perceptual_hash(np.full((90, 70, 3), 200, np.uint8))
