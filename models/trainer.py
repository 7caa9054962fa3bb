"""The training loop: phases of growing picture size, moving average of the weights, checkpoints that can be resumed.

Every batch follows from (seed, step, rank) alone, so a resumed training goes on exactly where it stopped. With several
processes (`WORLD_SIZE` in the environment, as torchrun and Spark's TorchDistributor set it) gradients are averaged by
DistributedDataParallel over gloo.
"""

from __future__ import annotations

import copy
import math
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from models.objective import Objective
from models.recipe import CheckpointError, Phase, Recipe

_WARM_UP_STEPS = 150
_AHEAD = 2
_LEAST_RATE = 0.02
_SAY_EVERY_SECONDS = 20.0
_CHECKPOINT_EVERY_SECONDS = 180.0
# Mixing coefficients are drawn from Beta(a, a) (Zhang et al. 2018).
_MIXUP_ALPHA = 0.3
_GRADIENT_NORM = 5.0


class TrainableNetwork(Protocol):
    """What the trainer needs of a network beside being a torch module whose outputs the objective reads."""

    def parameter_groups(self, learning_rate: float, trunk_share: float) -> list[dict[str, Any]]:
        """Groups for the optimizer."""

    def freeze(self, blocks: Any) -> None:
        """Keep a part as it is; called again after each `train()`."""


@dataclass
class Progress:
    """Where a training stands; saved in the checkpoint."""

    phase: int = 0
    step: int = 0
    images: int = 0
    updates: int = 0
    best_score: float = -1.0
    looks_without_progress: int = 0
    seconds: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Trained:
    """The outcome: the best weights seen (moving average), loaded into `network`."""

    network: nn.Module
    progress: Progress
    finished: bool


def train(
    network: nn.Module,
    objective: Objective,
    recipe: Recipe,
    folder: Path,
    say: Callable[[str], None] | None = None,
    deadline: float | None = None,
) -> Trained:
    """Train, or go on with the training in `folder`.

    Args:
        network: fulfils `TrainableNetwork`.
        objective: what to learn.
        recipe: how.
        folder: for checkpoints (`last.pt`, `best.pt`) and TensorBoard logs.
        say: takes progress lines; by default they go to stderr.
        deadline: `time.monotonic()` after which to stop with a checkpoint, to be gone on with later.

    Raises:
        CheckpointError: the checkpoint in `folder` was made by another recipe, or the recipe's `start_from` has none
            of this network.
    """
    return _Trainer(network, objective, recipe, folder, say or _to_stderr, deadline).run()


