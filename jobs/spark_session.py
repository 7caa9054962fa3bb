"""The Spark session: made with the right jars and settings locally, taken as it is on a cluster."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from jobs import python_daemon
from jobs.code_generation import INTERPRETED
from jobs.jars import fetch_jars
from jobs.java_runtime import ensure_java
from schemas.settings import S3Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

DELTA_EXTENSION = "io.delta.sql.DeltaSparkSessionExtension"
DELTA_CATALOG = "org.apache.spark.sql.delta.catalog.DeltaCatalog"
EMBEDDING_COLUMNS = ("embedding", "attributes.embedding")
"""As tables and staged results name them."""

DEFAULT_REGION = "us-east-1"
# A local JVM lives for one night, too short for the optimizing compiler to earn what it costs (a cold night of 64
# pictures: 22 s of CPU with it, 12 s without), and two cores gain nothing from collecting garbage in parallel. Without
# room for Spark's classes from the start the whole heap is collected each time that they outgrow it.
SHORT_LIVED_JVM = "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m -XX:+UseSerialGC -XX:MetaspaceSize=256m"
LOG_SETTINGS = Path(__file__).with_name("log4j2.properties")


class SparkUnavailableError(RuntimeError):
    """No Spark with Delta could be started or found; the message says what to do."""


def spark_session(app_name: str, s3: S3Settings | None = None, master: str | None = None) -> SparkSession:
    """The session to work in.

    An active session is used as it is (a notebook, Databricks). Otherwise one is built: under `spark-submit` with
    the master and jars given there, else locally on all cores with the jars from `jobs.jars`.

    Args:
        app_name: shown in Spark's UI.
        s3: how S3A reaches S3.
        master: Spark master; default `$VITRINE_SPARK_MASTER`, else `local[*]`.

    Raises:
        SparkUnavailableError: pyspark or Delta is missing.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise SparkUnavailableError(
            "pyspark is not installed; run `make setup` or `pip install 'vitrine[spark]'`"
        ) from error
    if (active := SparkSession.getActiveSession()) is not None:
        return active
    if "DATABRICKS_RUNTIME_VERSION" in os.environ:
        return SparkSession.builder.appName(app_name).getOrCreate()
    submitted = "PYSPARK_GATEWAY_PORT" in os.environ
    settings = {**_common_settings(), **s3a_settings(s3 or S3Settings())}
    if submitted:
        settings |= _for_local_submit()
    else:
        ensure_java()
        settings |= _local_settings(master or os.environ.get("VITRINE_SPARK_MASTER", "local[*]"))
    builder = SparkSession.builder.appName(app_name)
    for key, value in settings.items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    _require_delta(spark)
    return spark


def cores(spark: SparkSession) -> int:
    """How many tasks run at once, as far as Spark tells; 8 over Spark Connect, which does not tell."""
    try:
        return max(1, spark.sparkContext.defaultParallelism)
    except Exception:  # noqa: BLE001 - Connect raises its own error type, Databricks serverless another
        return 8


def _common_settings() -> dict[str, str]:
    return {
        "spark.sql.extensions": DELTA_EXTENSION,
        "spark.sql.catalog.spark_catalog": DELTA_CATALOG,
        "spark.sql.session.timeZone": "UTC",
        # Off by default in 4.1; without it pandas 3 turns None in a string column into 'nan'.
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        # A row that comes back carries an embedding of some kB: small batches keep workers flat.
        "spark.sql.execution.arrow.maxRecordsPerBatch": "256",
        "spark.python.worker.reuse": "true",
        # Names the crashed C call in the log when a decoder or model takes a worker down.
        "spark.python.worker.faulthandler.enabled": "true",
        "spark.databricks.delta.schema.autoMerge.enabled": "false",
        # A dictionary of the numbers of embeddings is filled for every file and then thrown away, for no two are equal.
        **{f"spark.hadoop.parquet.enable.dictionary#{column}.list.element": "false" for column in EMBEDDING_COLUMNS},
        # Two glibc arenas: with more, memory of decoded pictures is not given back.
        "spark.executorEnv.MALLOC_ARENA_MAX": "2",
    }


