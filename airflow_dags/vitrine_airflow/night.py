"""What a stage is told: its command-line options, as templates that Airflow fills in for each run."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from airflow.sdk import Param

from schemas.reasons import Reason
from vitrine_airflow.config import DagConfig

VALUES = ("run_id", "tables", "catalog", "bundle", "retry_reasons")

# What a value is in a run: a template for operators whose fields Airflow renders.
AIRFLOW_VALUES = {
    "run_id": "{{ night.run_id(dag_run, params) }}",
    "tables": "{{ params.tables }}",
    "catalog": "{{ night.catalog(dag_run, params) }}",
    "bundle": "{{ params.bundle }}",
    "retry_reasons": "{{ night.retry_reasons(params) }}",
}
# A Databricks workflow is written down once and filled in by Databricks from the job's parameters.
DATABRICKS_VALUES = {name: f"{{{{job.parameters.{name}}}}}" for name in VALUES}


def night_params(config: DagConfig) -> dict[str, Param]:
    """Parameters of a night, with the installation's defaults."""
    return {
        "date": Param("", type="string", pattern=r"^$|^\d{4}-\d{2}-\d{2}$", description="Day; empty: the run's own"),
        "catalog": Param(config.catalog, type="string", description="Feed; {date} in it stands for the day"),
        "tables": Param(config.tables, type="string", description="Tables root: a folder or s3:// prefix"),
        "bundle": Param(config.bundle, type="string", description="Alias, name@version or path; empty: the shipped"),
        "mode": Param(
            "incremental",
            enum=["incremental", "full"],
            description="full: every picture in quarantine is tried again as well, whatever its reason",
        ),
    }


class NightMacros:
    """Functions for the templates, under the name `night`."""

    @staticmethod
    def date(dag_run: Any, params: Mapping[str, Any]) -> str:
        """The night's day: the parameter, else the logical date, else when the run was due."""
        moment = dag_run.logical_date or dag_run.run_after
        return str(params["date"] or f"{moment:%Y-%m-%d}")

    @classmethod
    def run_id(cls, dag_run: Any, params: Mapping[str, Any]) -> str:
        """Vitrine's run id: the same for all stages and tries of a DAG run, and for no other DAG run."""
        return f"night-{cls.date(dag_run, params)}-{re.sub('[^A-Za-z0-9]+', '-', dag_run.run_id).strip('-')}"

    @classmethod
    def catalog(cls, dag_run: Any, params: Mapping[str, Any]) -> str:
        """The night's feed."""
        return str(params["catalog"]).replace("{date}", cls.date(dag_run, params))

    @staticmethod
    def retry_reasons(params: Mapping[str, Any]) -> str:
        """Reasons to try again at once."""
        return ",".join(Reason) if params["mode"] == "full" else ""


def macros() -> dict[str, Any]:
    """Names for the templates; `job` renders to itself, for it is Databricks that fills it in."""
    return {"night": NightMacros, "job": SimpleNamespace(parameters=SimpleNamespace(**DATABRICKS_VALUES))}


def stage_options(config: DagConfig, stage: str, values: Mapping[str, str]) -> list[str]:
    """Options of `vitrine STAGE`.

    Args:
        config: the installation's configuration.
        stage: which stage.
        values: what stands for run id, tables, catalog, bundle and retry reasons.
    """
    settings = [f"models={values['bundle']}", f"models_root={config.models_root}", *config.settings]
    if stage == "ingest":
        settings.append(f"catalog={values['catalog']}")
    if stage == "extract":
        settings.append(f"extract.retry_reasons={values['retry_reasons']}")
    options = ["--tables", values["tables"], "--run-id", values["run_id"]]
    if stage == "close" and config.dashboard:
        options += ["--dashboard", config.dashboard]
    return options + _each("--set", settings)


def _each(option: str, values: Sequence[str]) -> list[str]:
    return [part for value in values for part in (option, value)]
