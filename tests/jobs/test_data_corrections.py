"""The way of a correction: out for labelling, back checked, laid over what the models said, on to training."""

from __future__ import annotations

import csv
import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from jobs.annotation_rows import AnnotationFileError, CorrectedRow, read_rows
from jobs.cli import app, expected_errors
from jobs.corrections import corrected_attributes, product_corrections
from jobs.data_export import NothingToReadError, export_rows
from jobs.data_import import ImportRefusedError, check_rows, import_corrections
from jobs.data_labels import write_corrections_as_labels
from jobs.store import TableStore
from models.label_space import resolve
from models.labelled import read_labels
from schemas.contract import ddl_columns
from schemas.settings import Settings
from schemas.tables import CATALOG, CORRECTIONS, IMAGE_ATTRIBUTES, IMAGES, QUARANTINE
from tests.pictures import write_picture

NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)
SHIRT, DRESS, JEANS = "apparel/topwear/shirt", "apparel/dresses-sets/dress", "apparel/bottomwear/jeans"
CONFIDENCE = {0: 0.9, 1: 0.3, 2: None, 3: 0.45}


class Tables:
    """Four described pictures and one in quarantine, written straight into the tables."""

    def __init__(self, spark, folder: Path) -> None:
        self.folder = folder
        self.settings = Settings(tables=str(folder / "tables"))
        self.store = TableStore(spark, f"file://{folder / 'tables'}")
        self.store.ensure((CATALOG, IMAGES, IMAGE_ATTRIBUTES, QUARANTINE))
        self.pictures = [write_picture(folder / "shop" / f"{number}.jpg", number) for number in range(4)]
        self.sha256 = [hashlib.sha256(path.read_bytes()).hexdigest() for path in self.pictures]
        self.uris = [f"file://{path}" for path in self.pictures]
        self.append(CATALOG, [self.product(number) for number in range(4)])
        self.append(IMAGES, [self.image(number) for number in range(4)])
        self.append(IMAGE_ATTRIBUTES, [self.attributes(number) for number in range(4)])
        self.append(QUARANTINE, [self.failure()])

    def append(self, table, rows) -> None:
        complete = [{name: row.get(name) for name in table.column_names} for row in rows]
        self.store.append(table, self.store.spark.createDataFrame(complete, ddl_columns(table.columns)))

    def product(self, number: int) -> dict:
        row = {
            "product_id": f"p{number}",
            "image_uri": self.uris[number],
            "view": 0,
            "title": f'Title "{number}"\u2028x',
        }
        return {**row, "row_hash": "h", "is_active": True, "first_seen_at": NOW, "changed_at": NOW, "run_id": "r"}

    def image(self, number: int) -> dict:
        row = {"image_uri": self.uris[number], "status": "extracted", "is_active": True, "attempts": 0}
        content = {"content_sha256": self.sha256[number], "bundle_version": "b@1"}
        return {**row, **content, "first_seen_at": NOW, "changed_at": NOW, "run_id": "r"}

    def attributes(self, number: int) -> dict:
        confidence = CONFIDENCE[number]
        return {
            "content_sha256": self.sha256[number],
            "bundle_version": "b@1",
            "width_px": 240,
            "height_px": 300,
            "quality": {"score": 0.8},
            "region": {"box": {"x_min": 10.0, "y_min": 20.0, "x_max": 110.0, "y_max": 220.0}},
            "color": "red",
            "color_confidence": 0.8,
            "category": None if confidence is None else SHIRT,
            "category_confidence": confidence,
            "category_candidates": [{"category": SHIRT, "score": confidence or 0.1}],
            "model_attributes": [
                {"attribute": "gender", "value": "men", "confidence": 0.4, "is_stated": False},
                {"attribute": "season", "value": "fall", "confidence": 0.9, "is_stated": True},
            ],
            "extracted_at": NOW,
            "run_id": "r",
        }

    def failure(self) -> dict:
        row = {"quarantine_id": "q", "stage": "extract", "image_uri": "file:///gone.jpg", "reason": "not_found"}
        return {**row, "retryable": True, "attempts": 1, "first_seen_at": NOW, "last_seen_at": NOW, "run_id": "r"}

    def corrections(self) -> dict[tuple[str, str], dict]:
        rows = self.store.read("corrections").collect()
        return {(row["subject"], row["attribute"]): row.asDict() for row in rows}


@pytest.fixture(scope="module")
def shared_tables(spark, tmp_path_factory) -> Tables:
    return Tables(spark, tmp_path_factory.mktemp("tables"))


@pytest.fixture
def tables(shared_tables) -> Tables:
    """Tables without any correction."""
    if shared_tables.store.exists("corrections"):
        shared_tables.store.delete(CORRECTIONS, "true")
    return shared_tables