def _local_settings(master: str) -> dict[str, str]:
    # Workers must run this interpreter: the first python3 on PATH may lack pandas.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("PYSPARK_DRIVER_PYTHON", sys.executable)
    os.environ.setdefault("MALLOC_ARENA_MAX", "2")
    jars = [str(path) for path in fetch_jars()]
    class_path = {"spark.driver.extraClassPath": os.pathsep.join(jars)}
    if not master.startswith("local"):
        class_path = {"spark.jars": ",".join(jars)}
    return {
        "spark.master": master,
        "spark.driver.memory": os.environ.get("VITRINE_DRIVER_MEMORY", "2g"),
        # Errors reach the user as our own one line; Spark's stack traces only on request.
        "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile={LOG_SETTINGS} {_java_options()}",
        "spark.ui.enabled": os.environ.get("VITRINE_SPARK_UI", "false"),
        # Spelled out for every query, whether the UI is there to show it or not.
        "spark.sql.ui.explainMode": "simple",
        "spark.ui.showConsoleProgress": "false",
        **({} if os.environ.get("VITRINE_SPARK_CODEGEN", "true") == "true" else INTERPRETED),
        **(_one_machine() if master.startswith("local") else {}),
        **class_path,
    }


def _java_options() -> str:
    return os.environ.get("VITRINE_JAVA_OPTIONS", SHORT_LIVED_JVM)


def _for_local_submit() -> dict[str, str]:
    """What a local master under spark-submit needs and was not told there."""
    from pyspark import SparkConf, SparkContext

    # Until the driver has met its JVM, SparkConf() is empty and knows nothing of what spark-submit was told.
    SparkContext._ensure_initialized()
    told = SparkConf()
    if not told.get("spark.master", "").startswith("local"):
        return {}
    return {name: value for name, value in _one_machine().items() if not told.contains(name)}


def _one_machine() -> dict[str, str]:
    """For one machine: the defaults of 200 and 50 tasks per shuffle and snapshot cost seconds on a few cores."""
    return {
        # Workers run where this package is; on a cluster it may come with the tasks, too late for a daemon.
        "spark.python.daemon.module": python_daemon.MODULE,
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.shuffle.partitions": str(max(4, 2 * (os.cpu_count() or 2))),
        "spark.databricks.delta.snapshotPartitions": "1",
        "spark.sql.sources.parallelPartitionDiscovery.parallelism": "4",
    }


def s3a_settings(s3: S3Settings) -> dict[str, str]:
    """Hadoop settings of S3A; credentials come from the AWS SDK's default chain, as for boto3."""
    prefix = "spark.hadoop.fs.s3a"
    settings = {
        f"{prefix}.aws.credentials.provider": "software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider",
        f"{prefix}.endpoint.region": s3.region or _region_of_environment(),
        f"{prefix}.path.style.access": str(s3.path_style or s3.endpoint_url is not None).lower(),
    }
    if s3.endpoint_url:
        settings[f"{prefix}.endpoint"] = s3.endpoint_url
        settings[f"{prefix}.connection.ssl.enabled"] = str(s3.endpoint_url.startswith("https")).lower()
    return settings


def _region_of_environment() -> str:
    """The region as boto3 and the AWS SDKs find it in the environment: each reads another name."""
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or DEFAULT_REGION


def spark_uri(uri: str) -> str:
    """The spelling that Spark reads: `s3://` becomes `s3a://` except where the platform maps `s3://` itself."""
    if uri.startswith("s3://") and "DATABRICKS_RUNTIME_VERSION" not in os.environ:
        return "s3a://" + uri.removeprefix("s3://")
    return uri


def _require_delta(spark: SparkSession) -> None:
    try:
        spark.sparkContext._jvm.java.lang.Class.forName(  # type: ignore[union-attr]
            DELTA_EXTENSION,
            True,
            spark.sparkContext._jvm.Thread.currentThread().getContextClassLoader(),  # type: ignore[union-attr]
        )
    except Exception as error:
        raise SparkUnavailableError(
            'this Spark has no Delta; with spark-submit add `--jars "$(vitrine jars)"`'
        ) from error
