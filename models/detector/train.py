"""Trains the detector: `python -m models.detector.train --samples DIR --out DIR`.

Goes on from the checkpoint in the output folder when there is one. Under half an hour on two cores.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader, Dataset

from models.detector.augment import Augmenter
from models.detector.network import Detector
from models.detector.samples import TAGS_FILE, Sample, load_samples, load_tags
from models.detector.targets import distance_loss, heat_loss, map_loss

CHECKPOINT = "checkpoint.pt"
_REPORT_SECONDS, _SAVE_SECONDS = 15.0, 120.0


@dataclass(frozen=True)
class Recipe:
    """How the detector is trained.

    Args:
        epochs: passes over the samples.
        small_epochs: of these, the first ones at `small_side`.
        side: side of the pictures (px), as in use.
        small_side: side of the first epochs, which cost less.
        batch: pictures per step.
        head_rate: highest learning rate of the new layers.
        backbone_rate: highest learning rate of the pretrained ones.
        weight_decay: of AdamW.
        warmup_share: share of the steps in which the rates rise.
        average: decay of the running average of the weights, which is what comes out.
        repeats: how often a source's samples come per epoch; once where it is not named.
        seed: of the order and the augmentation.
    """

    epochs: int = 6
    small_epochs: int = 4
    side: int = 192
    small_side: int = 160
    batch: int = 16
    head_rate: float = 2e-3
    backbone_rate: float = 4e-4
    weight_decay: float = 1e-4
    warmup_share: float = 0.05
    average: float = 0.997
    repeats: tuple[tuple[str, int], ...] = (("ccp", 2),)
    seed: int = 0

    def side_of(self, epoch: int) -> int:
        """Side of the pictures in an epoch."""
        return self.small_side if epoch < self.small_epochs else self.side


class _Pictures(Dataset):  # type: ignore[misc]
    """One epoch's training pictures, in order, from the `first` on."""

    def __init__(self, augmenter: Augmenter, epoch: int, order: Sequence[int], side: int, first: int) -> None:
        self._augmenter, self._epoch, self._order, self._side = augmenter, epoch, order, side
        self._first = first

    def __len__(self) -> int:
        return len(self._order) - self._first

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        # A sample that comes twice an epoch must not come as the same picture, so its place has a say.
        place = self._first + index
        pixels, targets = self._augmenter.picture(self._epoch, self._order[place], self._side, place)
        return pixels, targets.heat, targets.distances, targets.weights, targets.maps


def train(samples: Sequence[Sample], tags: Path, out: Path, recipe: Recipe, threads: int = 2) -> Detector:
    """Train, or go on training.

    Args:
        samples: training samples.
        tags: file of drawn tags.
        out: folder of the checkpoint.
        recipe: how.
        threads: of PyTorch.

    Returns:
        The network with averaged weights, ready for export.

    Raises:
        ValueError: the checkpoint was made by another recipe.
    """
    torch.manual_seed(recipe.seed)
    torch.set_num_threads(threads)
    cv2.setNumThreads(1)
    network = Detector()
    averaged = AveragedModel(network, avg_fn=_running_average(recipe.average), use_buffers=True)
    optimizer = torch.optim.AdamW(_parameter_groups(network, recipe), weight_decay=recipe.weight_decay)
    augmenter = Augmenter(samples, load_tags(tags), recipe.seed)
    rows = [row for row, sample in enumerate(samples) for _ in range(dict(recipe.repeats).get(sample.source, 1))]
    per_epoch = len(rows) // recipe.batch
    steps = recipe.epochs * per_epoch
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate_share(step, steps, recipe))
    parts = (network, averaged, optimizer, schedule)
    _restore(out / CHECKPOINT, recipe, *parts)
    watch = _Watch(steps, schedule.last_epoch)
    while schedule.last_epoch < steps:
        epoch, done = divmod(schedule.last_epoch, per_epoch)
        network.train()
        order = np.random.default_rng((recipe.seed, epoch)).permutation(rows).tolist()
        pictures = _Pictures(augmenter, epoch, order, recipe.side_of(epoch), done * recipe.batch)
        for batch in _loader(pictures, recipe):
            loss = _losses(network, batch)
            optimizer.zero_grad(set_to_none=True)
            loss["all"].backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 10.0)
            optimizer.step()
            schedule.step()
            averaged.update_parameters(network)
            if watch.tick(schedule.last_epoch, loss):
                _save(out / CHECKPOINT, recipe, *parts)
    _save(out / CHECKPOINT, recipe, *parts)
    return averaged.module.eval()  # type: ignore[no-any-return]


