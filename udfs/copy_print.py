"""What tells a copy of a picture from a look-alike: hashes of its middle, and a tiny picture of 24 x 24 cells.

A perceptual hash knows coarse shapes only, and the models' vector moves when a picture is made smaller or is written
over. So two pictures are laid over each other, cell by cell: of a copy most cells agree to a few gray levels, also when
a word covers a third of them; of two products in one pose few do. A crop is found by hashes of the picture without its
edges, and laid over the part of the other that it shows.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from udfs.perceptual_hash import luma_hash

CUTS = (0.05, 0.10)
"""Shares of both sides that are left out at each edge before the middle is hashed."""

FIRST_CUT, LAST_CUT, CELLS = slice(0, 16), slice(16, 32), slice(32, None)
"""Where the two hashes and the tiny picture (base64) are in a print."""

_SQUARE = 80
_LUMA, _CHROMA = 24, 12
_BYTES = _LUMA * _LUMA + 2 * _CHROMA * _CHROMA
LEAST_AGREEMENT = 0.3
"""Pairs in which less agrees are not looked at any closer: no copy."""

# Cells in which whole pictures are compared, and crops with what they may be cut out of.
_WHOLE, _CROPPED = 12, 10
# Levels of luma and chroma: JPEG at quality 40 moves a cell by 1 to 3.
_EQUAL = 5.0
_ALIKE = 10.0
_LEAST_CELLS = 4
# Steps of what may have been cut off left and right, and above and below.
_OFF = (0.0, 0.025, 0.05, 0.075, 0.1, 0.125)

Planes: TypeAlias = NDArray[np.uint8]
Floats: TypeAlias = NDArray[np.float32]


def copy_print(pixels: NDArray[np.uint8]) -> str:
    """The print of a picture.

    Args:
        pixels: (H, W, 3) uint8 RGB, about 256 px on the long side.

    Returns:
        16 hex digits for each of `CUTS` (`luma_hash` of what is left), then 864 bytes in base64: luma
        (24, 24), Cr (12, 12) and Cb (12, 12) of the picture squeezed to a square.
    """
    # All is made of one square, 5% of whose side are whole pixels. Area averaging of odd factors would take longer than
    # all the rest; from 256 px, sampling between pixels at twice the side leaves none out.
    doubled = cv2.resize(pixels, (2 * _SQUARE, 2 * _SQUARE), interpolation=cv2.INTER_LINEAR)
    square = _squeezed(doubled, _SQUARE)
    gray = cv2.cvtColor(square, cv2.COLOR_RGB2GRAY)
    hashes = []
    for cut in CUTS:
        off = round(cut * _SQUARE)
        hashes.append(luma_hash(gray[off : _SQUARE - off, off : _SQUARE - off]))
    chroma = cv2.cvtColor(_squeezed(square, _CHROMA), cv2.COLOR_RGB2YCrCb)[:, :, 1:]
    cells = _squeezed(gray, _LUMA).tobytes() + chroma.transpose(2, 0, 1).tobytes()
    return "".join(hashes) + base64.b64encode(cells).decode("ascii")


def _squeezed(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA))


def planes_of(prints: Sequence[str]) -> Planes:
    """The tiny pictures (N, 864) uint8 of prints.

    Raises:
        ValueError: one is no print.
    """
    read = b"".join(base64.b64decode(one[CELLS], validate=True) for one in prints)
    if len(read) != len(prints) * _BYTES:
        raise ValueError(f"{len(prints)} prints hold {len(read)} bytes of cells, not {_BYTES} each")
    return np.frombuffer(read, dtype=np.uint8).reshape(len(prints), _BYTES)


@dataclass(frozen=True)
class Likeness:
    """How far two pictures are the same, for each of N pairs.

    Args:
        agreement: (N,) share of the cells that agree, of those that are not background in both.
        recolored: (N,) where cells differ: what share of all cells of that color differ. A mark differs in some cells
            of a color; a product in another color, or another product, in all. 0 where little agrees anyway.
    """

    agreement: Floats
    recolored: Floats


def likeness(first: Planes, second: Planes) -> Likeness:
    """Compare whole pictures, (N, 864) each."""
    return _likeness(_cells(first, 0.0, 0.0, _WHOLE), _cells(second, 0.0, 0.0, _WHOLE))


def likeness_of_crop(picture: Planes, crop: Planes) -> Likeness:
    """Compare pictures with what may be crops of them, by the best of the cuts that are tried.

    Args:
        picture: (N, 864) tiny pictures.
        crop: likewise; about the same is cut off left as right, and above as below, at most an eighth.
    """
    small = _cells(crop, 0.0, 0.0, _CROPPED)
    best = np.full(len(picture), -1.0, dtype=np.float32)
    shown = np.empty_like(small)
    for down in _OFF:
        for across in _OFF:
            left = _cells(picture, down, across, _CROPPED)
            share = _agreement(left, small)
            better = share > best
            best[better], shown[better] = share[better], left[better]
    return _likeness(shown, small)


def _likeness(first: Floats, second: Floats) -> Likeness:
    """Of (N, 3, m, m) cells."""
    agreement = _agreement(first, second)
    recolored = np.zeros_like(agreement)
    for place in np.flatnonzero((agreement >= LEAST_AGREEMENT) & (agreement < 1)):
        recolored[place] = _recolored(first[place], second[place])
    return Likeness(agreement, recolored)


def _agreement(first: Floats, second: Floats) -> Floats:
    counts = ~(_is_background(first) & _is_background(second))
    counts |= counts.sum(axis=(1, 2), keepdims=True) < _LEAST_CELLS
    agrees = ~_differs(first, second) & counts
    return np.asarray(agrees.sum(axis=(1, 2)) / counts.sum(axis=(1, 2)), dtype=np.float32)


def _differs(first: Floats, second: Floats) -> NDArray[np.bool_]:
    return np.asarray(np.abs(first - second).max(axis=-3) > _EQUAL)


def _recolored(first: Floats, second: Floats) -> float:
    """Of one pair of (3, m, m) cells; the smaller of what either picture says."""
    differs = _differs(first, second).ravel()
    if not differs.any():
        return 0.0
    shares = []
    for cells in (first, second):
        colors = cells.reshape(3, -1)
        alike = np.abs(colors[:, differs, None] - colors[:, None, :]).max(axis=0) <= _ALIKE
        shares.append(float(((alike & differs).sum(axis=1) / alike.sum(axis=1)).mean()))
    return min(shares)


def _is_background(cells: Floats) -> NDArray[np.bool_]:
    edges = np.concatenate([cells[:, :, 0], cells[:, :, -1], cells[:, :, :, 0], cells[:, :, :, -1]], axis=2)
    usual = np.median(edges, axis=2)[:, :, None, None]
    return np.asarray(np.abs(cells - usual).max(axis=1) < _ALIKE)


def _cells(planes: Planes, down: float, across: float, side: int) -> Floats:
    """(N, 3, side, side) means of the part that is left when shares are cut off above and below, left and right."""
    luma = planes[:, : _LUMA * _LUMA].reshape(-1, 1, _LUMA, _LUMA).astype(np.float32)
    chroma = planes[:, _LUMA * _LUMA :].reshape(-1, 2, _CHROMA, _CHROMA).astype(np.float32)
    return np.concatenate(
        [_means(one.shape[-1], down, side) @ one @ _means(one.shape[-1], across, side).T for one in (luma, chroma)],
        axis=1,
    )


@cache
def _means(cells: int, cut: float, side: int) -> NDArray[Any]:
    """(side, cells) weights that average what is left of a row of cells."""
    edges = np.linspace(cut * cells, (1 - cut) * cells, side + 1)
    places = np.arange(cells)
    overlap = np.minimum(edges[1:, None], places + 1) - np.maximum(edges[:-1, None], places)
    weights = np.maximum(overlap, 0.0)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), dtype=np.float32)
