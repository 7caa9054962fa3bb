"""docs/settings.md is what the settings model says: names, variables and the example file work as written."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from schemas.settings import Settings
from schemas.settings_doc import OTHER_VARIABLES, document, variable

CHECKOUT = Path(__file__).parents[2]


def rows():
    """Setting name and cells of each documented setting."""
    cells = ([cell.strip() for cell in line.split("|")[1:-1]] for line in document().splitlines())
    return {row[0].strip("`"): row for row in cells if len(row) == 5 and row[0].startswith("`")}


def names():
    dumped = Settings(tables="x").model_dump()
    return {
        f"{group}.{name}" if isinstance(value, dict) else group
        for group, value in dumped.items()
        for name in (value if isinstance(value, dict) else [group])
    }


def test_committed_document_is_up_to_date():
    command = [sys.executable, "-m", "schemas.settings_doc", "--check", "docs/settings.md"]
    answer = subprocess.run(command, capture_output=True, text=True, cwd=CHECKOUT, check=False)
    assert (answer.returncode, answer.stderr) == (0, "")


def test_every_setting_is_documented_with_a_description():
    assert set(rows()) == names()
    assert all(row[4] for row in rows().values())


@pytest.mark.parametrize("name", sorted(names() - {"tables"}))
def test_documented_variable_sets_the_setting(name, monkeypatch):
    documented = rows()[name][3].strip("`")
    default = read(Settings(tables="x"), name)
    given = {"always": "changed_rows", "False": "true", "True": "false"}.get(str(default), "1")
    given = {
        "lease_seconds": "7",
        "decode.working_side": "64",
        "text.side_limit": "320",
        "text.engine": "openvino",
        "extract.retry_reasons": "too_large",
        "gate.max_uncategorized_share": "0.5",
        "serve.max_upload_bytes": "2048",
        "serve.picture_memory_bytes": "1073741824",
        "serve.picture_workers": "2",
    }.get(name, given)
    monkeypatch.setenv(documented, given)
    value = read(Settings(tables="x"), name)
    assert str(value).lower() in {given, f"{given}.0", f"('{given}',)"}
    assert value != default


def read(settings, name):
    value = settings
    for part in name.split("."):
        value = getattr(value, part)
    return value


def test_unknown_variable_of_a_group_is_an_error(monkeypatch):
    monkeypatch.setenv(variable("fetch.no_such_thing"), "1")
    with pytest.raises(ValidationError, match="no_such_thing"):
        Settings(tables="x")


def test_example_file_loads_and_is_overruled_as_described(tmp_path, monkeypatch):
    [example] = re.findall(r"```toml\n(.*?)```", document(), flags=re.DOTALL)
    path = tmp_path / "vitrine.toml"
    path.write_text(example)
    monkeypatch.setenv("VITRINE_CONFIG", str(path))
    from_file = Settings(tables="x")
    assert from_file.allowed_roots == ("s3://shop/pictures", "s3://partner-pictures")
    assert (from_file.s3.region, from_file.fetch.concurrency) == ("eu-central-1", 16)
    monkeypatch.setenv("VITRINE_FETCH__CONCURRENCY", "24")
    assert Settings(tables="x").fetch.concurrency == 24
    assert Settings(tables="x", fetch={"concurrency": 32}).fetch.concurrency == 32


def test_every_other_variable_that_code_reads_is_documented():
    """Whoever reads a new environment variable has to tell people about it."""
    sources = [path for folder in ("jobs", "udfs", "models", "rendering") for path in (CHECKOUT / folder).rglob("*.py")]
    sources.append(CHECKOUT / "jobs" / "log4j2.properties")
    used = {name for path in sources for name in re.findall(r"VITRINE_[A-Z_]+[A-Z]", path.read_text())}
    settings = {variable(name) for name in names()}
    assert used - settings == {name for name, _ in OTHER_VARIABLES}
