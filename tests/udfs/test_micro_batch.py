"""The stages over a micro-batch: where the product is, what is read; odd pictures leave with a clear result."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from models.bundle import BASELINE_BUNDLE, SHIPPED_BUNDLE, load_bundle
from rendering.catalog import product_at
from rendering.render import render_product
from schemas.image_columns import IMAGE_COLUMNS
from schemas.settings import DecodeSettings, TextSettings
from tests.udfs.test_barcode import CODE
from tests.udfs.test_barcode import picture as barcode_corner
from udfs import picture_text
from udfs.decode import DecodedImage, decode
from udfs.describe import describe_product, ready_picture
from udfs.detect import Detection, Detections
from udfs.extract_rows import attributes_array
from udfs.micro_batch import describe_pictures
from udfs.picture_text import find_barcodes
from udfs.product_region import look_at, mask_in_box
from udfs.runtime import BundleSource, runtime_for


@pytest.fixture(scope="module")
def runtime():
    return runtime_for(BundleSource(load_bundle(SHIPPED_BUNDLE).sha256, path=str(SHIPPED_BUNDLE)))


@pytest.fixture(scope="module")
def packet():
    """A rendered packet of corn flakes, 400 px, that says 375 g."""
    return decode(render_product(product_at(4711, 0), 0).data, DecodeSettings())


def picture_of(pixels):
    return ready_picture(DecodedImage(pixels, pixels.shape[1], pixels.shape[0], "png"))


def block(height=240, width=200):
    """A red block before white."""
    pixels = np.full((height, width, 3), 252, np.uint8)
    pixels[height // 4 : height * 3 // 4, width // 4 : width * 3 // 4] = (200, 30, 40)
    return pixels


def detections(products=(), places=None, height=240, width=200):
    """An answer of the detector: boxes, and a coarse map in which `places` is product."""
    product_map = np.zeros((48, 40), np.float32)
    if places is not None:
        product_map[places] = 1.0
    found = tuple(Detection(box, 0.8) for box in products)
    return Detections(found, (), (), 0.0, product_map, 0.5, height, width)


def test_the_detectors_box_and_mask_are_the_product():
    seen = detections([(50, 60, 150, 180)], np.s_[12:36, 10:30])
    look = look_at(picture_of(block()), seen)
    assert (look.region.method, look.box) == ("detector", (50, 60, 150, 180))
    assert look.region.box == pytest.approx((50, 60, 150, 180), abs=3)
    assert look.region.area_share == pytest.approx(0.25, abs=0.03)
    assert describe_product(picture_of(block()), look.region)["color"] == "red"


def test_what_lies_beyond_the_products_box_is_another_thing():
    seen = detections([(0, 0, 100, 240)], np.s_[12:36, :])
    assert look_at(picture_of(block()), seen).region.box[2] <= 112


def test_a_thing_too_thin_for_the_mask_is_its_box():
    look = look_at(picture_of(block()), detections([(90, 20, 96, 220)]))
    assert look.region.box == (90, 20, 96, 220)
    assert look.region.mask.sum() == 6 * 200


def test_a_mask_without_a_box_is_trusted_little():
    region = look_at(picture_of(block()), detections((), np.s_[12:36, 10:30])).region
    assert (region.method, region.confidence) == ("detector", 0.3)


@pytest.mark.parametrize("seen", [None, detections()], ids=["no detector", "nothing seen"])
def test_else_the_classical_cut_finds_it(seen):
    region = look_at(picture_of(block()), seen).region
    assert region.method == "border"
    assert region.box == pytest.approx((50, 60, 150, 180), abs=3)


@pytest.mark.parametrize("box", [(0, 0, 0, 0), (-9, -9, 2, 2), (8, 8, 99, 99), (3, 3, 3, 3), (10, 10, 10, 10)])
def test_a_box_at_or_beyond_the_edge_still_gives_a_mask(box):
    assert mask_in_box(np.zeros((10, 10), bool), box).any()


def test_text_is_read_with_places_in_the_source(runtime, packet):
    large = dataclasses.replace(packet, width_px=2 * packet.width_px, height_px=2 * packet.height_px)
    one, other = describe_pictures([ready_picture(packet), ready_picture(large)], runtime, TextSettings())
    assert one["text_status"] == "read"
    assert "玉米片" in [line["text"] for line in one["text_lines"]]
    content = [field for field in one["text_fields"] if field["name"] == "net_content"]
    assert content[0]["value"] == "375 g"
    assert one["text_lines"][content[0]["line"]]["text"].endswith("375 g")
    assert {found["label"] for found in one["detections"]} >= {"product", "text"}
    assert one["region"]["method"] == "detector"
    box = one["region"]["box"]
    for line in one["text_lines"]:
        assert box["x_min"] - 5 <= min(line["quad"][0::2])
        assert max(line["quad"][0::2]) <= box["x_max"] + 5
    doubled = [value for line in other["text_lines"] for value in line["quad"]]
    assert doubled == pytest.approx([2 * value for line in one["text_lines"] for value in line["quad"]], abs=0.3)
    assert other["region"]["box"]["x_max"] == pytest.approx(2 * box["x_max"])
    assert one["step_ms"]["text"] > 0


def test_a_failing_reader_fails_no_picture(runtime, packet, monkeypatch):
    def broken(pictures, *_, **__):
        if any(pixels.shape[0] == 400 for pixels in pictures):
            raise RuntimeError("odd picture")
        return [picture_text.TextReading("no_text")] * len(pictures)

    monkeypatch.setattr(picture_text, "recognize_texts", broken)
    rows = describe_pictures([picture_of(block()), ready_picture(packet)], runtime, TextSettings())
    assert [row["text_status"] for row in rows] == ["no_text", "failed"]
    assert rows[1]["color"]
    assert rows[1]["text_lines"] == []


def test_reading_can_be_turned_off(runtime, packet):
    (row,) = describe_pictures([ready_picture(packet)], runtime, TextSettings(read=False))
    assert (row["text_status"], row["text_lines"], row["barcodes"], row["step_ms"]["text"]) == (None, None, None, 0.0)
    assert row["detections"], "the detector looks all the same"


def test_a_bundle_without_a_detector_asks_the_gate(packet):
    baseline = runtime_for(BundleSource(load_bundle(BASELINE_BUNDLE).sha256, path=str(BASELINE_BUNDLE)))
    rows = describe_pictures([ready_picture(packet), picture_of(block())], baseline, TextSettings())
    assert [row["detections"] for row in rows] == [None, None]
    assert rows[1]["region"]["method"] == "border"
    assert [row["text_status"] for row in rows] == ["read", "no_text"]
    assert rows[0]["text_likelihood"] > rows[1]["text_likelihood"]


@pytest.mark.parametrize("size", [(1, 1), (1, 800), (800, 1), (8, 8), (3, 500), (16, 16)])
def test_odd_pictures_get_every_column(runtime, size):
    noise = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    (row,) = describe_pictures([picture_of(noise)], runtime, TextSettings())
    assert set(row) == {column.name for column in IMAGE_COLUMNS} - {"size_bytes"}
    assert len(attributes_array([{**row, "size_bytes": 1}])) == 1
    if min(size) < 8:
        assert row["text_status"] == "too_small"


def test_nothing_in_nothing_out(runtime):
    assert describe_pictures([], runtime, TextSettings()) == []


def test_bars_are_looked_for_around_their_digits():
    pixels = np.full((400, 500, 3), 255, np.uint8)
    corner = barcode_corner()
    pixels[60 : 60 + corner.shape[0], 80 : 80 + corner.shape[1]] = corner
    digits = (140.0, 215.0, 330.0, 240.0)
    (code,) = find_barcodes(pixels, [digits])
    assert code.digits == CODE
    assert 120 < min(code.quad[0::2]) < 170, "px of the picture, not of the part that was looked at"
    assert find_barcodes(pixels, [(900, 900, 950, 950), (5, 5, 5, 5), (30, 20, 10, 10)]) == ()


def test_letters_far_from_any_region_are_not_looked_for(runtime):
    pixels = block()
    cv2.putText(pixels, "x", (2, 12), cv2.FONT_HERSHEY_PLAIN, 0.5, (200, 200, 200))
    (row,) = describe_pictures([picture_of(pixels)], runtime, TextSettings())
    assert row["text_lines"] == []
