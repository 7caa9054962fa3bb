"""The regression finds the optimum of its loss, whatever the terms' units."""

import numpy as np
import pytest

from models.softmax_regression import fit_softmax, softmax


def sampled(rows=3000):
    """Rows whose classes are drawn by known weights."""
    rng = np.random.default_rng(4)
    terms = rng.normal([3.0, -200.0], [0.5, 40.0], (rows, 2))
    truth = np.array([[2.0, -3.0, 1.0], [0.04, -0.01, -0.03], [2.0, 7.0, -9.0]])
    chances = softmax(terms @ truth[:-1] + truth[-1])
    return terms, np.array([rng.choice(3, p=row) for row in chances]), truth


def test_known_weights_come_back():
    terms, labels, truth = sampled()
    fitted = fit_softmax(terms, labels, np.ones(len(labels)), 3, 1e-6)
    expected = softmax(terms @ truth[:-1] + truth[-1])
    assert np.abs(softmax(terms @ fitted[:-1] + fitted[-1]) - expected).mean() < 0.02


def test_a_weight_of_two_equals_two_rows():
    terms, labels, _ = sampled(300)
    weights = np.where(np.arange(300) < 50, 2.0, 1.0)
    twice = np.concatenate([np.arange(300), np.arange(50)])
    # Standardisation sees rows, not weights, so only with next to no penalty are both the same.
    weighted = fit_softmax(terms, labels, weights, 3, 1e-6)
    repeated = fit_softmax(terms[twice], labels[twice], np.ones(350), 3, 1e-6)
    assert weighted == pytest.approx(repeated, rel=1e-3, abs=1e-3)


def test_a_ridge_pulls_towards_equal_chances():
    terms, labels, _ = sampled(300)
    spreads = []
    for ridge in (1e-4, 1e-1, 10.0):
        fitted = fit_softmax(terms, labels, np.ones(300), 3, ridge)
        spreads.append(softmax(terms @ fitted[:-1] + fitted[-1]).std(axis=0).max())
    assert spreads[0] > spreads[1] > spreads[2]
    assert spreads[2] < 0.02


def test_a_constant_term_is_named():
    terms = np.column_stack([np.arange(10.0), np.ones(10)])
    with pytest.raises(ValueError, match=r"terms \[1\] are the same"):
        fit_softmax(terms, np.arange(10) % 2, np.ones(10), 2, 1e-3)
