"""Category figures for labels of any depth, against answers written down by hand."""

from __future__ import annotations

import numpy as np
import pytest

from models.category_scores import CategoryAnswers, DatasetVocabulary, category_record, unseen_record
from models.category_space import CategorySpace, cut
from models.label_space import LabelSpace
from models.score_records import frequent_record, score_record

GRANNY, GALA = "groceries/fruit/apple/granny-smith", "groceries/fruit/apple/royal-gala"
SHIRT, DRESS = "apparel/topwear/shirt", "apparel/dresses-sets/dress"
NODES = (DRESS, SHIRT, GRANNY, GALA)
SPACE = CategorySpace(LabelSpace(NODES, {}), ((0,), (1,), (2,), (3,)))
EMPTY = DatasetVocabulary({}, {}, {})


def answers(rows, nodes, datasets=None, stated=None) -> CategoryAnswers:
    return CategoryAnswers(
        SPACE,
        np.asarray(rows, np.float32).reshape(-1, 4),
        nodes,
        datasets or ["shop"] * len(nodes),
        stated or [None] * len(nodes),
    )


def test_a_coarse_label_counts_at_the_levels_that_it_has():
    record = category_record(answers([[0.1, 0.2, 0.3, 0.4], [0.6, 0.2, 0.1, 0.1]], ["groceries", SHIRT]), EMPTY, 20)
    assert record.levels["department"].accuracy == 1
    assert record.levels["type"].images == 1
    assert record.levels["type"].accuracy == 0
    # groceries: 1 of 1 segment; shirt taken for a dress: 1 of 3.
    assert record.hierarchical_accuracy == pytest.approx((1 + 1 / 3) / 2)
    assert record.path_agreement == {"department": 1.0, "category": 0.0, "type": 0.0}


def test_a_level_adds_up_what_stands_below_it():
    # No variety is as probable as the dress, the apple is.
    record = category_record(answers([[0.4, 0.0, 0.3, 0.3]], [GRANNY]), EMPTY, 20)
    assert record.levels["type"].accuracy == 1
    assert record.levels["leaf"].accuracy == 0


def test_a_label_that_the_bundle_does_not_know_is_counted_apart():
    rows = [[0.1, 0.7, 0.1, 0.1], [0.1, 0.7, 0.1, 0.1], [0.0, 0.0, 0.9, 0.1]]
    record = category_record(answers(rows, [SHIRT, "apparel/topwear/kurta", "groceries/fruit/apple/fuji"]), EMPTY, 20)
    kinds = record.levels["type"]
    assert (kinds.images, kinds.unknown, kinds.accuracy) == (2, 1, 1.0)
    assert kinds.accuracy_of_all == pytest.approx(2 / 3)
    assert record.levels["category"].unknown == 0
    leaves = record.levels["leaf"]
    assert (leaves.images, leaves.unknown) == (1, 2)


def test_a_data_set_is_answered_with_its_own_labels():
    vocabulary = DatasetVocabulary({"shop": frozenset({SHIRT, GRANNY, GALA}), "other": frozenset({DRESS})}, {}, {})
    # The dress is most probable everywhere, but this shop has none.
    record = category_record(answers([[0.5, 0.4, 0.1, 0.0], [0.5, 0.0, 0.2, 0.3]], [SHIRT, GRANNY]), vocabulary, 20)
    assert record.levels["leaf"].accuracy == 0
    within = record.vocabulary["shop"]
    assert within["leaf"].accuracy == 0.5
    assert within["leaf"].classes == 3
    assert within["type"].accuracy == 1
    assert within["type"].classes == 2


def test_a_vocabulary_node_with_others_below_it_is_no_answer_of_its_own():
    names, groups = SPACE.vocabulary({"groceries/fruit/apple", GRANNY, GALA, "home/textiles/towel"})
    assert names == (GRANNY, GALA)
    assert groups == ((2,), (3,))


