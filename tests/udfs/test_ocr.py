"""Reading text in pictures, with the real models."""

import pickle
import subprocess
import sys

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw

from models.ocr_models import DETECT, FILES, OcrModels, OcrModelsError
from rendering.fonts import font
from schemas.reasons import ImageError, Reason
from udfs.ocr import OcrSettings, recognize_text, recognize_texts
from udfs.ocr_sessions import OcrSessions, ocr_sessions_for
from udfs.text_fields import parse_fields

WHITE = (255, 255, 255)


def page(*lines, size=(480, 300), face="sans", paper=WHITE, ink=(20, 20, 20)):
    """Lines (text, x, y, letter px) on paper."""
    image = Image.new("RGB", size, paper)
    for text, x, y, pixels in lines:
        ImageDraw.Draw(image).text((x, y), text, font=font(face, pixels), fill=ink)
    return np.asarray(image).copy()


LABEL = (
    ("GREENHOLLOW", 60, 30, 40),
    ("Oat Cookies", 90, 110, 28),
    ("6 x 330 ml", 120, 170, 26),
    ("$12.99", 130, 230, 34),
)


@pytest.fixture(scope="module")
def label():
    return page(*LABEL)


@pytest.fixture(scope="module")
def sessions():
    return ocr_sessions_for()


def texts(reading):
    return [line.text.replace(" ", "") for line in reading.lines]


WANTED = ["GREENHOLLOW", "OatCookies", "6x330ml", "$12.99"]


def test_reads_lines_in_order_with_their_place(label):
    reading = recognize_text(label)
    assert reading.status == "read" and texts(reading) == WANTED
    for line, (_, x, y, pixels) in zip(reading.lines, LABEL, strict=True):
        assert line.language in {"en", "other"} and line.confidence > 0.8
        assert abs(line.box[0] - x) < 14 and y - 14 < line.box[1] < y + pixels and line.box[3] < y + 2 * pixels
    facts = {one.name: one.value for one in parse_fields(reading.lines, brands=["GreenHollow"])}
    assert facts["price"] == "12.99 USD" and facts["net_content"] == "6 x 330 ml" and facts["brand"] == "GreenHollow"


def test_reads_chinese():
    pixels = page(
        ("晨野燕麦饼干", 40, 30, 40), ("净含量：240克", 40, 110, 30), ("会员价 ¥19.90", 40, 180, 34), face="zh-sans"
    )
    reading = recognize_text(pixels)
    assert texts(reading)[0] == "晨野燕麦饼干" and reading.lines[0].language == "zh"
    facts = {one.name: one.value for one in parse_fields(reading.lines)}
    assert (facts["net_content"], facts["price"]) == ("240 g", "19.90 CNY")


@pytest.mark.parametrize("turns", [1, 2, 3], ids=["90 left", "upside down", "90 right"])
def test_turned_pictures_are_read_and_corners_start_where_the_text_does(label, turns):
    turned = np.ascontiguousarray(np.rot90(label, turns))
    reading = recognize_text(turned)
    assert sorted(texts(reading)) == sorted(WANTED)
    brand = next(line for line in reading.lines if line.text == "GREENHOLLOW")
    along = np.array(brand.quad[2:4]) - np.array(brand.quad[:2])
    # On screen, text turned by 90 degrees to the left runs upwards.
    direction = {1: (0, -1), 2: (-1, 0), 3: (0, 1)}[turns]
    assert along @ direction > 0.9 * np.linalg.norm(along)


def test_only_given_regions_are_read_and_corners_stay_those_of_the_picture(label):
    reading = recognize_text(label, [(100, 220, 300, 285)])
    assert texts(reading) == ["$12.99"] and reading.likelihood is None
    assert 110 < reading.lines[0].box[0] < 145 and 215 < reading.lines[0].box[1] < 250


@pytest.mark.parametrize(
    "regions",
    [
        [],
        [(10, 10, 10, 50)],
        [(50, 50, 10, 10)],
        [(0, 0, 1, 1)],
        [(-90, -90, -5, -5)],
        [(float("nan"), 0, 9, 9)],
        [(2, 2, 4000, 5)],
    ],
    ids=["none", "empty", "turned round", "1 px", "outside", "nan", "3 px high"],
)
def test_regions_without_room_for_letters(label, regions):
    reading = recognize_text(label, regions)
    assert (reading.status, reading.lines) == ("no_text", ())


def test_overlapping_regions_read_a_line_once(label):
    reading = recognize_text(label, [(40, 20, 300, 90), (200, 20, 470, 90), (41, 21, 299, 89)])
    assert texts(reading) == ["GREENHOLLOW"]


@pytest.mark.parametrize(
    ("shape", "status"),
    [
        ((1, 1), "too_small"),
        ((1, 900), "too_small"),
        ((900, 1), "too_small"),
        ((7, 7), "too_small"),
        ((9, 3000), "no_text"),
        ((3000, 9), "no_text"),
        ((16, 16), "no_text"),
    ],
)
def test_tiny_and_extreme_pictures(shape, status):
    pixels = np.full((*shape, 3), 200, np.uint8)
    assert recognize_text(pixels).status == status
    whole = [(0, 0, shape[1], shape[0])]
    assert recognize_text(pixels, whole).status == status


@pytest.mark.parametrize("value", [0, 128, 255])
def test_empty_pictures_hold_no_text(value):
    pixels = np.full((200, 300, 3), value, np.uint8)
    gated, whole = recognize_text(pixels), recognize_text(pixels, [(0, 0, 300, 200)])
    assert gated.status == whole.status == "no_text" and gated.likelihood < 0.1


