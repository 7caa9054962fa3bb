"""A driver that is killed in the middle of extract, and the run after it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from jobs.nightly import run_stages
from jobs.store import TableStore
from schemas.settings import Settings
from tests.pictures import write_shop

# A loaded run id, time or duration differs between any two runs; everything else must be the same.
VOLATILE = {"run_id", "first_seen_at", "last_seen_at", "changed_at", "extracted_at", "resolved_at", "step_ms"}
PICTURES = 90
WAVES = {"wave_images": 30}


def nightly(feed: Path, tables: Path) -> list[str]:
    vitrine = Path(sys.executable).with_name("vitrine")
    waves = ("--set", f"extract.wave_images={WAVES['wave_images']}")
    return [str(vitrine), "nightly", "--catalog", str(feed), "--tables", str(tables), "--quiet", *waves]


def content(store: TableStore, table: str) -> list[Any]:
    frame = store.read(table)
    columns = [name for name in frame.columns if name not in VOLATILE]
    return sorted(frame.selectExpr(f"to_json(struct({', '.join(columns)})) AS row").toPandas()["row"])


def committed_waves(tables: Path) -> int:
    return len(list((tables / "image_attributes" / "_delta_log").glob("*.json"))) - 1


def test_killed_driver_loses_nothing_for_good(spark, tmp_path, empty_tables):
    feed = write_shop(tmp_path / "shop", PICTURES)
    with feed.open("a") as file:
        file.write("missing,images/missing.jpg,,,\n")
    killed, undisturbed = tmp_path / "killed", tmp_path / "undisturbed"
    environment = {**os.environ, "VITRINE_SPARK_MASTER": "local[2]"}

    process = subprocess.Popen(nightly(feed, killed), env=environment, start_new_session=True)
    deadline = time.monotonic() + 240
    while committed_waves(killed) < 1 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert process.poll() is None, "the run ended before it could be killed"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    store = TableStore(spark, f"file://{killed}")
    left = store.read("images").where("status = 'pending'").count()
    assert left > 0, "killed too late: nothing was left to do"

    shutil.copytree(empty_tables, undisturbed)
    for tables in (killed, undisturbed):
        run_stages(Settings(tables=str(tables), catalog=str(feed), extract=WAVES), quiet=True)
    other = TableStore(spark, f"file://{undisturbed}")
    for table in ("catalog", "images", "image_attributes", "quarantine"):
        same = [row.replace(str(killed), "") for row in content(store, table)]
        assert same == content(other, table), table
    extract = store.read("runs").where("stage = 'extract' AND status = 'succeeded'").collect()
    assert extract[0]["counts"]["extracted"] < PICTURES, "what the killed run had committed was not done again"
    died = store.read("runs").where("error = 'the driver died; found by the next run'").count()
    assert died >= 1
