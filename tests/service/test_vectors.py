"""Search by likeness: a look at all with few bits finds what comparing everything exactly finds."""

from __future__ import annotations

import numpy as np
import pytest

from jobs.service.vectors import Vectors


@pytest.mark.parametrize("pictures", [1, 3])
def test_nearest_products_are_those_of_an_exact_comparison(pictures):
    rng = np.random.default_rng(5)
    centers = rng.standard_normal((60, 64))
    vectors = centers[rng.integers(60, size=6000)] + 0.7 * rng.standard_normal((6000, 64))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    owners = np.arange(6000) // pictures
    for query in vectors[:5]:
        best = (vectors @ query).reshape(-1, pictures).max(axis=1)
        found = Vectors(vectors, owners).nearest(query, 50)
        assert list(found.ordinals) == np.argsort(-best, kind="stable")[:50].tolist()
        assert found.scores == pytest.approx(np.sort(best)[::-1][:50], abs=1e-6)


def test_a_product_with_most_pictures_does_not_hide_others():
    rng = np.random.default_rng(6)
    one = rng.standard_normal(64)
    vectors = np.concatenate([one + 0.05 * rng.standard_normal((3000, 64)), rng.standard_normal((1000, 64))])
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    owners = np.concatenate([np.zeros(3000, np.int64), np.arange(1, 1001)])
    found = Vectors(vectors, owners).nearest(vectors[0], 50)
    others = np.argsort(-(vectors[3000:] @ vectors[0]), kind="stable")[:49] + 1
    assert list(found.ordinals) == [0, *others.tolist()]
