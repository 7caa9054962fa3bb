"""How well titles are understood: the dictionary alone, and with the text network, on shops it has and has not seen."""

from __future__ import annotations

import argparse
import csv
import json
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.cache import cache_folder
from models.bundle import load_bundle
from models.compose import TEXT_PART
from models.label_space import HELD_OUT_TYPES, attribute_label, resolve, taxonomy_path
from models.labelled import LabelledImage, read_collection
from models.text_augment import without_terms
from models.text_terms import CATEGORY
from udfs.text_understanding import ProductText, TextReader, TextUnderstanding, understand

SHOP_TITLES = Path(__file__).parent / "shop_titles.csv"
HEADS = ("color", "pattern", "gender", "season", "usage")
BATCHES = (1, 32)
REPEATS = 5


@dataclass(frozen=True)
class Labelled:
    """A text and what it should be understood as; heads that are not labelled are absent."""

    text: ProductText
    category: str
    heads: Mapping[str, str]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of the labelled data sets; left out: only the shop titles")
    parser.add_argument("--bundle", type=Path, default=TEXT_PART)
    parser.add_argument("--rendered", type=int, default=3000, help="drawn products; 0 for none")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    given = parser.parse_args()
    sets = {f"shop titles, {language}": shop_titles(language) for language in ("en", "zh")}
    if given.data is not None:
        sets |= real_titles(read_collection(given.data))
    if given.rendered:
        from models.rendered_set import rendered_images

        sets |= rendered_titles(rendered_images(given.rendered, 101, cache_folder() / "train"))
    readers = {"dictionary": TextReader(), "network": TextReader(load_bundle(given.bundle))}
    results: dict[str, Any] = {"accuracy": {}}
    for name, texts in sets.items():
        results["accuracy"][name] = {
            way: measured(texts, understand([one.text for one in texts], reader)) for way, reader in readers.items()
        }
    results["cpu_milliseconds_per_product"] = {
        way: {str(size): milliseconds(reader, sets["shop titles, en"], size) for size in BATCHES}
        for way, reader in readers.items()
    }
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "results.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    sys.stdout.write(table(results["accuracy"]) + "\n")


def shop_titles(language: str) -> list[Labelled]:
    """Titles written by hand as shops write them; see README."""
    with SHOP_TITLES.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["language"] == language]
    return [
        Labelled(
            ProductText(row["title"]),
            row["category"],
            {
                head: label
                for head in HEADS
                if row.get(head) and (label := attribute_label(head, row[head])) is not None
            },
        )
        for row in rows
    ]


def real_titles(images: Iterable[LabelledImage]) -> dict[str, list[Labelled]]:
    """Test titles of the labelled sets, as they are and without the words for the type."""
    found: dict[str, list[Labelled]] = {}
    for dataset in ("myntra224", "myntra60_rare"):
        whole = labelled(image for image in images if image.dataset == dataset)
        found[dataset] = whole
        found[f"{dataset}, type words removed"] = [
            Labelled(ProductText(without_terms(one.text.title or "", CATEGORY)), one.category, one.heads)
            for one in whole
        ]
    return found


def rendered_titles(images: Sequence[LabelledImage]) -> dict[str, list[Labelled]]:
    """Test titles of drawn products, by language."""
    chinese = [any("\u4e00" <= one <= "\u9fff" for one in image.title) for image in images]
    return {
        f"rendered, {language}": labelled(
            image for image, is_chinese in zip(images, chinese, strict=True) if is_chinese == (language == "zh")
        )
        for language in ("en", "zh")
    }


def labelled(images: Iterable[LabelledImage]) -> list[Labelled]:
    """Test rows with a title and a type that models may know."""
    found = []
    for image in images:
        labels = resolve(image)
        if image.split != "test" or not image.title or labels.node is None or labels.node.count("/") < 2:
            continue
        if (path := taxonomy_path(labels.node)) not in HELD_OUT_TYPES:
            heads = {head: label for head, label in labels.attributes.items() if head in HEADS}
            found.append(Labelled(ProductText(image.title), path, heads))
    return found


def measured(texts: Sequence[Labelled], results: Sequence[TextUnderstanding]) -> dict[str, Any]:
    """Shares of right answers: the best category, one of three; by head what is stated, and how often that is right."""
    found: dict[str, Any] = {
        "texts": len(texts),
        "category": _share(
            bool(result.category_candidates) and result.category_candidates[0][0] == one.category
            for one, result in zip(texts, results, strict=True)
        ),
        "category_top3": _share(
            one.category in [path for path, _ in result.category_candidates[:3]]
            for one, result in zip(texts, results, strict=True)
        ),
    }
    for head in HEADS:
        pairs = [
            (one.heads[head], next((claim for claim in result.attributes if claim.attribute == head), None))
            for one, result in zip(texts, results, strict=True)
            if head in one.heads
        ]
        if not pairs:
            continue
        stated = [(label, claim) for label, claim in pairs if claim is not None and claim.is_stated]
        found[head] = {
            "texts": len(pairs),
            "right": _share(claim is not None and claim.value == label for label, claim in pairs),
            "stated": round(len(stated) / len(pairs), 4),
            "right_of_stated": _share(claim.value == label for label, claim in stated),
        }
    return found


def milliseconds(reader: TextReader, texts: Sequence[Labelled], batch: int) -> float:
    """CPU time per product, the best of some repeats; on one thread."""
    given = [one.text for one in texts]
    best = float("inf")
    for _ in range(REPEATS):
        started = time.process_time()
        for start in range(0, len(given), batch):
            understand(given[start : start + batch], reader)
        best = min(best, time.process_time() - started)
    return round(1000 * best / len(given), 3)


def table(results: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """The accuracies as a Markdown table."""
    lines = ["| texts | | way | category | of three | " + " | ".join(HEADS) + " |", "|---" * (5 + len(HEADS)) + "|"]
    for name, ways in results.items():
        for way, one in ways.items():
            heads = [f"{one[head]['right']:.3f}" if head in one else "" for head in HEADS]
            lines.append(
                f"| {name} | {one['texts']} | {way} | {one['category']:.3f} | {one['category_top3']:.3f} | "
                + " | ".join(heads)
                + " |"
            )
    return "\n".join(lines)


def _share(values: Iterable[bool]) -> float:
    counted = list(values)
    return round(sum(counted) / len(counted), 4) if counted else 0.0


if __name__ == "__main__":
    main()
