"""How far a distribution of labels has moved: Jensen-Shannon divergence, pure Python."""

from __future__ import annotations

import math
from collections.abc import Mapping


def jensen_shannon(now: Mapping[str, float], before: Mapping[str, float]) -> float:
    """Jensen-Shannon divergence of two distributions over labels (Lin 1991), base 2.

    Unlike the population stability index it is bounded and needs no floor for labels that one side lacks.

    Args:
        now: share or count by label, not negative; sums to more than 0.
        before: the same at the other time.

    Returns:
        0 for equal distributions, 1 for those without a common label.

    Raises:
        ValueError: one side is empty or has a negative value.
    """
    now_total, before_total = sum(now.values()), sum(before.values())
    if now_total <= 0 or before_total <= 0 or min(*now.values(), *before.values()) < 0:
        raise ValueError("a distribution needs shares that are not negative and sum to more than 0")
    divergence = 0.0
    for label in {*now, *before}:
        p, q = now.get(label, 0.0) / now_total, before.get(label, 0.0) / before_total
        middle = (p + q) / 2
        divergence += sum(share / 2 * math.log2(share / middle) for share in (p, q) if share > 0)
    return min(1.0, max(0.0, divergence))
