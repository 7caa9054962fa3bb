"""The page and the lines of a data set check."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from markupsafe import Markup

from jobs.evaluate_report import ENVIRONMENT, page_source
from jobs.report_text import clean, percent, utc_time, words
from models.data_quality import Balance, DataCheck

ROWS_SHOWN = 100
"""Rows of each list on the page; all stand in check.json."""


def render_check_report(check: DataCheck) -> str:
    """The page as HTML: one self-contained file without scripts."""
    return ENVIRONMENT.get_template("check.html").render(
        check=check,
        style=Markup(page_source("page.css") + page_source("evaluation.css")),  # noqa: S704  (our own files)
        meta=[
            ("Checked", utc_time(check.created_at)),
            ("Labels", ", ".join(clean(name, 80) for name in check.labels)),
            ("Pictures", f"{check.readable:,} of {check.listed:,} readable"),
        ],
        balance=[(row, _shares(row)) for row in check.balance],
        shown=ROWS_SHOWN,
        percent=percent,
    )


def write_check_report(path: Path, check: DataCheck) -> Path:
    """Write the page to `path` (UTF-8), making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render_check_report(check), encoding="utf-8")
    return path


def check_lines(check: DataCheck, most: int = 5) -> str:
    """What was found as lines for a terminal, with a few examples of each."""
    lines = [f"{check.listed:,} pictures listed, {check.readable:,} readable"]
    for name, summary in check.datasets.items():
        splits = ", ".join(f"{split or 'no split'} {count:,}" for split, count in summary.splits.items())
        lines.append(f"  {words(name) or 'unnamed'}: {summary.images:,} pictures ({splits})")
    lines += [f"{count:>7,}  {name}" for name, count in check.problems.items()] or ["no problems found"]
    examples: list[tuple[str, list[str]]] = [
        (
            "cannot be used",
            [f"{one.labels} line {one.line}: {one.image_path}: {one.reason}" for one in check.bad_files],
        ),
        (
            "unknown",
            [
                f"{words(one.dataset)} {one.column}: {one.label} ({one.images})"
                + (f", perhaps {one.suggestion}" if one.suggestion else "")
                for one in check.unknown_labels
            ],
        ),
        (
            "alike",
            [
                f"{words(one.dataset)} {one.column}: {one.label} ({one.images}) and {one.other} ({one.other_images})"
                for one in check.alike_labels
            ],
        ),
        ("leak", [f"{' and '.join(one.splits)}: {' = '.join(one.image_paths[:3])}" for one in check.leaks]),
    ]
    for title, found in examples:
        lines += [f"{title}: {clean(text, 300)}" for text in found[:most]]
        if len(found) > most:
            lines.append(f"{title}: and {len(found) - most:,} more")
    return "\n".join(lines)


def _shares(row: Balance) -> dict[str, Any]:
    """Bars of the largest and the smallest label, as shares of the largest."""
    return {"smallest": row.smallest_images / row.largest_images, "median": row.median_images / row.largest_images}
