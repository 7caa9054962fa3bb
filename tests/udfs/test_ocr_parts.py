"""Parts of reading text that need no model: areas, maps of text, decoding, the gate."""

import numpy as np
import pytest

from tests.udfs.test_ocr import LABEL, page
from udfs.ocr_detect import (
    DetectedLine,
    DetectSettings,
    detect_text,
    lines_of_map,
    network_size,
    reading_order,
)
from udfs.ocr_recognize import ReadLine, RecognizeSettings, _batches, cut_line, decode_ctc
from udfs.ocr_regions import Area, areas_of
from udfs.ocr_sessions import Network
from udfs.text_likelihood import LEAST_LIKELIHOOD, likely_text, load_gate_weights


def quad(left, top, right, bottom):
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


def test_a_kernel_grows_back_to_its_line():
    text_map = np.zeros((160, 320), np.float32)
    text_map[60:71, 40:241] = 0.9
    (line,) = lines_of_map(text_map, 320, 640, DetectSettings())
    # Growth is 1.6 x area / perimeter of the kernel (about 11 x 201 px): 8 px of the map, 16 px of the picture.
    left, top, right, bottom = *line.quad.min(axis=0), *line.quad.max(axis=0)
    assert (left, top) == pytest.approx((80 - 16, 120 - 16), abs=4)
    assert (right, bottom) == pytest.approx((480 + 16, 141 + 16), abs=5)
    assert not line.tall and line.score > 0.8
    assert np.allclose(line.quad[0], (left, top)) and np.allclose(line.quad[2], (right, bottom))


def test_a_column_reads_from_top_to_bottom():
    text_map = np.zeros((320, 160), np.float32)
    text_map[40:241, 60:71] = 0.9
    (line,) = lines_of_map(text_map, 320, 160, DetectSettings())
    assert line.tall
    along = line.quad[1] - line.quad[0]
    assert along[1] > 150 and abs(along[0]) < 2


@pytest.mark.parametrize("value", [0.0, 0.35, float("nan")])
def test_faint_and_empty_maps_hold_no_lines(value):
    assert lines_of_map(np.full((64, 64), value, np.float32), 64, 64, DetectSettings()) == []


def test_corners_stay_inside_the_picture():
    (line,) = lines_of_map(np.ones((64, 96), np.float32), 640, 960, DetectSettings())
    assert line.quad.min() >= 0 and line.quad[:, 0].max() <= 960 and line.quad[:, 1].max() <= 640


