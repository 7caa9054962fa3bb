"""Where things are for the tests of the DAGs."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DAGS = ROOT / "airflow_dags"
# The environment of the jobs; Airflow has one of its own.
JOBS = Path(os.environ.get("VITRINE_ENVIRONMENT", ROOT / ".venv"))
