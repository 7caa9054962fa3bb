"""The gate lets a bundle through that is no worse, and says of every figure why it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.bundle import BASELINE_BUNDLE, Bundle, load_bundle, write_bundle
from models.gate import EvaluationError, Measured, judge, read_measured
from models.manifest import ManifestDraft
from models.tolerances import DEFAULT_TOLERANCES, Tolerance, ToleranceError, read_tolerances, tolerance_for

TYPE = "category.levels.type.accuracy"


def bundle_with(folder: Path, version: str, **metrics: object) -> Bundle:
    shipped = load_bundle(BASELINE_BUNDLE)
    values = shipped.manifest.model_dump(exclude={"files"}) | {"version": version, "metrics": metrics}
    return write_bundle(folder / version, ManifestDraft.model_validate(values), dict.fromkeys(shipped.files, b"{}"))


@pytest.fixture
def champion(tmp_path: Path) -> Bundle:
    return bundle_with(tmp_path, "1.0.0")


@pytest.fixture
def candidate(tmp_path: Path) -> Bundle:
    return bundle_with(tmp_path, "1.1.0")


def measured(bundle: Bundle, labels: str = "a" * 64, split: str = "test", **figures: float) -> Measured:
    named = {name.replace("__", "."): value for name, value in figures.items()}
    return Measured(
        "metrics.json",
        bundle.version_id,
        bundle.sha256,
        "shop.csv",
        {"labels_sha256": [labels], "split": split},
        named,
    )


def verdict(champion: Bundle, candidate: Bundle, before: dict[str, float], after: dict[str, float], *rules: Tolerance):
    return judge(candidate, [measured(candidate, **after)], champion, [measured(champion, **before)], rules)


def test_better_or_as_good_passes_and_every_figure_is_told(champion, candidate):
    before = {TYPE: 0.85, "heads.color.accuracy": 0.7, "category.levels.type.ece": 0.03}
    report = verdict(
        champion, candidate, before, {TYPE: 0.9, "heads.color.accuracy": 0.69, "category.levels.type.ece": 0.04}
    )
    assert report.passed
    told = {line.metric: (line.champion, line.candidate) for line in report.lines}
    assert told[TYPE] == (0.85, 0.9)
    assert set(before) <= set(told)


@pytest.mark.parametrize(
    ("metric", "before", "after"),
    [
        (TYPE, 0.85, 0.839),
        ("heads.gender.accuracy", 0.9, 0.88),
        ("category.levels.type.ece", 0.02, 0.05),
        ("heads.color.ece", 0.149, 0.151),
        ("retrieval.recall_at_1", 0.9, 0.88),
        ("detection.product.ap50", 0.75, 0.72),
        (TYPE, 0.85, float("nan")),
    ],
)
def test_worse_beyond_the_tolerance_is_refused_and_named(champion, candidate, metric, before, after):
    report = verdict(champion, candidate, {metric: before}, {metric: after})
    assert not report.passed
    assert metric in report.findings[0]


def test_a_head_that_vanished_is_refused(champion, candidate):
    report = verdict(champion, candidate, {"heads.color.accuracy": 0.7, TYPE: 0.8}, {TYPE: 0.8})
    assert ["heads.color.accuracy" in finding for finding in report.findings] == [True]


def test_a_figure_on_a_handful_of_pictures_decides_nothing(champion, candidate):
    before = {"heads.color.accuracy": 1.0, "heads.color.images": 12}
    report = verdict(champion, candidate, before, {"heads.color.accuracy": 0.5, "heads.color.images": 12})
    assert report.passed
    assert report.uncovered == 2


@pytest.mark.parametrize("change", [{"labels": "b" * 64}, {"split": "val"}])
def test_figures_on_other_pictures_are_not_compared(champion, candidate, change):
    report = judge(
        candidate, [measured(candidate, **{TYPE: 0.99})], champion, [measured(champion, **change, **{TYPE: 0.5})]
    )
    assert "was not measured on shop.csv test" in report.findings[0]
    assert "run `vitrine evaluate`" in report.findings[0]


def test_figures_of_another_bundle_do_not_count(champion, candidate):
    report = judge(candidate, [measured(champion, **{TYPE: 0.99})], champion, [measured(champion, **{TYPE: 0.5})])
    assert f"was measured on {champion.version_id}" in report.findings[0]


def test_a_first_promotion_keeps_the_absolute_limits(candidate):
    good = judge(candidate, [measured(candidate, **{TYPE: 0.2, "category.levels.type.ece": 0.05})], None, [])
    assert good.passed
    vain = judge(candidate, [measured(candidate, **{"category.levels.type.ece": 0.3})], None, [])
    assert "ece 0.3 (champion none), at most 0.15" in vain.findings[0]
    assert not judge(candidate, [], None, []).passed, "without any figure nothing is promoted"


def test_int8_loss_speed_and_size_are_the_bundles_own(tmp_path):
    fast = bundle_with(tmp_path, "1.0.0", milliseconds_per_image_by_batch={"1": 4.0})
    lossy = bundle_with(tmp_path, "1.1.0", int8_against_fp32={"color": {"images": 900, "fp32": 0.71, "int8": 0.70}})
    slow = bundle_with(tmp_path, "1.2.0", milliseconds_per_image_by_batch={"1": 6.1})
    for worse, named in ((lossy, "color.loss 0.01"), (slow, "by_batch.1 6.1 (champion 4), at most 6")):
        report = judge(worse, [measured(worse, **{TYPE: 0.8})], fast, [measured(fast, **{TYPE: 0.8})])
        assert [named in finding for finding in report.findings] == [True], report.findings
    files = dict(fast.files) | {"classify.int8.onnx": bytes(26 * 1024 * 1024)}
    huge = write_bundle(
        tmp_path / "huge", ManifestDraft.model_validate(fast.manifest.model_dump(exclude={"files"})), files
    )
    assert "bundle.bytes" in judge(huge, [measured(huge, **{TYPE: 0.8})], None, []).findings[0]


@pytest.mark.parametrize(("images", "passes"), [(379, True), (900, False)])
def test_int8_may_lose_two_pictures_of_a_head_with_few(tmp_path, images, passes):
    figures = {"text_present": {"images": images, "fp32": 0.9208, "int8": 0.9156}}
    report = judge(bundle_with(tmp_path, "1.1.0", int8_against_fp32=figures), [], None, [])
    refused = [finding for finding in report.findings if "int8_against_fp32" in finding]
    assert bool(refused) is not passes


def test_a_tolerance_file_comes_before_the_defaults(champion, candidate, tmp_path):
    file = tmp_path / "tolerances.toml"
    file.write_text(
        f'[[tolerance]]\nmetric = "{TYPE}"\nbetter = "higher"\nmax_drop = 0.1\n'
        '[[tolerance]]\nmetric = "heads.*"\nbetter = "ignore"\n'
    )
    before, after = {TYPE: 0.9, "heads.color.accuracy": 0.9}, {TYPE: 0.81, "heads.color.accuracy": 0.1}
    assert not verdict(champion, candidate, before, after).passed
    assert verdict(champion, candidate, before, after, *read_tolerances(file)).passed
    assert not verdict(champion, candidate, before, after | {TYPE: 0.79}, *read_tolerances(file)).passed


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tolerance = 3", "tolerance"),
        ("metric = 1", r"write \[\[tolerance\]\] tables, not metric"),
        ('[[tolerance]]\nmetric = "x"\nbetter = "more"', r"0\.better"),
        ('[[tolerance]]\nmetric = "x"\nbetter = "higher"', "give max_drop, least or most"),
        ('[[tolerance]]\nmetric = "x"\nbetter = "higher"\nmax_dorp = 1', r"max_dorp"),
        ("[[", "not TOML"),
    ],
)
def test_a_wrong_tolerance_file_is_explained(tmp_path, text, message):
    file = tmp_path / "tolerances.toml"
    file.write_text(text)
    with pytest.raises(ToleranceError, match=message):
        read_tolerances(file)
    with pytest.raises(ToleranceError, match="cannot be read"):
        read_tolerances(tmp_path / "none.toml")


def test_defaults_cover_what_evaluation_measures():
    for metric in (
        *("category.levels.leaf.accuracy", "heads.color.macro_f1", "common_colors.among_these.accuracy"),
        *("retrieval.mean_average_precision", "unseen.auroc", "few_shot.5.accuracy", "category.stated.precision"),
    ):
        assert tolerance_for(metric, DEFAULT_TOLERANCES) is not None, metric
    assert tolerance_for("category.levels.type.images", DEFAULT_TOLERANCES) is None


def test_what_is_no_metrics_file_is_said():
    for content, message in ((b"\xff", "not JSON"), (b"{}", "no metrics.json"), (b"[]", "no metrics.json")):
        with pytest.raises(EvaluationError, match=f"m.json is {message}"):
            read_measured(content, "m.json")
