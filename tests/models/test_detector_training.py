"""Training pictures keep pixels, masks and boxes together, and the losses are least for the wanted answer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the train extra is not installed")
pytest.importorskip("efficientnet_lite_pytorch", reason="the train extra is not installed")

from models.detector.augment import Augmenter  # noqa: E402
from models.detector.geometry import box_of, overlap  # noqa: E402
from models.detector.photos import photo_samples  # noqa: E402
from models.detector.samples import (  # noqa: E402
    ABSENT,
    PRESENT,
    UNKNOWN,
    Sample,
    TagArt,
    as_boxes,
    load_samples,
    load_tags,
    save_samples,
    save_tags,
)
from models.detector.targets import distance_loss, heat_loss, make_targets, map_loss  # noqa: E402
from models.labelled import LabelledBox, LabelledImage  # noqa: E402
from models.manifest import DetectTask, InputSpec  # noqa: E402
from udfs.detect import DetectOutputs, read_detections  # noqa: E402

SIDE = 192
RED = (220, 20, 30)


def red_block(box: tuple[int, int, int, int] = (60, 50, 160, 210), size: tuple[int, int] = (256, 224)) -> Sample:
    """A red block on blue-gray, with a line of text in it."""
    height, width = size
    product = np.full((height, width), ABSENT, np.uint8)
    product[box[1] : box[3], box[0] : box[2]] = PRESENT
    text = np.full_like(product, ABSENT)
    text[box[1] + 20 : box[1] + 40, box[0] + 10 : box[2] - 10] = PRESENT
    pixels = np.where(product[..., None] == PRESENT, np.array(RED), np.array((90, 110, 130))).astype(np.uint8)
    return Sample(pixels, product, text, as_boxes([box]), as_boxes([]), "drawn", cut_out=True)


def white_tag() -> TagArt:
    return TagArt(
        np.full((70, 100, 3), 250, np.uint8), np.full((70, 100), 255, np.uint8), np.zeros((70, 100), np.uint8)
    )


def answer(targets, row=slice(None)):  # type: ignore[no-untyped-def]
    """The targets as a network would say them."""

    def logit(values):  # type: ignore[no-untyped-def]
        clipped = np.clip(values, 1e-4, 1 - 1e-4)
        return np.log(clipped / (1 - clipped)).astype(np.float32)

    return DetectOutputs(logit(targets.heat)[None], targets.distances[None], logit(targets.maps)[None])


def detect_task() -> DetectTask:
    return DetectTask.model_validate(
        {
            "name": "detect",
            "file": "x",
            "input": InputSpec(name="image", height=SIDE, width=SIDE, resize="stretch", region="image", box_margin=0.0),
            "outputs": {"scores": "s", "distances": "d", "maps": "m"},
            "product_threshold": 0.5,
            "tag_threshold": 0.5,
            "text_threshold": 0.5,
            "mask_threshold": 0.5,
        }
    )


def test_reading_the_wanted_answer_gives_the_boxes_back():
    products, tags = as_boxes([(20, 30, 120, 180)]), as_boxes([(130, 40, 170, 70), (60, 100, 100, 130)])
    product = np.full((SIDE, SIDE), ABSENT, np.uint8)
    product[30:180, 20:120] = PRESENT
    text = np.full_like(product, ABSENT)
    text[40:60, 40:100] = PRESENT
    targets = make_targets(SIDE, (products, tags), product, text)
    found = read_detections(answer(targets), 0, SIDE, SIDE, detect_task())
    assert [one.box for one in found.products] == [pytest.approx((20, 30, 120, 180), abs=1)]
    assert sorted(one.box for one in found.tags) == [
        pytest.approx((60, 100, 100, 130), abs=1),
        pytest.approx((130, 40, 170, 70), abs=1),
    ]
    assert found.texts[0].box == pytest.approx((40, 40, 100, 60), abs=4)
    mask = found.product_mask()
    assert (mask & (product > 0)).sum() / (mask | (product > 0)).sum() > 0.95


def test_training_pictures_keep_box_mask_and_pixels_together():
    augmenter, overlaps = Augmenter([red_block()], []), []
    for epoch in range(40):
        pixels, targets = augmenter.picture(0, SIDE, np.random.default_rng((3, epoch)))
        assert pixels.shape == (SIDE, SIDE, 3)
        found = read_detections(answer(targets), 0, SIDE, SIDE, detect_task())
        mask = targets.maps[0] > 0.5
        # Red stays redder than everything else whatever the light does, unless a picture was made nearly gray.
        red = pixels[..., 0].astype(int) - pixels[..., 1:].max(axis=2)
        if mask.sum() > 100 and red.max() > 60:
            seen = red.reshape(48, 4, 48, 4).mean(axis=(1, 3)) > red.max() / 2
            overlaps.append((seen & mask).sum() / (seen | mask).sum())
        if len(found.products) == 1 and targets.heat[0].max() == 1:
            box = box_of(found.product_mask())
            assert box is not None
            assert overlap(box, found.products[0].box) > 0.8
    # Now and then the background is reddish too.
    assert len(overlaps) > 20
    assert np.median(overlaps) > 0.9


def test_the_same_seed_gives_the_same_picture_and_another_seed_another():
    augmenter = Augmenter([red_block()], [white_tag()])
    first, again = (augmenter.picture(0, SIDE, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1].heat, again[1].heat)
    other, _ = augmenter.picture(0, SIDE, np.random.default_rng(4))
    assert (first[0] != other).any()


def test_pasted_tags_are_wanted_and_hide_the_product():
    augmenter = Augmenter([red_block()], [white_tag()])
    tagged = 0
    for epoch in range(30):
        _, targets = augmenter.picture(0, SIDE, np.random.default_rng(epoch))
        for one in read_detections(answer(targets), 0, SIDE, SIDE, detect_task()).tags:
            tagged += 1
            x_min, y_min, x_max, y_max = (round(edge / 4) for edge in one.box)
            middle = targets.maps[0, (y_min + y_max) // 2, (x_min + x_max) // 2]
            assert middle == 0
    assert tagged >= 3


def test_what_is_not_known_is_not_learned():
    nothing = np.full((SIDE, SIDE), UNKNOWN, np.uint8)
    targets = make_targets(SIDE, (None, as_boxes([])), nothing, nothing)
    heat, maps = (torch.from_numpy(plane[None]) for plane in (targets.heat, targets.maps))
    scores = torch.full((1, 2, 24, 24), 5.0, requires_grad=True)
    logits = torch.zeros((1, 48, 48), requires_grad=True)
    (heat_loss(scores, heat) + map_loss(logits, maps[:, 0])).backward()
    assert scores.grad is not None and logits.grad is not None
    assert (scores.grad[:, 0] == 0).all() and (scores.grad[:, 1] > 0).all()
    assert (logits.grad == 0).all()


def test_losses_are_least_for_the_wanted_answer():
    sample = red_block((40, 40, 150, 150), (SIDE, SIDE))
    targets = make_targets(SIDE, (sample.boxes, sample.tags), sample.product, sample.text)
    said = answer(targets)
    wanted = [
        torch.from_numpy(plane[None]) for plane in (targets.heat, targets.distances, targets.weights, targets.maps)
    ]
    scores, distances, maps = (torch.from_numpy(plane) for plane in (said.scores, said.distances, said.maps))
    assert distance_loss(distances, wanted[1], wanted[2]) < 1e-3
    assert distance_loss(distances * 1.3, wanted[1], wanted[2]) > 0.1
    assert map_loss(maps[:, 0], wanted[3][:, 0]) < 0.1 < map_loss(-maps[:, 0], wanted[3][:, 0])
    assert heat_loss(scores, wanted[0]) < heat_loss(scores.roll(4, 3), wanted[0])


def test_samples_come_back_as_they_were_stored(tmp_path: Path):
    second = red_block((0, 0, 20, 30), (40, 60))
    unknown = Sample(second.pixels, second.product, second.text, None, None, "other", cut_out=False)
    stored = [red_block(), unknown, second]
    save_samples(tmp_path / "some.npz", stored)
    for before, after in zip(stored, load_samples(tmp_path / "some.npz"), strict=True):
        for name in ("pixels", "product", "text"):
            np.testing.assert_array_equal(getattr(before, name), getattr(after, name))
        assert (before.boxes is None) == (after.boxes is None)
        if before.boxes is not None:
            np.testing.assert_array_equal(before.boxes, after.boxes)
        assert (before.source, before.cut_out) == (after.source, after.cut_out)
    save_tags(tmp_path / "tags.npz", [white_tag()])
    np.testing.assert_array_equal(load_tags(tmp_path / "tags.npz")[0].cover, white_tag().cover)


def test_labelled_boxes_of_a_photo_teach_product_and_tags(tmp_path: Path):
    generator = np.random.default_rng(0)
    # A busy picture, in which no backdrop tells where the product is.
    cv2.imwrite(str(tmp_path / "shelf.png"), generator.integers(0, 255, (512, 384, 3), dtype=np.uint8))
    boxes = (LabelledBox("product", (100, 120, 300, 400)), LabelledBox("tag", (20, 40, 80, 90)))
    image = LabelledImage(tmp_path / "shelf.png", "shelf.png", dataset="corrections", boxes=boxes)
    (sample,) = photo_samples([image], None, 0)
    assert sample is not None
    assert sample.pixels.shape == (256, 192, 3), "shrunk by half, and its boxes with it"
    assert sample.boxes is not None and sample.boxes.tolist() == [[50, 60, 150, 200]]
    assert sample.tags is not None and sample.tags.tolist() == [[10, 20, 40, 45]]
    assert (sample.product[60:200, 50:150] == UNKNOWN).all()
    assert (sample.product[:60] == ABSENT).all(), "no product outside its box, nor where the tag is"
    assert list(photo_samples([replace(image, boxes=())], None, 0)) == [None], "nothing is known of it"
