"""Scores of the category head: by level, by path, within a data set's vocabulary, and on types never learnt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.category_space import LEVELS, CategorySpace, cut, index_of
from models.evaluation import (
    CategoryRecord,
    FrequentRecord,
    ScoreRecord,
    ShareRecord,
    StatedRecord,
    UnseenRecord,
)
from models.label_space import taxonomy_path
from models.metrics import auroc, group_sums
from models.score_records import frequent_record, score_record, share_record
from udfs.classify import CategoryReader

Floats: TypeAlias = NDArray[np.float32]

LEAF = "leaf"
"""Beside the taxonomy's levels: types and varieties, as fine as the bundle tells them apart."""

_TYPE = len(LEVELS)


@dataclass(frozen=True)
class DatasetVocabulary:
    """What the labels files as a whole say, whichever pictures are evaluated.

    Args:
        nodes: label nodes by data set.
        train_types: training pictures by type.
        train_colors: training pictures by color label.
    """

    nodes: Mapping[str, frozenset[str]]
    train_types: Mapping[str, int]
    train_colors: Mapping[str, int]


@dataclass(frozen=True)
class CategoryAnswers:
    """The category head's answers for pictures whose labels are known.

    Args:
        space: the bundle's nodes.
        probabilities: (N, nodes) float32.
        nodes: (N) label node, None without a known label.
        datasets: (N) name of the data set.
        stated: (N) path that extraction would state.
    """

    space: CategorySpace
    probabilities: Floats
    nodes: Sequence[str | None]
    datasets: Sequence[str]
    stated: Sequence[str | None]

    @classmethod
    def read(
        cls,
        space: CategorySpace,
        reader: CategoryReader,
        probabilities: Floats,
        nodes: Sequence[str | None],
        datasets: Sequence[str],
    ) -> CategoryAnswers:
        """Answers from the probabilities (N, labels) of a classify task."""
        stated = [one.category for one in reader.classify(probabilities)]
        return cls(space, space.node_probabilities(probabilities), nodes, datasets, stated)

    def select(self, mask: NDArray[np.bool_]) -> CategoryAnswers:
        """The pictures of a (N,) mask."""
        at = np.flatnonzero(mask).tolist()
        return CategoryAnswers(
            self.space,
            self.probabilities[at],
            [self.nodes[index] for index in at],
            [self.datasets[index] for index in at],
            [self.stated[index] for index in at],
        )

    def level(self, level: str) -> tuple[Floats, tuple[str, ...], list[str | None]]:
        """Probabilities, names and labels at a level; a label that is coarser than the level is None."""
        if level == LEAF:
            return self.probabilities, self.space.nodes, [self._leaf(node) for node in self.nodes]
        depth = LEVELS.index(level) + 1
        names, groups = self.space.level(depth)
        labels = [None if node is None else cut(node, depth) for node in self.nodes]
        return np.asarray(group_sums(self.probabilities, groups), np.float32), names, labels

    def best(self) -> list[str]:
        """The most probable node of each picture."""
        return [self.space.nodes[index] for index in self.probabilities.argmax(axis=1)]

    def _leaf(self, node: str | None) -> str | None:
        """The label where it is as fine as the bundle's nodes; a fine label that the bundle lacks stays."""
        if node is None or node.count("/") < _TYPE - 1:
            return None
        return None if self.space.space.knows(node) and node not in self.space.nodes else node


def category_record(answers: CategoryAnswers, vocabulary: DatasetVocabulary, min_train_count: int) -> CategoryRecord:
    """All scores of the category head."""
    agreement, hierarchical = _paths(answers)
    return CategoryRecord(
        levels={level: score_record(*answers.level(level)) for level in (*LEVELS, LEAF)},
        path_agreement=agreement,
        hierarchical_accuracy=hierarchical,
        stated=_stated(answers),
        vocabulary=_within_vocabulary(answers, vocabulary),
        frequent_types=_frequent_types(answers, vocabulary, min_train_count),
    )


def type_record(answers: CategoryAnswers, level: str = LEVELS[-1]) -> ScoreRecord:
    """Scores at one level."""
    return score_record(*answers.level(level))


