"""The extract UDF as a person in a notebook uses it: on a column, and in SQL."""

from __future__ import annotations

import pytest

from jobs.session import bundle_source
from models.bundle import load_bundle
from schemas.uri import normalize_uri
from tests.pictures import COLORS, write_picture
from udfs.extract import ExtractorConfig
from udfs.spark_extract import extract_image_udf, register_sql_function


@pytest.fixture(scope="module")
def config(spark):
    return ExtractorConfig(bundle=bundle_source(spark, load_bundle(), None), micro_batch=3)


@pytest.fixture
def pictures(spark, tmp_path):
    uris = [
        normalize_uri(str(write_picture(tmp_path / f"{name}.jpg", seed, color=color)))
        for seed, (name, color) in enumerate(COLORS.items())
    ]
    (tmp_path / "broken.jpg").write_text("no picture")
    rows = [(uri,) for uri in [*uris, normalize_uri(str(tmp_path / "broken.jpg")), uris[0]]]
    return spark.createDataFrame([*rows, (None,)], "uri string").coalesce(1)


def test_function_on_a_column_describes_each_row_in_its_place(pictures, config):
    seen = pictures.select("uri", extract_image_udf(config)("uri").alias("seen")).collect()
    by_name = {(row["uri"] or "none").rsplit("/", 1)[-1]: row["seen"] for row in seen}
    assert {name: by_name[f"{name}.jpg"]["attributes"]["color"].split()[-1] for name in COLORS} == {
        name: name for name in COLORS
    }
    assert by_name["broken.jpg"]["reason"] == "not_an_image"
    assert by_name["broken.jpg"]["attributes"] is None
    assert by_name["none"]["status"] == "quarantined"
    assert len(by_name["blue.jpg"]["attributes"]["embedding"]) == 256
    statuses = sorted(row["seen"]["status"] for row in seen)
    assert statuses == ["extracted"] * 5 + ["quarantined"] * 2, "the picture that comes twice is described twice"


def test_function_works_in_sql(spark, pictures, config):
    register_sql_function(spark, config)
    pictures.createOrReplaceTempView("pictures")
    rows = spark.sql(
        "SELECT seen.attributes.color, seen.attributes.quality.score FROM "
        "(SELECT uri, extract_image(uri) AS seen FROM pictures WHERE uri LIKE '%red%')"
    ).collect()
    assert rows[0]["color"].endswith("red")
    assert 0 <= rows[0]["score"] <= 1
