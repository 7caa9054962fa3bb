"""Train: labelled pictures to a network, a calibrated and quantized ONNX model, and a bundle."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.cache import cache_folder
from models.idx import fashion_mnist, is_idx_folder
from models.labelled import LabelledImage, read_collection, read_labels
from models.recipe import Recipe, RecipeError, load_recipe

if TYPE_CHECKING:
    from models.families import Family


class TrainError(Exception):
    """Training cannot start. One line that says why and what to do."""


def train(
    data: list[Path],
    out: Path,
    recipe_name: str = "product",
    *,
    processes: int = 1,
    start_from: Path | None = None,
    saliency: Path | None = None,
    stop_after_minutes: float | None = None,
    version: str = "1.0.0",
) -> Path:
    """Train by a recipe, or go on with a training that was broken off.

    Args:
        data: labels files, or folders of data sets.
        out: folder for checkpoints, logs and the trained network.
        recipe_name: a recipe of `models/recipes`, or the path of one.
        processes: train in so many processes of this machine by Spark's TorchDistributor; 1 trains in this one.
        start_from: folder of a finished training of the same network, whose weights are the beginning.
        saliency: ONNX file of U2-Net-p, which says where products are in photos; for the detector only.
        stop_after_minutes: stop after a checkpoint when so much time has passed; run again to go on.
        version: of the bundle.

    Returns:
        The bundle's folder; when training was stopped before its end, the folder of the checkpoints.

    Raises:
        TrainError: the `train` extra is missing, or there is nothing to train on.
        RecipeError: the recipe is wrong.
        CheckpointError: `out` or `start_from` holds another training.
        LabelsError: a labels file is wrong.
    """
    try:
        import torch  # noqa: F401 - only whether it is there
    except ImportError as error:
        raise TrainError("training needs the train extra: pip install 'vitrine[train]'") from error
    recipe = _recipe(recipe_name, start_from, saliency)
    out.mkdir(parents=True, exist_ok=True)
    if processes > 1:
        # Kept from here on, so that the processes do not all make the same files at once.
        _prepared(data, recipe)
        _train_distributed(data, out, recipe_name, processes, start_from, saliency)
    return run(data, out, recipe, stop_after_minutes=stop_after_minutes, version=version)


def run(
    data: list[Path], out: Path, recipe: Recipe, *, stop_after_minutes: float | None = None, version: str | None = None
) -> Path:
    """Train in this process (one of several when `WORLD_SIZE` says so), and export when a version is given."""
    started = time.monotonic()
    family, prepared = _prepared(data, recipe)
    trained = family.train(prepared, recipe, out, _say, _deadline(started, stop_after_minutes))
    if not trained.finished:
        _say(f"stopped after {trained.progress.images} pictures; run the same command again to go on")
        return out
    if version is None:
        return out
    bundle = family.export(prepared, recipe, out, version, _say)
    _say(f"bundle {bundle.version_id}: {json.dumps(bundle.manifest.metrics)}")
    return out / "bundle"


def _prepared(data: list[Path], recipe: Recipe) -> tuple[Family[Any], Any]:
    """The kind of network, and its data."""
    from models.families import family_of

    family = family_of(recipe.network)
    images = labelled_images(data, recipe)
    _say(f"recipe {recipe.name}: {len(images)} labelled pictures; preparing those that are not prepared yet")
    return family, family.load_data(images, recipe, train_cache(), _preparing())


def labelled_images(data: list[Path], recipe: Recipe) -> list[LabelledImage]:
    """The pictures of labels files and folders of data sets, and those that the recipe wants drawn.

    Raises:
        TrainError: there are none.
    """
    images = [image for path in data for image in _labelled(path)]
    if recipe.rendered_products:
        from models.rendered_set import rendered_images

        _say(f"drawing {recipe.rendered_products} pictures, unless they are drawn already")
        images += rendered_images(recipe.rendered_products, recipe.rendered_seed, train_cache())
    if not images:
        raise TrainError("there are no labelled pictures; give --data a labels.csv or a folder of data sets")
    return images


def _labelled(path: Path) -> list[LabelledImage]:
    if not path.is_dir():
        return read_labels(path)
    if is_idx_folder(path):
        _say(f"{path}: laying out the pictures of its IDX files, unless they are laid out already")
        return fashion_mnist(path, train_cache())
    return read_collection(path)


def train_cache() -> Path:
    """Where decoded and drawn training pictures are kept."""
    return cache_folder() / "train"


def _recipe(name: str, start_from: Path | None, saliency: Path | None) -> Recipe:
    recipe = load_recipe(name)
    if start_from is not None:
        recipe = recipe.model_copy(update={"start_from": str(start_from.resolve())})
    if saliency is None:
        return recipe
    if recipe.detector is None:
        raise RecipeError(f"recipe {recipe.name} trains no detector; leave --saliency out")
    detector = recipe.detector.model_copy(update={"saliency": str(saliency.resolve())})
    return recipe.model_copy(update={"detector": detector})


def _train_distributed(
    data: list[Path], out: Path, recipe_name: str, processes: int, start_from: Path | None, saliency: Path | None
) -> None:
    """Spark's TorchDistributor starts the processes; each runs this module."""
    from pyspark.ml.torch.distributor import TorchDistributor

    from jobs.spark_session import spark_session

    spark_session("vitrine train")
    arguments = [f"--data={path.resolve()}" for path in data] + [f"--out={out.resolve()}", f"--recipe={recipe_name}"]
    arguments += [f"--start-from={start_from.resolve()}"] if start_from is not None else []
    arguments += [f"--saliency={saliency.resolve()}"] if saliency is not None else []
    distributor = TorchDistributor(num_processes=processes, local_mode=True, use_gpu=False)
    distributor.run(str(Path(__file__).resolve()), *arguments)


def _deadline(started: float, minutes: float | None) -> float | None:
    return None if minutes is None else started + minutes * 60


def _preparing() -> Callable[[int, int], None]:
    last = time.monotonic()

    def progress(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last > 5:
            _say(f"prepared {done} of {total}")
            last = time.monotonic()

    return progress


def _say(text: str) -> None:
    if os.environ.get("RANK", "0") == "0":
        sys.stderr.write(text + "\n")
        sys.stderr.flush()


if __name__ == "__main__":
    import argparse

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, action="append", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--recipe", default="product")
    parser.add_argument("--start-from", type=Path)
    parser.add_argument("--saliency", type=Path)
    given = parser.parse_args()
    run(given.data, given.out, _recipe(given.recipe, given.start_from, given.saliency))
