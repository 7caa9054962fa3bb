"""The text network that ships: it verifies, joins the shipped bundle, and understands shops it has never seen."""

import csv
from pathlib import Path

import pytest

from models.bundle import load_bundle
from models.compose import TEXT_PART, with_text
from udfs.fusion import fuse_category, weights_of
from udfs.text_understanding import ProductText, TextReader, understand

SHOP_TITLES = Path(__file__).parents[2] / "benchmarks" / "text_understanding" / "shop_titles.csv"


@pytest.fixture(scope="module")
def joined(tmp_path_factory):
    return with_text(
        load_bundle(), load_bundle(TEXT_PART), tmp_path_factory.mktemp("joined") / "bundle", version="9.0.0"
    )


def test_it_joins_the_shipped_bundle(joined):
    assert {task.name for task in joined.manifest.tasks} >= {"classify", "detect", "understand"}
    assert joined.understand_task.files
    assert len(joined.files[joined.understand_task.file]) < 3_000_000
    assert weights_of(joined).heads.keys() >= {"category", "color", "gender"}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_titles_of_unseen_shops_are_understood(joined, language):
    with SHOP_TITLES.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["language"] == language]
    results = understand([ProductText(row["title"]) for row in rows], TextReader(joined))
    right = [result.category_candidates[0][0] == row["category"] for row, result in zip(rows, results, strict=True)]
    assert sum(right) / len(right) >= 0.85


def test_title_and_picture_together(joined):
    weights = weights_of(joined)
    dress, shirt = "apparel/dresses-sets/dress", "apparel/topwear/shirt"
    text = understand([ProductText("女士红色连衣裙")], TextReader(joined))[0].category_candidates
    pooled = fuse_category([[(shirt, 0.6), (dress, 0.3)]], text, weights)
    assert pooled[0][0] == dress
    assert fuse_category([[(shirt, 0.6), (dress, 0.3)]], None, weights)[0][0] == shirt
