"""Where downloaded and generated things are kept: jars, the Java wrapper, the demo."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """`$VITRINE_CACHE`, else `.cache` of the checkout, else `~/.cache/vitrine` for an installed package."""
    if configured := os.environ.get("VITRINE_CACHE"):
        return Path(configured)
    checkout = Path(__file__).resolve().parent.parent
    if (checkout / "pyproject.toml").is_file():
        return checkout / ".cache"
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "vitrine"
