"""Where two sources are sure of different things about a product, beyond synonyms, parents and shades."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache

from schemas.attributes import load_attributes
from schemas.cielab import delta_e
from schemas.palette import find_color
from udfs.fuse_category import on_one_line
from udfs.fuse_claims import CATEGORY, Claim, Source

CONFLICT_ATTRIBUTES = (CATEGORY, "color", "pattern", "gender")
"""Attributes with one truth that both pictures and texts tell; a season is a matter of taste."""

# CIEDE2000 below which shops and cameras mix two colors up: navy blue and black (12), charcoal and black (18).
_CLOSE_COLORS = 18.0
# Pictures of clothes without a person hardly tell a boy's from a man's.
_AGES = ({"men", "boys"}, {"women", "girls"})
# Values that do not exclude others of their attribute.
_TOLERANT = {"color": {"multi"}, "gender": {"unisex"}, "pattern": {"textured"}}


@dataclass(frozen=True)
class Conflict:
    """Two sources in conflict; the fields are those of `schemas.product_tables.CONFLICT`."""

    attribute: str
    value: str
    source: Source
    confidence: float
    other_value: str
    other_source: Source
    other_confidence: float


def find_conflicts(
    attribute: str,
    chosen: str | None,
    claims: Iterable[Claim],
    least_confidence: float,
    seen_colors: Collection[str] = (),
) -> list[Conflict]:
    """Conflicts on one attribute, at most one per source.

    Args:
        attribute: which.
        chosen: the value that was chosen, None when none was.
        claims: the claims on it; of each source the surest counts.
        least_confidence: how sure both must be.
        seen_colors: colors that a good part of some picture of the product has: naming one is no conflict.
    """
    if attribute not in CONFLICT_ATTRIBUTES:
        return []
    best: dict[str, Claim] = {}
    for claim in sorted(claims, key=lambda one: -one.confidence):
        if claim.is_stated and claim.confidence >= least_confidence:
            best.setdefault(claim.source, claim)
    if len(best) < 2:
        return []
    sure = list(best.values())
    for_chosen = [claim for claim in sure if chosen is not None and values_agree(attribute, claim.value, chosen)]
    mine = next((claim for claim in for_chosen if claim.value == chosen), next(iter(for_chosen), sure[0]))
    return [
        Conflict(attribute, mine.value, mine.source, mine.confidence, other.value, other.source, other.confidence)
        for other in sure
        if other is not mine and not _agree(mine, other, seen_colors)
    ]


def values_agree(attribute: str, one: str, other: str) -> bool:
    """Whether two values of an attribute can both be true."""
    if one == other:
        return True
    if attribute == CATEGORY:
        return on_one_line(one, other)
    if {one, other} & _TOLERANT.get(attribute, set()) or (attribute == "gender" and {one, other} in _AGES):
        return True
    return load_attributes().agree(attribute, one, other) or (attribute == "color" and _close_colors(one, other))


def _agree(one: Claim, other: Claim, seen_colors: Collection[str]) -> bool:
    if values_agree(one.attribute, one.value, other.value):
        return True
    sides = {claim.source == "image": claim for claim in (one, other)}
    if one.attribute != "color" or len(sides) < 2:
        return False
    # A word is right about a color that pictures show beside the main one.
    return any(_close_colors(sides[False].value, seen) for seen in seen_colors)


@cache
def _close_colors(one: str, other: str) -> bool:
    first, second = find_color(one), find_color(other)
    if first is None or second is None:
        return False
    return first.family == second.family or float(delta_e(first.lab, second.lab)) <= _CLOSE_COLORS
