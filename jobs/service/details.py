"""Everything about single products and pictures of one published version, in one SQLite file that only grows old.

SQLite, because it finds one row among millions in a few pages of a file, and comes with Python.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

_TABLES = """
CREATE TABLE products (
  ordinal INTEGER PRIMARY KEY, product_id TEXT NOT NULL UNIQUE, confidence REAL, needs_review INTEGER NOT NULL,
  has_conflict INTEGER NOT NULL, has_category INTEGER NOT NULL, row BLOB NOT NULL);
CREATE TABLE claims (product_id TEXT NOT NULL, row BLOB NOT NULL);
CREATE TABLE pictures (
  product_id TEXT NOT NULL, view INTEGER NOT NULL, image_uri TEXT NOT NULL, title TEXT, description TEXT,
  feed_category TEXT);
CREATE TABLE images (image_uri TEXT PRIMARY KEY, content TEXT, status TEXT, reason TEXT) WITHOUT ROWID;
CREATE TABLE contents (content TEXT PRIMARY KEY, row BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE similar (product_id TEXT PRIMARY KEY, row BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE duplicates (product_id TEXT NOT NULL, group_id TEXT NOT NULL, row BLOB NOT NULL);
CREATE TABLE quarantine (position INTEGER PRIMARY KEY, stage TEXT, reason TEXT, retryable INTEGER, row BLOB NOT NULL);
"""
_INDEXES = """
CREATE INDEX claims_product ON claims (product_id);
CREATE INDEX pictures_product ON pictures (product_id, view);
CREATE INDEX pictures_image ON pictures (image_uri);
CREATE INDEX images_content ON images (content);
CREATE INDEX duplicates_product ON duplicates (product_id);
CREATE INDEX duplicates_group ON duplicates (group_id);
CREATE INDEX review ON products (confidence, ordinal) WHERE needs_review;
CREATE INDEX quarantine_reason ON quarantine (reason);
"""


class DetailsWriter:
    """Writes the file; rows may come in any order. A context manager."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path)
        self._database.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + _TABLES)

    def __enter__(self) -> DetailsWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.commit()
        self._database.close()

    def insert(self, table: str, rows: Iterable[Sequence[Any]]) -> None:
        """Add rows to a table of this file; a dict in a row is packed."""
        for row in rows:
            values = [_packed(value) if isinstance(value, Mapping) else value for value in row]
            marks = ", ".join("?" * len(values))
            self._database.execute(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", values)

    def finish(self) -> None:
        """Build the indexes; then `reader` may look things up."""
        self._database.executescript(_INDEXES)
        self._database.commit()

    def reader(self) -> Details:
        """The file as it is read."""
        return Details.of(self._database)


class Details:
    """Reads the file; safe to share among threads."""

    def __init__(self, path: Path) -> None:
        # immutable: no locks and no look-outs for changes, for the file never changes.
        self._database = sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True, check_same_thread=False)
        self._lock = threading.Lock()

    @classmethod
    def of(cls, database: sqlite3.Connection) -> Details:
        """Read what is being written."""
        made = cls.__new__(cls)
        made._database, made._lock = database, threading.Lock()
        return made

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def product_count(self) -> int:
        """Active products."""
        return int(self._one("SELECT count(*) FROM products")[0])

    def products(self, ordinals: Sequence[int]) -> list[dict[str, Any]]:
        """Rows of `products` in the order asked for; each with its `ordinal`."""
        marks = ", ".join("?" * len(ordinals))
        rows = self._all(f"SELECT ordinal, row FROM products WHERE ordinal IN ({marks})", ordinals)
        found = {ordinal: {**_unpacked(row), "ordinal": ordinal} for ordinal, row in rows}
        return [found[ordinal] for ordinal in ordinals if ordinal in found]

    def product(self, product_id: str) -> dict[str, Any] | None:
        """One row of `products` with its `ordinal`."""
        row = self._one("SELECT ordinal, row FROM products WHERE product_id = ?", product_id)
        return {**_unpacked(row[1]), "ordinal": row[0]} if row else None

    def ordinals(self, product_ids: Sequence[str]) -> dict[str, int]:
        """Ordinals by product; those that are not there are left out."""
        marks = ", ".join("?" * len(product_ids))
        return dict(self._all(f"SELECT product_id, ordinal FROM products WHERE product_id IN ({marks})", product_ids))

    def every_product(self) -> Iterator[tuple[int, dict[str, Any], list[dict[str, Any]], str | None]]:
        """Ordinal, row, claims and the feed's description of every product."""
        for ordinal, product_id, row in self._all("SELECT ordinal, product_id, row FROM products ORDER BY ordinal"):
            feed = self._one("SELECT description FROM pictures WHERE product_id = ? ORDER BY view", product_id)
            yield ordinal, _unpacked(row), self.claims(product_id), feed[0] if feed else None

    def claims(self, product_id: str) -> list[dict[str, Any]]:
        """Rows of `product_attributes`."""
        return [_unpacked(row) for (row,) in self._all("SELECT row FROM claims WHERE product_id = ?", [product_id])]

    def pictures(self, product_id: str) -> list[dict[str, Any]]:
        """Pictures of a product in their order: address, view, status and what was seen (`seen`), None if nothing."""
        rows = self._all(
            "SELECT p.view, p.image_uri, i.content, i.status, i.reason, c.row FROM pictures p "
            "LEFT JOIN images i USING (image_uri) LEFT JOIN contents c ON c.content = i.content "
            "WHERE p.product_id = ? ORDER BY p.view, p.image_uri",
            [product_id],
        )
        names = ("view", "image_uri", "content_sha256", "status", "reason")
        return [
            {**dict(zip(names, row[:5], strict=True)), "seen": _unpacked(row[5]) if row[5] else None} for row in rows
        ]

    def feed(self, product_id: str) -> dict[str, Any]:
        """What the feed says of a product: description and category."""
        row = self._one(
            "SELECT description, feed_category FROM pictures WHERE product_id = ? ORDER BY view", product_id
        )
        return {"description": row[0], "category": row[1]} if row else {"description": None, "category": None}

    def similar(self, product_id: str) -> list[dict[str, Any]]:
        """Neighbors from `similar_products`."""
        row = self._one("SELECT row FROM similar WHERE product_id = ?", product_id)
        return list(_unpacked(row[0])["neighbors"]) if row else []

    def duplicates(self, product_id: str) -> list[dict[str, Any]]:
        """Rows of `near_duplicates` of other products that show one of this product's pictures."""
        rows = self._all(
            "SELECT row FROM duplicates WHERE product_id <> ?1 AND group_id IN "
            "(SELECT group_id FROM duplicates WHERE product_id = ?1) ORDER BY product_id LIMIT 50",
            [product_id],
        )
        return [_unpacked(row) for (row,) in rows]

    def image_uri(self, content: str) -> str | None:
        """An address at which a content was last seen."""
        row = self._one("SELECT image_uri FROM images WHERE content = ? ORDER BY image_uri", content)
        return str(row[0]) if row else None

    def content(self, content: str) -> dict[str, Any] | None:
        """What was seen in a content."""
        row = self._one("SELECT row FROM contents WHERE content = ?", content)
        return _unpacked(row[0]) if row else None

    def review(self, reason: str | None, without: Sequence[str], offset: int, limit: int) -> tuple[int, list[int]]:
        """How many products wait for a person, and the ordinals of a page, least sure first.

        Args:
            reason: conflict, no_category or None for all.
            without: products that are dealt with.
            offset: products to pass over.
            limit: products to return.
        """
        more = {"conflict": "AND has_conflict", "no_category": "AND NOT has_category"}.get(reason or "", "")
        gone = json.dumps(list(without))
        where = f"needs_review {more} AND product_id NOT IN (SELECT value FROM json_each(?))"
        total = self._one(f"SELECT count(*) FROM products WHERE {where}", gone)[0]
        rows = self._all(
            f"SELECT ordinal FROM products WHERE {where} ORDER BY confidence, ordinal LIMIT ? OFFSET ?",
            [gone, limit, offset],
        )
        return int(total), [int(row[0]) for row in rows]

    def quarantine(
        self, reason: str | None, offset: int, limit: int
    ) -> tuple[dict[str, int], int, list[dict[str, Any]]]:
        """Counts by reason, how many are asked for, and a page of unresolved rows, latest first."""
        counts = dict(self._all("SELECT reason, count(*) FROM quarantine GROUP BY reason ORDER BY 2 DESC, 1"))
        rows = self._all(
            "SELECT row FROM quarantine WHERE ?1 IS NULL OR reason = ?1 ORDER BY position LIMIT ?2 OFFSET ?3",
            [reason, limit, offset],
        )
        total = sum(counts.values()) if reason is None else counts.get(reason, 0)
        return counts, total, [_unpacked(row[0]) for row in rows]

    def _one(self, query: str, *values: Any) -> Any:
        with self._lock:
            return self._database.execute(query, values).fetchone()

    def _all(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        with self._lock:
            return self._database.execute(query, values).fetchall()


def _packed(row: Mapping[str, Any]) -> bytes:
    return zlib.compress(json.dumps(row, default=_plain, ensure_ascii=False, separators=(",", ":")).encode(), 1)


def _unpacked(data: bytes) -> dict[str, Any]:
    return dict(json.loads(zlib.decompress(data)))


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in a page")
