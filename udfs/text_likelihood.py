"""A cheap look for text: which parts of a picture may hold some, in about a millisecond.

Letters are strokes, thin against their height, close together in rows that stand in calmer surroundings. The picture is
looked at with at most 256 px on its long side, in cells of 8 px: stroke and gradient measures of each cell, of its row
and of its surroundings go into a logistic regression. Its weights lie in `text_gate_weights.json`, which
`jobs.fit_text_gate` writes; `docs/models/ocr.md` has its recall and precision. A detector that knows text replaces it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from models.model_input import Box, Pixels

Floats: TypeAlias = NDArray[np.float32]

GATE_SIDE = 256
"""Long side (px) at which a picture is looked at; smaller pictures are looked at as they are."""

CELL = 8
"""Side of a cell, px at that size."""

WEIGHTS_FILE = Path(__file__).with_name("text_gate_weights.json")
"""The weights that ship."""

LEAST_LIKELIHOOD = 0.1
"""Pictures below are taken to hold no text; chosen on rendered pictures and photos, see `docs/models/ocr.md`."""

CELL_MEASURES = (
    "across",
    "down",
    "dark_strokes",
    "light_strokes",
    "fine_strokes",
    "ink",
    "turns",
)
"""Measures of a cell, each 0..1 or little above; see `cell_measures`."""

TOP_RANKS = (0, 3, 11)
"""A picture is judged by its best cell, its fourth best and its twelfth best."""

_INK = 26
_TURN = 24
_SMALLEST = 2 * CELL


@dataclass(frozen=True)
class TextGate:
    """What the look says.

    Args:
        likelihood: that the picture holds text that can be read, 0..1.
        boxes: where it may be: (x_min, y_min, x_max, y_max), px of the picture.
    """

    likelihood: float
    boxes: tuple[Box, ...]


@dataclass(frozen=True)
class GateWeights:
    """A network of one hidden layer over the terms of a cell, and a logistic regression over the best cells.

    Args:
        hidden: (T, K) weights of `cell_terms`.
        hidden_bias: (K,).
        output: (K,) weights of the rectified hidden units.
        output_bias: their intercept.
        picture: (len(TOP_RANKS),) weights of the best cells' scores.
        picture_bias: their intercept.
        cell_threshold: cells with at least this score count as places of text.
    """

    hidden: Floats
    hidden_bias: Floats
    output: Floats
    output_bias: float
    picture: Floats
    picture_bias: float
    cell_threshold: float


def likely_text(pixels: Pixels, weights: GateWeights | None = None) -> TextGate:
    """How likely a picture holds text, and where.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        weights: fitted weights; by default those that ship.
    """
    chosen = weights or load_gate_weights()
    height, width = pixels.shape[:2]
    terms = cell_terms(pixels)
    if terms is None:
        # Too small to judge; reading it costs next to nothing.
        return TextGate(1.0, ((0.0, 0.0, float(width), float(height)),))
    scores = cell_scores(terms, chosen)
    return TextGate(likelihood(scores, chosen), _boxes(scores >= chosen.cell_threshold, height, width))


def cell_scores(terms: Floats, weights: GateWeights) -> Floats:
    """(rows, columns) score of each cell, averaged with its neighbors left and right; above 0 is rather text."""
    hidden = np.maximum(terms @ weights.hidden + weights.hidden_bias, 0)
    scores = (hidden @ weights.output + weights.output_bias).astype(np.float32)
    return np.asarray(cv2.blur(scores, (3, 1), borderType=cv2.BORDER_REPLICATE))


def likelihood(scores: Floats, weights: GateWeights) -> float:
    """Likelihood of text in a picture with these scores of cells."""
    logit = float(top_scores(scores) @ weights.picture) + weights.picture_bias
    return float(1 / (1 + np.exp(-logit)))


def cell_terms(pixels: Pixels) -> Floats | None:
    """(rows, columns, T) terms of each cell; None when the picture is smaller than two cells.

    Terms: each measure of the cell's row (5 cells wide), of its surroundings (5 x 5), of the quieter of the rows above
    and below; the square of the first; and products of the first with those of ink.
    """
    measures = cell_measures(pixels)
    if measures is None:
        return None
    row = cv2.blur(measures, (5, 1), borderType=cv2.BORDER_REPLICATE)
    near = cv2.blur(measures, (3, 1), borderType=cv2.BORDER_REPLICATE)
    around = cv2.blur(measures, (7, 7), borderType=cv2.BORDER_REPLICATE)
    padded = np.pad(row, ((2, 2), (0, 0), (0, 0)), mode="edge")
    above, below = padded[:-4], padded[4:]
    ink = near[..., CELL_MEASURES.index("ink")][..., None]
    return np.concatenate(
        [measures, near, row, around, np.minimum(above, below), np.maximum(above, below), near**2, near * ink], axis=-1
    )


def cell_measures(pixels: Pixels) -> Floats | None:
    """(rows, columns, len(CELL_MEASURES)) square roots of means over each cell.

    across and down: gradients; dark_strokes and light_strokes: what a closing or an opening of 5 px fills or removes;
    fine_strokes: the same with 3 px; ink: share of pixels on a clear stroke; turns: changes from a clear rise to a
    clear fall along rows, as strokes side by side make them.
    """
    gray = _small_gray(pixels)
    if min(gray.shape) < _SMALLEST:
        return None
    across = cv2.Sobel(gray, cv2.CV_16S, 1, 0, ksize=1)
    down = cv2.Sobel(gray, cv2.CV_16S, 0, 1, ksize=1)
    five, three = np.ones((5, 5), np.uint8), np.ones((3, 3), np.uint8)
    dark = cv2.morphologyEx(gray, cv2.MORPH_BLACKHAT, five)
    light = cv2.morphologyEx(gray, cv2.MORPH_TOPHAT, five)
    fine = cv2.max(cv2.morphologyEx(gray, cv2.MORPH_BLACKHAT, three), cv2.morphologyEx(gray, cv2.MORPH_TOPHAT, three))
    ink = (cv2.max(dark, light) > _INK).astype(np.uint8) * 255
    rises, falls = (across > _TURN).astype(np.uint8), (across < -_TURN).astype(np.uint8)
    # A rise with a fall within 3 px to its right, or the other way round.
    reach = np.ones((1, 7), np.uint8)
    turns = ((rises & cv2.dilate(falls, reach)) | (falls & cv2.dilate(rises, reach))) * np.uint8(255)
    maps = [cv2.convertScaleAbs(across), cv2.convertScaleAbs(down), dark, light, fine, ink, turns]
    cells = (gray.shape[1] // CELL, gray.shape[0] // CELL)
    inside = (slice(cells[1] * CELL), slice(cells[0] * CELL))
    stacked = [cv2.resize(one[inside], cells, interpolation=cv2.INTER_AREA) for one in maps]
    return np.sqrt(np.stack(stacked, axis=-1).astype(np.float32) / 255)


def top_scores(scores: Floats) -> Floats:
    """(len(TOP_RANKS),) scores of the best cells at the ranks; the last one where there are fewer cells."""
    flat = np.sort(scores.ravel())[::-1]
    return flat[[min(rank, len(flat) - 1) for rank in TOP_RANKS]]


@cache
def load_gate_weights(path: Path = WEIGHTS_FILE) -> GateWeights:
    """Read fitted weights.

    Raises:
        ValueError: the file was fitted for other measures than this module takes.
    """
    fitted = json.loads(path.read_text(encoding="utf-8"))
    if tuple(fitted["cell_measures"]) != CELL_MEASURES or tuple(fitted["top_ranks"]) != TOP_RANKS:
        raise ValueError(f"{path.name} is for other measures than {CELL_MEASURES} and {TOP_RANKS}; fit it anew")
    return GateWeights(
        np.array(fitted["hidden"], np.float32),
        np.array(fitted["hidden_bias"], np.float32),
        np.array(fitted["output"], np.float32),
        float(fitted["output_bias"]),
        np.array(fitted["picture"], np.float32),
        float(fitted["picture_bias"]),
        float(fitted["cell_threshold"]),
    )


def _small_gray(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    gray = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    scale = GATE_SIDE / max(height, width)
    if scale >= 1:
        return np.asarray(gray)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA))


def _boxes(cells: NDArray[np.bool_], height: int, width: int) -> tuple[Box, ...]:
    """Boxes around connected places of text, widened by a cell and a half, in the picture's pixels."""
    if not cells.any():
        return ()
    grown = cv2.dilate(cells.astype(np.uint8), np.ones((3, 5), np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(grown, connectivity=8)
    across, down = width / cells.shape[1], height / cells.shape[0]
    boxes = []
    for left, top, wide, high, _ in stats[1:count]:
        x_min, y_min = max(0.0, (left - 0.5) * across), max(0.0, (top - 0.5) * down)
        x_max, y_max = min(float(width), (left + wide + 0.5) * across), min(float(height), (top + high + 0.5) * down)
        boxes.append((float(x_min), float(y_min), float(x_max), float(y_max)))
    return tuple(boxes)
