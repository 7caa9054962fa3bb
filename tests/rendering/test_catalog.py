"""Products and what their feed rows say."""

from __future__ import annotations

import pytest

from rendering.catalog import listing_of, product_at, view_counts
from rendering.kinds import KINDS
from schemas.palette import PALETTE
from schemas.taxonomy import load_taxonomy

COUNT = 400


@pytest.fixture(scope="module")
def products() -> list:
    return [product_at(3, index) for index in range(COUNT)]


def test_a_product_depends_on_seed_and_place_alone(products: list) -> None:
    assert product_at(3, 57) == products[57]
    assert product_at(4, 57) != products[57]
    assert len({product.product_id for product in products}) == COUNT


def test_all_kinds_come_up_before_any_comes_again(products: list) -> None:
    assert {product.kind for product in products[: len(KINDS)]} == set(KINDS)
    assert len({KINDS[kind].category for kind in KINDS}) >= 60
    assert {product.category for product in products} <= set(load_taxonomy().types)


def test_titles_are_as_real_feeds_have_them(products: list) -> None:
    listings = [listing_of(product) for product in products]
    chinese = sum(listing.language == "zh" for listing in listings) / COUNT
    assert 0.3 < chinese < 0.5
    flaws = {flaw for listing in listings for flaw in listing.flaws}
    assert {"missing_title", "all_caps", "wrong_color", "missing_description", "typo"} <= flaws
    for listing in listings:
        assert (listing.title is None) == ("missing_title" in listing.flaws)
        assert (listing.description is None) == ("missing_description" in listing.flaws)
        if listing.title and "all_caps" in listing.flaws:
            assert listing.title == listing.title.upper()
        assert float(listing.price) > 0


def test_a_wrong_color_in_the_title_is_not_the_products(products: list) -> None:
    checked = 0
    for product in products:
        listing = listing_of(product)
        if (
            "wrong_color" not in listing.flaws
            or not listing.title
            or "typo" in listing.flaws
            or product.kind in {"pouch"}
        ):
            continue
        main = next(color for color in PALETTE if color.name == product.colors[0])
        words = {main.name_zh} if listing.language == "zh" else {f" {main.name} "}
        assert not any(word in f" {listing.title.lower()} " for word in words)
        checked += 1
    assert checked >= 3


def test_view_counts_add_up() -> None:
    counts = view_counts(130, 300)
    assert sum(counts) == 300
    assert set(counts) == {2, 3}
    with pytest.raises(ValueError, match="at least one"):
        view_counts(5, 4)
