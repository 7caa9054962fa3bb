"""Confidence that means what it says: temperatures and thresholds from validation pictures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_STEPS = 60
_GOLDEN = (np.sqrt(5) - 1) / 2
_LOWEST, _HIGHEST = 0.2, 5.0


def log_probabilities(logits: Floats, temperature: float) -> NDArray[np.float64]:
    """Log-softmax of logits (N, labels) divided by a temperature."""
    scaled = logits.astype(np.float64) / temperature
    scaled -= scaled.max(axis=1, keepdims=True)
    return np.asarray(scaled - np.log(np.exp(scaled).sum(axis=1, keepdims=True)))


def fit_temperature(logits: Floats, right: NDArray[np.bool_]) -> float:
    """The temperature of least negative log-likelihood (Guo et al. 2017), by golden-section search.

    Args:
        logits: (N, labels).
        right: (N, labels): what counts as right; several for a label that stands for a subtree. Rows without any are
            left out.

    Raises:
        ValueError: no row has a right label.
    """
    known = right.any(axis=1)
    if not known.any():
        raise ValueError("no picture has a label to calibrate with")
    logits, right = logits[known], right[known]

    def loss(log_temperature: float) -> float:
        probabilities = np.exp(log_probabilities(logits, float(np.exp(log_temperature))))
        return float(-np.log(np.maximum((probabilities * right).sum(axis=1), 1e-12)).mean())

    low, high = np.log(_LOWEST), np.log(_HIGHEST)
    for _ in range(_STEPS):
        left, middle = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        low, high = (low, middle) if loss(left) < loss(middle) else (left, high)
    return float(np.exp((low + high) / 2))


def threshold_for(confidence: Floats, right: NDArray[np.bool_], precision: float, least: float = 0.3) -> float:
    """The least confidence from which on what is stated is right often enough.

    Args:
        confidence: (N,) of the best label.
        right: (N,) whether it is right.
        precision: wanted share of right ones among those stated.
        least: not below this.

    Returns:
        A threshold in [least, 0.99], rounded up to hundredths.
    """
    order = np.argsort(-confidence, kind="stable")
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(share >= precision)
    if not enough.size:
        return 0.99
    threshold = float(confidence[order[enough[-1]]])
    return min(0.99, max(least, float(np.ceil(threshold * 100) / 100)))
