"""Read objects from S3 and stores that speak its protocol, with typed errors and polite retries.

Retries are done here and not by botocore, so that attempts can be counted, waits can be interrupted, and a body that
ends early is retried too. The wait is exponential backoff with full jitter (AWS Architecture Blog, "Exponential
Backoff And Jitter", 2015).
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from schemas.reasons import ImageError, Reason
from schemas.settings import FetchSettings, S3Settings
from schemas.uri import s3_location
from udfs.fetch_local import too_large
from udfs.s3_failures import Failure, failure_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LONGEST_BACKOFF_S = 20.0
"""No wait between two tries is longer (the cap of AWS SDKs' standard retry mode)."""

BODY_TIMEOUT_FACTOR = 10
"""A body may take this many read timeouts in all; ends downloads that drip for ever below the read timeout."""

DEFAULT_REGION = "us-east-1"
_CHUNK_BYTES = 1 << 18

Value = TypeVar("Value")


@dataclass(frozen=True)
class Outcome(Generic[Value]):
    """What became of a request after all tries: a value or an error."""

    value: Value | None
    error: ImageError | None
    attempts: int


@dataclass(frozen=True)
class S3Object:
    """One object's bytes and entity tag (without quotes)."""

    data: bytes
    etag: str | None


@dataclass(frozen=True)
class S3Head:
    """One object's metadata: entity tag (without quotes), size in bytes, modification time (UTC)."""

    etag: str | None
    size_bytes: int
    modified_at: datetime


class S3Reader:
    """Reads objects; one per process, shared by its threads.

    Args:
        fetch: timeouts, tries and limits.
        s3: endpoint, region and addressing. Credentials come from the usual AWS chain.
    """

    def __init__(self, fetch: FetchSettings, s3: S3Settings) -> None:
        self._fetch = fetch
        self._s3 = s3
        self._lock = threading.Lock()
        self._client: S3Client | None = None
        self._client_pid = 0

    def get(
        self,
        uri: str,
        admit: Callable[[int], None] | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> Outcome[S3Object]:
        """Read one object.

        Args:
            uri: canonical `s3://` URI.
            admit: called with the size in bytes once the headers are there, before the body is read; may wait.
            pause: waits the given seconds between tries; may raise to abandon the read, also while it goes on.

        Returns:
            The object, or why not: NOT_FOUND, ACCESS_DENIED, EMPTY_FILE, TOO_LARGE, THROTTLED, TIMEOUT, BAD_URI or
            FETCH_FAILED.
        """
        return self._try(uri, lambda: self._get_once(uri, admit, pause), pause)

    def head(self, uri: str, pause: Callable[[float], None] = time.sleep) -> Outcome[S3Head]:
        """Look at one object without reading it; errors as `get`."""
        return self._try(uri, lambda: self._head_once(uri), pause)

    def close(self) -> None:
        """Close the connections; the reader may be used again."""
        with self._lock:
            if self._client is not None and self._client_pid == os.getpid():
                self._client.close()
            self._client = None

    def _get_once(self, uri: str, admit: Callable[[int], None] | None, pause: Callable[[float], None]) -> S3Object:
        bucket, key = s3_location(uri)
        response = self._connected().get_object(Bucket=bucket, Key=key)
        body = response["Body"]
        try:
            size = response["ContentLength"]
            if size > self._fetch.max_image_bytes:
                raise too_large(uri, size, self._fetch.max_image_bytes)
            if size == 0:
                raise ImageError(Reason.EMPTY_FILE, f"{uri} has no bytes")
            if admit is not None:
                admit(size)
            data = self._read_body(body, size, pause)
        except BaseException:
            # An unread rest would be taken for the next answer on this connection.
            body.close()
            raise
        return S3Object(data, _unquoted(response.get("ETag")))

    def _read_body(self, body: Any, size: int, pause: Callable[[float], None]) -> bytes:
        # The raw stream's read1 returns what has arrived; StreamingBody.read would sit through a drip without end.
        stream = body._raw_stream
        deadline = time.monotonic() + BODY_TIMEOUT_FACTOR * self._fetch.read_timeout_s
        parts: list[bytes] = []
        total = 0
        while total < size:
            part = stream.read1(min(_CHUNK_BYTES, size - total))
            if not part:
                raise ShortBodyError(f"the body ended after {total} of {size} bytes")
            parts.append(part)
            total += len(part)
            pause(0)
            if total < size and time.monotonic() > deadline:
                raise TimeoutError(f"only {total} of {size} bytes came in time")
        # Reading the end of the answer hands the connection back to the pool.
        stream.read1(1)
        stream.release_conn()
        return b"".join(parts)

    def _head_once(self, uri: str) -> S3Head:
        bucket, key = s3_location(uri)
        response = self._connected().head_object(Bucket=bucket, Key=key)
        return S3Head(
            _unquoted(response.get("ETag")), response["ContentLength"], response["LastModified"].astimezone(UTC)
        )

    def _try(self, uri: str, request: Callable[[], Value], pause: Callable[[float], None]) -> Outcome[Value]:
        attempt = 1
        while True:
            try:
                return Outcome(request(), None, attempt)
            except ImageError as error:
                return Outcome(None, error, attempt)
            except (ClientError, BotoCoreError, HTTPError, OSError) as error:
                failure = self._failure(error, uri)
            if not failure.transient or attempt >= self._fetch.attempts:
                return Outcome(None, ImageError(failure.reason, failure.detail), attempt)
            pause(random.uniform(0, min(self._fetch.backoff_s * 2 ** (attempt - 1), LONGEST_BACKOFF_S)))
            attempt += 1

    def _failure(self, error: Exception, uri: str) -> Failure:
        return failure_of(error, uri, self._s3.endpoint_url)

    def _connected(self) -> S3Client:
        """Return this process's client: clients are not made for forks, and take some 100 ms to build."""
        if self._client is None or self._client_pid != os.getpid():
            with self._lock:
                if self._client is None or self._client_pid != os.getpid():
                    self._client = make_s3_client(self._s3, self._fetch)
                    self._client_pid = os.getpid()
        return self._client


class ShortBodyError(OSError):
    """The connection ended before the body did."""


def make_s3_client(s3: S3Settings, fetch: FetchSettings) -> S3Client:
    """Build a client without botocore's own retries, with one connection per thread.

    Raises:
        botocore.exceptions.BotoCoreError: the AWS configuration or endpoint is not usable.
    """
    session = boto3.session.Session()
    path_style = s3.path_style or s3.endpoint_url is not None
    return session.client(
        "s3",
        endpoint_url=s3.endpoint_url,
        region_name=s3.region or session.region_name or os.environ.get("AWS_REGION") or DEFAULT_REGION,
        config=Config(
            connect_timeout=fetch.connect_timeout_s,
            read_timeout=fetch.read_timeout_s,
            max_pool_connections=fetch.concurrency,
            retries={"total_max_attempts": 1, "mode": "standard"},
            s3={"addressing_style": "path"} if path_style else None,
            # Checksums newer than Content-MD5 break with many stores; TLS and the length check guard the body.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            tcp_keepalive=True,
        ),
    )


def _unquoted(etag: str | None) -> str | None:
    return etag.strip('"') if etag else None
