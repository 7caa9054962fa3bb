from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs.nightly import run_stages
from jobs.store import TableStore
from schemas.settings import Settings
from schemas.stages import STAGES
from tests.pictures import write_shop


class Shop:
    """A feed, its pictures, and the tables made from them."""

    def __init__(self, spark: Any, folder: Path, **settings: Any) -> None:
        self.spark = spark
        self.folder = folder
        self.feed = folder / "shop" / "catalog.csv"
        self.settings = {"tables": str(folder / "tables"), "catalog": str(self.feed), **settings}
        self.store = TableStore(spark, f"file://{folder / 'tables'}")

    def run(self, *stages: str, **changes: Any) -> dict[str, dict[str, Any]]:
        """Run stages (all by default) and return the run's rows of `runs` by stage."""
        run_id = run_stages(Settings(**{**self.settings, **changes}), stages or STAGES, quiet=True)
        return self.runs(run_id)

    def runs(self, run_id: str) -> dict[str, dict[str, Any]]:
        rows = self.rows("runs", f"run_id = '{run_id}'")
        return {row["stage"]: row for row in rows}

    def rows(self, table: str, where: str = "true") -> list[dict[str, Any]]:
        return [row.asDict(recursive=True) for row in self.store.read(table).where(where).collect()]

    def versions(self) -> dict[str, int]:
        """Delta versions of the tables that say something about the catalogue."""
        names = ("catalog", "images", "image_attributes", "quarantine", "publications")
        return {name: self.store.version(name) for name in names}

    def image(self, name: str) -> Path:
        return self.folder / "shop" / "images" / name


def upload(client: Any, bucket: str, folder: Path, prefix: str) -> None:
    """Put all files of a folder under a prefix, but not the checksums that Hadoop keeps beside local files."""
    for path in folder.rglob("*"):
        if path.is_file() and not path.name.startswith("."):
            client.upload_file(str(path), bucket, f"{prefix}/{path.relative_to(folder)}")


class Standing:
    """A shop in a state from which several tests start; `ran` is what the run that led there said, by stage."""

    def __init__(self, shop: Shop, *stages: str) -> None:
        self.shop = shop
        self.ran = shop.run(*stages)
        self._copy = shop.folder.with_name(f"{shop.folder.name}-copy")
        shutil.copytree(shop.folder, self._copy, symlinks=True)

    def again(self) -> Shop:
        """The shop as it was, in the same place: tables hold addresses of pictures."""
        shutil.rmtree(self.shop.folder)
        # With the times of files, which tell a picture that changed.
        shutil.copytree(self._copy, self.shop.folder, symlinks=True)
        # Delta keeps what it knows of a table by its place.
        self.shop.spark._jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()
        return self.shop


@pytest.fixture(scope="session")
def standing(spark, tmp_path_factory, empty_tables) -> Callable[..., Standing]:
    """Make a shop of some pictures and run stages on it."""

    def make(pictures: int, *stages: str) -> Standing:
        folder = tmp_path_factory.mktemp("standing")
        write_shop(folder / "shop", pictures)
        shutil.copytree(empty_tables, folder / "tables")
        return Standing(Shop(spark, folder), *stages)

    return make


@pytest.fixture(scope="session")
def after_ingest(standing) -> Standing:
    return standing(6, "ingest")


@pytest.fixture(scope="session")
def after_extract(standing) -> Standing:
    return standing(4, "ingest", "extract")


@pytest.fixture
def make_shop(spark, tmp_path, empty_tables) -> Callable[..., Shop]:
    def make(pictures: int = 6, **settings: Any) -> Shop:
        write_shop(tmp_path / "shop", pictures)
        shutil.copytree(empty_tables, tmp_path / "tables", dirs_exist_ok=True)
        return Shop(spark, tmp_path, **settings)

    return make
