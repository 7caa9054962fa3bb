"""The stages of a night, in order: the one place that jobs, DAGs and Databricks jobs take them from.

Imports nothing, so that a scheduler can read it without Spark.
"""

from __future__ import annotations

STAGES = ("ingest", "extract", "fuse", "index", "publish", "maintain")

# What a scheduler runs one by one: the gate stands before publish as a task of its own, and `close` enters the night as
# a whole in `runs`.
TASKS = (*(part for stage in STAGES for part in (("gate", stage) if stage == "publish" else (stage,))), "close")
