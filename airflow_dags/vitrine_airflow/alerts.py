"""What happens when a task has failed for good: one JSON line in the log, and a POST where somebody listens."""

from __future__ import annotations

import json
import logging
import urllib.request
from collections.abc import Callable
from typing import Any

from vitrine_airflow.config import DagConfig

logger = logging.getLogger(__name__)

SECONDS_TO_WAIT = 10
LONGEST_ERROR = 1000


def failure_callback(config: DagConfig) -> Callable[[Any], None]:
    """The callback for `on_failure_callback`; it never raises, for it would hide the failure it tells of."""

    def tell(context: Any) -> None:
        alert = alert_of(context)
        logger.error("vitrine alert %s", json.dumps(alert))
        if not config.alert_url:
            return
        try:
            request = urllib.request.Request(  # noqa: S310 - the configuration takes http(s) only
                config.alert_url, json.dumps(alert).encode(), {"Content-Type": "application/json"}
            )
            urllib.request.urlopen(request, timeout=SECONDS_TO_WAIT).close()  # noqa: S310
        except (OSError, ValueError) as error:
            logger.error("the alert could not be sent to %s: %s", config.alert_url, error)

    return tell


def alert_of(context: Any) -> dict[str, Any]:
    """What is told: which task of which run, after how many tries, and why."""
    task = context.get("ti") or context.get("task_instance")
    error = context.get("exception") or context.get("reason")
    return {
        "dag": getattr(task, "dag_id", None),
        "run": getattr(task, "run_id", None),
        "task": getattr(task, "task_id", None),
        "tries": getattr(task, "try_number", None),
        "error": short(str(error)) if error else None,
        "text": f"Vitrine: {getattr(task, 'task_id', 'a task')} failed, readers keep the previous publication",
    }


def short(error: str) -> str:
    """The line that Vitrine ends with, where the error holds it; else its end: its beginning is a long command line."""
    told = [line for line in error.splitlines() if line.startswith("vitrine: ")]
    return told[-1] if told else error[-LONGEST_ERROR:]
