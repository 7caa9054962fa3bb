"""Looks at what lies at a location, local or S3, without Spark: a few names are enough to tell a feed's form."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from schemas.settings import FetchSettings, S3Settings
from schemas.uri import local_path, s3_location, scheme_of

NAMES_LOOKED_AT = 1000
# Larger locations have no fingerprint: listing them would cost more than it saves.
FILES_FINGERPRINTED = 20_000
BYTES_HASHED = 64 * 1024 * 1024


@dataclass(frozen=True)
class Listing:
    """Files at a location.

    Args:
        names: names relative to the location; the single name "" when the location is itself a file.
        newest: latest modification among them, ISO 8601, UTC.
    """

    names: tuple[str, ...]
    newest: str

    @property
    def is_file(self) -> bool:
        """Whether the location is a file and no folder."""
        return self.names == ("",)


@dataclass(frozen=True)
class _Entry:
    """A file: its name relative to the location, modification time, and what changes when its content does."""

    name: str
    modified: datetime
    tag: str


def list_location(uri: str, s3: S3Settings) -> Listing:
    """List up to `NAMES_LOOKED_AT` files at a normalised URI.

    Raises:
        FileNotFoundError: nothing is there.
        PermissionError: it may not be read.
    """
    entries = list(islice(_entries(uri, s3), NAMES_LOOKED_AT))
    if not entries:
        raise FileNotFoundError(f"{uri} does not exist or is empty")
    newest = max(entry.modified for entry in entries)
    return Listing(tuple(sorted(entry.name for entry in entries)), newest.isoformat())


def location_fingerprint(uri: str, s3: S3Settings) -> str | None:
    """A hash that differs when any file at a normalised URI differs: by content for one small local file, else by
    names with etags, or with sizes and times.

    Returns:
        The hash; None when that cannot be told cheaply: too many files, or links to folders, which are not followed.

    Raises:
        OSError: as `list_location`.
    """
    if scheme_of(uri) == "file":
        path = local_path(uri)
        if path.is_file() and path.stat().st_size <= BYTES_HASHED:
            return hashlib.sha256(path.read_bytes()).hexdigest()
        if any(os.path.islink(os.path.join(at, name)) for at, names, _ in os.walk(path) for name in names):  # noqa: PTH114, PTH118
            return None
    entries = list(islice(_entries(uri, s3), FILES_FINGERPRINTED + 1))
    if len(entries) > FILES_FINGERPRINTED:
        return None
    lines = sorted(f"{entry.name}\0{entry.tag}" for entry in entries)
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def _entries(uri: str, s3: S3Settings) -> Iterator[_Entry]:
    return _s3_entries(uri, s3) if scheme_of(uri) == "s3" else _local_entries(uri)


def _local_entries(uri: str) -> Iterator[_Entry]:
    root = local_path(uri)
    if not root.exists():
        return
    if root.is_file():
        yield _local_entry("", root.stat())
        return
    for folder, _, names in os.walk(root, onerror=_raise):
        for name in names:
            path = os.path.join(folder, name)  # noqa: PTH118 - os.walk's own strings, in a hot loop
            try:
                facts = os.stat(path)  # noqa: PTH116
            except FileNotFoundError:
                # A link that leads nowhere is an entry all the same.
                facts = os.lstat(path)
            yield _local_entry(os.path.relpath(path, root), facts)


def _local_entry(name: str, facts: os.stat_result) -> _Entry:
    # The change time moves also when a copying tool sets the modification time back.
    tag = f"{facts.st_size} {facts.st_mtime_ns} {facts.st_ctime_ns}"
    return _Entry(name, datetime.fromtimestamp(facts.st_mtime, UTC), tag)


def _raise(error: OSError) -> None:
    raise error


def _s3_entries(uri: str, s3: S3Settings) -> Iterator[_Entry]:
    from botocore.exceptions import BotoCoreError, ClientError

    from udfs.fetch_s3 import make_s3_client

    bucket, key = s3_location(uri if uri.count("/") > 2 else uri + "/")
    prefix = key.rstrip("/")
    try:
        pages = (
            make_s3_client(s3, FetchSettings()).get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        )
        for page in pages:
            for entry in page.get("Contents", ()):
                name = entry["Key"]
                tag = f"{entry['ETag']} {entry['Size']}"
                if name == prefix:
                    yield _Entry("", entry["LastModified"], tag)
                elif not prefix or name.startswith(prefix + "/"):
                    relative = name[len(prefix) :].lstrip("/")
                    if relative and not relative.endswith("/"):
                        yield _Entry(relative, entry["LastModified"], tag)
    except ClientError as error:
        code = error.response["Error"].get("Code", "")
        if code in ("NoSuchBucket", "NoSuchKey", "404"):
            raise FileNotFoundError(f"bucket {bucket} does not exist") from error
        raise PermissionError(f"bucket {bucket}: {code or error}") from error
    except BotoCoreError as error:
        raise PermissionError(f"bucket {bucket}: {error}") from error
