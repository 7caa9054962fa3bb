"""The command line as a person uses it: real processes, one clear line for what went wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.stages import STAGES
from tests.pictures import write_shop

VITRINE = Path(sys.executable).with_name("vitrine")


def vitrine(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(VITRINE), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, **environment},
    )


@pytest.fixture
def feed(tmp_path):
    return write_shop(tmp_path / "shop", 2)


def one_line(answer: subprocess.CompletedProcess[str]) -> str:
    """The error line; anything that looks like a stack trace fails the test."""
    assert "Traceback" not in answer.stderr
    assert "\tat " not in answer.stderr
    return answer.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["--catalog", "{folder}/nowhere.csv"], 1, "nowhere.csv"),
        (["--catalog", "{folder}"], 1, "expected .csv"),
        (["--catalog", "ftp://shop/feed.csv"], 1, "ftp"),
        ([], 1, "--catalog"),
        (["--catalog", "{feed}", "--models", "{folder}/no-bundle"], 1, "no-bundle"),
        (["--catalog", "{feed}", "--set", "extract.wave_images=many"], 2, "extract.wave_images"),
        (["--catalog", "{feed}", "--set", "extract.speed=9"], 2, "extract.speed"),
        (["--catalog", "{feed}", "--set", "nonsense"], 2, "name=value"),
        (["--catalog", "{feed}", "--config", "{folder}/none.toml"], 2, "none.toml"),
        (["--catalog", "{feed}", "--bogus"], 2, "--bogus"),
    ],
)
def test_mistakes_end_with_one_line_and_no_tables(tmp_path, feed, arguments, status, message):
    folder = tmp_path / "empty"
    folder.mkdir()
    (folder / "readme.txt").write_text("no feed")
    filled = [argument.format(folder=folder, feed=feed) for argument in arguments]
    answer = vitrine("nightly", "--tables", tmp_path / "tables", *filled)
    assert answer.returncode == status, answer.stderr
    assert message in (one_line(answer) if status == 1 else answer.stderr)
    assert not (tmp_path / "tables").exists()


def test_broken_bundle_is_refused_before_anything_is_written(tmp_path, feed):
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    (bundle / "manifest.json").write_text("{}")
    answer = vitrine("nightly", "--tables", tmp_path / "tables", "--catalog", feed, "--models", bundle)
    assert answer.returncode == 1
    assert "manifest" in one_line(answer)
    assert not (tmp_path / "tables").exists()


def test_settings_come_from_file_environment_and_flags_in_that_order(tmp_path):
    config = tmp_path / "vitrine.toml"
    config.write_text("[extract]\nwave_images = 111\nmicro_batch = 11\npartition_images = 1\n")
    answer = vitrine(
        *("settings", "--config", config, "--set", "extract.wave_images=333"),
        VITRINE_EXTRACT__WAVE_IMAGES="222",
        VITRINE_EXTRACT__MICRO_BATCH="22",
    )
    assert '"wave_images": 333' in answer.stdout
    assert '"micro_batch": 22' in answer.stdout
    assert '"partition_images": 1' in answer.stdout


def test_help_names_every_job():
    answer = vitrine("--help")
    for job in ("nightly", *STAGES, "report", "render", "demo", "views"):
        assert job in answer.stdout
