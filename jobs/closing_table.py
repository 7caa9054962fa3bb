"""What became of a run, in a few lines at its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from jobs.console_text import CONSOLE, format_duration, format_rate, ordered_counts, printable
from schemas.reasons import Reason

STATUS_STYLES = {"succeeded": "green", "failed": "bold red", "running": "yellow"}


def closing_table(
    rows: Sequence[Mapping[str, Any]],
    *,
    places: Mapping[str, str] | None = None,
    console: Console | None = None,
) -> None:
    """Print what became of a run, on stderr: stages, quarantine reasons with what to do, and where things are.

    Args:
        rows: rows of the `runs` table as mappings (`Row.asDict(recursive=True)`), in the order to show.
        places: where things are, by label, e.g. {"Tables": "...", "Report": "..."}; never wrapped, to be copied.
        console: where to print; the default writes to stderr.
    """
    target = console or CONSOLE
    target.print()
    target.print(_stage_table(rows, counts_width=max(24, target.width - 50)))
    reasons: dict[str, int] = {}
    for row in rows:
        if row.get("stage") == "nightly" and len(rows) > 1:
            continue  # the nightly row sums up the others
        for code, count in (row.get("reasons") or {}).items():
            reasons[code] = reasons.get(code, 0) + int(count)
    if reasons:
        target.print()
        target.print(_reason_table(reasons))
    target.print()
    for row in rows:
        if row.get("error"):
            message = printable(str(row["error"]))
            target.print(Text(f" {row.get('stage')} failed: ", "bold red") + Text(message), soft_wrap=True)
    label_width = max((len(label) for label in places or {}), default=0)
    for label, place in (places or {}).items():
        target.print(Text(f" {label.ljust(label_width)}  ", "dim") + Text(printable(place)), soft_wrap=True)


def _stage_table(rows: Sequence[Mapping[str, Any]], counts_width: int) -> Table:
    table = Table(box=None, pad_edge=True, padding=(0, 2, 0, 0), header_style="dim", title_justify="left")
    table.add_column(" Stage", no_wrap=True)
    table.add_column("Status", no_wrap=True)
    table.add_column("Time", justify="right", no_wrap=True)
    table.add_column("Images/s", justify="right", no_wrap=True)
    table.add_column("Counts", overflow="fold")
    for row in rows:
        status = str(row.get("status"))
        seconds, rate = row.get("seconds"), row.get("images_per_second")
        counts = row.get("counts") or {}
        table.add_row(
            Text(f" {row.get('stage')}", "bold"),
            Text(status, STATUS_STYLES.get(status, "")),
            "" if seconds is None else format_duration(float(seconds)),
            "" if rate is None else format_rate(float(rate)),
            _counts_text(counts, counts_width),
        )
    return table


def _counts_text(counts: Mapping[str, int], width: int) -> str:
    """Counts in words on lines of about `width` characters, broken between counts only."""
    lines = [""]
    for key, count in ordered_counts(counts).items():
        word = f"{int(count):,} {printable(key).replace('_', ' ')}"
        if lines[-1] and len(lines[-1]) + len(word) + 2 > width:
            lines[-1] += ","
            lines.append(word)
        else:
            lines[-1] += f", {word}" if lines[-1] else word
    return "\n".join(lines)


def _reason_table(reasons: Mapping[str, int]) -> Table:
    table = Table(box=None, pad_edge=True, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column(" Quarantine", no_wrap=True)
    table.add_column("Count", justify="right", no_wrap=True)
    table.add_column("What to do", overflow="fold")
    for code, count in sorted(reasons.items(), key=lambda item: (-item[1], item[0])):
        known = code in Reason.__members__.values()
        table.add_row(
            Text(f" {code}", "yellow"), f"{count:,}", Reason(code).explanation if known else "Unknown reason code."
        )
    return table
