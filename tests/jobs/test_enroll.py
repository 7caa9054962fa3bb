"""`vitrine enroll` with a real bundle and real pictures: a new type is recognized, and can be taken away again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from jobs.enroll import enroll_type, remove_type, summary
from models.bundle import BASELINE_BUNDLE, Bundle, BundleError, load_bundle
from models.enrollment import EnrollError, new_type
from models.labelled import LabelledImage, write_labels
from tests.pictures import draw
from udfs.runtime import Runtime

KNOWN = {
    "apparel/topwear/t-shirt": (200, 30, 40),
    "apparel/topwear/shirt": (40, 70, 190),
    "footwear/boots/boot": (40, 140, 70),
    "accessories/bags/handbag": (20, 20, 22),
    "groceries/fruit/lemon": (230, 210, 60),
    "home/kitchen/mug": (150, 90, 160),
}
OPTIONS = {"false_claims": 0.01, "expected_share": 0.8}


def cut(picture: np.ndarray, number: int) -> np.ndarray:
    """One of several different views of a photo."""
    height, width = picture.shape[:2]
    random = np.random.default_rng(number)
    top, left = (int(random.integers(0, side // 6)) for side in (height, width))
    view = picture[top : top + height * 5 // 6, left : left + width * 5 // 6]
    return view[:, ::-1] if number % 2 else view


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Labelled pictures of known products."""
    folder = tmp_path_factory.mktemp("known")
    rows = []
    for kind, (path, color) in enumerate(KNOWN.items()):
        for number in range(6):
            name = f"{kind}-{number}.png"
            draw(10 * kind + number, (60 + 20 * kind, 200 - 20 * kind), color).save(folder / name)
            rows.append(LabelledImage(path=folder / name, image_path=name, split="train", category=path))
    write_labels(folder / "labels.csv", rows)
    return folder / "labels.csv"


