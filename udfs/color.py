"""Names the colors of a product: dominant colors with shares in CIELAB, and the one main color.

Which of several colors a person would call the product's is learned: `color_weights.json`, which `jobs.fit_color`
writes, weighs the votes of the pixels. `docs/models/color.md` tells of it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from schemas.cielab import delta_e_of_two, lab_to_rgb, rgb_to_lab
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

# Every other row and column of a product of more pixels tells its colors as well.
_MANY_PIXELS = 8_000
# A group of colors must have this share of the pixels, counted either way, to name the main color.
_LEAST_MAIN_SHARE = 0.05
# Rarer palette colors do not found a dominant color, and cost time to join to one.
_TRACE = 0.002

WEIGHTS_FILE = Path(__file__).with_name("color_weights.json")
"""The weights that ship."""

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
class ColorVotes:
    """A product's pixels by palette color; each sums to 1.

    Args:
        plain: (P,) shares of the pixels.
        weighted: (P,) the same, where pixels near the middle count more and skin counts little.
        centers: (P, 3) mean CIELAB of the weighted pixels of each color.
    """

    plain: NDArray[np.float64]
    weighted: NDArray[np.float64]
    centers: NDArray[np.float64]


@dataclass(frozen=True)
class ColorWeights:
    """Multinomial logistic regression over `color_terms`, as `jobs.fit_color` fits it.

    Args:
        groups: names of the groups of palette colors that shops call by one word.
        group_of: (P,) the group of each palette color.
        intercept: (G,).
        matrix: (4 P, G).
    """

    groups: tuple[str, ...]
    group_of: NDArray[np.intp]
    intercept: NDArray[np.float64]
    matrix: NDArray[np.float64]


def describe_color(pixels: NDArray[np.uint8], mask: NDArray[np.bool_]) -> ColorDescription:
    """Name the colors of the masked pixels.

    Each pixel votes for its palette color, once plainly and once weighted: pixels near the middle of the mask count
    more and skin counts little, because a garment is worn there while hair, legs and other garments surround it. The
    fitted weights tell from both the likeliest group of colors; in it the palette color with most votes is named.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        mask: (H, W) bool, True on the product. An empty mask counts as the whole picture.

    Returns:
        Main color, with the group's probability as confidence, and dominant colors.
    """
    votes = count_votes(pixels, mask)
    weights = load_weights()
    scores = weights.intercept + color_terms(votes) @ weights.matrix
    likelihood = np.exp(scores - scores.max())
    both = np.maximum(votes.plain, votes.weighted)
    is_there = np.bincount(weights.group_of, weights=both, minlength=len(weights.groups)) >= _LEAST_MAIN_SHARE
    group = int(np.where(is_there, likelihood, -1.0).argmax())
    main = int(np.where(weights.group_of == group, votes.plain + votes.weighted, -1.0).argmax())
    return ColorDescription(PALETTE[main].name, float(likelihood[group] / likelihood.sum()), _dominant(votes))


def count_votes(pixels: NDArray[np.uint8], mask: NDArray[np.bool_]) -> ColorVotes:
    """Count the masked pixels by palette color; arguments as for `describe_color`."""
    if not mask.any():
        mask = np.ones_like(mask)
    left, top, width, height = cv2.boundingRect(mask.view(np.uint8))
    inner = _inner(mask)[top : top + height, left : left + width]
    weights = _by_place(inner)
    pixels = pixels[top : top + height, left : left + width]
    if np.count_nonzero(inner) > _MANY_PIXELS:
        some = np.s_[top % 2 :: 2, left % 2 :: 2]
        pixels, inner, weights = pixels[some], inner[some], weights[some]
    places = np.flatnonzero(inner)
    # Taking whole pixels by place is several times as fast as by a mask.
    colors = np.ascontiguousarray(pixels).reshape(-1, 3).take(places, axis=0)
    weight = weights.reshape(-1).take(places)
    _discount_skin(weight, skin_mask(colors[None])[0])
    codes = name_pixels(colors).astype(np.intp)
    counted = [weight, *(weight * channel for channel in cv2.split(colors[None]))]
    sums, *channels = (np.bincount(codes, weights=one.ravel(), minlength=len(PALETTE)) for one in counted)
    plain = np.bincount(codes, minlength=len(PALETTE)) / len(codes)
    centers = rgb_to_lab(np.stack(channels, axis=1) / np.maximum(sums, 1e-9)[:, None])
    return ColorVotes(plain, sums / sums.sum(), centers)


def color_terms(votes: ColorVotes) -> NDArray[np.float64]:
    """What the weights are for, (4 P,): both counts, and their roots, in which a small share tells more."""
    both = np.concatenate([votes.weighted, votes.plain])
    return np.concatenate([both, np.sqrt(both)])


@cache
def load_weights(path: Path = WEIGHTS_FILE) -> ColorWeights:
    """Read fitted weights.

    Raises:
        ValueError: the file was fitted for another palette.
    """
    fitted = json.loads(path.read_text(encoding="utf-8"))
    if list(fitted["group_of"]) != [color.name for color in PALETTE]:
        raise ValueError(f"{path.name} was fitted for another palette than schemas.palette; run jobs.fit_color")
    groups = tuple(fitted["groups"])
    group_of = np.array([groups.index(group) for group in fitted["group_of"].values()])
    return ColorWeights(groups, group_of, np.array(fitted["intercept"]), np.array(fitted["weights"]))


def _inner(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask without its outline, whose pixels are mixed with the backdrop."""
    eroded: NDArray[np.bool_] = cv2.erode(mask.view(np.uint8), np.ones((5, 5), np.uint8)).view(bool)
    return eroded if np.count_nonzero(eroded) >= 0.3 * np.count_nonzero(mask) else mask


