"""Export: a published table as files that other systems load. No Spark: rows pass through in batches.

Files come in parts of bounded size, with a manifest that is written last and names them all. What is exported is one
publication, never half a night.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal, get_args

import pyarrow as pa

from jobs.light_tables import LightTables
from jobs.locations import resolve_location
from jobs.opensearch import bulk_lines, mappings, plain
from jobs.small_objects import SmallObjects, read_pointer, small_objects
from schemas.index_tables import INDEX_TABLES
from schemas.product_tables import PRODUCT_ATTRIBUTES, PRODUCTS
from schemas.settings import Settings

Format = Literal["opensearch-bulk", "parquet", "csv", "jsonl"]
FORMATS: tuple[Format, ...] = get_args(Format)
EXPORTED = tuple(table.name for table in (*INDEX_TABLES, PRODUCTS, PRODUCT_ATTRIBUTES))
SUFFIXES: dict[Format, str] = {"opensearch-bulk": "ndjson", "parquet": "parquet", "csv": "csv", "jsonl": "jsonl"}

# Rows read at a time, and about how large a part gets: bulk requests of some MB are what OpenSearch advises.
_BATCH_ROWS = 1024
_PART_BYTES = 8 * 1024 * 1024
# A batch of fewer rows than this would be a poor Parquet row group.
_PARQUET_ROWS = 65_536


class ExportError(RuntimeError):
    """Nothing can be exported: no publication, no such table in it, or a format that does not suit the table."""


@dataclass(frozen=True)
class Export:
    """What was written; also the manifest.

    Args:
        table: the table.
        format: of the files.
        publication_id: publication that was exported.
        version: Delta version of the table in it.
        rows: rows of the table.
        files: names of the parts, in order.
        exported_at: when.
    """

    table: str
    format: Format
    publication_id: int
    version: int
    rows: int
    files: tuple[str, ...]
    exported_at: str


def export_table(
    settings: Settings,
    out: str,
    to: Format,
    *,
    table: str = "search_documents",
    index: str = "vitrine",
    part_bytes: int = _PART_BYTES,
) -> Export:
    """Write a published table to a folder or an `s3://` prefix.

    Args:
        settings: tables root and how to reach S3.
        out: where to write; repeating an export replaces its files.
        to: format.
        table: one of `EXPORTED`; `opensearch-bulk` takes search_documents, or product_embeddings to add their vectors.
        index: name that the OpenSearch indexes begin with; the language follows.
        part_bytes: about how large a part gets.

    Raises:
        ExportError: there is nothing published, the table is none of them, or the format does not suit it.
        StoreError: the place cannot be written to.
    """
    if table not in EXPORTED:
        raise ExportError(f"table {table!r} cannot be exported; take one of {', '.join(EXPORTED)}")
    if to == "opensearch-bulk" and table not in ("search_documents", "product_embeddings"):
        raise ExportError(f"{table} is no table of documents; export search_documents, or {table} as jsonl")
    root = resolve_location(settings.tables)
    pointer = read_pointer(small_objects(root, settings.s3))
    if pointer is None:
        raise ExportError(f"{root} has no publication yet; run a night first")
    if table not in pointer["versions"]:
        raise ExportError(f"publication {pointer['publication_id']} has no {table}; run index and publish")
    number, version = pointer["publication_id"], pointer["versions"][table]
    target = small_objects(resolve_location(out), settings.s3)
    batches = LightTables(root, settings.s3).dataset(table, version).to_batches(batch_size=_BATCH_ROWS)
    prefix = f"{table}.publication-{number:05d}"
    files, rows = [], 0
    for part, (data, count) in enumerate(_parts(to, batches, index, part_bytes)):
        files.append(f"{prefix}.part-{part:05d}.{SUFFIXES[to]}")
        target.put(files[-1], data)
        rows += count
    if to == "opensearch-bulk" and table == "search_documents":
        _write_mappings(settings, root, pointer, target)
    made = Export(table, to, number, version, rows, tuple(files), datetime.now(UTC).isoformat(timespec="seconds"))
    target.put(f"{prefix}.{SUFFIXES[to]}.manifest.json", json.dumps(asdict(made), indent=2).encode())
    return made


def _write_mappings(settings: Settings, root: str, pointer: dict[str, Any], target: SmallObjects) -> None:
    """The mapping of each language's index; vectors have the length of the published ones."""
    dimension = None
    if (version := pointer["versions"].get("product_embeddings")) is not None:
        first = LightTables(root, settings.s3).dataset("product_embeddings", version).head(1, columns=["vector"])
        dimension = len(first.column("vector")[0]) if first.num_rows else None
    for language, mapping in mappings(dimension).items():
        target.put(f"opensearch-mapping-{language}.json", json.dumps(mapping, indent=2, ensure_ascii=False).encode())


