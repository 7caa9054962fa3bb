"""Trains the head of the product network on frozen feature maps with mean and with attention pooling."""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from jobs.cache import cache_folder
from models.labelled import read_collection
from models.losses import UNLABELLED, Targets, total_loss
from models.network import CATEGORY, NetworkSpec, Pooling, ProductNetwork
from models.onnx_export import export_onnx
from models.quantize import milliseconds_per_image
from models.recipe import load_recipe
from models.training_data import ProductData

SIZE = 160
BATCH = 128
LEARNING_RATE = 2e-3
POOLINGS: tuple[Pooling, ...] = ("mean", "attention")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--images", type=int, default=6000)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    given = parser.parse_args()
    recipe = load_recipe("product")
    data = ProductData.load(
        read_collection(given.data), cache_folder() / "train", dataset_weights=recipe.dataset_weights
    )
    generator = np.random.default_rng(0)
    training = np.unique(data.draw(given.images, generator))
    training_maps = feature_maps(data, training, augmented=generator)
    validation_maps = feature_maps(data, data.validation())
    runs: dict[str, list[dict[str, float]]] = {pooling: [] for pooling in POOLINGS}
    for seed in range(given.seeds):
        for pooling in POOLINGS:
            network = train_head(data, training, training_maps, pooling, seed, given.epochs, recipe.head_weights)
            runs[pooling].append(measure(network, data, validation_maps))
            sys.stderr.write(f"seed {seed} {pooling}: {runs[pooling][-1]}\n")
    results = {
        "images": len(training),
        "epochs": given.epochs,
        "size": SIZE,
        "accuracy": {pooling: summary(runs[pooling]) for pooling in POOLINGS},
        "milliseconds": {pooling: milliseconds(data, pooling) for pooling in POOLINGS},
    }
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    sys.stdout.write(json.dumps(results, indent=1) + "\n")


@torch.no_grad()
def feature_maps(data: ProductData, indices: NDArray[np.int64], augmented: np.random.Generator | None = None) -> Tensor:
    """Output of the last block (N, 320, 5, 5) float16 of the ImageNet trunk."""
    trunk = ProductNetwork(data.space).eval().trunk
    trunk._conv_head, trunk._bn1, trunk._swish_head = torch.nn.Identity(), torch.nn.Identity(), None
    maps = []
    for start in range(0, len(indices), 64):
        part = indices[start : start + 64]
        pixels = data.views(part, SIZE) if augmented is None else data.training_batch(part, SIZE, augmented)
        image = (torch.from_numpy(pixels).permute(0, 3, 1, 2).float() - 127.0) / 128.0
        hidden = trunk._swish(trunk._bn0(trunk._conv_stem(image.contiguous(memory_format=torch.channels_last))))
        for block in trunk._blocks:
            hidden = block(hidden)
        maps.append(hidden.half())
        if len(maps) % 8 == 0:
            sys.stderr.write(f"feature maps of {start + len(part)} of {len(indices)} pictures\n")
    return torch.cat(maps)


def train_head(
    data: ProductData,
    indices: NDArray[np.int64],
    maps: Tensor,
    pooling: Pooling,
    seed: int,
    epochs: int,
    weights: dict[str, float],
) -> ProductNetwork:
    """Head convolution, pooling and heads, trained on fixed maps."""
    torch.manual_seed(seed)
    network = ProductNetwork(data.space, NetworkSpec(pooling=pooling))
    parameters = [
        parameter
        for name, parameter in network.named_parameters()
        if not name.startswith("trunk.") or "_conv_head" in name or "_bn1" in name
    ]
    optimizer = torch.optim.AdamW(parameters, lr=LEARNING_RATE, weight_decay=0.02)
    targets = data.targets(indices)
    steps = epochs * (len(indices) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps + 1, pct_start=0.1)
    network.train()
    for step in range(steps):
        chosen = torch.from_numpy(np.random.default_rng((seed, step)).permutation(len(indices))[:BATCH])
        outputs = network.read(pooled(network, maps[chosen].float()))
        part = Targets(targets.leaves[chosen], {h: t[chosen] for h, t in targets.heads.items()}, targets.groups[chosen])
        loss = sum(total_loss(outputs, part, weights, None, 0.05).values())
        optimizer.zero_grad()
        loss.backward()  # type: ignore[union-attr]
        optimizer.step()
        schedule.step()
    return network.eval()


def pooled(network: ProductNetwork, maps: Tensor) -> Tensor:
    """From the last block's maps to the pooled features."""
    trunk = network.trunk
    return network.pooling(trunk._swish(trunk._bn1(trunk._conv_head(maps))))


@torch.no_grad()
def measure(network: ProductNetwork, data: ProductData, maps: Tensor) -> dict[str, float]:
    """Accuracy by data set (category) and head on the val split."""
    indices = data.validation()
    targets = data.targets(indices)
    outputs = network.read(torch.cat([pooled(network, part.float()) for part in maps.split(256)]))
    right = targets.leaves.gather(1, outputs[CATEGORY].argmax(1, keepdim=True)).squeeze(1)
    datasets = np.array(data.datasets(indices))
    labelled = targets.leaves.any(dim=1)
    found = {
        f"category/{name}": float(right[torch.from_numpy(datasets == name) & labelled].float().mean())
        for name in sorted(set(datasets))
    }
    for head, labels in targets.heads.items():
        known = labels != UNLABELLED
        found[head] = float((outputs[head].argmax(1) == labels)[known].float().mean())
    return {name: round(value, 4) for name, value in found.items()}


def summary(runs: list[dict[str, float]]) -> dict[str, Any]:
    """Mean, least and largest over the seeds."""
    return {
        name: {
            "mean": round(statistics.mean(run[name] for run in runs), 4),
            "least": min(run[name] for run in runs),
            "most": max(run[name] for run in runs),
        }
        for name in runs[0]
    }


def milliseconds(data: ProductData, pooling: Pooling) -> dict[str, float]:
    """Per picture of the exported fp32 network, by batch size, one thread."""

    class Exported(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.network = ProductNetwork(data.space, NetworkSpec(pooling=pooling)).eval()

        def forward(self, image: Tensor) -> tuple[Tensor, ...]:
            return tuple(self.network(image).values())

    names = ["embedding", CATEGORY, *data.space.heads]
    return milliseconds_per_image(export_onnx(Exported().eval(), 224, names), 224, (1, 16))


if __name__ == "__main__":
    main()
