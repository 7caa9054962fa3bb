"""What benchmarks say while they run, and how they keep their results."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


def say(text: str) -> None:
    """One line on stderr, with the time."""
    sys.stderr.write(f"{datetime.now(UTC):%H:%M:%S} {text}\n")
    sys.stderr.flush()


def write_results(results: dict[str, Any], folder: Path, plot: str | None = None) -> None:
    """Write results.json, and results.svg where there is a plot."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if plot is not None:
        (folder / "results.svg").write_text(plot, encoding="utf-8")
