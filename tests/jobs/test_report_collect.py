"""What the report reads from the tables: current pictures only, evenly over categories, nothing unbounded."""

from __future__ import annotations

import time
from datetime import timedelta
from decimal import Decimal

import pytest
from pyspark.sql.types import StructType

from jobs.report import render_report
from jobs.report_collect import QUARANTINE_ROWS_PER_REASON, collect_report_data
from jobs.report_data import Product, Share
from jobs.spark_session import spark_session
from schemas.contract import ddl_columns
from schemas.reasons import ImageError, Reason
from schemas.tables import TABLES
from tests.jobs.report_rows import COLORS, NIGHT, RUN, attributes, draw_picture

SHIRT, BAG = "apparel/topwear/t-shirt", "accessories/bags-and-wallets/handbag"
YESTERDAY = "20261122T021400-aaaaaa"


@pytest.fixture(scope="module")
def spark():
    return spark_session("test_report_collect", master="local[2]")


class Shop:
    """Rows of the tables as a night left them, and the pictures behind them."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.rows: dict[str, list[dict]] = {name: [] for name in TABLES}

    def add(self, uri, category, color="red", run_id=RUN, status="extracted", is_active=True, data=None):
        """A picture: its file, its manifest row, its attributes."""
        self.files[uri] = (
            draw_picture(COLORS[color][1], 120, 160, seed=len(self.rows["images"])) if data is None else data
        )
        row = attributes(self.files[uri], category, color, run_id=run_id)
        known = {(other["content_sha256"], other["bundle_version"]) for other in self.rows["image_attributes"]}
        if (row["content_sha256"], row["bundle_version"]) not in known:
            self.rows["image_attributes"].append(row)
        extracted = status == "extracted"
        self.rows["images"].append({
            "image_uri": uri, "status": status, "is_active": is_active, "attempts": 0, "run_id": run_id,
            "first_seen_at": NIGHT, "changed_at": NIGHT,
            "content_sha256": row["content_sha256"] if extracted else None,
            "bundle_version": "shop-1" if extracted else None,
        })  # fmt: skip

    def sell(self, product_id, uri, title, is_active=True):
        """A catalog row."""
        self.rows["catalog"].append({
            "product_id": product_id, "image_uri": uri, "view": 0, "title": title, "brand": "Acme", "category": "Tops",
            "price": Decimal("19.90"), "row_hash": "0", "is_active": is_active, "first_seen_at": NIGHT,
            "changed_at": NIGHT, "run_id": RUN,
        })  # fmt: skip

    def quarantine(self, number, reason, resolved=False):
        """A quarantine row."""
        self.rows["quarantine"].append({
            "quarantine_id": f"{reason}-{number:04d}", "stage": "extract", "image_uri": f"s3://shop/{number}.jpg",
            "reason": reason, "detail": "gone", "retryable": True, "attempts": 1, "first_seen_at": NIGHT,
            "last_seen_at": NIGHT + timedelta(minutes=number), "run_id": RUN,
            "resolved_at": NIGHT if resolved else None,
        })  # fmt: skip

    def stage(self, stage, run_id=RUN, **values):
        """A row of `runs`."""
        row = {
            "run_id": run_id,
            "stage": stage,
            "status": "succeeded",
            "started_at": NIGHT,
            "counts": {},
            "reasons": {},
        }
        self.rows["runs"].append(row | {"step_ms": {}} | values)

    def publish(self, number):
        """A publication."""
        check = {"name": "pictures", "passed": True, "observed": "9", "expected": "at least one"}
        self.rows["publications"].append({
            "publication_id": number, "run_id": f"run-{number}", "published_at": NIGHT, "versions": {"catalog": number},
            "bundle_version": "shop-1", "checks": [check],
        })  # fmt: skip

    def read_image(self, uri):
        """The file, or the error that the fetcher raises."""
        if uri not in self.files:
            raise ImageError(Reason.NOT_FOUND, f"{uri} does not exist")
        return self.files[uri]

    def collect(self, spark, **options):
        """The report's data, read with Spark from tables that have exactly the contracts' types."""

        def read_table(name):
            schema = StructType.fromDDL(ddl_columns(TABLES[name].columns))
            rows = [tuple(row.get(column) for column in schema.names) for row in self.rows[name]]
            return spark.createDataFrame(rows, schema)

        return collect_report_data(read_table, self.read_image, RUN, **options)


@pytest.fixture(scope="module")
def night(spark):
    """What was collected of one night with a bit of everything; the driver's clock is not on UTC."""
    shop = Shop()
    shop.stage("extract", counts={"images": 3, "extracted": 3}, step_ms={"decode": 2.5}, images_per_second=12.5)
    shop.stage("ingest", counts={"feed_rows": 3, "rows_inserted": 3})
    shop.stage("ingest", run_id=YESTERDAY, counts={"feed_rows": 99})

    shop.add("s3://shop/shirt.jpg", SHIRT)
    shop.sell("P-2", "s3://shop/shirt.jpg", "Red shirt, other seller")
    shop.sell("P-1", "s3://shop/shirt.jpg", "Red shirt")
    shop.sell("P-0", "s3://shop/shirt.jpg", "No longer sold", is_active=False)
    shop.add("s3://shop/twin-of-shirt.jpg", SHIRT, data=shop.files["s3://shop/shirt.jpg"])
    shop.add("s3://shop/bag.jpg", BAG, "navy", run_id=YESTERDAY)
    shop.add("s3://shop/unsure.jpg", None, "navy")
    shop.add("s3://shop/inactive.jpg", BAG, is_active=False)
    shop.add("s3://shop/quarantined.jpg", BAG, status="quarantined")

    shop.add("s3://shop/gone.jpg", SHIRT)
    del shop.files["s3://shop/gone.jpg"]
    shop.add("s3://shop/changed.jpg", SHIRT)
    shop.files["s3://shop/changed.jpg"] = draw_picture("blue")
    shop.add("s3://shop/broken.jpg", SHIRT, data=b"no picture")

    for number in range(40):
        shop.quarantine(number, "not_found")
    shop.quarantine(1, "truncated")
    shop.quarantine(2, "truncated", resolved=True)
    for number in (1, 2):
        shop.publish(number)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "Asia/Shanghai")
        time.tzset()
        collected = shop.collect(spark, places={"Tables": "s3://shop/tables"})
    time.tzset()
    return collected