def unseen_record(answers: CategoryAnswers, outside: Sequence[bool]) -> UnseenRecord:
    """How well a low probability tells pictures whose label the bundle does not know.

    Args:
        answers: the answers.
        outside: (N) whether the picture has a category label that is not in the taxonomy.
    """
    best = answers.probabilities.max(axis=1, initial=0.0)
    known = np.array([node is not None and answers.space.space.knows(node) for node in answers.nodes], bool)
    types = np.array([node is not None for node in answers.nodes], bool) & ~known
    stray = np.array(outside, bool)
    unseen = types | stray
    stated_type = [path is not None and path.count("/") == _TYPE - 1 for path in answers.stated]

    def separated(others: NDArray[np.bool_]) -> float | None:
        return auroc(best[known | others], known[known | others])

    counts = Counter(node for node, is_unseen in zip(answers.nodes, types, strict=True) if node and is_unseen)
    return UnseenRecord(
        known=int(known.sum()),
        unseen_types=int(types.sum()),
        outside_taxonomy=int(stray.sum()),
        auroc=separated(unseen),
        auroc_unseen_types=separated(types),
        auroc_outside_taxonomy=separated(stray),
        stated_type=float(np.array(stated_type)[unseen].mean()) if unseen.any() else None,
        types=dict(counts.most_common()),
    )


def common_segments(one: str, other: str) -> int:
    """How many segments two paths share from the top."""
    count = 0
    for left, right in zip(one.split("/"), other.split("/"), strict=False):
        if left != right:
            break
        count += 1
    return count


def _paths(answers: CategoryAnswers) -> tuple[dict[str, float], float | None]:
    """Agreement by level of the most probable leaf's path with the label's, and the mean share of the label's path."""
    pairs = [(node, best) for node, best in zip(answers.nodes, answers.best(), strict=True) if node is not None]
    depths = np.array([node.count("/") + 1 for node, _ in pairs])
    shared = np.array([common_segments(node, best) for node, best in pairs])
    if not pairs:
        return {}, None
    agreement = {
        level: float((shared[depths >= depth] >= depth).mean())
        for depth, level in enumerate(LEVELS, start=1)
        if (depths >= depth).any()
    }
    return agreement, float((shared / depths).mean())


def _stated(answers: CategoryAnswers) -> StatedRecord:
    pairs = [(node, path) for node, path in zip(answers.nodes, answers.stated, strict=True) if node is not None]
    stated = [(node, path) for node, path in pairs if path is not None]
    right = [common_segments(node, path) == min(node.count("/"), path.count("/")) + 1 for node, path in stated]
    types = sum(path.count("/") == _TYPE - 1 for _, path in stated)
    return StatedRecord(
        images=len(pairs),
        stated=len(stated) / len(pairs) if pairs else None,
        stated_type=types / len(pairs) if pairs else None,
        precision=float(np.mean(right)) if right else None,
    )


def _within_vocabulary(answers: CategoryAnswers, vocabulary: DatasetVocabulary) -> dict[str, dict[str, ShareRecord]]:
    found: dict[str, dict[str, ShareRecord]] = {}
    for dataset in sorted(set(answers.datasets)):
        chosen = answers.select(np.array([one == dataset for one in answers.datasets], bool))
        for depth, level in [*enumerate(LEVELS, start=1), (None, LEAF)]:
            names, groups = answers.space.vocabulary(vocabulary.nodes.get(dataset, ()), depth)
            labels = [node if depth is None else node and cut(node, depth) for node in chosen.nodes]
            targets = index_of(labels, names)
            within = targets >= 0
            if len(names) < 2 or not within.any():
                continue
            sums = group_sums(chosen.probabilities[within], groups)
            right = sums.argmax(axis=1) == targets[within]
            found.setdefault(dataset, {})[level] = share_record(right, len(names))
    return found


def _frequent_types(
    answers: CategoryAnswers, vocabulary: DatasetVocabulary, min_train_count: int
) -> FrequentRecord | None:
    frequent = [one for one, count in vocabulary.train_types.items() if count >= min_train_count]
    if not frequent:
        return None
    every = {taxonomy_path(node) for dataset in set(answers.datasets) for node in vocabulary.nodes.get(dataset, ())}
    return frequent_record(*answers.level(LEVELS[-1]), frequent, sorted(every))
