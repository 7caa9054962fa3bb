"""The jars that Spark needs for Delta and S3, fetched once by Spark's own Ivy and then used from a folder.

Starting Spark with `spark.jars.packages` resolves them at every start (seconds, and a network); a folder does not.
On a cluster that brings Delta and S3A (Databricks, EMR) none of this is used.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from hashlib import sha256
from pathlib import Path

from jobs.cache import cache_folder
from jobs.java_runtime import ensure_java

DELTA = ("io.delta:delta-spark_4.1_2.13:4.4.0",)
# S3A over the five AWS SDK modules that it uses instead of the 640 MB bundle of all of them.
AWS_SDK_VERSION = "2.29.52"
S3A = (
    "org.apache.hadoop:hadoop-aws:3.4.2",
    "com.fasterxml.jackson.datatype:jackson-datatype-jdk8:2.21.2",
    *(
        f"software.amazon.awssdk:{module}:{AWS_SDK_VERSION}"
        for module in ("s3", "s3-transfer-manager", "sts", "apache-client", "netty-nio-client")
    ),
)
# All of these stand in Spark's own jars folder already, in the versions that Spark was built with.
SPARK_BRINGS = (
    "software.amazon.awssdk:bundle",
    "org.apache.hadoop:hadoop-client-api",
    "org.apache.hadoop:hadoop-client-runtime",
    "io.netty:*",
    "com.fasterxml.jackson.core:*",
    "org.apache.parquet:*",
    "org.apache.logging.log4j:*",
    "org.slf4j:*",
    "com.github.luben:*",
    "org.xerial.snappy:*",
    "org.apache.httpcomponents:*",
    "commons-codec:*",
    "commons-logging:*",
    "commons-pool:*",
    "org.roaringbitmap:*",
    "io.airlift:*",
    "com.google.code.findbugs:*",
    "org.locationtech.jts:*",
)
# Only the central repository (Ivy knows its address): Spark's default list has one more, which may not answer.
IVY_SETTINGS = """<ivysettings>
  <settings defaultResolver="central"/>
  <caches defaultCacheDir="{cache}"/>
  <resolvers><ibiblio name="central" m2compatible="true"/></resolvers>
</ivysettings>
"""


class JarsUnavailableError(RuntimeError):
    """The jars could not be fetched; the message holds the end of Ivy's own."""


def jar_paths() -> list[Path] | None:
    """The fetched jars, or None when `fetch_jars` has not run for this list of packages."""
    folder = _folder()
    return sorted(folder.glob("*.jar")) if (folder / "complete").is_file() else None


def fetch_jars() -> list[Path]:
    """Fetch the jars unless they are there; about 20 s and 26 MB the first time.

    Raises:
        JarsUnavailableError: when Ivy fails, e.g. without a network.
    """
    present = jar_paths()
    if present is not None:
        return present
    folder = _folder()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="fetching-") as name:
        fetching = Path(name)
        _run_ivy(fetching)
        if folder.exists():
            shutil.rmtree(folder)
        shutil.copytree(fetching / "ivy" / "jars", folder)
    (folder / "complete").touch()
    return sorted(folder.glob("*.jar"))


def _folder() -> Path:
    packages = "\n".join((*DELTA, *S3A, *SPARK_BRINGS))
    return cache_folder() / "jars" / sha256(packages.encode()).hexdigest()[:12]


def _run_ivy(fetching: Path) -> None:
    import pyspark

    ensure_java()
    script = fetching / "nothing.py"
    script.write_text("")
    settings = fetching / "ivysettings.xml"
    settings.write_text(IVY_SETTINGS.format(cache=fetching / "ivy" / "cache"))
    spark_home = Path(pyspark.__file__).parent
    command = [
        str(spark_home / "bin" / "spark-submit"),
        *("--master", "local[1]"),
        *("--conf", f"spark.jars.ivy={fetching / 'ivy'}"),
        *("--conf", f"spark.jars.ivySettings={settings}"),
        *("--packages", ",".join((*DELTA, *S3A))),
        *("--exclude-packages", ",".join(SPARK_BRINGS)),
        str(script),
    ]
    environment = {**os.environ, "SPARK_HOME": str(spark_home), "PYSPARK_PYTHON": sys.executable}
    answer = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if answer.returncode != 0 or not (fetching / "ivy" / "jars").is_dir():
        tail = "\n".join((answer.stdout + answer.stderr).strip().splitlines()[-15:])
        raise JarsUnavailableError(f"could not fetch the jars for Delta and S3; Ivy said:\n{tail}")


if __name__ == "__main__":
    if jar_paths() is None:
        sys.stdout.write("fetching jars for Delta and S3 (about 26 MB, once) ...\n")
        sys.stdout.flush()
    try:
        found = fetch_jars()
    except (JarsUnavailableError, RuntimeError) as error:
        sys.exit(f"vitrine: {error}")
    size = sum(path.stat().st_size for path in found) / 1e6
    sys.stdout.write(f"{len(found)} jars, {size:.0f} MB\n")
