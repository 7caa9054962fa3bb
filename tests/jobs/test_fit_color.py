"""`jobs.fit_color`: which labels count, and that what it writes is what the color measure reads and decides by."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from jobs import fit_color
from jobs.fit_pattern import DATASET
from schemas.palette import PALETTE
from udfs import color
from udfs.color import color_terms, count_votes


def plain(rgb, seed, share=1.0):
    """A noisy picture of one color, gray where it does not reach, and the mask of all of it."""
    pixels = np.full((40, 40, 3), 128.0)
    pixels[:, : round(40 * share)] = rgb
    pixels += np.random.default_rng(seed).normal(0, 4, pixels.shape)
    return np.clip(pixels, 0, 255).astype(np.uint8), np.ones((40, 40), bool)


def test_every_label_stands_for_a_group_of_the_palette():
    assert set(fit_color.LABELS.values()) <= set(fit_color.groups())
    assert list(fit_color.group_of_color()) == [one.name for one in PALETTE]


def test_photos_of_the_split_with_a_known_color_are_taken(tmp_path):
    rows = [
        ("a.jpg", "train", "Grey"),
        ("b.jpg", "val", "Red"),
        ("c.jpg", "train", "Multi"),
        ("d.jpg", "train", "Navy Blue"),
    ]
    (tmp_path / DATASET).mkdir()
    with (tmp_path / DATASET / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([("image_path", "split", "color"), *rows])
    assert fit_color.labelled_photos(tmp_path, "train") == [(tmp_path / "a.jpg", "gray"), (tmp_path / "d.jpg", "navy")]
    with pytest.raises(FileNotFoundError, match="labels"):
        fit_color.labelled_photos(tmp_path / "elsewhere", "train")


def test_fitted_weights_name_colors_they_have_not_seen(tmp_path, monkeypatch):
    pytest.importorskip("torch")
    names = fit_color.groups()
    terms, labels = [], []
    for seed, one in enumerate(PALETTE * 3):
        # Of half gray, half colored products the color is meant, as a shop would say.
        terms.append(color_terms(count_votes(*plain(one.rgb, seed, share=0.5))))
        labels.append(names.index(fit_color.group_of_color()[one.name]))
    samples = fit_color.Samples(np.array(terms), np.array(labels), np.ones(len(labels)))
    file = tmp_path / "weights.json"
    fit_color.write_weights(file, fit_color.fit([samples]), {"pictures": len(labels)})
    fitted = color.load_weights(file)
    assert fitted.groups == tuple(names)
    assert fitted.matrix.shape == (4 * len(PALETTE), len(names))
    monkeypatch.setattr(color, "load_weights", lambda: fitted)
    unseen = [color.describe_color(*plain(one.rgb, 1000 + seed, share=0.5)) for seed, one in enumerate(PALETTE)]
    right = [fit_color.group_of_color()[said.color] == fit_color.group_of_color()[one.name]
             for said, one in zip(unseen, PALETTE, strict=True)]  # fmt: skip
    assert np.mean(right) > 0.9


def test_a_heavier_sample_wins_where_labels_contradict():
    pytest.importorskip("torch")
    terms = color_terms(count_votes(*plain((200, 40, 40), 1)))[None].repeat(4, axis=0)
    labels = np.array([0, 0, 0, 1])
    scores = [
        terms[0] @ weights[:-1] + weights[-1]
        for weights in (fit_color.fit([fit_color.Samples(terms, labels, np.array([1.0, 1, 1, w]))]) for w in (1.0, 9.0))
    ]
    assert [int(one.argmax()) for one in scores] == [0, 1]
