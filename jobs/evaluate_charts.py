"""Charts of the evaluation page as inline SVG: reliability and robustness. Colors come from the page's style sheet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from markupsafe import Markup, escape

from jobs.report_text import words
from models.evaluation import BinRecord, RobustnessRecord

WIDTH, HEIGHT = 240, 180
_LEFT, _BOTTOM, _TOP, _RIGHT = 34, 26, 8, 13
_FEW_PICTURES = 5
_TITLES = {"noise": "Noise", "blur": "Blur", "occlusion": "Occlusion", "jpeg": "JPEG", "brightness": "Exposure"}


def reliability_chart(bins: Sequence[BinRecord]) -> Markup:
    """Accuracy by confidence; on the diagonal, confidence can be taken at its word."""
    x, y = _scales(1.0)
    parts = [_grid("confidence, %", ["0", "50", "100"])]
    for one in bins:
        left, right = x(one.low) + 0.75, x(one.high) - 0.75
        top, kind = y(one.accuracy), "accuracy few" if one.images < _FEW_PICTURES else "accuracy"
        parts.append(
            f'<rect class="{kind}" x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" '
            f'height="{y(0.0) - top:.1f}"><title>{one.images} pictures: confidence {100 * one.confidence:.1f}%, '
            f"right {100 * one.accuracy:.1f}%</title></rect>"
        )
        parts.append(
            f'<line class="expected" x1="{left:.1f}" x2="{right:.1f}" y1="{y(one.confidence):.1f}" '
            f'y2="{y(one.confidence):.1f}"/>'
        )
    parts.append(f'<line class="diagonal" x1="{x(0):.1f}" y1="{y(0):.1f}" x2="{x(1):.1f}" y2="{y(1):.1f}"/>')
    return _svg(parts, "Accuracy by confidence")


def robustness_charts(records: Sequence[RobustnessRecord]) -> dict[str, Any] | None:
    """One chart per kind of spoiling with a line per head, and the legend; None without records."""
    if not records:
        return None
    lines: dict[str, Callable[[RobustnessRecord], float | None]] = {
        "type": lambda one: one.type_accuracy,
        "type or variety": lambda one: one.leaf_accuracy,
    }
    for head in sorted({head for one in records for head in one.heads}):
        lines[words(head)] = lambda one, head=head: one.heads.get(head)  # type: ignore[misc]
    names = [name for name, value in lines.items() if any(value(one) is not None for one in records)]
    charts = []
    for kind, title in _TITLES.items():
        of_kind = [one for one in records if one.kind == kind]
        if of_kind:
            charts.append({"title": title, "unit": of_kind[0].unit, "chart": _line_chart(of_kind, lines, names)})
    return {"charts": charts, "legend": names, "images": records[0].images}


def _line_chart(
    records: Sequence[RobustnessRecord],
    lines: dict[str, Callable[[RobustnessRecord], float | None]],
    names: Sequence[str],
) -> Markup:
    x, y = _scales(5.0)
    parts = [_grid("strength", ["0", "1", "2", "3", "4", "5"])]
    for number, name in enumerate(names):
        points = [(one, value) for one in records if (value := lines[name](one)) is not None]
        path = " ".join(f"{x(one.strength):.1f},{y(value):.1f}" for one, value in points)
        parts.append(f'<polyline class="line line-{number % 9}" points="{path}"/>')
        for one, value in points:
            amount = "untouched" if one.amount is None else f"{one.amount:g}"
            parts.append(
                f'<circle class="point line-{number % 9}" cx="{x(one.strength):.1f}" cy="{y(value):.1f}" r="2.6">'
                f"<title>{escape(name)}, strength {one.strength} ({amount}): {100 * value:.1f}%</title></circle>"
            )
    return _svg(parts, "Accuracy by strength")


def _scales(longest: float) -> tuple[Callable[[float], float], Callable[[float], float]]:
    return (
        lambda value: _LEFT + (WIDTH - _LEFT - _RIGHT) * value / longest,
        lambda value: HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * value,
    )


def _grid(label: str, ticks: Sequence[str]) -> str:
    x, y = _scales(float(len(ticks) - 1))
    rows = "".join(
        f'<line class="grid-line" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}"/>'
        f'<text x="{_LEFT - 5}" y="{y(value) + 4:.1f}" text-anchor="end">{100 * value:.0f}</text>'
        for value in (0.0, 0.5, 1.0)
    )
    columns = "".join(
        f'<text x="{x(place):.1f}" y="{HEIGHT - _BOTTOM + 14}" text-anchor="middle">{text}</text>'
        for place, text in enumerate(ticks)
    )
    middle = _LEFT + (WIDTH - _LEFT - _RIGHT) / 2
    return f'{rows}{columns}<text x="{middle:.0f}" y="{HEIGHT - 1}" text-anchor="middle">{label}</text>'


def _svg(parts: Sequence[str], label: str) -> Markup:
    """Numbers and our own words only; names of heads are escaped where they are put in."""
    opening = f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">'
    return Markup(f"{opening}{''.join(parts)}</svg>")  # noqa: S704
