from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.process_tree import TreeWatch, cpu_seconds, peak_rss_mib

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.mark.timeout(300)
def test_quick_mode_runs_every_benchmark(tmp_path):
    command = [sys.executable, "-m", "benchmarks.run", "--quick", "--out", str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    answer = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr[-3000:]
    results = json.loads((tmp_path / "extract_vs_bare_loop" / "results.json").read_text())
    pair = results["repetitions"][0]
    assert pair["bare_loop"]["images"] == pair["vitrine"]["images"] == 8
    assert results["vitrine"]["cpu_seconds"] > 0
    assert results["vitrine"]["worker_peak_mib"] > 50, "Spark's workers were seen"
    assert set(results["unchanged_night"]["warm"][0]["stages"]) >= {"ingest", "extract", "publish", "maintain"}
    assert (tmp_path / "extract_vs_bare_loop" / "results.svg").read_text().startswith("<svg")
    assert "of the bare loop" in answer.stdout


def test_cpu_time_of_children_is_counted_while_they_live_and_after():
    work = "import time\nend = time.process_time() + 0.4\nwhile time.process_time() < end: pass\n"
    before = cpu_seconds()
    with TreeWatch(interval_seconds=0.05) as watch, subprocess.Popen([sys.executable, "-c", work]) as child:
        child.wait()
    assert cpu_seconds() - before >= 0.35
    assert sum(watch.cpu_seconds.values()) >= 0.35


def test_peak_memory_of_a_process_that_is_gone_is_unknown():
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        child.wait()
    assert peak_rss_mib(child.pid) is None
    assert peak_rss_mib() > 5