def fill_in(file: Path, subject: str, **values: str) -> None:
    """Do what a person does in a spreadsheet."""
    with file.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        if row["subject"] == subject:
            row.update(values)
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def test_a_correction_goes_out_comes_back_overrides_and_trains(tables, tmp_path):
    file, count = export_rows(tables.settings, tmp_path / "out", below=0.5)
    with file.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    # Least sure first: the one without a category, then 0.3 and 0.45.
    assert [row["subject"] for row in rows] == [tables.sha256[number] for number in (2, 1, 3)]
    assert count == 3
    assert rows[0]["predicted_category"] == SHIRT
    assert rows[0]["predicted_gender"] == "men"
    assert (rows[0]["category"], rows[0]["color"]) == ("", "")
    assert (rows[1]["product_id"], rows[1]["title"]) == ("p1", 'Title "1"\u2028x')
    assert read_labels(file)[0].path == tables.pictures[2], "the file is a labels file too"

    fill_in(file, tables.sha256[1], category="Dresses", gender="Women", note="clearly", corrected_by="ada")
    fill_in(file, tables.sha256[2], color="Navy Blue")
    assert import_corrections(tables.settings, file, by="bob") == 3
    written = tables.corrections()
    assert written[tables.sha256[1], "category"]["value"] == DRESS
    assert written[tables.sha256[1], "category"]["predicted"] == SHIRT
    assert written[tables.sha256[1], "gender"]["value"] == "women"
    assert written[tables.sha256[1], "gender"]["corrected_by"] == "ada"
    assert written[tables.sha256[2], "color"]["corrected_by"] == "bob"
    assert written[tables.sha256[2], "color"]["source"] == "to_label.csv"

    seen = {row["content_sha256"]: row for row in corrected_attributes(tables.store).collect()}
    dress = seen[tables.sha256[1]]
    assert (dress["category"], dress["category_confidence"]) == (DRESS, 1.0)
    said = {one["attribute"]: (one["value"], one["confidence"]) for one in dress["model_attributes"]}
    assert said == {"gender": ("women", 1.0), "season": ("fall", pytest.approx(0.9))}
    assert dress["corrected"] == {"category": DRESS, "gender": "women"}
    assert (seen[tables.sha256[2]]["color"], seen[tables.sha256[2]]["category"]) == ("navy blue", None)
    untouched = seen[tables.sha256[0]]
    assert (untouched["category"], untouched["category_confidence"]) == (SHIRT, pytest.approx(0.9))
    assert untouched["corrected"] is None
    assert len(seen) == 4

    labels, listed, gone = write_corrections_as_labels(tables.settings, tmp_path / "set")
    assert (listed, gone) == (2, [])
    images = {hashlib.sha256(one.path.read_bytes()).hexdigest(): one for one in read_labels(labels)}
    assert set(images) == {tables.sha256[1], tables.sha256[2]}
    learnt = resolve(images[tables.sha256[1]])
    assert (learnt.node, learnt.attributes, learnt.problems) == (DRESS, {"gender": "women"}, ())
    assert images[tables.sha256[2]].dataset == "corrections"
    assert images[tables.sha256[2]].split in ("train", "val")

    # What is corrected is not asked again; importing the same file again changes nothing but the time.
    assert export_rows(tables.settings, tmp_path / "again", below=0.5)[1] == 2
    import_corrections(tables.settings, file, by="bob")
    assert set(tables.corrections()) == set(written)


def test_boxes_travel_as_coco(tables, tmp_path):
    file, count = export_rows(tables.settings, tmp_path / "out", below=0.4, form="coco", copy_images=True)
    document = json.loads(file.read_text())
    assert count == len(document["images"]) == len(document["annotations"]) == 2
    assert document["annotations"][0]["bbox"] == [10.0, 20.0, 100.0, 200.0]
    assert (tmp_path / "out" / document["images"][0]["file_name"]).is_file()
    document["annotations"][0]["bbox"] = [5, 6, 50, 60]
    document["annotations"][1]["category_id"] = 2
    file.write_text(json.dumps(document))
    assert import_corrections(tables.settings, file) == 2
    boxes = json.loads(tables.corrections()[document["images"][0]["subject"], "boxes"]["value"])
    assert boxes == [{"label": "product", "box": [5.0, 6.0, 55.0, 66.0]}]
    labels, _, _ = write_corrections_as_labels(tables.settings, tmp_path / "set")
    assert {one.boxes[0].label for one in read_labels(labels)} == {"product", "tag"}


