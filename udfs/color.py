"""Names the colors of a product: dominant colors with shares in CIELAB, and the one main color."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from schemas.cielab import delta_e, lab_to_rgb, rgb_to_lab
from schemas.palette import FAMILIES, PALETTE, name_pixels
from udfs.skin import skin_mask

MOST_COLORS = 6
"""Dominant colors reported, at most."""

_SMALLEST_SHARE = 0.02
# Shades of one family closer than this (CIEDE2000) are one color in light and shadow.
_SAME_COLOR = 16.0
# Skin counts this much, unless it is most of the product: then it is no skin but tan leather, or a cosmetic.
_SKIN_WEIGHT = 0.15
_SKIN_MAJORITY = 0.8
# A chromatic pixel is worth more votes than a neutral one: shadows, highlights and seams turn any color gray.
_CHROMA_BONUS = 1.0
_FULL_CHROMA = 30.0

_FAMILY_OF = np.array([list(FAMILIES).index(color.family) for color in PALETTE])


@dataclass(frozen=True)
class ColorShare:
    """One dominant color; fields as `schemas.image_columns.COLOR` documents them."""

    name: str
    name_zh: str
    hex: str
    lab_l: float
    lab_a: float
    lab_b: float
    share: float


@dataclass(frozen=True)
class ColorDescription:
    """Colors of a product.

    Args:
        color: palette name of the main color.
        confidence: trust in it, 0..1.
        colors: dominant colors, largest share first; never empty.
    """

    color: str
    confidence: float
    colors: tuple[ColorShare, ...]


@dataclass(frozen=True)
class _Votes:
    """Weighted pixels by palette color."""

    shares: NDArray[np.float64]  # (P,), sums to 1
    votes: NDArray[np.float64]  # (P,), shares with the bonus for chroma
    centers: NDArray[np.float64]  # (P, 3) CIELAB


def describe_color(pixels: NDArray[np.uint8], mask: NDArray[np.bool_]) -> ColorDescription:
    """Name the colors of the masked pixels.

    Each pixel votes for its palette color; pixels near the middle of the mask count more and skin counts little,
    because a garment is worn there while hair, legs and other garments surround it. The family (red, blue, ...) with
    most votes wins, and in it the palette color with most votes.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        mask: (H, W) bool, True on the product. An empty mask counts as the whole picture.

    Returns:
        Main color and dominant colors.
    """
    inner = _inner(mask)
    votes = _count(pixels[inner], _weights(pixels, inner)[inner])
    families = np.bincount(_FAMILY_OF, weights=votes.votes, minlength=len(FAMILIES)).astype(np.float64)
    winner = int(families.argmax())
    main = int(np.where(winner == _FAMILY_OF, votes.votes, -1.0).argmax())
    return ColorDescription(PALETTE[main].name, _confidence(families), _dominant(votes))


def _inner(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask without its outline, whose pixels are mixed with the backdrop."""
    if not mask.any():
        return np.ones_like(mask)
    eroded: NDArray[np.bool_] = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8), iterations=2).astype(bool)
    return eroded if eroded.sum() >= 0.3 * mask.sum() else mask


def _weights(pixels: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    rows = _bell(np.asarray(mask.any(axis=1)), 0.25)
    columns = _bell(np.asarray(mask.any(axis=0)), 0.3)
    weights: NDArray[np.float32] = rows[:, None] * columns[None, :]
    skin = skin_mask(pixels) & mask
    if 0 < weights[skin].sum() < _SKIN_MAJORITY * weights[mask].sum():
        weights[skin] *= _SKIN_WEIGHT
    return weights


def _bell(used: NDArray[np.bool_], reach: float) -> NDArray[np.float32]:
    """A Gaussian over the extent of the used rows (or columns), `reach` of it wide."""
    indices = np.flatnonzero(used)
    center, extent = (indices[0] + indices[-1]) / 2, indices[-1] - indices[0] + 1
    bell: NDArray[np.float32] = np.exp(-0.5 * ((np.arange(len(used)) - center) / (reach * extent)) ** 2).astype(
        np.float32
    )
    return bell


def _count(colors: NDArray[np.uint8], weights: NDArray[np.float32]) -> _Votes:
    codes = name_pixels(colors)
    sums = np.bincount(codes, weights=weights, minlength=len(PALETTE))
    channels = [np.bincount(codes, weights=weights * colors[:, i], minlength=len(PALETTE)) for i in range(3)]
    centers = rgb_to_lab(np.stack(channels, axis=1) / np.maximum(sums, 1e-9)[:, None])
    shares = sums / sums.sum()
    chroma = np.hypot(centers[:, 1], centers[:, 2])
    return _Votes(shares, shares * (1 + _CHROMA_BONUS * np.minimum(chroma / _FULL_CHROMA, 1)), centers)


def _confidence(families: NDArray[np.float64]) -> float:
    """Share of the votes that the winning family got, damped by how close the runner-up came."""
    ordered = np.sort(families)[::-1] / families.sum()
    return float(ordered[0] * (1 - 0.5 * ordered[1] / ordered[0]))


def _dominant(votes: _Votes) -> tuple[ColorShare, ...]:
    """Join neighboring shades of each family, and report the largest groups."""
    groups: list[tuple[int, float, NDArray[np.float64]]] = []
    for code in np.argsort(-votes.votes, kind="stable"):
        share, center = float(votes.shares[code]), votes.centers[code]
        if share == 0:
            continue
        for index, (name, total, mean) in enumerate(groups):
            if _FAMILY_OF[name] == _FAMILY_OF[code] and delta_e(mean, center) < _SAME_COLOR:
                groups[index] = (name, total + share, (mean * total + center * share) / (total + share))
                break
        else:
            groups.append((int(code), share, center))
    groups.sort(key=lambda group: -group[1])
    kept = [group for group in groups[:MOST_COLORS] if group[1] >= _SMALLEST_SHARE]
    return tuple(_color_share(*group) for group in kept)


def _color_share(name: int, share: float, center: NDArray[np.float64]) -> ColorShare:
    red, green, blue = lab_to_rgb(center)
    color = PALETTE[name]
    lightness, a, b = (float(value) for value in center)
    return ColorShare(color.name, color.name_zh, f"#{red:02x}{green:02x}{blue:02x}", lightness, a, b, share)
