"""Markdown that reads well as source too, and the command line of documents that are generated from code."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose columns are aligned in the source; the last column is not padded.

    Args:
        header: column titles.
        rows: cells; `|` is escaped and line breaks become blanks.
    """
    cells = [[_cell(text) for text in row] for row in (header, *rows)]
    widths = [max(3, *(len(row[column]) for row in cells)) for column in range(len(header))]
    widths[-1] = 3
    lines = [_line(row, widths) for row in cells]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def code(text: str) -> str:
    """Inline code; nothing for an empty text."""
    return f"`{text}`" if text else ""


def write_or_check(document: str, arguments: Sequence[str], module: str) -> int:
    """Command line of a generated document: `FILE` writes it, `--check FILE` says whether it is up to date.

    Args:
        document: what the file should hold.
        arguments: command-line arguments without the program's name.
        module: the generator, named in messages.

    Returns:
        Exit status: 0 done or up to date, 1 stale, 2 wrong arguments.
    """
    check = "--check" in arguments
    names = [argument for argument in arguments if argument != "--check"]
    if len(names) != 1 or names[0].startswith("-"):
        sys.stderr.write(f"usage: python -m {module} [--check] FILE\n")
        return 2
    path = Path(names[0])
    if not check:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(document, encoding="utf-8")
        return 0
    if path.is_file() and path.read_text(encoding="utf-8") == document:
        return 0
    trouble = "is not what the code says" if path.is_file() else "does not exist"
    sys.stderr.write(f"{path} {trouble}: run `python -m {module} {path}` and commit the file\n")
    return 1


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"