def test_quarantined_pictures_and_products_are_corrected_by_their_own_ids(tables, tmp_path):
    file, count = export_rows(tables.settings, tmp_path / "out", quarantined=True, form="jsonl")
    (row,) = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert (count, row["subject_kind"], row["subject"], row["reason"]) == (1, "image", "file:///gone.jpg", "not_found")
    by_hand = tmp_path / "by_hand.csv"
    by_hand.write_text(f"image_uri,product_id,category,material\n{tables.uris[0]},,jeans,\n,p3,Dress,Linen\n")
    assert import_corrections(tables.settings, by_hand) == 3
    seen = {row["content_sha256"]: row["category"] for row in corrected_attributes(tables.store).collect()}
    assert seen[tables.sha256[0]] == JEANS
    assert seen[tables.sha256[3]] == SHIRT, "a product's category is not its picture's"
    assert [row.asDict() for row in product_corrections(tables.store).collect()] == [
        {"product_id": "p3", "corrected": {"category": DRESS, "material": "linen"}}
    ]


def test_one_wrong_line_stops_the_whole_file(tables, tmp_path):
    file = tmp_path / "wrong.csv"
    file.write_text(f"product_id,category\np0,{DRESS}\np1,Shrit\nnobody,{DRESS}\n")
    with pytest.raises(
        ImportRefusedError, match=r"wrong\.csv: nothing was imported; line 3: category 'Shrit' .*'shirt'"
    ):
        import_corrections(tables.settings, file)
    file.write_text(f"product_id,category\np0,{DRESS}\nnobody,{DRESS}\n")
    with pytest.raises(ImportRefusedError, match=r"line 3: product_id 'nobody' is not in catalog"):
        import_corrections(tables.settings, file)
    assert not tables.store.exists("corrections") or not tables.corrections()


def test_the_table_refuses_what_no_import_would_write(tables):
    tables.store.ensure((CORRECTIONS,))
    row = {"correction_id": "c", "subject_kind": "content", "subject": "no sha", "attribute": "category", "value": "x"}
    with pytest.raises(Exception, match="content_is_sha256"):
        tables.append(CORRECTIONS, [{**row, "corrected_by": "a", "corrected_at": NOW, "source": "s", "run_id": "r"}])


def test_a_folder_without_tables_is_refused(spark, tmp_path):
    with pytest.raises(NothingToReadError, match="holds no Vitrine tables"):
        export_rows(Settings(tables=str(tmp_path)), tmp_path / "out")


def rows(*values: dict[str, str]) -> list[CorrectedRow]:
    return [CorrectedRow(line, one) for line, one in enumerate(values, start=2)]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"product_id": "p", "color": "ultraviolett"}, r"line 2: color 'ultraviolett' is unknown"),
        ({"product_id": "p", "gender": "womne"}, r"gender 'womne' is unknown, perhaps 'women'"),
        ({"category": "shirt"}, r"it names no subject; fill in"),
        (
            {"image_uri": "file:///a.jpg", "material": "linen"},
            r"material cannot be corrected of a picture; give",
        ),
        ({"product_id": "p", "text_present": "text"}, r"text_present cannot be corrected of a product; leave it empty"),
        ({"product_id": "p", "neckline": "v nek"}, r"neckline 'v nek' is unknown, perhaps 'v-neck'"),
        ({"subject_kind": "shop", "subject": "x", "color": "red"}, r"subject_kind 'shop' is not one of"),
        ({"product_id": "p", "color": "red", "corrected_at": "yesterday"}, r"corrected_at 'yesterday' is no time"),
    ],
)
def test_a_wrong_row_says_what_is_wrong(row, message):
    with pytest.raises(ImportRefusedError, match=message):
        check_rows("file.csv", rows(row), "me", NOW)


def test_rows_that_say_nothing_are_passed_over_and_contradictions_are_not():
    assert check_rows("file.csv", rows({"product_id": "p", "note": "no idea"}, {"title": "x"}), "me", NOW) == []
    same = rows({"product_id": "p", "color": "grey"}, {"product_id": "p", "color": "Gray"})
    assert [one.value for one in check_rows("file.csv", same, "me", NOW)] == ["gray"]
    with pytest.raises(ImportRefusedError, match=r"line 3: color 'red' contradicts 'blue' of line 2"):
        check_rows("f.csv", rows({"product_id": "p", "color": "blue"}, {"product_id": "p", "color": "red"}), "me", NOW)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.xlsx", "", r"is not \.csv, \.jsonl or \.json"),
        ("a.jsonl", '{"product_id": "p"}\n{broken', r"a\.jsonl line 2 is not JSON"),
        ("a.jsonl", "[1]", r"line 1 is no JSON object"),
        ("a.json", '{"images": []}', r"is not in COCO's form"),
    ],
)
def test_a_file_that_cannot_be_read_says_where(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(AnnotationFileError, match=message):
        read_rows(tmp_path / name)
    with pytest.raises(AnnotationFileError, match="cannot be read"):
        read_rows(tmp_path / "none.csv")


def test_commands_know_their_options_and_errors_are_one_line():
    answer = CliRunner().invoke(app, ["data", "export", "--out", "x", "--format", "xml"])
    assert answer.exit_code == 2
    assert {AnnotationFileError, ImportRefusedError, NothingToReadError} <= set(expected_errors())
