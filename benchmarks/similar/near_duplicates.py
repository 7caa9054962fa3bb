"""Which copies of a picture are found as near-duplicates, and which other pictures are taken for copies?

`python -m benchmarks.similar.near_duplicates [--pictures 40] [--photos DIR] [--others 3000]` makes copies of drawn
pictures (and of photos), describes them as extraction does, and applies the index job's rule to each copy, to drawn
products in another color, and to all pairs of other photos. It needs no models: the rule asks for hashes and cells.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from rendering.catalog import product_at
from rendering.product import Product
from rendering.render import render_product
from rendering.seeds import child_seed
from schemas.palette import PALETTE
from schemas.settings import DecodeSettings
from udfs.copy_print import FIRST_CUT, LAST_CUT, Planes, planes_of
from udfs.decode import decode
from udfs.describe import ready_picture
from udfs.near_duplicates import candidates, copies

SEED = 606
SAME = 0.999
"""Other photos that agree so far are the same photo, listed twice; they are counted apart."""


@dataclass(frozen=True)
class Seen:
    """What extraction sees of pictures.

    Args:
        hashes: (N, 3) of the whole pictures and of their middles.
        cells: (N, 864) tiny pictures.
    """

    hashes: np.ndarray[Any, np.dtype[np.uint64]]
    cells: Planes

    def __len__(self) -> int:
        return len(self.hashes)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=40)
    parser.add_argument("--photos", type=Path, help="folder of photos; left out: drawn pictures only")
    parser.add_argument("--others", type=int, default=3000, help="photos of which all pairs are compared")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "near_duplicates.json")
    given = parser.parse_args()
    products = [product_at(SEED, index) for index in range(given.pictures)]
    results = {"drawn": {**copies_found(drawn(products)), "other_colors": other_colors(products)}}
    if given.photos is not None:
        photos = sorted(given.photos.iterdir())
        step = max(1, len(photos) // given.pictures)
        results["photos"] = copies_found([path.read_bytes() for path in photos[::step][: given.pictures]])
        step = max(1, len(photos) // given.others)
        others = [path.read_bytes() for path in photos[::step][: given.others]]
        results["photos"]["other_pictures"] = other_pictures(others)
    given.out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write("\n".join(table(results)) + "\n")


def drawn(products: Sequence[Product]) -> list[bytes]:
    """The main pictures of products."""
    return [render_product(product, 0).data for product in products]


def copies_found(pictures: Sequence[bytes]) -> dict[str, Any]:
    """How many pictures there are, and the share of each kind of copy that is found."""
    originals = seen(pictures)
    opened = [Image.fromarray(decode(data, DecodeSettings()).pixels) for data in pictures]
    found = {
        name: round(float(np.mean(are_copies(originals, seen([copy(one) for one in opened])))), 3)
        for name, copy in COPIES.items()
    }
    return {"pictures": len(pictures), "copies": found}


def other_colors(products: Sequence[Product]) -> dict[str, int]:
    """Products drawn once more in another color, all else equal: how many differ, and are taken for copies."""
    taken = compared = 0
    names = [color.name for color in PALETTE]
    for product in products:
        color = names[child_seed(SEED, "color", product.seed) % len(names)]
        if color in product.colors:
            continue
        pair = drawn([product, replace(product, colors=(color, *product.colors[1:]))])
        if pair[0] != pair[1]:
            compared += 1
            taken += int(are_copies(seen(pair[:1]), seen(pair[1:])).sum())
    return {"pairs": compared, "taken_for_copies": taken}


def other_pictures(pictures: Sequence[bytes]) -> dict[str, int]:
    """All pairs of different photos."""
    every = seen(pictures)
    same = taken = compared = 0
    wrong: set[int] = set()
    for place, others, hints in candidates(every.hashes):
        found, agreement = copies(hints, every.cells[np.full(len(others), place)], every.cells[others])
        compared += len(others)
        same += int((agreement[found] >= SAME).sum())
        false = others[found & (agreement < SAME)]
        taken += len(false)
        wrong |= {place, *false.tolist()} if len(false) else set()
    return {
        "pictures": len(pictures),
        "pairs": len(pictures) * (len(pictures) - 1) // 2,
        "candidates": compared,
        "the_same_photo": same,
        "taken_for_copies": taken,
        "pictures_in_these": len(wrong),
    }


def seen(pictures: Sequence[bytes]) -> Seen:
    """What extraction sees."""
    ready = [ready_picture(decode(data, DecodeSettings())) for data in pictures]
    prints = [one.copy_print for one in ready]
    hashes = [
        [int(told, 16) for told in (one.perceptual_hash, one.copy_print[FIRST_CUT], one.copy_print[LAST_CUT])]
        for one in ready
    ]
    return Seen(np.array(hashes, dtype=np.uint64), planes_of(prints))


def are_copies(ones: Seen, others: Seen) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """The rule of the index job, for each of (N,) pairs."""
    found = np.zeros(len(ones), dtype=bool)
    for place in range(len(ones)):
        for _, _, hints in candidates(np.stack([ones.hashes[place], others.hashes[place]])):
            found[place] = copies(hints, ones.cells[place][None], others.cells[place][None])[0][0]
    return found


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
    "a half-transparent name in a corner": _marked(0.10, (0.75, 0.94), 128),
    "a large half-transparent word across": _marked(0.22, (0.5, 0.5), 128),
    "3% cut off at each side": _cropped(0.03),
    "5% cut off at each side": _cropped(0.05),
    "7% cut off at each side": _cropped(0.07),
    "10% cut off at each side": _cropped(0.10),
}


def table(results: Mapping[str, Any]) -> Iterator[str]:
    """Shares that are found, as a Markdown table, and what is taken for copies."""
    yield "| copy | " + " | ".join(results) + " |"
    yield "|---" * (len(results) + 1) + "|"
    for name in COPIES:
        yield f"| {name} | " + " | ".join(f"{one['copies'][name]:.1%}" for one in results.values()) + " |"
    for name in ("other_colors", "other_pictures"):
        yield from (f"{name}: {one[name]}" for one in results.values() if name in one)


if __name__ == "__main__":
    main()
