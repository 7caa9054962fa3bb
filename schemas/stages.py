"""The stages of a night, in order: the one place that jobs, DAGs and Databricks jobs take them from.

Imports nothing, so that a scheduler can read it without Spark.
"""

from __future__ import annotations

STAGES = ("ingest", "extract", "fuse", "publish", "maintain")
