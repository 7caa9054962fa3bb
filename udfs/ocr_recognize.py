"""Reads lines of text: cuts them upright, batches them by width, runs PP-OCR's recognition network, decodes its CTC.

Source: Graves et al., "Connectionist Temporal Classification", ICML 2006 (greedy decoding); PP-OCR for the input.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from udfs.ocr_sessions import Network

Pixels: TypeAlias = NDArray[np.uint8]
Floats: TypeAlias = NDArray[np.float32]

LINE_HEIGHT = 48
"""Height of a line as the recognition network sees it, px."""

_ORIENT_WIDTH = 192
_WIDTH_STEP = 16
_UPSIDE_DOWN = 1
# Lines up to this multiple of the network's height are warped to it in one step.
_ONE_STEP = 1.3
# A line this much longer than high is no text, and its picture would be huge.
_LONGEST = 100.0


@dataclass(frozen=True)
class RecognizeSettings:
    """How lines are read.

    Args:
        batch: lines per call of the network.
        least_width: narrower lines are padded to it, px at a height of 48.
        most_width: wider lines are squeezed to it.
        most_padding: lines share a call as long as padding stays below this share of the widest.
        most_total_width: and as long as they are at most this wide together, px; bounds the memory of a call, which
            holds a probability for each of 18,710 characters every 8 px.
    """

    batch: int = 8
    least_width: int = 96
    most_width: int = 1600
    most_padding: float = 0.1
    most_total_width: int = 1600


@dataclass(frozen=True)
class ReadLine:
    """What a line says.

    Args:
        text: characters, without spaces at the ends.
        confidence: mean probability of the characters, 0..1; 0 without any.
    """

    text: str
    confidence: float


def cut_line(pixels: Pixels, quad: Floats) -> Pixels | None:
    """A line cut out of a picture, upright and 48 px high.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        quad: (4, 2) corners, clockwise from the top left as the text reads, px.

    Returns:
        (48, W, 3) uint8 RGB; None when the quadrilateral is narrower or lower than one pixel, or 100 times as wide as
        high.
    """
    width = max(np.linalg.norm(quad[1] - quad[0]), np.linalg.norm(quad[2] - quad[3]))
    height = max(np.linalg.norm(quad[3] - quad[0]), np.linalg.norm(quad[2] - quad[1]))
    if width < 1 or height < 1 or width > _LONGEST * height:
        return None
    wide = max(1, math.ceil(LINE_HEIGHT * float(width / height)))
    if height <= _ONE_STEP * LINE_HEIGHT:
        return _warped(pixels, quad, wide, LINE_HEIGHT, cv2.INTER_LINEAR)
    # Shrinking in one step would skip pixels: flat first, then averaged.
    flat = _warped(pixels, quad, max(1, round(float(width))), round(float(height)), cv2.INTER_LINEAR)
    return np.asarray(cv2.resize(flat, (wide, LINE_HEIGHT), interpolation=cv2.INTER_AREA))


def _warped(pixels: Pixels, quad: Floats, width: int, height: int, interpolation: int) -> Pixels:
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(quad.astype(np.float32), target)
    return np.asarray(
        cv2.warpPerspective(pixels, matrix, (width, height), flags=interpolation, borderMode=cv2.BORDER_REPLICATE)
    )


def recognize_lines(
    network: Network, characters: Sequence[str], lines: Sequence[Pixels], settings: RecognizeSettings | None = None
) -> list[ReadLine]:
    """Read lines, in their order.

    Args:
        network: the recognition model.
        characters: its alphabet by class, the blank first (`OcrSessions.characters`).
        lines: (48, W, 3) uint8 RGB each, from `cut_line`; of one picture or of many.
        settings: batching.

    Raises:
        ImageError: `model_failed`.
    """
    settings = settings or RecognizeSettings()
    read: list[ReadLine] = [ReadLine("", 0.0)] * len(lines)
    for numbers, width in _batches([line.shape[1] for line in lines], settings):
        probabilities = network.run(_blob([lines[number] for number in numbers], width))
        for number, one in zip(numbers, decode_ctc(probabilities, characters), strict=True):
            read[number] = one
    return read


def upside_down(network: Network, lines: Sequence[Pixels], batch: int = 8) -> list[float]:
    """Probability for each line (48, W, 3) that it stands on its head.

    Raises:
        ImageError: `model_failed`.
    """
    result: list[float] = []
    for start in range(0, len(lines), batch):
        chunk = [line[:, :_ORIENT_WIDTH] if line.shape[1] <= _ORIENT_WIDTH else _squeezed(line, _ORIENT_WIDTH)
                 for line in lines[start : start + batch]]  # fmt: skip
        result += [float(value) for value in network.run(_blob(chunk, _ORIENT_WIDTH))[:, _UPSIDE_DOWN]]
    return result


def decode_ctc(probabilities: Floats, characters: Sequence[str]) -> list[ReadLine]:
    """Greedy decoding: best class per step, repeats and blanks (class 0) left out.

    Args:
        probabilities: (N, steps, classes) float32.
        characters: one per class.
    """
    best = probabilities.argmax(axis=2)
    result = []
    for row, classes in zip(probabilities, best, strict=True):
        keep = classes != 0
        keep[1:] &= classes[1:] != classes[:-1]
        steps = np.flatnonzero(keep)
        text = "".join(characters[int(one)] for one in classes[steps])
        sure = float(row[steps, classes[steps]].mean()) if steps.size else 0.0
        result.append(ReadLine(text.strip(), sure if text.strip() else 0.0))
    return result


def _batches(widths: Sequence[int], settings: RecognizeSettings) -> Iterator[tuple[list[int], int]]:
    """Groups of lines and the width they are padded to: sorted by width, so that little is padded."""
    limited = [min(max(width, settings.least_width), settings.most_width) for width in widths]
    order = sorted(range(len(widths)), key=lambda number: -limited[number])
    group: list[int] = []
    for number in order:
        widest = limited[group[0]] if group else 0
        if group and (
            len(group) == settings.batch
            or limited[number] < (1 - settings.most_padding) * widest
            or (len(group) + 1) * widest > settings.most_total_width
        ):
            yield from _calls(group, limited)
            group = []
        group.append(number)
    yield from _calls(group, limited)


def _calls(group: list[int], widths: Sequence[int]) -> Iterator[tuple[list[int], int]]:
    """Parts of 8, 4, 2 or 1 line: engines that compile for each shape of input then meet few."""
    while group:
        size = 1 << (len(group).bit_length() - 1)
        yield group[:size], _stepped(widths[group[0]])
        group = group[size:]


def _stepped(width: int) -> int:
    return math.ceil(width / _WIDTH_STEP) * _WIDTH_STEP


def _blob(lines: list[Pixels], width: int) -> Floats:
    """(N, 3, 48, width) float32 in -1..1, BGR; padding on the right is 0, as in training."""
    blob = np.zeros((len(lines), 3, LINE_HEIGHT, width), np.float32)
    for row, line in enumerate(lines):
        fitted = line if line.shape[1] <= width else _squeezed(line, width)
        blob[row, :, :, : fitted.shape[1]] = fitted[:, :, ::-1].transpose(2, 0, 1)
        blob[row, :, :, : fitted.shape[1]] *= 1 / 127.5
        blob[row, :, :, : fitted.shape[1]] -= 1
    return blob


def _squeezed(line: Pixels, width: int) -> Pixels:
    return np.asarray(cv2.resize(line, (width, LINE_HEIGHT), interpolation=cv2.INTER_AREA))
