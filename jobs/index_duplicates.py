"""Index, second step: `near_duplicates`, groups of pictures that show the same picture."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812 - its usual name

from jobs.index_rows import StagedChanges, stage_changes, staged
from jobs.run import Run
from schemas.contract import ddl_columns
from schemas.index_tables import NEAR_DUPLICATES
from udfs.near_duplicates import LEAST_COSINE, MOST_BITS, Pair, duplicate_groups
from udfs.spark_index import PAIR_COLUMNS, verified_pairs

# Hashes that differ in at most 7 bits differ in at most one in one of 4 bands of 16: so one of the 4 x 17 probes of the
# first is among the 4 keys of the second (multi-index hashing: Norouzi, Punjani and Fleet 2012).
_KEYS = "transform(sequence(0, 3), b -> cast((b << 16) | (shiftrightunsigned(bits, 16 * b) & 65535) AS int))"
_FLIPS = "transform(sequence(0, 16), i -> if(i = 0, 0, 1 << (i - 1)))"
_PROBES = f"flatten(transform({_KEYS}, key -> transform({_FLIPS}, flip -> key ^ flip)))"
_MEMBER_SCHEMA = "content_sha256 string, group_id string, nearest_sha256 string, distance int, similarity float"


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
        groups = standing.join(asked, "content_sha256", "left_semi").select("group_id").distinct()
        members = standing.join(groups, "group_id", "left_semi").select("content_sha256")
        affected = staged(run, "affected_contents", asked.unionByName(members).distinct())
        pictures = pictures.join(affected, "content_sha256", "left_semi")
        standing = standing.join(affected, "content_sha256", "left_semi")
        stayed = pictures.join(moved, "content_sha256", "left_anti")
        pairs = joining.unionByName(_pairs(stayed, stayed)).dropDuplicates(["first", "second"])
    wanted = _rows(run, pictures, pairs)
    return stage_changes(run, NEAR_DUPLICATES, wanted, standing)


def _pairs(some: DataFrame, others: DataFrame) -> DataFrame:
    """Pairs of contents that show the same picture, one of `some` and one of `others`; the smaller SHA-256 first."""
    probes = _hashes(some).select("content_sha256", "bits", F.explode(F.expr(_PROBES)).alias("key")).alias("a")
    keys = _hashes(others).select("content_sha256", "bits", F.explode(F.expr(_KEYS)).alias("key")).alias("b")
    distance = F.bit_count(F.col("a.bits").bitwiseXOR(F.col("b.bits"))).cast("int")
    one, other = F.col("a.content_sha256"), F.col("b.content_sha256")
    met = (
        probes.join(keys, "key")
        .where((one != other) & (distance <= MOST_BITS))
        .select(F.least(one, other).alias("first"), F.greatest(one, other).alias("second"), distance.alias("distance"))
        .distinct()
    )
    vectors = others.dropDuplicates(["content_sha256"])

    def of(name: str) -> DataFrame:
        return vectors.select(F.col("content_sha256").alias(name), F.col("vector").alias(f"{name}_vector"))

    complete = met.join(of("first"), "first").join(of("second"), "second")
    ordered = complete.select("first", "second", "distance", "first_vector", "second_vector")
    return ordered.mapInArrow(verified_pairs(LEAST_COSINE), ddl_columns(PAIR_COLUMNS))


def _hashes(pictures: DataFrame) -> DataFrame:
    contents = pictures.groupBy("content_sha256").agg(F.first("perceptual_hash").alias("hash"))
    return contents.select("content_sha256", F.expr("cast(conv(hash, 16, -10) AS bigint)").alias("bits"))


def _rows(run: Run, pictures: DataFrame, pairs: DataFrame) -> DataFrame:
    """Rows of the pictures that share their content or a pair with another one.

    The driver sees the pairs, not the pictures: about 150 bytes for each two contents that show the same picture.
    """
    found = pairs.toArrow().to_pylist()
    groups = duplicate_groups(Pair(**row) for row in found)
    placed = [(content, one.group, one.nearest, one.distance, one.similarity) for content, one in groups.items()]
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
    )
    sizes = complete.groupBy("group_id").agg(
        F.count("*").cast("int").alias("pictures"), F.count_distinct("content_sha256").cast("int").alias("contents")
    )
    return complete.join(sizes.where("pictures > 1"), "group_id")
