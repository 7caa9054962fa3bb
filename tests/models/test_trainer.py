"""Training for real on pictures that are easy to learn: it learns, it resumes where it stopped, it exports."""

import time

import numpy as np
import pytest
import torch

from models.bundle import load_bundle
from models.families import family_of, load_trained
from models.labelled import read_labels
from models.objective import validate
from models.recipe import CheckpointError, Phase, Recipe
from models.training_data import ProductData
from tests.models.training_pictures import write_training_pictures
from udfs.runtime import BundleSource, Runtime

RECIPE = Recipe(
    name="test",
    network="product",
    seed=3,
    phases=(
        Phase(size=32, images=160, batch=16, learning_rate=0.01, freeze="trunk"),
        Phase(size=64, images=960, batch=16, learning_rate=0.01, freeze="trunk", mixup=0.2),
    ),
    ema_decay=0.8,
    embedding_dimension=16,
    validate_every=240,
)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    images = read_labels(write_training_pictures(folder / "set"))
    return ProductData.load(images, folder / "cache")


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("trained")
    said = []
    family_of("product").train(data, RECIPE, out, said.append, None)
    return out, said


def test_the_network_learns_type_and_color(data, trained):
    out, said = trained
    network, space, _ = load_trained(out)
    assert space.leaves == ("apparel/topwear/t-shirt", "footwear/shoes/casual-shoe")
    scores = validate(network, data, 64)
    assert scores["category/drawn"] > 0.9
    assert scores["color"] > 0.9
    assert any("min left" in line for line in said)
    assert any("(best)" in line for line in said)
    assert list((out / "tensorboard").glob("events.*"))


def test_validation_pictures_are_never_drawn(data):
    drawn = set(data.draw(5000, np.random.default_rng(0)).tolist())
    assert drawn.isdisjoint(data.validation().tolist())
    assert len(drawn) == len(data.training())


def test_a_training_that_was_stopped_ends_as_one_that_was_not(data, tmp_path):
    short = RECIPE.model_copy(
        update={
            "phases": (RECIPE.phases[1].model_copy(update={"images": 64, "size": 48, "freeze": 4}),),
            "dropout": 0.0,
        }
    )
    family = family_of("product")
    family.train(data, short, tmp_path / "whole", lambda _: None, None)
    stops = 0
    while not (result := family.train(data, short, tmp_path / "parts", lambda _: None, time.monotonic())).finished:
        stops += 1
        assert stops < 10
    assert stops >= 3, "each try with a deadline in the past makes one step"
    assert result.progress.images == 64
    whole, parts = (torch.load(tmp_path / name / "network.pt", weights_only=True) for name in ("whole", "parts"))
    for name, weights in whole.items():
        assert torch.allclose(weights.float(), parts[name].float(), rtol=1e-3, atol=2e-3), name


def test_a_checkpoint_of_another_recipe_is_refused(data, trained):
    other = RECIPE.model_copy(update={"seed": 4})
    with pytest.raises(CheckpointError, match="made by another recipe"):
        family_of("product").train(data, other, trained[0], lambda _: None, None)


def test_a_training_begins_with_the_weights_of_another(data, trained, tmp_path):
    step = Phase(size=64, images=16, batch=16, learning_rate=1e-6, freeze="trunk")
    further = RECIPE.model_copy(update={"phases": (step,), "start_from": str(trained[0])})
    said = []
    family_of("product").train(data, further, tmp_path / "further", said.append, None)
    assert any("beginning with the weights" in line for line in said)
    assert validate(load_trained(tmp_path / "further")[0], data, 64)["category/drawn"] > 0.9


def test_another_network_is_no_beginning(data, trained, tmp_path):
    narrower = RECIPE.model_copy(update={"embedding_dimension": 8, "start_from": str(trained[0])})
    with pytest.raises(CheckpointError, match="of another network or other labels"):
        family_of("product").train(data, narrower, tmp_path / "narrower", lambda _: None, None)
    nowhere = RECIPE.model_copy(update={"start_from": str(tmp_path)})
    with pytest.raises(CheckpointError, match="does not exist"):
        family_of("product").train(data, nowhere, tmp_path / "nowhere", lambda _: None, None)


def test_the_bundle_says_what_the_network_says(data, trained):
    out, _ = trained
    bundle = family_of("product").export(data, RECIPE, out, "1.2.3", lambda _: None)
    assert bundle.version_id == "product-lite0@1.2.3"
    assert load_bundle(out / "bundle").sha256 == bundle.sha256
    task = bundle.task("classify")
    runtime = Runtime(bundle)
    indices = data.validation()
    result = runtime.classify(data.views(indices, task.input.height))
    assert result.embeddings.shape == (len(indices), 16)
    attributes = runtime.attribute_reader.read(result.heads)
    for index, reading, found in zip(indices, runtime.read(result), attributes, strict=True):
        image = data.images[int(index)]
        assert reading.labels[0].label == {"T-Shirt": "apparel/topwear/t-shirt"}.get(
            image.subcategory, "footwear/shoes/casual-shoe"
        )
        assert {one.attribute: one.value for one in found}["color"] == image.color.lower()
    measured = bundle.manifest.metrics["int8_against_fp32"]["category"]
    assert measured["images"] == len(indices)
    assert abs(measured["int8"] - measured["fp32"]) <= 0.1
    assert BundleSource(bundle.sha256, path=str(out / "bundle")).load().sha256 == bundle.sha256
    assert b"/" + str(out).encode() not in bundle.files[task.file], "no path of this machine in the model"
