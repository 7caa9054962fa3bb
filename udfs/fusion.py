"""Late fusion: what a product's pictures say and what its texts say, pooled into one answer.

Each side gives probabilities; the pool is log-linear (Genest and Zidek 1986): weights on the logarithms, a bias per
label, normalized. How sure the texts are moves both weights, since a title may name the product or say nothing of it.
The weights are learned on labelled products of which either side is sometimes taken away (`models.fusion`), and stand
in the bundle. A side that is missing counts for nothing, and a side alone has its own weight, so that its confidence
still means what it says.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.bundle import Bundle, BundleError
from models.text_terms import CATEGORY

Candidates: TypeAlias = Sequence[tuple[str, float]]

MAX_CANDIDATES = 10
_LEAST = 0.005


class HeadWeights(BaseModel):
    """How one head is pooled."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    labels: int = Field(ge=2, description="Number of labels; what no side names shares the rest of the probability")
    image: float = Field(1.0, description="Exponent of the pictures' probability beside a text that is not sure at all")
    image_gate: float = Field(0.0, description="Added to it, times the probability of the texts' best label")
    text: float = Field(1.0, description="Exponent of the texts' probability beside pictures, likewise")
    text_gate: float = Field(0.0, description="Added to it, times the probability of the texts' best label")
    image_alone: float = Field(1.0, gt=0, description="Exponent of the pictures' probability without a text")
    text_alone: float = Field(1.0, gt=0, description="Exponent of the texts' probability without pictures")
    image_floor: float = Field(1e-3, gt=0, lt=1, description="Least share of the pictures' uniform distribution")
    text_floor: float = Field(1e-3, gt=0, lt=1, description="Least share of the texts' uniform distribution")
    bias: dict[str, float] = Field(default_factory=dict, description="Added to a label's score where both sides speak")

    def exponents(self, text: Mapping[str, float]) -> tuple[float, float]:
        """Exponents of the pictures and of the texts where both speak: a sure text moves them."""
        sure = max(text.values())
        return max(0.0, self.image + self.image_gate * sure), max(0.0, self.text + self.text_gate * sure)


class FusionWeights(BaseModel):
    """Weights by head: `category` and the attributes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    heads: dict[str, HeadWeights]
    fitted_on: str = Field("", description="What the weights were learned on")

    def of(self, head: str) -> HeadWeights:
        """Weights of a head; plain ones for a head that nothing was learned for."""
        return self.heads.get(head, _PLAIN)

    def to_bytes(self) -> bytes:
        """As the bundle's `fusion_file` holds them."""
        return (self.model_dump_json(indent=1) + "\n").encode()


_PLAIN = HeadWeights(labels=20)
PLAIN_WEIGHTS = FusionWeights(heads={CATEGORY: HeadWeights(labels=300)})
"""Both sides as they are: for bundles without learned weights."""


def weights_of(bundle: Bundle) -> FusionWeights:
    """A bundle's weights; plain ones for a bundle without.

    Raises:
        BundleError: the file is damaged.
    """
    task = bundle.understand_task
    if task is None or task.fusion_file is None:
        return PLAIN_WEIGHTS
    try:
        return FusionWeights.model_validate_json(bundle.files[task.fusion_file])
    except ValidationError as error:
        raise BundleError(
            f"bundle {bundle.version_id}: {task.fusion_file} is not valid ({error}); fit it again"
        ) from error


def fuse_category(
    image: Sequence[Candidates], text: Candidates | None, weights: FusionWeights
) -> tuple[tuple[str, float], ...]:
    """The category by all views and texts of a product.

    Args:
        image: candidates (taxonomy path, probability) of each picture; empty without pictures.
        text: candidates by the texts; None or empty without.
        weights: see `weights_of`.

    Returns:
        Up to `MAX_CANDIDATES` paths with their probability, most probable first; empty when nobody said anything.
    """
    views = [view for view in image if view]
    named = {path for view in (*views, text or ()) for path, _ in view}
    below = {path: sorted(one for one in named if one.startswith(f"{path}/")) for path in named}
    spread = [_spread(view, below) for view in views]
    return _fused(spread, _spread(text, below) if text else None, weights.of(CATEGORY))


def fuse_attribute(
    attribute: str, image: Candidates, text: tuple[str, float] | None, weights: FusionWeights
) -> tuple[tuple[str, float], ...]:
    """An attribute's value by all views and texts of a product.

    Args:
        attribute: color, pattern, ...
        image: value and confidence by each picture; empty without pictures.
        text: value and confidence by the texts; None without.
        weights: see `weights_of`.

    Returns:
        Values that somebody named, with their probability, most probable first.
    """
    return _fused([dict([one]) for one in image], dict([text]) if text else None, weights.of(attribute))


def pooled(
    image: Sequence[Mapping[str, float]], text: Mapping[str, float] | None, weights: HeadWeights
) -> tuple[dict[str, float], float]:
    """Probabilities by label that somebody named, and that of each label that nobody named.

    Args:
        image: probability by label of each picture.
        text: probability by label of the texts; None without.
        weights: of the head.
    """
    named = sorted({label for side in (*image, text or {}) for label in side})
    both = bool(image) and text is not None
    scores = {label: weights.bias.get(label, 0.0) if both else 0.0 for label in named}
    of_image, of_text = weights.image_alone, weights.text_alone
    if both:
        assert text is not None
        of_image, of_text = weights.exponents(text)
    rest = 0.0
    for view in image:
        rest += _add(scores, view, of_image / len(image), weights.image_floor, weights.labels)
    if text is not None:
        rest += _add(scores, text, of_text, weights.text_floor, weights.labels)
    unnamed = max(0, weights.labels - len(named))
    highest = max([*scores.values(), rest])
    powers = {label: math.exp(score - highest) for label, score in scores.items()}
    power_of_rest = math.exp(rest - highest)
    total = sum(powers.values()) + unnamed * power_of_rest
    return {label: power / total for label, power in powers.items()}, power_of_rest / total


def _fused(
    image: Sequence[Mapping[str, float]], text: Mapping[str, float] | None, weights: HeadWeights
) -> tuple[tuple[str, float], ...]:
    if not image and text is None:
        return ()
    probabilities, _ = pooled(image, text, weights)
    ranked = sorted(probabilities.items(), key=lambda one: (-one[1], one[0]))[:MAX_CANDIDATES]
    return tuple(
        (label, min(1.0, score)) for place, (label, score) in enumerate(ranked) if not place or score >= _LEAST
    )


def _add(scores: dict[str, float], side: Mapping[str, float], exponent: float, floor: float, labels: int) -> float:
    """Add a side's logarithms to the scores of all labels; returns what it adds for each label that nobody named.

    Candidate lists are cut short: what they leave over is shared evenly by the labels that they do not name.
    """
    labels = max(labels, len(scores))
    least = floor / labels
    left = max(0.0, 1.0 - sum(side.values()))
    unnamed = max(least, left / max(1, labels - len(side)))
    for label in scores:
        scores[label] += exponent * math.log(max(side.get(label, unnamed), least))
    return exponent * math.log(unnamed)


def _spread(candidates: Candidates, below: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """Probability by path; a path above others that are named ("footwear" above boots) is shared by those."""
    found: dict[str, float] = {}
    for path, score in candidates:
        deepest = [one for one in below[path] if not below[one]] or [path]
        for one in deepest:
            found[one] = found.get(one, 0.0) + float(score) / len(deepest)
    return found
