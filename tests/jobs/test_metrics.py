"""What nights measure of themselves, and the gate that refuses one whose assortment has moved."""

from __future__ import annotations

import csv
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from typer.testing import CliRunner

from jobs.cli import app
from jobs.close import NightIncompleteError
from jobs.dashboard import NoNightsError, write_dashboard
from jobs.metrics import NightMetrics
from jobs.nightly import run_stages
from jobs.publish import GateFailedError, distribution_checks
from schemas.settings import GateSettings, Settings
from tests.jobs.conftest import Shop
from tests.pictures import write_feed

KINDS = ("category", "color", "pattern", "shape", "category_confidence", "color_confidence")


@pytest.fixture(scope="module")
def nights(spark: Any, lakehouse: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Shop, str]:
    """Two published nights, and a third with half the assortment, whose drift is too much for a strict gate."""
    folder = tmp_path_factory.mktemp("metrics")
    shutil.copytree(lakehouse.folder, folder, dirs_exist_ok=True)
    gate = {"drift_min_pictures": 1, "max_drift": 0.001, "max_shrink_share": 1, "max_category_loss_share": 1}
    # The pictures of the copied tables still lie where they were.
    shop = Shop(spark, folder, gate=gate, allowed_roots=(str(lakehouse.folder),))
    with shop.feed.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if not row["product_id"].startswith("ODD")]
    kept = sorted({row["product_id"] for row in rows})[:2]
    write_feed(
        shop.feed,
        (
            {**row, "image_uri": str(lakehouse.feed.parent / row["image_uri"])}
            for row in rows
            if row["product_id"] in kept
        ),
    )
    with pytest.raises(GateFailedError) as refused:
        run_stages(Settings(**shop.settings), run_id="night-3", quiet=True)
    return shop, str(refused.value)


def test_shares_of_a_night_add_up(nights):
    shop, _ = nights
    rows = shop.rows("metrics", "run_id = 'night-1'")
    (pictures,) = [row["value"] for row in rows if row["metric"] == "pictures"]
    extracted = shop.rows("runs", "run_id = 'night-1' AND stage = 'extract'")[0]["counts"]
    assert pictures == extracted["extracted"] + extracted["reused"]
    for dimension in KINDS:
        shares = {
            row["label"]: row["value"] for row in rows if (row["metric"], row["dimension"]) == ("share", dimension)
        }
        assert sum(shares.values()) == pytest.approx(1), dimension
    assert not [row for row in rows if row["metric"] == "drift"], "the first night has nothing to compare with"


def test_median_of_a_step_is_below_its_95th_percentile(nights):
    shop, _ = nights
    rows = shop.rows("metrics", "run_id = 'night-1' AND metric = 'step_ms'")
    steps = {(row["dimension"], row["label"]): row["value"] for row in rows}
    assert 0 < steps["models", "p50"] <= steps["models", "p95"]


def test_gate_refuses_an_assortment_that_has_moved_and_says_how_far(nights):
    shop, said = nights
    assert re.search(r"drift_from_last_night: \w+ 0\.\d+, expected divergence of at most 0\.001", said)
    assert {row["run_id"] for row in shop.rows("publications")} == {"night-1", "night-2"}, (
        "readers keep the second night"
    )
    drift = {row["dimension"]: row["value"] for row in shop.rows("metrics", "run_id = 'night-3' AND metric = 'drift'")}
    assert set(drift) == set(KINDS)
    assert 0 < drift["category"] <= 1


def test_dashboard_shows_both_nights_and_why_the_last_failed(nights):
    shop, _ = nights
    page = write_dashboard(Settings(**shop.settings), shop.folder / "dashboard").read_text()
    assert "last one failed" in page
    assert "drift_from_last_night" in page
    assert "Readers see publication 2" in page
    assert page.count('class="fails"') == 1
    assert "<script" not in page


def test_prometheus_file_parses_and_tells_the_last_night(nights):
    shop, _ = nights
    write_dashboard(Settings(**shop.settings), shop.folder / "dashboard")
    text = (shop.folder / "dashboard" / "vitrine.prom").read_text()
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples["vitrine_night_success",] == 0
    assert samples["vitrine_night_last_success_timestamp_seconds",] > 1.7e9
    assert samples["vitrine_publication_id",] == 2
    active = shop.store.read("images").where("is_active").count()
    assert samples["vitrine_stage_count", "extract", "images"] == active
    assert 0 < samples["vitrine_drift", "category", "night"] <= 1
    assert samples["vitrine_step_milliseconds", "0.95", "models"] > 0


def test_night_that_lacks_a_stage_is_not_closed(nights):
    shop, _ = nights
    with pytest.raises(NightIncompleteError, match=r"publish \(failed\), maintain \(has not run\)"):
        run_stages(Settings(**shop.settings), ("close",), run_id="night-3", quiet=True)


def test_dashboard_of_no_tables_says_so(tmp_path: Path):
    with pytest.raises(NoNightsError, match="holds no Vitrine tables"):
        write_dashboard(Settings(tables=str(tmp_path)), tmp_path / "dashboard")
    result = CliRunner().invoke(app, ["dashboard", "--tables", str(tmp_path)])
    assert isinstance(result.exception, NoNightsError)


def measured(missing: float, drift: float, pictures: int = 1000, before: int = 1000) -> NightMetrics:
    return NightMetrics(
        pictures, {"color": {"(none)": missing, "red": 1 - missing}}, {"week": {"color": drift}}, {"week": before}
    )


@pytest.mark.parametrize(
    ("night", "failed"),
    [
        (measured(0.1, 0.1), set()),
        (measured(0.6, 0.1), {"missing_color"}),
        (measured(0.1, 0.3), {"drift_from_last_week"}),
        (measured(0.1, 0.3, pictures=50), set()),
        (measured(0.1, 0.3, before=50), set()),
    ],
)
def test_drift_is_judged_only_where_there_are_pictures_enough(night, failed):
    checks = distribution_checks(night, GateSettings())
    assert {check.name for check in checks if not check.passed} == failed
