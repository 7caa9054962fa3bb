"""The frame and the texts of the benchmarks' small SVG plots."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

INK = "#1c1f24"


def picture(width: float, height: float, parts: Iterable[str]) -> str:
    """An SVG document of this size, px, on white."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="sans-serif" font-size="13">\n<rect width="100%" height="100%" fill="#ffffff"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def text(x: float, y: float, words: str, *, anchor: str = "start", weight: str = "normal", color: str = INK) -> str:
    """Words at a place."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}" fill="{color}">'
        f"{escape(words)}</text>"
    )
