"""The daemon of Spark's Python workers: cheap tasks, and archives that change are still seen."""

from __future__ import annotations

import gc
import importlib
import os
import sys
import zipfile
import zipimport

import pytest

from jobs.python_daemon import keep_what_stays, spare_unchanged_archives


@pytest.fixture
def sparing(monkeypatch):
    """Archives are spared in this test; the reads of their directories are counted."""
    monkeypatch.setattr(zipimport.zipimporter, "invalidate_caches", zipimport.zipimporter.invalidate_caches)
    reads = []
    read = zipimport._read_directory
    monkeypatch.setattr(zipimport, "_read_directory", lambda archive: reads.append(archive) or read(archive))
    spare_unchanged_archives()
    return reads


@pytest.fixture
def archive(tmp_path, monkeypatch):
    """An archive on the path."""
    path = tmp_path / "library.zip"
    write(path, {"first_in_archive": "VALUE = 1"})
    monkeypatch.syspath_prepend(str(path))
    yield path
    for name in ("first_in_archive", "second_in_archive"):
        sys.modules.pop(name, None)


def write(path, modules):
    with zipfile.ZipFile(path, "w") as file:
        for name, text in modules.items():
            file.writestr(f"{name}.py", text)


def test_an_unchanged_archive_is_read_once(sparing, archive):
    assert importlib.import_module("first_in_archive").VALUE == 1
    importlib.invalidate_caches()
    before = sparing.count(str(archive))
    for _ in range(3):
        importlib.invalidate_caches()
    assert sparing.count(str(archive)) == before


def test_modules_of_a_changed_archive_are_found(sparing, archive):
    importlib.import_module("first_in_archive")
    importlib.invalidate_caches()
    write(archive, {"first_in_archive": "VALUE = 1", "second_in_archive": "VALUE = 2"})
    importlib.invalidate_caches()
    assert importlib.import_module("second_in_archive").VALUE == 2


def test_an_archive_that_has_gone_does_no_harm(sparing, archive):
    importlib.import_module("first_in_archive")
    importlib.invalidate_caches()
    archive.unlink()
    importlib.invalidate_caches()
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("second_in_archive")


def test_what_outlives_a_task_is_not_collected_again():
    try:
        keep_what_stays(lambda one, other: None)(1, 2)
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()


def test_workers_run_under_it_and_serve_many_tasks(spark):
    import pyarrow as pa

    def look(batches):
        for _ in batches:
            pass
        frozen, spares = gc.get_freeze_count(), hasattr(zipimport.zipimporter.invalidate_caches, "__wrapped__")
        yield pa.RecordBatch.from_pydict({"pid": [os.getpid()], "frozen": [frozen], "spares": [spares]})

    rows = spark.range(0, 64, 1, 16).mapInArrow(look, "pid long, frozen long, spares boolean").collect()
    assert all(row["spares"] for row in rows) and len({row["pid"] for row in rows}) < 16
    assert any(row["frozen"] > 0 for row in rows)
