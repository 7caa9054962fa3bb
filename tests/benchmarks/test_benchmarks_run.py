from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.marked_process import MarkedProcessError, run_marked
from benchmarks.performance_doc import DOCUMENT, filled
from benchmarks.process_tree import TreeWatch, cpu_seconds, peak_rss_mib
from benchmarks.scale import run as scale
from benchmarks.scale.cost import Cluster, cost_of

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
    engines = json.loads((tmp_path / "engines" / "results.json").read_text())
    assert {"bare_loop", "vitrine", "pandas_udf", "predict_batch_udf"} <= set(engines["ran"]["single"])
    assert set(engines["agreement"]["single"].values()) == {1.0}, "all engines give the same labels"


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


def test_a_process_is_measured_at_its_marks_with_what_its_lost_children_used(tmp_path):
    burn = "import time\nend = time.process_time() + 0.4\nwhile time.process_time() < end: pass\n"
    program = (
        "import subprocess, sys\n"
        "from benchmarks.marked_process import mark\n"
        "mark('before')\n"
        f"subprocess.run([sys.executable, '-c', {burn!r}])\n"
        "mark('after')\n"
    )
    before, after = run_marked(
        [sys.executable, "-c", program], tmp_path, {**os.environ, "PYTHONPATH": str(CHECKOUT)}, limit_seconds=60
    )
    assert (before.name, after.name) == ("before", "after")
    assert after.cpu_seconds - before.cpu_seconds >= 0.35
    assert after.wall_seconds > before.wall_seconds
    assert after.peak_mib > 5


def test_a_process_that_fails_or_hangs_says_so(tmp_path):
    with pytest.raises(MarkedProcessError, match="no such engine"):
        run_marked([sys.executable, "-c", "raise SystemExit('no such engine')"], tmp_path, os.environ, 60)
    with pytest.raises(MarkedProcessError, match="ended after 1 s"):
        run_marked([sys.executable, "-c", "import time; time.sleep(60)"], tmp_path, os.environ, 1)


def test_the_line_of_times_is_found_and_a_curve_is_not_taken_for_one():
    straight = scale._line([100_000, 300_000, 1_000_000], [3.0, 5.0, 12.0])
    assert straight["constant"] == pytest.approx(2.0)
    assert straight["per_million"] == pytest.approx(10.0)
    assert straight["largest_error_share"] < 1e-6
    assert scale._line([100_000, 300_000, 1_000_000], [1.0, 9.0, 100.0])["largest_error_share"] > 0.2


def test_cost_is_that_of_extraction_and_planning():
    cluster = Cluster(cores=10, core_price=0.1, efficiency=0.5)
    cost = cost_of(3_600_000, 20.0, planning_core_seconds=36_000, cluster=cluster, changed_share=0.001)
    # 20 images/s x 10 cores x 0.5: 10 h, and 1 h of planning, at 1 per hour.
    assert cost.first_hours == pytest.approx(11.0)
    assert cost.first_price == pytest.approx(11.0)
    assert cost.night_hours == pytest.approx(1.01)


def test_tables_of_the_document_are_those_of_the_results(tmp_path):
    committed = DOCUMENT.read_text(encoding="utf-8")
    again = filled(committed, CHECKOUT / "benchmarks")
    measured = json.loads((CHECKOUT / "benchmarks/steps/results/results.json").read_text())
    assert f"| extraction | {measured['cpu_ms_per_picture']['extraction']:.2f} |" in again
    assert filled(again, CHECKOUT / "benchmarks") == again
    without_results = filled(committed, tmp_path)
    assert without_results.count("To be filled") == 4
    with pytest.raises(ValueError, match="no place for the table scale"):
        filled(committed.replace("<!-- /scale -->", ""), tmp_path)
