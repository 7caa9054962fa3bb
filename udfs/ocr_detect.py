"""Finds lines of text: PP-OCR's detection network (DB) and its post-processing.

Source: Liao et al., "Real-time Scene Text Detection with Differentiable Binarization", AAAI 2020; values as PP-OCR
runs it. The network gives a map of text kernels, shrunken lines; each kernel's smallest rectangle is grown back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from udfs.ocr_sessions import Network

Pixels: TypeAlias = NDArray[np.uint8]
Floats: TypeAlias = NDArray[np.float32]

_STRIDE = 32
# A kernel narrower than this on the map is noise.
_SMALLEST_KERNEL = 3.0
_SMALLEST_BOX = 5.0
# Upright Chinese columns and turned lines alike: a rectangle this much higher than wide reads top to bottom.
_TALL = 1.5


@dataclass(frozen=True)
class DetectSettings:
    """How lines are looked for.

    Args:
        side_limit: pictures with a longer side are shrunk to it, px.
        small_side: pictures (or regions) with a shorter longer side are enlarged, px.
        enlarged_side: what their longer side is enlarged to, px, at most by `most_enlargement`.
        most_enlargement: see `enlarged_side`.
        first_scale: enlarged pictures are first looked at at this share of their enlarged size; that is enough where
            all lines are plain.
        plain_height: px of the network's input from which a line is plain.
        plain_score: score from which a line is plain.
        kernel_threshold: map values above belong to a kernel.
        box_threshold: kernels with a lower mean are no text.
        growth: how far a kernel is grown, as a multiple of its area / perimeter.
        most_lines: at most so many lines per picture, the surest.
        batch: pictures of one size per call of the network.
    """

    side_limit: int = 640
    small_side: int = 300
    enlarged_side: int = 480
    most_enlargement: float = 2.3
    first_scale: float = 0.65
    plain_height: float = 24.0
    plain_score: float = 0.75
    kernel_threshold: float = 0.3
    box_threshold: float = 0.4
    growth: float = 1.6
    most_lines: int = 100
    batch: int = 4


@dataclass(frozen=True)
class DetectedLine:
    """Where a line of text stands.

    Args:
        quad: (4, 2) float32 corners, clockwise from the top left as the text reads if it stands on its feet, px.
        score: mean of the network's map inside, 0..1.
        tall: whether it was taken as running from top to bottom, so that it may as well run upwards.
    """

    quad: Floats
    score: float
    tall: bool

    @property
    def height(self) -> float:
        """Height of the letters' band, px."""
        return float(np.linalg.norm(self.quad[3] - self.quad[0]) + np.linalg.norm(self.quad[2] - self.quad[1])) / 2


def detect_text(
    network: Network, pictures: Sequence[Pixels], settings: DetectSettings | None = None
) -> list[list[DetectedLine]]:
    """Lines of text in pictures, each in reading order: row by row, from left to right.

    Args:
        network: the detection model.
        pictures: (H, W, 3) uint8 RGB, each at least 1 px; those of one network size share a call.
        settings: limits and thresholds.

    Raises:
        ImageError: `model_failed`.
    """
    settings = settings or DetectSettings()
    found: list[list[DetectedLine]] = [[] for _ in pictures]
    last_looks, first_looks = {}, {}
    for number, pixels in enumerate(pictures):
        height, width = pixels.shape[0], pixels.shape[1]
        last_looks[number] = network_size(height, width, settings)
        first = network_size(height, width, settings, settings.first_scale)
        if first != last_looks[number]:
            first_looks[number] = first
    for number, lines in _look(network, pictures, first_looks, settings):
        if _all_plain(lines, first_looks[number][0] / pictures[number].shape[0], settings):
            found[number] = lines
            del last_looks[number]
    for number, lines in _look(network, pictures, last_looks, settings):
        found[number] = lines
    return found


def _look(
    network: Network, pictures: Sequence[Pixels], sizes: dict[int, tuple[int, int]], settings: DetectSettings
) -> Iterator[tuple[int, list[DetectedLine]]]:
    """Lines of some pictures by their number, each seen at its size (height, width); one size shares calls."""
    by_size: dict[tuple[int, int], list[int]] = {}
    for number, size in sizes.items():
        by_size.setdefault(size, []).append(number)
    for (height, width), numbers in by_size.items():
        for start in range(0, len(numbers), settings.batch):
            chunk = numbers[start : start + settings.batch]
            maps = network.run(_blob([pictures[number] for number in chunk], height, width))
            for number, text_map in zip(chunk, maps[:, 0], strict=True):
                picture = pictures[number]
                yield number, lines_of_map(text_map, picture.shape[0], picture.shape[1], settings)


def _all_plain(lines: list[DetectedLine], scale: float, settings: DetectSettings) -> bool:
    """Whether there are lines, all so high and sure that a closer look would find the same."""
    return bool(lines) and all(
        line.score >= settings.plain_score and line.height * scale >= settings.plain_height for line in lines
    )


