"""Retrieval and few-shot figures, against cases worked out by hand and against plain loops."""

from __future__ import annotations

import numpy as np
import pytest

from models.retrieval import few_shot_scores, first_of_each, retrieval_scores


def unit(rows) -> np.ndarray:
    values = np.asarray(rows, np.float32)
    return values / np.linalg.norm(values, axis=1, keepdims=True)


def on_circle(*degrees: float) -> np.ndarray:
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def test_ranks_of_a_case_worked_out_by_hand():
    # From 0 degrees: b at 10 (other kind), a at 20, c at 90. From 20: b, a. From 10: a, a, then c.
    scores = retrieval_scores(on_circle(0, 20, 10, 90), np.array([0, 0, 1, 2]))
    assert scores.queries == 2, "pictures without another of their kind ask for nothing"
    assert scores.gallery == 4
    assert scores.recall == {1: 0.0, 5: 1.0, 10: 1.0}
    assert scores.mean_average_precision == pytest.approx(0.5)


def test_average_precision_over_all_queries_is_what_a_plain_loop_finds():
    random = np.random.default_rng(3)
    embeddings, kinds = unit(random.normal(size=(700, 8))), random.integers(0, 9, 700)
    precisions, nearest = [], []
    for query in range(len(kinds)):
        similarity = embeddings @ embeddings[query]
        others = [index for index in np.argsort(-similarity, kind="stable") if index != query]
        found, total = 0, []
        for rank, index in enumerate(others, start=1):
            if kinds[index] == kinds[query]:
                found += 1
                total.append(found / rank)
        precisions.append(np.mean(total))
        nearest.append(kinds[others[0]] == kinds[query])
    scores = retrieval_scores(embeddings, kinds)
    assert scores.mean_average_precision == pytest.approx(np.mean(precisions), abs=1e-6)
    assert scores.recall[1] == pytest.approx(np.mean(nearest))


def test_nothing_to_find_gives_no_figure():
    assert retrieval_scores(on_circle(0, 90), np.array([0, 1])) is None
    assert retrieval_scores(np.zeros((0, 4), np.float32), np.zeros(0, int)) is None


def test_duplicates_are_left_out_by_content():
    assert first_of_each(["a", "b", "a", "c", "b"]).tolist() == [0, 1, 3]


def test_few_shot_is_perfect_on_clear_kinds_and_chance_on_noise():
    random = np.random.default_rng(0)
    kinds = np.repeat(np.arange(6), 30)
    clear = unit(np.eye(6)[kinds] * 10 + random.normal(size=(180, 6)))
    assert few_shot_scores(clear, kinds, 5, 1).accuracy > 0.98
    noise = few_shot_scores(unit(random.normal(size=(180, 64))), kinds, 5, 5)
    assert noise.accuracy == pytest.approx(0.2, abs=0.03)
    assert 0 < noise.interval < 0.02
    assert noise.classes == 6


def test_few_shot_is_the_same_for_the_same_seed_only():
    random = np.random.default_rng(1)
    embeddings, kinds = unit(random.normal(size=(120, 4))), np.repeat(np.arange(6), 20)
    one, again, other = (few_shot_scores(embeddings, kinds, 5, 1, 50, seed) for seed in (7, 7, 8))
    assert one == again
    assert one != other


def test_few_shot_needs_enough_kinds_with_a_picture_to_spare():
    embeddings, kinds = on_circle(*range(10)), np.repeat(np.arange(5), 2)
    assert few_shot_scores(embeddings, kinds, 5, 1) is not None
    assert few_shot_scores(embeddings, kinds, 5, 2) is None
