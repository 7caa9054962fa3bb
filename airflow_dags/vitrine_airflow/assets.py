"""Airflow assets, one per table: a stage that has written a table says so, and other DAGs can start on that."""

from __future__ import annotations

from airflow.sdk import Asset

from vitrine_airflow.config import DagConfig

# The table that each stage has finished with. Readers want `publications`: it moves when the gate has passed.
WRITES = {
    "ingest": ("catalog", "images"),
    "extract": ("image_attributes", "quarantine"),
    "fuse": ("products", "product_attributes"),
    "index": ("product_embeddings", "similar_products", "near_duplicates", "search_documents"),
    "gate": ("metrics",),
    "publish": ("publications",),
    "close": ("runs",),
}


def table_asset(config: DagConfig, table: str) -> Asset:
    """The asset of a table."""
    root = config.tables.rstrip("/")
    # Paths without a scheme are this machine's.
    uri = f"{root}/{table}" if "://" in root else f"file://{root if root.startswith('/') else f'/{root}'}/{table}"
    return Asset(name=f"vitrine_{table}", uri=uri, group="vitrine")


def outlets(config: DagConfig, stage: str) -> list[Asset]:
    """Assets that a stage updates."""
    return [table_asset(config, table) for table in WRITES.get(stage, ())]
