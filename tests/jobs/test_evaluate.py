"""`vitrine evaluate`: figures and a page for any labels file, however flawed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from jobs.evaluate import (
    METRICS_NAME,
    REPORT_NAME,
    default_split,
    evaluate,
    read_labelled_set,
    run_evaluation,
    summary,
)
from jobs.evaluate_report import render_evaluation_report, title_of
from models.bundle import BASELINE_BUNDLE, load_bundle
from models.evaluation import Evaluation, Options
from models.labelled import LabelledImage, LabelsError, write_labels
from tests.chromium import open_chromium
from tests.models.test_predict import with_color_head
from tests.pictures import COLORS, write_picture

VITRINE = Path(sys.executable).with_name("vitrine")
HOSTILE = "<script>document.title='owned'</script>"


def label_file(folder: Path) -> Path:
    """Twelve pictures: known, coarse, unseen and unknown labels; a missing and a broken file; two data sets."""
    kinds = ["shirt", "apparel", "umbrella", HOSTILE, "apparel/topwear/shirt", ""]
    images = []
    for number in range(12):
        color = list(COLORS)[number % 4]
        path = write_picture(folder / "images" / f"{number}.jpg", number, color=COLORS[color])
        images.append(
            LabelledImage(
                path,
                f"images/{number}.jpg",
                dataset="shop" if number % 2 else HOSTILE,
                split="test" if number < 10 else "train",
                subcategory=kinds[number % 6],
                color=color if number % 3 else "sparkling",
                title="Red shirt: a title that must not be looked at",
            )
        )
    images[4].path.unlink()
    images[5].path.write_bytes(b"GIF89a broken")
    images[7].path.write_bytes(images[6].path.read_bytes())
    write_labels(folder / "labels.csv", images)
    return folder / "labels.csv"


@pytest.fixture(scope="module")
def measured(tmp_path_factory) -> tuple[Path, Evaluation]:
    folder = tmp_path_factory.mktemp("evaluate")
    bundle = load_bundle(with_color_head(load_bundle(BASELINE_BUNDLE), folder))
    labelled = read_labelled_set([label_file(folder)])
    options = Options(split=default_split(labelled.images), limit=None, min_train_count=1, robustness_images=1)
    return folder, run_evaluation(bundle, labelled, options, folder / "out", quiet=True)


def test_metrics_json_is_what_was_measured_and_says_on_what(measured):
    folder, evaluation = measured
    read = Evaluation.model_validate_json((folder / "out" / METRICS_NAME).read_text())
    assert read == evaluation
    assert read.bundle.id.startswith("with-color@")
    assert len(read.bundle.sha256) == 64
    assert read.options.split == "test"
    assert (read.data.listed, read.data.chosen, read.data.evaluated, read.data.distinct) == (12, 10, 8, 7)


def test_flawed_rows_are_listed_with_their_line_and_counted(measured):
    data = measured[1].data
    assert [(one.image_path, one.line, one.reason) for one in data.unused] == [
        ("images/4.jpg", 6, "not_found"),
        ("images/5.jpg", 7, data.unused[1].reason),
    ]
    assert data.unused[1].reason in {"truncated", "decode_failed", "not_an_image"}
    problems = {(one.dataset, one.label): one.images for one in data.unknown_labels}
    assert problems["shop", f"subcategory: {HOSTILE}"] == 2
    assert sum(count for (_, label), count in problems.items() if label == "color: sparkling") == 4


def test_every_head_and_level_that_is_labelled_has_figures(measured):
    evaluation = measured[1]
    # Pictures 0, 6 are shirts, 1, 7 apparel and no more, 2, 8 umbrellas, 3, 9 of an unknown label.
    levels = evaluation.category.levels
    assert levels["department"].images + levels["department"].unknown == 6
    assert levels["type"].images + levels["type"].unknown == 4
    assert evaluation.unseen.outside_taxonomy == 2
    # Pictures 1, 2, 7, 8; the others sparkle.
    assert evaluation.heads["color"].images == 4
    assert evaluation.common_colors is not None
    assert set(evaluation.datasets) == {"shop", HOSTILE}
    assert {one.head for one in evaluation.mistakes} == {"category", "color"}
    assert len(evaluation.robustness) == 5 * 6


def test_figures_can_be_compared_by_name(measured):
    figures = measured[1].figures()
    assert figures["heads.color.accuracy"] == measured[1].heads["color"].accuracy
    assert figures["category.levels.type.accuracy"] == measured[1].category.levels["type"].accuracy
    assert not any(name.startswith(("data.", "bundle.", "options.")) for name in figures)
    assert all(isinstance(value, float) for value in figures.values())


def test_the_same_seed_gives_the_same_figures(measured):
    folder, evaluation = measured
    bundle = load_bundle(folder / "with-color")
    again = evaluate(bundle, read_labelled_set([folder / "labels.csv"]), evaluation.options, quiet=True)
    assert again.figures() == evaluation.figures()
    assert again.mistakes == evaluation.mistakes


def test_titles_change_nothing(measured, tmp_path):
    folder, evaluation = measured
    labelled = read_labelled_set([folder / "labels.csv"])
    text = (folder / "labels.csv").read_text().replace("Red shirt: a title", "Blue umbrella")
    other = tmp_path / "labels.csv"
    other.write_text(text)
    options = evaluation.options.model_copy(update={"robustness_images": 0})
    renamed = evaluate(load_bundle(folder / "with-color"), read_labelled_set([other], folder), options, quiet=True)
    assert renamed.category == evaluation.category
    assert renamed.heads == evaluation.heads
    assert len(labelled.images) == renamed.data.listed


def test_the_page_shows_figures_and_mistakes_and_hostile_labels_stay_text(measured):
    folder, evaluation = measured
    with open_chromium() as browser:
        for width, scheme in ((390, "dark"), (1200, "light")):
            page = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme).new_page()
            troubles = []
            page.on("console", lambda message, found=troubles: found.append(message.text))
            page.goto((folder / "out" / REPORT_NAME).as_uri())
            assert page.title() == f"Vitrine evaluation {evaluation.bundle.id}"
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert troubles == []
            for title in ("Category", "Attributes", "Calibration", "Mistakes", "Robustness", "Data"):
                expect(page.get_by_role("heading", name=title, exact=True).first).to_be_visible()
            expect(page.locator("#data")).to_contain_text(HOSTILE)
            expect(page.locator("#data")).to_contain_text("images/4.jpg")
            picture = page.locator("#mistakes img").first
            picture.scroll_into_view_if_needed()
            assert picture.evaluate("async one => { await one.decode(); return one.naturalWidth }") > 50
            assert page.locator("#robustness svg").count() == 5


def test_the_page_stands_without_its_pictures(measured):
    page = render_evaluation_report(measured[1], [])
    assert "no picture" in page
    assert "<img" not in page


def test_the_summary_names_each_head(measured):
    text = summary(measured[1])
    assert "color" in text
    assert "category, type" in text
    unseen = measured[1].unseen
    assert f"AUROC of {unseen.unseen_types + unseen.outside_taxonomy} unseen" in text, "few pictures, little said"
    assert "2 unusable" in text


def test_names_of_labels():
    assert title_of("groceries/fruit/apple/granny-smith") == "Apple: granny smith"
    assert title_of("apparel/topwear/t-shirt") == "T-shirt"
    assert title_of("navy blue") == "navy blue"


def test_without_a_split_the_test_split_is_taken_else_val_else_all(tmp_path):
    def split_of(*splits):
        return default_split([LabelledImage(tmp_path, "x", split=split) for split in splits])

    assert split_of("train", "val", "test") == "test"
    assert split_of("train", "val") == "val"
    assert split_of("train", "") is None


def test_a_split_that_is_not_there_is_refused_with_those_that_are(tmp_path):
    write_labels(tmp_path / "labels.csv", [LabelledImage(tmp_path / "a.jpg", "a.jpg", split="train")])
    labelled = read_labelled_set([tmp_path / "labels.csv"])
    with pytest.raises(LabelsError, match=r"no picture of split 'test' is listed; there is train"):
        evaluate(load_bundle(BASELINE_BUNDLE), labelled, Options(split="test", limit=None), quiet=True)
    with pytest.raises(LabelsError, match=r"none of 1 pictures can be read, .*not_found; name the folder"):
        evaluate(load_bundle(BASELINE_BUNDLE), labelled, Options(split=None, limit=None), quiet=True)


def test_the_command_writes_both_files_and_ends_mistakes_with_one_line(tmp_path):
    labels = label_file(tmp_path / "shop")

    def vitrine(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [str(VITRINE), "evaluate", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, env=dict(os.environ))

    done = vitrine(
        "--labels", labels, "--out", tmp_path / "out", "--limit", 3, "--robustness-images", 0, "--split", "all"
    )
    assert done.returncode == 0, done.stderr
    assert "category, department" in done.stdout
    metrics = json.loads((tmp_path / "out" / METRICS_NAME).read_text())
    assert metrics["options"]["split"] is None
    assert metrics["data"]["chosen"] == 3
    assert (tmp_path / "out" / REPORT_NAME).stat().st_size > 10_000
    failed = vitrine("--labels", tmp_path / "none.csv", "--out", tmp_path / "out2")
    assert failed.returncode == 1
    assert "none.csv cannot be read" in failed.stderr.strip().splitlines()[-1]
    assert "Traceback" not in failed.stderr
    assert not (tmp_path / "out2").exists()