def _losses(network: Detector, batch: Sequence[Any]) -> dict[str, Any]:
    pixels, heat, distances, weights, maps = batch
    scores, found, planes = network(pixels)
    losses = {
        "heat": heat_loss(scores, heat),
        "boxes": 2 * distance_loss(found, distances, weights),
        "mask": map_loss(planes[:, 0], maps[:, 0]),
        "text": map_loss(planes[:, 1], maps[:, 1]),
    }
    return {"all": sum(losses.values()), **losses}


def _loader(pictures: _Pictures, recipe: Recipe) -> Any:
    return DataLoader(pictures, batch_size=recipe.batch, num_workers=1, drop_last=True, prefetch_factor=4)


def _parameter_groups(network: Detector, recipe: Recipe) -> list[dict[str, Any]]:
    """Learning rates of the pretrained and the new part."""
    pretrained = [p for p in network.backbone.parameters() if p.requires_grad]
    held = {id(p) for p in network.backbone.parameters()}
    new = [p for p in network.parameters() if id(p) not in held]
    return [{"params": pretrained, "lr": recipe.backbone_rate}, {"params": new, "lr": recipe.head_rate}]


def _rate_share(step: int, steps: int, recipe: Recipe) -> float:
    """Linear warm-up, then half a cosine down to nearly nothing."""
    warmup = max(1, round(steps * recipe.warmup_share))
    if step < warmup:
        return (step + 1) / warmup
    return 0.01 + 0.99 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup))) / 2


def _running_average(decay: float) -> Any:
    """Exponential average that forgets the first steps faster."""

    def update(average: Any, current: Any, count: Any) -> Any:
        share = min(decay, (1 + int(count)) / (10 + int(count)))
        return average + (current - average) * (1 - share) if torch.is_floating_point(average) else current

    return update


class _Watch:
    """Says how far training is, with the mean losses since it last said so, and when a checkpoint is due."""

    def __init__(self, steps: int, done_before: int) -> None:
        self._steps, self._done_before = steps, done_before
        self._started = self._said = self._saved = time.monotonic()
        self._sums: dict[str, float] = {}
        self._count = 0

    def tick(self, done: int, losses: dict[str, Any]) -> bool:
        """After each step; True when it is time to save."""
        now = time.monotonic()
        self._count += 1
        for name, value in losses.items():
            self._sums[name] = self._sums.get(name, 0.0) + float(value.detach())
        if now - self._said >= _REPORT_SECONDS or done == self._steps:
            left = (now - self._started) / (done - self._done_before) * (self._steps - done)
            means = ", ".join(f"{name} {value / self._count:.3f}" for name, value in self._sums.items())
            sys.stderr.write(f"step {done} of {self._steps}, {left:.0f} s left: {means}\n")
            self._said, self._sums, self._count = now, {}, 0
        if now - self._saved < _SAVE_SECONDS:
            return False
        self._saved = now
        return True


def _save(path: Path, recipe: Recipe, *parts: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    torch.save({"recipe": asdict(recipe), "parts": [part.state_dict() for part in parts]}, partial)
    partial.replace(path)


def _restore(path: Path, recipe: Recipe, *parts: Any) -> None:
    """Load the checkpoint into the parts where there is one."""
    if not path.exists():
        return
    stored = torch.load(path, weights_only=False)
    if stored["recipe"] != asdict(recipe):
        raise ValueError(f"{path} was made by another recipe ({stored['recipe']}); remove it, or name another folder")
    for part, state in zip(parts, stored["parts"], strict=True):
        part.load_state_dict(state)


def read_network(checkpoint: Path) -> Detector:
    """The averaged network of a checkpoint, ready for export."""
    averaged = AveragedModel(Detector(), use_buffers=True)
    averaged.load_state_dict(torch.load(checkpoint, weights_only=False)["parts"][1])
    return averaged.module.eval()  # type: ignore[no-any-return]


def read_split(folder: Path, split: str) -> list[Sample]:
    """All samples of a split.

    Raises:
        FileNotFoundError: there are none; `python -m models.detector.collect` makes them.
    """
    files = sorted(folder.glob(f"{split}-*.npz"))
    if not files:
        raise FileNotFoundError(f"{folder} has no {split} samples; make them with python -m models.detector.collect")
    return [sample for file in files for sample in load_samples(file)]


def main() -> None:
    """Command line."""
    recipe = Recipe()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=Path, default=Path(".cache/detector"), help="folder of the samples")
    parser.add_argument("--out", type=Path, default=Path(".cache/detector/run"), help="folder of the checkpoint")
    parser.add_argument("--epochs", type=int, default=recipe.epochs)
    parser.add_argument("--small-epochs", type=int, default=recipe.small_epochs)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    recipe = Recipe(epochs=options.epochs, small_epochs=options.small_epochs)
    train(read_split(options.samples, "train"), options.samples / TAGS_FILE, options.out, recipe, options.threads)


if __name__ == "__main__":
    main()
