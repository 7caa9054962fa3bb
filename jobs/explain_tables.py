"""What the tables say of a product or picture that somebody asks about: by delta-rs where there is one, else by Spark.

A question is about a handful of rows; delta-rs answers in milliseconds where Spark takes seconds to start.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jobs.locations import resolve_location
from schemas.settings import Settings

Row = dict[str, Any]
Reader = Callable[[str, str, Sequence[str]], list[Row]]

MOST_PICTURES = 6
"""Pictures of a product that are looked at."""


class UnknownSubjectError(ValueError):
    """What was asked about is no picture to be found and no product of the tables; the message says what to do."""


@dataclass(frozen=True)
class ProductRecord:
    """What the tables hold of a product.

    Args:
        product_id: its identifier.
        title: from the feed.
        description: from the feed.
        image_uris: its active pictures by view.
        product: its row of `products`; None before the first fuse.
        claims: its rows of `product_attributes`.
    """

    product_id: str
    title: str | None
    description: str | None
    image_uris: tuple[str, ...]
    product: Mapping[str, Any] | None
    claims: tuple[Mapping[str, Any], ...]


class ExplainTables:
    """Reads single rows of the tables under a root.

    Args:
        settings: `tables` and how to reach S3.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._root = resolve_location(settings.tables)
        self._read: Reader | None = None

    def product(self, product_id: str) -> ProductRecord:
        """All about a product.

        Raises:
            UnknownSubjectError: the catalog never had it, or there are no tables.
        """
        rows = self.rows("catalog", "product_id", [product_id])
        if not rows:
            raise UnknownSubjectError(
                f"{product_id!r} is no file, URI or content hash that can be found, and no product of {self._root}; "
                "look product identifiers up in its table catalog"
            )
        rows.sort(key=lambda row: (not row["is_active"], row["view"], row["image_uri"]))
        active = [row for row in rows if row["is_active"]] or rows
        found = self.rows("products", "product_id", [product_id], missing_ok=True)
        claims = self.rows("product_attributes", "product_id", [product_id], missing_ok=True)
        return ProductRecord(
            product_id=product_id,
            title=active[0]["title"],
            description=active[0]["description"],
            image_uris=tuple(dict.fromkeys(row["image_uri"] for row in active))[:MOST_PICTURES],
            product=found[0] if found else None,
            claims=tuple(claims),
        )

    def uri_of_content(self, content_sha256: str) -> str:
        """A URI under which a content was last seen.

        Raises:
            UnknownSubjectError: no picture has that content.
        """
        rows = self.rows("images", "content_sha256", [content_sha256])
        if not rows:
            raise UnknownSubjectError(f"no picture of {self._root} has the content {content_sha256}")
        return str(max(rows, key=lambda row: (row["is_active"], row["image_uri"]))["image_uri"])

    def rows(self, table: str, column: str, values: Sequence[str], *, missing_ok: bool = False) -> list[Row]:
        """Rows whose column has one of some values.

        Raises:
            UnknownSubjectError: there is no such table, unless that is allowed.
        """
        if self._read is None:
            self._read = _light_reader(self._root, self._settings) or _spark_reader(self._root, self._settings)
        try:
            return self._read(table, column, values)
        except FileNotFoundError:
            if missing_ok:
                return []
            raise UnknownSubjectError(f"{self._root} holds no Vitrine tables; give their root with --tables") from None


def _light_reader(root: str, settings: Settings) -> Reader | None:
    try:
        from deltalake.exceptions import TableNotFoundError

        from jobs.light_tables import LightTables

        tables = LightTables(root, settings.s3)
    except ImportError:
        return None

    def read(table: str, column: str, values: Sequence[str]) -> list[Row]:
        try:
            return tables.rows(table, column, values)
        except TableNotFoundError:
            raise FileNotFoundError(table) from None

    return read


def _spark_reader(root: str, settings: Settings) -> Reader:
    from pyspark.sql import functions as F  # noqa: N812 - its usual name

    from jobs.spark_session import spark_session
    from jobs.store import TableStore

    store = TableStore(spark_session("vitrine explain", settings.s3), root)

    def read(table: str, column: str, values: Sequence[str]) -> list[Row]:
        if not store.exists(table):
            raise FileNotFoundError(table)
        found = store.read(table).where(F.col(column).isin(list(values))).collect()
        return [row.asDict(recursive=True) for row in found]

    return read
