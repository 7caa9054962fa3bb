"""Runs notebooks over Spark Connect, in a process of its own: `python -m tests.notebooks.over_connect TABLES FEED OUT`.

The session is a client of a local Connect server: there is no `sparkContext` in it, as on Databricks serverless.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from jobs.java_runtime import ensure_java
from jobs.spark_session import _common_settings, _local_settings
from tests.notebooks.headless import run_notebook

READING = ("explore_tables", "build_similar_products", "explain_and_review")


def connect() -> Any:
    """A session over Connect with what local sessions have."""
    from pyspark.sql import SparkSession

    ensure_java()
    builder = SparkSession.builder.remote("local[2]")
    for name, value in {**_common_settings(), **_local_settings("local[2]")}.items():
        if name != "spark.master":
            builder = builder.config(name, value)
    return builder.getOrCreate()


def main(tables: str, feed: str, out: str) -> None:
    """Run them and write what they displayed, as JSON."""
    spark = connect()
    result: dict[str, Any] = {"session": f"{type(spark).__module__}.{type(spark).__name__}", "shown": {}}
    try:
        result["context"] = repr(spark.sparkContext)
    except Exception as error:  # noqa: BLE001 - whichever error Connect raises
        result["context"] = type(error).__name__
    for name in READING:
        _, shown = run_notebook(name, spark, Path(out), tables=tables)
        result["shown"][name] = len(shown)
    names, shown = run_notebook("quickstart", spark, Path(out), catalog=feed, tables=f"{out}/tables")
    result["shown"]["quickstart"] = len(shown)
    result["described"] = sorted(names["described"]["status"])
    Path(out, "result.json").write_text(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
