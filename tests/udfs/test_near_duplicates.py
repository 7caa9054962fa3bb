"""Near-duplicates on drawn pictures: copies are found, other products and other colors are not, groups do not chain."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from rendering.catalog import product_at
from rendering.render import render_product
from schemas.settings import DecodeSettings
from udfs.copy_print import FIRST_CUT, LAST_CUT, copy_print, planes_of
from udfs.decode import decode
from udfs.describe import ready_picture
from udfs.near_duplicates import Pair, candidates, copies, duplicate_groups

PRODUCTS = 12


def marked(picture: Image.Image, size: float, place: tuple[float, float], opacity: int) -> Image.Image:
    layer = Image.new("RGBA", picture.size)
    font = ImageFont.load_default(size=max(10, round(picture.width * size)))
    at = (picture.width * place[0], picture.height * place[1])
    ImageDraw.Draw(layer).text(at, "MYSHOP", (90, 90, 90, opacity), font, anchor="mm")
    return Image.alpha_composite(picture.convert("RGBA"), layer).convert("RGB")


def cropped(picture: Image.Image, share: float) -> Image.Image:
    x, y = round(picture.width * share), round(picture.height * share)
    return picture.crop((x, y, picture.width - x, picture.height - y))


COPIES = {
    "half the size": (lambda one: one.resize((one.width // 2, one.height // 2)), 85, PRODUCTS),
    "a fifth of the size": (lambda one: one.resize((one.width // 5, one.height // 5)), 85, PRODUCTS),
    "re-encoded": (lambda one: one, 45, PRODUCTS),
    "a name in a corner": (lambda one: marked(one, 0.06, (0.83, 0.94), 255), 90, PRODUCTS),
    "a large word across": (lambda one: marked(one, 0.22, (0.5, 0.5), 128), 90, PRODUCTS - 2),
    "5% cut off": (lambda one: cropped(one, 0.05), 90, PRODUCTS - 1),
    "10% cut off": (lambda one: cropped(one, 0.1), 90, PRODUCTS - 1),
}
"""How to make it, the JPEG quality to store it with, and how many at least are found."""


def stored(picture: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def seen(pictures: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """Hashes and cells, as extraction makes them."""
    ready = [ready_picture(decode(data, DecodeSettings())) for data in pictures]
    hashes = [(one.perceptual_hash, one.copy_print[FIRST_CUT], one.copy_print[LAST_CUT]) for one in ready]
    words = np.array([[int(told, 16) for told in row] for row in hashes], dtype=np.uint64)
    return words, planes_of([one.copy_print for one in ready])


def twins(pictures: Sequence[bytes]) -> set[tuple[int, int]]:
    """All pairs of pictures that are taken for copies."""
    hashes, cells = seen(pictures)
    found = set()
    for place, others, hints in candidates(hashes):
        taken, _ = copies(hints, cells[np.full(len(others), place)], cells[others])
        found |= {(place, int(other)) for other in others[taken]}
    return found


@pytest.fixture(scope="module")
def originals() -> list[bytes]:
    return [render_product(product_at(7, index), 0).data for index in range(PRODUCTS)]


@pytest.mark.parametrize("name", COPIES)
def test_copies_of_a_picture_are_found_and_nothing_else(originals, name):
    copy, quality, least = COPIES[name]
    opened = [Image.fromarray(decode(data, DecodeSettings()).pixels) for data in originals]
    found = twins([*originals, *(stored(copy(one), quality) for one in opened)])
    assert found <= {(place, place + PRODUCTS) for place in range(PRODUCTS)}
    assert len(found) >= least


def test_the_same_product_in_another_color_is_another_product(originals):
    others = []
    for index in range(PRODUCTS):
        product = product_at(7, index)
        color = "khaki" if "magenta" in product.colors else "magenta"
        others.append(render_product(replace(product, colors=(color, *product.colors[1:])), 0).data)
    assert len({*originals, *others}) > PRODUCTS * 1.5
    wrong = {pair for pair in twins([*originals, *others]) if originals[pair[0]] != others[pair[1] - PRODUCTS]}
    assert not wrong


def test_a_print_that_is_none_is_told():
    with pytest.raises(ValueError, match="864"):
        planes_of(["0" * 32 + "AAAA"])


@pytest.mark.filterwarnings("error")
def test_degenerate_pictures_have_a_print(degenerate):
    assert planes_of([copy_print(degenerate)]).shape == (1, 864)


def test_flat_pictures_are_copies_if_their_color_is_the_same():
    white, again, gray = (Image.new("RGB", (90, 70), (level, level, level)) for level in (250, 249, 128))
    assert twins([stored(one, 90) for one in (white, again, gray)]) == {(0, 1)}


def chain(names: str) -> list[Pair]:
    return [Pair(one, other, 2, 0.9, 0.9) for one, other in pairwise(names)]


def test_groups_are_the_same_in_whatever_order_pairs_come():
    pairs = [Pair("c", "d", 1, 0.99, 0.9), Pair("a", "b", 2, 0.95, 0.8), Pair("b", "c", 0, 0.97, 0.7)]
    pairs.append(Pair("x", "y", 3, 0.96, 1.0))
    groups = duplicate_groups(pairs)
    assert {content: one.group for content, one in groups.items()} == {**dict.fromkeys("abcd", "a"), "x": "x", "y": "x"}
    assert (groups["c"].nearest, groups["c"].distance, groups["c"].agreement) == ("d", 1, 0.9)
    assert groups["b"].nearest == "a"
    assert duplicate_groups(reversed(pairs)) == groups
    assert duplicate_groups([]) == {}


def test_a_chain_of_look_alikes_is_no_group():
    groups = duplicate_groups(chain("abcdefghijkl"))
    sizes = {}
    for one in groups.values():
        sizes[one.group] = sizes.get(one.group, 0) + 1
    assert max(sizes.values()) <= 5
    assert min(sizes.values()) >= 2
    assert {one.linked for one in groups.values()} == {"a"}


def test_copies_of_one_picture_are_one_group_though_they_differ_among_themselves():
    groups = duplicate_groups(Pair(*sorted(("m", other)), 2, 0.9, 0.9) for other in "abcxyz")
    assert {one.group for one in groups.values()} == {"a"}
    connected = duplicate_groups([Pair(one, other, 0, 1.0, 1.0) for one, other in combinations("pqrst", 2)])
    assert {one.group for one in connected.values()} == {"p"}
