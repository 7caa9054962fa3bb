"""Structured log: one JSON object per line on stderr, each with run id and stage; on with `VITRINE_LOG=json`.

Without it the log stays Python's own, and people read the progress line.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TextIO

_RUN: ContextVar[str | None] = ContextVar("vitrine_run_id", default=None)
_STAGE: ContextVar[str | None] = ContextVar("vitrine_stage", default=None)
FIELDS = "fields"
"""Name of the `extra` whose entries become fields of the line."""

logger = logging.getLogger("vitrine")
# Python would print what has no handler; stages speak only when JSON is asked for.
logger.addHandler(logging.NullHandler())


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON: at, level, logger, run_id, stage, message, fields, error."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "run_id": _RUN.get(),
            "stage": _STAGE.get(),
            # A scheduler says which of its tasks and tries this is.
            "task": os.environ.get("VITRINE_RUN_LABEL"),
            "message": record.getMessage(),
            **getattr(record, FIELDS, {}),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps({name: value for name, value in line.items() if value is not None}, default=str)


def set_up_json_log(stream: TextIO | None = None) -> None:
    """Send the log of all of Vitrine to a stream as JSON, if `VITRINE_LOG=json` asks for it."""
    if os.environ.get("VITRINE_LOG") != "json":
        return
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers = [one for one in root.handlers if not isinstance(one.formatter, JsonFormatter)] + [handler]
    for name in ("vitrine", "jobs", "models", "udfs"):
        logging.getLogger(name).setLevel(logging.INFO)


@contextmanager
def logged_stage(run_id: str, stage: str) -> Iterator[None]:
    """Name run and stage in every line that is logged within."""
    run, inner = _RUN.set(run_id), _STAGE.set(stage)
    try:
        yield
    finally:
        _STAGE.reset(inner)
        _RUN.reset(run)


def log_stage(status: str, **fields: object) -> None:
    """One line when a stage begins or ends."""
    level = logging.ERROR if status == "failed" else logging.INFO
    logger.log(level, "stage %s", status, extra={FIELDS: {"status": status, **fields}})
