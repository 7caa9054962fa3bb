"""Tables of two nights on a drawn catalogue: what analysts' queries and notebooks are tried on."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from jobs.nightly import run_stages
from rendering.dataset import write_dataset
from schemas.settings import GateSettings, Settings

PRODUCTS = 6


@dataclass(frozen=True)
class Lakehouse:
    """Where things are.

    Args:
        folder: holds all of it; `tables` and `shop` are below.
        renamed: product whose title the second night changed.
        gone: product that the second night's feed lacks.
    """

    folder: Path
    renamed: str
    gone: str

    @property
    def tables(self) -> Path:
        return self.folder / "tables"

    @property
    def root(self) -> str:
        return f"file://{self.tables}"

    @property
    def feed(self) -> Path:
        return self.folder / "shop" / "catalog.csv"


def make_lakehouse(folder: Path) -> Lakehouse:
    """Two nights: one on all products, then one on a feed in which one has a new title and one is gone."""
    write_dataset(folder / "shop", products=PRODUCTS)
    # Few products, and each of the odd files that the drawn catalogue has.
    gate = GateSettings(max_quarantined_share=0.5)
    settings = Settings(tables=str(folder / "tables"), catalog=str(folder / "shop" / "catalog.csv"), gate=gate)
    run_stages(settings, run_id="night-1", quiet=True)
    with (folder / "shop" / "catalog.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    good = sorted({row["product_id"] for row in rows if row["product_id"] and row["title"]})
    renamed, gone = good[0], good[1]
    for row in rows:
        row["title"] = "a title of the second night" if row["product_id"] == renamed else row["title"]
    with (folder / "shop" / "catalog.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(row for row in rows if row["product_id"] != gone)
    run_stages(settings, run_id="night-2", quiet=True)
    return Lakehouse(folder, renamed, gone)
