"""What a camera and a shop's upload do to a scene: exposure, white balance, blur, noise, file format."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rendering.seeds import between, chance, pick

Array = NDArray[Any]
Format = Literal["jpeg", "png", "webp", "bmp", "tiff", "gif"]
EXTENSIONS: dict[str, str] = {"jpeg": "jpg", "png": "png", "webp": "webp", "bmp": "bmp", "tiff": "tif", "gif": "gif"}

CONTENT_TYPES: dict[str, str] = {
    "jpg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "bmp": "image/bmp",
    "tif": "image/tiff",
    "gif": "image/gif",
}
"""Media types by file name extension."""


@dataclass(frozen=True)
class Camera:
    """Settings of one shot.

    Args:
        exposure: factor on light.
        white_balance: factors on red, green and blue.
        vignette: darkening of the corners, 0..1.
        blur: standard deviation, pixels.
        noise: standard deviation, 8-bit levels.
        quality: JPEG or WebP quality.
        format: file format.
        cut_out: leave the background transparent (PNG and WebP only).
    """

    exposure: float = 1.0
    white_balance: tuple[float, float, float] = (1.0, 1.0, 1.0)
    vignette: float = 0.0
    blur: float = 0.0
    noise: float = 0.0
    quality: int = 90
    format: Format = "jpeg"
    cut_out: bool = False

    @classmethod
    def studio(cls, rng: np.random.Generator) -> Camera:
        """A shop's studio: even, sharp, well exposed."""
        file_format: Format = pick(rng, ("jpeg", "png", "webp"), (86, 8, 6))
        return cls(
            exposure=between(rng, 0.98, 1.02),
            noise=between(rng, 0.0, 1.2),
            blur=between(rng, 0.0, 0.45),
            quality=int(rng.integers(80, 96)),
            format=file_format,
            cut_out=file_format == "png" and chance(rng, 0.5),
        )

    @classmethod
    def phone(cls, rng: np.random.Generator) -> Camera:
        """A seller's phone: warmer or cooler, noisier, a bit soft."""
        warm = float(np.clip(rng.normal(0, 0.022), -0.05, 0.05))
        return cls(
            exposure=float(np.clip(rng.normal(1.0, 0.05), 0.86, 1.12)),
            white_balance=(1 + warm, 1.0, 1 - warm),
            vignette=between(rng, 0.0, 0.16),
            blur=between(rng, 0.2, 0.9),
            noise=between(rng, 1.0, 4.5),
            quality=int(rng.integers(55, 91)),
            format=pick(rng, ("jpeg", "webp", "bmp", "tiff"), (93, 5, 1, 1)),
        )


def develop(image: Array, camera: Camera, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Turn light into pixels.

    Args:
        image: (h, w, 3) float32 sRGB; changed in place.
        camera: settings.
        rng: source of noise.

    Returns:
        (h, w, 3) uint8 RGB.
    """
    height, width = image.shape[:2]
    image *= np.array(camera.white_balance, np.float32) * np.float32(camera.exposure)
    if camera.vignette > 0.01:
        x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
        y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
        image *= (1 - camera.vignette * (0.5 * (x**2 + y**2)) ** 1.5)[..., None]
    if camera.blur > 0.15:
        image = cv2.GaussianBlur(image, (0, 0), camera.blur)
    if camera.noise > 0.05:
        grain = rng.standard_normal((height, width), dtype=np.float32) * np.float32(camera.noise / 255)
        image += grain[..., None] * np.array([1.0, 0.85, 1.1], np.float32)
    np.clip(image, 0, 1, out=image)
    return np.asarray(image * 255 + 0.5).astype(np.uint8)


def encode(pixels: NDArray[np.uint8], camera: Camera) -> tuple[bytes, str]:
    """Write a file.

    Args:
        pixels: (h, w, 3) or (h, w, 4) uint8.
        camera: gives format and quality.

    Returns:
        The file's bytes and its extension.
    """
    buffer = io.BytesIO()
    picture = Image.fromarray(pixels)
    if camera.format == "jpeg":
        picture.convert("RGB").save(buffer, "JPEG", quality=camera.quality, subsampling=2 if camera.quality < 88 else 0)
    elif camera.format == "webp":
        picture.save(buffer, "WEBP", quality=camera.quality, method=1)
    elif camera.format == "png":
        picture.save(buffer, "PNG", compress_level=3)
    else:
        picture.convert("RGB").save(buffer, camera.format.upper())
    return buffer.getvalue(), EXTENSIONS[camera.format]
