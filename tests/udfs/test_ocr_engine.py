"""The engine that reads lines: chosen by setting, package, CPU and amount of work; both read the same."""

import pickle

import numpy as np
import pytest

from models.ocr_models import RECOGNIZE, OcrModels
from models.onnx_graph import read_metadata
from models.openvino_session import OpenVinoSession, why_unfit
from models.session import cpu_multiplies_bfloat16
from rendering.catalog import product_at
from rendering.render import render_product
from schemas.settings import DecodeSettings, TextSettings
from udfs.decode import decode
from udfs.ocr import recognize_texts
from udfs.ocr_recognize import RecognizeSettings, cut_line, recognize_lines
from udfs.ocr_sessions import LEAST_PICTURES, Network, OcrSessions, TextEngineError, engine_for, usable_engine
from udfs.picture_text import read_texts

needs_bfloat16 = pytest.mark.skipif(why_unfit() is not None, reason=f"no OpenVINO in bfloat16 here: {why_unfit()}")
PACKAGES = range(40, 400)


@pytest.fixture(scope="module")
def packs():
    """Rendered products with lines of legible text, Chinese and English."""
    found = []
    for index in PACKAGES:
        image = render_product(product_at(77, index), 0)
        if sum(text.legible for text in image.truth.texts) >= 3:
            found.append(decode(image.data, DecodeSettings()).pixels)
        if len(found) == 4:
            return found
    raise AssertionError("the renderer draws no text any more")


@pytest.fixture(scope="module")
def lines(packs):
    """Lines cut out of them, where onnxruntime finds any."""
    readings = recognize_texts(packs, [[(0, 0, *one.shape[1::-1])] for one in packs])
    cut = [
        cut_line(one, np.array(line.quad, np.float32).reshape(4, 2))
        for one, reading in zip(packs, readings, strict=True)
        for line in reading.lines
    ]
    assert len(cut) >= 8
    return cut


@pytest.fixture(scope="module")
def onnxruntime_sessions():
    return OcrSessions(OcrModels(), "onnxruntime")


def sure_texts(read):
    """Texts that the engine is sure of: rounding must not change these."""
    return [one.text if one.confidence > 0.9 else None for one in read]


def assert_same_texts(one, other):
    pairs = [(a, b) for a, b in zip(sure_texts(one), sure_texts(other), strict=True) if a is not None and b is not None]
    assert len(pairs) >= 6 and all(a == b for a, b in pairs)
    for a, b in zip(one, other, strict=True):
        assert abs(a.confidence - b.confidence) < 0.1


@needs_bfloat16
def test_openvino_reads_what_onnxruntime_reads(lines, onnxruntime_sessions):
    openvino = OcrSessions(OcrModels(), "openvino")
    assert openvino.characters == onnxruntime_sessions.characters
    plain, fast = (recognize_lines(one.recognizer, one.characters, lines) for one in (onnxruntime_sessions, openvino))
    assert_same_texts(plain, fast)


def test_openvino_reads_the_same_in_float32_on_any_cpu(lines, onnxruntime_sessions):
    pytest.importorskip("openvino")
    network = Network("f32", OpenVinoSession(OcrModels().read(RECOGNIZE), "f32").run)
    characters = onnxruntime_sessions.characters
    plain = recognize_lines(onnxruntime_sessions.recognizer, characters, lines[:6])
    assert [one.text for one in recognize_lines(network, characters, lines[:6])] == [one.text for one in plain]
    batch = np.zeros((1, 3, 48, 96), np.float32)
    np.testing.assert_allclose(network.run(batch), onnxruntime_sessions.recognizer.run(batch), atol=1e-4)


@needs_bfloat16
def test_results_of_a_call_outlive_the_next(onnxruntime_sessions):
    network = OcrSessions(OcrModels(), "openvino").recognizer
    rng = np.random.default_rng(0)
    one, other = (rng.standard_normal((1, 3, 48, 96)).astype(np.float32) for _ in range(2))
    first = network.run(one)
    kept = first.copy()
    network.run(other)
    np.testing.assert_array_equal(first, kept)


@needs_bfloat16
def test_the_setting_decides_what_reads(packs):
    boxes = [[(0, 0, *one.shape[1::-1])] for one in packs]
    fast, plain = (read_texts(packs, boxes, TextSettings(engine=engine)) for engine in ("openvino", "onnxruntime"))
    assert [one.status for one in fast] == [one.status for one in plain] == ["read"] * len(packs)
    confidences = [[line.confidence for one in reading for line in one.lines] for reading in (fast, plain)]
    assert confidences[0] != confidences[1]


def test_where_the_package_is_missing_auto_takes_onnxruntime_and_openvino_is_an_error(packs, monkeypatch):
    monkeypatch.setattr("models.openvino_session.PACKAGE", "no_such_package")
    assert usable_engine("auto") == usable_engine("onnxruntime") == "onnxruntime"
    with pytest.raises(TextEngineError, match=r"not installed; install vitrine\[no_such_package\].*text\.engine=auto"):
        usable_engine("openvino")
    with pytest.raises(TextEngineError):
        _ = OcrSessions(OcrModels(), "openvino").recognizer


def test_on_a_cpu_without_bfloat16_auto_takes_onnxruntime_and_openvino_is_an_error(monkeypatch):
    pytest.importorskip("openvino")
    monkeypatch.setattr("models.openvino_session.cpu_multiplies_bfloat16", lambda: False)
    assert usable_engine("auto") == "onnxruntime"
    with pytest.raises(TextEngineError, match="multiplies no bfloat16"):
        usable_engine("openvino")


@needs_bfloat16
def test_where_both_are_there_auto_takes_openvino():
    assert cpu_multiplies_bfloat16() and usable_engine("auto") == "openvino"


def test_auto_leaves_small_nights_to_onnxruntime():
    assert engine_for("auto", LEAST_PICTURES - 1) == "onnxruntime"
    assert engine_for("auto", LEAST_PICTURES) == "auto"
    assert engine_for("openvino", 1) == "openvino" and engine_for("onnxruntime", 1e6) == "onnxruntime"


def test_the_alphabet_stands_in_the_models_metadata():
    noted = read_metadata(OcrModels().read(RECOGNIZE))["character"].splitlines()
    assert len(noted) == 18708 and {"A", "9", "净", "￥"} <= set(noted)


def test_a_session_cannot_be_pickled():
    pytest.importorskip("openvino")
    session = OpenVinoSession(OcrModels().read(RECOGNIZE), "f32")
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(session)


def test_lines_of_other_widths_are_read_alike_in_one_call_and_in_many(lines, onnxruntime_sessions):
    characters = onnxruntime_sessions.characters
    alone = RecognizeSettings(batch=1)
    many = recognize_lines(onnxruntime_sessions.recognizer, characters, lines)
    assert_same_texts(many, recognize_lines(onnxruntime_sessions.recognizer, characters, lines, alone))
