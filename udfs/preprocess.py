"""Corrects a picture before its features are measured, and only where the measures call for it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from udfs.quality import Luma, Quality, luma_of

WHITE_BALANCE = "white_balance"
CONTRAST = "contrast"
DENOISE = "denoise"

# A backdrop may serve as white reference when its border is this uniform, this light (L*) and tinted this much (CIELAB
# chroma): less is no visible cast, more is a colored backdrop and not a white one in bad light.
_REFERENCE_UNIFORMITY = 0.8
_REFERENCE_LIGHTNESS = 70.0
_REFERENCE_CHROMA = (3.0, 24.0)
# Light sources lie along the daylight locus: casts are bluish or yellowish, rarely far off to green or pink.
_REFERENCE_OFF_LOCUS = 9.0
# A backdrop is white in weak light when its luma is this close to the brightest in use (0..255), and no more colored.
_BRIGHTEST = 12.0
_NEUTRAL_CHROMA = 4.0
_LUMA = np.array([0.299, 0.587, 0.114])
_LOW_CONTRAST_SPAN = 0.45
_NOISY_SIGMA = 5.0


@dataclass(frozen=True)
class Enhanced:
    """A corrected picture.

    Args:
        pixels: (H, W, 3) uint8 RGB; the very array that came in when nothing was called for.
        colored: the picture to name colors by, likewise. Stretching contrast makes colors more saturated, tan becomes
            orange: so it is without that correction, unless its backdrop tells that bad light had taken them away.
        applied: what was applied, in order: `denoise`, `white_balance`, `contrast`.
    """

    pixels: NDArray[np.uint8]
    colored: NDArray[np.uint8]
    applied: tuple[str, ...] = ()


def enhance(pixels: NDArray[np.uint8], quality: Quality, luma: Luma | None = None) -> Enhanced:
    """Correct white balance, contrast and noise where called for.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        quality: its measures.
        luma: of `pixels`, where it is at hand.
    """
    applied: list[str] = []
    if quality.noise_sigma > _NOISY_SIGMA:
        pixels = _denoise(pixels, quality.noise_sigma)
        applied.append(DENOISE)
    backdrop = _backdrop(pixels, quality)
    if backdrop is not None and _is_white_in_tinted_light(backdrop):
        pixels = _balance(pixels, backdrop)
        applied.append(WHITE_BALANCE)
    # What was corrected so far has changed the luma.
    span = _luma_span(luma if luma is not None and not applied else luma_of(pixels))
    if span is None:
        return Enhanced(pixels, pixels, tuple(applied))
    stretched = _stretch(pixels, *span)
    in_bad_light = backdrop is not None and _is_white_in_weak_light(backdrop, span[1])
    return Enhanced(stretched, stretched if in_bad_light else pixels, (*applied, CONTRAST))


def _denoise(pixels: NDArray[np.uint8], sigma: float) -> NDArray[np.uint8]:
    """Bilateral filter (Tomasi and Manduchi 1998): averages what differs by less than about three sigma."""
    return np.asarray(cv2.bilateralFilter(pixels, 5, min(3.0 * sigma, 90.0), 2.0), dtype=np.uint8)


def _backdrop(pixels: NDArray[np.uint8], quality: Quality) -> NDArray[np.float64] | None:
    """Median RGB (0..255) of an even backdrop; None where there is none."""
    if quality.border_uniformity < _REFERENCE_UNIFORMITY or min(pixels.shape[:2]) < 16:
        return None
    thickness = max(1, min(pixels.shape[:2]) // 50)
    border = np.concatenate(
        [
            pixels[:thickness].reshape(-1, 3),
            pixels[:, :thickness].reshape(-1, 3),
            pixels[:, -thickness:].reshape(-1, 3),
        ]
    )
    return np.asarray(np.median(border, axis=0), dtype=np.float64)


def _is_white_in_tinted_light(backdrop: NDArray[np.float64]) -> bool:
    """Whether a backdrop would be white or gray in neutral light."""
    lightness, a, b = _lab(backdrop)
    low, high = _REFERENCE_CHROMA
    return lightness >= _REFERENCE_LIGHTNESS and low < np.hypot(a, b) < high and abs(a) <= _REFERENCE_OFF_LOCUS


def _is_white_in_weak_light(backdrop: NDArray[np.float64], brightest: float) -> bool:
    """Whether a backdrop is neutral and as bright as anything in the picture: white, under a veil or in the dark."""
    _, a, b = _lab(backdrop)
    return float(backdrop @ _LUMA) > brightest - _BRIGHTEST and np.hypot(a, b) < _NEUTRAL_CHROMA


def _lab(color: NDArray[np.float64]) -> tuple[float, float, float]:
    lightness, a, b = cv2.cvtColor(np.array([[color]], dtype=np.float32) / 255, cv2.COLOR_RGB2LAB)[0, 0]
    return float(lightness), float(a), float(b)


def _balance(pixels: NDArray[np.uint8], reference: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Scale the channels in linear light so that the reference becomes neutral (von Kries 1902), brightness kept."""
    linear = _linear(reference)
    luminance = float(linear @ np.array([0.2126, 0.7152, 0.0722]))
    gains = luminance / np.maximum(linear, 1e-4)
    table = np.stack([_encoded(_linear(np.arange(256.0)) * gain) for gain in gains], axis=-1)
    return np.asarray(cv2.LUT(pixels, table[None]), dtype=np.uint8)


def _linear(values: NDArray[np.float64]) -> NDArray[np.float64]:
    encoded = values / 255
    return np.asarray(np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4))


def _encoded(linear: NDArray[np.float64]) -> NDArray[np.uint8]:
    clipped = np.clip(linear, 0, 1)
    values = np.where(clipped <= 0.0031308, clipped * 12.92, 1.055 * clipped ** (1 / 2.4) - 0.055) * 255
    return np.asarray(np.rint(values), dtype=np.uint8)


def _luma_span(luma: Luma) -> tuple[float, float] | None:
    """The luma range in use (0.5 to 99.5 percent) when it is narrow but not flat, else None."""
    share = np.cumsum(luma.shares)
    low, high = (float(np.searchsorted(share, level)) for level in (0.005, 0.995))
    flat = high - low < 12
    # A white product on white uses a narrow range too, and rightly: only veiled or dim pictures reach neither end.
    veiled = high < 215 or low > 40
    if flat or not veiled or (high - low) / 255 > _LOW_CONTRAST_SPAN or high > 235:
        return None
    return low, high


def _stretch(pixels: NDArray[np.uint8], low: float, high: float) -> NDArray[np.uint8]:
    """Stretch the range in use towards the full one, equally in all channels so that hue stays."""
    target_low, target_high = min(low, 12.0), max(high, 240.0)
    values = (np.arange(256.0) - low) * (target_high - target_low) / (high - low) + target_low
    return np.asarray(cv2.LUT(pixels, np.rint(np.clip(values, 0, 255)).astype(np.uint8)), dtype=np.uint8)