def test_the_surest_lines_are_kept_when_there_are_too_many():
    text_map = np.zeros((200, 200), np.float32)
    for row, value in ((20, 0.6), (80, 0.9), (140, 0.7)):
        text_map[row : row + 10, 40:160] = value
    lines = lines_of_map(text_map, 200, 200, DetectSettings(most_lines=2))
    assert [round(float(line.quad[:, 1].mean())) // 60 for line in lines] == [1, 2]


def test_reading_order_is_by_rows():
    boxes = {"b": (200, 12, 300, 30), "a": (10, 10, 150, 32), "d": (160, 52, 200, 70), "c": (0, 50, 90, 72)}
    lines = {name: DetectedLine(quad(*box), 1.0, False) for name, box in boxes.items()}
    ordered = reading_order(list(lines.values()))
    assert [next(name for name, line in lines.items() if line is one) for one in ordered] == ["a", "b", "c", "d"]


def looks_of(pictures, kernel_height, score=0.9):
    """Sizes (N, height, width) at which the network sees pictures; it finds one kernel so high, px of its input."""
    seen = []

    def compute(batch):
        seen.append((batch.shape[0], *batch.shape[2:]))
        text_map = np.zeros((len(batch), 1, *batch.shape[2:]), np.float32)
        middle = batch.shape[2] // 2
        text_map[:, 0, middle - kernel_height // 2 : middle + kernel_height // 2, 32:-32] = score
        return text_map

    found = detect_text(Network("network", compute), pictures)
    assert len(found) == len(pictures)
    return seen


def sizes_of_looks(height, width):
    """Sizes of the first and the last look at a picture."""
    settings = DetectSettings()
    return network_size(height, width, settings, settings.first_scale), network_size(height, width, settings)


SMALL = np.zeros((120, 200, 3), np.uint8)


def test_a_small_picture_with_plain_lines_is_looked_at_once():
    first, last = sizes_of_looks(120, 200)
    assert first[0] * first[1] < 0.5 * last[0] * last[1]
    assert looks_of([SMALL] * 3, kernel_height=14) == [(3, *first)]


@pytest.mark.parametrize(("kernel_height", "score"), [(6, 0.9), (14, 0.6), (0, 0.9)], ids=["low", "unsure", "none"])
def test_a_small_picture_is_looked_at_closely_where_lines_are_low_or_unsure_or_missing(kernel_height, score):
    first, last = sizes_of_looks(120, 200)
    assert looks_of([SMALL], kernel_height, score) == [(1, *first), (1, *last)]


def test_a_large_picture_is_looked_at_once():
    size = network_size(400, 600, DetectSettings())
    assert looks_of([np.zeros((400, 600, 3), np.uint8)], kernel_height=0) == [(1, *size)]


@pytest.mark.parametrize(
    ("height", "width", "size"),
    [
        (600, 600, (608, 608)),
        (3000, 1000, (640, 224)),
        (200, 198, (448, 448)),
        (100, 60, (224, 128)),
        (1, 1, (32, 32)),
        (9, 5000, (32, 640)),
        (400, 420, (384, 416)),
    ],
)
def test_network_size_is_limited_and_a_multiple_of_32(height, width, size):
    assert network_size(height, width, DetectSettings()) == size


def test_areas_touching_are_joined_and_margins_stop_at_the_edge():
    assert areas_of([(10, 10, 50, 30), (40, 20, 90, 60), (0, 90, 60, 120)], 120, 100, 0.0) == (
        Area(10, 10, 90, 60),
        Area(0, 90, 60, 120),
    )
    assert areas_of([(2, 2, 98, 22)], 24, 100, 0.2) == (Area(0, 0, 100, 24),)


def test_joining_goes_on_until_nothing_touches():
    chain = [(0, 0, 20, 20), (60, 0, 80, 20), (15, 0, 65, 20)]
    assert areas_of(chain, 50, 100, 0.0) == (Area(0, 0, 80, 20),)


def test_ctc_drops_repeats_and_blanks_but_keeps_double_letters():
    characters = ("", "a", "b", " ")
    path = [0, 1, 1, 0, 1, 2, 2, 3, 0]
    probabilities = np.full((2, len(path), 4), 0.05, np.float32)
    probabilities[0, np.arange(len(path)), path] = 0.8
    probabilities[1, :, 0] = 0.9
    assert decode_ctc(probabilities, characters) == [ReadLine("aab", pytest.approx(0.8)), ReadLine("", 0.0)]


def test_lines_of_like_width_share_a_call():
    settings = RecognizeSettings(batch=3, least_width=96, most_width=800, most_padding=0.2)
    batches = list(_batches([100, 400, 5000, 390, 90, 20, 110], settings))
    assert sorted(number for numbers, _ in batches for number in numbers) == list(range(7))
    assert all(len(numbers) <= 3 for numbers, _ in batches)
    assert max(width for _, width in batches) == 800 and all(width % 16 == 0 for _, width in batches)
    assert next(numbers for numbers, _ in batches if 1 in numbers) == [1, 3]


def test_calls_are_bounded_in_width_and_come_in_few_sizes():
    settings = RecognizeSettings(most_total_width=1600)
    calls = list(_batches([96] * 13 + [700] * 3 + [1500] * 2, settings))
    assert sorted(len(numbers) for numbers, _ in calls) == [1, 1, 1, 1, 2, 4, 8]
    assert all(len(numbers) * width <= 1616 for numbers, width in calls)


def test_a_tilted_line_is_cut_upright():
    pixels = np.zeros((100, 100, 3), np.uint8)
    pixels[:, 50:] = 255
    corners = np.array([[80, 20], [80, 80], [40, 80], [40, 20]], np.float32)
    line = cut_line(pixels, corners)
    # Its top is the white side of the picture, its bottom the black one.
    assert line.shape == (48, 72, 3) and line[4].min() > 250 and line[-4].max() < 5


@pytest.mark.parametrize(
    "corners",
    [quad(5, 5, 5, 20), quad(5, 5, 20, 5), quad(5, 5, 5.5, 5.5), quad(0, 0, 900, 2)],
    ids=["no width", "no height", "half a px", "thread"],
)
def test_lines_without_room_are_passed_over(corners):
    assert cut_line(np.zeros((50, 1000, 3), np.uint8), corners) is None


def test_gate_passes_a_label_and_says_where():
    pixels = np.full((600, 700, 3), 255, np.uint8)
    pixels[200:500, 150:630] = page(*LABEL)
    gate = likely_text(pixels)
    assert gate.likelihood > LEAST_LIKELIHOOD
    covered = np.zeros(pixels.shape[:2], bool)
    for x_min, y_min, x_max, y_max in gate.boxes:
        covered[int(y_min) : int(np.ceil(y_max)), int(x_min) : int(np.ceil(x_max))] = True
    ink = pixels.min(axis=2) < 128
    assert covered[ink].mean() > 0.97


@pytest.mark.parametrize("shape", [(1, 1), (5, 400), (15, 15), (16, 16), (2000, 17), (17, 2000)])
def test_gate_takes_any_size(shape):
    gate = likely_text(np.full((*shape, 3), 90, np.uint8))
    assert 0 <= gate.likelihood <= 1
    assert all(0 <= box[0] < box[2] <= shape[1] and 0 <= box[1] < box[3] <= shape[0] for box in gate.boxes)


def test_gate_weights_for_other_measures_are_refused(tmp_path):
    file = tmp_path / "weights.json"
    file.write_text('{"cell_measures": ["redness"], "top_ranks": [0]}')
    with pytest.raises(ValueError, match=r"weights\.json is for other measures"):
        load_gate_weights(file)
