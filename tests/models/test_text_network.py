"""The text network for real: trained in seconds, exported, read by the same reader that extraction uses."""

import json

import numpy as np
import onnxruntime
import pytest
import torch

from models.bundle import BASELINE_BUNDLE, BundleError, load_bundle
from models.compose import with_fusion, with_text
from models.families import load_trained
from models.objective import validate
from models.recipe import RecipeError, load_recipe
from models.text_data import text_settings
from models.text_export import text_graph
from tests.models.text_rows import train_text_bundle
from udfs.fusion import PLAIN_WEIGHTS, weights_of
from udfs.text_understanding import ProductText, TextReader, understand


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    out = tmp_path_factory.mktemp("text")
    bundle, data, said = train_text_bundle(out)
    return out, bundle, data, said


def test_it_learns_type_color_and_gender(trained):
    out, _, data, _ = trained
    network, space, _ = load_trained(out)
    assert len(space.leaves) == 3
    scores = validate(network, data, 32)
    assert scores["category/titles"] > 0.9
    assert scores["color"] > 0.9
    assert scores["gender"] > 0.9


def test_what_it_learned_in_english_holds_in_chinese(trained):
    _, bundle, _, _ = trained
    reader = TextReader(bundle)
    results = understand([ProductText("白色衬衫"), ProductText("藏青色连衣裙")], reader)
    assert [one.category_candidates[0][0] for one in results] == ["apparel/topwear/shirt", "apparel/dresses-sets/dress"]
    colors = [next(one for one in result.attributes if one.attribute == "color") for result in results]
    assert [(one.value, one.evidence) for one in colors] == [("white", "白色"), ("navy blue", "藏青色")]


def test_the_graph_computes_what_the_network_computes(trained):
    out, *_ = trained
    network, _, _ = load_trained(out)
    rng = np.random.default_rng(0)
    ids = rng.integers(1, 500, (4, 7, 10)).astype(np.int32)
    segments = np.ones((4, 7), np.int32)
    for row, length in enumerate((7, 3, 1, 0)):
        ids[row, length:], segments[row, length:] = 0, 0
    expected = network.read(torch.from_numpy(ids).long(), torch.from_numpy(segments).long())
    model = text_graph(network.weights(), network.names, int8=False)
    session = onnxruntime.InferenceSession(model)
    names = [*network.names, "attention"]
    for name, values in zip(names, session.run(names, {"ids": ids, "segments": segments}), strict=True):
        np.testing.assert_allclose(values, expected[name].numpy(), atol=1e-4, err_msg=name)


def test_padding_changes_nothing(trained):
    _, bundle, _, _ = trained
    reader = TextReader(bundle)
    short, long = ProductText("red shirt"), ProductText("red shirt " * 12)
    alone = understand([short], reader)[0]
    beside = understand([long, short], reader)[1]
    assert alone.category_candidates[0][1] == pytest.approx(beside.category_candidates[0][1], abs=1e-4)


def test_int8_pieces_answer_as_fp32(trained):
    _, bundle, _, _ = trained
    compared = bundle.manifest.metrics["int8_against_fp32"]
    assert abs(compared["category"]["int8"] - compared["category"]["fp32"]) <= 0.05


def test_training_goes_on_where_it_stopped(trained, tmp_path):
    out, *_ = trained
    description = json.loads((out / "network.json").read_text())
    assert description["finished"]
    assert description["progress"]["images"] == 5120


def test_a_bundle_of_pictures_and_texts(trained, tmp_path):
    _, text, _, _ = trained
    pictures = load_bundle(BASELINE_BUNDLE)
    both = with_text(pictures, text, tmp_path / "both", version="2.0.0")
    assert both.manifest.version == "2.0.0"
    assert both.task("classify") == pictures.task("classify")
    assert both.labels(both.task("classify")) == pictures.labels(pictures.task("classify"))
    assert understand([ProductText("red shirt")], TextReader(both)) == understand(
        [ProductText("red shirt")], TextReader(text)
    )
    again = with_text(both, text, tmp_path / "again", version="2.0.1")
    assert set(again.files) == set(both.files)


def test_fusion_weights_travel_with_the_text_network(trained, tmp_path):
    _, text, _, _ = trained
    assert weights_of(text) is PLAIN_WEIGHTS
    weights = PLAIN_WEIGHTS.model_copy(update={"fitted_on": "nothing"})
    fitted = with_fusion(text, weights.to_bytes(), tmp_path / "fitted")
    assert weights_of(fitted) == weights
    whole = with_text(load_bundle(BASELINE_BUNDLE), fitted, tmp_path / "whole", version="2.0.0")
    assert weights_of(whole) == weights
    damaged = with_fusion(text, b'{"heads": 1}', tmp_path / "damaged")
    with pytest.raises(BundleError, match="fit it again"):
        weights_of(damaged)


def test_a_bundle_without_text_network_has_no_such_task(tmp_path):
    bundle = load_bundle(BASELINE_BUNDLE)
    assert bundle.understand_task is None
    with pytest.raises(BundleError, match="no task 'understand'"):
        with_text(bundle, bundle, tmp_path / "out", version="2.0.0")


def test_a_text_recipe_without_settings_is_refused():
    with pytest.raises(RecipeError, match="text"):
        text_settings(load_recipe("product"))
    assert load_recipe("text").text is not None
