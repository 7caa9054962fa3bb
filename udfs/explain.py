"""What is said of one picture, each attribute with its evidence: places, shares of color, text, heat maps.

Looks at the picture again, as extraction does, and keeps what extraction throws away. Heat maps cost an inference with
more outputs each time, so they are made here, on demand, and not for each picture of a night.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from models.model_input import Box
from schemas.reasons import ImageError, Reason
from schemas.settings import DecodeSettings, TextSettings
from udfs.decode import decode
from udfs.describe import Picture, ready_picture
from udfs.heat_map import CATEGORY, HeatMap, HeatMapper, Target
from udfs.masks import Mask
from udfs.micro_batch import describe_pictures
from udfs.product_region import detect_each, look_at
from udfs.runtime import Runtime

TEXT = "text"
"""The attribute that stands for all that was read."""

_RIVALS = 4
# Whether there is text is a question for the text stage, not an attribute to explain.
_NOT_SHOWN = frozenset({"text_present"})


class NoSuchAttributeError(ValueError):
    """The picture's bundle says nothing of the attribute that was asked for; the message lists those it knows."""


@dataclass(frozen=True)
class Rival:
    """A label and its probability."""

    label: str
    probability: float


@dataclass(frozen=True)
class Statement:
    """What the models say of one attribute, and why.

    Args:
        attribute: category or a head.
        value: taxonomy path or label; the best one also when it is not stated.
        confidence: its probability.
        is_stated: whether it reaches the bundle's threshold.
        heat: where the evidence for it lies.
        inside: share of the heat on the product's mask, 0..1.
        rivals: the head's best labels with their probabilities, the value's own among them.
    """

    attribute: str
    value: str
    confidence: float
    is_stated: bool
    heat: HeatMap
    inside: float
    rivals: tuple[Rival, ...]


@dataclass(frozen=True)
class Enrolled:
    """How near a picture comes to a type taught by examples.

    Args:
        path: taxonomy path.
        score: see `udfs.prototypes`.
        threshold: score from which the type is claimed.
        confidence: trust in the claim, 0 without one.
    """

    path: str
    score: float
    threshold: float
    confidence: float


