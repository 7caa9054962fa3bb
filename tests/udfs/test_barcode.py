"""Barcodes decoded from pictures."""

import numpy as np
import pytest

from rendering.barcode import check_digit, draw_barcode
from rendering.canvas import Canvas
from udfs.barcode import read_barcodes

CODE = "6901234567892"


def picture(code=CODE, scale=1.0, module=2):
    """A package's corner with a barcode of so many px per module."""
    wide = 113 * module
    canvas = Canvas(round((wide + 80) * scale), round(220 * scale), scale)
    canvas.rgb[:] = 0.6
    draw_barcode(canvas, code, 40, 30, wide, 150)
    return np.ascontiguousarray((np.clip(canvas.rgb, 0, 1) * 255).astype(np.uint8))


def test_reads_an_ean13_and_where_it_stands():
    (code,) = read_barcodes(picture())
    assert (code.digits, code.format) == (CODE, "ean13")
    across, down = code.quad[0::2], code.quad[1::2]
    assert 40 < min(across) < 90 and 230 < max(across) < 290 and 30 <= min(down) <= max(down) <= 180


def test_a_larger_code_is_found_too():
    assert [one.digits for one in read_barcodes(picture(module=3))] == [CODE]


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_reads_turned_codes(turns):
    assert [one.digits for one in read_barcodes(np.ascontiguousarray(np.rot90(picture(), turns)))] == [CODE]


def test_upc_a_is_read_with_its_check_digit_right():
    twelve = "03600029145"
    (code,) = read_barcodes(picture("0" + twelve + str(check_digit("0" + twelve))))
    assert code.digits.lstrip("0") == "36000291452"


def test_gray_pictures_are_read_too():
    assert [one.digits for one in read_barcodes(picture().mean(axis=2).astype(np.uint8))] == [CODE]


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (39, 39), (40, 40), (41, 3000), (3000, 41), (64, 64)])
@pytest.mark.parametrize("value", [0, 255])
def test_nothing_in_plain_pictures_of_any_size(shape, value):
    assert read_barcodes(np.full((*shape, 3), value, np.uint8)) == ()


def test_stripes_and_noise_are_no_barcode():
    stripes = np.zeros((200, 300, 3), np.uint8)
    stripes[:, ::6] = stripes[:, 1::6] = 255
    noise = np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8)
    assert read_barcodes(stripes) == () and read_barcodes(noise) == ()


@pytest.mark.parametrize(
    "pixels", [np.zeros((9, 9, 4), np.uint8), np.zeros((9, 9, 3), np.float32), np.zeros(9, np.uint8)]
)
def test_wrong_arrays_are_the_callers_mistake(pixels):
    with pytest.raises(ValueError, match="uint8"):
        read_barcodes(pixels)