def network_size(height: int, width: int, settings: DetectSettings, enlarged_share: float = 1.0) -> tuple[int, int]:
    """Height and width at which the network sees a picture: multiples of 32 within the limits.

    Args:
        height: the picture's, px.
        width: the picture's, px.
        settings: limits.
        enlarged_share: of the size to which small pictures are enlarged; others are seen as they are.
    """
    longer = max(height, width)
    scale = min(1.0, settings.side_limit / longer)
    if longer < settings.small_side:
        scale = min(settings.most_enlargement, settings.enlarged_side / longer) * enlarged_share
    return _multiple(height * scale), _multiple(width * scale)


def lines_of_map(text_map: Floats, height: int, width: int, settings: DetectSettings) -> list[DetectedLine]:
    """Lines of a map from the network, in reading order.

    Args:
        text_map: (h, w) float32 probabilities.
        height: the picture's height, px; corners come out in its pixels, inside it.
        width: its width.
        settings: thresholds.
    """
    kernels = (text_map > settings.kernel_threshold).astype(np.uint8)
    kernels = cv2.dilate(kernels, np.ones((2, 2), np.uint8))
    contours, _ = cv2.findContours(kernels, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    scale = np.array([width / text_map.shape[1], height / text_map.shape[0]], np.float32)
    limit = np.array([width, height], np.float32)
    lines = []
    for contour in contours:
        center, (across, down), degrees = cv2.minAreaRect(contour)
        if min(across, down) < _SMALLEST_KERNEL:
            continue
        score = _mean_inside(text_map, cv2.boxPoints((center, (across, down), degrees)))
        if score < settings.box_threshold:
            continue
        # Growing a rectangle's outline by a distance and taking the smallest rectangle again adds it on each side.
        distance = across * down / (2 * (across + down)) * settings.growth
        across, down = across + 2 * distance, down + 2 * distance
        if min(across, down) < _SMALLEST_BOX:
            continue
        corners = cv2.boxPoints((center, (across, down), degrees)) * scale
        quad, tall = _in_reading_order(np.clip(corners, 0, limit).astype(np.float32))
        lines.append(DetectedLine(quad, score, tall))
    lines = sorted(lines, key=lambda line: -line.score)[: settings.most_lines]
    return reading_order(lines)


def reading_order(lines: list[DetectedLine]) -> list[DetectedLine]:
    """Row by row, each from left to right; a line belongs to a row when its middle lies within the row's first line."""
    rest = sorted(lines, key=lambda line: float(line.quad[:, 1].mean()))
    ordered: list[DetectedLine] = []
    while rest:
        top, bottom = float(rest[0].quad[:, 1].min()), float(rest[0].quad[:, 1].max())
        row = [line for line in rest if top <= float(line.quad[:, 1].mean()) <= bottom] or rest[:1]
        ordered += sorted(row, key=lambda line: float(line.quad[:, 0].min()))
        chosen = {id(line) for line in row}
        rest = [line for line in rest if id(line) not in chosen]
    return ordered


def _blob(pictures: list[Pixels], height: int, width: int) -> Floats:
    """(N, 3, height, width) float32 in -1..1, channels in the order BGR, as PP-OCR's networks were trained."""
    resized = [_resize(pixels, height, width) for pixels in pictures]
    return np.asarray(cv2.dnn.blobFromImages(resized, 1 / 127.5, mean=(127.5, 127.5, 127.5), swapRB=True))


def _resize(pixels: Pixels, height: int, width: int) -> Pixels:
    # Averaging where it shrinks much keeps thin strokes; bilinear is what the network was trained with otherwise.
    shrinks = pixels.shape[0] > 1.5 * height and pixels.shape[1] > 1.5 * width
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=interpolation))


def _multiple(length: float) -> int:
    return max(_STRIDE, round(length / _STRIDE) * _STRIDE)


def _mean_inside(text_map: Floats, corners: Floats) -> float:
    """Mean of the map inside a rectangle."""
    height, width = text_map.shape
    left, top = np.clip(np.floor(corners.min(axis=0)).astype(int), 0, (width - 1, height - 1))
    right, bottom = np.clip(np.ceil(corners.max(axis=0)).astype(int), 0, (width - 1, height - 1))
    inside = np.zeros((bottom - top + 1, right - left + 1), np.uint8)
    cv2.fillPoly(inside, [(corners - (left, top)).astype(np.int32)], 1)
    return float(cv2.mean(text_map[top : bottom + 1, left : right + 1], inside)[0])


def _in_reading_order(corners: Floats) -> tuple[Floats, bool]:
    """Corners clockwise from the top left as the text reads; and whether it runs from top to bottom."""
    by_x = corners[np.argsort(corners[:, 0], kind="stable")]
    top_left, bottom_left = by_x[:2][np.argsort(by_x[:2, 1], kind="stable")]
    top_right, bottom_right = by_x[2:][np.argsort(by_x[2:, 1], kind="stable")]
    quad = np.stack([top_left, top_right, bottom_right, bottom_left])
    across = np.linalg.norm(top_right - top_left) + np.linalg.norm(bottom_right - bottom_left)
    down = np.linalg.norm(bottom_left - top_left) + np.linalg.norm(bottom_right - top_right)
    tall = bool(down >= _TALL * across)
    return (np.roll(quad, -1, axis=0) if tall else quad), tall
