"""How good is what is found? Searches by words and by picture over shops whose truth is known.

`python -m benchmarks.search_quality.run [--products 400] [--views 3] [--data DIR]`
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.search_quality.engines import engines
from benchmarks.search_quality.nights import IMAGENET, Night, nights, picture_vectors
from benchmarks.search_quality.queries import KINDS, WordQuery, picture_recall, precision, word_queries
from benchmarks.search_quality.shops import QualityShop, photo_shop, rendered_shop
from jobs.cache import cache_folder
from schemas.taxonomy import LANGUAGES

LOOKS = {"another view of the product": None, "another product of the same type and color": ("type", "color")}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--products", type=int, default=400, help="drawn products")
    parser.add_argument("--views", type=int, default=3, help="pictures of each")
    parser.add_argument("--data", type=Path, help="folder of the labelled data sets; left out: drawn products only")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    given = parser.parse_args()
    cache = cache_folder() / "bench" / "search_quality"
    shops = [(rendered_shop(cache, given.products, given.views), f"rendered-{given.products}x{given.views}")]
    if given.data is not None and (given.data / "myntra224" / "labels.csv").is_file():
        shops.append((photo_shop(given.data), "myntra224"))
    results = {}
    for shop, name in shops:
        folder = cache / name
        folder.mkdir(parents=True, exist_ok=True)
        results[shop.name] = measured(shop, folder)
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "results.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    sys.stdout.write("\n".join(tables(results)) + "\n")


def measured(shop: QualityShop, folder: Path) -> dict[str, Any]:
    """All figures of a shop."""
    made = nights(shop, folder)
    vectors = {"vitrine": picture_vectors(shop, folder, None), "ImageNet": picture_vectors(shop, folder, IMAGENET)}
    pictures = sum(len(product.pictures) for product in shop.products)
    return {
        "products": len(shop.products),
        "pictures": pictures,
        "words": {name: by_words(shop, night) for name, night in made.items()},
        "looks": {
            look: scores
            for look, facts in LOOKS.items()
            if all((scores := {name: picture_recall(shop, found, facts) for name, found in vectors.items()}).values())
        },
    }


def by_words(shop: QualityShop, night: Night) -> list[dict[str, Any]]:
    """Mean precision at ten of each contestant, by kind and language of the queries."""
    contestants = engines(night)
    asked: dict[tuple[str, str], list[WordQuery]] = {}
    for query in word_queries(shop):
        asked.setdefault((query.kind, query.language), []).append(query)
    return [
        {
            "kind": kind,
            "language": language,
            "queries": len(queries),
            "for_example": queries[len(queries) // 2].text,
            "precision": {
                name: round(sum(precision(find(one), one.relevant) for one in queries) / len(queries), 4)
                for name, find in contestants.items()
            },
        }
        for kind in KINDS
        for language in LANGUAGES
        if (queries := asked.get((kind, language)))
    ]


def tables(results: Mapping[str, Any]) -> Iterator[str]:
    """The figures as Markdown tables."""
    yield "| shop | feed | queries | for example | | vitrine serve | search_documents | titles, BM25 |"
    yield "|---" * 8 + "|"
    for shop, found in results.items():
        for feed, rows in found["words"].items():
            for row in rows:
                figures = " | ".join(f"{value:.3f}" for value in row["precision"].values())
                asked = f"{row['kind']}, {row['language']} | {row['for_example']} | {row['queries']}"
                yield f"| {shop} | {feed} | {asked} | {figures} |"
    yield ""
    yield "| shop | looked for | queries | vitrine recall@10 | first | ImageNet recall@10 | first |"
    yield "|---" * 7 + "|"
    for shop, found in results.items():
        for look, ways in found["looks"].items():
            figures = " | ".join(f"{way['recall']:.3f} | {way['first']:.3f}" for way in ways.values())
            yield f"| {shop} | {look} | {ways['vitrine']['queries']} | {figures} |"


if __name__ == "__main__":
    main()