def test_frequent_types_are_those_with_enough_training_pictures():
    vocabulary = DatasetVocabulary(
        {"shop": frozenset({SHIRT, DRESS, GRANNY})}, {SHIRT: 30, DRESS: 19, "apparel/topwear/kurta": 40}, {}
    )
    rows = [[0.6, 0.3, 0.1, 0.0], [0.6, 0.3, 0.1, 0.0], [0.1, 0.8, 0.1, 0.0]]
    record = category_record(answers(rows, [SHIRT, DRESS, "apparel/topwear/kurta"]), vocabulary, 20).frequent_types
    assert record.labels == [SHIRT]
    assert record.unknown == 1
    assert (record.unrestricted.images, record.unrestricted.accuracy) == (1, 0.0)
    assert record.among_these.accuracy == 1


def test_what_extraction_would_state_is_judged_as_deep_as_both_go():
    stated = ["apparel", SHIRT, "groceries/fruit", None]
    record = category_record(answers(np.full((4, 4), 0.25), [SHIRT, "apparel", SHIRT, SHIRT], None, stated), EMPTY, 20)
    assert record.stated.stated == 0.75
    assert record.stated.stated_type == 0.25
    assert record.stated.precision == pytest.approx(2 / 3)


def test_the_unknown_is_told_by_a_low_probability():
    rows = [[0.9, 0.1, 0, 0], [0.0, 0.8, 0.1, 0.1], [0.4, 0.3, 0.2, 0.1], [0.3, 0.3, 0.2, 0.2]]
    nodes = [DRESS, SHIRT, "accessories/small-accessories/umbrella", None]
    record = unseen_record(answers(rows, nodes, None, [None, SHIRT, DRESS, None]), [False, False, False, True])
    assert (record.known, record.unseen_types, record.outside_taxonomy) == (2, 1, 1)
    assert record.auroc == record.auroc_unseen_types == record.auroc_outside_taxonomy == 1
    assert record.stated_type == 0.5
    assert record.types == {"accessories/small-accessories/umbrella": 1}


def test_no_picture_and_no_label_give_no_figure():
    for nothing in (answers(np.zeros((0, 4)), []), answers([[0.25] * 4], [None])):
        record = category_record(nothing, EMPTY, 20)
        assert record.levels["type"].accuracy is None
        assert record.hierarchical_accuracy is None
        assert unseen_record(nothing, [False] * len(nothing.nodes)).auroc is None


def test_common_colors_are_answered_among_themselves():
    probabilities = np.array([[0.5, 0.3, 0.2], [0.2, 0.3, 0.5], [0.5, 0.3, 0.2]], np.float32)
    record = frequent_record(probabilities, ("black", "red", "teal"), ["red", "red", "black"], ["red", "teal", "mauve"])
    assert record.labels == ["red", "teal"]
    assert record.unrestricted.accuracy == 0
    assert record.among_these.accuracy == 0.5


def test_a_head_is_scored_on_labelled_pictures_only():
    probabilities = np.array([[0.7, 0.3], [0.4, 0.6], [0.9, 0.1]], np.float32)
    record = score_record(probabilities, ("men", "women"), ["men", None, "unisex"])
    assert (record.images, record.unknown, record.accuracy) == (1, 1, 1.0)
    assert record.ece == pytest.approx(0.3, abs=1e-6)
    assert record.per_class["men"].recall == 1


def test_words_of_another_vocabulary_are_read_as_their_taxonomy_path(shipped_bundle):
    space = CategorySpace.from_bundle(shipped_bundle)
    task = shipped_bundle.task("classify")
    labels, paths = shipped_bundle.labels(task), shipped_bundle.label_paths(task)
    assert set(space.nodes) == set(paths.values())
    probabilities = np.eye(len(labels), dtype=np.float32)
    nodes = space.node_probabilities(probabilities)
    for index, label in enumerate(labels):
        named = [space.nodes[at] for at in np.flatnonzero(nodes[index])]
        assert named == ([paths[label]] if label in paths else [])


def test_cut():
    assert cut(GRANNY, 3) == "groceries/fruit/apple"
    assert cut("groceries", 2) is None


@pytest.fixture(scope="module")
def shipped_bundle():
    from models.bundle import BASELINE_BUNDLE, load_bundle

    return load_bundle(BASELINE_BUNDLE)