def by_uri(data):
    return {picture.image_uri.removeprefix("s3://shop/"): picture for picture in data.pictures}


def test_the_stages_of_this_run_are_found_in_order(night):
    assert [stage.stage for stage in night.stages] == ["ingest", "extract"]
    assert [(flow.title, flow.total, flow.difference) for flow in night.flows] == [
        ("Feed rows", 3, 0),
        ("Pictures of the catalog", 3, 0),
    ]
    assert night.stages[1].step_ms == {"decode": 2.5}


def test_times_are_instants_whatever_the_time_zone_of_the_driver(night):
    assert night.stages[0].started_at == NIGHT
    assert night.publication.published_at == NIGHT
    assert by_uri(night)["shirt.jpg"].attributes["extracted_at"] == NIGHT


def test_a_picture_comes_with_a_product_that_shows_it(night):
    shirt, bag = by_uri(night)["shirt.jpg"], by_uri(night)["bag.jpg"]
    assert (shirt.product, shirt.product_count) == (Product("P-1", "Red shirt", "Acme", "Tops", "19.90"), 2)
    assert (bag.product, bag.product_count) == (None, 0)
    assert (shirt.is_new, bag.is_new) == (True, False)
    assert shirt.thumbnail[8:12] == b"WEBP"
    assert shirt.attributes["region"]["box"]["x_max"] == 240
    assert "embedding" not in shirt.attributes


def test_only_what_is_current_counts(night):
    shown = set(by_uri(night))
    assert not shown & {"inactive.jpg", "quarantined.jpg"}
    assert len(shown & {"shirt.jpg", "twin-of-shirt.jpg"}) == 1, "one content is one picture"
    assert night.picture_count == 6
    assert night.distributions["category"] == (Share(SHIRT, 4), Share(None, 1), Share(BAG, 1))
    assert night.distributions["color"] == (Share("red", 4), Share("navy", 2))
    assert night.distributions["quality"] == (Share("5", 6),)


def test_pictures_that_cannot_be_shown_say_why(night):
    notes = {name: picture.note for name, picture in by_uri(night).items()}
    assert "s3://shop/gone.jpg does not exist" in notes["gone.jpg"]
    assert notes["changed.jpg"] == "The file has changed since it was looked at."
    assert notes["broken.jpg"].startswith("Could not be read for this report: UnidentifiedImageError")
    assert notes["bag.jpg"] is None


def test_quarantine_is_counted_in_full_and_shown_in_part(night):
    assert night.quarantine_counts == {"not_found": 40, "truncated": 1}
    shown = [entry for entry in night.quarantine if entry.reason == "not_found"]
    assert len(shown) == QUARANTINE_ROWS_PER_REASON
    assert shown[0].image_uri == "s3://shop/39.jpg", "the newest first"


def test_the_newest_publication_is_shown(night):
    publication = night.publication
    assert (publication.publication_id, publication.run_id, publication.versions) == (2, "run-2", {"catalog": 2})
    assert publication.checks[0].observed == "9"


def test_it_all_makes_a_page(night):
    page = render_report(night)
    for seen in ("Red shirt", "s3://shop/tables", "Readers still see", "40"):
        assert seen in page


def test_the_sample_is_even_over_categories_and_prefers_tonight(spark):
    shop = Shop()
    for number in range(20):
        shop.add(f"s3://shop/shirt{number}.jpg", SHIRT, run_id=RUN if number == 13 else YESTERDAY)
    for number in range(2):
        shop.add(f"s3://shop/bag{number}.jpg", BAG)
    data = shop.collect(spark, max_pictures=5)
    assert [picture.attributes["category"] for picture in data.pictures] == [BAG, BAG, SHIRT, SHIRT, SHIRT]
    hashes = {row["content_sha256"]: row["image_uri"] for row in shop.rows["images"] if "shirt" in row["image_uri"]}
    tonight = next(sha for sha, uri in hashes.items() if uri == "s3://shop/shirt13.jpg")
    others = sorted(set(hashes) - {tonight})[:2]
    assert {picture.attributes["content_sha256"] for picture in data.pictures[2:]} == {tonight, *others}
    assert data.picture_count == 22
    assert data.publication is None
