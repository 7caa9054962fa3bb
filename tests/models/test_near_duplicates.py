"""Near-duplicates: the same picture in other clothes is found, a look-alike is not."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from skimage import data

from models.near_duplicates import hash_words, near_pairs, thumb
from udfs.perceptual_hash import perceptual_hash


def again(pixels, quality=60, scale=1.0):
    picture = Image.fromarray(pixels)
    picture = picture.resize((round(picture.width * scale), round(picture.height * scale)))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer).convert("RGB"))


def shirt(color, ground=(250, 250, 250)):
    pixels = np.full((200, 160, 3), ground, np.uint8)
    pixels[60:180, 45:115] = color
    pixels[60:100, 20:140] = color
    return pixels


def pairs_of(pictures, **limits):
    hashes = hash_words([perceptual_hash(one) for one in pictures])
    found = near_pairs(hashes, np.stack([thumb(one) for one in pictures]), **limits)
    return [(one.first, one.second) for one in found]


def test_a_picture_encoded_or_resized_again_is_found():
    cat, coffee = data.chelsea(), data.coffee()
    assert pairs_of([cat, coffee, again(cat), again(coffee, 90, 0.4)]) == [(0, 2), (1, 3)]


def test_the_same_shape_in_another_color_is_another_product():
    red, blue = shirt((200, 30, 40)), shirt((40, 60, 200))
    assert pairs_of([red, blue, again(red)], bits=16) == [(0, 2)]


def test_all_pairs_across_blocks_are_what_a_plain_loop_finds(monkeypatch):
    monkeypatch.setattr("models.near_duplicates._BLOCK", 7)
    random = np.random.default_rng(0)
    hashes = random.integers(0, 2**63, 40, dtype=np.uint64)
    hashes[20:] = hashes[:20] ^ np.uint64(0b1011)
    same = np.zeros((40, 16, 16, 3), np.uint8)
    found = {(one.first, one.second): one.bits for one in near_pairs(hashes, same, bits=3)}
    wanted = {}
    for first in range(40):
        for second in range(first + 1, 40):
            bits = (int(hashes[first]) ^ int(hashes[second])).bit_count()
            if bits <= 3:
                wanted[first, second] = bits
    assert found == wanted
    assert len(wanted) >= 20


def test_hashes_keep_all_64_bits():
    assert hash_words(["ffffffffffffffff", "0000000000000001"]).tolist() == [2**64 - 1, 1]
    with pytest.raises(ValueError, match="invalid literal"):
        hash_words(["not hex"])
