"""The demo: draws the embedded catalogue, runs a night on it and says where to look."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from jobs.cache import cache_folder
from jobs.console_text import CONSOLE
from jobs.nightly import run_stages
from jobs.progress import StageProgress
from rendering.dataset import DEMO_PRODUCTS, PICTURES_PER_PRODUCT, write_dataset
from schemas.settings import Settings

CATALOG_NAME = "catalog.csv"

SettingsFor = Callable[[str, str, str], Settings]
"""Makes the night's settings from tables root, feed and the root of the pictures."""


def demo_settings(tables: str, catalog: str, pictures: str) -> Settings:
    """Settings of the demo when nothing else is asked for."""
    return Settings(tables=tables, catalog=catalog, allowed_roots=(pictures,))


def run_demo(out: Path | None = None, products: int | None = None, settings_for: SettingsFor = demo_settings) -> Path:
    """Draw the catalogue unless it is there, run a night on it, write the report.

    Args:
        out: folder for pictures, tables and report; default `demo` in the cache folder.
        products: products to draw; the default draws 300 pictures and some broken ones.
        settings_for: called before anything is drawn, so that a wrong setting is found at once.

    Returns:
        The report page.
    """
    # A few hundred rows: compiling code for them takes longer than interpreting.
    os.environ.setdefault("VITRINE_SPARK_CODEGEN", "false")
    products = products or DEMO_PRODUCTS
    folder = (out or cache_folder() / "demo").absolute()
    shop = folder / f"shop-{products}"
    settings = settings_for(str(folder / "tables"), str(shop / CATALOG_NAME), str(shop))
    if not (shop / CATALOG_NAME).is_file():
        _draw(shop, products)
    report = folder / "report.html"
    run_stages(settings, report=report)
    _what_next(shop)
    return report


def _draw(shop: Path, products: int) -> None:
    total = round(products * PICTURES_PER_PRODUCT)
    with StageProgress("draw", total=total, unit="pictures") as progress:
        write_dataset(shop, products, progress=lambda done, of: progress.update(done=done, total=of))


def _what_next(shop: Path) -> None:
    CONSOLE.print(f" Pictures  {shop}", soft_wrap=True)
    CONSOLE.print("\n Open the report in a browser. Run this again: nothing is new, so nothing is computed.")
