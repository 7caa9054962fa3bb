"""A fact parsed from text, with its evidence; and where among the lines it was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FieldName = Literal[
    "brand",
    "net_content",
    "price",
    "size",
    "material",
    "care",
    "ingredients",
    "nutrition",
    "barcode",
    "best_before",
    "produced",
    "shelf_life",
]


@dataclass(frozen=True)
class TextField:
    """A fact; the fields are those of `schemas.text_columns.TEXT_FIELD`.

    Args:
        name: what kind of fact.
        value: normalized, for people and for comparing, e.g. "6 x 330 ml", "19.90 CNY", "cotton", "2026-05-01".
        amount: its number where it has one: of one unit of a net content, of a price, percent of a material.
        unit: g, ml, piece, ISO 4217 code, percent, day or month; None without a number.
        count: packs of a multipack, or pieces of an offer ("2 for 5"); 1 where nothing is said, None without a number.
        confidence: trust in the fact, 0..1: how clearly it is said, times how clearly the line was read.
        line: position of the line among the lines given; None when read from a barcode itself.
        span_start: first character of the evidence in that line.
        span_end: its end, exclusive.
        evidence: those characters, as read.
    """

    name: FieldName
    value: str
    amount: float | None
    unit: str | None
    count: int | None
    confidence: float
    line: int | None
    span_start: int | None
    span_end: int | None
    evidence: str


@dataclass(frozen=True)
class Found:
    """What a parser finds in one line, before it is known how well the line was read.

    Args:
        start: first character of the evidence.
        end: its end, exclusive.
        value: as in `TextField`.
        clarity: how clearly the words say it, 0..1.
        amount: as in `TextField`.
        unit: as in `TextField`.
        count: as in `TextField`.
    """

    start: int
    end: int
    value: str
    clarity: float
    amount: float | None = None
    unit: str | None = None
    count: int | None = None

    def overlaps(self, other: Found) -> bool:
        """Whether both rest on a common character."""
        return self.start < other.end and other.start < self.end


def plain_number(value: float) -> str:
    """Shortest decimal form: 330, 1.5, 0.25."""
    return f"{value:.3f}".rstrip("0").rstrip(".")


def without_overlaps(found: list[Found]) -> list[Found]:
    """The clearest (then the first, then the longest) of findings that share characters, in the order of the line."""
    kept: list[Found] = []
    for one in sorted(found, key=lambda item: (-item.clarity, item.start, -item.end)):
        if not any(one.overlaps(other) for other in kept):
            kept.append(one)
    return sorted(kept, key=lambda item: item.start)