def _to_stderr(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


class _Trainer:
    def __init__(
        self,
        network: nn.Module,
        objective: Objective,
        recipe: Recipe,
        folder: Path,
        say: Callable[[str], None],
        deadline: float | None,
    ) -> None:
        self.network, self.objective, self.recipe, self.folder = network, objective, recipe, folder
        self.rank, self.world = _join_processes()
        self.say = say if self.rank == 0 else lambda _: None
        self.deadline = deadline
        self.average = copy.deepcopy(network).eval().requires_grad_(False)
        self.progress = Progress()
        self.total_images = sum(phase.images for phase in recipe.phases)
        self.log = self._open_log()
        self._resume_from = self._load()

    def run(self) -> Trained:
        cv2.setNumThreads(1)
        for number in range(self.progress.phase, len(self.recipe.phases)):
            self._run_phase(number)
            if self._stopped():
                break
        best = self.folder / "best.pt"
        if best.exists():
            self.network.load_state_dict(self._blended(torch.load(best, weights_only=True)))
        self.network.eval().requires_grad_(False)
        if self.log is not None:
            self.log.close()
        return Trained(self.network, self.progress, self.progress.phase >= len(self.recipe.phases))

    def _blended(self, weights: dict[str, Tensor]) -> dict[str, Tensor]:
        """Weights moved back towards those begun with: what was known before is forgotten less."""
        share, start = self.recipe.start_share, self.recipe.start_from
        if start is None or share == 0:
            return weights
        begun = torch.load(Path(start) / "last.pt", weights_only=False)["average"]
        return {
            name: value.lerp(begun[name], share) if value.dtype.is_floating_point else value
            for name, value in weights.items()
        }

    def _run_phase(self, number: int) -> None:
        phase = self.recipe.phases[number]
        optimizer, step_module = self._prepare(phase)
        per_step = phase.batch * self.world
        first = self.progress.step if self.progress.phase == number else 0
        steps = max(1, phase.images // per_step)
        if first == 0:
            # What was best at another picture size is not what is exported: the last phase decides.
            self.progress.looks_without_progress, self.progress.best_score = 0, -1.0
        self.progress.phase = number
        meter = _Meter(self.say, number, len(self.recipe.phases), steps)
        checkpointed = time.monotonic()
        look_every = max(1, self.recipe.validate_every // per_step)
        for step, pixels, targets in self._batches(phase, number, first, steps):
            started = time.monotonic()
            losses = self._step(phase, step_module, optimizer, pixels, targets, step, number)
            self.progress.step = step + 1
            self.progress.images += per_step
            self.progress.seconds += time.monotonic() - started
            meter.tick(step, per_step, losses, self._seconds_left())
            last = step + 1 == steps
            if (step + 1) % look_every == 0 or last:
                self._look(phase, number)
            if time.monotonic() - checkpointed > _CHECKPOINT_EVERY_SECONDS or last or self._stopped():
                self._save(optimizer)
                checkpointed = time.monotonic()
            if self._stopped():
                return
            if self.progress.looks_without_progress >= self.recipe.patience:
                self.say(f"phase {number + 1}: no progress in {self.recipe.patience} looks, going on to the next")
                break
        self.progress.phase, self.progress.step = number + 1, 0
        self._save(optimizer)

    def _prepare(self, phase: Phase) -> tuple[torch.optim.Optimizer, nn.Module]:
        self.network.train()
        self.network.freeze(phase.freeze)
        groups = self.network.parameter_groups(phase.learning_rate, phase.trunk_share)
        if self.objective.learned is not None:
            beside = list(self.objective.learned.parameters())
            groups.append({"params": beside, "lr": phase.learning_rate, "weight_decay": 0.0})
        optimizer = torch.optim.AdamW(groups, weight_decay=self.recipe.weight_decay)
        for group in optimizer.param_groups:
            group["top_rate"] = group["lr"]
        if self._resume_from is not None:
            optimizer.load_state_dict(self._resume_from)
            self._resume_from = None
        module: nn.Module = _Together(self.network, self.objective)
        if self.world > 1:
            module = nn.parallel.DistributedDataParallel(module)
        return optimizer, module

    def _step(
        self,
        phase: Phase,
        module: nn.Module,
        optimizer: torch.optim.Optimizer,
        pixels: Tensor,
        targets: Any,
        step: int,
        number: int,
    ) -> dict[str, float]:
        generator = np.random.default_rng((self.recipe.seed, number, step, self.rank, 1))
        # Dropout and dropped blocks draw from torch's generator: a resumed training must draw the same.
        torch.manual_seed(int(generator.integers(2**31)))
        share, order = 1.0, torch.arange(len(pixels))
        if generator.random() < phase.mixup:
            share = float(generator.beta(_MIXUP_ALPHA, _MIXUP_ALPHA))
            order = torch.from_numpy(generator.permutation(len(pixels)))
            pixels = pixels.to(torch.float32)
            pixels = share * pixels + (1 - share) * pixels[order]
        losses = module(pixels, targets)
        total = sum(losses.values())
        if share < 1.0:
            # The network's outputs are reused: `_Together` keeps them for the second set of labels.
            plain = module.module if self.world > 1 else module
            other = plain.losses_for(self.objective.permuted(targets, order))
            total = share * total + (1 - share) * sum(other.values())
        rate = self._rate(step, number)
        for group in optimizer.param_groups:
            group["lr"] = group["top_rate"] * rate
        optimizer.zero_grad(set_to_none=True)
        total.backward()
        nn.utils.clip_grad_norm_(module.parameters(), _GRADIENT_NORM)
        optimizer.step()
        self._update_average()
        named = {name: float(value.detach()) for name, value in losses.items()}
        if self.log is not None:
            for name, value in named.items():
                self.log.add_scalar(f"loss/{name}", value, self.progress.images)
        return named

    def _rate(self, step: int, number: int) -> float:
        """Warm-up in every phase, then one cosine over the whole training."""
        done = min(1.0, self.progress.images / self.total_images)
        cosine = _LEAST_RATE + (1 - _LEAST_RATE) * 0.5 * (1 + math.cos(math.pi * done))
        return cosine * min(1.0, (step + 1) / (_WARM_UP_STEPS if number == 0 else _WARM_UP_STEPS / 3))

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def _update_average(self) -> None:
        """Moving average of weights and batch statistics; short at first, or it would remember the beginning."""
        self.progress.updates += 1
        decay = min(self.recipe.ema_decay, (1 + self.progress.updates) / (10 + self.progress.updates))
        average, current = self.average.state_dict(), self.network.state_dict()
        for name, value in average.items():
            if value.dtype.is_floating_point:
                value.lerp_(current[name], 1 - decay)
            else:
                value.copy_(current[name])

    def _batches(self, phase: Phase, number: int, first: int, steps: int) -> Iterator[tuple[int, Tensor, Any]]:
        """Batches made one ahead in a thread; OpenCV works without the interpreter's lock."""

        def make(step: int) -> tuple[int, Tensor, Any]:
            generator = np.random.default_rng((self.recipe.seed, number, step, self.rank))
            pixels, targets = self.objective.batch(phase.batch, phase.size, generator)
            return step, torch.from_numpy(pixels), targets

        with ThreadPoolExecutor(1) as pool:
            waiting: list[Future[tuple[int, Tensor, Any]]] = []
            following = iter(range(first, steps))
            for step in following:
                waiting.append(pool.submit(make, step))
                if len(waiting) < _AHEAD:
                    continue
                yield waiting.pop(0).result()
            for future in waiting:
                yield future.result()

    def _look(self, phase: Phase, number: int) -> None:
        """Measure the average on the validation split; keep it when it is the best so far."""
        if self.rank:
            return
        figures = self.objective.validate(self.average, phase.size)
        score = figures["score"]
        self.progress.history.append({"phase": number, "images": self.progress.images, **figures})
        better = score > self.progress.best_score
        self.progress.looks_without_progress = 0 if better else self.progress.looks_without_progress + 1
        if better:
            self.progress.best_score = score
            torch.save(self.average.state_dict(), self.folder / "best.pt")
        told = " ".join(f"{name} {value:.3f}" for name, value in figures.items())
        self.say(f"validation after {self.progress.images} pictures: {told}{' (best)' if better else ''}")
        if self.log is not None:
            for name, value in figures.items():
                self.log.add_scalar(f"validation/{name}", value, self.progress.images)

    def _seconds_left(self) -> float:
        """By pixels still to be seen at the pace so far."""
        done = left = 0.0
        images = self.progress.images
        for phase in self.recipe.phases:
            seen = min(images, phase.images)
            images -= seen
            done += seen * phase.size**2
            left += (phase.images - seen) * phase.size**2
        return self.progress.seconds / done * left if done else math.inf

    def _stopped(self) -> bool:
        return self.deadline is not None and time.monotonic() >= self.deadline

    def _save(self, optimizer: torch.optim.Optimizer) -> None:
        if self.rank:
            return
        state = {
            "recipe": self.recipe.identity,
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "proxies": self.objective.learned.state_dict() if self.objective.learned is not None else None,
            "optimizer": optimizer.state_dict(),
            "progress": vars(self.progress),
        }
        unfinished = self.folder / "last.part"
        torch.save(state, unfinished)
        unfinished.rename(self.folder / "last.pt")

    def _load(self) -> Any:
        """Take over a checkpoint; returns the optimizer's state, which is loaded once there is an optimizer."""
        path = self.folder / "last.pt"
        if not path.exists():
            if self.recipe.start_from is not None:
                self._take_over(Path(self.recipe.start_from) / "last.pt")
            return None
        state = torch.load(path, weights_only=False)
        if state["recipe"] != self.recipe.identity:
            raise CheckpointError(f"{path} was made by another recipe; remove the folder, or name another with --out")
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        if self.objective.learned is not None:
            self.objective.learned.load_state_dict(state["proxies"])
        self.progress = Progress(**state["progress"])
        self.say(f"going on after {self.progress.images} pictures (phase {self.progress.phase + 1})")
        # At the start of a phase the optimizer begins anew: other parts may be frozen.
        return state["optimizer"] if self.progress.step else None

    def _take_over(self, path: Path) -> None:
        """Begin with the averaged weights of another training, and its proxies where the groups are the same."""
        if not path.exists():
            raise CheckpointError(f"{path} does not exist; --start-from wants the --out folder of a finished training")
        state = torch.load(path, weights_only=False)
        try:
            self.network.load_state_dict(state["average"])
        except RuntimeError as error:
            reason = str(error).splitlines()[-1].strip()
            raise CheckpointError(f"{path} is of another network or other labels: {reason}") from error
        self.average.load_state_dict(state["average"])
        kept, learned = state["proxies"], self.objective.learned
        if learned is not None and kept is not None and _shapes(kept) == _shapes(learned.state_dict()):
            learned.load_state_dict(kept)
        self.say(f"beginning with the weights of {path.parent}")

    def _open_log(self) -> Any:
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.rank:
            return None
        from torch.utils.tensorboard import SummaryWriter

        return SummaryWriter(str(self.folder / "tensorboard"))


class _Together(nn.Module):  # type: ignore[misc]
    """The network and what is learned beside it, whose forward gives losses, as DistributedDataParallel wants it."""

    def __init__(self, network: nn.Module, objective: Objective) -> None:
        super().__init__()
        self.network, self.learned, self._objective = network, objective.learned, objective
        self._outputs: Any = None

    def forward(self, pixels: Tensor, targets: Any) -> dict[str, Tensor]:
        self._outputs = self.network(pixels)
        return self.losses_for(targets)

    def losses_for(self, targets: Any) -> dict[str, Tensor]:
        """Losses of the last outputs against some targets."""
        return self._objective.losses(self._outputs, targets)


def _shapes(weights: Mapping[str, Tensor]) -> dict[str, torch.Size]:
    return {name: value.shape for name, value in weights.items()}


class _Meter:
    """Says how training goes, every few seconds."""

    def __init__(self, say: Callable[[str], None], phase: int, phases: int, steps: int) -> None:
        self._say, self._prefix, self._steps = say, f"phase {phase + 1}/{phases}", steps
        self._last, self._images = time.monotonic(), 0
        self._losses: dict[str, list[float]] = defaultdict(list)

    def tick(self, step: int, images: int, losses: Mapping[str, float], seconds_left: float) -> None:
        self._images += images
        for name, value in losses.items():
            self._losses[name].append(value)
        elapsed = time.monotonic() - self._last
        if elapsed < _SAY_EVERY_SECONDS and step + 1 < self._steps:
            return
        told = " ".join(f"{name} {np.mean(values):.2f}" for name, values in self._losses.items())
        self._say(
            f"{self._prefix} step {step + 1}/{self._steps}, {self._images / max(elapsed, 1e-9):.1f} images/s, "
            f"about {seconds_left / 60:.0f} min left, loss: {told}"
        )
        self._last, self._images = time.monotonic(), 0
        self._losses.clear()


def _join_processes() -> tuple[int, int]:
    """Rank and number of the processes that train together."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        return 0, 1
    if not torch.distributed.is_initialized():
        torch.distributed.init_process_group("gloo")
    return torch.distributed.get_rank(), world
