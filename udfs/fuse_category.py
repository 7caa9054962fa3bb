"""The category of a product: pictures, texts and the feed's own category weighed together, and how deep to go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.settings import FuseSettings
from schemas.taxonomy import Taxonomy

Scored = tuple[tuple[str, float], ...]
"""Taxonomy paths with probabilities, most probable first."""

# What nobody has named may still be true, and what everybody says may still be wrong.
_LEAST_BELIEF, _MOST_BELIEF = 0.002, 0.999
_MOST_TRUST = 0.99
# A category that is wrong is one of about so many that it may be taken for.
_ALTERNATIVES = 20


@dataclass(frozen=True)
class CategoryDecision:
    """What category a product has.

    Args:
        category: the deepest path that is sure enough; None when no path is.
        confidence: its probability; of the best type when there is no category, None without any candidate.
        candidates: the fused probabilities.
    """

    category: str | None
    confidence: float | None
    candidates: Scored


def decide_category(fused: Scored, feed_path: str | None, taxonomy: Taxonomy, rules: FuseSettings) -> CategoryDecision:
    """Weigh the feed's category with what pictures and texts say together, and choose a path.

    Args:
        fused: probabilities of paths by pictures and texts; may be empty.
        feed_path: the taxonomy path that the feed's category stands for, None when it stands for none.
        taxonomy: the taxonomy.
        rules: thresholds.
    """
    candidates = fused if feed_path is None else with_feed(fused, feed_path, rules.feed_category_trust)
    best = deepest(candidates, taxonomy, rules.category_confidence)
    if best is not None:
        return CategoryDecision(best[0], best[1], candidates)
    return CategoryDecision(None, candidates[0][1] if candidates else None, candidates)


def with_feed(fused: Scored, feed_path: str, trust: float) -> Scored:
    """Probabilities after the feed has spoken: its odds times theirs (independent witnesses, Bayes' rule).

    What the others give to the feed's subtree keeps its proportions there; what they give to a path above it is not
    against it and goes to it. What they give to no path that they name, it shares with others.

    Args:
        fused: probabilities before; empty when nobody else has spoken.
        feed_path: the feed's path.
        trust: probability that the feed's category is right.
    """
    trust = min(_MOST_TRUST, trust)
    if not fused:
        return ((feed_path, trust),)
    inside: dict[str, float] = {}
    for path, score in fused:
        if on_one_line(path, feed_path):
            place = path if is_within(path, feed_path) else feed_path
            inside[place] = inside.get(place, 0.0) + score
    outside = [(path, score) for path, score in fused if not on_one_line(path, feed_path)]
    known, against = sum(inside.values()), sum(score for _, score in outside)
    unnamed = max(0.0, 1 - known - against) / _ALTERNATIVES
    before = min(_MOST_BELIEF, max(_LEAST_BELIEF, known + unnamed))
    odds = before / (1 - before) * trust / (1 - trust) * _ALTERNATIVES
    after = odds / (1 + odds)
    within = [(path, score / known * after) for path, score in inside.items()] if known > 0 else [(feed_path, after)]
    left = max(against, 1 - before)
    scaled = [(path, score / left * (1 - after)) for path, score in outside]
    return tuple(sorted((*within, *scaled), key=lambda one: -one[1]))


def pooled(views: Sequence[Scored]) -> Scored:
    """The mean of several views' probabilities."""
    sums: dict[str, float] = {}
    for view in views:
        for path, score in view:
            sums[path] = sums.get(path, 0.0) + score / len(views)
    return tuple(sorted(sums.items(), key=lambda one: -one[1]))


def deepest(candidates: Scored, taxonomy: Taxonomy, threshold: float) -> tuple[str, float] | None:
    """The deepest path whose subtree is at least that probable, and its probability; the best one of its depth."""
    sums: dict[str, float] = {}
    for path, score in candidates:
        for above in (*ancestors(path, taxonomy), path):
            sums[above] = sums.get(above, 0.0) + score
    sure = [(path, min(1.0, score)) for path, score in sums.items() if score >= threshold]
    return max(sure, key=lambda one: (one[0].count("/"), one[1]), default=None)


def subtree(candidates: Scored, path: str) -> float:
    """Probability of a path with all below it."""
    return min(1.0, sum(score for one, score in candidates if is_within(one, path)))


def is_within(path: str, above: str) -> bool:
    """Whether a path is another or lies below it."""
    return path == above or path.startswith(f"{above}/")


def on_one_line(one: str, other: str) -> bool:
    """Whether one of two paths is the other or lies above it, so that both can be true."""
    return is_within(one, other) or is_within(other, one)


def ancestors(path: str, taxonomy: Taxonomy) -> tuple[str, ...]:
    """Paths above; also of an enrolled type, which the taxonomy does not list."""
    if path in taxonomy:
        return taxonomy.ancestors(path)
    segments = path.split("/")
    return tuple("/".join(segments[:count]) for count in range(1, len(segments)))


def path_words(path: str, taxonomy: Taxonomy) -> tuple[str, str]:
    """The path in English and Chinese words, "Apparel > Topwear > T-Shirt"."""
    nodes = (*ancestors(path, taxonomy), path)
    words = []
    for language in ("en", "zh"):
        names = [
            taxonomy.name(node, language)  # type: ignore[arg-type]
            if node in taxonomy
            else node.rpartition("/")[2].replace("-", " ")
            for node in nodes
        ]
        words.append(" > ".join(names))
    return words[0], words[1]
