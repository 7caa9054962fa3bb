"""The DAGs as Airflow reads them, with each operator."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from vitrine_airflow.alerts import alert_of, failure_callback
from vitrine_airflow.assets import WRITES
from vitrine_airflow.config import DagConfig, DagConfigError, dag_config
from vitrine_airflow.night import NightMacros

from schemas.stages import STAGES, TASKS
from schemas.tables import TABLES
from tests.airflow_dags.places import DAGS

CLUSTER = {"spark_version": "17.3.x-scala2.13", "node_type_id": "m6i.xlarge", "num_workers": 2}


def dags(monkeypatch: pytest.MonkeyPatch, **variables: str) -> dict[str, Any]:
    """All DAGs under a configuration."""
    for name, value in {"TABLES": "s3://shop/tables", **variables}.items():
        monkeypatch.setenv(f"VITRINE_DAG_{name}", value)
    bag = DagBag(dag_folder=str(DAGS))
    assert bag.import_errors == {}
    return dict(bag.dags)


@pytest.mark.parametrize("operator", ["spark_submit", "databricks_workflow", "databricks_submit_run"])
@pytest.mark.parametrize("cluster", ["{}", json.dumps(CLUSTER)], ids=["serverless", "cluster"])
def test_night_runs_every_stage_in_order_with_each_operator(monkeypatch, operator, cluster):
    dag = dags(monkeypatch, OPERATOR=operator, DATABRICKS_CLUSTER=cluster)["vitrine_nightly"]
    order = [task.task_id.removeprefix("night.") for task in dag.topological_sort()]
    assert [name for name in order if name != "launch"] == list(TASKS)
    assert [name for name in TASKS if name in STAGES] == list(STAGES)
    assert TASKS.index("gate") == TASKS.index("publish") - 1
    assert (dag.catchup, dag.max_active_runs) == (False, 1)
    for task in dag.tasks:
        assert task.retries == (1 if task.task_id.endswith("gate") else 3)
        assert task.retry_exponential_backoff
        assert task.on_failure_callback
        if not task.task_id.endswith("launch"):
            assert task.execution_timeout == timedelta(hours=12)


def test_every_table_is_the_asset_of_the_stage_that_writes_it(monkeypatch):
    dag = dags(monkeypatch)["vitrine_nightly"]
    found = {task.task_id.removeprefix("night."): {asset.uri for asset in task.outlets} for task in dag.tasks}
    assert found["ingest"] == {"s3://shop/tables/catalog", "s3://shop/tables/images"}
    assert found["publish"] == {"s3://shop/tables/publications"}
    written = {table for tables in WRITES.values() for table in tables}
    assert set(TABLES) - written == {"corrections"}, "each table that a night writes has an asset"


def test_published_night_starts_the_example(monkeypatch):
    dag = dags(monkeypatch)["vitrine_published"]
    assert [asset.uri for asset in dag.timetable.asset_condition.objects] == ["s3://shop/tables/publications"]


def test_training_is_scheduled_only_when_it_knows_its_data(monkeypatch):
    assert not dags(monkeypatch)["vitrine_train"].timetable.can_be_scheduled
    known = {
        "TRAINING_DATA": "/data/a,/data/b",
        "TRAINING_FOLDER": "/t",
        "TRAINING_LABELS": "/l.csv",
        "MODELS_ROOT": "/m",
    }
    dag = dags(monkeypatch, **known)["vitrine_train"]
    assert dag.timetable.expression == "0 6 * * 0"
    assert [task.task_id for task in dag.topological_sort()] == ["train", "evaluate", "promote"]
    assert dag.get_task("promote").retries == 0


def test_databricks_job_holds_the_options_of_every_stage(monkeypatch):
    dag = dags(monkeypatch, OPERATOR="databricks_workflow", DATABRICKS_CLUSTER=json.dumps(CLUSTER))["vitrine_nightly"]
    launch = dag.get_task("night.launch")
    job = launch.create_workflow_json()
    assert len(job["tasks"]) == len(TASKS)
    by_key = {task["task_key"]: task for task in job["tasks"]}
    extract = by_key["extract"]["python_wheel_task"]
    assert (extract["package_name"], extract["entry_point"]) == ("vitrine", "vitrine-task")
    assert extract["parameters"][:5] == [
        "extract",
        "--tables",
        "{{job.parameters.tables}}",
        "--run-id",
        "{{job.parameters.run_id}}",
    ]
    assert by_key["extract"]["depends_on"] == [{"task_key": "ingest"}]
    names = {parameter["name"] for parameter in job["parameters"]}
    assert {"run_id", "tables", "catalog", "bundle", "retry_reasons"} == names
    assert job["job_clusters"][0]["new_cluster"] == CLUSTER


def test_names_of_databricks_parameters_survive_airflows_templates(monkeypatch):
    dag = dags(monkeypatch, OPERATOR="databricks_workflow")["vitrine_nightly"]
    task = dag.get_task("night.extract")
    rendered = dag.get_template_env().from_string(task.task_config["python_wheel_task"]["parameters"][2])
    assert rendered.render(**dag.user_defined_macros) == "{{job.parameters.tables}}"


def test_run_id_is_the_same_for_all_tries_and_differs_between_runs():
    params = {"date": "", "catalog": "s3://shop/feed/{date}/", "mode": "incremental"}
    night = SimpleNamespace(
        logical_date=datetime(2026, 11, 23, 1, tzinfo=UTC), run_id="scheduled__2026-11-23T01:00:00+00:00"
    )
    by_hand = SimpleNamespace(
        logical_date=None, run_after=datetime(2026, 11, 23, 9, tzinfo=UTC), run_id="manual__2026-11-23T09:00:00+00:00"
    )
    assert NightMacros.run_id(night, params) == "night-2026-11-23-scheduled-2026-11-23T01-00-00-00-00"
    assert NightMacros.run_id(by_hand, params) != NightMacros.run_id(night, params)
    assert NightMacros.catalog(by_hand, params) == "s3://shop/feed/2026-11-23/"
    assert NightMacros.catalog(by_hand, {**params, "date": "2026-11-20"}) == "s3://shop/feed/2026-11-20/"
    assert NightMacros.retry_reasons(params) == ""
    assert "too_large" in NightMacros.retry_reasons({**params, "mode": "full"})


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("OPERATOR", "yarn", "takes spark_submit, databricks_workflow, databricks_submit_run"),
        ("RETRIES", "many", "takes a whole number"),
        ("SPARK_CONF", "[]", "takes a JSON object"),
        ("TABELS", "x", "is not known; there are"),
        ("ALERT_URL", "file:///etc/passwd", "takes a http:// or https:// address"),
    ],
)
def test_wrong_configuration_names_the_variable(name, value, said):
    with pytest.raises(DagConfigError, match=said) as caught:
        dag_config({f"VITRINE_DAG_{name}": value})
    assert f"VITRINE_DAG_{name}" in str(caught.value)


def test_failure_is_told_where_somebody_listens():
    told: list[dict[str, Any]] = []

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self):
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    task = SimpleNamespace(dag_id="vitrine_nightly", run_id="r1", task_id="night.extract", try_number=4)
    try:
        failure_callback(DagConfig(alert_url=f"http://127.0.0.1:{server.server_port}"))(
            {"ti": task, "exception": "boom"}
        )
    finally:
        server.shutdown()
    assert told[0]["task"] == "night.extract"
    assert told[0]["error"] == "boom"


def test_alert_tells_vitrines_own_line_and_not_the_command():
    error = "Cannot execute: spark-submit --jars a,b,c\nINFO stopping\nvitrine: feed x is not there\nINFO stopped"
    assert alert_of({"ti": None, "exception": error})["error"] == "vitrine: feed x is not there"
    assert len(alert_of({"ti": None, "exception": "x" * 9000})["error"]) == 1000


def test_listener_that_does_not_answer_hides_nothing():
    failure_callback(DagConfig(alert_url="http://127.0.0.1:9"))({"ti": None, "exception": "boom"})


def test_parsing_imports_nothing_heavy():
    code = (
        "import sys, time; import airflow.sdk, airflow.providers.standard.operators.bash; "
        "from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator; "
        "before = set(sys.modules); sys.path.insert(0, sys.argv[1]); "
        "import vitrine_nightly, vitrine_train, vitrine_published; "
        "print(' '.join(name for name in set(sys.modules) - before if '.' not in name))"
    )
    answer = subprocess.run([sys.executable, "-c", code, DAGS], check=True, capture_output=True, text=True)
    ours = {"vitrine_nightly", "vitrine_train", "vitrine_published", "vitrine_airflow", "schemas"}
    assert set(answer.stdout.split()) <= ours | {"croniter"}, "what a cron schedule needs, and nothing else"
