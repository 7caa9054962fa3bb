"""How the DAGs run in this installation: a small typed configuration from environment variables `VITRINE_DAG_*`.

What a single run may choose (feed, bundle, mode) are DAG parameters; this is what the installation decides.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

PREFIX = "VITRINE_DAG_"

Operator = Literal["spark_submit", "databricks_workflow", "databricks_submit_run"]


class DagConfigError(ValueError):
    """A variable `VITRINE_DAG_*` is unknown or has a wrong value; names the variable and what it takes."""


@dataclass(frozen=True)
class DagConfig:
    """The configuration.

    Args:
        operator: what runs a stage.
        tables: tables root, and default of the parameter.
        catalog: feed; `{date}` in it stands for the night's date.
        bundle: model bundle: alias or name@version of the registry, or a path; empty: the shipped one.
        models_root: model registry.
        schedule: cron expression of the night; empty: only by hand.
        train_schedule: cron expression of the training.
        settings: further settings of the jobs, each `name=value`.
        retries: tries of a stage after the first.
        retry_seconds: wait before the first retry; doubles with each, up to an hour.
        stage_hours: a stage is killed after so long.
        night_hours: a night fails after so long.
        dashboard: folder for the dashboard page and the Prometheus file; empty: none.
        alert_url: failures are posted there as JSON; empty: only logged.
        application: folder of `jobs/*.py` for spark-submit.
        environment: folder of the Python environment whose `bin` has python, spark-submit and vitrine.
        spark_conn_id: Airflow connection that names the master.
        spark_conf: Spark settings.
        jars: comma-separated jars (`vitrine jars`); empty where the cluster brings Delta.
        databricks_conn_id: Airflow connection of the workspace.
        databricks_cluster: `new_cluster` of the Jobs API; empty: serverless.
        wheel: Vitrine's wheel as Databricks sees it.
        training_data: data folders for `vitrine_train`, comma-separated.
        training_folder: where training keeps checkpoints and what it makes.
        training_labels: labels file that a candidate is measured on.
    """

    operator: Operator = "spark_submit"
    tables: str = "tables"
    catalog: str = "catalog.csv"
    bundle: str = ""
    models_root: str = ""
    schedule: str = "0 1 * * *"
    train_schedule: str = "0 6 * * 0"
    settings: tuple[str, ...] = ()
    retries: int = 3
    retry_seconds: float = 150.0
    stage_hours: float = 12.0
    night_hours: float = 20.0
    dashboard: str = ""
    alert_url: str = ""
    application: str = "/opt/vitrine"
    environment: str = "/opt/vitrine/.venv"
    spark_conn_id: str = "spark_default"
    spark_conf: Mapping[str, str] = field(default_factory=dict)
    jars: str = ""
    databricks_conn_id: str = "databricks_default"
    databricks_cluster: Mapping[str, Any] = field(default_factory=dict)
    wheel: str = "/Volumes/main/vitrine/artifacts/vitrine-latest-py3-none-any.whl"
    training_data: tuple[str, ...] = ()
    training_folder: str = ""
    training_labels: str = ""


def dag_config(environment: Mapping[str, str] = os.environ) -> DagConfig:
    """The configuration of this installation.

    Raises:
        DagConfigError: a variable is unknown or has a wrong value.
    """
    known = {f"{PREFIX}{one.name.upper()}": one.name for one in fields(DagConfig)}
    values: dict[str, Any] = {}
    for variable, text in environment.items():
        if not variable.startswith(PREFIX):
            continue
        if variable not in known:
            raise DagConfigError(f"{variable} is not known; there are {', '.join(sorted(known))}")
        values[known[variable]] = _value(variable, text, getattr(DagConfig(), known[variable]))
    operator = values.get("operator", "spark_submit")
    if operator not in get_args(Operator):
        raise DagConfigError(f"{PREFIX}OPERATOR={operator}: takes {', '.join(get_args(Operator))}")
    alert_url = values.get("alert_url", "")
    if alert_url and not alert_url.startswith(("http://", "https://")):
        raise DagConfigError(f"{PREFIX}ALERT_URL={alert_url}: takes a http:// or https:// address")
    return DagConfig(**values)


def _value(variable: str, text: str, default: Any) -> Any:
    """The text as what the default is."""
    try:
        if isinstance(default, tuple):
            return tuple(part.strip() for part in text.split(",") if part.strip())
        if isinstance(default, Mapping):
            document = json.loads(text or "{}")
            if not isinstance(document, dict):
                raise TypeError("not an object")
            return document
        return type(default)(text)
    except (ValueError, TypeError) as error:
        takes = {tuple: "a comma-separated list", dict: "a JSON object", int: "a whole number", float: "a number"}
        raise DagConfigError(f"{variable}={text!r}: takes {takes[type(default)]}") from error
