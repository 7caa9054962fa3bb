"""The textbook network for 28 x 28 gray pictures: two convolutions, two poolings, one dense layer.

The layers are those of the Keras example "Simple MNIST convnet" (Chollet 2015), after LeCun et al. 1998: conv 3 x 3
x 32, ReLU, max pool 2 x 2, conv 3 x 3 x 64, ReLU, max pool 2 x 2, flatten, dense. No padding, so the flattened features
number 5 x 5 x 64 = 1,600. With ten classes it has 34,826 parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from models.bundle import Bundle
from models.clothing28 import INPUT, SIDE, ClothingData
from models.label_space import LabelSpace
from models.labelled import LabelledImage
from models.network import CATEGORY, EMBEDDING
from models.recipe import Recipe
from models.trainer import Trained

NAME = "small-cnn"
FEATURES = 1600


class SmallCnn(nn.Module):  # type: ignore[misc]
    """28x28x1 -> conv 32 -> pool -> conv 64 -> pool -> flatten -> dense.

    Args:
        classes: number of classes.
        dropout: of the flattened features while training.
    """

    def __init__(self, classes: int, dropout: float = 0.5) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 32, kernel_size=3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 64, kernel_size=3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
        )
        self.dropout = nn.Dropout(dropout)
        self.dense = nn.Linear(FEATURES, classes)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Pictures (N, 28, 28, 1), 0..255, to category logits (N, classes) and the flattened features (N, 1600)."""
        features = self.features(image.permute(0, 3, 1, 2).to(torch.float32) / 255.0)
        return {CATEGORY: self.dense(self.dropout(features)), EMBEDDING: features}

    def parameter_groups(self, learning_rate: float, trunk_share: float) -> list[dict[str, Any]]:
        """One rate for everything; nothing is pretrained, so there is no trunk."""
        del trunk_share
        kernels = [one for one in self.parameters() if one.ndim > 1]
        biases = [one for one in self.parameters() if one.ndim <= 1]
        return [{"params": kernels, "lr": learning_rate}, {"params": biases, "lr": learning_rate, "weight_decay": 0.0}]

    def freeze(self, blocks: Any) -> None:
        """Nothing can be frozen.

        Raises:
            ValueError: the recipe asks for it.
        """
        if blocks:
            raise ValueError("the small network has no parts to freeze; leave `freeze` out of the recipe")


class SmallCnnFamily:
    """How `vitrine train --network small-cnn` makes it; see `models.families.Family`."""

    def load_data(self, images: Sequence[LabelledImage], recipe: Recipe, cache: Path, progress: Any) -> ClothingData:
        """Ten classes of clothing at 28 px."""
        del recipe
        return ClothingData.load(images, cache, progress=progress)

    def build(self, space: LabelSpace, recipe: Recipe) -> nn.Module:
        """The network before training."""
        return SmallCnn(len(space.leaves), recipe.dropout)

    def train(self, data: ClothingData, recipe: Recipe, out: Path, say: Any, deadline: float | None) -> Trained:
        """Train with the common loop."""
        from models.families import train_labels

        torch.manual_seed(recipe.seed)
        return train_labels(self.build(data.space, recipe), data, recipe, out, say, deadline)

    def export(self, data: ClothingData, recipe: Recipe, out: Path, version: str, say: Any) -> Bundle:
        """The trained network in `out` as a bundle in `out/bundle`, by the product network's export."""
        from models.compose import with_reference
        from models.export_product import export_bundle, reference_of

        del recipe
        bundle = export_bundle(
            out,
            data,
            out / "bundle",
            version=version,
            size=SIDE,
            name=NAME,
            spec=INPUT,
            pretrained=None,
            overwrite=True,
            say=say,
        )
        return with_reference(bundle, reference_of(bundle, data), out / "bundle", overwrite=True)
