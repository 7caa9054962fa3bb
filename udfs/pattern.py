"""Names the pattern of a surface from its texture measures.

The weights lie in `pattern_weights.json`, which `jobs.fit_pattern` writes; `docs/models/pattern.md` tells of them.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PATTERNS = ("solid", "striped", "checked", "dotted", "printed", "textured")
"""Pattern names, in the order of the columns of the weights."""

WEIGHTS_FILE = Path(__file__).with_name("pattern_weights.json")
"""The weights that ship."""


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


# Below about one 8-bit level of detail there is no surface to judge, and the weights were fitted on none such.
_NO_DETAIL = 0.03
_SURE = 0.95
# A harsher light or a brighter print makes a pattern no surer.
_HIGHEST = 2.0


@dataclass(frozen=True)
class PatternWeights:
    """Multinomial logistic regression over `pattern_terms`, as `jobs.fit_pattern` fits it.

    Args:
        intercept: (P,) by pattern, in the order of `PATTERNS`.
        terms: names of the terms, in the order of the rows of `matrix`.
        matrix: (T, P).
    """

    intercept: NDArray[np.float64]
    terms: tuple[str, ...]
    matrix: NDArray[np.float64]


def name_pattern(evidence: PatternEvidence) -> tuple[str, float]:
    """Name the likeliest pattern.

    Args:
        evidence: measures of the surface.

    Returns:
        (pattern, its probability 0..1).
    """
    if evidence.strength < _NO_DETAIL:
        return "solid", _SURE
    weights = load_weights()
    terms = pattern_terms(evidence)
    scores = weights.intercept + np.array([terms[name] for name in weights.terms]) @ weights.matrix
    likelihood = np.exp(scores - scores.max())
    best = int(likelihood.argmax())
    return PATTERNS[best], float(likelihood[best] / likelihood.sum())


def pattern_terms(e: PatternEvidence) -> dict[str, float]:
    """The evidence, its heights capped, and six products of it, by name."""
    return {
        **vars(e),
        "strength": min(e.strength, _HIGHEST),
        "color_spread": min(e.color_spread, _HIGHEST),
        "calm": e.coverage * e.local_coherence,
        "busy": e.coverage * e.edge_density,
        "directed_period": e.periodicity * e.dominant_direction,
        "undirected_period": e.periodicity * (1 - e.anisotropy),
        "edge_root": math.sqrt(e.edge_density),
        "crossing_root": math.sqrt(e.crossing_lines),
    }


@cache
def load_weights(path: Path = WEIGHTS_FILE) -> PatternWeights:
    """Read fitted weights.

    Raises:
        ValueError: the file was fitted for other patterns than this module names.
    """
    fitted = json.loads(path.read_text(encoding="utf-8"))
    if tuple(fitted["patterns"]) != PATTERNS:
        raise ValueError(f"{path.name} is for patterns {fitted['patterns']}, not {list(PATTERNS)}; fit it anew")
    rows = fitted["weights"]
    return PatternWeights(np.array(fitted["intercept"]), tuple(rows), np.array(list(rows.values())))
