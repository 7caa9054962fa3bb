"""The writer lease of a tables root: one driver writes at a time.

With S3's default log store two Spark drivers on one Delta table lose each other's commits without an error, so a
driver takes this lease before it writes, renews it while it works, and checks it before each commit.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import threading
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from jobs.small_objects import ConflictError, SmallObjects, StoredObject

logger = logging.getLogger(__name__)

LEASE_NAME = "_writer_lease.json"


class LeaseHeldError(RuntimeError):
    """Another driver holds the lease; the message says who and until when."""


class LeaseLostError(RuntimeError):
    """The lease could not be renewed in time or was taken over; nothing more may be committed."""


@dataclass(frozen=True)
class _Holder:
    run_id: str
    host: str
    process_space: str
    process: int
    expires_at: float

    def encode(self) -> bytes:
        return json.dumps(self.__dict__).encode()

    @classmethod
    def decode(cls, stored: StoredObject) -> _Holder:
        return cls(**json.loads(stored.data))


class WriterLease:
    """Context manager that holds the lease and renews it in the background.

    Args:
        objects: where the lease lies.
        run_id: named in the lease, so that others can say who holds it.
        seconds: how long the lease lives without renewal; another driver may then take over.

    Raises:
        LeaseHeldError: on entry, when another driver holds an unexpired lease.
    """

    def __init__(self, objects: SmallObjects, run_id: str, seconds: float) -> None:
        self._objects = objects
        self._run_id = run_id
        self._seconds = seconds
        self._tag = ""
        self._valid_until = 0.0
        self._lost: str | None = None
        self._stop = threading.Event()
        self._renewer: threading.Thread | None = None

    def __enter__(self) -> WriterLease:
        started = time.monotonic()
        self._tag = self._acquire()
        self._valid_until = started + self._seconds
        self._renewer = threading.Thread(target=self._renew_until_stopped, name="writer-lease", daemon=True)
        self._renewer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._renewer is not None:
            self._renewer.join()
        stored = self._objects.read(LEASE_NAME)
        if stored is not None and stored.tag == self._tag:
            self._objects.delete(LEASE_NAME)

    def check(self) -> None:
        """Call before each commit.

        Raises:
            LeaseLostError: when another driver may be writing by now.
        """
        if self._lost is not None:
            raise LeaseLostError(self._lost)
        if time.monotonic() >= self._valid_until:
            raise LeaseLostError(f"run {self._run_id}: the writer lease ran out before it could be renewed")

    def _acquire(self) -> str:
        stored = self._objects.read(LEASE_NAME)
        try:
            if stored is None:
                return self._objects.create(LEASE_NAME, self._holder().encode())
            holder = _Holder.decode(stored)
            if not self._is_dead(holder):
                raise LeaseHeldError(_held_by(holder))
            return self._objects.replace(LEASE_NAME, self._holder().encode(), stored.tag)
        except ConflictError as error:
            raise LeaseHeldError("another driver took the writer lease at this moment; try again later") from error

    def _is_dead(self, holder: _Holder) -> bool:
        """Expired, or a process of this host that is gone: its lease need not run out first."""
        if holder.expires_at <= time.time():
            return True
        return holder.process_space == _process_space() and not _process_exists(holder.process)

    def _holder(self) -> _Holder:
        expires_at = time.time() + self._seconds
        return _Holder(self._run_id, socket.gethostname(), _process_space(), os.getpid(), expires_at)

    def _renew_until_stopped(self) -> None:
        while not self._stop.wait(self._seconds / 4):
            started = time.monotonic()
            try:
                self._tag = self._objects.replace(LEASE_NAME, self._holder().encode(), self._tag)
                self._valid_until = started + self._seconds
            except ConflictError:
                self._lost = f"run {self._run_id}: another driver took over the writer lease"
                return
            except Exception as error:  # noqa: BLE001 - any store failure: try again until the lease runs out
                logger.warning("run %s: could not renew the writer lease: %s", self._run_id, error)


def _process_space() -> str:
    """Identity of this boot and process namespace: only within it does a process number mean anything."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return f"{socket.gethostname()}/{uuid.getnode()}"


def _process_exists(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _held_by(holder: _Holder) -> str:
    left = max(0, round(holder.expires_at - time.time()))
    return (
        f"run {holder.run_id} on {holder.host} (process {holder.process}) is writing these tables; "
        f"wait until it ends, or {left} s until its lease runs out if it died"
    )
