"""A bundle over labelled pictures: what extraction would say, picture by picture, whatever is wrong with some."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import models.predict
from models.bundle import BASELINE_BUNDLE, Bundle, load_bundle
from models.labelled import LabelledImage
from models.predict import Predictor, predict
from models.robustness import Corruption
from tests.pictures import COLORS, write_picture
from udfs.extract import ExtractorConfig, ExtractRequest
from udfs.runtime import BundleSource


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return load_bundle(BASELINE_BUNDLE)


def pictures(folder: Path, count: int) -> list[LabelledImage]:
    colors = list(COLORS.values())
    return [
        LabelledImage(write_picture(folder / f"{number}.jpg", number, color=colors[number % 4]), f"{number}.jpg")
        for number in range(count)
    ]


def test_predictions_are_what_extraction_says(bundle, tmp_path):
    images = pictures(tmp_path, 5)
    predictions = predict(bundle, images)
    extractor = ExtractorConfig(BundleSource(bundle.sha256, path=str(BASELINE_BUNDLE)), micro_batch=2).build()
    outcomes = list(extractor.extract(ExtractRequest(image.path.as_uri()) for image in images))
    labels = bundle.labels(bundle.task("classify"))
    for row, outcome in enumerate(outcomes):
        assert predictions.contents[row] == outcome.content_sha256
        np.testing.assert_allclose(predictions.embeddings[row], outcome.attributes["embedding"], atol=1e-5)
        best = outcome.attributes["labels"][0]
        assert labels[predictions.probabilities[row].argmax()] == best["label"]
        assert predictions.probabilities[row].max() == pytest.approx(best["score"], abs=1e-5)


def test_pictures_that_cannot_be_read_are_named_and_the_others_stand_in_order(bundle, tmp_path):
    images = pictures(tmp_path, 20)
    images[3].path.unlink()
    images[17].path.write_bytes(b"not a picture")
    seen = []
    predictions = predict(bundle, images, progress=lambda done, failed: seen.append((done, failed)))
    assert [(one.image.image_path, one.reason) for one in predictions.failures] == [
        ("3.jpg", "not_found"),
        ("17.jpg", "not_an_image"),
    ]
    assert [image.image_path for image in predictions.images] == [f"{n}.jpg" for n in range(20) if n not in (3, 17)]
    assert predictions.probabilities.shape == (18, 1000)
    assert seen == [(16, 1), (20, 2)]
    alone = predict(bundle, [images[19]])
    np.testing.assert_allclose(predictions.embeddings[-1], alone.embeddings[0], atol=1e-5)


def test_nothing_readable_gives_no_rows(bundle, tmp_path):
    predictions = predict(bundle, [LabelledImage(tmp_path / "none.jpg", "none.jpg")])
    assert len(predictions) == 0
    assert predictions.probabilities.shape == (0, 1000)
    assert predictions.embeddings.shape == (0, bundle.manifest.embedding_dimension)


def test_several_processes_give_the_same_as_one(bundle, tmp_path, monkeypatch):
    images = pictures(tmp_path, 40)
    images[21].path.unlink()
    alone = predict(bundle, images, workers=1)
    monkeypatch.setattr(models.predict, "_WORTH_PROCESSES", 1)
    with Predictor(bundle, 2) as predictor:
        together = predictor.predict(images)
        spoiled = predictor.predict(images[:2], [Corruption("blur", 5), None])
    assert together.images == alone.images
    assert together.contents == alone.contents
    np.testing.assert_array_equal(together.probabilities, alone.probabilities)
    np.testing.assert_array_equal(spoiled.probabilities[1], alone.probabilities[1])
    assert not np.array_equal(spoiled.probabilities[0], alone.probabilities[0])


def test_heads_come_along_with_their_labels(tmp_path):
    bundle = load_bundle(with_color_head(load_bundle(BASELINE_BUNDLE), tmp_path))
    predictions = predict(bundle, pictures(tmp_path, 3))
    assert predictions.heads["color"].shape == (3, 1280)
    np.testing.assert_allclose(predictions.heads["color"].sum(axis=1), 1, atol=1e-5)
    chosen = predictions.select(np.array([False, True, True]))
    np.testing.assert_array_equal(chosen.heads["color"], predictions.heads["color"][1:])
    assert chosen.images == predictions.images[1:]


def with_color_head(bundle: Bundle, folder: Path) -> Path:
    """The shipped bundle with a color head that reads colors off the embedding, by no good rule."""
    from models.bundle import write_bundle
    from models.manifest import ManifestDraft

    document = bundle.manifest.model_dump(mode="json", exclude={"files"})
    document["name"] = "with-color"
    head = {"name": "color", "output": "embedding", "labels_file": "color.json", "temperature": 1.0, "threshold": 0.5}
    document["tasks"][0]["heads"] = [head]
    labels = ["red", "blue", "green", "black", *(f"no color {number}" for number in range(1276))]
    files = {**bundle.files, "color.json": json.dumps(labels).encode()}
    write_bundle(folder / "with-color", ManifestDraft.model_validate(document), files)
    return folder / "with-color"
