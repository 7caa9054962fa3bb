"""Writes `docs/tables.md` from the table contracts: `python -m schemas.tables_doc [--check] docs/tables.md`."""

from __future__ import annotations

import sys

from schemas.contract import Array, Map, Struct, Table, Type, walk
from schemas.markdown import code, table, write_or_check
from schemas.reasons import Reason
from schemas.tables import TABLES

MODULE = "schemas.tables_doc"

INTRODUCTION = """\
# Tables

Generated from `schemas/tables.py` by `make docs`; do not edit. Every table is a Delta table in a folder of its name
under the tables root (`--tables`). A schema changes only by a named migration in `schemas/migrations.py`, never by a
silent merge.

How the tables hang together:

- `catalog.image_uri` = `images.image_uri`: which pictures a product shows.
- `images.(content_sha256, bundle_version)` = `image_attributes.(content_sha256, bundle_version)`: what is in a picture.
  Pictures with the same bytes share one row of attributes.
- `products.product_id` = `catalog.product_id` = `product_attributes.product_id`: what a product is, and every claim
  about it with its evidence. `products` keeps those that left the feed, with `is_active` false.
- `quarantine.image_uri` = `images.image_uri` for stage `extract`: why a picture has no attributes.
- `corrections.subject` = `image_attributes.content_sha256`, `images.image_uri` or `catalog.product_id`, as
  `subject_kind` says: what people said is right instead.

In every table, `NOT NULL` and the CHECK constraints are enforced by Delta on each write. Keys are unique because rows
are written by MERGE on the key. `[]` in a path stands for the elements of an array, `·` for one level of nesting. Boxes
are in pixels of the upright source picture (after EXIF orientation), with x to the right and y down. How to read a
whole published state stands under [Reading a published version](#reading-a-published-version).
"""

READING = """\
## Reading a published version

Tables change while a night runs. What has passed the quality gate is a set of Delta versions: the newest row of
`publications`, and the same in the small file `published.json` beside the tables. Read every table at its published
version, and you never see half a night. An older publication can be read as long as `VACUUM` has kept its files
(`maintain.vacuum_retention_hours`).

`runs` and `publications` are read at their latest version.

### Spark SQL

```sql
SELECT versions FROM delta.`s3a://shop/tables/publications` ORDER BY publication_id DESC LIMIT 1;
-- catalog -> 12, images -> 31, image_attributes -> 14, quarantine -> 9

SELECT c.product_id, c.title, a.category, a.color, a.pattern
FROM delta.`s3a://shop/tables/catalog` VERSION AS OF 12 c
JOIN delta.`s3a://shop/tables/images` VERSION AS OF 31 i USING (image_uri)
JOIN delta.`s3a://shop/tables/image_attributes` VERSION AS OF 14 a USING (content_sha256, bundle_version)
WHERE c.is_active AND i.status = 'extracted';
```

The same in PySpark, without copying numbers:

```python
tables = "s3a://shop/tables"
publications = spark.read.format("delta").load(f"{tables}/publications")
versions = publications.orderBy("publication_id", ascending=False).first()["versions"]
for name, version in versions.items():
    spark.read.format("delta").option("versionAsOf", version).load(f"{tables}/{name}").createOrReplaceTempView(name)
```

### Views

`vitrine views --tables ... --catalog-schema main.shop` prints the statements of five views over the published version,
and `--create` makes them where a metastore keeps views: `published_products`, `published_product_attributes` (what is
stated, with source and evidence), `category_coverage`, `attribute_coverage` and `products_to_review`. In a notebook
without a metastore:

```python
from jobs.views import register_views

register_views(spark, "s3://shop/tables")
spark.sql("SELECT name_en, color, price FROM published_products WHERE category = 'apparel/topwear/t-shirt'")
```

A view keeps the version for which it was made; make them anew after a publication.

### Without Spark: delta-rs and DuckDB

`pip install deltalake duckdb`. The tables keep away from Delta features that other readers lack (deletion vectors,
column mapping), so this needs no cluster.

<!-- tests/schemas/test_tables_doc.py runs this block -->
```python
import json
from pathlib import Path

import duckdb
from deltalake import DeltaTable

tables = Path("tables")
versions = json.loads((tables / "published.json").read_text())["versions"]


def published(name):
    return DeltaTable(tables / name, version=versions[name]).to_pyarrow_dataset()


catalog, images, attributes = published("catalog"), published("images"), published("image_attributes")
found = duckdb.sql(\"\"\"
    SELECT product_id, title, attributes.category, attributes.color, colors[1]['share'] AS share
    FROM catalog JOIN images USING (image_uri) JOIN attributes USING (content_sha256, bundle_version)
    WHERE catalog.is_active AND images.status = 'extracted'
\"\"\").to_arrow_table()
```

On S3, `DeltaTable("s3://shop/tables/images", version=...)` takes credentials from `AWS_ACCESS_KEY_ID`,
`AWS_SECRET_ACCESS_KEY` and `AWS_REGION`; another store than AWS also needs `AWS_ENDPOINT_URL`, and
`AWS_ALLOW_HTTP=true` when it has no TLS. `published.json` is an ordinary object. DuckDB turns timestamps into Python
objects only when `pytz` is installed; Arrow tables and printing do without.

### What changed between two publications

```python
spark.read.format("delta").option("readChangeFeed", True).option("startingVersion", 32).option(
    "endingVersion", 40
).load(f"{tables}/images")
```

Start at the earlier publication's version plus one. The spelling of delta-rs is
`DeltaTable(...).load_cdf(starting_version=32, ending_version=40)`.
"""


