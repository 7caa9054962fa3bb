"""The textbook network goes the way of every network: IDX files in, trained, exported, run as extraction does."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from jobs.train import run
from models.bundle import load_bundle
from models.clothing28 import CLOTHING_CLASSES, INPUT, ClothingData, NoClothingError
from models.idx import FASHION_MNIST_CLASSES
from models.labelled import LabelledImage
from models.model_input import model_input
from models.recipe import Recipe, load_recipe
from models.small_cnn import SmallCnn
from schemas.taxonomy import load_taxonomy
from tests.models.test_idx import idx
from udfs.runtime import Runtime

torch = pytest.importorskip("torch")


def patterns(count: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Pictures of ten classes: a bright frame on dark noise, with a bar whose height tells the class."""
    random = np.random.default_rng(seed)
    labels = (np.arange(count) % 10).astype(np.uint8)
    images = random.integers(0, 60, (count, 28, 28)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[2:26, 3:25] = 40
        image[2:26, 3:6] = image[2:26, 22:25] = image[2:5, 3:25] = image[23:26, 3:25] = 220
        image[5 + 2 * label - label // 5 : 8 + 2 * label - label // 5, 3:25] = 220
    return images, labels


@pytest.fixture(scope="module")
def fashion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fashion")
    for name, count in (("train", 400), ("t10k", 100)):
        images, labels = patterns(count, count)
        (folder / f"{name}-images-idx3-ubyte").write_bytes(idx(images))
        (folder / f"{name}-labels-idx1-ubyte").write_bytes(idx(labels))
    return folder


def test_the_layers_are_the_textbooks() -> None:
    network = SmallCnn(10)
    kinds = [type(layer).__name__ for layer in network.features]
    assert kinds == ["Conv2d", "ReLU", "MaxPool2d", "Conv2d", "ReLU", "MaxPool2d", "Flatten"]
    assert sum(one.numel() for one in network.parameters()) == 34_826
    outputs = network(torch.zeros(3, 28, 28, 1, dtype=torch.uint8))
    assert {name: tuple(values.shape) for name, values in outputs.items()} == {
        "category": (3, 10),
        "embedding": (3, 1600),
    }
    with pytest.raises(ValueError, match="no parts to freeze"):
        network.freeze("trunk")


def test_idx_files_train_export_and_run_in_the_runtime(
    fashion: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VITRINE_CACHE", str(tmp_path / "cache"))
    recipe = load_recipe("small-cnn").model_dump() | {
        "phases": [{"size": 28, "images": 9600, "batch": 32, "learning_rate": 0.004}],
        "validate_every": 3200,
        "dropout": 0.1,
    }
    folder = run([fashion], tmp_path / "out", Recipe.model_validate(recipe), version="1.0.0")
    bundle = load_bundle(folder)
    assert bundle.version_id == "small-cnn@1.0.0"
    assert sorted(bundle.labels(bundle.task("classify"))) == sorted(path for _, path in FASHION_MNIST_CLASSES)
    assert "random weights" in bundle.manifest.training_data
    runtime = Runtime(bundle)
    images, labels = patterns(50, 7)
    batch = np.stack([runtime.prepare(np.repeat(image[:, :, None], 3, axis=2)) for image in images])
    assert batch.shape == (50, 28, 28, 1)
    read = runtime.read(runtime.classify(batch))
    right = [
        one.category_candidates[0].category == FASHION_MNIST_CLASSES[label][1]
        for one, label in zip(read, labels, strict=True)
    ]
    assert np.mean(right) > 0.9
    assert bundle.embedding_reference is not None
    assert bundle.embedding_reference.dimension == 1600
    losses = json.dumps(bundle.manifest.metrics["int8_against_fp32"])
    assert "int8" in losses


def test_pictures_become_gray_bright_on_dark_and_letterboxed() -> None:
    shirt = np.full((120, 60, 3), 250, np.uint8)
    shirt[20:100, 15:45] = (30, 60, 120)
    seen = model_input(shirt, None, INPUT)
    assert seen.shape == (28, 28, 1)
    assert seen[14, 14, 0] > 150, "the product is bright"
    assert seen[:, :6].max() == 0, "bars of the letterbox are black"
    assert seen[1, 14, 0] < 20, "the backdrop is dark"
    dark = 255 - shirt
    np.testing.assert_array_equal(model_input(dark, None, INPUT)[14, 14] > 127, [True])


def test_the_ten_classes_are_in_the_taxonomy_and_other_pictures_are_left_out(tmp_path: Path) -> None:
    assert all(path in load_taxonomy() for path in CLOTHING_CLASSES.values())
    assert len(set(CLOTHING_CLASSES.values())) == 10
    stray = LabelledImage(path=tmp_path / "x.jpg", image_path="x.jpg", dataset="myntra224", split="train")
    with pytest.raises(NoClothingError, match="0 of 1 pictures have one of the ten classes"):
        ClothingData.load([stray], tmp_path)
