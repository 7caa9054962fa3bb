"""Tests of the DAGs. They run in Airflow's environment (`make test-airflow`); the jobs run in the project's."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.airflow_dags.places import DAGS, JOBS, ROOT

if importlib.util.find_spec("airflow") is None:
    collect_ignore_glob = ["test_*.py"]
else:
    # Read when Airflow is imported, so it stands here and not in a fixture.
    HOME = Path(tempfile.mkdtemp(prefix="vitrine-airflow-"))
    os.environ.update(
        AIRFLOW_HOME=str(HOME),
        AIRFLOW__CORE__DAGS_FOLDER=str(DAGS),
        AIRFLOW__CORE__LOAD_EXAMPLES="False",
        AIRFLOW__LOGGING__LOGGING_LEVEL="WARNING",
        AIRFLOW_CONN_SPARK_LOCAL=json.dumps({"conn_type": "spark", "host": "local[2]"}),
    )
    sys.path.insert(0, str(DAGS))


@pytest.fixture(scope="session")
def airflow_database() -> None:
    """Airflow's own database, for runs."""
    airflow = Path(sys.executable).with_name("airflow")
    subprocess.run([airflow, "db", "migrate"], check=True, capture_output=True)


@pytest.fixture(scope="session")
def demo_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small drawn catalogue with all broken and odd files; its feed."""
    folder = tmp_path_factory.mktemp("shop")
    draw = "import sys; from pathlib import Path; from rendering.dataset import write_dataset; "
    draw += "write_dataset(Path(sys.argv[1]), products=8)"
    subprocess.run([JOBS / "bin" / "python", "-c", draw, folder], check=True, cwd=ROOT)
    return folder / "catalog.csv"


@pytest.fixture(scope="session")
def java_home() -> str:
    """The Java that Spark runs on here."""
    command = (
        "from jobs.java_runtime import ensure_java; import os; ensure_java(); print(os.environ.get('JAVA_HOME', ''))"
    )
    answer = subprocess.run(
        [JOBS / "bin" / "python", "-c", command], check=True, cwd=ROOT, capture_output=True, text=True
    )
    return answer.stdout.strip()


@pytest.fixture(scope="session")
def jars() -> str:
    """The jars for spark-submit."""
    answer = subprocess.run([JOBS / "bin" / "vitrine", "jars"], check=True, capture_output=True, text=True)
    return answer.stdout.strip()
