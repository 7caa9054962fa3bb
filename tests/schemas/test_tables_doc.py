"""docs/tables.md is what the contracts say, and its example for readers without Spark runs."""

import datetime
import json
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from schemas.arrow import arrow_schema
from schemas.contract import walk
from schemas.reasons import Reason
from schemas.tables import TABLES
from schemas.tables_doc import document

CHECKOUT = Path(__file__).parents[2]
SHA = "ab" * 32


def run(*arguments, cwd=CHECKOUT):
    command = [sys.executable, "-m", "schemas.tables_doc", *map(str, arguments)]
    environment = {"PYTHONPATH": str(CHECKOUT)}
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment, check=False)


def test_committed_document_is_up_to_date():
    answer = run("--check", "docs/tables.md")
    assert (answer.returncode, answer.stderr) == (0, "")


def test_written_document_passes_its_check(tmp_path):
    path = tmp_path / "new" / "tables.md"
    assert run(path).returncode == 0
    assert run("--check", path).returncode == 0


def test_stale_document_fails_with_one_line_that_says_what_to_do(tmp_path):
    path = tmp_path / "tables.md"
    path.write_text(document().replace("Shop", "Store").replace("shop", "store"))
    answer = run("--check", path)
    assert answer.returncode == 1
    assert len(answer.stderr.strip().splitlines()) == 1
    assert f"python -m schemas.tables_doc {path}" in answer.stderr
    assert "store" in path.read_text(), "a check must not write"


def test_missing_document_and_wrong_arguments_are_told_apart(tmp_path):
    missing = run("--check", tmp_path / "none.md")
    assert missing.returncode == 1
    assert "does not exist" in missing.stderr
    wrong = run("--chek", tmp_path / "none.md")
    assert wrong.returncode == 2
    assert "usage" in wrong.stderr


@pytest.mark.parametrize("name", TABLES)
def test_every_column_key_and_constraint_is_documented(name):
    found = TABLES[name]
    section = re.split(r"^## ", document(), flags=re.MULTILINE)
    [section] = [part for part in section if part.startswith(f"{name}\n")]
    rows = {row.split("|")[1].strip(" ·`"): row for row in section.splitlines() if row.startswith("| ")}
    for path, column in walk(found.columns):
        row = rows[path]
        assert column.comment in row
        assert ("NOT NULL" in row) == (not column.nullable)
        assert column.unit is None or column.unit in row
    for check, condition in found.checks.items():
        assert check in section
        assert condition in section
    assert all(f"`{key}`" in section for key in found.key)


def test_types_stand_in_code_so_that_markdown_keeps_their_brackets():
    cells = [row.split("|")[2].strip() for row in document().splitlines() if row.startswith("| ") and "<" in row]
    assert "`array<struct>`" in cells
    assert all(re.fullmatch(r"`.*`", cell) for cell in cells if "<" in cell)


def test_every_reason_is_documented():
    text = document()
    for reason in Reason:
        [row] = [line for line in text.splitlines() if line.startswith(f"| `{reason.value}` ")]
        assert row.split("|")[2].strip() == ("yes" if reason.retryable else "no")
        assert reason.explanation in row


def test_example_without_spark_reads_the_published_version(tmp_path, monkeypatch):
    pytest.importorskip("duckdb")
    root = tmp_path / "tables"
    common = {"content_sha256": SHA, "bundle_version": "b@1", "image_uri": "file:///a.jpg", "product_id": "p1"}
    write(root, "images", {**common, "status": "extracted", "is_active": True})
    write(root, "image_attributes", {**common, "color": "teal", "category": "apparel", "colors": [{"share": 0.75}]})
    write(root, "catalog", {**common, "title": "published", "is_active": True, "price": Decimal("9.90")})
    versions = {"catalog": 0, "images": 0, "image_attributes": 0}
    # A night that is not published yet: readers must not see it.
    write(root, "catalog", {**common, "title": "half a night", "is_active": True, "price": Decimal("1.00")})
    (root / "published.json").write_text(json.dumps({"versions": versions}))

    [example] = re.findall(r"runs this block -->\n```python\n(.*?)```", document(), flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(example, names)
    assert names["found"].to_pylist() == [
        {"product_id": "p1", "title": "published", "category": "apparel", "color": "teal", "share": 0.75}
    ]


def write(root: Path, name: str, values: dict) -> None:
    """Overwrite a table, laid out by its contract, with one row."""
    schema = arrow_schema(TABLES[name].columns)
    filled = {column: values.get(column, filler(schema.field(column).type, name, column)) for column in schema.names}
    write_deltalake(root / name, pa.Table.from_pylist([filled], schema=schema), mode="overwrite")


def filler(kind: pa.DataType, name: str, column: str):
    """A value for a NOT NULL column that the example does not read; null elsewhere."""
    if TABLES[name].column(column).nullable:
        return None
    if pa.types.is_timestamp(kind):
        return datetime.datetime(2026, 11, 23, tzinfo=datetime.UTC)
    return "x" if pa.types.is_string(kind) else pa.scalar(0).cast(kind).as_py()
