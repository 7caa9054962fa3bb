"""Spark's daemon for Python workers, without a quarter of a second of CPU that Spark's own adds to every task.

Before each task a worker forgets what it knows of folders and archives on the path, and after it collects garbage.
Spark puts its own `pyspark.zip` on the path, whose 1,300 entries Python before 3.13 then reads again (0.2 s,
https://github.com/python/cpython/issues/103200), and the garbage collector walks all of pandas, pyarrow and the models
(0.06 s and more). Here an archive is read again only when it has changed, what outlives a task is not looked at again,
and workers are forked from a process that has imported pandas and pyarrow, which each would spend 1.3 s on.

`jobs.spark_session` names this module as `spark.python.daemon.module`; the interpreter of the executors must have it.
"""

from __future__ import annotations

import gc
import zipimport
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Callable

MODULE = "jobs.python_daemon"
"""This module's name, also where it runs as `__main__`."""


def spare_unchanged_archives() -> None:
    """Let archives on the path be read again only when their file has changed."""
    read_again: Callable[[Any], None] = zipimport.zipimporter.invalidate_caches
    seen: WeakKeyDictionary[Any, tuple[int, int] | None] = WeakKeyDictionary()

    @wraps(read_again)
    def invalidate_caches(importer: Any) -> None:
        stamp = _stamp(importer.archive)
        if stamp is None or seen.get(importer) != stamp:
            read_again(importer)
            seen[importer] = stamp

    zipimport.zipimporter.invalidate_caches = invalidate_caches  # type: ignore[method-assign, assignment]


def _stamp(archive: str) -> tuple[int, int] | None:
    try:
        status = Path(archive).stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def keep_what_stays(task: Callable[..., None]) -> Callable[..., None]:
    """A task after which garbage is collected and the rest, modules and models, left out of later collections."""

    @wraps(task)
    def run(*arguments: Any) -> None:
        task(*arguments)
        gc.collect()
        gc.freeze()

    return run


def main() -> None:
    """Run Spark's daemon; its first argument names the module of workers."""
    import pandas  # noqa: F401 - for the workers that are forked
    import pyarrow  # noqa: F401
    from pyspark import daemon

    spare_unchanged_archives()
    daemon.worker_main = keep_what_stays(daemon.worker_main)
    daemon.manager()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
