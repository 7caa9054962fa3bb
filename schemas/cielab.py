"""CIELAB (D65) from sRGB and back, and the CIEDE2000 color difference, vectorised in numpy."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

# IEC 61966-2-1: linear sRGB to CIE XYZ for the D65 white point.
_RGB_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_XYZ_TO_RGB = np.linalg.inv(_RGB_TO_XYZ)
_WHITE_XYZ = _RGB_TO_XYZ.sum(axis=1)
# CIE 15: below delta^3 the cube root is replaced by a line.
_DELTA = 6 / 29


def rgb_to_lab(rgb: ArrayLike) -> NDArray[np.float64]:
    """Convert sRGB to CIELAB under D65.

    Args:
        rgb: (..., 3), 0..255.

    Returns:
        (..., 3) float64: L* 0..100, a*, b*.
    """
    encoded = np.asarray(rgb, dtype=np.float64) / 255.0
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    ratio = linear @ _RGB_TO_XYZ.T / _WHITE_XYZ
    f = np.where(ratio > _DELTA**3, np.cbrt(ratio), ratio / (3 * _DELTA**2) + 4 / 29)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1)


def lab_to_rgb(lab: ArrayLike) -> NDArray[np.uint8]:
    """Convert CIELAB under D65 to sRGB, clipping what lies outside its gamut.

    Args:
        lab: (..., 3).

    Returns:
        (..., 3) uint8.
    """
    values = np.asarray(lab, dtype=np.float64)
    y = (values[..., 0] + 16) / 116
    f = np.stack([y + values[..., 1] / 500, y, y - values[..., 2] / 200], axis=-1)
    xyz = np.where(f > _DELTA, f**3, 3 * _DELTA**2 * (f - 4 / 29)) * _WHITE_XYZ
    linear = np.clip(xyz @ _XYZ_TO_RGB.T, 0.0, 1.0)
    encoded = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    rgb: NDArray[np.uint8] = np.rint(encoded * 255).astype(np.uint8)
    return rgb


def delta_e(first: ArrayLike, second: ArrayLike, lightness_tolerance: float = 1.0) -> NDArray[np.float64]:
    """CIEDE2000 color difference of two arrays of CIELAB colors that broadcast against each other.

    Source: Sharma, Wu and Dalal, "The CIEDE2000 color-difference formula", Color Research and Application 30 (2005).

    Args:
        first: (..., 3).
        second: (..., 3).
        lightness_tolerance: the standard's k_L; 2 is the textile trade's choice (CIEDE2000(2:1:1)).

    Returns:
        (...) float64, 0 for equal colors; about 1 is just noticeable, above 20 another color name.
    """
    l1, a1, b1 = np.moveaxis(np.asarray(first, dtype=np.float64), -1, 0)
    l2, a2, b2 = np.moveaxis(np.asarray(second, dtype=np.float64), -1, 0)
    mean_c7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    stretch = 1.5 - 0.5 * np.sqrt(mean_c7 / (mean_c7 + 25.0**7))
    a1, a2 = a1 * stretch, a2 * stretch
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.arctan2(b1, a1) % (2 * np.pi), np.arctan2(b2, a2) % (2 * np.pi)
    neutral = c1 * c2 == 0

    turn = h2 - h1
    turn = np.where(turn > np.pi, turn - 2 * np.pi, np.where(turn < -np.pi, turn + 2 * np.pi, turn))
    delta_h = np.where(neutral, 0.0, 2 * np.sqrt(c1 * c2) * np.sin(turn / 2))
    total = h1 + h2
    wrapped = np.where(total < 2 * np.pi, total + 2 * np.pi, total - 2 * np.pi)
    mean_h = np.where(neutral, total, np.where(np.abs(h1 - h2) > np.pi, wrapped, total) / 2)

    mean_l, mean_c = (l1 + l2) / 2, (c1 + c2) / 2
    t = (
        1
        - 0.17 * np.cos(mean_h - np.pi / 6)
        + 0.24 * np.cos(2 * mean_h)
        + 0.32 * np.cos(3 * mean_h + np.pi / 30)
        - 0.20 * np.cos(4 * mean_h - 63 * np.pi / 180)
    )
    weight_l = lightness_tolerance * (1 + 0.015 * (mean_l - 50) ** 2 / np.sqrt(20 + (mean_l - 50) ** 2))
    weight_c = 1 + 0.045 * mean_c
    weight_h = 1 + 0.015 * mean_c * t
    mean_c7 = mean_c**7
    rotation = np.exp(-(((np.degrees(mean_h) - 275) / 25) ** 2)) * np.pi / 3
    twist = -2 * np.sqrt(mean_c7 / (mean_c7 + 25.0**7)) * np.sin(rotation)
    part_l, part_c, part_h = (l2 - l1) / weight_l, (c2 - c1) / weight_c, delta_h / weight_h
    squared = part_l**2 + part_c**2 + part_h**2 + twist * part_c * part_h
    return np.asarray(np.sqrt(np.maximum(squared, 0.0)))


def delta_e_of_two(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """`delta_e` of one pair of colors at a twentieth of the cost: arrays of one element are dear.

    Args:
        first: (3,) L*, a*, b*.
        second: (3,).
    """
    (l1, a1, b1), (l2, a2, b2) = (first.tolist(), second.tolist())
    mean_c7 = ((math.hypot(a1, b1) + math.hypot(a2, b2)) / 2) ** 7
    stretch = 1.5 - 0.5 * math.sqrt(mean_c7 / (mean_c7 + 25.0**7))
    a1, a2 = a1 * stretch, a2 * stretch
    c1, c2 = math.hypot(a1, b1), math.hypot(a2, b2)
    h1, h2 = math.atan2(b1, a1) % (2 * math.pi), math.atan2(b2, a2) % (2 * math.pi)
    turn, mean_h = h2 - h1, (h1 + h2) / 2
    if c1 * c2 == 0:
        turn, mean_h = 0.0, h1 + h2
    elif abs(turn) > math.pi:
        turn += -2 * math.pi if turn > 0 else 2 * math.pi
        mean_h += math.pi if mean_h < math.pi else -math.pi

    lightness, mean_c = (l1 + l2) / 2 - 50, (c1 + c2) / 2
    t = (
        1
        - 0.17 * math.cos(mean_h - math.pi / 6)
        + 0.24 * math.cos(2 * mean_h)
        + 0.32 * math.cos(3 * mean_h + math.pi / 30)
        - 0.20 * math.cos(4 * mean_h - 63 * math.pi / 180)
    )
    mean_c7 = mean_c**7
    rotation = math.exp(-(((math.degrees(mean_h) - 275) / 25) ** 2)) * math.pi / 3
    twist = -2 * math.sqrt(mean_c7 / (mean_c7 + 25.0**7)) * math.sin(rotation)
    part_l = (l2 - l1) / (1 + 0.015 * lightness**2 / math.sqrt(20 + lightness**2))
    part_c = (c2 - c1) / (1 + 0.045 * mean_c)
    part_h = 2 * math.sqrt(c1 * c2) * math.sin(turn / 2) / (1 + 0.015 * mean_c * t)
    return math.sqrt(max(part_l**2 + part_c**2 + part_h**2 + twist * part_c * part_h, 0.0))
