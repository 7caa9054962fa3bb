from types import SimpleNamespace

import numpy as np
import pytest

from udfs.model_attributes import AttributeReader


def reader(*heads):
    task = SimpleNamespace(heads=[SimpleNamespace(name=name, threshold=threshold) for name, _, threshold in heads])
    labels = {name: labels for name, labels, _ in heads}
    return AttributeReader(SimpleNamespace(labels=lambda head: labels[head.name]), task)


def test_each_head_gives_its_best_label_and_whether_it_is_sure_enough():
    heads = reader(("color", ("blue", "red"), 0.6), ("gender", ("men", "women"), 0.9))
    rows = heads.read(
        {
            "color": np.array([[0.3, 0.7], [0.55, 0.45]], np.float32),
            "gender": np.array([[0.95, 0.05], [0.2, 0.8]], np.float32),
        }
    )
    assert [[(one.attribute, one.value, one.is_stated) for one in row] for row in rows] == [
        [("color", "red", True), ("gender", "men", True)],
        [("color", "blue", False), ("gender", "women", False)],
    ]
    assert rows[0][0].confidence == pytest.approx(0.7)


def test_confidence_never_exceeds_1():
    row = reader(("color", ("blue", "red"), 0.6)).read({"color": np.array([[1.0000002, 0.0]], np.float32)})
    assert row[0][0].confidence == 1.0


def test_a_bundle_without_heads_gives_nothing():
    assert reader().read({}) == []
