"""Fetch pictures for a worker process: from S3 or local folders, one by one or ahead of their use, errors as data."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from schemas.reasons import ImageError
from schemas.settings import FetchSettings, S3Settings
from schemas.uri import S3_PREFIX, check_allowed, scheme_of
from udfs.fetch_local import read_file, stat_file
from udfs.fetch_s3 import S3Reader
from udfs.read_ahead import ByteWindow, read_ahead

SLOW_READ_MS = 2.0
"""Local reads slower than this on average come from a network mount or a cold disk, and are given to threads."""

_AHEAD_PER_THREAD = 8

Result = TypeVar("Result")


@dataclass(frozen=True)
class Fetched:
    """One picture's bytes, or why there are none.

    Args:
        uri: canonical URI asked for.
        data: the bytes; None on error.
        etag: entity tag without quotes; None for local files and on error.
        error: what was wrong; None on success.
        milliseconds: time spent reading, tries and waits between them included.
        attempts: tries made; 0 if the URI was refused without one.
    """

    uri: str
    data: bytes | None
    etag: str | None
    error: ImageError | None
    milliseconds: float
    attempts: int


@dataclass(frozen=True)
class ImageStat:
    """What is known of a picture without reading it.

    Args:
        uri: canonical URI asked for.
        etag: entity tag without quotes; None for local files and on error.
        size_bytes: size; None on error.
        modified_at: modification time, UTC; None on error.
        error: what was wrong; None on success.
    """

    uri: str
    etag: str | None
    size_bytes: int | None
    modified_at: datetime | None
    error: ImageError | None


class Fetcher:
    """Reads pictures; one per worker process.

    Pickling carries the settings only. S3 clients and threads are made on first use, and anew after a fork.

    Args:
        fetch: concurrency, window, limits, timeouts and tries.
        s3: how to reach S3.
        allowed_roots: folders and S3 prefixes that may be read; none means no restriction.
    """

    def __init__(self, fetch: FetchSettings, s3: S3Settings, allowed_roots: Sequence[str] = ()) -> None:
        self._fetch = fetch
        self._s3 = s3
        self._roots = tuple(allowed_roots)
        self._reader = S3Reader(fetch, s3)
        self._local_ms = 0.0

    def __reduce__(self) -> tuple[type[Fetcher], tuple[FetchSettings, S3Settings, tuple[str, ...]]]:
        return type(self), (self._fetch, self._s3, self._roots)

    def fetch(self, uri: str) -> Fetched:
        """Read one picture now, in the caller's thread.

        Args:
            uri: canonical URI (see `schemas.uri.normalize_uri`).

        Returns:
            Bytes or a typed error; nothing is raised for a picture that cannot be read.
        """
        return self._read(uri, _admit_at_once, time.sleep)

    def prefetch(self, uris: Iterable[str]) -> Iterator[Fetched]:
        """Read pictures ahead of their use, in the order given.

        S3 objects and files on slow mounts are read by at most `fetch.concurrency` threads; quick local files are read
        on delivery, because a thread costs more than it gains there. Bytes read but not yet delivered stay within
        `fetch.window_bytes`, except that the next picture due is always let in. Closing the iterator early ends the
        threads.

        Args:
            uris: canonical URIs; may be endless, is pulled lazily in the caller's thread.
        """
        window = ByteWindow(self._fetch.window_bytes)

        def work(uri: str, position: int) -> Fetched:
            window.wait_for_room(position)
            fetched = self._read(uri, lambda size: window.admit(position, size), window.pause)
            if fetched.data is None:
                window.release(position)
            return fetched

        return self._ahead(uris, work, window)

    def stat_many(self, uris: Iterable[str]) -> Iterator[ImageStat]:
        """Look at pictures without reading them, concurrently and in the order given.

        Args:
            uris: canonical URIs; may be endless, is pulled lazily in the caller's thread.
        """
        window = ByteWindow(self._fetch.window_bytes)
        return self._ahead(uris, lambda uri, _: self._stat(uri, window.pause), window)

    def close(self) -> None:
        """Close connections; the fetcher may be used again."""
        self._reader.close()

    def _ahead(self, uris: Iterable[str], work: Callable[[str, int], Result], window: ByteWindow) -> Iterator[Result]:
        threads = self._fetch.concurrency
        return read_ahead(
            uris, work, inline=self._is_quick, window=window, threads=threads, ahead=threads * _AHEAD_PER_THREAD
        )

    def _is_quick(self, uri: str) -> bool:
        return self._local_ms <= SLOW_READ_MS and not uri.startswith(S3_PREFIX)

    def _read(self, uri: str, admit: Callable[[int], None], pause: Callable[[float], None]) -> Fetched:
        started = time.perf_counter()
        waited = 0.0

        def timed_admit(size: int) -> None:
            nonlocal waited
            asked = time.perf_counter()
            admit(size)
            waited += time.perf_counter() - asked

        data, etag, error, attempts = None, None, None, 0
        try:
            if scheme_of(uri) == "s3":
                check_allowed(uri, self._roots)
                outcome = self._reader.get(uri, timed_admit, pause)
                error, attempts = outcome.error, outcome.attempts
                if outcome.value is not None:
                    data, etag = outcome.value.data, outcome.value.etag
            else:
                attempts = 1
                data = read_file(uri, self._roots, self._fetch.max_image_bytes, timed_admit)
        except ImageError as refused:
            error = refused
        milliseconds = (time.perf_counter() - started - waited) * 1000
        if etag is None and data is not None:
            self._note_local(milliseconds)
        return Fetched(uri, data, etag, error, milliseconds, attempts)

    def _stat(self, uri: str, pause: Callable[[float], None]) -> ImageStat:
        started = time.perf_counter()
        try:
            if scheme_of(uri) == "s3":
                check_allowed(uri, self._roots)
                outcome = self._reader.head(uri, pause)
                if outcome.value is None:
                    return ImageStat(uri, None, None, None, outcome.error)
                head = outcome.value
                return ImageStat(uri, head.etag, head.size_bytes, head.modified_at, None)
            size, modified_at = stat_file(uri, self._roots)
        except ImageError as error:
            return ImageStat(uri, None, None, None, error)
        self._note_local((time.perf_counter() - started) * 1000)
        return ImageStat(uri, None, size, modified_at, None)

    def _note_local(self, milliseconds: float) -> None:
        """Keep a running mean of local reads; races between threads cost one sample at most."""
        self._local_ms += (milliseconds - self._local_ms) / 8


def _admit_at_once(size: int) -> None:
    """Let one picture in; nothing is read ahead of it."""
