"""DAG `vitrine_train`: once a week a candidate is trained, measured, and promoted if the gate lets it.

Training goes on from its last checkpoint when a try dies. The gate (`vitrine models promote`) refuses a bundle that is
worse than the champion beyond its tolerances; then the task fails, the champion stays, and the nights go on with it.
Needs VITRINE_DAG_TRAINING_DATA, _TRAINING_FOLDER, _TRAINING_LABELS and _MODELS_ROOT, and the extra `train`.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, Param, chain
from vitrine_airflow.alerts import failure_callback
from vitrine_airflow.config import dag_config

CONFIG = dag_config()
IS_SET_UP = bool(CONFIG.training_data and CONFIG.training_folder and CONFIG.training_labels and CONFIG.models_root)

VITRINE = '"$VITRINE_ENVIRONMENT/bin/vitrine"'
# Words are passed by environment and quoted in the shell: a path with a blank stays one word.
ENVIRONMENT = {
    "VITRINE_ENVIRONMENT": CONFIG.environment,
    "OUT": CONFIG.training_folder
    + "/{{ params.version or (dag_run.logical_date or dag_run.run_after).strftime('%Y.%-m.%-d') }}",
    "VERSION": "{{ params.version or (dag_run.logical_date or dag_run.run_after).strftime('%Y.%-m.%-d') }}",
    "RECIPE": "{{ params.recipe }}",
    "LABELS": CONFIG.training_labels,
    "REGISTRY": CONFIG.models_root,
    "DATA": "\n".join(CONFIG.training_data),
}
COMMANDS = {
    "train": f'mapfile -t folders <<< "$DATA"; {VITRINE} train "${{folders[@]/#/--data=}}" --out "$OUT" '
    '--recipe "$RECIPE" --version "$VERSION"',
    "evaluate": f'{VITRINE} evaluate --labels "$LABELS" --bundle "$OUT/bundle" --out "$OUT/evaluation"',
    "promote": f'{VITRINE} models promote "$OUT/bundle" --metrics "$OUT/evaluation/metrics.json" --root "$REGISTRY" '
    '--reason "weekly training"',
}

with DAG(
    dag_id="vitrine_train",
    description="Trains a candidate, measures it, and promotes it through the gate",
    # Not scheduled until it is told what to train on.
    schedule=(CONFIG.train_schedule or None) if IS_SET_UP else None,
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    default_args={
        "owner": "vitrine",
        "retries": 2,
        "retry_delay": timedelta(minutes=10),
        "retry_exponential_backoff": 2.0,
        "on_failure_callback": failure_callback(CONFIG),
        "execution_timeout": timedelta(hours=CONFIG.night_hours),
    },
    params={
        "recipe": Param("product", type="string", description="Recipe in models/recipes, or a .json file"),
        "version": Param("", type="string", pattern=r"^[0-9.]*$", description="Version; empty: the date"),
    },
    tags=["vitrine"],
    doc_md=__doc__,
) as dag:
    chain(
        *(
            # The gate's refusal is an answer, not a mishap: trying again changes nothing.
            BashOperator(
                task_id=name,
                bash_command=command,
                env=ENVIRONMENT,
                append_env=True,
                **({"retries": 0} if name == "promote" else {}),
            )
            for name, command in COMMANDS.items()
        )
    )
