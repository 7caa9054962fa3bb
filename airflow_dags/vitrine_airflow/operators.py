"""The operator that runs a stage, as the configuration says. Provider packages are imported only when used."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import BaseOperator, TaskGroup

from vitrine_airflow.assets import outlets
from vitrine_airflow.config import DagConfig
from vitrine_airflow.night import AIRFLOW_VALUES, DATABRICKS_VALUES, VALUES, stage_options

CLUSTER_KEY = "night"
ENVIRONMENT_KEY = "vitrine"


def stage_group(config: DagConfig) -> TaskGroup:
    """The group that a night's tasks stand in: of Databricks' own kind where the night is one Databricks job."""
    if config.operator != "databricks_workflow":
        return TaskGroup("night")
    from airflow.providers.databricks.operators.databricks_workflow import DatabricksWorkflowTaskGroup

    parameters = [{"name": name, "default": AIRFLOW_VALUES[name]} for name in VALUES]
    return DatabricksWorkflowTaskGroup(
        group_id="night",
        databricks_conn_id=config.databricks_conn_id,
        job_clusters=_job_clusters(config),
        extra_job_params={"parameters": parameters, **_environments(config)},
    )


def stage_task(config: DagConfig, stage: str) -> BaseOperator:
    """The task of a stage; call it within the group and the DAG."""
    common: dict[str, Any] = {
        "task_id": stage,
        "outlets": outlets(config, stage),
        "execution_timeout": timedelta(hours=config.stage_hours),
        # A refusal is an answer, which tries do not change; one is for mishaps.
        **({"retries": min(1, config.retries)} if stage == "gate" else {}),
        "doc_md": f"`vitrine {stage}`: see docs/operations.md",
    }
    make = {
        "spark_submit": _spark_submit,
        "databricks_workflow": _databricks_task,
        "databricks_submit_run": _databricks_submit_run,
    }
    return make[config.operator](config, stage, common)


def _spark_submit(config: DagConfig, stage: str, common: dict[str, Any]) -> BaseOperator:
    from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator

    programs = f"{config.environment}/bin"
    return SparkSubmitOperator(
        application=f"{config.application}/jobs/{stage}.py",
        application_args=stage_options(config, stage, AIRFLOW_VALUES),
        conn_id=config.spark_conn_id,
        conf=dict(config.spark_conf),
        jars=config.jars or None,
        name=f"vitrine-{stage}",
        # spark-submit is found on this PATH, and driver and workers run the interpreter that has Vitrine.
        env_vars={
            "PATH": f"{programs}:/usr/local/bin:/usr/bin:/bin",
            "PYSPARK_PYTHON": f"{programs}/python",
            "PYSPARK_DRIVER_PYTHON": f"{programs}/python",
            "VITRINE_RUN_LABEL": "{{ dag.dag_id }}/{{ ti.task_id }}/{{ ti.try_number }}",
        },
        **common,
    )


def _databricks_task(config: DagConfig, stage: str, common: dict[str, Any]) -> BaseOperator:
    from airflow.providers.databricks.operators.databricks import DatabricksTaskOperator

    task = _wheel_task(config, stage, DATABRICKS_VALUES)
    cluster = {"job_cluster_key": CLUSTER_KEY} if config.databricks_cluster else {}
    return DatabricksTaskOperator(
        task_config=task,
        databricks_task_key=stage,
        databricks_conn_id=config.databricks_conn_id,
        **cluster,
        **common,
    )


def _databricks_submit_run(config: DagConfig, stage: str, common: dict[str, Any]) -> BaseOperator:
    from airflow.providers.databricks.operators.databricks import DatabricksSubmitRunOperator

    task = {"task_key": stage, **_wheel_task(config, stage, AIRFLOW_VALUES)}
    if config.databricks_cluster:
        task["new_cluster"] = dict(config.databricks_cluster)
    return DatabricksSubmitRunOperator(
        tasks=[task],
        run_name=f"vitrine {stage}",
        databricks_conn_id=config.databricks_conn_id,
        # The same try asked for twice (a lost answer) is one run; a retry is another.
        idempotency_token="{{ (dag_run.run_id ~ ti.task_id ~ ti.try_number)[-64:] }}",  # noqa: S106
        **_environments(config),
        **common,
    )


def _wheel_task(config: DagConfig, stage: str, values: dict[str, str]) -> dict[str, Any]:
    wheel_task = {
        "package_name": "vitrine",
        "entry_point": "vitrine-task",
        "parameters": [stage, *stage_options(config, stage, values)],
    }
    if config.databricks_cluster:
        return {"python_wheel_task": wheel_task, "libraries": [{"whl": config.wheel}]}
    return {"python_wheel_task": wheel_task, "environment_key": ENVIRONMENT_KEY}


def _job_clusters(config: DagConfig) -> list[dict[str, Any]]:
    if not config.databricks_cluster:
        return []
    return [{"job_cluster_key": CLUSTER_KEY, "new_cluster": dict(config.databricks_cluster)}]


def _environments(config: DagConfig) -> dict[str, Any]:
    """Serverless: what the tasks' environment holds."""
    if config.databricks_cluster:
        return {}
    spec = {"environment_version": "4", "dependencies": [config.wheel]}
    return {"environments": [{"environment_key": ENVIRONMENT_KEY, "spec": spec}]}
