"""Shared parts of the tests: one Spark session, one S3 server, real pictures."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.settings import FetchSettings, S3Settings
from tests.pictures import SHARED_DATA

# The AWS chain of boto3 and of the JVM both read these; the server takes any.
os.environ.update(
    AWS_ACCESS_KEY_ID="testing", AWS_SECRET_ACCESS_KEY="testing", AWS_REGION="us-east-1", AWS_DEFAULT_REGION="us-east-1"
)
os.environ.pop("AWS_PROFILE", None)
# A handful of rows: compiling each query takes longer than running it.
os.environ["VITRINE_SPARK_CODEGEN"] = "false"
# The session's JVM lives for many nights: here the optimizing compiler pays, and so does room for what dies young.
# Processes that tests start live for one night and have the product's own options.
LONG_LIVED_JVM = {
    "VITRINE_JAVA_OPTIONS": "-XX:+UseSerialGC -Xms2g -Xmn1g -XX:MetaspaceSize=256m",
    "VITRINE_DRIVER_MEMORY": "3g",
}


@pytest.fixture(scope="session")
def s3_settings() -> Iterator[S3Settings]:
    """A real S3 server on this machine."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield S3Settings(endpoint_url=f"http://{host}:{port}")
    server.stop()


@pytest.fixture(scope="session")
def s3_client(s3_settings: S3Settings) -> Any:
    from udfs.fetch_s3 import make_s3_client

    return make_s3_client(s3_settings, FetchSettings())


@pytest.fixture
def bucket(s3_client: Any, request: pytest.FixtureRequest) -> str:
    """A bucket of this test's own."""
    name = "b-" + "".join(c if c.isalnum() else "-" for c in request.node.name.lower())[:50].strip("-")
    s3_client.create_bucket(Bucket=name)
    return name


@pytest.fixture(scope="session")
def spark(s3_settings: S3Settings) -> Iterator[Any]:
    """The one local Spark session, with Delta and S3A."""
    from jobs.spark_session import spark_session

    with pytest.MonkeyPatch.context() as patch:
        for name, value in LONG_LIVED_JVM.items():
            patch.setenv(name, value)
        session = spark_session("vitrine tests", s3_settings, master="local[2]")
    yield session
    session.stop()


@pytest.fixture(scope="session")
def empty_tables(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All tables without rows, to be copied: making them takes Spark seconds, for each test."""
    from jobs.store import TableStore

    folder = tmp_path_factory.mktemp("empty") / "tables"
    TableStore(spark, f"file://{folder}").ensure()
    return folder


@pytest.fixture(scope="session")
def lakehouse(spark: Any, empty_tables: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Tables of two nights, to be read and not written."""
    from tests.lakehouse import make_lakehouse

    folder = tmp_path_factory.mktemp("lakehouse")
    shutil.copytree(empty_tables, folder / "tables")
    return make_lakehouse(folder)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real labelled photos; only where development happens."""
    if SHARED_DATA is None:
        pytest.skip("no shared photos beside this checkout (set VITRINE_SHARED_DATA)")
    return SHARED_DATA
