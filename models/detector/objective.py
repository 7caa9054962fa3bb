"""What the detector learns, and how well it finds the products of the validation samples."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.detector.augment import Augmenter
from models.detector.average_precision import iou_matrix
from models.detector.data import DetectorData
from models.detector.export import TASK
from models.detector.samples import PRESENT, UNKNOWN, Bytes, Sample
from models.detector.targets import distance_loss, heat_loss, map_loss
from models.model_input import model_input
from models.recipe import Recipe
from udfs.detect import DetectOutputs, read_detections

Run = Callable[[Bytes], DetectOutputs]
"""The network's answer for (N, S, S, 3) uint8 RGB."""

_BATCH = 32


class Wanted(NamedTuple):
    """Targets of a batch; see `models.detector.targets.Targets`."""

    heat: Tensor
    distances: Tensor
    weights: Tensor
    maps: Tensor


class DetectorObjective:
    """Boxes of products and tags, and maps of product and text; see `models.objective.Objective`.

    Args:
        data: what to learn from.
        recipe: how often samples of a data set are drawn, and the weights of the losses.
    """

    learned = None

    def __init__(self, data: DetectorData, recipe: Recipe) -> None:
        self._data, self._weights = data, recipe.head_weights
        self._augmenter = Augmenter(data.training, data.tags)
        often = np.array([recipe.dataset_weights.get(sample.source, 1.0) for sample in data.training])
        self._shares = often / often.sum()

    def batch(self, count: int, size: int, generator: np.random.Generator) -> tuple[Bytes, Wanted]:
        """See `Objective`."""
        rows = generator.choice(len(self._shares), count, p=self._shares)
        pictures = [self._augmenter.picture(int(row), size, generator) for row in rows]
        planes = ([getattr(targets, name) for _, targets in pictures] for name in Wanted._fields)
        wanted = Wanted(*(torch.from_numpy(np.stack(plane)) for plane in planes))
        return np.stack([pixels for pixels, _ in pictures]), wanted

    def losses(self, outputs: Any, targets: Wanted) -> dict[str, Tensor]:
        """See `Objective`."""
        scores, distances, maps = outputs
        parts = {
            "heat": heat_loss(scores, targets.heat),
            "boxes": distance_loss(distances, targets.distances, targets.weights),
            "mask": map_loss(maps[:, 0], targets.maps[:, 0]),
            "text": map_loss(maps[:, 1], targets.maps[:, 1]),
        }
        return {name: self._weights.get(name, 1.0) * value for name, value in parts.items()}

    def permuted(self, targets: Wanted, order: Tensor) -> Wanted:
        """See `Objective`."""
        return Wanted(*(plane[order] for plane in targets))

    def validate(self, network: nn.Module, size: int) -> dict[str, float]:
        """See `found_products`; the score is the mean of its figures."""

        @torch.no_grad()  # type: ignore[untyped-decorator]
        def run(pictures: Bytes) -> DetectOutputs:
            return DetectOutputs(*(plane.numpy() for plane in network(torch.from_numpy(pictures))))

        was_training = network.training
        network.eval()
        figures = found_products(run, self._data.validation, size)
        network.train(was_training)
        return {"score": float(np.mean(list(figures.values()))), **figures}


def found_products(run: Run, samples: Sequence[Sample], size: int) -> dict[str, float]:
    """Mean IoU of the best product box (`box/SOURCE`) and of the mask (`mask/SOURCE`), by source of the samples.

    Args:
        run: the network.
        samples: with known boxes. The mask is judged where the product's place is known.
        size: px, of the square input.
    """
    spec = TASK.input.model_copy(update={"height": size, "width": size})
    # The best box is wanted, however low its score: early in training all are.
    task = TASK.model_copy(update={"input": spec, "product_threshold": 0.0})
    found: dict[str, list[float]] = defaultdict(list)
    for start in range(0, len(samples), _BATCH):
        part = samples[start : start + _BATCH]
        outputs = run(np.stack([model_input(sample.pixels, None, spec) for sample in part]))
        for row, sample in enumerate(part):
            height, width = sample.pixels.shape[:2]
            detections = read_detections(outputs, row, height, width, task)
            assert sample.boxes is not None
            best = np.array([one.box for one in detections.products[:1]], np.float64).reshape(-1, 4)
            overlap = float(iou_matrix(best, sample.boxes.astype(np.float64)).max()) if len(best) else 0.0
            found[f"box/{sample.source}"].append(overlap)
            if (sample.product == PRESENT).any():
                found[f"mask/{sample.source}"].append(_mask_overlap(detections.product_mask(), sample.product))
    return {name: float(np.mean(values)) for name, values in sorted(found.items())}


def _mask_overlap(mask: NDArray[np.bool_], product: Bytes) -> float:
    known, there = product != UNKNOWN, product == PRESENT
    return float((mask & there).sum() / ((mask & known) | there).sum())
