"""Runs notebooks in Databricks source format without Databricks: a splitter, and stand-ins for what it provides."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def cells(source: str) -> list[str]:
    """Python cells; magic cells (%md) are left out."""
    first, *rest = re.split(r"^# COMMAND -+\s*$", source, flags=re.MULTILINE)
    assert first.startswith("# Databricks notebook source"), "not a notebook"
    parts = [first.removeprefix("# Databricks notebook source"), *rest]
    return [part for part in parts if part.strip() and "# MAGIC" not in part]


class Widgets:
    """`dbutils.widgets`: text widgets whose values the caller gives."""

    def __init__(self, values: dict[str, str]) -> None:
        self._values = values
        self._defaults: dict[str, str] = {}

    def text(self, name: str, default: str, label: str | None = None) -> None:
        self._defaults[name] = default

    def get(self, name: str) -> str:
        return self._values.get(name, self._defaults[name])


def run_notebook(name: str, spark: Any, folder: Path, **widgets: str) -> tuple[dict[str, Any], list[Any]]:
    """Run a notebook; its names and what it displayed. Figures and pictures are kept in the folder, to be looked at."""
    import matplotlib as mpl

    mpl.use("Agg")
    shown: list[Any] = []

    def display(what: Any) -> None:
        shown.append(what)
        save = getattr(what, "savefig", getattr(what, "save", None))
        if save is not None:
            folder.mkdir(parents=True, exist_ok=True)
            save(folder / f"{name}-{len(shown)}.png")

    names: dict[str, Any] = {
        "__name__": "__main__",
        "spark": spark,
        "dbutils": SimpleNamespace(widgets=Widgets(widgets)),
        "display": display,
    }
    for number, cell in enumerate(cells((NOTEBOOKS / f"{name}.py").read_text(encoding="utf-8")), start=1):
        exec(compile(cell, f"{name}, cell {number}", "exec"), names)
    return names, shown
