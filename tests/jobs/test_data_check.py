"""`vitrine data check`: what is wrong with a labels file, before anybody trains on it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect
from skimage import data
from typer.testing import CliRunner

from jobs.cli import app
from jobs.data_check import check_labels
from jobs.data_check_report import check_lines, render_check_report
from models.data_quality import DataCheck
from models.labelled import LabelledImage, read_labels, write_labels
from tests.chromium import open_chromium

PHOTOS = ("astronaut", "coffee", "chelsea", "rocket")


def photo(path: Path, number: int, quality: int = 92) -> Path:
    """One of a few real photos; each number another part of it."""
    pixels = getattr(data, PHOTOS[number % 4])()
    shift = 20 * (number // 4)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels[shift : shift + 200, shift : shift + 200]).save(path, quality=quality)
    return path


@pytest.fixture
def labels(tmp_path) -> Path:
    """Four flawless pictures; a test spoils what it is about."""
    images = []
    for number in range(4):
        path = photo(tmp_path / "images" / f"{number}.jpg", number)
        split = "train" if number < 3 else "test"
        images.append(
            LabelledImage(
                path,
                f"images/{number}.jpg",
                dataset="shop",
                split=split,
                subcategory="Shirts",
                color="red",
                license="CC0-1.0",
            )
        )
    write_labels(tmp_path / "labels.csv", images)
    return tmp_path / "labels.csv"


def change(labels: Path, number: int, **values: object) -> None:
    """Change one line of a labels file."""
    images = read_labels(labels)
    changed = {**vars(images[number]), **values}
    write_labels(labels, [*images[:number], LabelledImage(**changed), *images[number + 1 :]])


def add(labels: Path, **values: object) -> None:
    """Add a line to a labels file, like the first but for these values."""
    images = read_labels(labels)
    write_labels(labels, [*images, LabelledImage(**{**vars(images[0]), **values})])


def check(labels: Path) -> DataCheck:
    return check_labels([labels], quiet=True)


def test_a_flawless_set_has_no_problems(labels):
    found = check(labels)
    assert found.problems == {}
    assert (found.listed, found.readable) == (4, 4)
    assert found.datasets["shop"].splits == {"test": 1, "train": 3}
    assert found.datasets["shop"].licenses == {"CC0-1.0": 4}
    assert "no problems found" in check_lines(found)


def test_missing_and_broken_files_are_named_with_their_line(labels):
    (labels.parent / "images/1.jpg").unlink()
    (labels.parent / "images/2.jpg").write_bytes(b"hello")
    found = check(labels)
    assert [(one.line, one.image_path, one.reason) for one in found.bad_files] == [
        (3, "images/1.jpg", "not_found"),
        (4, "images/2.jpg", "not_an_image"),
    ]
    assert "line 3: images/1.jpg: not_found" in check_lines(found)


def test_an_unknown_label_comes_with_the_word_that_was_meant(labels):
    change(labels, 1, subcategory="Shrits", color="rde")
    found = check(labels)
    assert [(one.column, one.label, one.suggestion) for one in found.unknown_labels] == [
        ("color", "rde", "red"),
        ("subcategory", "Shrits", "shirts"),
    ]


def test_two_spellings_of_one_label_are_noticed(labels):
    change(labels, 1, subcategory="shirt")
    found = check(labels)
    assert [(one.label, one.other, one.same_words) for one in found.alike_labels] == [("shirt", "Shirts", True)]


def test_a_rare_word_of_its_own_is_no_slip(labels):
    images = read_labels(labels)
    write_labels(labels, [*images * 8, LabelledImage(**{**vars(images[0]), "subcategory": "Skirts"})])
    assert check(labels).alike_labels == []


def test_the_same_bytes_in_two_splits_are_a_leak(labels):
    copy = labels.parent / "images/copy.jpg"
    copy.write_bytes((labels.parent / "images/0.jpg").read_bytes())
    add(labels, path=copy, image_path="images/copy.jpg", split="test")
    found = check(labels)
    assert [(one.kind, one.splits, one.image_paths) for one in found.leaks] == [
        ("content", ["test", "train"], ["images/0.jpg", "images/copy.jpg"])
    ]
    assert found.duplicates == 1
    assert found.contradictions == []


def test_the_same_picture_encoded_again_in_two_splits_is_a_leak(labels):
    again = photo(labels.parent / "images/again.jpg", 0, quality=55)
    add(labels, path=again, image_path="images/again.jpg", split="test")
    leaks = check(labels).leaks
    assert [(one.kind, one.image_paths) for one in leaks] == [("near", ["images/0.jpg", "images/again.jpg"])]


def test_the_same_bytes_with_different_labels_contradict_each_other(labels):
    copy = labels.parent / "images/copy.jpg"
    copy.write_bytes((labels.parent / "images/0.jpg").read_bytes())
    add(labels, path=copy, image_path="images/copy.jpg", subcategory="Jeans")
    found = check(labels)
    assert [one.labels for one in found.contradictions] == [["Shirts", "Jeans"]]
    assert found.leaks == []


def test_a_label_that_is_tested_but_never_trained_is_noticed(labels):
    change(labels, 3, subcategory="Jeans")
    found = check(labels)
    (balance,) = [one for one in found.balance if one.column == "subcategory"]
    assert balance.untrained == ["Jeans"]
    assert balance.few == {"Shirts": 3}
    assert (balance.largest, balance.largest_images, balance.smallest) == ("Shirts", 3, "Jeans")


def test_missing_licenses_splits_and_double_lines_are_counted(labels):
    change(labels, 1, license="", split="")
    add(labels)
    problems = check(labels).problems
    assert problems["pictures without a license"] == 1
    assert problems["pictures without a split"] == 1
    assert problems["files listed twice"] == 1


def test_leaks_between_two_files_are_found(labels, tmp_path):
    other = tmp_path / "other"
    (other / "images").mkdir(parents=True)
    (other / "images/x.jpg").write_bytes((labels.parent / "images/0.jpg").read_bytes())
    write_labels(
        other / "labels.csv", [LabelledImage(other / "images/x.jpg", "images/x.jpg", dataset="o", split="test")]
    )
    leaks = check_labels([labels, other / "labels.csv"], quiet=True).leaks
    assert [one.splits for one in leaks] == [["test", "train"]]


def test_the_page_shows_what_was_found_and_hostile_labels_stay_text(labels):
    hostile = "<script>document.title='owned'</script>"
    (labels.parent / "images/2.jpg").unlink()
    change(labels, 1, subcategory=hostile, dataset=hostile)
    found = check(labels)
    page_file = labels.parent / "check.html"
    page_file.write_text(render_check_report(found))
    with open_chromium() as browser:
        page = browser.new_context(viewport={"width": 390, "height": 800}).new_page()
        page.goto(page_file.as_uri())
        assert page.title() == "Vitrine data set check"
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        expect(page.locator("#files")).to_contain_text("images/2.jpg")
        expect(page.locator("#labels")).to_contain_text(hostile)


def test_the_command_writes_both_files_and_strict_fails_on_problems(labels):
    out = labels.parent / "out"
    arguments = ["data", "check", "--labels", str(labels), "--out", str(out), "--quiet", "--strict"]
    answer = CliRunner().invoke(app, arguments)
    assert answer.exit_code == 0, answer.output
    assert DataCheck.model_validate(json.loads((out / "check.json").read_text())).problems == {}
    assert (out / "check.html").is_file()
    (labels.parent / "images/2.jpg").unlink()
    answer = CliRunner().invoke(app, arguments)
    assert answer.exit_code == 1
    assert "1  files missing or unreadable" in answer.output
