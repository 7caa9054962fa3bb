"""The detector's training data: drawn scenes and labelled photos as samples, made once and kept in files."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from models.detector.photos import Teachers, photo_samples
from models.detector.samples import Sample, TagArt, load_samples, load_tags, save_samples, save_tags
from models.detector.scenes import TRAIN_SEED, VAL_SEED, drawn_tags, rendered_sample
from models.detector.teachers import SaliencyTeacher, TextTeacher
from models.labelled import LabelledImage
from models.ocr_models import DETECT, OcrModels
from models.recipe import DetectorSettings, Recipe, RecipeError
from models.training_data import TRAINING_SPLITS

Progress = Callable[[int, int], None]

RENDERED = "rendered"
_DRAW_SEED = 0
_FORMAT_VERSION = 1
# From so many scenes on, starting processes takes less time than they save.
_WORTH_PROCESSES = 64


@dataclass(frozen=True)
class DetectorData:
    """What the detector learns from.

    Args:
        training: samples of the train splits, and drawn scenes.
        validation: samples whose product's box is known, of the val splits and of another catalogue.
        tags: drawn price tags, pasted over any picture.
        licenses: as stated upstream, by data set.
    """

    training: tuple[Sample, ...]
    validation: tuple[Sample, ...]
    tags: tuple[TagArt, ...]
    licenses: dict[str, str]

    @classmethod
    def load(cls, images: Sequence[LabelledImage], recipe: Recipe, cache: Path, progress: Progress) -> DetectorData:
        """Draw the scenes and have the teachers label the photos, or read what was made before.

        Args:
            images: rows of any splits; test rows are left out.
            recipe: has the field `detector`.
            cache: folder for the samples, one file per source.
            progress: called with pictures done and to do of the source at hand.

        Raises:
            RecipeError: the recipe has no settings for the detector, or its `saliency` file is missing.
            FileNotFoundError: a photo cannot be read.
            OcrModelsError: the network that finds text in photos is not installed.
        """
        settings = detector_settings(recipe)
        maker = _Maker(settings, cache / "detector", progress)
        training = list(maker.scenes(TRAIN_SEED, settings.scenes))
        validation = list(maker.scenes(VAL_SEED, settings.validation_scenes))
        licenses = {RENDERED: "Apache-2.0"}
        for name, rows in _by_dataset(images).items():
            photos = [row for row in rows if row.split in TRAINING_SPLITS]
            found = maker.photos(name, photos, settings.photos_of(name).most, settings.photos_of(name).shown)
            if not found:
                continue
            training += found
            licenses[name] = rows[0].license
            held_back = maker.photos(name, [row for row in rows if row.split == "val"], settings.validation_photos, 0)
            validation += [sample for sample in held_back if sample.boxes is not None and len(sample.boxes)]
        return cls(tuple(training), tuple(validation), tuple(maker.tags(settings.tags)), licenses)


def detector_settings(recipe: Recipe) -> DetectorSettings:
    """A recipe's settings for the detector.

    Raises:
        RecipeError: it has none.
    """
    if recipe.detector is None:
        raise RecipeError(f"recipe {recipe.name}: network detector needs the field detector")
    return recipe.detector


class _Maker:
    """Makes samples of one kind after the other; a file that is there is read instead."""

    def __init__(self, settings: DetectorSettings, folder: Path, progress: Progress) -> None:
        self._folder, self._progress = folder, progress
        self._saliency = Path(settings.saliency) if settings.saliency else None
        if self._saliency is not None and not self._saliency.is_file():
            raise RecipeError(f"{self._saliency} does not exist; --saliency wants the ONNX file of U2-Net-p")
        self._teachers: Teachers | None = None

    def scenes(self, seed: int, count: int) -> list[Sample]:
        """The first pictures of a catalogue."""
        return self._kept(f"{RENDERED}-{seed}-{count}", partial(_drawn, seed, count), count) if count else []

    def photos(self, dataset: str, images: Sequence[LabelledImage], most: int, shown: int) -> list[Sample]:
        """Up to `most` photos, drawn with a fixed seed, `shown` of them shown to the teachers."""
        order = np.random.default_rng(_DRAW_SEED).permutation(len(images))
        chosen = [images[place] for place in order[:most]]
        if not chosen:
            return []
        teachers = self._teachers_for() if shown else None
        name = f"{dataset or 'unnamed'}-{_fingerprint(chosen, shown, self._saliency)}"
        return self._kept(name, partial(photo_samples, chosen, teachers, shown), len(chosen))

    def tags(self, count: int) -> list[TagArt]:
        """Drawn price tags."""
        path = self._folder / f"tags-{TRAIN_SEED}-{count}.npz"
        if not path.exists():
            save_tags(path, drawn_tags(TRAIN_SEED, count))
        return load_tags(path)

    def _kept(self, name: str, samples: Callable[[], Iterable[Sample | None]], count: int) -> list[Sample]:
        path = self._folder / f"{name}.npz"
        if not path.exists():
            made = []
            for done, sample in enumerate(samples(), 1):
                if sample is not None:
                    made.append(sample)
                self._progress(done, count)
            save_samples(path, made)
        return load_samples(path)

    def _teachers_for(self) -> Teachers:
        if self._teachers is None:
            saliency = None if self._saliency is None else SaliencyTeacher(self._saliency.read_bytes())
            self._teachers = Teachers(saliency, TextTeacher(OcrModels().read(DETECT)))
        return self._teachers


def _drawn(seed: int, count: int) -> Iterator[Sample]:
    if count < _WORTH_PROCESSES:
        yield from map(partial(rendered_sample, seed), range(count))
        return
    with multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool:
        yield from pool.imap(partial(rendered_sample, seed), range(count), chunksize=8)


def _by_dataset(images: Sequence[LabelledImage]) -> dict[str, list[LabelledImage]]:
    rows: dict[str, list[LabelledImage]] = {}
    for image in images:
        rows.setdefault(image.dataset, []).append(image)
    return rows


def _fingerprint(images: Sequence[LabelledImage], shown: int, saliency: Path | None) -> str:
    """Of everything that decides what the samples of photos are."""
    taught = hashlib.sha256(saliency.read_bytes()).hexdigest() if saliency is not None and shown else ""
    digest = hashlib.sha256(f"{_FORMAT_VERSION} {shown} {taught}\n".encode())
    for image in images:
        stat = image.path.stat() if image.path.exists() else None
        seen = f"{stat.st_size} {stat.st_mtime_ns}" if stat else ""
        digest.update(f"{image.path}\0{seen}\0{image.boxes}\0{image.category}\n".encode())
    return digest.hexdigest()[:16]
