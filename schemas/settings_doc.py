"""Writes `docs/settings.md` from the settings model: `python -m schemas.settings_doc [--check] docs/settings.md`."""

from __future__ import annotations

import sys
from typing import Any, Literal, get_args, get_origin

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from schemas.markdown import code, table, write_or_check
from schemas.settings import MEBIBYTE, Settings

MODULE = "schemas.settings_doc"

INTRODUCTION = """\
# Settings

Generated from `schemas/settings.py` by `python -m schemas.settings_doc docs/settings.md`; do not edit.

A setting is looked for in this order; the first that has it wins:

1. a flag of its own (`--tables`, `--catalog`, `--models`, `--allowed-root`), or `--set name=value`, which takes every
   setting and may be repeated: `--set extract.wave_images=5000 --set gate.max_quarantined_share=0.1`;
2. an environment variable: `VITRINE_` and the name in capitals, with two underscores where the name has a dot:
   `VITRINE_FETCH__CONCURRENCY=16`. `allowed_roots` takes a comma-separated list;
3. a TOML file, named by `--config FILE` or `VITRINE_CONFIG`;
4. the default.

`tables` must always be given, in one of these ways. An unknown name
or a value of the wrong type ends a job with one line and exit status 2, before anything is touched. `vitrine settings`
prints what is in force. Each run keeps its settings in `runs.settings_json`. Credentials are no settings: they come
from the usual AWS chain (see [operations.md](operations.md#credentials-and-endpoint)).

A file for a nightly job:

<!-- tests/schemas/test_settings_doc.py loads this block -->
```toml
catalog = "s3://shop/feed/"
allowed_roots = ["s3://shop/pictures", "s3://partner-pictures"]

[s3]
region = "eu-central-1"

[fetch]
concurrency = 16

[gate]
max_quarantined_share = 0.05
```
"""

OTHER_VARIABLES: tuple[tuple[str, str], ...] = (
    ("VITRINE_CONFIG", "Settings file (TOML); `--config` wins"),
    ("VITRINE_CACHE", "Folder for jars, the Java wrapper and the demo; default `.cache` of the checkout"),
    ("VITRINE_SPARK_MASTER", "Spark master without spark-submit; default `local[*]`"),
    ("VITRINE_DRIVER_MEMORY", "Memory of the Java driver without spark-submit; default `2g`"),
    ("VITRINE_SPARK_CODEGEN", "`false` skips whole-stage code generation, which is quicker for a few hundred rows"),
    (
        "VITRINE_JAVA_OPTIONS",
        "Options of the local Java driver; by default they suit one night (C1 compiler, serial collector); "
        "empty, Java's own choice, is better for sessions of hours and for catalogues of 100,000 products and more",
    ),
    ("VITRINE_SPARK_UI", "`true` serves Spark's own pages while a job runs"),
    ("VITRINE_SPARK_LOG_LEVEL", "Level of Spark's log on stderr; default `fatal`, for trouble `warn`"),
    ("VITRINE_DEBUG", "Any value: an expected error shows its stack trace instead of one line"),
    ("VITRINE_LOG", "`json` writes the log to stderr as one JSON object per line, each with run id and stage"),
    ("VITRINE_RUN_LABEL", "Who runs this, e.g. DAG, task and try; written into the JSON log"),
    ("VITRINE_GIT_SHA", "Commit written into `runs.git_sha`; default: what git says of the checkout"),
)
"""Environment variables that are no settings: they are read before settings are, or by Spark's start."""


def document() -> str:
    """The whole of `docs/settings.md`."""
    groups = {name: field for name, field in Settings.model_fields.items() if _is_group(field)}
    plain = {name: field for name, field in Settings.model_fields.items() if name not in groups}
    parts = [INTRODUCTION, "## General\n", _group_table("", plain)]
    for name, field in groups.items():
        model: type[BaseModel] = field.annotation  # type: ignore[assignment]
        parts += [f"\n## {name}\n", f"{(model.__doc__ or '').strip()}\n", _group_table(f"{name}.", model.model_fields)]
    parts += ["\n## Other environment variables\n", "They are no settings, and `--set` does not know them.\n"]
    parts.append(table(("Variable", "What it does"), [(code(name), text) for name, text in OTHER_VARIABLES]))
    return "\n".join(parts) + "\n"


def variable(name: str) -> str:
    """The environment variable of a setting: `fetch.concurrency` is `VITRINE_FETCH__CONCURRENCY`."""
    return "VITRINE_" + name.replace(".", "__").upper()


def _group_table(prefix: str, fields: dict[str, FieldInfo]) -> str:
    rows = [
        (code(prefix + name), _default(field), _allowed(field), code(variable(prefix + name)), field.description or "")
        for name, field in fields.items()
    ]
    return table(("Setting", "Default", "Allowed", "Environment", "What it does"), rows)


def _is_group(field: FieldInfo) -> bool:
    return isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)


def _default(field: FieldInfo) -> str:
    value: Any = field.default
    if field.is_required():
        return "(required)"
    if value is None or value == ():
        return "(none)"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and value and value % MEBIBYTE == 0:
        return f"{value} ({value // MEBIBYTE} MiB)"
    return str(value)


def _allowed(field: FieldInfo) -> str:
    if get_origin(field.annotation) is Literal:
        return ", ".join(map(str, get_args(field.annotation)))
    low, high = "", ""
    for bound in field.metadata:
        if isinstance(bound, annotated_types.Ge):
            low = f">= {bound.ge}"
        elif isinstance(bound, annotated_types.Gt):
            low = f"> {bound.gt}"
        elif isinstance(bound, annotated_types.Le):
            high = f"<= {bound.le}"
    return ", ".join(filter(None, (low, high))) or _type_name(field.annotation)


def _type_name(annotation: Any) -> str:
    if annotation is bool:
        return "true, false"
    return "list of text" if get_origin(annotation) is tuple else "text"


if __name__ == "__main__":
    sys.exit(write_or_check(document(), sys.argv[1:], MODULE))