def _parts(to: Format, batches: Iterable[pa.RecordBatch], index: str, part_bytes: int) -> Iterator[tuple[bytes, int]]:
    """Yield (content, rows) of each part."""
    if to == "parquet":
        yield from _parquet_parts(batches, part_bytes)
        return
    lines: dict[Format, Callable[[Iterable[dict[str, Any]]], Iterator[tuple[str, int]]]] = {
        "jsonl": _json_lines,
        "csv": _csv_lines,
        "opensearch-bulk": lambda rows: ((text, 1) for text in bulk_lines(rows, index)),
    }
    header, size, count = "", 0, 0
    buffer = io.StringIO()
    for text, rows in lines[to](row for batch in batches for row in batch.to_pylist()):
        if to == "csv" and not header:
            header = text
            buffer.write(header)
            continue
        buffer.write(text)
        size, count = size + len(text), count + rows
        if size >= part_bytes:
            yield buffer.getvalue().encode(), count
            buffer, size, count = io.StringIO(), 0, 0
            buffer.write(header)
    if count:
        yield buffer.getvalue().encode(), count


def _parquet_parts(batches: Iterable[pa.RecordBatch], part_bytes: int) -> Iterator[tuple[bytes, int]]:
    import pyarrow.parquet as pq

    held: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in batches:
        held.append(batch)
        rows, size = rows + batch.num_rows, size + batch.nbytes
        # In memory a row is larger than in the file.
        if size >= 4 * part_bytes or rows >= _PARQUET_ROWS:
            yield _parquet(pq, held), rows
            held, rows, size = [], 0, 0
    if rows:
        yield _parquet(pq, held), rows


def _parquet(pq: Any, batches: list[pa.RecordBatch]) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.Table.from_batches(batches), file, compression="zstd")
    return file.getvalue()


def _json_lines(rows: Iterable[dict[str, Any]]) -> Iterator[tuple[str, int]]:
    for row in rows:
        yield json.dumps(row, ensure_ascii=False, default=plain) + "\n", 1


def _csv_lines(rows: Iterable[dict[str, Any]]) -> Iterator[tuple[str, int]]:
    """Yield the header, then a line for each row; lists of similar products give a line for each neighbor."""
    header: list[str] = []
    for row in rows:
        flat = list(_flat(row))
        for place, line in enumerate(flat or [row]):
            if not header:
                header = list(line)
                yield _csv_line(header), 0
            if flat:
                yield _csv_line([_cell(line[name]) for name in header]), int(place == 0)


def _flat(row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "neighbors" not in row:
        yield row
        return
    for neighbor in row["neighbors"]:
        yield {
            "product_id": row["product_id"],
            "rank": neighbor["rank"],
            "neighbor_id": neighbor["product_id"],
            "score": round(neighbor["score"], 4),
            "reason": neighbor["reason"],
        }


def _csv_line(cells: list[Any]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()


def _cell(value: Any) -> Any:
    """CSV has no lists: they are written as JSON."""
    return json.dumps(value, ensure_ascii=False, default=plain) if isinstance(value, list | dict) else value
