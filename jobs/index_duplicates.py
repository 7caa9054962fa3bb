"""Index, second step: `near_duplicates`, groups of pictures that show the same picture."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812 - its usual name

from jobs.index_rows import StagedChanges, stage_changes, staged
from jobs.run import Run
from schemas.contract import ddl_columns
from schemas.index_tables import NEAR_DUPLICATES
from udfs.copy_print import FIRST_CUT, LAST_CUT
from udfs.near_duplicates import (
    FIRST_IS_CROP,
    MOST_BITS,
    MOST_CROP_BITS,
    SECOND_IS_CROP,
    WHOLE,
    Pair,
    duplicate_groups,
)
from udfs.spark_duplicates import PAIR_COLUMNS, copied_pairs

# Hashes that differ in at most 7 bits differ in at most one in one of 4 bands of 16: so one of the 4 x 17 probes of the
# first is among the 4 keys of the second (multi-index hashing: Norouzi, Punjani and Fleet 2012). Hashes of whole
# pictures are probed so; with those of crops, and those of middles among themselves, an equal band is asked for.
_FLIPS = "transform(sequence(0, 16), i -> if(i = 0, 0, 1 << (i - 1)))"
_NEAR, _IS_CROP, _HAS_CROP, _MIDDLE = range(4)
"""Why two hashes are compared: two whole pictures, the first is a crop, the second is, two middles."""

_MEMBER_SCHEMA = (
    "content_sha256 string, group_id string, linked_id string, nearest_sha256 string, distance int, similarity float, "
    "agreement float"
)


def stage_duplicates(run: Run, moved: DataFrame | None) -> StagedChanges:
    """Group the pictures of `product_embeddings`.

    Args:
        run: the run.
        moved: content_sha256 of pictures that came or went; only groups that they are or were in, or that they join,
            are looked at. None: all.
    """
    pictures = run.store.read("product_embeddings").where("view >= 0 AND perceptual_hash IS NOT NULL")
    standing = run.store.read("near_duplicates")
    if moved is None:
        pairs = staged(run, "pairs", _pairs(pictures, pictures))
    else:
        here = pictures.join(moved, "content_sha256", "left_semi")
        joining = staged(run, "pairs_of_moved", _pairs(here, pictures))
        met = joining.select(F.explode(F.array("first", "second")).alias("content_sha256"))
        asked = moved.unionByName(met)
        # Groups that are linked may be drawn otherwise when one of them changes.
        linked = standing.join(asked, "content_sha256", "left_semi").select("linked_id").distinct()
        members = standing.join(linked, "linked_id", "left_semi").select("content_sha256")
        affected = staged(run, "affected_contents", asked.unionByName(members).distinct())
        pictures = pictures.join(affected, "content_sha256", "left_semi")
        standing = standing.join(affected, "content_sha256", "left_semi")
        stayed = pictures.join(moved, "content_sha256", "left_anti")
        pairs = joining.unionByName(_pairs(stayed, stayed)).dropDuplicates(["first", "second"])
    wanted = _rows(run, pictures, pairs)
    return stage_changes(run, NEAR_DUPLICATES, wanted, standing)


def _pairs(some: DataFrame, others: DataFrame) -> DataFrame:
    """Pairs of contents that show the same picture, one of `some` and one of `others`; the smaller SHA-256 first."""
    probes = _hashes(some).select(
        *("content_sha256", "bits"),
        F.expr(
            "explode(concat("
            f"flatten(transform({_keys(_NEAR, 'bits')}, k -> transform({_FLIPS}, f -> {_key('k.key ^ f', 'bits')}))), "
            f"{_keys(_IS_CROP, 'bits')}, {_keys(_HAS_CROP, 'first_cut')}, {_keys(_HAS_CROP, 'last_cut')}, "
            f"{_keys(_MIDDLE, 'last_cut')}))"
        ).alias("probe"),
    )
    keys = _hashes(others).select(
        *("content_sha256", "bits"),
        F.expr(
            f"explode(concat({_keys(_NEAR, 'bits')}, {_keys(_IS_CROP, 'first_cut')}, {_keys(_IS_CROP, 'last_cut')}, "
            f"{_keys(_HAS_CROP, 'bits')}, {_keys(_MIDDLE, 'last_cut')}))"
        ).alias("probe"),
    )
    a = probes.select("content_sha256", "bits", "probe.key", F.col("probe.hash").alias("hash")).alias("a")
    b = keys.select("content_sha256", "bits", "probe.key", F.col("probe.hash").alias("hash")).alias("b")
    one, other = F.col("a.content_sha256"), F.col("b.content_sha256")
    why = F.shiftright("key", 20)
    most = F.when(why.isin(_IS_CROP, _HAS_CROP), MOST_CROP_BITS).otherwise(MOST_BITS)
    apart = F.bit_count(F.col("a.hash").bitwiseXOR(F.col("b.hash")))
    # A crop of the first, or the first of them: of the pair as it is named, with the smaller SHA-256 first.
    is_second = (why == _HAS_CROP) == (one < other)
    hint = F.when(why.isin(_NEAR, _MIDDLE), WHOLE).when(is_second, SECOND_IS_CROP).otherwise(FIRST_IS_CROP)
    met = (
        a.join(b, "key")
        .where((one != other) & (apart <= most))
        .select(
            F.least(one, other).alias("first"),
            F.greatest(one, other).alias("second"),
            F.bit_count(F.col("a.bits").bitwiseXOR(F.col("b.bits"))).cast("int").alias("distance"),
            hint.alias("hint"),
        )
        .groupBy("first", "second", "distance")
        .agg(F.bit_or("hint").alias("hints"))
    )
    contents = others.where("copy_print IS NOT NULL").dropDuplicates(["content_sha256"])

    def of(name: str) -> DataFrame:
        told = {"content_sha256": name, "copy_print": f"{name}_print", "vector": f"{name}_vector"}
        return contents.select(*(F.col(column).alias(alias) for column, alias in told.items()))

    complete = met.join(of("first"), "first").join(of("second"), "second")
    compared = [f"{name}_{column}" for column in ("print", "vector") for name in ("first", "second")]
    ordered = complete.select("first", "second", "distance", "hints", *compared)
    return ordered.mapInArrow(copied_pairs(), ddl_columns(PAIR_COLUMNS))


def _keys(why: int, column: str) -> str:
    """Four keys of a hash, one per band, as structs of key and hash."""
    band = f"({why} << 20) | (b << 16) | (shiftrightunsigned({column}, 16 * b) & 65535)"
    return f"transform(sequence(0, 3), b -> {_key(f'cast({band} AS int)', column)})"


def _key(key: str, column: str) -> str:
    return f"named_struct('key', {key}, 'hash', {column})"


def _hashes(pictures: DataFrame) -> DataFrame:
    """Content and three hashes as integers: of the whole picture, and of what is left of it by `CUTS`."""
    contents = pictures.where("copy_print IS NOT NULL").groupBy("content_sha256")
    told = contents.agg(F.first("perceptual_hash").alias("whole"), F.first("copy_print").alias("print"))
    columns = {"bits": "whole", "first_cut": _part(FIRST_CUT), "last_cut": _part(LAST_CUT)}
    spelled = [f"cast(conv({digits}, 16, -10) AS bigint) AS {name}" for name, digits in columns.items()]
    return told.selectExpr("content_sha256", *spelled)


def _part(of_print: slice) -> str:
    return f"substring(print, {of_print.start + 1}, {of_print.stop - of_print.start})"


def _rows(run: Run, pictures: DataFrame, pairs: DataFrame) -> DataFrame:
    """Rows of the pictures that share their content or a pair with another one.

    The driver sees the pairs, not the pictures: about 150 bytes for each two contents that show the same picture.
    """
    found = pairs.toArrow().to_pylist()
    groups = duplicate_groups(Pair(**row) for row in found)
    placed = [
        (content, one.group, one.linked, one.nearest, one.distance, one.similarity, one.agreement)
        for content, one in groups.items()
    ]
    members = run.spark.createDataFrame(placed, _MEMBER_SCHEMA)
    own = F.col("content_sha256")

    def or_itself(name: str, value: Column) -> Column:
        return F.coalesce(F.col(name), value).alias(name)

    grouped = pictures.select("product_id", "view", "image_uri", "content_sha256").join(
        members, "content_sha256", "left"
    )
    complete = grouped.select(
        *("product_id", "view", "image_uri", "content_sha256"),
        or_itself("group_id", own),
        or_itself("nearest_sha256", own),
        or_itself("distance", F.lit(0)),
        or_itself("similarity", F.lit(1.0).cast("float")),
        or_itself("agreement", F.lit(1.0).cast("float")),
        or_itself("linked_id", own),
    )
    sizes = complete.groupBy("group_id").agg(
        F.count("*").cast("int").alias("pictures"), F.count_distinct("content_sha256").cast("int").alias("contents")
    )
    return complete.join(sizes.where("pictures > 1"), "group_id")
