"""Figures of merit, against cases worked out by hand and against plain loops."""

from __future__ import annotations

import numpy as np
import pytest

from models.metrics import (
    auroc,
    classification_scores,
    confusion_matrix,
    group_sums,
    reliability,
    wilson_interval,
)


def test_macro_scores_of_a_case_worked_out_by_hand():
    # Class 0: 3 pictures, 2 found, named 3 times. Class 1: 2 pictures, 1 found, named twice. Class 2: 1, never named.
    targets = np.array([0, 0, 0, 1, 1, 2])
    answers = np.array([0, 0, 1, 1, 0, 5])
    scores = classification_scores(targets, answers)
    assert scores.accuracy == pytest.approx(3 / 6)
    assert scores.macro_precision == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)
    assert scores.macro_recall == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)
    assert scores.macro_f1 == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)
    assert scores.per_class[2].precision is None
    assert scores.per_class[0].images == 3
    assert 5 not in scores.per_class, "an answer that no label has is no class of its own"


def test_precision_and_recall_are_not_mixed_up():
    scores = classification_scores(np.array([0, 0, 0, 0, 1]), np.array([0, 1, 1, 1, 1]))
    assert scores.per_class[0].precision == 1
    assert scores.per_class[0].recall == pytest.approx(1 / 4)
    assert scores.per_class[0].f1 == pytest.approx(2 * 1 * 0.25 / 1.25)
    assert scores.per_class[1].precision == pytest.approx(1 / 4)


def test_nothing_to_score_gives_no_figure():
    nothing = np.zeros(0, int)
    assert classification_scores(nothing, nothing) is None
    assert reliability(np.zeros(0), np.zeros(0, bool)) is None
    assert auroc(np.array([0.5]), np.array([True])) is None


def test_wilson_interval_of_a_published_example():
    # Newcombe 1998, table I: 81 of 263 and 0 of 20.
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson_interval(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)


def test_calibration_error_is_the_weighted_gap():
    confidences = np.array([0.95, 0.95, 0.95, 0.95, 0.55, 0.55])
    right = np.array([True, True, True, False, True, False])
    found = reliability(confidences, right, bins=10)
    assert found.ece == pytest.approx(4 / 6 * (0.95 - 0.75) + 2 / 6 * (0.55 - 0.5))
    assert [(one.low, one.images) for one in found.bins] == [(0.5, 2), (0.9, 4)]


def test_a_confidence_on_the_edge_falls_into_the_bin_below():
    found = reliability(np.array([0.0, 0.2, 1.0]), np.array([False, False, True]), bins=5)
    assert [(one.low, one.high, one.images) for one in found.bins] == [(0.0, 0.2, 2), (0.8, 1.0, 1)]
    assert found.bins[-1].accuracy == 1


def test_auroc_counts_pairs_and_ties_half():
    random = np.random.default_rng(0)
    scores, positive = random.integers(0, 6, 60) / 5, random.random(60) < 0.4
    pairs = [(a > b) + 0.5 * (a == b) for a in scores[positive] for b in scores[~positive]]
    assert auroc(scores, positive) == pytest.approx(np.mean(pairs))
    assert auroc(np.array([0.9, 0.8, 0.1]), np.array([True, True, False])) == 1


def test_a_group_is_as_probable_as_its_labels_together():
    probabilities = np.array([[0.5, 0.2, 0.3], [0.1, 0.1, 0.8]], np.float32)
    np.testing.assert_allclose(group_sums(probabilities, [[0, 2], [1], []]), [[0.8, 0.2, 0], [0.9, 0.1, 0]], rtol=1e-6)


def test_confusions_are_counted_label_by_answer():
    matrix = confusion_matrix(np.array([0, 0, 1]), np.array([1, 1, 1]), 2)
    assert matrix.tolist() == [[0, 2], [0, 1]]
