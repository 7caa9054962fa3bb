"""A bundle's category labels as taxonomy nodes, so that any bundle is measured against any data set's labels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.bundle import Bundle
from models.label_space import LabelSpace
from models.metrics import group_sums

Floats: TypeAlias = NDArray[np.float32]

LEVELS = ("department", "category", "type")
"""Levels of the taxonomy; a path's first 1, 2 and 3 segments."""


def cut(node: str, depth: int) -> str | None:
    """The node's first `depth` segments; None when it has fewer."""
    segments = node.split("/")
    return "/".join(segments[:depth]) if len(segments) >= depth else None


@dataclass(frozen=True)
class CategorySpace:
    """The nodes that a bundle's labels stand for.

    Args:
        space: the distinct nodes as leaves, and the labels of the attribute heads.
        members: label indices by node, in the order of `space.leaves`.
    """

    space: LabelSpace
    members: tuple[tuple[int, ...], ...]

    @classmethod
    def from_bundle(cls, bundle: Bundle) -> CategorySpace:
        """The space of a bundle's classify task; labels that are no products belong to no node.

        Raises:
            BundleError: a label file is wrong.
        """
        task = bundle.task("classify")
        paths = bundle.label_paths(task)
        of_node: dict[str, list[int]] = {}
        for index, label in enumerate(bundle.labels(task)):
            if label in paths:
                # A label below its own taxonomy path is a variety; any other label is just a word for the path.
                below = label == paths[label] or label.startswith(f"{paths[label]}/")
                of_node.setdefault(label if below else paths[label], []).append(index)
        nodes = tuple(sorted(of_node))
        heads = {head.name: bundle.labels(head) for head in task.heads}
        return cls(LabelSpace(nodes, heads), tuple(tuple(of_node[node]) for node in nodes))

    @property
    def nodes(self) -> tuple[str, ...]:
        """The nodes, sorted."""
        return self.space.leaves

    def node_probabilities(self, probabilities: Floats) -> Floats:
        """Probability of each node, (N, nodes) float32, from the task's (N, labels)."""
        return np.asarray(group_sums(probabilities, self.members), np.float32)

    def level(self, depth: int) -> tuple[tuple[str, ...], tuple[tuple[int, ...], ...]]:
        """Paths of `depth` segments, and for each the indices of the nodes at or below it."""
        return grouped(cut(node, depth) for node in self.nodes)

    def vocabulary(
        self, nodes: Iterable[str], depth: int | None = None
    ) -> tuple[tuple[str, ...], tuple[tuple[int, ...], ...]]:
        """The label nodes of a data set as far as the bundle knows them, and for each the indices of its nodes.

        Args:
            nodes: the data set's label nodes.
            depth: cut them to that many segments; None takes the deepest ones, those with no other below.
        """
        wanted = set(nodes)
        if depth is None:
            inner = {"/".join(node.split("/")[:count]) for node in wanted for count in range(1, node.count("/") + 1)}
            wanted -= inner
        else:
            wanted = {short for node in wanted if (short := cut(node, depth)) is not None}
        known = tuple(sorted(node for node in wanted if self.space.knows(node)))
        return known, tuple(self.space.leaves_of(node) for node in known)


def grouped(keys: Iterable[str | None]) -> tuple[tuple[str, ...], tuple[tuple[int, ...], ...]]:
    """Distinct keys in order, and the positions of each; None belongs to no group."""
    places: dict[str, list[int]] = {}
    for index, key in enumerate(keys):
        if key is not None:
            places.setdefault(key, []).append(index)
    names = tuple(sorted(places))
    return names, tuple(tuple(places[name]) for name in names)


def index_of(labels: Sequence[str | None], known: Sequence[str]) -> NDArray[np.int64]:
    """Position of each label among the known ones, -1 for None and unknown labels."""
    places = {label: index for index, label in enumerate(known)}
    return np.array([-1 if label is None else places.get(label, -1) for label in labels], dtype=np.int64)
