"""A process of one size: `fill` makes the tables, `night` is an unchanged night and one with 0.1% changed.

Two processes, so that the night's peak memory is its own.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from benchmarks.marked_process import mark
from benchmarks.scale.catalog import ROOT, settle_images, settle_products, write_feed
from jobs.nightly import run_stages
from jobs.session import open_run
from jobs.spark_session import spark_session
from jobs.store import TableStore
from schemas.settings import Settings

PLANNING = ("ingest", "extract", "fuse")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("phase", choices=["fill", "night"])
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    given = parser.parse_args()
    spark = spark_session("vitrine scale")
    # The first action of a session compiles and loads what every later one needs.
    spark.range(1000).selectExpr("sum(id)").collect()
    tables = given.folder / "tables"
    feeds = {name: given.folder / f"feed-{name}" for name in ("first", "changed")}
    settings = {
        name: Settings(tables=str(tables), catalog=str(feed), allowed_roots=(f"{ROOT}/",))
        for name, feed in feeds.items()
    }
    mark("started")
    if given.phase == "fill":
        write_feed(spark, given.rows, feeds["first"])
        write_feed(spark, given.rows, feeds["changed"], changed=True)
        mark("feeds written")
        run_stages(settings["first"], ("ingest",), quiet=True)
        mark("first ingest")
        with open_run(settings["first"], with_feed=False) as opened:
            settle_images(opened.run)
            settle_products(opened.run)
        mark("settled")
        return
    store = TableStore(spark, tables.absolute().as_uri())
    runs = {}
    for number in (1, 2):
        runs[f"unchanged {number}"] = run_stages(settings["first"], PLANNING, quiet=True)
        mark(f"unchanged {number}")
    runs["changed"] = run_stages(settings["changed"], ("ingest",), quiet=True)
    mark("changed")
    told = {
        name: [
            {"stage": row["stage"], "seconds": row["seconds"], "counts": dict(row["counts"])}
            for row in store.read("runs").where(f"run_id = '{run_id}'").collect()
        ]
        for name, run_id in runs.items()
    }
    (given.folder / "night.json").write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main()
