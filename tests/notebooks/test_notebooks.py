"""Every notebook runs from its first cell to its last, on real tables."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from tests.models.training_pictures import write_training_pictures
from tests.notebooks.headless import NOTEBOOKS, cells, run_notebook
from tests.pictures import write_shop

RECIPE = {
    "name": "quick",
    "network": "product",
    "phases": [{"size": 32, "images": 96, "batch": 16, "learning_rate": 0.01, "freeze": "trunk"}],
    "embedding_dimension": 16,
    "ema_decay": 0.8,
    "validate_every": 96,
}


@pytest.fixture(scope="module")
def plots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where plots are kept; name a folder in VITRINE_PLOTS to look at them."""
    kept = os.environ.get("VITRINE_PLOTS")
    return Path(kept) if kept else tmp_path_factory.mktemp("plots")


def drawn(shown: list[Any], plots: Path) -> list[Path]:
    """The plots of a notebook, none of which is blank."""
    assert any(isinstance(one, (Figure, Image.Image)) for one in shown)
    files = sorted(plots.glob("*.png"))
    for file in files:
        assert np.asarray(Image.open(file).convert("L")).std() > 5, f"{file.name} is blank"
    return files


def test_all_notebooks_are_tried_here():
    tried = {"quickstart", "explore_tables", "train_and_evaluate", "explain_and_review", "build_similar_products"}
    assert {path.stem for path in NOTEBOOKS.glob("*.py")} == tried
    for path in NOTEBOOKS.glob("*.py"):
        assert len(cells(path.read_text(encoding="utf-8"))) >= 3


def test_quickstart_describes_pictures_and_runs_a_night(spark, plots, tmp_path):
    feed = write_shop(tmp_path / "shop", 6)
    names, shown = run_notebook("quickstart", spark, plots, catalog=str(feed), tables=str(tmp_path / "tables"))
    assert set(names["described"]["status"]) == {"extracted"}, names["described"][["status", "reason"]].to_string()
    assert (tmp_path / "tables" / "published.json").is_file()
    assert drawn(shown, plots)


def test_explore_tables_shows_coverage_and_change(spark, lakehouse, plots):
    names, shown = run_notebook("explore_tables", spark, plots, tables=str(lakehouse.tables))
    assert names["coverage"]["products"].sum() == spark.table("products").where("is_active").count()
    assert lakehouse.renamed in set(names["changes"]["product_id"])
    assert drawn(shown, plots)


def test_explain_and_review_shows_claims_and_the_marked_picture(spark, lakehouse, plots):
    names, shown = run_notebook("explain_and_review", spark, plots, tables=str(lakehouse.tables))
    assert names["claims"]["is_chosen"].any()
    assert drawn(shown, plots)


def test_similar_products_are_near_and_never_the_product_itself(spark, lakehouse, plots):
    names, shown = run_notebook("build_similar_products", spark, plots, tables=str(lakehouse.tables))
    assert (names["nearest"][:, 0] != np.arange(len(names["products"]))).all()
    assert (names["pairs"]["cosine_1"] >= names["pairs"]["cosine_2"]).all()
    assert drawn(shown, plots)


def test_train_and_evaluate_makes_a_bundle_and_its_figures(spark, plots, tmp_path, monkeypatch):
    monkeypatch.setenv("VITRINE_CACHE", str(tmp_path / "cache"))
    recipe = tmp_path / "quick.json"
    recipe.write_text(json.dumps(RECIPE))
    data = write_training_pictures(tmp_path / "set", 60)
    names, shown = run_notebook(
        *("train_and_evaluate", spark, plots),
        **{"data": str(data), "out": str(tmp_path / "out"), "recipe": str(recipe), "split": "val"},
    )
    assert (names["made"] / "manifest.json").is_file()
    assert set(names["table"]["figure"]) >= {"category, type", "color"}
    assert names["table"]["value"].between(0, 1).all()
    assert drawn(shown, plots)
