"""The way of a correction: from the page into the spool, into the table by the next night, and out of the queue."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from jobs.corrections_spool import FOLDER, CorrectionsSpool, SpooledCorrection, import_spooled
from jobs.run import Run
from jobs.store import TableStore
from schemas.settings import S3Settings, Settings
from schemas.tables import CORRECTIONS
from tests.service.shop import Shop

NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)


def test_correction_waits_leaves_the_queue_and_can_be_taken_back(client: TestClient, shop: Shop) -> None:
    queue = client.get("/review").json()
    assert [item["card"]["product_id"] for item in queue["items"]] == ["P012", "P005"]
    assert [item["reasons"] for item in queue["items"]] == [["no_category"], ["conflict"]]
    assert queue["items"][0]["candidates"][0]["count"] > 0
    assert client.get("/review", params={"reason": "conflict"}).json()["total"] == 1

    asked = {"product_id": "P012", "attribute": "category", "value": "tomatoes", "note": "looked at it"}
    answer = client.post("/corrections", json=asked)
    assert answer.status_code == 201, answer.text
    saved = answer.json()
    assert saved["value"] == "groceries/vegetables/tomato"
    assert list((shop.root / FOLDER).glob("*.json"))
    assert client.get("/review").json()["total"] == 1
    assert client.get("/products/P012").json()["corrections"] == [saved]

    assert client.delete(f"/corrections/{saved['id']}").status_code == 204
    assert client.get("/review").json()["total"] == 2
    assert client.delete(f"/corrections/{saved['id']}").status_code == 404
    assert not list((shop.root / FOLDER).glob("*.json"))


def test_confirming_what_is_said_is_a_correction_too(client: TestClient, shop: Shop) -> None:
    color = shop.product("P005")["color"]
    saved = client.post("/corrections", json={"product_id": "P005", "attribute": "color", "value": color}).json()
    assert saved["predicted"] == saved["value"] == color
    assert client.delete(f"/corrections/{saved['id']}").status_code == 204


def test_facts_that_no_model_tells_are_corrected_too(client: TestClient) -> None:
    vocabulary = client.get("/vocabulary").json()["attributes"]
    assert vocabulary["material"]["is_open"]
    assert vocabulary["material"]["is_many"]
    assert not vocabulary["neckline"]["is_open"]
    asked = {"product_id": "P005", "attribute": "material", "value": "60% Cotton, 40% 亚麻"}
    saved = client.post("/corrections", json=asked).json()
    assert saved["value"] == "60% cotton, 40% linen"
    assert client.delete(f"/corrections/{saved['id']}").status_code == 204
    refused = client.post("/corrections", json={**asked, "attribute": "price", "value": "1"})
    assert refused.status_code == 422, refused.text
    assert "only category, color" in refused.json()["detail"]


def correction(product_id: str, value: str, minutes: int = 0, **more: Any) -> SpooledCorrection:
    told = {"attribute": "color", "corrected_by": "ann", "corrected_at": NOW + timedelta(minutes=minutes), **more}
    return SpooledCorrection(product_id=product_id, value=value, **told)


def test_night_takes_the_spool_in_once_and_the_latest_word_stands(spark: Any, tmp_path: Path) -> None:
    root = f"file://{tmp_path / 'tables'}"
    spool = CorrectionsSpool(root, S3Settings())
    spool.put(correction("p1", "blue", minutes=5))
    spool.put(correction("p1", "red", minutes=1))
    spool.put(correction("p2", "apparel/dresses-sets/dress", attribute="category"))
    spoilt = tmp_path / "tables" / FOLDER / "20261124T060000000000-spoilt.json"
    spoilt.write_text('{"product_id": "p3", "attribute": "is_active"}')
    unknown = spool.put(correction("p4", "no such color"))

    store = TableStore(spark, root)
    store.ensure((CORRECTIONS,))
    run = Run(spark, store, Settings(tables=str(tmp_path / "tables")), "night-1", "b@1")
    assert import_spooled(run) == 2
    rows = {row["subject"]: row for row in store.read("corrections").collect()}
    assert {name: row["value"] for name, row in rows.items()} == {"p1": "blue", "p2": "apparel/dresses-sets/dress"}
    assert rows["p1"]["source"] == "vitrine serve"
    assert rows["p1"]["corrected_by"] == "ann"
    # What cannot be taken in stays for a person to look at; all else is gone, and a second time nothing happens.
    assert sorted(spool.names()) == sorted([spoilt.name, unknown])
    version = store.version("corrections")
    assert import_spooled(run) == 0
    assert store.version("corrections") == version
