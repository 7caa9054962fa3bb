"""A real run of `vitrine_nightly`: each stage a spark-submit of its own, one of them killed on its first try."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from deltalake import DeltaTable

from schemas.stages import TASKS
from tests.airflow_dags.places import DAGS, JOBS, ROOT

# Nine drivers, one after the other: on a busy machine that takes its time.
pytestmark = pytest.mark.timeout(1800)

WAVE_IMAGES = 12
# For drivers that live a few seconds: neither the optimizing compiler nor compiled queries pay.
SPARK_CONF = {
    "spark.driver.memory": "1g",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:MetaspaceSize=256m",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.ui.enabled": "false",
    "spark.log.level": "WARN",
}


class Killer(threading.Thread):
    """Kills the driver of extract once its first wave is committed, without a chance to say good-bye."""

    def __init__(self, tables: Path) -> None:
        super().__init__(daemon=True)
        self.tables = tables
        self.killed: list[int] = []
        self.stop = threading.Event()

    def run(self) -> None:
        log = self.tables / "image_attributes" / "_delta_log"
        while not self.stop.wait(0.05):
            if len(list(log.glob("*.json"))) < 2:
                continue
            self.killed = [pid for pid, line in processes() if "jobs/extract.py" in line and str(self.tables) in line]
            for pid in self.killed:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return


def processes() -> list[tuple[int, str]]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            found.append((int(folder.name), (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()))
    return found


def rows(tables: Path, name: str, version: int | None = None) -> list[dict[str, Any]]:
    return DeltaTable(tables / name, version=version).to_pyarrow_table().to_pylist()


@pytest.fixture(scope="module")
def night(airflow_database, demo_shop, java_home, jars, tmp_path_factory):
    """The DAG run, its tables, and what was killed."""
    folder = tmp_path_factory.mktemp("night")
    tables = folder / "tables"
    configuration = {
        "TABLES": str(tables),
        "CATALOG": str(demo_shop),
        "APPLICATION": str(ROOT),
        "ENVIRONMENT": str(JOBS),
        "JARS": jars,
        "SPARK_CONN_ID": "spark_local",
        "SPARK_CONF": json.dumps(SPARK_CONF),
        "SETTINGS": f"extract.wave_images={WAVE_IMAGES}",
        "RETRY_SECONDS": "1",
        "DASHBOARD": str(folder / "dashboard"),
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in configuration.items():
            patch.setenv(f"VITRINE_DAG_{name}", value)
        if java_home:
            patch.setenv("JAVA_HOME", java_home)
        killer = Killer(tables)
        killer.start()
        run = DagBag(dag_folder=str(DAGS)).dags["vitrine_nightly"].test()
        killer.stop.set()
    return run, tables, killer


def test_night_succeeds_although_a_task_was_killed(night):
    run, _, killer = night
    assert killer.killed, "extract was over before it could be killed"
    tries = {one.task_id.removeprefix("night."): (str(one.state), one.try_number) for one in run.get_task_instances()}
    assert {state for state, _ in tries.values()} == {"success"}
    assert set(tries) == set(TASKS)
    assert tries["extract"][1] >= 2


def test_books_of_the_night_balance(night):
    _, tables, _ = night
    runs = rows(tables, "runs")
    assert len({row["run_id"] for row in runs}) == 1, "all stages and tries share a run id"
    by_stage = {row["stage"]: row for row in runs}
    assert {row["status"] for row in runs} == {"succeeded"}
    assert set(by_stage) == {*TASKS, "nightly"} - {"close"}
    images = rows(tables, "images")
    assert {row["status"] for row in images} == {"extracted", "quarantined"}
    described = [(row["content_sha256"], row["bundle_version"]) for row in rows(tables, "image_attributes")]
    assert len(described) == len(set(described)) > WAVE_IMAGES
    assert {row["content_sha256"] for row in images if row["status"] == "extracted"} == {key for key, _ in described}
    committed_by_the_killed_try = len(described) - dict(by_stage["extract"]["counts"])["extracted"]
    assert committed_by_the_killed_try > 0, "what had been committed is not computed again"


def test_readers_get_what_passed_the_gate(night):
    _, tables, _ = night
    pointer = json.loads((tables / "published.json").read_text())
    publication = rows(tables, "publications")[0]
    assert dict(publication["versions"]) == pointer["versions"]
    assert publication["checks"]
    assert all(check["passed"] for check in publication["checks"])
    active = [row for row in rows(tables, "images", pointer["versions"]["images"]) if row["is_active"]]
    assert len(active) == len(rows(tables, "images"))


def test_the_example_reads_what_was_published(night, monkeypatch):
    _, tables, _ = night
    monkeypatch.setenv("VITRINE_DAG_TABLES", str(tables))
    started = time.monotonic()
    run = DagBag(dag_folder=str(DAGS)).dags["vitrine_published"].test()
    assert str(run.state) == "success", f"after {time.monotonic() - started:.0f} s"
    (counted,) = (one.xcom_pull(task_ids="count_published") for one in run.get_task_instances())
    assert counted["images"] == len(rows(tables, "images"))
