"""CPU time and memory of a process and all its descendants, read from /proc (Linux)."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from jobs import python_daemon

_TICKS = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


@dataclass(frozen=True)
class ProcessTimes:
    """One process.

    Args:
        pid: its id.
        parent: its parent's id.
        own_seconds: CPU time of its own, user and system.
        reaped_seconds: CPU time of its children that have ended and were waited for.
    """

    pid: int
    parent: int
    own_seconds: float
    reaped_seconds: float


def process_times(pid: int) -> ProcessTimes | None:
    """CPU times of a process; None when it is gone."""
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    # The name in parentheses may contain anything; fields after it are 3, 4, ... of proc(5).
    fields = text.rpartition(")")[2].split()
    own = (int(fields[11]) + int(fields[12])) / _TICKS
    reaped = (int(fields[13]) + int(fields[14])) / _TICKS
    return ProcessTimes(pid, int(fields[1]), own, reaped)


def tree(root: int | None = None) -> list[ProcessTimes]:
    """A process (default: this one) and its living descendants."""
    everyone = {times.pid: times for times in _everyone()}
    children: dict[int, list[int]] = {}
    for times in everyone.values():
        children.setdefault(times.parent, []).append(times.pid)
    found, todo = [], [root or os.getpid()]
    while todo:
        pid = todo.pop()
        if pid in everyone:
            found.append(everyone[pid])
            todo += children.get(pid, [])
    return found


def cpu_seconds(root: int | None = None) -> float:
    """CPU time spent so far by a process and all its descendants, those that have ended included."""
    return sum(times.own_seconds + times.reaped_seconds for times in tree(root))


def peak_rss_mib(pid: int | str = "self") -> float | None:
    """Most resident memory a process has had, MiB; None when it is gone."""
    try:
        status = (_PROC / str(pid) / "status").read_text()
    except OSError:
        return None
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return None


def command_line(pid: int) -> str:
    """A process's command line, empty when it is gone."""
    try:
        return (_PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


class TreeWatch:
    """Watches this process's tree while something runs in it. Use as a context manager.

    Attributes:
        cpu_seconds: CPU time of the whole tree, by kind (`driver`, `jvm`, `workers`), after the end.
        worker_peak_mib: peak memory of each Spark Python worker seen, by process id.
    """

    def __init__(self, interval_seconds: float = 0.5) -> None:
        self.cpu_seconds: dict[str, float] = {}
        self.worker_peak_mib: dict[int, float] = {}
        self._interval = interval_seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="tree-watch", daemon=True)
        self._before: dict[str, float] = {}

    def __enter__(self) -> Self:
        self._before = _cpu_by_kind()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._look()
        after = _cpu_by_kind()
        self.cpu_seconds = {name: after[name] - self._before.get(name, 0.0) for name in after}

    def _watch(self) -> None:
        while not self._stop.wait(self._interval):
            self._look()

    def _look(self) -> None:
        for times in tree():
            # The daemon forks workers under its own command line; only the daemon's children are workers.
            if _kind(times.pid) == "workers" and _kind(times.parent) == "workers":
                peak = peak_rss_mib(times.pid)
                if peak is not None:
                    self.worker_peak_mib[times.pid] = max(peak, self.worker_peak_mib.get(times.pid, 0.0))


def _cpu_by_kind() -> dict[str, float]:
    """CPU time so far; what the driver has reaped is counted to it."""
    totals = {"driver": 0.0, "jvm": 0.0, "workers": 0.0}
    for times in tree():
        totals[_kind(times.pid)] += times.own_seconds + times.reaped_seconds
    return totals


def _kind(pid: int) -> str:
    if pid == os.getpid():
        return "driver"
    command = command_line(pid)
    # First: the JVM's own command line names the daemon.
    if "java" in command:
        return "jvm"
    daemons = ("pyspark.daemon", "pyspark/daemon", python_daemon.MODULE)
    return "workers" if any(name in command for name in daemons) else "driver"


def _everyone() -> Iterator[ProcessTimes]:
    for entry in _PROC.iterdir():
        if entry.name.isdigit() and (times := process_times(int(entry.name))) is not None:
            yield times