@dataclass(frozen=True)
class PictureExplanation:
    """A picture and why what is said of it is said.

    Args:
        content_sha256: of its bytes.
        picture: its pixels, as the models see them.
        columns: what extraction says, by column of `schemas.image_columns.IMAGE_COLUMNS`.
        box: the product's box, px of `picture.pixels`.
        mask: the product, (h, w) bool at the size of `picture.small`.
        statements: what the models say, the category first.
        enrolled: types taught by examples, the nearest first.
        attribute: the attribute that was asked for, None for all.
    """

    content_sha256: str
    picture: Picture
    columns: Mapping[str, Any]
    box: Box
    mask: Mask
    statements: tuple[Statement, ...]
    enrolled: tuple[Enrolled, ...]
    attribute: str | None = None

    def full_mask(self) -> Mask:
        """The product's mask at the size of `picture.pixels`."""
        height, width = self.picture.pixels.shape[:2]
        resized = cv2.resize(self.mask.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
        return np.asarray(resized > 0)


class PictureExplainer:
    """Explains pictures with one bundle.

    Args:
        runtime: its models.
        decode_limits: what may be decoded.
        text: what is read.
        enhance: correct white balance, contrast and noise where called for, as extraction does.
    """

    def __init__(
        self,
        runtime: Runtime,
        decode_limits: DecodeSettings | None = None,
        text: TextSettings | None = None,
        *,
        enhance: bool = True,
    ) -> None:
        self._runtime = runtime
        self._decode = decode_limits or DecodeSettings()
        self._text = text or TextSettings()
        self._enhance = enhance
        self._mapper = HeatMapper(runtime)

    @property
    def attributes(self) -> tuple[str, ...]:
        """What can be asked for."""
        return (*(name for name in self._mapper.attributes if name not in _NOT_SHOWN), TEXT)

    def explain(self, data: bytes, attribute: str | None = None) -> PictureExplanation:
        """Explain a picture.

        Args:
            data: its bytes, in any format that extraction reads.
            attribute: only this one; None for all.

        Raises:
            ImageError: the picture cannot be read, or a model fails on it.
            NoSuchAttributeError: the bundle knows no such attribute.
        """
        if attribute is not None and attribute not in self.attributes:
            raise NoSuchAttributeError(
                f"bundle {self._runtime.bundle.version_id} has no attribute {attribute!r} to explain; "
                f"it has {', '.join(self.attributes)}"
            )
        picture = ready_picture(decode(data, self._decode), enhance_pixels=self._enhance)
        detections = detect_each([picture], self._runtime)[0]
        columns = describe_pictures([picture], self._runtime, self._text)[0]
        for outcome in (detections, columns):
            if isinstance(outcome, ImageError):
                raise outcome
        assert not isinstance(detections, ImageError) and not isinstance(columns, ImageError)
        look = look_at(picture, detections)
        explanation = PictureExplanation(
            hashlib.sha256(data).hexdigest(), picture, columns, look.box, look.region.mask, (), (), attribute
        )
        statements = self._statements(explanation)
        wants_category = attribute in {None, CATEGORY}
        return PictureExplanation(
            content_sha256=explanation.content_sha256,
            picture=picture,
            columns=columns,
            box=look.box,
            mask=look.region.mask,
            statements=tuple(statements),
            enrolled=self._enrolled(columns) if wants_category else (),
            attribute=attribute,
        )

    def _statements(self, explained: PictureExplanation) -> list[Statement]:
        said = [
            one
            for one in _said(explained.columns)
            if one[0] not in _NOT_SHOWN and explained.attribute in {None, one[0]}
        ]
        pixels = explained.picture.pixels
        maps = self._mapper.map(pixels, explained.box, [Target(attribute, value) for attribute, value, _, _ in said])
        result = self._runtime.classify(self._runtime.prepare(pixels, explained.box)[np.newaxis])
        labels = {head.name: self._runtime.bundle.labels(head) for head in self._runtime.classify_task.heads}
        mask = explained.full_mask()
        statements = []
        for (attribute, value, confidence, is_stated), heat in zip(said, maps, strict=True):
            if attribute == CATEGORY:
                rivals = [Rival(one["category"], one["score"]) for one in explained.columns["category_candidates"]]
            else:
                scores = result.heads[attribute][0]
                order = np.argsort(-scores, kind="stable")
                rivals = [Rival(labels[attribute][index], float(scores[index])) for index in order]
            share = heat_inside(heat, mask)
            statements.append(Statement(attribute, value, confidence, is_stated, heat, share, tuple(rivals[:_RIVALS])))
        return statements

    def _enrolled(self, columns: Mapping[str, Any]) -> tuple[Enrolled, ...]:
        reader, table = self._runtime.prototype_reader, self._runtime.bundle.prototypes
        if reader is None or table is None:
            return ()
        embedding = np.asarray(columns["embedding"], np.float32)[np.newaxis]
        scores, confidences = reader.scores(embedding)[0], reader.confidences(embedding)[0]
        found = [
            Enrolled(one.path, float(score), float(threshold), float(confidence))
            for one, score, threshold, confidence in zip(
                table.types, scores, reader.thresholds, confidences, strict=True
            )
        ]
        return tuple(sorted(found, key=lambda one: one.threshold - one.score))


def heat_inside(heat: HeatMap, mask: Mask) -> float:
    """Share of a map's heat that lies on a mask of the picture, 0..1; 0 for a map without heat."""
    spread = heat.on_picture(*mask.shape)
    total = float(spread.sum())
    return float(spread[mask].sum()) / total if total else 0.0


def _said(columns: Mapping[str, Any]) -> list[tuple[str, str, float, bool]]:
    """(attribute, value, confidence, is stated) of category and heads; the best guess where none is stated."""
    candidates = columns["category_candidates"]
    said = []
    if columns["category"] is not None:
        said.append((CATEGORY, columns["category"], float(columns["category_confidence"]), True))
    elif candidates:
        said.append((CATEGORY, candidates[0]["category"], float(candidates[0]["score"]), False))
    said += [
        (one["attribute"], one["value"], float(one["confidence"]), bool(one["is_stated"]))
        for one in columns["model_attributes"]
    ]
    return said


def unreadable(uri: str, error: ImageError) -> ImageError:
    """The same error, naming the picture."""
    detail = error.detail if uri in error.detail else f"{uri}: {error.detail}"
    return ImageError(Reason(error.reason), detail)
