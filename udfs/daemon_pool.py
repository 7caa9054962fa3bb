"""A pool of a few daemon threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

Result = TypeVar("Result")


class DaemonPool:
    """Runs calls in threads that never hold up the interpreter's exit.

    `ThreadPoolExecutor` joins its threads at exit, before forgotten generators are closed: a worker that waits for a
    consumer which has gone would hang the process.

    Args:
        size: most threads; they are started as work comes.
        name: prefix of the threads' names.
    """

    def __init__(self, size: int, name: str) -> None:
        self._size = size
        self._name = name
        self._calls: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    def submit(self, call: Callable[[], Result]) -> Future[Result]:
        """Run `call` in one of the threads; in the order submitted."""
        future: Future[Result] = Future()
        self._calls.put((future, call))
        if len(self._threads) < self._size:
            thread = threading.Thread(target=self._run, name=f"{self._name}-{len(self._threads)}", daemon=True)
            thread.start()
            self._threads.append(thread)
        return future

    def close(self) -> None:
        """Cancel what has not begun, wait for what has, and end the threads."""
        while True:
            try:
                waiting = self._calls.get_nowait()
            except Empty:
                break
            if waiting is not None:
                waiting[0].cancel()
        for _ in self._threads:
            self._calls.put(None)
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while (task := self._calls.get()) is not None:
            future, call = task
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(call())
                except BaseException as error:  # noqa: BLE001 - handed to whoever asks for the result
                    future.set_exception(error)
            # Results are large: keep none alive while waiting for the next call.
            del task, future, call
