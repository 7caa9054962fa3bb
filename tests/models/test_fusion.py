"""Learning how to pool: the better side gets more weight, the loss is that of the pool itself."""

import math

import numpy as np
import pytest

from models.fusion import Product, _pool, fit, fit_all, fused, scores
from udfs.fusion import HeadWeights, pooled

LABELS = tuple(f"apparel/topwear/type{number}" for number in range(8))


def products(count, image_right, text_right, seed=0):
    rng = np.random.default_rng(seed)

    def side(label, right):
        said = label if rng.random() < right else LABELS[int(rng.integers(8))]
        others = [one for one in LABELS if one != said][:2]
        return {
            said: rng.uniform(0.6, 0.9) if said == label else rng.uniform(0.4, 0.7),
            others[0]: 0.1,
            others[1]: 0.05,
        }

    found = []
    for _ in range(count):
        label = LABELS[int(rng.integers(8))]
        text = {"category": side(label, text_right)}
        found.append(
            Product({"category": label}, {"category": side(label, image_right)}, text, text, "made", "a title")
        )
    return found


def test_the_side_that_is_right_more_often_weighs_more():
    image, text = fit(products(300, 0.5, 0.95), "category", 8).exponents({LABELS[0]: 0.7})
    assert text > image > 0
    image, text = fit(products(300, 0.95, 0.5), "category", 8).exponents({LABELS[0]: 0.7})
    assert image > text > 0


def test_pooled_answers_beat_both_sides():
    weights = fit_all(products(300, 0.7, 0.7), {"category": 8}, "made")
    found = scores(products(400, 0.7, 0.7, seed=1), "category", weights)
    assert found["fused"].macro_f1 > max(found["image"].macro_f1, found["text"].macro_f1)
    assert found["fused, text removed"] == found["image"]
    assert found["fused"].products == 400


def test_confidence_of_a_side_alone_is_calibrated():
    weights = fit(products(600, 0.3, 0.9), "category", 8)
    # It says 0.4 to 0.9, but is right in 3 of 8 cases only: its probability is flattened.
    assert weights.image_alone < 0.9


@pytest.mark.parametrize("floors", [(1e-3, 1e-3), (0.2, 0.05)])
def test_the_loss_is_that_of_the_pool(floors):
    rows = [
        (LABELS[0], {LABELS[0]: 0.6, LABELS[1]: 0.3}, {LABELS[2]: 0.9}),
        (LABELS[7], {LABELS[0]: 0.6}, {LABELS[0]: 0.9}),
        (LABELS[3], {LABELS[5]: 1.0}, {LABELS[3]: 0.4}),
    ]
    weights = HeadWeights(
        labels=8,
        image=0.7,
        image_gate=0.2,
        text=0.8,
        text_gate=-0.3,
        image_floor=floors[0],
        text_floor=floors[1],
    )
    losses = []
    for label, image, text in rows:
        named, rest = pooled([image], text, weights)
        losses.append(-math.log(named.get(label, rest)))
    pool = _pool(rows, LABELS, 8, floors)
    assert pool.loss(pool.features() @ np.array([0.7, 0.2, 0.8, -0.3])) == pytest.approx(np.mean(losses), abs=1e-6)


def test_nothing_to_learn_from_is_said():
    with pytest.raises(ValueError, match="no product"):
        fit([], "category", 8)


def test_a_product_without_anything_has_no_answer():
    weights = fit_all(products(100, 0.7, 0.7), {"category": 8}, "made")
    assert fused(Product({}, {}, {}, {}, "", ""), "category", weights) is None
    assert fused(Product({}, {}, {}, {}, "", ""), "color", weights) is None
