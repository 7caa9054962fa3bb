"""`vitrine train` as a user runs it: to a bundle, in two processes, stopped and gone on with, with wrong options."""

import json

import cv2
import pytest

from jobs.cli import main
from jobs.train import train
from models.bundle import load_bundle
from models.compose import with_detector
from tests.models.training_pictures import write_training_pictures
from udfs.detect import read_detections
from udfs.runtime import Runtime

RECIPE = {
    "name": "quick",
    "network": "product",
    "phases": [{"size": 32, "images": 96, "batch": 16, "learning_rate": 0.01, "freeze": "trunk"}],
    "embedding_dimension": 16,
    "ema_decay": 0.8,
    "validate_every": 96,
}

DETECTOR = {
    "name": "quick-detector",
    "network": "detector",
    "phases": [{"size": 64, "images": 24, "batch": 8, "learning_rate": 0.002, "freeze": "trunk"}],
    "ema_decay": 0.8,
    "validate_every": 24,
    "detector": {
        "scenes": 4,
        "validation_scenes": 2,
        "tags": 2,
        "photos": {"other": {"most": 0, "shown": 0}},
        "other_photos": {"most": 6, "shown": 1},
        "validation_photos": 4,
    },
}


@pytest.fixture
def labels(tmp_path, monkeypatch):
    monkeypatch.setenv("VITRINE_CACHE", str(tmp_path / "cache"))
    return write_training_pictures(tmp_path / "set", 60)


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "quick.json"
    path.write_text(json.dumps(RECIPE))
    return path


def test_two_processes_train_one_network(spark, labels, recipe, tmp_path):
    made = train([labels], tmp_path / "out", str(recipe), processes=2, version="2.0.0")
    assert load_bundle(made).version_id == "product-lite0@2.0.0"
    progress = json.loads((tmp_path / "out" / "network.json").read_text())["progress"]
    assert progress["images"] == 96
    assert progress["updates"] == 3, "two processes see two batches per update"


def test_a_stopped_training_is_gone_on_with_by_the_same_command(labels, recipe, tmp_path, capsys):
    command = ["train", "--data", str(labels), "--out", str(tmp_path / "out"), "--recipe", str(recipe)]
    with pytest.raises(SystemExit) as ended:
        main([*command, "--stop-after", "0"])
    assert not ended.value.code
    assert "run the same command again to go on" in capsys.readouterr().err
    assert not (tmp_path / "out" / "bundle").exists()
    with pytest.raises(SystemExit) as ended:
        main(command)
    assert not ended.value.code
    said = capsys.readouterr()
    assert "going on after 16 pictures" in said.err
    assert said.out.strip().endswith("bundle")
    assert load_bundle(tmp_path / "out" / "bundle").manifest.metrics["int8_against_fp32"]


def test_a_detector_is_trained_to_a_bundle_that_detects(labels, tmp_path, capsys):
    (tmp_path / "detector.json").write_text(json.dumps(DETECTOR))
    out = tmp_path / "out"
    command = ["train", "--data", str(labels), "--out", str(out), "--recipe", str(tmp_path / "detector.json")]
    with pytest.raises(SystemExit) as ended:
        main([*command, "--stop-after", "0"])
    assert not ended.value.code
    assert "samples: drawn 6, rendered 4; to validate on: drawn 4, rendered 2" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        main([*command, "--version", "3.1.0"])
    assert not ended.value.code
    said = capsys.readouterr().err
    assert "going on after 8 pictures" in said
    assert "min left, loss: heat" in said
    made = load_bundle(out / "bundle")
    assert made.version_id == "detector@3.1.0"
    assert 0 <= made.manifest.metrics["int8_against_fp32"]["box/drawn"]["int8"] <= 1
    assert made.manifest.licenses["data drawn"] == "Apache-2.0"
    runtime = Runtime(with_detector(load_bundle(), made, tmp_path / "both", version="3.1.0"))
    pixels = cv2.imread(str(labels.parent / "images" / "0.png"), cv2.IMREAD_COLOR_RGB)
    outputs = runtime.detect(runtime.prepare_detect(pixels)[None])
    assert outputs.scores.shape == (1, 2, 24, 24)
    found = read_detections(outputs, 0, *pixels.shape[:2], runtime.detect_task)
    assert found.product_mask().shape == pixels.shape[:2]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--recipe", "gourmet"], "recipe gourmet does not exist"),
        (["--data", "nowhere/labels.csv"], "nowhere/labels.csv cannot be read"),
        (["--saliency", "u2netp.onnx"], "recipe quick trains no detector; leave --saliency out"),
        (["--network", "detector", "--saliency", "nowhere.onnx"], "nowhere.onnx does not exist"),
    ],
)
def test_wrong_options_end_with_one_line(labels, recipe, tmp_path, capsys, options, message):
    given = ["--data", str(labels), "--out", str(tmp_path / "out"), "--recipe", str(recipe), *options]
    with pytest.raises(SystemExit) as ended:
        main(["train", *given])
    assert ended.value.code == 1
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("vitrine:")]
    assert len(lines) == 1
    assert message in lines[0]
