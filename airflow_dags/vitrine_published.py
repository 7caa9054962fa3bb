"""DAG `vitrine_published`: an example of work that starts when a night has been published.

It reads the published versions without Spark and logs how many rows each table has. Copy it for exports, cache
refreshes or mails. The asset is updated by each night that passed the gate, also by one that changed nothing.
"""

from __future__ import annotations

from datetime import datetime

from airflow.sdk import DAG, task
from vitrine_airflow.assets import table_asset
from vitrine_airflow.config import dag_config

CONFIG = dag_config()

with DAG(
    dag_id="vitrine_published",
    description="Starts when vitrine_nightly has published",
    schedule=[table_asset(CONFIG, "publications")],
    start_date=datetime(2026, 1, 1),
    catchup=False,
    tags=["vitrine", "example"],
    doc_md=__doc__,
) as dag:

    @task
    def count_published(tables: str) -> dict[str, int]:
        """Rows of each table at its published version; delta-rs is imported here, not when the DAG is parsed."""
        from deltalake import DeltaTable

        latest = max(
            DeltaTable(f"{tables}/publications").to_pyarrow_table().to_pylist(), key=lambda row: row["publication_id"]
        )
        return {
            name: DeltaTable(f"{tables}/{name}", version=version).to_pyarrow_dataset().count_rows()
            for name, version in latest["versions"]
        }

    count_published(CONFIG.tables)