def _by_place(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Weights of pixels by how near they are to the middle of a mask."""
    rows = _bell(np.asarray(mask.any(axis=1)), 0.25)
    columns = _bell(np.asarray(mask.any(axis=0)), 0.3)
    return np.asarray(rows[:, None] * columns[None, :])


def _discount_skin(weights: NDArray[np.float32], skin: NDArray[np.bool_]) -> None:
    """Let pixels of skin count little, unless they are most of the product; in place."""
    share = float(weights @ skin)
    if 0 < share < _SKIN_MAJORITY * float(weights.sum()):
        weights[skin] *= _SKIN_WEIGHT


def _bell(used: NDArray[np.bool_], reach: float) -> NDArray[np.float32]:
    """A Gaussian over the extent of the used rows (or columns), `reach` of it wide."""
    indices = np.flatnonzero(used)
    center, extent = (indices[0] + indices[-1]) / 2, indices[-1] - indices[0] + 1
    bell: NDArray[np.float32] = np.exp(-0.5 * ((np.arange(len(used)) - center) / (reach * extent)) ** 2).astype(
        np.float32
    )
    return bell


def _dominant(votes: ColorVotes) -> tuple[ColorShare, ...]:
    """Join neighboring shades of each family, and report the largest groups."""
    groups: list[tuple[int, float, NDArray[np.float64]]] = []
    for code in np.argsort(-votes.weighted, kind="stable"):
        share, center = float(votes.weighted[code]), votes.centers[code]
        if share < _TRACE:
            break
        for index, (name, total, mean) in enumerate(groups):
            if _FAMILY_OF[name] == _FAMILY_OF[code] and delta_e_of_two(mean, center) < _SAME_COLOR:
                groups[index] = (name, total + share, (mean * total + center * share) / (total + share))
                break
        else:
            groups.append((int(code), share, center))
    groups.sort(key=lambda group: -group[1])
    kept = [group for group in groups[:MOST_COLORS] if group[1] >= _SMALLEST_SHARE]
    displayed = lab_to_rgb([center for _, _, center in kept]).tolist() if kept else []
    return tuple(_color_share(*group, *rgb) for group, rgb in zip(kept, displayed, strict=True))


def _color_share(name: int, share: float, center: NDArray[np.float64], red: int, green: int, blue: int) -> ColorShare:
    color = PALETTE[name]
    lightness, a, b = (float(value) for value in center)
    return ColorShare(color.name, color.name_zh, f"#{red:02x}{green:02x}{blue:02x}", lightness, a, b, share)
