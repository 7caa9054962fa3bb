"""Losses of multi-task training, where each picture is labelled for some heads only and at its own depth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.network import CATEGORY, EMBEDDING

UNLABELLED = -1


@dataclass(frozen=True)
class Targets:
    """What a batch of N pictures is labelled with.

    Args:
        leaves: (N, leaves) bool: the leaves that the category label stands for; a row without any is unlabelled.
        heads: (N,) int64 by attribute head; `UNLABELLED` where there is no label.
        groups: (N,) int64: pictures that should lie close together share a number; `UNLABELLED` for none.
    """

    leaves: Tensor
    heads: Mapping[str, Tensor]
    groups: Tensor

    def permuted(self, order: Tensor) -> Targets:
        """The targets in another order."""
        return Targets(
            self.leaves[order], {head: labels[order] for head, labels in self.heads.items()}, self.groups[order]
        )


def subtree_loss(logits: Tensor, leaves: Tensor, smoothing: float = 0.0) -> Tensor:
    """Mean negative log-probability of the labelled subtree: -log of the summed probability of its leaves.

    With one leaf it is the cross-entropy. Pictures without a label count for nothing.

    Args:
        logits: (N, leaves).
        leaves: (N, leaves) bool.
        smoothing: weight of the uniform distribution (Szegedy et al. 2016).
    """
    labelled = leaves.any(dim=1)
    if not labelled.any():
        return logits.sum() * 0.0
    logits, leaves = logits[labelled], leaves[labelled]
    log_probabilities = torch.log_softmax(logits, dim=1)
    subtree = torch.logsumexp(log_probabilities.masked_fill(~leaves, float("-inf")), dim=1)
    return -((1 - smoothing) * subtree + smoothing * log_probabilities.mean(dim=1)).mean()


def head_loss(logits: Tensor, labels: Tensor, smoothing: float = 0.0) -> Tensor:
    """Mean cross-entropy over the labelled pictures; 0 when there are none."""
    if not (labels != UNLABELLED).any():
        return logits.sum() * 0.0
    return functional.cross_entropy(logits, labels, ignore_index=UNLABELLED, label_smoothing=smoothing)


class CosineProxies(nn.Module):  # type: ignore[misc]
    """Metric learning with one learned proxy per group: softmax over scaled cosines with a margin (CosFace, Wang 2018).

    Args:
        groups: number of groups.
        dimension: of the embedding.
        scale: of the cosines.
        margin: taken off the cosine to the own proxy.
    """

    def __init__(self, groups: int, dimension: int, scale: float = 20.0, margin: float = 0.15) -> None:
        super().__init__()
        self.proxies = nn.Parameter(functional.normalize(torch.randn(max(1, groups), dimension), dim=1))
        self.scale, self.margin = scale, margin

    def forward(self, embeddings: Tensor, groups: Tensor) -> Tensor:
        """The loss of embeddings (N, dimension) of pictures with a group; 0 when there are none."""
        known = groups != UNLABELLED
        if not known.any():
            return embeddings.sum() * 0.0
        cosines = functional.linear(functional.normalize(embeddings[known], dim=1), functional.normalize(self.proxies))
        own = functional.one_hot(groups[known], self.proxies.shape[0]).to(cosines.dtype)
        return functional.cross_entropy(self.scale * (cosines - self.margin * own), groups[known])


def total_loss(
    outputs: Mapping[str, Tensor],
    targets: Targets,
    weights: Mapping[str, float],
    proxies: CosineProxies | None,
    smoothing: float,
) -> dict[str, Tensor]:
    """Each part of the loss times its weight, by name; their sum is what is minimized."""
    parts = {CATEGORY: subtree_loss(outputs[CATEGORY], targets.leaves, smoothing)}
    for head, labels in targets.heads.items():
        if head in outputs:
            parts[head] = head_loss(outputs[head], labels, smoothing)
    if proxies is not None and EMBEDDING in outputs:
        parts[EMBEDDING] = proxies(outputs[EMBEDDING], targets.groups)
    return {name: weights.get(name, 1.0) * value for name, value in parts.items()}
