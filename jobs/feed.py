"""Reads the catalogue feed, whatever its form, into one shape; nothing is judged or dropped here.

Forms: CSV, JSON Lines and Parquet (a file or a folder of them), a Delta table, or a folder or S3 prefix of pictures,
of which each is a product of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - its usual name

from jobs.listing import Listing, list_location
from jobs.locations import resolve_location
from jobs.spark_session import spark_uri
from schemas.reasons import ImageError
from schemas.settings import S3Settings
from schemas.uri import local_path

REQUIRED_COLUMNS = ("product_id", "image_uri")
OPTIONAL_COLUMNS = ("view", "title", "description", "brand", "category", "price", "updated_at")
# Known from a listing or an S3 inventory: they spare looking at each picture.
FINGERPRINT_COLUMNS = ("etag", "size_bytes", "modified_at")
FEED_COLUMNS = (*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS, *FINGERPRINT_COLUMNS)
PICTURE_SUFFIXES = ("jpg", "jpeg", "jpe", "jfif", "png", "webp", "gif", "bmp", "tif", "tiff", "avif")


class FeedError(RuntimeError):
    """The feed as a whole cannot be read; the message names it and what to do."""


@dataclass(frozen=True)
class Feed:
    """A readable feed.

    Args:
        rows: one row per feed row with `FEED_COLUMNS`, all strings as the feed spells them; missing ones are null.
        base: root to which relative image URIs refer: the folder that holds the feed.
        snapshot: identity of what was read, for the `runs` table.
        form: csv, json, parquet, delta or pictures.
        ignored_files: files in a folder of pictures that are none, by their names.
    """

    rows: DataFrame
    base: str
    snapshot: str
    form: str
    ignored_files: int = 0


@dataclass(frozen=True)
class FeedLocation:
    """A feed that was found and whose form is known."""

    uri: str
    form: str
    listing: Listing

    @property
    def snapshot(self) -> str:
        """Identity of what is read, for the `runs` table."""
        return f"{self.uri}@{self.listing.newest}"


def locate_feed(location: str | None, s3: S3Settings) -> FeedLocation:
    """Find a feed and tell its form, without Spark.

    Raises:
        FeedError: none was named, it does not exist, or holds nothing that can be a feed.
    """
    if not location:
        raise FeedError("no catalog feed was given; name one with --catalog")
    try:
        uri = resolve_location(location)
        listing = list_location(uri, s3)
    except ImageError as error:
        raise FeedError(f"catalog feed {location!r}: {error.detail}") from error
    except OSError as error:
        raise FeedError(f"catalog feed {location} cannot be read: {error}") from error
    return FeedLocation(uri, _form(uri, listing), listing)


def open_feed(spark: SparkSession, location: FeedLocation) -> Feed:
    """Open a feed with Spark.

    Raises:
        FeedError: it cannot be read in its form, or lacks a required column.
    """
    uri, form, files = location.uri, location.form, location.listing
    if form == "pictures":
        return _pictures(spark, location)
    rows = _read_table(spark, uri, form)
    missing = [column for column in REQUIRED_COLUMNS if column not in rows.columns]
    if missing:
        raise FeedError(f"catalog feed {uri}: no column {' and '.join(missing)}; it has {', '.join(rows.columns[:20])}")
    columns = [
        F.col(name).cast("string").alias(name) if name in rows.columns else F.lit(None).cast("string").alias(name)
        for name in FEED_COLUMNS
    ]
    base = uri.rsplit("/", 1)[0] if files.is_file else uri
    return Feed(rows.select(*columns), base, location.snapshot, form)


def _form(uri: str, files: Listing) -> str:
    if any(name.startswith("_delta_log/") for name in files.names):
        return "delta"
    visible = [uri] if files.is_file else [name for name in files.names if not _is_hidden(name)]
    suffixes = [_suffix(name) for name in visible]
    for form, known in (("parquet", {"parquet"}), ("csv", {"csv", "tsv"}), ("json", {"json", "jsonl", "ndjson"})):
        if suffixes and all(suffix in known for suffix in suffixes):
            return form
    if any(suffix in PICTURE_SUFFIXES for suffix in suffixes):
        return "pictures"
    found = ", ".join(sorted({f".{suffix}" for suffix in suffixes})[:8]) or "no visible files"
    raise FeedError(
        f"catalog feed {uri}: expected .csv, .json(l) or .parquet files, a Delta table or pictures; found {found}"
    )


def _suffix(name: str) -> str:
    # `.csv.gz` counts as csv: Spark reads it.
    parts = PurePosixPath(name).name.lower().removesuffix(".gz").rsplit(".", 1)
    return parts[1] if len(parts) == 2 else ""


def _is_hidden(name: str) -> bool:
    return any(part.startswith(("_", ".")) for part in PurePosixPath(name).parts)


def _read_table(spark: SparkSession, uri: str, form: str) -> DataFrame:
    path = spark_uri(uri)
    try:
        if form == "csv":
            separator = "\t" if uri.endswith((".tsv", ".tsv.gz")) else ","
            # Everything as strings: types are judged row by row in ingest, where a wrong value has a reason.
            return spark.read.csv(path, header=True, multiLine=True, escape='"', sep=separator, encoding="UTF-8")
        if form == "json":
            return spark.read.json(path, primitivesAsString=True)
        return spark.read.format(form).load(path)
    except Exception as error:
        raise FeedError(f"catalog feed {uri} cannot be read as {form}: {_first_line(error)}") from error


def _pictures(spark: SparkSession, location: FeedLocation) -> Feed:
    """Each picture below the folder is a product; its id is the path below the folder without the suffix."""
    uri = location.uri
    listing = (
        spark.read.format("binaryFile")
        .option("recursiveFileLookup", "true")
        .load(spark_uri(uri))
        # The content is not among the columns, so Spark only lists and never opens a file.
        .select("path", "modificationTime", "length")
    )
    is_picture = F.lower("path").rlike(rf"\.({'|'.join(PICTURE_SUFFIXES)})$")
    ignored = listing.where(~is_picture).count()
    # Spark spells local paths as file:/a b.jpg, unescaped; a plain path survives normalisation as it is.
    plain = F.regexp_replace(F.regexp_replace("path", "^file:/+", "/"), "^s3[an]?://", "s3://")
    root = str(local_path(uri)) if uri.startswith("file:") else uri.rstrip("/")
    relative = F.substring(plain, len(root) + 2, 4096)
    rows = listing.where(is_picture).select(
        F.regexp_replace(relative, r"\.[A-Za-z]+$", "").alias("product_id"),
        plain.alias("image_uri"),
        *(F.lit(None).cast("string").alias(name) for name in OPTIONAL_COLUMNS),
        F.lit(None).cast("string").alias("etag"),
        F.col("length").cast("string").alias("size_bytes"),
        F.date_format("modificationTime", "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX").alias("modified_at"),
    )
    return Feed(rows, uri, location.snapshot, "pictures", ignored)


def _first_line(error: Exception) -> str:
    """The telling line of a Java or Spark error, without its class name's package."""
    java = getattr(error, "java_exception", None)
    text = str(java.getMessage() or java.toString()) if java is not None else str(error)
    return text.strip().splitlines()[0][:300] if text.strip() else type(error).__name__
