"""Labelled texts as the trainer wants them; see `models.training_data.TrainingData`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from models.label_space import HELD_OUT_TYPES, LabelSpace, ResolvedLabels, resolve, taxonomy_path
from models.labelled import LabelledImage
from models.losses import Targets
from models.recipe import Recipe, RecipeError, TextSettings
from models.text_augment import augmented
from models.text_encoding import Encoded, Encoder, Passage, ProductText, padded, read_passages
from models.text_templates import template_rows
from models.text_terms import Lexicon, load_lexicon
from models.training_data import TRAINING_SPLITS, head_indices, leaf_masks, sampling_weights

Numbers = NDArray[np.int32]

# Concepts are sometimes hidden, all or some, so that the words themselves are learned too.
_HIDE_ALL, _HIDE_TERM = 0.15, 0.1
_NO_TEXT_HEAD = "text_present"


def text_of(image: LabelledImage) -> ProductText:
    """A labelled picture's title, description, and the print that its labels list."""
    printed = image.attributes.get("texts")
    lines = " ".join(str(one) for one in printed) if isinstance(printed, list) else ""
    return ProductText(image.title or None, image.description or None, lines or None)


def text_settings(recipe: Recipe) -> TextSettings:
    """A recipe's settings for texts.

    Raises:
        RecipeError: it has none.
    """
    if recipe.text is None:
        raise RecipeError(f"recipe {recipe.name}: network text needs the field text")
    return recipe.text


def encoder_of(settings: TextSettings, lexicon: Lexicon) -> Encoder:
    """The encoder for the concepts of a lexicon."""
    return Encoder(settings.buckets, settings.pieces, [one.key for one in lexicon.concepts])


@dataclass(frozen=True)
class TextData:
    """Texts of products; see `TrainingData`.

    Args:
        images: rows with a text whose type is not held out; the pictures are not looked at.
        space: the label sets.
        encoder: makes the numbers.
        lexicon: finds the terms.
    """

    images: tuple[LabelledImage, ...]
    space: LabelSpace
    encoder: Encoder
    lexicon: Lexicon
    _texts: tuple[ProductText, ...]
    _leaves: NDArray[np.bool_]
    _heads: Mapping[str, NDArray[np.int64]]
    _weights: NDArray[np.float64]
    _validation: NDArray[np.int64]

    @classmethod
    def load(cls, images: Sequence[LabelledImage], recipe: Recipe) -> TextData:
        """Read labels and texts, and write the recipe's templates; test rows and rows without text are left out.

        Raises:
            RecipeError: the recipe has no settings for texts.
        """
        settings = text_settings(recipe)
        rows = [*images, *template_rows(settings.templates, recipe.rendered_seed)]
        rows = [row for row in rows if row.split in TRAINING_SPLITS or row.split == "val"]
        kept: list[tuple[LabelledImage, ResolvedLabels, ProductText]] = []
        for row in rows:
            labels, text = resolve(row), text_of(row)
            if labels.node and taxonomy_path(labels.node) in HELD_OUT_TYPES:
                continue
            if text.title or text.description or text.ocr_text:
                kept.append((row, labels, text))
        found, labels_of, texts = zip(*kept, strict=True) if kept else ((), (), ())
        in_training = np.array([image.split in TRAINING_SPLITS for image in found], bool)
        everything = LabelSpace.from_images(
            one for one, training in zip(labels_of, in_training, strict=True) if training
        )
        heads = {head: names for head, names in everything.heads.items() if head != _NO_TEXT_HEAD}
        space = LabelSpace(everything.leaves, heads)
        lexicon = load_lexicon()
        return cls(
            images=tuple(found),
            space=space,
            encoder=encoder_of(settings, lexicon),
            lexicon=lexicon,
            _texts=tuple(texts),
            _leaves=leaf_masks(space, labels_of),
            _heads={head: head_indices(names, head, labels_of) for head, names in space.heads.items()},
            _weights=sampling_weights(found, labels_of, in_training, recipe.dataset_weights, recipe.balance),
            _validation=np.flatnonzero(~in_training),
        )

    @property
    def groups(self) -> int:
        """No metric learning."""
        return 0

    def draw(self, count: int, generator: np.random.Generator) -> NDArray[np.int64]:
        """Indices of training texts by their weights."""
        return generator.choice(len(self._weights), count, p=self._weights).astype(np.int64)

    def training_batch(self, indices: NDArray[np.int64], size: int, generator: np.random.Generator) -> Numbers:
        """Changed texts (N, units, pieces + 1) int32, at most `size` units; last the segment."""
        encoded = []
        for index in indices:
            passages = self._passages(augmented(self._texts[index], generator), size)
            encoded.append(self.encoder.encode(_hidden(passages, generator)))
        return joined(encoded, self.encoder.pieces)

    def validation(self) -> NDArray[np.int64]:
        """Indices of the validation texts."""
        return self._validation

    def training(self) -> NDArray[np.int64]:
        """Indices of the training texts."""
        return np.flatnonzero(self._weights > 0)

    def views(self, indices: NDArray[np.int64], size: int) -> Numbers:
        """Texts as they are, (N, units, pieces + 1) int32."""
        encoded = [self.encoder.encode(self._passages(self._texts[index], size)) for index in indices]
        return joined(encoded, self.encoder.pieces)

    def texts(self, indices: NDArray[np.int64]) -> list[ProductText]:
        """Texts as they are."""
        return [self._texts[int(index)] for index in indices]

    def targets(self, indices: NDArray[np.int64]) -> Targets:
        """Their labels."""
        return Targets(
            torch.from_numpy(self._leaves[indices]),
            {head: torch.from_numpy(labels[indices]) for head, labels in self._heads.items()},
            torch.full((len(indices),), -1, dtype=torch.int64),
        )

    def datasets(self, indices: NDArray[np.int64]) -> list[str]:
        """Names of their data sets."""
        return [self.images[int(index)].dataset for index in indices]

    def _passages(self, text: ProductText, size: int) -> list[Passage]:
        return read_passages(text, self.lexicon, size)


def joined(encoded: Sequence[Encoded], pieces: int) -> Numbers:
    """Pieces and segment of each unit in one array (N, units, pieces + 1) int32."""
    ids, segments = padded(encoded, pieces)
    return np.concatenate([ids, segments[:, :, None]], axis=2)


def _hidden(passages: Sequence[Passage], generator: np.random.Generator) -> list[Passage]:
    if generator.random() < _HIDE_ALL:
        return [replace(passage, terms=()) for passage in passages]
    return [
        replace(passage, terms=tuple(term for term in passage.terms if generator.random() >= _HIDE_TERM))
        for passage in passages
    ]
