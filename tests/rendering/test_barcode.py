"""EAN-13 by the GS1 standard, as drawn and as read back by an independent decoder."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from rendering.barcode import check_digit, draw_barcode, ean13, modules
from rendering.canvas import Canvas, Flat
from rendering.outlines import rectangle


def test_check_digits_of_known_codes() -> None:
    # Codes printed in GS1's and Wikipedia's descriptions of EAN-13.
    for code in ("4006381333931", "5901234123457", "9780201379624", "6901234567892"):
        assert check_digit(code[:12]) == int(code[12])


def test_modules_of_a_known_code() -> None:
    bits = modules("4003994155486")
    left = ["0001101", "0100111", "0111101", "0001011", "0010111", "0011001"]
    right = ["1001110", "1001110", "1011100", "1001110", "1001000", "1010000"]
    assert len(bits) == 95
    assert bits[:3] == bits[-3:] == "101"
    assert bits[45:50] == "01010"
    assert bits[3:10] == left[0]
    assert bits[-10:-3] == right[-1]


def test_a_wrong_check_digit_is_refused() -> None:
    with pytest.raises(ValueError, match="check digit"):
        modules("4006381333932")


@pytest.mark.parametrize("seed", range(6))
def test_a_drawn_barcode_can_be_read(seed: int) -> None:
    code = ean13(np.random.default_rng(seed))
    canvas = Canvas.square(600)
    canvas.fill(rectangle(0, 0, 1000, 1000), Flat((1.0, 1.0, 1.0)))
    draw_barcode(canvas, code, 200, 350, 600, 260)
    picture = (canvas.rgb * 255).astype(np.uint8)[..., ::-1].copy()
    decoded, *_ = cv2.barcode.BarcodeDetector().detectAndDecode(picture)
    assert decoded == code
    assert [line.text for line in canvas.texts] == [code]
