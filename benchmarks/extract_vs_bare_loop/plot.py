"""Draws the results as a small SVG: one bar per repetition and contestant."""

from __future__ import annotations

from typing import Any

from benchmarks.svg import picture, text

_WIDTH, _LEFT, _BAR, _GAP = 640, 200, 18, 14
_COLORS = {"bare_loop": "#8a8f98", "vitrine": "#2f6fb5"}
_NAMES = {"bare_loop": "bare loop", "vitrine": "vitrine extract"}


def plot_results(results: dict[str, Any]) -> str:
    """The SVG text: images per second of every repetition, in the order in which they ran."""
    rates = [
        (kind, number + 1, pair[kind]["images"] / pair[kind]["wall_seconds"])
        for number, pair in enumerate(results["repetitions"])
        for kind in ("bare_loop", "vitrine")
    ]
    scale = (_WIDTH - _LEFT - 70) / max(rate for _, _, rate in rates)
    top, parts = 64, []
    for index, (kind, number, rate) in enumerate(rates):
        y = top + index * (_BAR + 4) + (number - 1) * _GAP
        width = rate * scale
        parts += [
            text(_LEFT - 10, y + 13, f"{_NAMES[kind]}, repetition {number}", anchor="end"),
            f'<rect x="{_LEFT}" y="{y}" width="{width:.1f}" height="{_BAR}" rx="2" fill="{_COLORS[kind]}"/>',
            text(_LEFT + width + 6, y + 13, f"{rate:.1f}"),
        ]
    height = top + len(rates) * (_BAR + 4) + len(rates) // 2 * _GAP + 10
    title = f"Images per second, {results['images']:,} pictures, {results['processes']} cores"
    subtitle = f"median: extract reaches {results['median_ratio']:.2f} of the bare loop"
    return picture(_WIDTH, height, [text(16, 26, title, weight="bold"), text(16, 46, subtitle), *parts])
