"""A contestant's process: starts an engine, does each job on few pictures and on all, and marks when.

Who measures sits outside, see `benchmarks.marked_process`.
"""

from __future__ import annotations

import argparse
import ctypes
import importlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from benchmarks.engines.workload import Contest
from benchmarks.marked_process import mark

_PR_SET_CHILD_SUBREAPER = 36


class Engine(Protocol):
    """What `benchmarks.engines.<name>.Engine` is."""

    jobs: tuple[str, ...]

    def __init__(self, contest: Contest) -> None: ...

    def run(self, job: str, pictures: Sequence[str], out: Path) -> None:
        """Do a job on all pictures and write the rows as Parquet below `out`."""

    def close(self) -> None:
        """End what was started."""


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", required=True, action="append", help="several share the process, for a quick run")
    parser.add_argument("--job", required=True, action="append")
    parser.add_argument("--pictures", required=True, type=Path, help="JSON list of paths")
    parser.add_argument("--few", required=True, type=int)
    parser.add_argument("--model", required=True)
    parser.add_argument("--processes", required=True, type=int)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    # Processes that lose their parent stay below this one, where their time is counted.
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    contest = Contest(given.model, given.processes)
    pictures: list[str] = json.loads(given.pictures.read_text(encoding="utf-8"))
    few = pictures[: given.few]
    engines: list[Engine] = []
    for name in given.engine:
        engine: Engine = importlib.import_module(f"benchmarks.engines.{name}").Engine(contest)
        engines.append(engine)
        for job in given.job:
            if job not in engine.jobs:
                continue
            out = given.out / name / job
            passes = (
                (("all", pictures),)
                if given.quick
                else (("warm", few), ("few", few), ("all", pictures), ("few again", few))
            )
            for number, (what, part) in enumerate(passes):
                if hasattr(engine, "prepare"):
                    engine.prepare(job, part, out / what.replace(" ", "-"))
                if number:
                    mark(f"{what} begins")
                engine.run(job, part, out / what.replace(" ", "-"))
                mark(f"{what} ends")
    for engine in engines:
        engine.close()


if __name__ == "__main__":
    main()
