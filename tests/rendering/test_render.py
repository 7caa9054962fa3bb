"""The renderer: pictures are repeatable, and their truth is true."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from rendering.catalog import make_product
from rendering.kinds import KINDS
from rendering.palette_choice import NAMES
from rendering.render import RenderOptions, render_product
from rendering.truth import PATTERNS, RenderedImage, box_of
from schemas.cielab import delta_e, rgb_to_lab
from schemas.palette import PALETTE
from schemas.taxonomy import load_taxonomy

RAW = RenderOptions(camera=False, encoded=False, background="white", frame=(768, 768))
PRINTED_KINDS = ("drink can", "jar", "cereal box", "pouch", "food can", "cream tube", "perfume", "drink bottle")


def _shape_edges(image: RenderedImage) -> bool:
    mask = image.mask
    return bool(mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any())


def test_the_same_arguments_give_the_same_bytes() -> None:
    product = make_product("shirt", 11, "P1")
    first, second = render_product(product, 1), render_product(product, 1)
    assert first.data == second.data
    assert first.truth.as_dict() == second.truth.as_dict()
    assert first.data != render_product(make_product("shirt", 12, "P1"), 1).data


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_is_drawn_with_a_consistent_truth(kind: str) -> None:
    for view in (0, 1):
        image = render_product(make_product(kind, 100 + view, "P1"), view)
        truth, (height, width) = image.truth, image.mask.shape
        assert image.pixels.shape[:2] == (height, width) == (truth.height, truth.width)
        assert 400 <= max(width, height) <= 800
        assert truth.box == box_of(image.mask)
        assert image.mask.mean() > 0.02, "the product should be seen"
        assert truth.category in load_taxonomy()
        assert truth.category.count("/") == 2
        assert truth.pattern in PATTERNS
        assert (truth.shape is None) == _shape_edges(image)
        assert {name for name, _ in truth.colors} <= set(NAMES)
        assert sum(share for _, share in truth.colors) == pytest.approx(1.0, abs=0.15)
        assert len(image.data) > 1000


@pytest.mark.parametrize("kind", PRINTED_KINDS)
def test_ink_lies_inside_the_quadrilaterals_and_each_holds_ink(kind: str) -> None:
    product = make_product(kind, 5, "P1")
    with_text = render_product(product, 0, RAW)
    without = render_product(
        product, 0, RenderOptions(text=False, camera=False, encoded=False, background="white", frame=(768, 768))
    )
    ink = np.abs(with_text.pixels[..., :3].astype(int) - without.pixels[..., :3]).max(axis=2) > 24
    assert ink.any()
    covered = np.zeros(ink.shape, np.uint8)
    for line in with_text.truth.texts:
        quad = np.zeros(ink.shape, np.uint8)
        cv2.fillPoly(quad, [np.rint(line.quad).astype(np.int32)], 1)
        quad = cv2.dilate(quad, np.ones((5, 5), np.uint8))
        covered |= quad
        if line.legible:
            assert ink[quad > 0].mean() > 0.03, f"no ink where {line.text!r} should stand"
    assert ink[covered > 0].sum() / ink.sum() > 0.96
    kinds = {line.kind for line in with_text.truth.texts}
    assert {"brand", "name"} <= kinds


@pytest.mark.parametrize(
    "kind", ["t-shirt", "dress", "jacket", "trousers", "backpack", "suitcase", "vase", "sofa", "loafer"]
)
def test_a_plain_product_shows_its_palette_color(kind: str) -> None:
    seeds = [seed for seed in range(40) if make_product(kind, seed, "P1").pattern == "solid"][:3]
    assert seeds
    for seed in seeds:
        product = make_product(kind, seed, "P1")
        image = render_product(product, 0, RAW)
        name, share = image.truth.colors[0]
        assert name in product.colors
        lab = np.median(rgb_to_lab(image.pixels[image.mask][:, :3].reshape(-1, 3)), axis=0)
        if share > 0.7:
            want = PALETTE[NAMES.index(name)].lab
            assert delta_e(lab, want) < 13, f"{kind} {seed}: {name} looks like Lab {lab.round()}"


def test_a_detail_fills_the_picture_and_has_no_shape() -> None:
    product = make_product("sweater", 3, "P1")
    image = render_product(product, KINDS["sweater"].views.index("detail"))
    assert image.truth.view_name == "detail"
    assert image.truth.shape is None
    assert image.mask.mean() > 0.6


def test_price_tags_show_the_price_inside_their_box() -> None:
    found = 0
    for seed in range(40):
        product = make_product("handbag", seed, "P1")
        truth = render_product(product, 0, RenderOptions(encoded=False)).truth
        for line in truth.texts:
            if line.kind != "price":
                continue
            found += 1
            assert f"{product.price:.2f}" in line.text
            (box,) = truth.tag_boxes
            low, high = line.quad.min(axis=0), line.quad.max(axis=0)
            assert low[0] >= box[0] - 1 and low[1] >= box[1] - 1
            assert high[0] <= box[2] + 1 and high[1] <= box[3] + 1
    assert found >= 2


def test_chinese_and_english_text_are_told_apart() -> None:
    languages = {
        line.language: line.text
        for seed in range(6)
        for line in render_product(make_product("cereal box", seed, "P1"), 0, RAW).truth.texts
    }
    assert set(languages) == {"en", "zh"}
    assert any("\u4e00" <= character <= "\u9fff" for character in languages["zh"])
    assert languages["en"].isascii()


@pytest.mark.parametrize(
    "kind", ["t-shirt", "cushion", "bowl", "mug", "water bottle", "umbrella", "skirt", "casual shoe"]
)
def test_a_pattern_in_the_truth_can_be_seen(kind: str) -> None:
    """All patterns but plain and textured need a second color in every view that claims them."""
    claimed = 0
    for seed in range(8):
        product = make_product(kind, seed, "P1")
        for view, name in enumerate(KINDS[kind].views):
            if name == "detail" or product.pattern in {"solid", "textured"}:
                continue
            truth = render_product(product, view, RenderOptions(encoded=False)).truth
            if truth.pattern != "solid":
                claimed += 1
                assert len(truth.colors) >= 2, f"{kind} {seed} {name}: {truth.pattern} in {truth.colors}"
    assert claimed


def test_the_back_of_a_printed_t_shirt_is_plain() -> None:
    product = next(p for seed in range(60) if (p := make_product("t-shirt", seed, "P1")).variant == "graphic")
    front, back = (render_product(product, view, RAW).truth for view in (0, 1))
    assert (front.pattern, back.pattern) == ("printed", "solid")
