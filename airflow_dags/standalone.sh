# Airflow on this machine, for the demo catalogue: `source airflow_dags/standalone.sh`, then `airflow standalone`.
# Everything is kept in .cache/airflow and .cache/demo of this checkout.

VITRINE_ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
VITRINE_JOBS="$VITRINE_ROOT/.venv/bin"
AIRFLOW_PORT="${AIRFLOW_PORT:-8088}"

export PATH="$VITRINE_ROOT/.venv-airflow/bin:$PATH"
export AIRFLOW_HOME="$VITRINE_ROOT/.cache/airflow"
export AIRFLOW__CORE__DAGS_FOLDER="$VITRINE_ROOT/airflow_dags"
export AIRFLOW__CORE__LOAD_EXAMPLES=False
# Whoever unpauses a DAG before Airflow has read it is told that all is well, and nothing ever runs.
export AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION=False
# The default of 32 starts as many processes.
export AIRFLOW__CORE__PARALLELISM=2
# Tasks report to the server on the port on which it really is.
export AIRFLOW__API__PORT="$AIRFLOW_PORT"
export AIRFLOW__API__HOST=127.0.0.1
export AIRFLOW__CORE__EXECUTION_API_SERVER_URL="http://127.0.0.1:$AIRFLOW_PORT/execution/"
export AIRFLOW_CONN_SPARK_DEFAULT='{"conn_type": "spark", "host": "local[*]"}'

export VITRINE_DAG_APPLICATION="$VITRINE_ROOT"
export VITRINE_DAG_ENVIRONMENT="$VITRINE_ROOT/.venv"
export VITRINE_DAG_TABLES="${VITRINE_DAG_TABLES:-$VITRINE_ROOT/.cache/demo/tables}"
export VITRINE_DAG_CATALOG="${VITRINE_DAG_CATALOG:-$(ls -d "$VITRINE_ROOT"/.cache/demo/shop-*/catalog.csv 2>/dev/null | head -1)}"
export VITRINE_DAG_DASHBOARD="${VITRINE_DAG_DASHBOARD:-$VITRINE_ROOT/.cache/demo/dashboard}"
# So often only to be seen at work; the default is once a night.
export VITRINE_DAG_SCHEDULE="${VITRINE_DAG_SCHEDULE:-*/10 * * * *}"
export VITRINE_DAG_SPARK_CONF="${VITRINE_DAG_SPARK_CONF:-{\"spark.driver.memory\": \"2g\", \"spark.ui.enabled\": \"false\", \"spark.log.level\": \"WARN\"\}}"
VITRINE_DAG_JARS="$("$VITRINE_JOBS/vitrine" jars)"
export VITRINE_DAG_JARS
# Where the machine has no Java, the one that `make setup` has installed.
JAVA_HOME="$("$VITRINE_JOBS/python" -c 'import os, jobs.java_runtime as j; j.ensure_java(); print(os.environ.get("JAVA_HOME", ""))')"
if [ -n "$JAVA_HOME" ]; then export JAVA_HOME; else unset JAVA_HOME; fi
