"""The bundle that ships: whole, small, free of traces, and as good on photos as its card says."""

from __future__ import annotations

import re

import cv2
import numpy as np
import pytest

from models.bundle import Bundle, load_bundle
from models.gate import judge
from models.label_space import HELD_OUT_TYPES, attribute_label, resolve, taxonomy_path
from models.labelled import read_labels
from rendering.catalog import product_at
from rendering.render import render_product
from schemas.taxonomy import load_taxonomy
from tests.pictures import SHARED_DATA
from udfs.runtime import Runtime
from udfs.segment import find_product

needs_photos = pytest.mark.skipif(SHARED_DATA is None, reason="development photos are not here (VITRINE_SHARED_DATA)")


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return load_bundle()


@pytest.fixture(scope="module")
def runtime(bundle: Bundle) -> Runtime:
    return Runtime(bundle)


def answers(runtime: Runtime, pictures):
    batches = [
        runtime.classify(
            np.stack([runtime.prepare(pixels, find_product(pixels).box) for pixels in pictures[at : at + 16]])
        )
        for at in range(0, len(pictures), 16)
    ]
    readings = [one for batch in batches for one in runtime.read(batch)]
    attributes = [one for batch in batches for one in runtime.attribute_reader.read(batch.heads)]
    return readings, [{one.attribute: one.value for one in row} for row in attributes]


def test_it_is_whole_and_small(bundle: Bundle) -> None:
    assert bundle.version_id == "product-lite0@1.1.0"
    assert sum(len(content) for content in bundle.files.values()) <= 25 * 1024 * 1024
    task = bundle.task("classify")
    assert set(bundle.label_paths(task).values()) <= set(load_taxonomy().paths)
    assert {head.name for head in task.heads} == {
        "color", "pattern", "shape", "gender", "season", "usage", "text_present",
    }  # fmt: skip
    assert not HELD_OUT_TYPES & {taxonomy_path(leaf) for leaf in bundle.labels(task)}
    assert bundle.task("detect").input.shape == (192, 192, 3)


def test_its_files_name_no_path_of_the_machine_that_made_them(bundle: Bundle) -> None:
    for name, content in bundle.files.items():
        assert b"site-packages" not in content, name
        assert re.search(rb"/(?:work|home|tmp)/", content) is None, name


def test_int8_is_close_to_fp32_on_every_head(bundle: Bundle) -> None:
    measured = bundle.manifest.metrics["int8_against_fp32"]
    assert isinstance(measured, dict)
    for name, figures in measured.items():
        if name != "embedding_cosine":
            assert figures["int8"] >= figures["fp32"] - 0.015, name


def test_drawn_products_are_recognized(runtime: Runtime) -> None:
    rendered = [render_product(product_at(977, index), 0) for index in range(48)]
    readings, _ = answers(runtime, [np.ascontiguousarray(one.pixels[..., :3]) for one in rendered])
    right = [
        one.category_candidates[0].category.split("/")[0] == image.truth.category.split("/")[0]
        for one, image in zip(readings, rendered, strict=True)
        if image.truth.category not in HELD_OUT_TYPES
    ]
    assert np.mean(right) > 0.8


@needs_photos
def test_photos_that_training_never_saw(runtime: Runtime) -> None:
    rows = [row for row in read_labels(SHARED_DATA / "myntra224" / "labels.csv") if row.split == "val"][:160]
    pictures = [np.asarray(cv2.imread(str(row.path), cv2.IMREAD_COLOR_RGB)) for row in rows]
    readings, attributes = answers(runtime, pictures)
    types, genders = [], []
    for row, reading, found in zip(rows, readings, attributes, strict=True):
        node = resolve(row).node
        if node is not None and node not in HELD_OUT_TYPES:
            types.append(reading.category_candidates[0].category == node)
        genders.append(found["gender"] == attribute_label("gender", str(row.attributes["gender"])))
    assert np.mean(types) > 0.75
    assert np.mean(genders) > 0.8


def test_it_keeps_the_limits_that_the_gate_sets_for_bundles(bundle):
    lines = judge(bundle, [], None, []).lines
    assert lines
    assert [str(line) for line in lines if not line.passed] == []
