"""Pictures with known text: rendered products with and without it, and the grocery packs of the development data."""

from __future__ import annotations

import csv
import json
import os
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from jobs.cache import cache_folder
from models.model_input import Box, Pixels
from rendering.catalog import product_at
from rendering.render import render_product
from schemas.settings import DecodeSettings
from udfs.decode import decode

SEED = 4711
"""Catalogue that figures are measured on; the gate was fitted on others (`jobs.fit_text_gate`)."""

LEAST_LETTERS = 10.0
"""Letter size (px) from which a line counts as legible here; see `Line.letter_size`."""

VISIBLE = 0.95
"""Share of a line that must lie in the picture to be asked for."""

_STOP_WORDS = frozenset({"and", "the", "med", "från", "utan", "koncentrat", "of", "free", "style", "original"})


@dataclass(frozen=True)
class Line:
    """A line of text that is known to stand in a picture."""

    text: str
    kind: str
    language: str
    quad: tuple[tuple[float, float], ...]
    legible: bool
    visible: float

    @property
    def asked(self) -> bool:
        """Whether it stands whole in the picture and the renderer calls it legible (at least 8 px high)."""
        return self.legible and self.visible >= VISIBLE

    @property
    def letter_size(self) -> float:
        """Size of its letters (em), px: the smaller of height and width per character.

        A Latin letter is taken as half as wide as a Chinese one. On the side of a carton lines are high and narrow, so
        height alone says little.
        """
        q = np.array(self.quad)
        height = float(np.linalg.norm(q[3] - q[0]) + np.linalg.norm(q[2] - q[1])) / 2
        width = float(np.linalg.norm(q[1] - q[0]) + np.linalg.norm(q[2] - q[3])) / 2
        ems = sum(1.0 if unicodedata.east_asian_width(one) in "WF" else 0.5 for one in self.text)
        return min(height, width / max(ems, 0.5))


@dataclass(frozen=True)
class Picture:
    """A picture file and what is known of it.

    Args:
        path: encoded file.
        lines: its lines; empty for packs, whose place of text is unknown.
        tags: boxes of labels and price tags, px.
        product: the product's box, px; None where unknown.
        words: words that stand on a pack, folded.
    """

    path: Path
    lines: tuple[Line, ...] = ()
    tags: tuple[Box, ...] = ()
    product: Box | None = None
    words: tuple[str, ...] = ()

    @property
    def has_text(self) -> bool:
        """Whether something is to be read."""
        return any(line.asked and line.letter_size >= LEAST_LETTERS for line in self.lines) or bool(self.words)

    @property
    def text_regions(self) -> list[Box]:
        """What a perfect detector of labels would name: each tag, and one box around the other lines."""
        boxes = list(self.tags)
        others = [line for line in self.lines if not any(_inside(line, tag) for tag in self.tags)]
        if others:
            corners = np.array([line.quad for line in others]).reshape(-1, 2)
            low, high = corners.min(axis=0), corners.max(axis=0)
            boxes.append((float(low[0]), float(low[1]), float(high[0]), float(high[1])))
        return boxes

    def pixels(self) -> Pixels:
        """(H, W, 3) uint8 RGB, upright."""
        return decode(self.path.read_bytes(), DecodeSettings()).pixels


def rendered(with_text: int, without_text: int, seed: int = SEED) -> list[Picture]:
    """The first so many pictures of a rendered catalogue that hold legible text, and the first that hold none.

    They take turns by share, are drawn once, and kept in the project's cache.
    """
    folder = cache_folder() / "bench" / f"ocr-{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    chosen: dict[bool, list[Picture]] = {True: [], False: []}
    wanted = {True: with_text, False: without_text}
    index = 0
    while any(len(chosen[kind]) < wanted[kind] for kind in wanted):
        picture = _drawn(folder, seed, index)
        index += 1
        # A picture whose letters are all too small belongs to neither side.
        if picture.lines and not picture.has_text:
            continue
        if len(chosen[picture.has_text]) < wanted[picture.has_text]:
            chosen[picture.has_text].append(picture)
    return list(_spread(chosen[True], chosen[False]))


def packs(data: Path | None = None, most: int = 40) -> list[Picture]:
    """Packs of grocery_store's catalogue pictures; empty where the development data are absent.

    The words asked for are those of title, maker and volume that could stand on the pack.
    """
    data = data or Path(os.environ.get("VITRINE_DEV_DATA", "../shared/data"))
    table = data / "grocery_store" / "labels.csv"
    if not table.exists():
        return []
    found = []
    with table.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            information = json.loads(row["attributes_json"]).get("information", "")
            if row["split"] != "catalogue" or "Manufacturer" not in information:
                continue
            words = _words_of_pack(information, row["title"])
            found.append(Picture((data / row["image_path"]).resolve(), words=words))
    return found[:most]


def folded_words(text: str) -> set[str]:
    """Words of a text, lower case, without accents, two letters or more."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return set(re.findall(r"[a-z]{2,}|\d+(?:[.,]\d+)?", plain))


def _words_of_pack(information: str, title: str) -> tuple[str, ...]:
    """Maker, Swedish title and English name; several names of one thing stand for what may be printed."""
    lines = dict(line.split(":", 1) for line in information.splitlines() if ":" in line)
    maker, _, _ = lines.get("Manufacturer and volume", "").partition(",")
    words = folded_words(f"{lines.get('Title', '')} {maker} {title}")
    return tuple(sorted(word for word in words if word not in _STOP_WORDS and not word.isdigit()))


def _drawn(folder: Path, seed: int, index: int) -> Picture:
    truth_path = folder / f"{index:05d}.json"
    if not truth_path.exists():
        cv2.setNumThreads(1)
        product = product_at(seed, index)
        image = render_product(product, index % 3)
        name = f"{index:05d}.{image.extension.lstrip('.')}"
        (folder / name).write_bytes(image.data)
        content = {"file": name, **image.truth.as_dict()}
        truth_path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    truth = json.loads(truth_path.read_text(encoding="utf-8"))
    lines = tuple(
        Line(one["text"], one["kind"], one["language"], tuple(map(tuple, one["quad"])), one["legible"], one["visible"])
        for one in truth["texts"]
    )
    return Picture(folder / truth["file"], lines, tuple(map(tuple, truth["tag_boxes"])), tuple(truth["box"]))


def _inside(line: Line, box: Box) -> bool:
    x, y = np.array(line.quad).mean(axis=0)
    return bool(box[0] <= x <= box[2] and box[1] <= y <= box[3])


def _spread(some: list[Picture], others: list[Picture]) -> Iterator[Picture]:
    """Both lists mixed evenly."""
    keyed = [((place + 0.5) / len(one), picture) for one in (some, others) for place, picture in enumerate(one)]
    for _, picture in sorted(keyed, key=lambda pair: pair[0]):
        yield picture
