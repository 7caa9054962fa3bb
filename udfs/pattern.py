"""Names the pattern of a surface from its texture measures."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

PATTERNS = ("solid", "striped", "checked", "dotted", "printed", "textured")
"""Pattern names, in the order of the columns of the weights below."""


@dataclass(frozen=True)
class PatternEvidence:
    """What the decision looks at; every value lies in 0..1 or little above.

    Args:
        edge_density: share of pixels on an edge.
        anisotropy: coherence of the structure tensor over the whole surface.
        periodicity: height of the strongest autocorrelation peak.
        entropy: entropy of the local binary patterns.
        contrast: co-occurrence contrast.
        homogeneity: co-occurrence homogeneity.
        strength: standard deviation of luma without shading, in units of 40 levels.
        fineness: share of that variance in details below about 4 px.
        dominant_direction: share of the gradient energy along the commonest direction.
        perpendicular_direction: the same across it.
        straight_lines: share of the variance in tiles that row means or column means explain, the larger of the two.
        crossing_lines: the smaller of the two.
        color_spread: spread of chroma, in units of 20 CIELAB.
        local_coherence: coherence of the structure tensor tile by tile.
        coverage: how evenly the gradient energy is spread over the surface.
    """

    edge_density: float
    anisotropy: float
    periodicity: float
    entropy: float
    contrast: float
    homogeneity: float
    strength: float
    fineness: float
    dominant_direction: float
    perpendicular_direction: float
    straight_lines: float
    crossing_lines: float
    color_spread: float
    local_coherence: float
    coverage: float


# Multinomial logistic regression with ridge penalty. Fitted on 1,104 pictures of the myntra catalogue's training and
# validation splits whose title names a pattern, and 900 fabrics drawn by tests/udfs/fabrics.py (weight 0.4 each).
_INTERCEPT = (-2.12, -2.63, 9.98, -3.99, 13.50, -14.74)
_WEIGHTS = {
    "edge_density": (0.23, 0.84, 3.46, -2.95, -3.61, 2.02),
    "anisotropy": (1.44, -1.63, 6.58, -2.99, -3.11, -0.29),
    "periodicity": (-1.54, 0.32, -0.53, 2.65, 1.36, -2.26),
    "entropy": (-3.45, -1.27, 1.10, 0.14, -3.89, 7.37),
    "contrast": (-1.19, 2.29, -3.70, 4.20, -0.25, -1.35),
    "homogeneity": (6.03, -2.02, -11.29, 4.33, -6.78, 9.74),
    "strength": (0.76, 0.24, -0.28, 1.45, -0.26, -1.92),
    "fineness": (1.21, -1.61, -2.72, 4.04, -0.13, -0.79),
    "dominant_direction": (-0.77, 1.36, 0.04, -5.32, 4.08, 0.61),
    "perpendicular_direction": (3.65, 7.32, 9.75, -10.97, -1.06, -8.68),
    "straight_lines": (0.47, -1.81, -0.53, -0.71, -1.26, 3.84),
    "crossing_lines": (-3.73, 2.12, 11.53, 2.90, -5.33, -7.49),
    "color_spread": (-1.13, 0.11, -0.32, 0.21, 0.86, 0.27),
    "local_coherence": (0.60, 4.81, 0.94, -0.93, -4.55, -0.87),
    "coverage": (-2.05, 0.10, -1.26, 0.35, -4.71, 7.58),
    "calm": (2.25, 5.96, -1.40, -2.39, 2.44, -6.85),
    "busy": (1.01, -1.86, 2.54, -2.34, -0.10, 0.74),
    "directed_period": (0.91, 4.72, -2.10, -5.57, -2.14, 4.18),
    "undirected_period": (-0.65, -0.92, 4.82, 5.16, -2.98, -5.43),
    "edge_root": (0.90, -0.63, -3.61, -1.17, 6.57, -2.05),
    "crossing_root": (3.32, -1.16, -6.55, -1.10, 2.27, 3.22),
}
# Below about one 8-bit level of detail there is no surface to judge, and the weights were fitted on none such.
_NO_DETAIL = 0.03
_SURE = 0.95
_MATRIX = np.array(list(_WEIGHTS.values()))


def name_pattern(evidence: PatternEvidence) -> tuple[str, float]:
    """Name the likeliest pattern.

    Args:
        evidence: measures of the surface.

    Returns:
        (pattern, its probability 0..1).
    """
    if evidence.strength < _NO_DETAIL:
        return "solid", _SURE
    scores = np.array(_INTERCEPT) + _terms(evidence) @ _MATRIX
    likelihood = np.exp(scores - scores.max())
    best = int(likelihood.argmax())
    return PATTERNS[best], float(likelihood[best] / likelihood.sum())


def _terms(e: PatternEvidence) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The evidence and six products of it, in the order of the weights."""
    terms = {
        **vars(e),
        "strength": min(e.strength, 2.0),
        "color_spread": min(e.color_spread, 2.0),
        "calm": e.coverage * e.local_coherence,
        "busy": e.coverage * e.edge_density,
        "directed_period": e.periodicity * e.dominant_direction,
        "undirected_period": e.periodicity * (1 - e.anisotropy),
        "edge_root": math.sqrt(e.edge_density),
        "crossing_root": math.sqrt(e.crossing_lines),
    }
    return np.array([terms[name] for name in _WEIGHTS])