def test_noise_is_survived():
    pixels = np.random.default_rng(0).integers(0, 256, (160, 160, 3), dtype=np.uint8)
    assert recognize_text(pixels, [(0, 0, 160, 160)]).status in {"no_text", "read"}


def test_a_long_thin_strip_with_text_is_read():
    pixels = page(("MADE IN PORTUGAL", 1200, 2, 24), size=(2600, 34))
    assert "MADEINPORTUGAL" in "".join(texts(recognize_text(pixels, [(0, 0, 2600, 34)])))


def test_unknown_script_is_no_failure():
    """Arabic and Thai are not in the model's alphabet: at worst wrong characters, of a script that says so."""
    pixels = page(("مرحبا بالعالم", 40, 40, 40), ("Готово", 40, 140, 40), face="plain")
    reading = recognize_text(pixels, [(0, 0, 480, 300)])
    assert reading.status in {"read", "no_text"}
    assert all(0.5 <= line.confidence <= 1 for line in reading.lines)


@pytest.mark.parametrize(
    "pixels", [np.zeros((9, 9), np.uint8), np.zeros((9, 9, 4), np.uint8), np.zeros((9, 9, 3), np.float32)]
)
def test_wrong_arrays_are_the_callers_mistake(pixels):
    with pytest.raises(ValueError, match=r"\(H, W, 3\) uint8"):
        recognize_text(pixels)


def test_many_pictures_read_as_each_alone(label, sessions):
    other = page(("Halden", 100, 60, 50), ("100% COTTON", 100, 160, 30))
    blank = np.full((90, 90, 3), 255, np.uint8)
    together = recognize_texts([label, blank, other], sessions=sessions)
    alone = [recognize_text(one, sessions=sessions) for one in (label, blank, other)]
    assert [texts(one) for one in together] == [texts(one) for one in alone]
    assert [one.status for one in together] == ["read", "no_text", "read"]


def test_regions_must_fit_the_pictures(label):
    with pytest.raises(ValueError, match="regions for 2 pictures"):
        recognize_texts([label], [None, None])


class FailsOnTallPictures:
    """A detector that fails like onnxruntime out of memory when a picture is higher than 400 px."""

    def __init__(self, network):
        self.network = network

    def run(self, batch):
        if batch.shape[2] > 400:
            raise ImageError(Reason.MODEL_FAILED, "det: out of memory")
        return self.network.run(batch)


class SessionsWithFailingDetector(OcrSessions):
    @property
    def detector(self):
        return FailsOnTallPictures(super().detector)


def test_one_failing_picture_leaves_the_others(label):
    tall = np.full((640, 200, 3), 255, np.uint8)
    whole = [[(0, 0, one.shape[1], one.shape[0])] for one in (label, tall, label)]
    readings = recognize_texts([label, tall, label], whole, sessions=SessionsWithFailingDetector(OcrModels()))
    assert [one.status for one in readings] == ["read", "failed", "read"]
    assert "out of memory" in readings[1].detail and texts(readings[2]) == WANTED


def test_pictures_that_the_gate_stops_need_no_models():
    nowhere = OcrSessions(OcrModels("/nonexistent"))
    assert recognize_text(np.full((300, 300, 3), 230, np.uint8), sessions=nowhere).status == "no_text"


def test_without_its_gate_everything_is_read():
    blank = np.full((64, 64, 3), 230, np.uint8)
    reading = recognize_text(blank, settings=OcrSettings(least_likelihood=0.0))
    assert reading.status == "no_text"


def test_missing_models_say_what_to_install(tmp_path, label):
    with pytest.raises(OcrModelsError, match=rf"{DETECT.name}.*copy the files of rapidocr==3\.10\.0"):
        recognize_text(label, [(0, 0, 480, 300)], sessions=OcrSessions(OcrModels(str(tmp_path))))


def test_a_changed_model_file_is_refused(tmp_path):
    for file in FILES:
        (tmp_path / file.name).write_bytes(b"not the model")
    with pytest.raises(OcrModelsError, match="another file than meant"):
        OcrModels(str(tmp_path)).verify()


def test_the_installed_package_has_the_files_that_are_meant():
    OcrModels().verify()
    assert [OcrModels().path(file).stat().st_size for file in FILES] == [file.size_bytes for file in FILES]


def test_sources_travel_and_sessions_do_not(sessions):
    assert pickle.loads(pickle.dumps(OcrModels("/models"))) == OcrModels("/models")
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(sessions)
    assert ocr_sessions_for() is sessions


def test_reading_needs_neither_the_package_nor_a_framework():
    """The package only carries the files: its code, and torch, stay out of extraction."""
    names = "('rapidocr', 'torch', 'onnx', 'pyspark')"
    code = f"import sys, udfs.ocr, udfs.text_fields; print([name for name in {names} if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_a_photo_without_letters_costs_no_reading():
    """Soft shapes, as a garment on paper: the gate stops it."""
    pixels = np.full((400, 400, 3), 240, np.uint8)
    cv2.ellipse(pixels, (200, 200), (120, 160), 0, 0, 360, (60, 90, 160), -1)
    reading = recognize_text(cv2.GaussianBlur(pixels, (0, 0), 3))
    assert reading.status == "no_text" and reading.likelihood < 0.1
