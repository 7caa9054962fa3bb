"""Labelled pictures as a trainer wants them: random batches to learn from, fixed views to validate on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from models.augment import AugmentSettings, augment
from models.label_space import HELD_OUT_TYPES, LabelSpace, ResolvedLabels, resolve, taxonomy_path
from models.labelled import LabelledImage
from models.losses import UNLABELLED, Targets
from models.manifest import InputSpec
from models.model_input import model_input
from models.pixel_store import open_store

Pixels = NDArray[np.uint8]
# Pictures, or texts as numbers of their pieces.
Inputs = NDArray[np.uint8] | NDArray[np.int32]

TRAINING_SPLITS = frozenset({"train", "catalogue"})
BOX_MARGIN = 0.08


class TrainingData(Protocol):
    """What `models.trainer` needs of a data set."""

    @property
    def space(self) -> LabelSpace:
        """The label sets."""

    @property
    def groups(self) -> int:
        """Number of groups for metric learning; 0 for none."""

    def draw(self, count: int, generator: np.random.Generator) -> NDArray[np.int64]:
        """Indices of training pictures."""

    def training_batch(self, indices: NDArray[np.int64], size: int, generator: np.random.Generator) -> Inputs:
        """(N, size, size, channels) uint8, changed at random; of texts (N, units, pieces + 1) int32."""

    def validation(self) -> NDArray[np.int64]:
        """Indices of validation pictures."""

    def views(self, indices: NDArray[np.int64], size: int) -> Inputs:
        """The same, as at inference."""

    def targets(self, indices: NDArray[np.int64]) -> Targets:
        """Their labels."""

    def datasets(self, indices: NDArray[np.int64]) -> list[str]:
        """Names of their data sets; validation averages over them."""


@dataclass(frozen=True)
class ProductData:
    """Photos and drawn pictures of products; see `TrainingData`.

    Args:
        images: rows whose pictures could be decoded and whose type is not held out.
        space: the label sets.
    """

    images: tuple[LabelledImage, ...]
    space: LabelSpace
    _resolved: tuple[ResolvedLabels, ...]
    _store: Sequence[object]
    _store_index: NDArray[np.int64]
    _leaves: NDArray[np.bool_]
    _heads: Mapping[str, NDArray[np.int64]]
    _groups: NDArray[np.int64]
    _weights: NDArray[np.float64]
    _validation: NDArray[np.int64]
    _augment: AugmentSettings

    @classmethod
    def load(
        cls,
        images: Sequence[LabelledImage],
        cache: Path,
        *,
        dataset_weights: Mapping[str, float] | None = None,
        balance: float = 0.5,
        settings: AugmentSettings | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> ProductData:
        """Decode (or find decoded) the training and validation pictures and read their labels.

        Args:
            images: rows of any splits; test rows are left out.
            cache: folder for decoded pictures.
            dataset_weights: how often a data set's pictures are drawn, 1 by default.
            balance: 0 draws pictures evenly, 1 draws labels evenly.
            settings: of the random changes.
            progress: called while decoding with pictures done and to do.
        """
        wanted = [image for image in images if image.split in TRAINING_SPLITS or image.split == "val"]
        store = open_store([image.path for image in wanted], cache, progress)
        resolved = [resolve(image) for image in wanted]
        kept = [
            index
            for index, labels in enumerate(resolved)
            if index not in store.failed and not (labels.node and taxonomy_path(labels.node) in HELD_OUT_TYPES)
        ]
        rows, labels = [wanted[index] for index in kept], [resolved[index] for index in kept]
        in_training = np.array([image.split in TRAINING_SPLITS for image in rows])
        space = LabelSpace.from_images(one for one, training in zip(labels, in_training, strict=True) if training)
        return cls(
            images=tuple(rows),
            space=space,
            _resolved=tuple(labels),
            _store=store,  # type: ignore[arg-type]
            _store_index=np.array(kept, np.int64),
            _leaves=leaf_masks(space, labels),
            _heads={head: head_indices(names, head, labels) for head, names in space.heads.items()},
            _groups=_group_numbers(labels, in_training),
            _weights=sampling_weights(rows, labels, in_training, dataset_weights or {}, balance),
            _validation=np.flatnonzero(~in_training),
            _augment=settings or AugmentSettings(),
        )

    @property
    def groups(self) -> int:
        """Number of groups for metric learning."""
        return int(self._groups.max(initial=-1)) + 1

    def draw(self, count: int, generator: np.random.Generator) -> NDArray[np.int64]:
        """Indices of training pictures by their weights."""
        return generator.choice(len(self._weights), count, p=self._weights).astype(np.int64)

    def training_batch(self, indices: NDArray[np.int64], size: int, generator: np.random.Generator) -> Pixels:
        """Random views (N, size, size, 3) uint8 RGB."""
        return np.stack(
            [
                augment(self._store[int(self._store_index[index])], size, self._augment, generator)  # type: ignore[arg-type]
                for index in indices
            ]
        )

    def validation(self) -> NDArray[np.int64]:
        """Indices of the validation pictures."""
        return self._validation

    def training(self) -> NDArray[np.int64]:
        """Indices of the training pictures."""
        return np.flatnonzero(self._weights > 0)

    def views(self, indices: NDArray[np.int64], size: int) -> Pixels:
        """Views (N, size, size, 3) uint8 RGB as extraction makes them: the product's box, stretched."""
        spec = input_spec(size)
        pictures = [self._store[int(self._store_index[index])] for index in indices]
        return np.stack([model_input(one.pixels, one.box, spec) for one in pictures])  # type: ignore[attr-defined]

    def targets(self, indices: NDArray[np.int64]) -> Targets:
        """Their labels."""
        return Targets(
            torch.from_numpy(self._leaves[indices]),
            {head: torch.from_numpy(labels[indices]) for head, labels in self._heads.items()},
            torch.from_numpy(self._groups[indices]),
        )

    def datasets(self, indices: NDArray[np.int64]) -> list[str]:
        """Names of their data sets."""
        return [self.images[int(index)].dataset for index in indices]


