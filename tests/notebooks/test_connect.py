"""The notebooks over Spark Connect, where there is no `sparkContext`: also a whole night."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pictures import write_shop


@pytest.fixture(scope="module")
def result(lakehouse, tmp_path_factory):
    pytest.importorskip("grpc_status", reason="Spark Connect's client is not installed (pyspark[connect])")
    out = tmp_path_factory.mktemp("connect")
    feed = write_shop(out / "shop", 6)
    command = [sys.executable, "-m", "tests.notebooks.over_connect", lakehouse.tables, feed, out]
    answer = subprocess.run(command, cwd=Path(__file__).parents[2], check=False, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr[-3000:]
    return out, json.loads((out / "result.json").read_text())


def test_session_is_a_connect_client_without_a_context(result):
    _, found = result
    assert found["session"].startswith("pyspark.sql.connect.")
    assert found["context"].endswith("Error") or found["context"].endswith("Exception")


def test_notebooks_show_what_they_show_elsewhere(result):
    _, found = result
    assert found["shown"] == {
        "explore_tables": 5,
        "build_similar_products": 2,
        "explain_and_review": 3,
        "quickstart": 3,
    }


def test_night_over_connect_describes_and_publishes(result):
    out, found = result
    assert set(found["described"]) == {"extracted"}
    assert json.loads((out / "tables" / "published.json").read_text())["publication_id"] == 1
