"""Run work ahead of its consumer: in order, on a few threads, within a window of bytes."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from functools import partial
from typing import TypeVar

from udfs.daemon_pool import DaemonPool

Item = TypeVar("Item")
Result = TypeVar("Result")


class Abandoned(Exception):  # noqa: N818 - a signal between threads, not an error
    """The consumer has gone; the work's result is not wanted any more."""


class ByteWindow:
    """Limits the bytes that are read but not yet delivered.

    Results are delivered in order, so the oldest one must never wait for younger ones: it is always admitted, even
    above the limit. The bytes held are thus at most the limit plus one result.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._changed = threading.Condition()
        self._held: dict[int, int] = {}
        self._used = 0
        self._peak = 0
        self._oldest = 0
        self._closed = False
        self._mean_size = 0.0

    @property
    def peak_bytes(self) -> int:
        """Most bytes held at once so far."""
        return self._peak

    def wait_for_room(self, position: int) -> None:
        """Wait until a result of average size would fit, so that no connection is opened only to stand idle.

        Raises:
            Abandoned: the consumer has gone.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._fits(position, int(self._mean_size)))
            self._raise_if_closed()

    def admit(self, position: int, size_bytes: int) -> None:
        """Wait until `size_bytes` fit, then hold them for the result at `position`; a second call replaces the first.

        Raises:
            Abandoned: the consumer has gone.
        """
        with self._changed:
            self._release(position)
            self._changed.wait_for(lambda: self._fits(position, size_bytes))
            self._raise_if_closed()
            self._held[position] = size_bytes
            self._used += size_bytes
            self._peak = max(self._peak, self._used)
            self._mean_size += (size_bytes - self._mean_size) / 16

    def release(self, position: int) -> None:
        """Give back what the result at `position` holds, for instance because reading it failed."""
        with self._changed:
            self._release(position)

    def delivered(self, position: int) -> None:
        """Note that the consumer took the result at `position`; the next one is the oldest now."""
        with self._changed:
            self._oldest = position + 1
            self._release(position)
            self._changed.notify_all()

    def pause(self, seconds: float) -> None:
        """Sleep, but not beyond the consumer's going.

        Raises:
            Abandoned: the consumer has gone.
        """
        with self._changed:
            if seconds > 0:
                self._changed.wait_for(lambda: self._closed, timeout=seconds)
            self._raise_if_closed()

    def close(self) -> None:
        """Wake up and abandon whoever waits."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _fits(self, position: int, size_bytes: int) -> bool:
        return self._closed or position == self._oldest or self._used + size_bytes <= self._limit

    def _raise_if_closed(self) -> None:
        if self._closed:
            raise Abandoned

    def _release(self, position: int) -> None:
        size = self._held.pop(position, 0)
        if size:
            self._used -= size
            self._changed.notify_all()


def read_ahead(
    items: Iterable[Item],
    work: Callable[[Item, int], Result],
    *,
    inline: Callable[[Item], bool],
    window: ByteWindow,
    threads: int,
    ahead: int,
) -> Iterator[Result]:
    """Yield `work(item, position)` for each item, in order, while later ones are worked on in threads.

    Items are pulled in the consumer's thread only, at most `ahead` of them before their turn, so an endless iterable
    or one that is bound to a thread will do. Closing the generator abandons waiting work and ends the threads.

    Args:
        items: the inputs.
        work: called in a thread, or in the consumer's own for inline items.
        inline: whether an item's work is so quick that it is done on delivery, without a thread.
        window: what `work` admits its bytes to.
        threads: most threads.
        ahead: most items pulled before their turn.
    """
    pending: deque[Future[Result] | tuple[Item]] = deque()
    source = iter(items)
    pool: DaemonPool | None = None
    pulled = position = 0
    try:
        while True:
            while len(pending) < ahead:
                try:
                    item = next(source)
                except StopIteration:
                    ahead = 0
                    break
                if inline(item):
                    pending.append((item,))
                else:
                    # Created here and not earlier: threads do not survive the fork of Spark's worker daemon.
                    pool = pool or DaemonPool(threads, "vitrine-read")
                    pending.append(pool.submit(partial(work, item, pulled)))
                pulled += 1
            if not pending:
                return
            oldest = pending.popleft()
            result = oldest.result() if isinstance(oldest, Future) else work(oldest[0], position)
            window.delivered(position)
            position += 1
            yield result
            del result, oldest
    finally:
        window.close()
        if pool is not None:
            pool.close()