def document() -> str:
    """The whole of `docs/tables.md`."""
    overview = table(
        ("Table", "One row per", "What it holds"),
        [(f"[{name}](#{name})", ", ".join(map(code, found.key)), found.purpose) for name, found in TABLES.items()],
    )
    sections = [table_section(found) for found in TABLES.values()]
    return "\n".join((INTRODUCTION, f"{overview}\n", *sections, reasons_section(), READING))


def table_section(found: Table) -> str:
    """One table: its purpose, facts, constraints and columns."""
    facts = [
        f"- Key: {', '.join(map(code, found.key))}",
        f"- Clustered by: {', '.join(map(code, found.cluster_by)) or 'nothing'}",
        f"- Change data feed: {'on' if found.change_data_feed else 'off'}",
    ]
    if found.retention_days is not None:
        facts.append(f"- Retention: {found.retention_days} days by `{found.retention_column}`")
    facts += [f"- CHECK `{name}`: `{condition}`" for name, condition in found.checks.items()]
    lines = [f"## {found.name}", "", found.purpose, "", *facts, "", _columns(found), ""]
    return "\n".join(lines)


def _columns(found: Table) -> str:
    rows = []
    for path, column in walk(found.columns):
        depth = path.count(".")
        name = "· " * depth + code(path)
        null = "" if column.nullable else "NOT NULL"
        rows.append((name, code(short_type(column.type)), null, column.unit or "", column.comment))
    return table(("Column", "Type", "", "Unit", "What it holds"), rows)


def short_type(type_: Type) -> str:
    """A type without the fields of its structs, which have rows of their own."""
    if isinstance(type_, str):
        return type_
    if isinstance(type_, Struct):
        return "struct"
    if isinstance(type_, Map):
        return f"map<{type_.key},{type_.value}>"
    assert isinstance(type_, Array)
    return f"array<{short_type(type_.element)}>"


def reasons_section() -> str:
    """All reason codes."""
    rows = [(code(reason.value), "yes" if reason.retryable else "no", reason.explanation) for reason in Reason]
    lines = [
        "## Reason codes",
        "",
        "The values of `quarantine.reason`, and for pictures of `images.reason`. A picture with a retryable reason is",
        "tried on later nights, up to `extract.max_attempts` in all, each `extract.retry_after_hours` after the last.",
        "Whatever the reason, a picture whose file has changed (its etag, or its size and time) is tried anew at once.",
        "Wrong feed rows are judged anew every night.",
        "",
        table(("Reason", "Retryable", "What it means and what to do"), rows),
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(write_or_check(document(), sys.argv[1:], MODULE))
