"""DAG `vitrine_nightly`: ingest -> extract -> fuse -> index -> quality gate -> publish -> maintain, once a night."""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.sdk import DAG, chain
from vitrine_airflow.alerts import failure_callback
from vitrine_airflow.config import dag_config
from vitrine_airflow.night import macros, night_params
from vitrine_airflow.operators import stage_group, stage_task

from schemas.stages import TASKS

CONFIG = dag_config()

with (
    DAG(
        dag_id="vitrine_nightly",
        description="Reads new and changed product pictures, writes and publishes the tables",
        schedule=CONFIG.schedule or None,
        start_date=datetime(2026, 1, 1),
        # The feed is a full state, so the newest night makes up for those that were missed.
        catchup=False,
        # The tables have one writer at a time: a second night would be refused by the lease.
        max_active_runs=1,
        dagrun_timeout=timedelta(hours=CONFIG.night_hours),
        default_args={
            "owner": "vitrine",
            "retries": CONFIG.retries,
            "retry_delay": timedelta(seconds=CONFIG.retry_seconds),
            "retry_exponential_backoff": 2.0,
            "max_retry_delay": timedelta(hours=1),
            "on_failure_callback": failure_callback(CONFIG),
        },
        params=night_params(CONFIG),
        user_defined_macros=macros(),
        tags=["vitrine"],
        doc_md=__doc__,
    ) as dag,
    stage_group(CONFIG),
):
    chain(*(stage_task(CONFIG, stage) for stage in TASKS))
