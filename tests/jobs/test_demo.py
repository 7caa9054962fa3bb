"""What can be told to the demo; that it runs is seen by `make demo` and by the nights on its catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jobs.cli import main
from schemas.settings import Settings


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """The settings with which the demo's night would run."""
    settings: list[Settings] = []

    def night(given: Settings, **options: Any) -> str:
        assert given.catalog is not None
        assert Path(given.catalog).is_file(), "the catalogue is drawn before the night begins"
        settings.append(given)
        return "a-run"

    monkeypatch.setattr("jobs.demo.run_stages", night)
    # Set by a settings file or by the demo itself; put back afterwards.
    monkeypatch.setenv("VITRINE_CONFIG", "")
    monkeypatch.setenv("VITRINE_SPARK_CODEGEN", "false")
    return settings


def demo(*arguments: object) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["demo", *map(str, arguments)])
    assert ended.value.code == 0


def test_settings_and_their_file_reach_the_demos_night(tmp_path, told):
    config = tmp_path / "vitrine.toml"
    config.write_text(
        'tables = "s3://shop/tables"\nenhance = false\nallowed_roots = "s3://shop"\n[fetch]\nattempts = 2\n'
    )
    out = tmp_path / "demo"
    demo(
        "--out", out, "--products", 1, "--config", config, "--set", "extract.wave_images=3", "--set", "fetch.attempts=7"
    )
    (settings,) = told
    assert settings.enhance is False
    assert (settings.extract.wave_images, settings.fetch.attempts) == (3, 7)
    assert settings.tables == str(out / "tables"), "never into the tables that the file names"
    assert settings.allowed_roots == (str(out / "shop-1"),)


def test_wrong_setting_is_told_before_anything_is_drawn(tmp_path, told, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["demo", "--out", str(tmp_path / "demo"), "--set", "extract.wave_images=many"])
    assert ended.value.code == 2
    assert "extract.wave_images" in capsys.readouterr().err
    assert not (tmp_path / "demo").exists()
    assert told == []
