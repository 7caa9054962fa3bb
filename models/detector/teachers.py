"""Networks of others that label real photos for training: where the salient thing is, and where text is.

Both are needed for training only. The first is not fetched here: see docs/models/detector.md for the package that holds
it; the second is the one that extraction reads text with.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.detector.samples import ABSENT, PRESENT, UNKNOWN, Bytes
from models.session import new_session

_SALIENCY_SIDE = 320
_IMAGENET_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_IMAGENET_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
# Text is looked for at this short side (px), a multiple of the network's stride of 32.
_TEXT_SIDE = 384
_TEXT_STRIDE = 32
_TEXT_SURE, _TEXT_POSSIBLE = 0.5, 0.2
_LEAST_LINE = 4
# What the network takes for a line larger than this share of the picture is a smooth surface.
_LARGEST_LINE = 0.08
# DB (Liao et al. 2020) finds shrunk lines; they are grown back by area * ratio / perimeter.
_UNCLIP_RATIO = 1.6


class SaliencyTeacher:
    """U2-Net-p (Qin et al. 2020): the mask of what a picture shows."""

    def __init__(self, model: bytes) -> None:
        self._session: Any = new_session(model)
        self._input = self._session.get_inputs()[0].name

    def probability(self, pixels: Bytes) -> NDArray[np.float32]:
        """(H, W) float32, 0..1, of (H, W, 3) uint8 RGB."""
        size = (_SALIENCY_SIDE, _SALIENCY_SIDE)
        small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        small = (small / max(float(small.max()), 1e-6) - _IMAGENET_MEAN) / _IMAGENET_DEVIATION
        found = self._session.run(None, {self._input: small.transpose(2, 0, 1)[None].astype(np.float32)})[0][0, 0]
        low, high = float(found.min()), float(found.max())
        found = (found - low) / max(high - low, 1e-6)
        height, width = pixels.shape[:2]
        return np.asarray(cv2.resize(found, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


class TextTeacher:
    """The detection network of PP-OCR: where text lines are."""

    def __init__(self, model: bytes) -> None:
        self._session: Any = new_session(model)
        self._input = self._session.get_inputs()[0].name

    def text_map(self, pixels: Bytes) -> Bytes:
        """(H, W) uint8 map of text of (H, W, 3) uint8 RGB; UNKNOWN where the network hesitates."""
        height, width = pixels.shape[:2]
        scale = _TEXT_SIDE / min(height, width)
        sides = [max(_TEXT_STRIDE, round(side * scale / _TEXT_STRIDE) * _TEXT_STRIDE) for side in (width, height)]
        large = cv2.resize(pixels, sides, interpolation=cv2.INTER_LINEAR)[..., ::-1].astype(np.float32)
        found = self._session.run(None, {self._input: (large / 127.5 - 1).transpose(2, 0, 1)[None]})[0][0, 0]
        lines = np.full(found.shape, ABSENT, np.uint8)
        lines[cv2.dilate(found, np.ones((5, 5), np.uint8)) > _TEXT_POSSIBLE] = UNKNOWN
        _fill_lines(lines, found)
        return np.asarray(cv2.resize(lines, (width, height), interpolation=cv2.INTER_NEAREST))


def _fill_lines(lines: Bytes, found: NDArray[np.float32]) -> None:
    contours, _ = cv2.findContours((found > _TEXT_SURE).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    for contour in contours:
        center, (width, height), angle = cv2.minAreaRect(contour)
        if min(width, height) < _LEAST_LINE:
            continue
        grow = 2 * width * height * _UNCLIP_RATIO / (2 * (width + height))
        if (width + grow) * (height + grow) > _LARGEST_LINE * lines.size:
            continue
        quad = cv2.boxPoints((center, (width + grow, height + grow), angle))
        cv2.fillConvexPoly(lines, np.rint(quad).astype(np.int32), PRESENT)
