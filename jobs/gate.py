"""The quality gate as a step of its own, for schedulers: `spark-submit jobs/gate.py ...`; see `jobs.publish`."""

from __future__ import annotations

if __name__ == "__main__":
    from jobs.cli import run_as_script

    run_as_script("gate")
