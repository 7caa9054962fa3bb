"""Read pictures from local and mounted folders.

The file is opened first and judged afterwards: `/proc/self/fd` tells where the opened file really lies, so a symbolic
link cannot lead out of the allowed roots, not even one that is swapped between a check and the opening.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from schemas.reasons import ImageError, Reason
from schemas.uri import check_allowed, local_path_text, outside_roots, path_is_allowed

# A FIFO must not block the worker until somebody writes; absent on systems without it.
_READ_FLAGS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
# O_PATH needs no read permission and touches no device; elsewhere a read-only descriptor does.
_STAT_FLAGS = getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_CLOEXEC", 0)
_HAS_PROC = Path("/proc/self/fd").is_dir()

_REASON_OF_ERRNO = {
    errno.ENOENT: Reason.NOT_FOUND,
    errno.ENOTDIR: Reason.NOT_FOUND,
    errno.EACCES: Reason.ACCESS_DENIED,
    errno.EPERM: Reason.ACCESS_DENIED,
    errno.EISDIR: Reason.NOT_AN_IMAGE,
    errno.ENXIO: Reason.NOT_AN_IMAGE,
    errno.ENAMETOOLONG: Reason.BAD_URI,
    errno.ELOOP: Reason.BAD_URI,
    errno.ETIMEDOUT: Reason.TIMEOUT,
}


def read_file(uri: str, roots: Sequence[str], max_bytes: int, admit: Callable[[int], None] | None = None) -> bytes:
    """Read one local file.

    Args:
        uri: canonical `file:///` URI.
        roots: allowed roots; none means anywhere.
        max_bytes: larger files are refused before a byte is read.
        admit: called with the size in bytes before reading; may wait.

    Returns:
        The file's bytes, at least one.

    Raises:
        ImageError: NOT_FOUND, ACCESS_DENIED, NOT_AN_IMAGE (folder, pipe, device), EMPTY_FILE, TOO_LARGE,
            OUTSIDE_ALLOWED_ROOTS, BAD_URI (name too long, link loop), TIMEOUT or FETCH_FAILED.
    """
    with _opened(uri, roots, _READ_FLAGS) as descriptor:
        size = _regular(os.fstat(descriptor), uri).st_size
        if size > max_bytes:
            raise too_large(uri, size, max_bytes)
        if admit is not None:
            admit(size)
        data = _read_at_most(descriptor, size, max_bytes)
        if len(data) > max_bytes:
            raise too_large(uri, len(data), max_bytes)
    if not data:
        raise ImageError(Reason.EMPTY_FILE, f"{uri} has no bytes")
    return data


def stat_file(uri: str, roots: Sequence[str]) -> tuple[int, datetime]:
    """Return size in bytes and modification time (UTC) of one local file.

    Raises:
        ImageError: as `read_file`, except for what only the content tells.
    """
    with _opened(uri, roots, _STAT_FLAGS) as descriptor:
        status = _regular(os.fstat(descriptor), uri)
    seconds, nanoseconds = divmod(status.st_mtime_ns, 1_000_000_000)
    return status.st_size, datetime.fromtimestamp(seconds, UTC).replace(microsecond=nanoseconds // 1000)


def too_large(uri: str, size: int, max_bytes: int) -> ImageError:
    """Return the error for a file above the limit."""
    return ImageError(Reason.TOO_LARGE, f"{uri} has {size} bytes; at most {max_bytes} are allowed")


@contextmanager
def _opened(uri: str, roots: Sequence[str], flags: int) -> Iterator[int]:
    """Open the file, make sure that it lies in the roots, and turn every OSError into a typed one."""
    path = local_path_text(uri)
    # The spelling is judged first, so that nothing at all is opened outside.
    check_allowed(uri, roots, follow_links=False)
    try:
        descriptor = os.open(path, flags)
        try:
            if roots and not path_is_allowed(_true_path(descriptor, path), roots):
                raise outside_roots(uri, roots)
            yield descriptor
        finally:
            os.close(descriptor)
    except OSError as error:
        reason = _REASON_OF_ERRNO.get(error.errno or 0, Reason.FETCH_FAILED)
        raise ImageError(reason, f"{path}: {error.strerror or error}") from error


def _true_path(descriptor: int, path: str) -> str:
    return str(Path(f"/proc/self/fd/{descriptor}").readlink()) if _HAS_PROC else os.path.realpath(path)


def _regular(status: os.stat_result, uri: str) -> os.stat_result:
    if stat.S_ISDIR(status.st_mode):
        raise ImageError(Reason.NOT_AN_IMAGE, f"{uri} is a folder")
    if not stat.S_ISREG(status.st_mode):
        raise ImageError(Reason.NOT_AN_IMAGE, f"{uri} is a pipe or device, not a file")
    return status


def _read_at_most(descriptor: int, size: int, max_bytes: int) -> bytes:
    """Read to the end of the file; the usual file needs two reads and no copy."""
    first = os.read(descriptor, size + 1)
    if len(first) == size:
        return first
    # The file grew or shrank since it was looked at, or the mount returns short reads.
    parts = [first]
    total = len(first)
    while total <= max_bytes and (part := os.read(descriptor, 1 << 20)):
        parts.append(part)
        total += len(part)
    return b"".join(parts)
