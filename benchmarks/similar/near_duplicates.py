"""Which copies of a picture are found as near-duplicates, and which other pictures are taken for copies?

`python -m benchmarks.similar.near_duplicates [--pictures 40] [--photos DIR]` makes copies of drawn pictures (and of
photos), measures them as extraction does, and applies the index job's rule to each copy and to each pair of originals.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from models.bundle import Bundle, load_bundle
from rendering.catalog import product_at
from rendering.render import render_product
from schemas.settings import DecodeSettings, TextSettings
from udfs.decode import decode
from udfs.describe import ready_picture
from udfs.micro_batch import describe_pictures
from udfs.near_duplicates import LEAST_COSINE, MOST_BITS
from udfs.runtime import BundleSource, Runtime, runtime_for

SEED = 606
FARTHER_BITS = 24
"""Pairs up to so many bits apart are reported, to see what a wider rule would find."""


@dataclass(frozen=True)
class Seen:
    """Hash and vector (D,) of a picture."""

    bits: int
    vector: np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True)
class _Packed:
    value: bytes


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=40)
    parser.add_argument("--photos", type=Path, help="folder of photos; left out: drawn pictures only")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "near_duplicates.json")
    given = parser.parse_args()
    sets = {"drawn": [render_product(product_at(SEED, index), 0).data for index in range(given.pictures)]}
    if given.photos is not None:
        photos = sorted(given.photos.iterdir())
        step = max(1, len(photos) // given.pictures)
        sets["photos"] = [path.read_bytes() for path in photos[::step][: given.pictures]]
    bundle = load_bundle()
    results = {name: measured(pictures, bundle) for name, pictures in sets.items()}
    given.out.write_text(json.dumps(results) + "\n", encoding="utf-8")
    sys.stdout.write("\n".join(table(results)) + "\n")


def measured(pictures: list[bytes], bundle: Bundle) -> dict[str, Any]:
    """Distances and cosines of copies to their originals, and of all pairs of originals that are near."""
    runtime = runtime_for(BundleSource(bundle.sha256, broadcast=_Packed(bundle.pack())))
    originals = [seen(data, runtime) for data in pictures]
    copies: dict[str, Any] = {}
    for name, copy in COPIES.items():
        pairs = [
            compared(original, seen(copy(Image.open(io.BytesIO(data)).convert("RGB")), runtime))
            for original, data in zip(originals, pictures, strict=True)
        ]
        copies[name] = {"found": round(sum(is_found(*pair) for pair in pairs) / len(pairs), 3), "pairs": pairs}
    others = [compared(one, other) for place, one in enumerate(originals) for other in originals[place + 1 :]]
    return {
        "pictures": len(pictures),
        "copies": copies,
        "different_pictures": {
            "pairs": len(others),
            "taken_for_copies": sum(is_found(*pair) for pair in others),
            "near": sorted(pair for pair in others if pair[0] <= FARTHER_BITS),
        },
    }


def seen(data: bytes, runtime: Runtime) -> Seen:
    """What extraction sees of a picture."""
    picture = ready_picture(decode(data, DecodeSettings()))
    row = describe_pictures([picture], runtime, TextSettings(read=False, barcodes=False))[0]
    if not isinstance(row, Mapping):
        raise row
    return Seen(int(row["perceptual_hash"], 16), np.asarray(row["embedding"], np.float32))


def compared(one: Seen, other: Seen) -> tuple[int, float]:
    """Bits between the hashes, and the cosine of the vectors."""
    return (one.bits ^ other.bits).bit_count(), round(float(one.vector @ other.vector), 4)


def is_found(distance: int, cosine: float) -> bool:
    """The rule of the index job."""
    return distance <= MOST_BITS and cosine >= LEAST_COSINE[distance]


def _jpeg(picture: Image.Image, quality: int = 85) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def _resized(share: float) -> Callable[[Image.Image], bytes]:
    return lambda one: _jpeg(
        one.resize((round(one.width * share), round(one.height * share)), Image.Resampling.LANCZOS)
    )


def _cropped(share: float) -> Callable[[Image.Image], bytes]:
    """So much is cut off at each side."""

    def crop(one: Image.Image) -> bytes:
        x, y = round(one.width * share), round(one.height * share)
        return _jpeg(one.crop((x, y, one.width - x, one.height - y)))

    return crop


def _marked(size: float, at: tuple[float, float], opacity: int) -> Callable[[Image.Image], bytes]:
    """A shop's name over the picture; size and place as shares of the width and of both sides."""

    def mark(one: Image.Image) -> bytes:
        layer = Image.new("RGBA", one.size)
        font = ImageFont.load_default(one.width * size)
        place = (one.width * at[0], one.height * at[1])
        ImageDraw.Draw(layer).text(place, "MYSHOP", (90, 90, 90, opacity), font, anchor="mm")
        return _jpeg(Image.alpha_composite(one.convert("RGBA"), layer).convert("RGB"))

    return mark


COPIES: Mapping[str, Callable[[Image.Image], bytes]] = {
    "half the size": _resized(0.5),
    "a fifth of the size": _resized(0.2),
    "JPEG quality 40": lambda one: _jpeg(one, 40),
    "a shop's name in a corner": _marked(0.06, (0.83, 0.94), 255),
    "a large half-transparent word across": _marked(0.22, (0.5, 0.5), 128),
    "5% cut off at each side": _cropped(0.05),
    "10% cut off at each side": _cropped(0.10),
}


def table(results: Mapping[str, Any]) -> Iterator[str]:
    """Shares that are found, as a Markdown table."""
    yield "| copy | " + " | ".join(results) + " |"
    yield "|---" * (len(results) + 1) + "|"
    for name in COPIES:
        yield f"| {name} | " + " | ".join(f"{one['copies'][name]['found']:.0%}" for one in results.values()) + " |"
    others = (one["different_pictures"] for one in results.values())
    yield (
        "| pairs of different pictures taken for copies | "
        + " | ".join(f"{one['taken_for_copies']} of {one['pairs']}" for one in others)
        + " |"
    )


if __name__ == "__main__":
    main()
