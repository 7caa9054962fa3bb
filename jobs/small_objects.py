"""Small files beside the tables (lease, publication pointer), local or on S3, with conditional writes.

S3 does conditional writes by `If-None-Match: *` and `If-Match: <etag>` (AWS since 2024, MinIO, versitygw, moto).
Local folders get the same by exclusive creation and a lock file around compare-and-replace.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from schemas.settings import FetchSettings, S3Settings
from schemas.uri import local_path, s3_location, scheme_of

POINTER = "published.json"
"""What readers should read."""

GATE_NOTE = "_gate.json"
"""What the quality gate saw of which versions, when it ran as a step of its own."""

READY_NOTE = "_staging/extract/ready.json"
"""Names the one wave that is computed but not committed, so that the next run can commit it."""

ROOTS_NOTE = "_allowed_roots.json"
"""Roots that the last ingest let pictures in from; an extract that sees no feed reads from nowhere else."""


class StoreError(RuntimeError):
    """The store of the tables root cannot be used: no such bucket, no access, no answer. Names bucket and cause."""


class ConflictError(Exception):
    """Somebody else created or changed the object first."""


@dataclass(frozen=True)
class StoredObject:
    """Content of a small object and the tag that identifies this very content."""

    data: bytes
    tag: str


class SmallObjects(Protocol):
    """Read, create, replace and delete small named objects under one root."""

    def read(self, name: str) -> StoredObject | None:
        """The object, or None when there is none."""

    def create(self, name: str, data: bytes) -> str:
        """Write a new object and return its tag; ConflictError when it exists."""

    def replace(self, name: str, data: bytes, tag: str) -> str:
        """Overwrite the object if it still has the tag; ConflictError when not."""

    def put(self, name: str, data: bytes) -> None:
        """Write the object whatever was there; readers see the old or the new one, never half of it."""

    def delete(self, name: str) -> None:
        """Delete the object if it is there."""

    def delete_folder(self, name: str) -> None:
        """Delete everything below a folder."""

    def names(self) -> list[str]:
        """Names of all objects, sorted; for roots that hold few."""


def small_objects(root: str, s3: S3Settings) -> SmallObjects:
    """Access to small objects under a normalised `file://` or `s3://` root."""
    if scheme_of(root) == "s3":
        return _S3Objects(root, s3)
    return _LocalObjects(local_path(root))


def read_pointer(objects: SmallObjects) -> dict[str, Any] | None:
    """What `jobs.publish` wrote last: publication_id, run_id, bundle_version, versions by table, gate; None before."""
    stored = objects.read(POINTER)
    return None if stored is None else dict(json.loads(stored.data))


class _LocalObjects:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, name: str) -> StoredObject | None:
        try:
            data = (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None
        return StoredObject(data, hashlib.sha256(data).hexdigest())

    def create(self, name: str, data: bytes) -> str:
        with self._locked(name):
            if self.read(name) is not None:
                raise ConflictError(f"{self._folder / name} exists")
            self.put(name, data)
        return hashlib.sha256(data).hexdigest()

    def replace(self, name: str, data: bytes, tag: str) -> str:
        with self._locked(name):
            present = self.read(name)
            if present is None or present.tag != tag:
                raise ConflictError(f"{self._folder / name} was changed by somebody else")
            self.put(name, data)
        return hashlib.sha256(data).hexdigest()

    def put(self, name: str, data: bytes) -> None:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        temporary.write_bytes(data)
        temporary.replace(path)

    def delete(self, name: str) -> None:
        (self._folder / name).unlink(missing_ok=True)

    def delete_folder(self, name: str) -> None:
        shutil.rmtree(self._folder / name, ignore_errors=True)

    def names(self) -> list[str]:
        files = (path.relative_to(self._folder) for path in self._folder.rglob("*") if path.is_file())
        # Hidden files are locks and half-written objects.
        return sorted(path.as_posix() for path in files if not path.name.startswith("."))

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        path = self._folder / name
        lock = path.with_name(f".{path.name}.lock")
        lock.parent.mkdir(parents=True, exist_ok=True)
        with lock.open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield


class _S3Objects:
    def __init__(self, root: str, s3: S3Settings) -> None:
        from udfs.fetch_s3 import make_s3_client

        self._client: Any = make_s3_client(s3, FetchSettings())
        self._bucket, self._prefix = s3_location(root.rstrip("/") + "/.")
        self._prefix = self._prefix.removesuffix(".")

    def read(self, name: str) -> StoredObject | None:
        with self._typed_errors():
            return self._read(name)

    def _read(self, name: str) -> StoredObject | None:
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=self._prefix + name)
        except self._client.exceptions.NoSuchKey:
            return None
        return StoredObject(answer["Body"].read(), answer["ETag"])

    def create(self, name: str, data: bytes) -> str:
        return self._conditional_put(name, data, IfNoneMatch="*")

    def replace(self, name: str, data: bytes, tag: str) -> str:
        return self._conditional_put(name, data, IfMatch=tag)

    def put(self, name: str, data: bytes) -> None:
        with self._typed_errors():
            self._client.put_object(Bucket=self._bucket, Key=self._prefix + name, Body=data)

    def delete(self, name: str) -> None:
        with self._typed_errors():
            self._client.delete_object(Bucket=self._bucket, Key=self._prefix + name)

    def delete_folder(self, name: str) -> None:
        prefix = f"{self._prefix}{name.rstrip('/')}/"
        with self._typed_errors():
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
                keys = [{"Key": entry["Key"]} for entry in page.get("Contents", ())]
                if keys:
                    self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": keys, "Quiet": True})

    def names(self) -> list[str]:
        with self._typed_errors():
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix)
            keys = [entry["Key"] for page in pages for entry in page.get("Contents", ())]
        return sorted(key.removeprefix(self._prefix) for key in keys if not key.endswith("/"))

    def _conditional_put(self, name: str, data: bytes, **condition: str) -> str:
        from botocore.exceptions import ClientError

        with self._typed_errors():
            try:
                key = self._prefix + name
                answer = self._client.put_object(Bucket=self._bucket, Key=key, Body=data, **condition)
            except ClientError as error:
                # 412: the condition failed; 409: a concurrent conditional write; 404: replaced object is gone.
                missing_bucket = error.response["Error"].get("Code") == "NoSuchBucket"
                if missing_bucket or error.response["ResponseMetadata"]["HTTPStatusCode"] not in (404, 409, 412):
                    raise
                raise ConflictError(f"s3://{self._bucket}/{key} was changed by somebody else") from error
        return str(answer["ETag"])

    @contextmanager
    def _typed_errors(self) -> Iterator[None]:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except (BotoCoreError, ClientError) as error:
            raise StoreError(f"tables root s3://{self._bucket}/{self._prefix}: {error}") from error
