"""The shops that are searched: their feeds, and what is true of their products."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.label_space import attribute_label, resolve, taxonomy_path
from models.labelled import read_labels
from rendering.dataset import write_dataset
from schemas.attributes import load_attributes
from schemas.taxonomy import LANGUAGES, Language, load_taxonomy

SEED = 606
"""No model was trained on this catalogue, nor any threshold set on it."""

FEED_COLUMNS = ("product_id", "image_uri", "view", "title", "description", "brand", "category", "price")
WORDS_OF_THE_SHOP = ("title", "description", "brand", "category")


@dataclass(frozen=True)
class Product:
    """What is true of a product, by its labels.

    Args:
        product_id: the product.
        facts: values by fact: type, group (what the type is one of), color, pattern; unknown ones are absent.
        pictures: addresses of its pictures.
    """

    product_id: str
    facts: Mapping[str, str]
    pictures: tuple[str, ...]


@dataclass(frozen=True)
class QualityShop:
    """A shop whose truth is known.

    Args:
        name: short.
        products: the products.
        rows: of the feed.
        words: what people call a value of a fact, by fact, value and language; nothing where there is no word.
        picture_root: folder of the pictures.
    """

    name: str
    products: tuple[Product, ...]
    rows: tuple[Mapping[str, Any], ...]
    words: Mapping[tuple[str, str, Language], tuple[str, ...]]
    picture_root: Path

    def write_feed(self, path: Path, *, with_words: bool) -> None:
        """Write the feed, as it is or without anything that the shop says of its products."""
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, FEED_COLUMNS, extrasaction="ignore")
            writer.writeheader()
            for row in self.rows:
                writer.writerow(row if with_words else {**row, **dict.fromkeys(WORDS_OF_THE_SHOP)})


def rendered_shop(folder: Path, products: int, views: int) -> QualityShop:
    """The drawn catalogue: drawn once, kept in the folder."""
    shop = folder / f"shop-{products}x{views}-{SEED}"
    if not (shop / "truth.jsonl").is_file():
        write_dataset(shop, products=products, views=views, seed=SEED, broken=False)
    with (shop / "catalog.csv").open(encoding="utf-8", newline="") as file:
        feed = list(csv.DictReader(file))
    truth = [json.loads(line) for line in (shop / "truth.jsonl").read_text(encoding="utf-8").splitlines()]
    rows, found = [], {}
    for row, seen in zip(feed, truth, strict=True):
        address = str((shop / row["image_uri"]).resolve())
        mine = found.setdefault(row["product_id"], (seen, []))[1]
        rows.append({**row, "image_uri": address, "view": len(mine)})
        mine.append(address)
    made = tuple(Product(name, _drawn_facts(seen), tuple(pictures)) for name, (seen, pictures) in found.items())
    return QualityShop("rendered", made, tuple(rows), _dictionary_words(made), shop)


def _drawn_facts(seen: Mapping[str, Any]) -> dict[str, str]:
    # What shows most of the first picture; patterns of solid things are not searched for.
    facts = {"type": seen["category"], "group": seen["category"].rpartition("/")[0]}
    if seen["colors"]:
        facts["color"] = seen["colors"][0]["name"]
    if seen["pattern"] not in (None, "solid"):
        facts["pattern"] = seen["pattern"]
    return facts


def _dictionary_words(products: Sequence[Product]) -> dict[tuple[str, str, Language], tuple[str, ...]]:
    """Names and synonyms of the taxonomy and the attribute dictionary."""
    taxonomy, attributes = load_taxonomy(), load_attributes()
    words: dict[tuple[str, str, Language], tuple[str, ...]] = {}
    for fact, value in {pair for product in products for pair in product.facts.items()}:
        for language in LANGUAGES:
            if fact in ("type", "group"):
                words[fact, value, language] = taxonomy.node(value).terms(language)
            else:
                words[fact, value, language] = (attributes.name(fact, value, language),)
    return words


def photo_shop(data: Path) -> QualityShop:
    """Photos of myntra224's test split, each a product; people search in the words of its labels."""
    folder = data / "myntra224"
    products, rows = [], []
    words: dict[tuple[str, str, Language], tuple[str, ...]] = {}
    for image in read_labels(folder / "labels.csv"):
        if image.split != "test" or not image.subcategory:
            continue
        facts = {"type": image.subcategory}
        words["type", image.subcategory, "en"] = (image.subcategory.lower(),)
        if (node := resolve(image).node) is not None:
            words["type", image.subcategory, "zh"] = (load_taxonomy().name(taxonomy_path(node), "zh"),)
        if image.color and image.color != "Multi":
            facts["color"] = image.color
            words["color", image.color, "en"] = (image.color.lower(),)
            if (color := attribute_label("color", image.color)) is not None:
                words["color", image.color, "zh"] = (load_attributes().name("color", color, "zh"),)
        address = str(image.path.resolve())
        products.append(Product(image.path.stem, facts, (address,)))
        rows.append({"product_id": image.path.stem, "image_uri": address, "view": 0, "title": image.title})
    return QualityShop("myntra224", tuple(products), tuple(rows), words, folder.resolve() / "images")