@pytest.fixture(scope="module")
def cats(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("cats")
    files = [folder / f"cat-{number}.png" for number in range(6)]
    for number, file in enumerate(files):
        Image.fromarray(cut(data.chelsea(), number)).save(file)
    return files


@pytest.fixture(scope="module")
def made(known: Path, cats: list[Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Bundle, str]:
    out = tmp_path_factory.mktemp("enrolled") / "bundle"
    bundle, enrolled = enroll_type(
        load_bundle(BASELINE_BUNDLE), "Cat figure", cats, out, parent="home/decor", zh="猫摆件", known=known, **OPTIONS
    )
    return load_bundle(out), summary(bundle, enrolled)


def test_the_new_type_is_stated_and_others_are_not(made: tuple[Bundle, str]) -> None:
    runtime, plain = Runtime(made[0]), Runtime(load_bundle(BASELINE_BUNDLE))
    pictures = np.stack([runtime.prepare(one) for one in (cut(data.chelsea(), 11), data.coffee(), data.rocket())])
    cat, coffee, rocket = runtime.read(runtime.classify(pictures))
    assert cat.category == "home/decor/cat-figure"
    assert cat.category_confidence is not None and cat.category_confidence > 0.5
    assert cat.labels[0].label == "home/decor/cat-figure"
    assert plain.read(plain.classify(pictures))[0].category is None, "without enrolling a cat is no product"
    assert [coffee, rocket] == plain.read(plain.classify(pictures))[1:], "for others nothing changes"


def test_the_new_bundle_has_a_version_of_its_own_and_says_what_to_expect(made: tuple[Bundle, str]) -> None:
    bundle, told = made
    assert bundle.version_id.startswith("imagenet-lite0@1.0.0+enrolled.")
    assert bundle.files["classify.int8.onnx"] == load_bundle(BASELINE_BUNDLE).files["classify.int8.onnx"]
    assert "home/decor/cat-figure (Cat figure, 猫摆件) enrolled from 6 pictures" in told
    assert "of the pictures would be found by the others" in told


def test_a_second_type_joins_the_first_and_removing_gives_the_original(
    made: tuple[Bundle, str], cats: list[Path], tmp_path: Path
) -> None:
    files = []
    for number in range(3):
        files.append(tmp_path / f"cup-{number}.png")
        Image.fromarray(cut(data.coffee(), number)).save(files[-1])
    # The bundle carries its reference now: no labelled pictures are needed any more.
    both, _ = enroll_type(made[0], "Coffee Cup Photo", files, tmp_path / "both", parent="home/decor", **OPTIONS)
    assert both.prototypes is not None
    assert both.prototypes.paths == ("home/decor/cat-figure", "home/decor/coffee-cup-photo")
    with pytest.raises(EnrollError, match=r"no enrolled type 'Dog'; it has home/decor/cat-figure, home"):
        remove_type(both, "Dog", tmp_path / "x")
    one = remove_type(both, "coffee-cup-photo", tmp_path / "one")
    assert (one.version_id, one.sha256) == (made[0].version_id, made[0].sha256)
    none = remove_type(one, "Cat figure", tmp_path / "none")
    assert none.version_id == "imagenet-lite0@1.0.0"
    assert none.prototypes is None
    assert none.labels(none.task("classify")) == load_bundle(BASELINE_BUNDLE).labels(
        load_bundle(BASELINE_BUNDLE).task("classify")
    )


def test_the_shipped_bundle_brings_what_enrolling_needs(cats: list[Path], tmp_path: Path) -> None:
    shipped = load_bundle()
    bundle, enrolled = enroll_type(
        *(shipped, "Cat figure", cats[:3], tmp_path / "bundle"),
        parent="home/decor",
        false_claims=0.01,
        expected_share=0.02,
    )
    runtime, before = Runtime(bundle), Runtime(shipped)
    pictures = np.stack([runtime.prepare(one) for one in (cut(data.chelsea(), 12), data.coffee(), data.rocket())])
    result, plain = runtime.classify(pictures), before.classify(pictures)
    assert runtime.read(result)[0].category_candidates[0].category == "home/decor/cat-figure"
    assert result.probabilities[0, -1] > 0.5
    assert result.probabilities[1:, -1].max() < 0.5
    np.testing.assert_allclose(
        result.probabilities[:, :-1], plain.probabilities * (1 - result.probabilities[:, -1:]), rtol=1e-5, atol=1e-7
    )
    assert enrolled.calibration.simulated_types > 50
    assert remove_type(bundle, "Cat figure", tmp_path / "again").sha256 == shipped.sha256


def test_what_cannot_be_enrolled_is_said(
    made: tuple[Bundle, str], cats: list[Path], known: Path, tmp_path: Path
) -> None:
    shipped = load_bundle(BASELINE_BUNDLE)
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture")
    twin = tmp_path / "twin.png"
    twin.write_bytes(cats[0].read_bytes())

    def tried(files: list[Path], name: str = "Cat figure", bundle: Bundle = shipped, parent: str | None = "home/decor"):
        return enroll_type(bundle, name, files, tmp_path / "out", parent=parent, known=known, **OPTIONS)

    with pytest.raises(EnrollError, match="at least one picture"):
        tried([])
    with pytest.raises(EnrollError, match=r"1 of 2 pictures cannot be read: .*broken\.jpg \(not_an_image"):
        tried([cats[0], broken])
    with pytest.raises(EnrollError, match=r"nowhere\.png \(not_found"):
        tried([tmp_path / "nowhere.png"])
    with pytest.raises(EnrollError, match=r"cat-0\.png and .*twin\.png are the same picture"):
        tried([cats[0], cats[1], twin])
    with pytest.raises(EnrollError, match=r"knows home/decor/cat-figure already"):
        tried(cats, bundle=made[0])
    with pytest.raises(EnrollError, match=r"knows groceries/fruit/banana already"):
        tried(cats, name="banana", parent=None)
    assert not (tmp_path / "out").exists(), "nothing is written before all is well"
    with pytest.raises(EnrollError, match=r"carries no sample of training embeddings.*--known"):
        enroll_type(shipped, "Cat figure", cats[:1], tmp_path / "out", parent="home/decor", **OPTIONS)
    with pytest.raises(BundleError, match="holds a bundle already"):
        enroll_type(made[0], "Dog figure", cats[:1], _folder_of(made[0], tmp_path), parent="home/decor", **OPTIONS)


def _folder_of(bundle: Bundle, tmp_path: Path) -> Path:
    folder = tmp_path / "taken"
    folder.mkdir()
    (folder / "manifest.json").write_bytes(bundle.manifest_bytes)
    return folder


def test_names_find_their_place() -> None:
    bundle = load_bundle(BASELINE_BUNDLE)
    found = new_type(bundle, "Duffel Bags")
    assert (found.path, found.name_en) == ("accessories/bags/duffel-bag", load_taxonomy_name(found.path))
    new = new_type(bundle, "Garden Gnome", parent="home/decor")
    assert (new.path, new.name_en, new.name_zh) == ("home/decor/garden-gnome", "Garden Gnome", "Garden Gnome")
    for options, message in (
        ({"name": "Garden Gnome"}, "say where it belongs, e.g. --parent"),
        ({"name": "Garden Gnome", "parent": "sports/mats"}, "has no 'sports/mats'"),
        ({"name": "Garden Gnome", "parent": "home/kitchen/mug"}, "is a type"),
        ({"name": "花园地精", "parent": "home/decor"}, "Latin letters, and give --zh"),
        ({"name": "Duffel Bag", "parent": "home/decor"}, "means accessories/bags/duffel-bag"),
    ):
        with pytest.raises(EnrollError, match=message):
            new_type(bundle, **options)


def load_taxonomy_name(path: str) -> str:
    from schemas.taxonomy import load_taxonomy

    return load_taxonomy().name(path)
