"""Draws the results as a small SVG: CPU time per image of each engine, a panel per job, with the spread."""

from __future__ import annotations

from typing import Any

from benchmarks.svg import INK, picture, text

_WIDTH, _LEFT, _BAR, _GAP = 680, 190, 18, 8
_COLORS = {"bare_loop": "#8a8f98", "vitrine": "#2f6fb5", "vitrine_stage": "#2f6fb5"}
_OTHER = "#c9a26b"
_TITLES = {"single": "One model (decode and EfficientNet-Lite0)", "full": "All of extraction"}


def plot_results(results: dict[str, Any]) -> str:
    """The SVG text."""
    parts = [
        text(16, 26, f"CPU milliseconds per image, all processes, {results['images']:,} pictures", weight="bold"),
        text(16, 46, "bars: median; lines: lowest to highest repetition; right: images per second"),
    ]
    top = 64
    for job, engines in results["jobs"].items():
        parts.append(text(16, top + 14, _TITLES[job], weight="bold"))
        top += 26
        longest = max((one["cpu_ms_per_image"]["highest"] for one in engines.values()), default=1.0)
        scale = (_WIDTH - _LEFT - 150) / longest
        for name, one in engines.items():
            cpu = one["cpu_ms_per_image"]
            color = _COLORS.get(name, _OTHER)
            middle = top + _BAR / 2
            low, high = (_LEFT + cpu[which] * scale for which in ("lowest", "highest"))
            parts += [
                text(_LEFT - 10, top + 13, results["labels"][name], anchor="end"),
                f'<rect x="{_LEFT}" y="{top}" width="{cpu["median"] * scale:.1f}" height="{_BAR}" rx="2" '
                f'fill="{color}"/>',
                f'<path d="M{low:.1f} {middle}H{high:.1f}" stroke="{INK}" stroke-width="1.5"/>',
                text(high + 8, top + 13, f"{cpu['median']:.1f}"),
                text(_WIDTH - 16, top + 13, f"{one['images_per_second']['median']:.1f}/s", anchor="end"),
            ]
            top += _BAR + _GAP
        top += 16
    return picture(_WIDTH, top, parts)
