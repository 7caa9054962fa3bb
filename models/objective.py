"""What a network learns: its batches, its losses, and how well it does on the validation split."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.losses import UNLABELLED, CosineProxies, Targets, total_loss
from models.network import CATEGORY
from models.recipe import Recipe
from models.training_data import Inputs, TrainingData


class Objective(Protocol):
    """What `models.trainer` needs to know of what is learned."""

    @property
    def learned(self) -> nn.Module | None:
        """What is learned beside the network and not exported; it is kept in checkpoints."""

    def batch(self, count: int, size: int, generator: np.random.Generator) -> tuple[Inputs, Any]:
        """Training pictures of that size, changed at random, and their targets: tensors, or what holds tensors."""

    def losses(self, outputs: Any, targets: Any) -> dict[str, Tensor]:
        """Parts of the loss by name, weighted; their sum is what is minimized."""

    def permuted(self, targets: Any, order: Tensor) -> Any:
        """The targets in another order."""

    def validate(self, network: nn.Module, size: int) -> dict[str, float]:
        """Figures on the validation split; the best weights are those of the highest `score`."""


class LabelObjective:
    """Labels of pictures or texts, and an embedding in which like things lie close together.

    Args:
        data: what to learn from.
        recipe: weights of the losses.
    """

    def __init__(self, data: TrainingData, recipe: Recipe) -> None:
        self._data, self._recipe = data, recipe
        torch.manual_seed(recipe.seed)
        self.learned = CosineProxies(data.groups, recipe.embedding_dimension) if data.groups else None

    def batch(self, count: int, size: int, generator: np.random.Generator) -> tuple[Inputs, Targets]:
        """See `Objective`."""
        indices = self._data.draw(count, generator)
        return self._data.training_batch(indices, size, generator), self._data.targets(indices)

    def losses(self, outputs: Mapping[str, Tensor], targets: Targets) -> dict[str, Tensor]:
        """See `Objective`."""
        return total_loss(outputs, targets, self._recipe.head_weights, self.learned, self._recipe.smoothing)

    def permuted(self, targets: Targets, order: Tensor) -> Targets:
        """See `Objective`."""
        return targets.permuted(order)

    def validate(self, network: nn.Module, size: int) -> dict[str, float]:
        """See `validate`."""
        return validate(network, self._data, size)


@torch.no_grad()  # type: ignore[untyped-decorator]
def predict(network: nn.Module, data: TrainingData, indices: NDArray[np.int64], size: int) -> dict[str, Tensor]:
    """Outputs of the network for views of pictures, by name."""
    was_training = network.training
    network.eval()
    outputs: dict[str, list[Tensor]] = defaultdict(list)
    for start in range(0, len(indices), 64):
        views = torch.from_numpy(data.views(indices[start : start + 64], size))
        for name, values in network(views).items():
            outputs[name].append(values)
    network.train(was_training)
    return {name: torch.cat(values) for name, values in outputs.items()}


def validate(network: nn.Module, data: TrainingData, size: int) -> dict[str, float]:
    """Accuracy by head, of the category by data set, and `score`: what the best checkpoint is chosen by.

    The score is the mean over data sets of the category's accuracy, plus a quarter of the mean over the other heads.
    """
    indices = data.validation()
    outputs, targets = predict(network, data, indices, size), data.targets(indices)
    labelled = targets.leaves.any(dim=1)
    right = targets.leaves.gather(1, outputs[CATEGORY].argmax(dim=1, keepdim=True)).squeeze(1)
    datasets = np.array(data.datasets(indices))
    by_dataset = {
        name: float(right[mask].float().mean())
        for name in sorted(set(datasets))
        if (mask := torch.from_numpy(datasets == name) & labelled).any()
    }
    heads = {
        head: float((outputs[head].argmax(dim=1) == labels)[known].float().mean())
        for head, labels in targets.heads.items()
        if head in outputs and (known := labels != UNLABELLED).any()
    }
    score = float(np.mean(list(by_dataset.values()) or [0.0])) + 0.25 * float(np.mean(list(heads.values()) or [0.0]))
    return {"score": score, **{f"category/{name}": value for name, value in by_dataset.items()}, **heads}
