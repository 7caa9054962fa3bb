"""The parts that the detector is trained and judged with do what their figures rest on."""

from __future__ import annotations

import numpy as np
import pytest

from models.detector.average_precision import Found, average_precision, iou_matrix
from models.detector.measure import auroc

ONE = np.array([[0.0, 0.0, 10.0, 10.0]])


def found(*entries: tuple[list[float], float]) -> Found:
    return Found(np.array([box for box, _ in entries]).reshape(-1, 4), np.array([score for _, score in entries]))


def test_overlap_of_boxes():
    others = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [10, 0, 20, 10], [0, 0, 0, 0]], float)
    assert iou_matrix(ONE, others)[0].tolist() == pytest.approx([1, 1 / 3, 0, 0])


def test_perfect_boxes_score_one_and_none_score_zero():
    assert average_precision([found((ONE[0].tolist(), 0.9))], [ONE]) == 1
    assert average_precision([found()], [ONE]) == 0


def test_a_worked_example():
    # Three true boxes; in the order of scores: right, wrong, right; the third is missed.
    # Recall 1/3 at precision 1, recall 2/3 at precision 2/3: 1/3 * 1 + 1/3 * 2/3 = 5/9.
    right, wrong = ONE[0].tolist(), [50.0, 50.0, 60.0, 60.0]
    pictures = [found((right, 0.9), (wrong, 0.8)), found((right, 0.7)), found()]
    assert average_precision(pictures, [ONE, ONE, ONE]) == pytest.approx(5 / 9)


def test_saying_a_box_twice_counts_once():
    right = ONE[0].tolist()
    twice = average_precision([found((right, 0.9), (right, 0.8)), found((right, 0.1))], [ONE, ONE])
    # The double has precision 1/2 between the two right ones, whose second comes at precision 2/3.
    assert twice == pytest.approx(0.5 + 0.5 * 2 / 3)


def test_a_wrong_box_in_an_empty_picture_costs_and_order_matters():
    right = ONE[0].tolist()
    empty = np.zeros((0, 4))
    assert average_precision([found((right, 0.9)), found((right, 0.2))], [ONE, empty]) == 1
    assert average_precision([found((right, 0.2)), found((right, 0.9))], [ONE, empty]) == 0.5


def test_the_overlap_that_is_asked_for_decides():
    shifted = [0.0, 0.0, 10.0, 6.0]
    assert average_precision([found((shifted, 0.9))], [ONE], 0.5) == 1
    assert average_precision([found((shifted, 0.9))], [ONE], 0.75) == 0


def test_without_truth_there_is_no_figure():
    with pytest.raises(ValueError, match="at least one true box"):
        average_precision([found()], [np.zeros((0, 4))])


def test_auroc_counts_ties_half():
    assert auroc(np.array([2.0, 3.0]), np.array([1.0, 2.0])) == pytest.approx(7 / 8)
