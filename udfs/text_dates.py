"""Best-before and production dates, and shelf life, in a line of text."""

from __future__ import annotations

import re
from datetime import date

from udfs.text_field import Found

_BEST_BEFORE = re.compile(
    r"\bbest (?:before|by|if used by)\b|\buse by\b|\bexp(?:iry|ires|\.)?(?: date)?\b|\bbbe?\b"
    r"|\bbäst före\b|\bbest før\b|\bmindestens haltbar\b|\bà consommer\b|保质期至|有效期至|有效日期"
    r"|到期日|此日期前|赏味期限|截止日期"
)
_PRODUCED = re.compile(
    r"\b(?:mfg|mfd|manufactured|produced|production date|packed on|prod)\b|生产日期|制造日期|包装日期|出厂日期"
)
_SHELF_LIFE = re.compile(
    r"(?:保质期|保存期|有效期|\bshelf life)\s?[:(]?\s?(?P<count>\d{1,3})\s?"
    r"(?P<unit>个?月|天|日|年|months?|days?|years?|weeks?)"
)
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january januari", "feb february februari", "mar march mars", "apr april", "may maj", "jun june juni",
            "jul july juli", "aug august augusti", "sep sept september", "oct october okt oktober", "nov november",
            "dec december",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_MONTH_WORDS = "|".join(sorted(_MONTHS, key=len, reverse=True))
_YEAR_FIRST = re.compile(r"(?<!\d)(?P<y>20\d\d)\s?[-./年]\s?(?P<m>\d{1,2})(?:\s?[-./月]\s?(?P<d>\d{1,2})日?)?(?![\d])")
_COMPACT = re.compile(r"(?<!\d)(?P<y>20[1-4]\d)(?P<m>0[1-9]|1[0-2])(?P<d>0[1-9]|[12]\d|3[01])(?!\d)")
_DAY_FIRST = re.compile(r"(?<![\d.])(?P<d>\d{1,2})[-./ ](?P<m>\d{1,2})[-./ ](?P<y>20\d\d|\d\d)(?![\d])")
_DAY_NAME = re.compile(rf"(?<!\d)(?P<d>\d{{1,2}})[-./ ]?\s?(?P<m>{_MONTH_WORDS})\.?[-./ ]?\s?(?P<y>20\d\d|\d\d)(?!\d)")
_NAME_DAY = re.compile(rf"\b(?P<m>{_MONTH_WORDS})\.?\s?(?:(?P<d>\d{{1,2}}),?\s)?(?P<y>20\d\d)(?!\d)")
_MONTH_YEAR = re.compile(r"(?<![\d./-])(?P<m>0?[1-9]|1[0-2])[/.-](?P<y>20\d\d)(?!\d)")

_CUED, _BARE = 0.95, 0.5
_SHELF_UNITS = {"月": "month", "个月": "month", "天": "day", "日": "day", "年": "year"}


def find_dates(folded: str) -> list[tuple[str, Found]]:
    """Dates in a folded line (`text_line.fold`) as (field name, finding); the value is ISO 8601, to the day or month.

    `best_before` or `produced` by the words beside it. A date without words counts as `best_before` with little
    clarity. 03/04/2026 is read day first, as most of the world writes it; where the first number cannot be a day's
    month order is swapped. A word without a date ("best before: see lid") is a finding with the value "present".
    """
    found: list[tuple[str, Found]] = []
    for match in _SHELF_LIFE.finditer(folded):
        unit = match["unit"].rstrip("s")
        unit = _SHELF_UNITS.get(unit, unit)
        count = int(match["count"])
        value = f"{count} {unit}{'' if count == 1 else 's'}"
        found.append(("shelf_life", Found(match.start(), match.end(), value, _CUED, float(count), unit, 1)))
    produced, best = _PRODUCED.search(folded), _BEST_BEFORE.search(folded)
    name = "produced" if produced and not best else "best_before"
    dated = False
    for start, end, value in _dates(folded):
        dated = True
        one = name
        # Both words on one line: the nearer word before the date tells.
        if produced and best:
            one = "produced" if best.start() > start or best.start() < produced.start() < start else "best_before"
        found.append((one, Found(start, end, value, _CUED if produced or best else _BARE)))
    if best and not dated:
        found.append(("best_before", Found(best.start(), best.end(), "present", _BARE)))
    return found


def _dates(folded: str) -> list[tuple[int, int, str]]:
    taken: list[tuple[int, int, str]] = []
    for pattern in (_YEAR_FIRST, _COMPACT, _DAY_NAME, _NAME_DAY, _DAY_FIRST, _MONTH_YEAR):
        for match in pattern.finditer(folded):
            if any(match.start() < end and start < match.end() for start, end, _ in taken):
                continue
            value = _iso(match)
            if value:
                taken.append((match.start(), match.end(), value))
    return sorted(taken)


def _iso(match: re.Match[str]) -> str | None:
    groups = match.groupdict()
    year = int(groups["y"]) + (2000 if len(groups["y"]) == 2 else 0)
    month = _MONTHS.get(groups["m"]) or int(groups["m"])
    if not groups.get("d"):
        return f"{year:04d}-{month:02d}" if 1 <= month <= 12 else None
    day = int(groups["d"])
    if month > 12 >= day:
        month, day = day, month
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None
