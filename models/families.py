"""Networks that `vitrine train` knows: each brings its data, its network and its export, and shares the loop."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from torch import nn

from models.bundle import Bundle, load_bundle
from models.label_space import LabelSpace
from models.labelled import LabelledImage
from models.network import NetworkSpec, ProductNetwork
from models.objective import LabelObjective, Objective
from models.recipe import Recipe
from models.trainer import Trained, train
from models.training_data import ProductData, TrainingData

NETWORK_FILE = "network.pt"
DESCRIPTION_FILE = "network.json"

Say = Callable[[str], None]
Decoding = Callable[[int, int], None]
Data = TypeVar("Data")


class Family(Protocol[Data]):
    """A kind of network and how it is trained."""

    def load_data(self, images: Sequence[LabelledImage], recipe: Recipe, cache: Path, progress: Decoding) -> Data:
        """Training and validation pictures."""

    def build(self, space: LabelSpace, recipe: Recipe) -> nn.Module:
        """The network before training."""

    def train(self, data: Data, recipe: Recipe, out: Path, say: Say, deadline: float | None) -> Trained:
        """Train, and write the network with its description."""

    def export(self, data: Data, recipe: Recipe, out: Path, version: str, say: Say) -> Bundle:
        """The trained network in `out` as a bundle in `out/bundle`."""


class ProductFamily:
    """The multi-task product network."""

    def load_data(
        self, images: Sequence[LabelledImage], recipe: Recipe, cache: Path, progress: Decoding
    ) -> ProductData:
        """See `Family`."""
        return ProductData.load(
            images, cache, dataset_weights=recipe.dataset_weights, balance=recipe.balance, progress=progress
        )

    def build(self, space: LabelSpace, recipe: Recipe) -> nn.Module:
        """See `Family`."""
        return ProductNetwork(
            space, NetworkSpec(recipe.embedding_dimension, pooling=recipe.pooling, dropout=recipe.dropout)
        )

    def train(self, data: ProductData, recipe: Recipe, out: Path, say: Say, deadline: float | None) -> Trained:
        """See `Family`."""
        torch.manual_seed(recipe.seed)
        return train_labels(self.build(data.space, recipe), data, recipe, out, say, deadline)

    def export(self, data: ProductData, recipe: Recipe, out: Path, version: str, say: Say) -> Bundle:
        """See `Family`."""
        from models.compose import with_detector, with_reference
        from models.export_product import export_bundle, reference_of

        size = recipe.export_size or recipe.phases[-1].size
        bundle = export_bundle(out, data, out / "bundle", version=version, size=size, overwrite=True, say=say)
        say("sampling embeddings of training pictures")
        bundle = with_reference(bundle, reference_of(bundle, data), out / "bundle", overwrite=True)
        return with_detector(bundle, load_bundle(), out / "bundle", version=version, overwrite=True)


def train_labels(
    network: nn.Module, data: TrainingData, recipe: Recipe, out: Path, say: Say, deadline: float | None
) -> Trained:
    """Train a network that names labels."""
    heads = ", ".join(f"{head} ({len(labels)})" for head, labels in data.space.heads.items())
    say(f"{len(data.space.leaves)} leaves of the taxonomy, heads: {heads or 'none'}")
    return train_and_save(network, LabelObjective(data, recipe), data.space, recipe, out, say, deadline)


def train_and_save(
    network: nn.Module,
    objective: Objective,
    space: LabelSpace,
    recipe: Recipe,
    out: Path,
    say: Say,
    deadline: float | None,
) -> Trained:
    """Run the training loop; write weights and description beside the checkpoints."""
    trained = train(network, objective, recipe, out, say, deadline)
    torch.save(trained.network.state_dict(), out / NETWORK_FILE)
    description = {
        "recipe": recipe.model_dump(mode="json"),
        "leaves": space.leaves,
        "heads": dict(space.heads),
        "progress": asdict(trained.progress),
        "finished": trained.finished,
    }
    (out / DESCRIPTION_FILE).write_text(json.dumps(description, indent=1, ensure_ascii=False), encoding="utf-8")
    return trained


def load_trained(folder: Path) -> tuple[nn.Module, LabelSpace, Recipe]:
    """A trained network, its label sets and its recipe.

    Raises:
        FileNotFoundError: the folder holds no trained network.
    """
    description = json.loads((folder / DESCRIPTION_FILE).read_text(encoding="utf-8"))
    space = LabelSpace(
        tuple(description["leaves"]), {head: tuple(names) for head, names in description["heads"].items()}
    )
    recipe = Recipe.model_validate(description["recipe"])
    network = family_of(recipe.network).build(space, recipe)
    network.load_state_dict(torch.load(folder / NETWORK_FILE, weights_only=True))
    return network.eval().requires_grad_(False), space, recipe


def family_of(network: str) -> Family[Any]:
    """The family by the name that a recipe gives.

    Raises:
        ValueError: there is none of that name.
    """
    from models.detector.family import NAME as DETECTOR
    from models.detector.family import DetectorFamily
    from models.small_cnn import NAME as SMALL_CNN
    from models.small_cnn import SmallCnnFamily
    from models.text_family import NAME as TEXT
    from models.text_family import TextFamily

    families: dict[str, Family[Any]] = {
        "product": ProductFamily(),
        SMALL_CNN: SmallCnnFamily(),
        TEXT: TextFamily(),
        DETECTOR: DetectorFamily(),
    }
    if network not in families:
        raise ValueError(f"network {network!r} is not one of {', '.join(sorted(families))}")
    return families[network]
