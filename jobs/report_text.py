"""How the report page writes numbers, times and untrusted text."""

from __future__ import annotations

import math
import re
import unicodedata
from datetime import UTC, datetime

TITLE_CHARACTERS = 140
DETAIL_CHARACTERS = 1200

_HEX_COLOR = re.compile(r"#[0-9a-fA-F]{6}")


def clean(text: str | None, limit: int = DETAIL_CHARACTERS) -> str:
    """Untrusted text, safe to encode and bounded: no control characters, no lone surrogates; cut text says so.

    HTML escaping is the template's work, not done here.
    """
    if not text:
        return ""
    kept = "".join(
        character if unicodedata.category(character) not in ("Cc", "Cs") else " " for character in text[: limit + 1]
    )
    kept = " ".join(kept.split())
    if len(text) <= limit:
        return kept
    return f"{kept[:limit].rstrip()}… ({len(text):,} characters)"


def hex_color(value: str | None) -> str:
    """`#rrggbb`, or a neutral gray for anything else: it goes into a style attribute."""
    return value if value and _HEX_COLOR.fullmatch(value) else "#888888"


def percent(share: float | None) -> str:
    """A share of 0..1 as "62%"; a little is "<1%", not 0%."""
    if share is None:
        return ""
    if 0 < share < 0.01:
        return "<1%"
    return f"{100 * share:.0f}%"


def number(value: object) -> str:
    """A count with thousands separators, or a measure with about three significant digits."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        if not math.isfinite(value):
            return "–"
        digits = 3 if abs(value) < 1 else 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0
        return f"{value:,.{digits}f}"
    return clean(str(value))


def file_size(size_bytes: int | None) -> str:
    """Bytes in decimal units: "53 kB", "4.2 MB"."""
    if size_bytes is None:
        return "–"
    size = float(size_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit in ("B", "kB") or size >= 100 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def utc_time(moment: datetime | None) -> str:
    """Minutes are enough: "23 Nov 2026, 02:14 UTC". Naive times are taken as UTC."""
    if moment is None:
        return "–"
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return f"{aware.day} {aware:%b %Y, %H:%M} UTC"


def words(code: str) -> str:
    """A code as words: "not_an_image" -> "not an image"."""
    return clean(code).replace("_", " ")
