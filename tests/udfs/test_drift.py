from __future__ import annotations

import math

import pytest
from scipy.spatial.distance import jensenshannon

from udfs.drift import jensen_shannon


def test_equal_distributions_do_not_differ():
    assert jensen_shannon({"red": 2, "blue": 6}, {"red": 0.25, "blue": 0.75}) == 0


def test_distributions_without_a_common_label_differ_in_full():
    assert jensen_shannon({"red": 1}, {"blue": 5}) == pytest.approx(1)


def test_agrees_with_scipy_and_is_symmetric():
    now, before = {"a": 5, "b": 3, "c": 2}, {"a": 1, "b": 1, "d": 8}
    labels = "abcd"
    expected = jensenshannon([now.get(x, 0) for x in labels], [before.get(x, 0) for x in labels], base=2) ** 2
    assert math.isclose(jensen_shannon(now, before), expected)
    assert math.isclose(jensen_shannon(before, now), expected)


@pytest.mark.parametrize("empty", [{}, {"red": 0}])
def test_empty_distribution_is_refused(empty):
    with pytest.raises(ValueError, match="sum to more than 0"):
        jensen_shannon(empty, {"red": 1})
