"""The detector that ships finds products, tags, text and masks in pictures drawn on the spot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.bundle import BASELINE_BUNDLE, load_bundle
from models.compose import with_detector
from models.detector.average_precision import iou_matrix
from models.detector.scenes import TEST_SEED, on_white, rendered_image, text_map
from models.manifest import DetectTask
from models.model_input import model_input
from models.session import new_session
from schemas.reasons import ImageError
from udfs.detect import Detections, DetectOutputs, read_detections
from udfs.runtime import Runtime

PICTURES = 8


@pytest.fixture(scope="module")
def task() -> DetectTask:
    return load_bundle().task("detect")


@pytest.fixture(scope="module")
def session(task: DetectTask):
    return new_session(load_bundle().files[task.file])


@pytest.fixture(scope="module")
def scenes():
    return [rendered_image(TEST_SEED, index) for index in range(PICTURES)]


def run(session, task: DetectTask, pictures: list[np.ndarray]) -> DetectOutputs:
    batch = np.stack([model_input(pixels, None, task.input) for pixels in pictures])
    names = task.outputs
    return DetectOutputs(*session.run([names.scores, names.distances, names.maps], {task.input.name: batch}))


def detect(session, task: DetectTask, pixels: np.ndarray) -> Detections:
    return read_detections(run(session, task, [pixels]), 0, *pixels.shape[:2], task)


def test_products_and_their_masks_are_found(session, task, scenes):
    boxes, masks = [], []
    for image in scenes:
        found = detect(session, task, on_white(image.pixels))
        if found.products:
            boxes.append(iou_matrix(np.array([found.products[0].box]), np.array([image.truth.box]))[0, 0])
        mask = found.product_mask()
        masks.append((mask & image.mask).sum() / (mask | image.mask).sum())
    assert len(boxes) >= PICTURES - 1
    assert np.mean(boxes) > 0.75
    assert np.mean(masks) > 0.75


def test_text_is_found_where_it_is_printed(session, task, scenes):
    shares = {True: [], False: []}
    for image in scenes:
        truth = text_map(image.truth.texts, image.truth.height, image.truth.width)
        shares[bool((truth == 255).any())].append(detect(session, task, on_white(image.pixels)).text_share)
    assert np.mean(shares[True]) > 3 * np.mean(shares[False])


def test_a_plain_picture_shows_no_tag_and_no_text(session, task):
    found = detect(session, task, np.full((400, 300, 3), 235, np.uint8))
    assert found.tags == ()
    assert found.text_share < 0.01


def test_a_batch_gives_what_single_pictures_give(session, task, scenes):
    pictures = [on_white(image.pixels) for image in scenes[:3]]
    together = run(session, task, pictures)
    for row, pixels in enumerate(pictures):
        alone = run(session, task, [pixels])
        np.testing.assert_allclose(alone.scores[0], together.scores[row], atol=1e-4)
        np.testing.assert_allclose(alone.maps[0], together.maps[row], atol=1e-4)


def test_a_runtime_detects_with_a_composed_bundle(session, task, scenes, tmp_path: Path):
    bundle = with_detector(load_bundle(BASELINE_BUNDLE), load_bundle(), tmp_path / "bundle", version="9.0.0")
    runtime = Runtime(bundle)
    pixels = on_white(scenes[0].pixels)
    outputs = runtime.detect(runtime.prepare_detect(pixels)[None])
    found = read_detections(outputs, 0, *pixels.shape[:2], runtime.detect_task)
    assert [one.box for one in found.products] == [one.box for one in detect(session, task, pixels).products]
    with pytest.raises(ImageError, match=r"9\.0\.0 detect\.int8\.onnx: wants \(N, \*\(192, 192, 3\)\)"):
        runtime.detect(pixels[None])
