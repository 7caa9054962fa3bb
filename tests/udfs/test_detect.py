"""Boxes, masks and text regions come out of the detector's dense answer where they belong in the picture."""

from __future__ import annotations

import numpy as np
import pytest

from models.manifest import DetectOutputSpec, DetectTask, InputSpec
from udfs.detect import DetectOutputs, distinct, placement_of, read_detections

SIDE, CELLS, PLACES = 192, 24, 48
NO, YES = -8.0, 8.0


def task(resize: str = "pad") -> DetectTask:
    return DetectTask(
        name="detect",
        file="detect.onnx",
        input=InputSpec.model_validate({"name": "image", "height": SIDE, "width": SIDE, "resize": resize}),
        outputs=DetectOutputSpec(scores="scores", distances="distances", maps="maps"),
        product_threshold=0.3,
        tag_threshold=0.3,
        text_threshold=0.5,
        mask_threshold=0.5,
    )


def silence(pictures: int = 1) -> DetectOutputs:
    """The answer for pictures that show nothing."""
    return DetectOutputs(
        np.full((pictures, 2, CELLS, CELLS), NO, np.float32),
        np.zeros((pictures, 8, CELLS, CELLS), np.float32),
        np.full((pictures, 2, PLACES, PLACES), NO, np.float32),
    )


def add_box(
    outputs: DetectOutputs, box: tuple[float, float, float, float], number: int = 0, logit: float = 2.0
) -> None:
    """A box in px of the square, as the network would say it: a peak in its middle, distances all around."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    row, column = int(y // 8), int(x // 8)
    outputs.scores[0, number, row, column] = logit
    centers = (np.arange(CELLS) + 0.5) * 8
    for r in range(max(row - 1, 0), min(row + 2, CELLS)):
        for c in range(max(column - 1, 0), min(column + 2, CELLS)):
            sides = (centers[c] - box[0], centers[r] - box[1], box[2] - centers[c], box[3] - centers[r])
            outputs.distances[0, 4 * number : 4 * number + 4, r, c] = np.array(sides) / (SIDE / 4)


def test_a_product_and_a_tag_are_found_at_their_places():
    outputs = silence()
    add_box(outputs, (40, 20, 150, 180))
    add_box(outputs, (100, 100, 140, 130), number=1)
    found = read_detections(outputs, 0, 192, 192, task())
    assert [one.box for one in found.products] == [pytest.approx((40, 20, 150, 180), abs=0.5)]
    assert [one.box for one in found.tags] == [pytest.approx((100, 100, 140, 130), abs=0.5)]
    assert found.products[0].score == pytest.approx(1 / (1 + np.exp(-2.0)), abs=1e-4)


@pytest.mark.parametrize(("resize", "left", "wide"), [("pad", 48.0, 96.0), ("stretch", 0.0, 192.0)])
def test_boxes_and_masks_are_in_pixels_of_the_picture(resize: str, left: float, wide: float):
    # 400 x 800 (width x height): padded it lies in the middle half of the square, stretched it fills it.
    height, width = 800, 400
    outputs = silence()
    quarter = (left + wide * 0.25, 48.0, left + wide * 0.75, 144.0)
    add_box(outputs, quarter)
    x0, y0, x1, y1 = (round(edge / 4) for edge in quarter)
    outputs.maps[0, 0, y0:y1, x0:x1] = YES
    found = read_detections(outputs, 0, height, width, task(resize))
    assert found.products[0].box == pytest.approx((100, 200, 300, 600), abs=4)
    mask = found.product_mask()
    assert mask.shape == (height, width)
    truth = np.zeros_like(mask)
    truth[200:600, 100:300] = True
    assert (mask & truth).sum() / (mask | truth).sum() > 0.9
    assert found.product_mask(80, 40).shape == (80, 40)


def test_boxes_never_leave_the_picture():
    outputs = silence()
    add_box(outputs, (-60, -60, 260, 260))
    found = read_detections(outputs, 0, 300, 300, task())
    assert found.products[0].box == (0, 0, 300, 300)


def test_the_row_of_the_batch_decides():
    outputs = silence(3)
    outputs.scores[1, 0, 12, 12] = YES
    outputs.distances[1] = 1.0
    assert [len(read_detections(outputs, row, 192, 192, task()).products) for row in range(3)] == [0, 1, 0]
    assert len(read_detections(outputs.row(1), 0, 192, 192, task()).products) == 1


def test_one_thing_is_said_once_and_two_things_twice():
    outputs = silence()
    add_box(outputs, (10, 60, 80, 150), logit=3.0)
    add_box(outputs, (12, 60, 110, 150), logit=1.0)
    add_box(outputs, (120, 60, 185, 150), logit=2.0)
    found = read_detections(outputs, 0, 192, 192, task()).products
    assert [round(one.box[0]) for one in found] == [10, 120]
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


def test_a_part_inside_a_better_box_is_dropped_and_empty_boxes_too():
    boxes = np.array([[0, 0, 100, 100], [10, 10, 40, 40], [5, 5, 5, 60], [90, 90, 150, 150]], np.float32)
    assert distinct(boxes, np.array([0.9, 0.8, 0.7, 0.6], np.float32)) == [0, 3]


def test_text_regions_have_boxes_scores_and_a_share():
    outputs = silence()
    outputs.maps[0, 1, 10:14, 10:30] = YES
    outputs.maps[0, 1, 30:32, 20:24] = 1.0
    found = read_detections(outputs, 0, 384, 384, task())
    assert [one.box for one in found.texts] == [(80, 80, 240, 112), (160, 240, 192, 256)]
    assert found.texts[0].score > found.texts[1].score > 0.5
    assert found.text_share == pytest.approx((4 * 20 + 2 * 4) / 48**2)


def test_an_empty_picture_shows_nothing():
    found = read_detections(silence(), 0, 640, 480, task())
    assert (found.products, found.tags, found.texts, found.text_share) == ((), (), (), 0.0)
    assert not found.product_mask().any()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (3, 7), (4000, 10)])
@pytest.mark.parametrize("resize", ["pad", "stretch"])
def test_odd_pictures_and_wild_answers_still_give_something_sane(size: tuple[int, int], resize: str):
    rng = np.random.default_rng(0)
    wild = DetectOutputs(
        rng.normal(0, 300, (1, 2, CELLS, CELLS)).astype(np.float32),
        rng.normal(0, 9, (1, 8, CELLS, CELLS)).astype(np.float32),
        rng.normal(0, 300, (1, 2, PLACES, PLACES)).astype(np.float32),
    )
    height, width = size
    found = read_detections(wild, 0, height, width, task(resize))
    assert found.product_mask().shape == size
    for one in (*found.products, *found.tags, *found.texts):
        x_min, y_min, x_max, y_max = one.box
        assert 0 <= x_min < x_max <= width
        assert 0 <= y_min < y_max <= height


def test_a_cut_input_is_refused():
    with pytest.raises(ValueError, match="stretched or padded, not 'crop'"):
        placement_of(100, 50, task("crop"))
