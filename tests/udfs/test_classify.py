"""Probabilities are read as taxonomy paths, and known photos get sensible ones."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from models.bundle import BASELINE_BUNDLE, BundleError, load_bundle
from models.manifest import Thresholds
from schemas.taxonomy import load_taxonomy
from udfs.classify import CategoryReader, Classification, categories_from_logits, softmax
from udfs.embed import normalize_embeddings
from udfs.runtime import BundleSource, Runtime, runtime_for
from udfs.segment import find_product

SHARED_DATA = Path(os.environ.get("VITRINE_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))

LABELS = ("jersey", "cardigan", "running shoe", "pug", "wine bottle", "red wine")
PATHS = {
    "jersey": "apparel/topwear/t-shirt",
    "cardigan": "apparel/topwear/cardigan",
    "running shoe": "footwear/shoes/sports-shoe",
    "wine bottle": "packaged-food/drinks/wine",
    "red wine": "packaged-food/drinks/wine",
}


@pytest.fixture(scope="module")
def runtime() -> Runtime:
    return runtime_for(BundleSource(load_bundle(BASELINE_BUNDLE).sha256, path=str(BASELINE_BUNDLE)))


def read(*probabilities: float, thresholds: tuple[float, float, float] = (0.4, 0.5, 0.8)) -> Classification:
    department, category, type_ = thresholds
    reader = CategoryReader(
        LABELS, PATHS, Thresholds(department=department, category=category, type=type_), load_taxonomy()
    )
    return reader.classify(np.array([probabilities], np.float32))[0]


def test_a_sure_type_is_stated() -> None:
    result = read(0.9, 0.05, 0.05, 0, 0, 0)
    assert result.category == "apparel/topwear/t-shirt"
    assert result.category_confidence == pytest.approx(0.9)


def test_labels_of_one_path_add_up() -> None:
    result = read(0, 0, 0, 0.1, 0.5, 0.4)
    assert result.category == "packaged-food/drinks/wine"
    assert result.category_confidence == pytest.approx(0.9)
    assert [one.category for one in result.category_candidates] == ["packaged-food/drinks/wine"]


def test_an_unsure_type_falls_back_to_its_parents() -> None:
    assert read(0.4, 0.4, 0.1, 0.1, 0, 0).category == "apparel/topwear"
    assert read(0.25, 0.2, 0.2, 0.35, 0, 0).category == "apparel"
    assert read(0.25, 0.2, 0.2, 0.35, 0, 0).category_confidence == pytest.approx(0.45)


def test_without_certainty_there_is_no_category() -> None:
    result = read(0.2, 0.1, 0.1, 0.6, 0, 0)
    assert (result.category, result.category_confidence) == (None, None)
    assert [one.label for one in result.labels] == ["pug", "jersey", "cardigan", "running shoe"]
    assert result.category_candidates[0].category == "apparel/topwear/t-shirt"


def test_candidates_and_labels_come_most_probable_first_and_leave_out_the_negligible() -> None:
    result = read(0.3, 0.4, 0.2, 0.095, 0.005, 0)
    assert [one.score for one in result.labels] == pytest.approx([0.4, 0.3, 0.2, 0.095])
    assert [one.category for one in result.category_candidates] == [
        "apparel/topwear/cardigan",
        "apparel/topwear/t-shirt",
        "footwear/shoes/sports-shoe",
    ]


def test_scores_never_exceed_one() -> None:
    result = read(0, 0, 0, 0, 0.6, 0.4000002)
    assert result.category_confidence is not None
    assert max(result.category_confidence, result.category_candidates[0].score) <= 1


def test_a_path_that_the_taxonomy_lacks_is_named() -> None:
    with pytest.raises(BundleError, match="apparel/spacesuit"):
        CategoryReader(
            ("a",), {"a": "apparel/spacesuit"}, Thresholds(department=0, category=0, type=0), load_taxonomy()
        )


def test_softmax() -> None:
    logits = np.array([[1000, 1001, 999], [0, 0, 0]], np.float32)
    cool, warm = softmax(logits, 1.0), softmax(logits, 3.0)
    np.testing.assert_allclose(cool.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(cool[0], np.exp([-1, 0, -2]) / np.exp([-1, 0, -2]).sum(), rtol=1e-5)
    assert warm[0].max() < cool[0].max()
    assert warm[0].argmax() == cool[0].argmax() == 1


def test_categories_from_logits(runtime: Runtime) -> None:
    task = runtime.classify_task
    logits = np.zeros((1, 1000), np.float32)
    logits[0, runtime.bundle.labels(task).index("banana")] = 20
    best = categories_from_logits(logits, runtime.bundle, task)[0][0]
    assert best.category == "groceries/fruit/banana"
    assert best.score > 0.99


def test_embeddings_get_length_one() -> None:
    normalized = normalize_embeddings(np.array([[3, 4], [0, 0], [1e-30, 0]], np.float32))
    np.testing.assert_allclose(normalized, [[0.6, 0.8], [0, 0], [1, 0]], rtol=1e-6)
    assert normalized.dtype == np.float32


def test_a_cup_of_coffee_is_coffee_and_a_cat_is_no_product(runtime: Runtime) -> None:
    pictures = np.stack([runtime.prepare(picture) for picture in (data.coffee(), data.chelsea())])
    coffee, cat = runtime.read(runtime.classify(pictures))
    assert coffee.category == "packaged-food/drinks/coffee"
    assert coffee.labels[0].label == "espresso"
    assert cat.category is None
    assert "cat" in cat.labels[0].label


def test_a_picture_resembles_its_mirror_image_more_than_another(runtime: Runtime) -> None:
    pictures = [data.coffee(), data.coffee()[:, ::-1], data.chelsea(), data.rocket()]
    vectors = runtime.classify(np.stack([runtime.prepare(picture) for picture in pictures])).embeddings
    similarities = vectors[0] @ vectors.T
    assert similarities[1] > 0.8
    assert similarities[1] > similarities[2:].max() + 0.3


@pytest.mark.skipif(not SHARED_DATA.is_dir(), reason="development photos are not here (VITRINE_SHARED_DATA)")
@pytest.mark.parametrize(
    ("dataset", "label", "path"),
    [
        ("grocery_store", "Banana", "groceries/fruit/banana"),
        ("grocery_store", "Lemon", "groceries/fruit/lemon"),
        ("grocery_store", "Pineapple", "groceries/fruit/pineapple"),
        ("grocery_store", "Pomegranate", "groceries/fruit/pomegranate"),
        ("myntra224", "Sunglasses", "accessories/eyewear/sunglasses"),
        ("myntra224", "Sports Shoes", "footwear/shoes/sports-shoe"),
        ("myntra224", "Backpacks", "accessories/bags/backpack"),
        ("myntra224", "Tshirts", "apparel/topwear/t-shirt"),
    ],
)
def test_most_photos_of_a_kind_get_its_path_first(runtime: Runtime, dataset: str, label: str, path: str) -> None:
    with (SHARED_DATA / dataset / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["subcategory"] == label and row["split"] == "val"][:8]
    pictures = []
    for row in rows:
        pixels = cv2.imread(str(SHARED_DATA / row["image_path"]), cv2.IMREAD_COLOR_RGB)
        pictures.append(runtime.prepare(pixels, find_product(pixels).box))
    results = runtime.read(runtime.classify(np.stack(pictures)))
    first = [result.category_candidates[0].category for result in results]
    assert first.count(path) > len(rows) / 2, first
