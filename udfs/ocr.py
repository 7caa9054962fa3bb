"""Reads the text in pictures: where it may stand, lines, characters; each line with confidence and place.

The work is limited first: to the regions a detector names, or to what a cheap likelihood of text leaves. Lines of all
pictures of a micro-batch are then read together, sorted by width. Nothing here raises for a bad picture: the status
says what became of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.model_input import Box, Pixels
from schemas.reasons import ImageError
from udfs.ocr_detect import DetectedLine, DetectSettings, detect_text, reading_order
from udfs.ocr_recognize import ReadLine, RecognizeSettings, cut_line, recognize_lines, upside_down
from udfs.ocr_regions import Area, areas_of
from udfs.ocr_sessions import OcrSessions, ocr_sessions_for
from udfs.text_likelihood import LEAST_LIKELIHOOD, likely_text
from udfs.text_line import Quad, TextLine, language_of

Floats: TypeAlias = NDArray[np.float32]
TextStatus = Literal["read", "no_text", "too_small", "failed"]

SHORTEST_SIDE = 8
"""A picture with a shorter side holds no letters."""


_OTHERS, _WITH_OTHERS = 2, 0.5


@dataclass(frozen=True)
class OcrSettings:
    """What is read, and how.

    Args:
        detect: how lines are looked for.
        recognize: how they are read.
        least_likelihood: pictures without given regions are read when the gate's likelihood reaches this; 0 reads all.
        least_confidence: lines read with less are dropped.
        doubtful_confidence: lines read with less are looked at for standing on their head.
        flip_probability: a line is turned when it stands on its head with this probability.
        region_margin: given regions are widened by this share of their shorter side, so that no letter is cut.
    """

    detect: DetectSettings = field(default_factory=DetectSettings)
    recognize: RecognizeSettings = field(default_factory=RecognizeSettings)
    least_likelihood: float = LEAST_LIKELIHOOD
    least_confidence: float = 0.5
    doubtful_confidence: float = 0.9
    flip_probability: float = 0.9
    region_margin: float = 0.08


@dataclass(frozen=True)
class TextReading:
    """What was read in one picture.

    Args:
        status: read; no_text (the gate, the network or the reader saw none); too_small; failed.
        lines: in reading order.
        likelihood: the gate's belief that the picture holds text, 0..1; None where regions were given.
        detail: what failed.
    """

    status: TextStatus
    lines: tuple[TextLine, ...] = ()
    likelihood: float | None = None
    detail: str | None = None

    @property
    def text(self) -> str:
        """All lines, one below the other."""
        return "\n".join(line.text for line in self.lines)


@dataclass
class _Candidate:
    """A line on its way: of which picture, where, its pixels, what they say."""

    picture: int
    line: DetectedLine
    pixels: Pixels
    read: ReadLine = field(default_factory=lambda: ReadLine("", 0.0))

    def turn(self) -> None:
        """Stand the line on its feet."""
        self.line = DetectedLine(np.roll(self.line.quad, 2, axis=0), self.line.score, self.line.tall)
        self.pixels = np.ascontiguousarray(self.pixels[::-1, ::-1])


def recognize_text(
    pixels: Pixels,
    regions: Sequence[Box] | None = None,
    *,
    sessions: OcrSessions | None = None,
    settings: OcrSettings | None = None,
) -> TextReading:
    """Read the text in one picture.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        regions: boxes (x_min, y_min, x_max, y_max), px, in which text may stand, e.g. a detector's labels and tags;
            boxes that touch are read as one. Empty means that there is none. None asks the cheap gate.
        sessions: the models; by default the process's own, with onnxruntime.
        settings: limits and thresholds.

    Raises:
        ValueError: `pixels` is not (H, W, 3) uint8.
        OcrModelsError: the models cannot be loaded.
    """
    return recognize_texts([pixels], [regions], sessions=sessions, settings=settings)[0]


def recognize_texts(
    pictures: Sequence[Pixels],
    regions: Sequence[Sequence[Box] | None] | None = None,
    *,
    sessions: OcrSessions | None = None,
    settings: OcrSettings | None = None,
) -> list[TextReading]:
    """Read the text in several pictures, their lines in common batches; see `recognize_text`.

    A model that fails on the lot is run on each picture alone, so that one does not fail the others.
    """
    chosen = settings or OcrSettings()
    given = regions if regions is not None else [None] * len(pictures)
    if len(given) != len(pictures):
        raise ValueError(f"recognize_texts got regions for {len(given)} pictures, but {len(pictures)} pictures")
    for pixels in pictures:
        if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
            raise ValueError(f"recognize_texts wants (H, W, 3) uint8, got {pixels.shape} {pixels.dtype}")
    readings: list[TextReading] = []
    areas: list[tuple[Area, ...]] = []
    for pixels, boxes in zip(pictures, given, strict=True):
        reading, found = _where(pixels, boxes, chosen)
        readings.append(reading)
        areas.append(found)
    wanted = [number for number, found in enumerate(areas) if found]
    if not wanted:
        return readings
    models = sessions or ocr_sessions_for()
    for number, outcome in zip(
        wanted, _read_each([pictures[n] for n in wanted], [areas[n] for n in wanted], models, chosen), strict=True
    ):
        likelihood = readings[number].likelihood
        if isinstance(outcome, ImageError):
            readings[number] = TextReading("failed", (), likelihood, outcome.detail)
        else:
            readings[number] = TextReading("read" if outcome else "no_text", outcome, likelihood)
    return readings


def _where(
    pixels: Pixels, regions: Sequence[Box] | None, settings: OcrSettings
) -> tuple[TextReading, tuple[Area, ...]]:
    """Areas to read; and what to say of the picture when nothing comes of it."""
    height, width = pixels.shape[0], pixels.shape[1]
    if min(height, width) < SHORTEST_SIDE:
        return TextReading("too_small"), ()
    if regions is not None:
        return TextReading("no_text"), areas_of(regions, height, width, settings.region_margin)
    gate = likely_text(pixels)
    reading = TextReading("no_text", (), gate.likelihood)
    if gate.likelihood < settings.least_likelihood:
        return reading, ()
    return reading, areas_of(gate.boxes, height, width, 0.0)


def _read_each(
    pictures: list[Pixels], areas: list[tuple[Area, ...]], models: OcrSessions, settings: OcrSettings
) -> list[tuple[TextLine, ...] | ImageError]:
    try:
        return list(_read(pictures, areas, models, settings))
    except ImageError as error:
        if len(pictures) == 1:
            return [error]
    return [_read_each([one], [its_areas], models, settings)[0] for one, its_areas in zip(pictures, areas, strict=True)]


def _read(
    pictures: list[Pixels], areas: list[tuple[Area, ...]], models: OcrSessions, settings: OcrSettings
) -> list[tuple[TextLine, ...]]:
    candidates = _find(pictures, areas, models, settings)
    _orient([one for one in candidates if one.line.tall], models, settings)
    _recognize(candidates, models, settings)
    doubtful = [one for one in candidates if not one.line.tall and one.read.confidence < settings.doubtful_confidence]
    turned = _orient(doubtful, models, settings)
    _recognize(turned, models, settings)
    lines: list[tuple[TextLine, ...]] = []
    for number in range(len(pictures)):
        own = [one for one in candidates if one.picture == number]
        kept = {id(one.line): one for one in own if one.read.text and one.read.confidence >= settings.least_confidence}
        lines.append(tuple(_text_line(kept[id(line)]) for line in reading_order([one.line for one in kept.values()])))
    return lines


def _find(
    pictures: list[Pixels], areas: list[tuple[Area, ...]], models: OcrSessions, settings: OcrSettings
) -> list[_Candidate]:
    places = [(number, area) for number, found in enumerate(areas) for area in found]
    cuts = [np.ascontiguousarray(pictures[number][area.rows, area.columns]) for number, area in places]
    candidates = []
    for (number, area), lines in zip(places, detect_text(models.detector, cuts, settings.detect), strict=True):
        for line in lines:
            quad = line.quad + np.array([area.left, area.top], np.float32)
            pixels = cut_line(pictures[number], quad)
            if pixels is not None:
                candidates.append(_Candidate(number, DetectedLine(quad, line.score, line.tall), pixels))
    return candidates


def _orient(asked: list[_Candidate], models: OcrSessions, settings: OcrSettings) -> list[_Candidate]:
    """Turn those of `asked` that stand on their head; returns them. Mostly nothing is asked, and the model rests."""
    if not asked:
        return []
    probabilities = upside_down(models.orienter, [one.pixels for one in asked])
    sure = [
        one.picture
        for one, probability in zip(asked, probabilities, strict=True)
        if probability >= settings.flip_probability
    ]
    turned = []
    for one, probability in zip(asked, probabilities, strict=True):
        # Lines of one picture mostly stand alike: where others surely stand on their head, less is asked of this one.
        others = sure.count(one.picture)
        threshold = settings.flip_probability if others < _OTHERS else _WITH_OTHERS
        if probability >= threshold:
            one.turn()
            turned.append(one)
    return turned


def _recognize(candidates: list[_Candidate], models: OcrSessions, settings: OcrSettings) -> None:
    """Read lines; a second reading replaces the first when it is surer, else the line is turned back."""
    if not candidates:
        return
    read = recognize_lines(models.recognizer, models.characters, [one.pixels for one in candidates], settings.recognize)
    for one, result in zip(candidates, read, strict=True):
        if result.confidence >= one.read.confidence:
            one.read = result
        else:
            one.turn()


def _text_line(one: _Candidate) -> TextLine:
    quad: Quad = tuple(round(float(value), 1) for value in one.line.quad.ravel())  # type: ignore[assignment]
    read = one.read
    return TextLine(read.text, round(read.confidence, 4), language_of(read.text), quad, round(one.line.height, 1))
