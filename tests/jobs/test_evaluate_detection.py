"""Detection figures of `vitrine evaluate`, by the detector of the shipped bundle."""

from __future__ import annotations

import pytest
from PIL import Image

from jobs.evaluate_detection import detection_records
from jobs.evaluate_measured import Measured
from models.bundle import load_bundle
from models.detector.photos import product_region
from models.labelled import LabelledBox, LabelledImage
from models.predict import predict
from tests.pictures import draw


@pytest.fixture(scope="module")
def bundle():
    return load_bundle()


def labelled(folder, number: int, boxes, side: int = 240) -> LabelledImage:
    """A block on white; its box is (60, 60, 180, 255) of 240 x 300 px."""
    path = folder / f"{number}-{side}.png"
    draw(number).resize((side, side * 300 // 240), Image.Resampling.NEAREST).save(path)
    return LabelledImage(path, path.name, dataset="shop", boxes=tuple(LabelledBox(*box) for box in boxes))


def records(bundle, images):
    return {one.subject: one for one in detection_records(Measured.of(bundle, predict(bundle, images)), quiet=True)}


def test_a_plain_product_is_found_where_it_is_labelled(bundle, tmp_path):
    images = [labelled(tmp_path, number, [("shirt", (60, 60, 180, 255))]) for number in range(3)]
    # Labels are in pixels of the source, however far it is shrunk for the models.
    images.append(labelled(tmp_path, 3, [("product", (480, 480, 1440, 2040))], side=1920))
    found = records(bundle, images)
    assert set(found) == {"product region"}, "nobody labelled tags here"
    assert (found["product region"].images, found["product region"].boxes) == (4, 4)
    assert found["product region"].ap50 > 0.9


def test_a_product_labelled_elsewhere_is_not_found(bundle, tmp_path):
    found = records(bundle, [labelled(tmp_path, 0, [("shirt", (0, 0, 40, 40)), ("tag", (200, 280, 230, 300))])])
    assert found["product region"].ap50 < 0.1
    assert found["tags"].boxes == 1


def test_without_boxes_there_is_nothing_to_measure(bundle, tmp_path):
    assert records(bundle, [labelled(tmp_path, 0, [])]) == {}


def test_the_region_is_the_union_of_what_is_worn_and_the_product_itself_where_it_is_named(tmp_path):
    worn = [
        LabelledBox("shirt", (10, 10, 50, 60)),
        LabelledBox("skirt", (20, 55, 70, 90)),
        LabelledBox("tag", (0, 0, 5, 5)),
    ]
    assert product_region(LabelledImage(tmp_path, "x", boxes=tuple(worn))) == (10, 10, 70, 90)
    named = (*worn, LabelledBox("product", (1, 2, 3, 4)))
    assert product_region(LabelledImage(tmp_path, "x", boxes=named)) == (1, 2, 3, 4)
    assert product_region(LabelledImage(tmp_path, "x", boxes=(worn[2],))) is None
