"""Multinomial logistic regression with a ridge penalty, fitted by Newton's method to its one optimum."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

_MOST_STEPS = 50
_CONVERGED = 1e-9
# Classes' scores may all shift alike without changing a probability; a breath of ridge keeps the Hessian regular.
_INTERCEPT_RIDGE = 1e-9


def fit_softmax(terms: Matrix, labels: NDArray[np.intp], weights: Matrix, classes: int, ridge: float) -> Matrix:
    """Fit by Newton's method (Bishop, Pattern Recognition and Machine Learning, 2006, section 4.3.4).

    The penalty is on the weights of standardised terms, so that it does not depend on the terms' units.

    Args:
        terms: (N, T), each column with some spread.
        labels: (N,) class of each row, 0..classes - 1.
        weights: (N,) weight of each row, positive.
        classes: number of classes, C.
        ridge: penalty on half the squared weights, relative to the mean loss.

    Returns:
        (T + 1, C): weights of the terms as they came in, and the intercepts in the last row; each row sums to 0.

    Raises:
        ValueError: a term without spread, or no convergence.
    """
    mean, spread = terms.mean(axis=0), terms.std(axis=0)
    if (spread == 0).any():
        raise ValueError(f"terms {np.flatnonzero(spread == 0).tolist()} are the same in all rows; leave them out")
    design = np.column_stack([(terms - mean) / spread, np.ones(len(terms))])
    target = np.eye(classes)[labels]
    penalty = np.full((design.shape[1], 1), ridge)
    penalty[-1] = _INTERCEPT_RIDGE
    share = weights / weights.sum()
    fitted = np.zeros((design.shape[1], classes))
    for _ in range(_MOST_STEPS):
        probabilities = softmax(design @ fitted)
        gradient = design.T @ ((probabilities - target) * share[:, None]) + penalty * fitted
        step = np.linalg.solve(_hessian(design, probabilities, share, penalty), gradient.ravel())
        step = step.reshape(fitted.shape)
        # A shift of all classes alike is rounding alone, which so little ridge makes as large as a step.
        step -= step.mean(axis=1, keepdims=True)
        fitted -= step
        if np.abs(step).max() < _CONVERGED:
            return _in_units(fitted, mean, spread)
    raise ValueError(f"no convergence in {_MOST_STEPS} steps; use a larger ridge than {ridge}")


def softmax(scores: Matrix) -> Matrix:
    """Probabilities (N, C) of scores (N, C)."""
    exponentials = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))


def _hessian(design: Matrix, probabilities: Matrix, share: Matrix, penalty: Matrix) -> Matrix:
    """Second derivatives, (D * C, D * C), of the flattened (D, C) weights."""
    size, classes = design.shape[1], probabilities.shape[1]
    blocks = np.empty((size, classes, size, classes))
    for one in range(classes):
        for other in range(classes):
            curvature = share * probabilities[:, one] * (float(one == other) - probabilities[:, other])
            blocks[:, one, :, other] = (design * curvature[:, None]).T @ design
    return blocks.reshape(size * classes, -1) + np.diag(np.repeat(penalty.ravel(), classes))


def _in_units(fitted: Matrix, mean: Matrix, spread: Matrix) -> Matrix:
    """From standardised terms back to the terms as they came in, each row centered."""
    slopes = fitted[:-1] / spread[:, None]
    intercepts = fitted[-1] - mean @ slopes
    result = np.vstack([slopes, intercepts])
    return np.asarray(result - result.mean(axis=1, keepdims=True))
