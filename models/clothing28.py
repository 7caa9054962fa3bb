"""Clothing as the textbook network sees it: ten classes, gray, 28 x 28 px, bright on dark, as in Fashion-MNIST.

Each picture is cut to the product's box, turned to gray, inverted where its border is bright, letterboxed on black and
averaged down to 28 px (`INPUT`, which the bundle states, so that extraction does the same).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from models.idx import FASHION_MNIST
from models.label_space import LabelSpace, resolve
from models.labelled import LabelledImage
from models.losses import UNLABELLED, Targets
from models.manifest import InputSpec
from models.model_input import model_input
from models.pixel_store import open_store

Pixels = NDArray[np.uint8]

SIDE = 28
INPUT = InputSpec(
    name="image",
    height=SIDE,
    width=SIDE,
    channels=1,
    bright_on_dark=True,
    resize="pad",
    region="box",
    box_margin=0.05,
)

CLOTHING_SMALL = "clothing_small"
CLOTHING_CLASSES: dict[str, str] = {
    "dress": "apparel/dresses-sets/dress",
    "hat": "accessories/headwear/hat",
    "longsleeve": "apparel/topwear/long-sleeve-top",
    "outwear": "apparel/outerwear",
    "pants": "apparel/bottomwear/trousers",
    "shirt": "apparel/topwear/shirt",
    "shoes": "footwear",
    "shorts": "apparel/bottomwear/shorts",
    "skirt": "apparel/bottomwear/skirt",
    "t-shirt": "apparel/topwear/t-shirt",
}
"""Taxonomy path by the data set's class. Its `pants` are all bottomwear but shorts and skirts; a network with one class
for them says trousers."""

_SHIFT = 2


class NoClothingError(ValueError):
    """No picture has one of the ten classes."""


@dataclass(frozen=True)
class ClothingData:
    """Pictures and classes; fulfils `models.training_data.TrainingData`.

    Args:
        images: rows that could be decoded and have a class.
        space: the classes as leaves, no attribute heads.
        pixels: (N, 28, 28, 1) uint8.
        labels: (N,) int64 index into `space.leaves`.
        in_training: (N,) bool; the others validate.
    """

    images: tuple[LabelledImage, ...]
    space: LabelSpace
    pixels: Pixels
    labels: NDArray[np.int64]
    in_training: NDArray[np.bool_]

    @classmethod
    def load(
        cls, images: Sequence[LabelledImage], cache: Path, *, progress: Callable[[int, int], None] | None = None
    ) -> ClothingData:
        """Take the training and validation pictures that have a class, and bring them to 28 px.

        Args:
            images: rows of any data sets and splits; clothing_small and Fashion-MNIST are taken, nothing else.
            cache: folder for decoded pictures.
            progress: called while decoding with pictures done and to do.

        Raises:
            NoClothingError: there are none, or none that validate.
        """
        rows = [(image, path) for image in images if (path := class_of(image)) and image.split in {"train", "val"}]
        if {image.split for image, _ in rows} != {"train", "val"}:
            raise NoClothingError(
                f"{len(rows)} of {len(images)} pictures have one of the ten classes, and both train and val are "
                "needed: give --data clothing_small, or a folder with the files of Fashion-MNIST"
            )
        store = open_store([image.path for image, _ in rows], cache, progress)
        kept = [(index, *row) for index, row in enumerate(rows) if index not in store.failed]
        leaves = tuple(sorted({path for _, _, path in kept}))
        return cls(
            images=tuple(image for _, image, _ in kept),
            space=LabelSpace(leaves, {}),
            pixels=np.stack([model_input(store[index].pixels, store[index].box, INPUT) for index, _, _ in kept]),
            labels=np.array([leaves.index(path) for _, _, path in kept], np.int64),
            in_training=np.array([image.split == "train" for _, image, _ in kept], np.bool_),
        )

    @property
    def groups(self) -> int:
        """No metric learning."""
        return 0

    def draw(self, count: int, generator: np.random.Generator) -> NDArray[np.int64]:
        """Indices of training pictures, evenly."""
        return generator.choice(self.training(), count).astype(np.int64)

    def training(self) -> NDArray[np.int64]:
        """Indices of the training pictures."""
        return np.flatnonzero(self.in_training)

    def validation(self) -> NDArray[np.int64]:
        """Indices of the validation pictures."""
        return np.flatnonzero(~self.in_training)

    def training_batch(self, indices: NDArray[np.int64], size: int, generator: np.random.Generator) -> Pixels:
        """Pictures (N, 28, 28, 1), mirrored half of the time and moved by up to 2 px."""
        batch = self.views(indices, size).copy()
        mirrored = generator.random(len(batch)) < 0.5
        batch[mirrored] = batch[mirrored, :, ::-1]
        padded = np.pad(batch, ((0, 0), (_SHIFT, _SHIFT), (_SHIFT, _SHIFT), (0, 0)))
        for row, (down, across) in enumerate(generator.integers(0, 2 * _SHIFT + 1, (len(batch), 2))):
            batch[row] = padded[row, down : down + SIDE, across : across + SIDE]
        return batch

    def views(self, indices: NDArray[np.int64], size: int) -> Pixels:
        """Pictures (N, 28, 28, 1) as they are.

        Raises:
            ValueError: another size is asked for.
        """
        if size != SIDE:
            raise ValueError(f"the small network takes {SIDE} px, not {size}: set size {SIDE} in the recipe")
        return self.pixels[indices]

    def targets(self, indices: NDArray[np.int64]) -> Targets:
        """Their classes."""
        leaves = np.zeros((len(indices), len(self.space.leaves)), np.bool_)
        leaves[np.arange(len(indices)), self.labels[indices]] = True
        return Targets(torch.from_numpy(leaves), {}, torch.full((len(indices),), UNLABELLED))

    def datasets(self, indices: NDArray[np.int64]) -> list[str]:
        """Names of their data sets."""
        return [self.images[int(index)].dataset for index in indices]


def class_of(image: LabelledImage) -> str | None:
    """The leaf of a picture; None when it is of another data set or has none of the ten classes."""
    if image.dataset == CLOTHING_SMALL:
        return CLOTHING_CLASSES.get(image.subcategory)
    return resolve(image).node if image.dataset == FASHION_MNIST else None
