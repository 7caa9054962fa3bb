"""Runs a process and reads its clocks, CPU time and memory from outside, at the marks that it sets.

A mark is a line on stdout; the process waits for the answer on stdin, so that reading the clocks costs it nothing.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.process_tree import tree

MARK = "@mark "
# Adding up the pages of a JVM takes some milliseconds: looked at more often, the watch itself would be a load.
_SAMPLE_SECONDS = 1.0


class MarkedProcessError(RuntimeError):
    """The process failed or took too long; the end of its stderr is in the message."""


@dataclass(frozen=True)
class Mark:
    """A moment in a process's life, since it was started.

    Args:
        name: what it marks.
        wall_seconds: time passed.
        cpu_seconds: CPU time of the process and all below it, those that have ended included.
        peak_mib: most memory of all together so far (PSS: shared pages count once).
    """

    name: str
    wall_seconds: float
    cpu_seconds: float
    peak_mib: float


def mark(name: str) -> None:
    """Set a mark, in the process that is measured; ends it when nobody measures any more."""
    sys.stdout.write(f"{MARK}{name}\n")
    sys.stdout.flush()
    if not sys.stdin.readline():
        sys.exit("who measures has gone")


def run_marked(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], limit_seconds: float
) -> list[Mark]:
    """Run a process to its end.

    Args:
        command: a program that calls `mark`.
        folder: to run it in.
        environment: its environment.
        limit_seconds: it is ended after this long.

    Raises:
        MarkedProcessError: see there.
    """
    with (
        (folder / "stderr.txt").open("w+", encoding="utf-8") as errors,
        subprocess.Popen(
            command,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        ) as process,
    ):
        counted = _Counted(process.pid)
        watchdog = threading.Timer(limit_seconds, _end, (process.pid,))
        watchdog.daemon = True
        watchdog.start()
        assert process.stdout is not None
        assert process.stdin is not None
        marks = []
        with counted:
            for line in process.stdout:
                if line.startswith(MARK):
                    marks.append(counted.mark(line.removeprefix(MARK).strip()))
                    process.stdin.write("\n")
                    process.stdin.flush()
            status = process.wait()
        watchdog.cancel()
        if status:
            errors.seek(0)
            late = f" (ended after {limit_seconds:.0f} s)" if status == -signal.SIGKILL else ""
            raise MarkedProcessError(f"{' '.join(command[:6])}: exit status {status}{late}\n{errors.read()[-4000:]}")
    return marks


def _end(pid: int) -> None:
    for one in tree(pid):
        with suppress(ProcessLookupError):
            os.kill(one.pid, signal.SIGKILL)


class _Counted:
    """CPU time and memory of a process and all below it, sampled, because what has ended cannot be asked any more.

    Two sums are kept, each too small in some case: what every process seen had used when last looked at misses those
    that live between two looks; what parents have reaped misses children that nobody waited for. The larger one counts.
    """

    def __init__(self, root: int) -> None:
        self._root = root
        self._started = time.perf_counter()
        self._own: dict[int, float] = {}
        self._reaped = 0.0
        self._peak_mib = 0.0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="sample", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def mark(self, name: str) -> Mark:
        """Everything as it stands now."""
        wall = time.perf_counter() - self._started
        self._look()
        with self._lock:
            return Mark(name, wall, max(sum(self._own.values()), self._reaped), self._peak_mib)

    def _sample(self) -> None:
        while not self._stop.wait(_SAMPLE_SECONDS):
            self._look()

    def _look(self) -> None:
        living = tree(self._root)
        memory = sum(_pss_mib(one.pid) for one in living)
        with self._lock:
            self._own.update({one.pid: one.own_seconds for one in living})
            self._reaped = max(self._reaped, sum(one.own_seconds + one.reaped_seconds for one in living))
            self._peak_mib = max(self._peak_mib, memory)


def _pss_mib(pid: int) -> float:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in text.splitlines() if line.startswith("Pss:")), 0.0)
