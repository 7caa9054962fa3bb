"""One run: its identity, its settings, and the bookkeeping of its stages in the `runs` table."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from pyspark.sql import Row, SparkSession

from jobs.code_generation import code_generation_for
from jobs.json_log import log_stage, logged_stage
from jobs.store import TableStore
from schemas.contract import ddl_columns
from schemas.settings import Settings
from schemas.tables import RUNS

# A stage that ended goes to `runs` with the next one, unless this long after the last: then it is worth a commit.
SECONDS_WITHOUT_A_ROW = 60.0


class BookkeepingError(RuntimeError):
    """Counts of a stage do not add up: some input got lost or was counted twice. Says which sum failed."""


@dataclass
class StageRecord:
    """What a stage did, filled in while it runs and written to `runs` at its end."""

    stage: str
    counts: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    step_ms: dict[str, float] = field(default_factory=dict)
    bytes_read: int | None = None
    images_per_second: float | None = None
    seconds: float = 0.0

    def require_sum(self, total: str, parts: tuple[str, ...]) -> None:
        """Check `counts[total] == sum of counts[parts]`.

        Raises:
            BookkeepingError: when it does not hold.
        """
        values = [self.counts.get(part, 0) for part in parts]
        if self.counts.get(total, 0) != sum(values):
            spelled = " + ".join(f"{part} {value}" for part, value in zip(parts, values, strict=True))
            raise BookkeepingError(f"{self.stage}: {total} {self.counts.get(total, 0)} is not {spelled}")


@dataclass
class Run:
    """A run of one or more stages over one tables root.

    `written_stages` are those that have a row in `runs`: from this run, or from an earlier try under the same run id.
    `rows` are the latest rows of this run by stage.
    """

    spark: SparkSession
    store: TableStore
    settings: Settings
    run_id: str
    bundle_version: str | None = None
    input_snapshot: str | None = None
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    records: list[StageRecord] = field(default_factory=list)
    written_stages: set[str] = field(default_factory=set)
    _open_stages: int = 0
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    _waiting: list[dict[str, Any]] = field(default_factory=list)
    _written_at: float = 0.0

    @property
    def staging(self) -> str:
        """Folder of this tables root for results that are not committed yet; underscore: no table."""
        return self.store.path("_staging")

    @property
    def in_night(self) -> bool:
        """Whether the present stage is part of a night and does not run alone."""
        return self._open_stages > 1

    @contextmanager
    def stage(self, name: str, *, since: datetime | None = None) -> Iterator[StageRecord]:
        """Record a stage: `succeeded` or `failed` with the reason at its end; `since` is its start, by default now.

        The outermost stage (the night, or a stage that runs alone) also gets a `running` row at its start. The stages
        in it are written with it at its end, long ones at their own: each commit costs as much as a small stage.
        """
        record = StageRecord(name)
        now = datetime.now(UTC)
        started_at = since or now
        clock = time.monotonic() - (now - started_at).total_seconds()
        if not self._open_stages:
            self._enter(record, "running", started_at)
            self._write()
        self._open_stages += 1
        try:
            with logged_stage(self.run_id, name):
                log_stage("running")
                yield record
        except BaseException as error:
            record.seconds = time.monotonic() - clock
            self._log(record, "failed", error=one_line(error))
            self._enter(record, "failed", started_at, one_line(error))
            self._open_stages -= 1
            if not self._open_stages:
                self._write_failure(error)
            raise
        self._open_stages -= 1
        record.seconds = time.monotonic() - clock
        self.records.append(record)
        self._log(record, "succeeded")
        self._enter(record, "succeeded", started_at)
        if not self._open_stages or time.monotonic() - self._written_at > SECONDS_WITHOUT_A_ROW:
            self._write()

    def _log(self, record: StageRecord, status: str, **fields: object) -> None:
        told = {"seconds": round(record.seconds, 3), "counts": record.counts, "reasons": record.reasons}
        with logged_stage(self.run_id, record.stage):
            log_stage(status, **told, images_per_second=record.images_per_second, **fields)

    def _write_failure(self, error: BaseException) -> None:
        try:
            self._write()
        except Exception as second:  # noqa: BLE001 - the first error is the one to report
            error.add_note(f"(and the failure could not be written to the runs table: {one_line(second)})")

    def _enter(self, record: StageRecord, status: str, started_at: datetime, error: str | None = None) -> None:
        row = stage_row(
            record,
            run_id=self.run_id,
            status=status,
            started_at=started_at,
            finished_at=None if status == "running" else datetime.now(UTC),
            settings=self.settings,
            bundle_version=self.bundle_version,
            input_snapshot=self.input_snapshot,
            error=error,
        )
        self.rows[record.stage] = row
        # A stage whose row could not be written enters the reason in its place.
        self._waiting = [waiting for waiting in self._waiting if waiting["stage"] != record.stage] + [row]

    def _write(self) -> None:
        """Write the rows that wait, in one commit."""
        rows = self.spark.createDataFrame([Row(**row) for row in self._waiting], ddl_columns(RUNS.columns))
        stages = {row["stage"] for row in self._waiting}
        with code_generation_for(self.spark, len(self._waiting)):
            # An append costs a third of a MERGE; only a row that is there already must be replaced.
            if stages & self.written_stages:
                self.store.upsert(RUNS, rows)
            else:
                self.store.append(RUNS, rows)
        self.written_stages |= stages
        self._waiting = []
        self._written_at = time.monotonic()


def stage_row(
    record: StageRecord,
    *,
    run_id: str,
    status: str,
    started_at: datetime,
    finished_at: datetime | None,
    settings: Settings,
    bundle_version: str | None,
    input_snapshot: str | None,
    error: str | None = None,
) -> dict[str, Any]:
    """A stage's row of `runs`."""
    return {
        "run_id": run_id,
        "stage": record.stage,
        "status": status,
        "started_at": started_at,
        "finished_at": finished_at,
        "seconds": record.seconds if finished_at else None,
        "counts": dict(record.counts),
        "reasons": dict(record.reasons),
        "images_per_second": record.images_per_second,
        "step_ms": dict(record.step_ms),
        "bytes_read": record.bytes_read,
        "bundle_version": bundle_version,
        "git_sha": _git_sha(),
        "settings_json": json.dumps(settings.model_dump(mode="json"), sort_keys=True),
        "input_snapshot": input_snapshot,
        "error": error,
    }


@cache
def _git_sha() -> str | None:
    if sha := os.environ.get("VITRINE_GIT_SHA"):
        return sha
    try:
        answer = subprocess.run(
            ["git", "rev-parse", "HEAD"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() or None if answer.returncode == 0 else None


def new_run_id(now: datetime | None = None) -> str:
    """A run id that sorts by time: `20261123T214500-1a2b3c`."""
    return f"{(now or datetime.now(UTC)):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:6]}"


def one_line(error: BaseException) -> str:
    """An error as one line for people: the cause's message without Java stack frames."""
    text = str(error)
    causes = re.findall(r"(?:Caused by: )[\w.$]+(?:Exception|Error): ([^\n]+)", text)
    first = text.strip().splitlines()[0] if text.strip() else type(error).__name__
    line = causes[-1] if causes and first.startswith(("An error occurred", "Job aborted")) else first
    return f"{type(error).__name__}: {line.strip()}"[:1000]