def input_spec(size: int) -> InputSpec:
    """How extraction feeds the product network."""
    return InputSpec(name="image", height=size, width=size, resize="stretch", region="box", box_margin=BOX_MARGIN)


def leaf_masks(space: LabelSpace, labels: Sequence[ResolvedLabels]) -> NDArray[np.bool_]:
    """(N, leaves): the leaves that each label stands for."""
    masks = np.zeros((len(labels), len(space.leaves)), np.bool_)
    for row, one in enumerate(labels):
        masks[row, list(space.leaves_of(one.node))] = True
    return masks


def head_indices(names: Sequence[str], head: str, labels: Sequence[ResolvedLabels]) -> NDArray[np.int64]:
    """(N,): each label's place among the names of a head, `UNLABELLED` where there is none."""
    index = {name: number for number, name in enumerate(names)}
    return np.array([index.get(one.attributes.get(head, ""), UNLABELLED) for one in labels], np.int64)


def _group_numbers(labels: Sequence[ResolvedLabels], in_training: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Same node and, where known, same color: what a shopper would call similar."""
    keys = [f"{one.node}|{one.attributes.get('color', '')}" if one.node else "" for one in labels]
    counts = Counter(key for key, training in zip(keys, in_training, strict=True) if training and key)
    numbers = {key: number for number, key in enumerate(sorted(key for key, count in counts.items() if count > 1))}
    return np.array([numbers.get(key, UNLABELLED) for key in keys], np.int64)


def sampling_weights(
    rows: Sequence[LabelledImage],
    labels: Sequence[ResolvedLabels],
    in_training: NDArray[np.bool_],
    dataset_weights: Mapping[str, float],
    balance: float,
) -> NDArray[np.float64]:
    """(N,): how probably each training row is drawn; 0 for others.

    Args:
        rows: of all splits.
        labels: theirs.
        in_training: (N,) which are for training.
        dataset_weights: how often a data set's rows are drawn, 1 by default.
        balance: 0 draws rows evenly, 1 draws labels evenly.
    """
    keys = [(image.dataset, one.node) for image, one in zip(rows, labels, strict=True)]
    counts = Counter(key for key, training in zip(keys, in_training, strict=True) if training)
    weights = np.zeros(len(rows))
    for dataset in {image.dataset for image in rows}:
        members = np.array([image.dataset == dataset for image in rows]) & in_training
        if not members.any():
            continue
        shares = np.array([counts[key] ** -balance if one else 0.0 for key, one in zip(keys, members, strict=True)])
        weights += shares / shares.sum() * members.sum() * dataset_weights.get(dataset, 1.0)
    return np.asarray(weights / weights.sum())
