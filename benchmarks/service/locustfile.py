"""The users, for locust: each searches, pauses and searches again. `load.py` starts it and says by a file what to ask.

Imports nothing of the project: locust lives in an environment of its own (`make setup-bench`).
"""

from __future__ import annotations

import itertools
import json
import os
import random
from pathlib import Path

from locust import FastHttpUser, task

ASKED = json.loads(Path(os.environ["VITRINE_LOAD"]).read_text())
PICTURE = None if ASKED["picture"] is None else Path(ASKED["picture"]).read_bytes()
SEARCHES = itertools.cycle(ASKED["searches"])


class Shopper(FastHttpUser):
    """Somebody who looks for things."""

    def wait_time(self) -> float:
        """Seconds until the next search; exponential, as of independent people."""
        return random.expovariate(1 / ASKED["think"]) if ASKED["think"] else 0.0

    @task
    def search(self) -> None:
        """One search, by words or by the picture."""
        if PICTURE is not None:
            self.client.post("/search/image", data=PICTURE, name="picture")
        else:
            self.client.get(next(SEARCHES), name="words")
