"""Draws seconds and memory against rows, both axes logarithmic, as a small SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from benchmarks.svg import picture, text

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 680, 380, 64, 330, 70
_LINES = (
    ("first_ingest", "first ingest", "#c9a26b"),
    ("unchanged", "unchanged night", "#2f6fb5"),
    ("changed", "0.1% changed, ingest", "#5f9e6e"),
)


def plot_results(results: dict[str, Any]) -> str:
    """The SVG text."""
    sizes = results["sizes"]
    rows = [one["rows"] for one in sizes]
    seconds = [one[name]["wall_seconds"] for one in sizes for name, _, _ in _LINES]
    low_x, high_x = math.floor(math.log10(min(rows))), math.ceil(math.log10(max(rows)))
    low_y, high_y = math.floor(math.log10(min(seconds))), math.ceil(math.log10(max(seconds)))
    high_x, high_y = max(high_x, low_x + 1), max(high_y, low_y + 1)

    def x(value: float) -> float:
        return _LEFT + (math.log10(value) - low_x) / (high_x - low_x) * (_WIDTH - _LEFT - 190)

    def y(value: float) -> float:
        return _BOTTOM - (math.log10(value) - low_y) / (high_y - low_y) * (_BOTTOM - _TOP)

    parts = [
        text(16, 26, "Wall seconds against rows of the manifest (logarithmic)", weight="bold"),
        text(16, 46, f"metadata only, {results['machine']['cores']} cores, heap {results['driver_memory']}"),
    ]
    for power in range(low_x, high_x + 1):
        parts += [
            _rule(x(10**power), _TOP, x(10**power), _BOTTOM),
            text(x(10**power), 350, f"{10**power:,}", anchor="middle"),
        ]
    for power in range(low_y, high_y + 1):
        parts += [
            _rule(_LEFT, y(10**power), _WIDTH - 190, y(10**power)),
            text(_LEFT - 8, y(10**power) + 4, f"{10**power:,}", anchor="end"),
        ]
    for number, (name, label, color) in enumerate(_LINES):
        points = [(x(one["rows"]), y(one[name]["wall_seconds"])) for one in sizes]
        parts += [*_curve(points, color), text(_WIDTH - 175, _TOP + 16 + 22 * number, label, color=color)]
    peaks = ", ".join(f"{one['peak_mib']:,.0f}" for one in sizes)
    parts.append(text(16, 372, f"peak memory of all processes in the nights, MiB, by size: {peaks}"))
    return picture(_WIDTH, _HEIGHT, parts)


def _curve(points: Sequence[tuple[float, float]], color: str) -> list[str]:
    path = " ".join(f"{px:.1f},{py:.1f}" for px, py in points)
    dots = [f'<circle cx="{px:.1f}" cy="{py:.1f}" r="3.5" fill="{color}"/>' for px, py in points]
    return [f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>', *dots]


def _rule(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#e3e5e8"/>'
