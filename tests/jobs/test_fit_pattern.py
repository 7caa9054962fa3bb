"""Weights can be fitted anew from labelled photos and drawn fabrics."""

import csv
import json

import cv2
import numpy as np
import pytest

from jobs import fit_pattern
from models.drawn_fabrics import PATTERNS, draw_fabric
from udfs.pattern import WEIGHTS_FILE, load_weights


@pytest.fixture
def drawn_shop(tmp_path):
    """A data set like myntra224, of drawn fabrics, with a train and a test split."""
    titles = {pattern: title for title, pattern in fit_pattern.TITLE_PATTERNS.items()}
    folder = tmp_path / fit_pattern.DATASET
    folder.mkdir()
    with (folder / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["image_path", "split", "attributes_json"])
        writer.writeheader()
        for pattern in PATTERNS:
            for seed in range(8):
                name = f"{fit_pattern.DATASET}/{pattern}{seed}.png"
                cv2.imwrite(str(tmp_path / name), draw_fabric(pattern, seed)[0][:, :, ::-1])
                attributes = json.dumps({"pattern_from_title": titles[pattern] if seed != 5 else "washed"})
                split = "test" if seed == 0 else "train"
                writer.writerow({"image_path": name, "split": split, "attributes_json": attributes})
    return tmp_path


def test_only_labelled_photos_of_the_split_are_read(drawn_shop):
    photos = fit_pattern.labelled_photos(drawn_shop, "train")
    assert len(photos) == 6 * len(PATTERNS)
    assert all(path.name not in {f"{pattern}{seed}.png" for seed in (0, 5)} for path, pattern in photos)
    assert all(path.name.startswith(pattern) for path, pattern in photos)


def test_a_fit_names_patterns_it_has_not_seen(drawn_shop, tmp_path):
    samples = fit_pattern.collect_samples(drawn_shop, "train", drawn_per_pattern=20)
    assert samples.is_photo.sum() == 6 * len(PATTERNS)
    accuracy = fit_pattern.accuracy_report(samples, fit_pattern.cross_validate(samples))
    assert accuracy["photos"] > 0.7
    assert accuracy["drawn"] > 0.7
    assert set(accuracy["photos_of_pattern"].values()) == {6}

    file = tmp_path / "weights.json"
    weights = fit_pattern.fit(samples)
    fit_pattern.write_weights(file, samples, weights, accuracy)
    read = load_weights(file)
    assert read.terms == samples.names
    assert np.vstack([read.matrix, read.intercept]) == pytest.approx(weights, abs=1e-3)


def test_weights_for_other_patterns_are_refused(tmp_path):
    fitted = json.loads(WEIGHTS_FILE.read_text(encoding="utf-8"))
    fitted["patterns"][0] = "plain"
    file = tmp_path / "weights.json"
    file.write_text(json.dumps(fitted), encoding="utf-8")
    with pytest.raises(ValueError, match="fit it anew"):
        load_weights(file)
