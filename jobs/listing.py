"""Looks at what lies at a location, local or S3, without Spark: a few names are enough to tell a feed's form."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from schemas.settings import FetchSettings, S3Settings
from schemas.uri import local_path, s3_location, scheme_of

NAMES_LOOKED_AT = 1000


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


def list_location(uri: str, s3: S3Settings) -> Listing:
    """List up to `NAMES_LOOKED_AT` files at a normalised URI.

    Raises:
        FileNotFoundError: nothing is there.
        PermissionError: it may not be read.
    """
    entries = list(islice(_s3_entries(uri, s3) if scheme_of(uri) == "s3" else _local_entries(uri), NAMES_LOOKED_AT))
    if not entries:
        raise FileNotFoundError(f"{uri} does not exist or is empty")
    newest = max(modified for _, modified in entries)
    return Listing(tuple(sorted(name for name, _ in entries)), newest.isoformat())


def _local_entries(uri: str) -> Iterator[tuple[str, datetime]]:
    root = local_path(uri)
    if not root.exists():
        return
    if root.is_file():
        yield "", _local_time(root.stat().st_mtime)
        return
    for folder, _, names in os.walk(root, onerror=_raise):
        for name in names:
            path = os.path.join(folder, name)  # noqa: PTH118 - os.walk's own strings, in a hot loop
            yield os.path.relpath(path, root), _local_time(os.lstat(path).st_mtime)


def _local_time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _raise(error: OSError) -> None:
    raise error


def _s3_entries(uri: str, s3: S3Settings) -> Iterator[tuple[str, datetime]]:
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
                if name == prefix:
                    yield "", entry["LastModified"]
                elif not prefix or name.startswith(prefix + "/"):
                    relative = name[len(prefix) :].lstrip("/")
                    if relative and not relative.endswith("/"):
                        yield relative, entry["LastModified"]
    except ClientError as error:
        code = error.response["Error"].get("Code", "")
        if code in ("NoSuchBucket", "NoSuchKey", "404"):
            raise FileNotFoundError(f"bucket {bucket} does not exist") from error
        raise PermissionError(f"bucket {bucket}: {code or error}") from error
    except BotoCoreError as error:
        raise PermissionError(f"bucket {bucket}: {error}") from error
