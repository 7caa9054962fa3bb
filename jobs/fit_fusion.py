"""`vitrine fit-fusion`: learns on validation products how far pictures and texts are to be trusted, and measures it."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from jobs.session import read_bundle
from jobs.train import train_cache
from models.bundle import Bundle
from models.compose import TEXT_PART, with_fusion
from models.fusion import FUSED_HEADS, Product, Score, fit_all, read_products, scores
from models.labelled import LabelledImage, LabelsError, read_collection, read_labels
from models.text_terms import CATEGORY
from schemas.settings import Settings
from udfs.classify import CategoryReader
from udfs.fusion import FusionWeights
from udfs.text_understanding import TextReader

# Their titles are the names of their classes: they would teach that texts are never wrong.
_NAMED_BY_LABEL = frozenset({"grocery_store"})
_UNTITLED = frozenset({"ccp", "clothing_small"})


def fit_fusion(
    data: Sequence[Path],
    out: Path,
    *,
    bundle: str | None = None,
    text: str | None = None,
    rendered_products: int = 3000,
    rendered_seed: int = 101,
    workers: int | None = None,
) -> FusionWeights:
    """Fit on the val splits, write the text bundle with the weights to `out`, and print scores of the test splits.

    Args:
        data: labels files, or folders of data sets; rows without a title are left out.
        out: folder of the new bundle.
        bundle: what sees the pictures; by default the shipped one.
        text: bundle with the text network; by default the shipped part.
        rendered_products: drawn products beside them; 0 for none.
        rendered_seed: of the drawn products.
        workers: processes; by default one per core.

    Raises:
        BundleError: a bundle cannot be used.
        LabelsError: there is nothing to fit on.
    """
    settings = Settings(tables="(none)")
    seeing = read_bundle(bundle, settings.s3, settings.models_root)
    reading = read_bundle(text or str(TEXT_PART), settings.s3, settings.models_root)
    reader = TextReader(reading)
    images = [image for path in data for image in (read_collection(path) if path.is_dir() else read_labels(path))]
    if rendered_products:
        from models.rendered_set import rendered_images

        images += rendered_images(rendered_products, rendered_seed, train_cache())
    fitting = _of_split(images, "val")
    if not fitting:
        raise LabelsError("no picture of the val split has a title; give --data labelled pictures with titles")
    products = read_products(fitting, seeing, reader, workers)
    counts = Counter(one.dataset for one in products)
    told = ", ".join(f"{name} {counts[name]}" for name in sorted(counts))
    fitted_on = f"{len(products)} products of the val splits ({told}), "
    fitted_on += f"pictures by {seeing.version_id}, texts by {reading.version_id}"
    weights = fit_all(products, label_counts(seeing, reader), fitted_on)
    with_fusion(reading, weights.to_bytes(), out, overwrite=True)
    # Measured as a catalogue comes: with products whose title and description are missing.
    test = read_products([one for one in images if _is_of(one, "test")], seeing, reader, workers)
    sys.stdout.write(score_table(test, weights) + "\n")
    return weights


def label_counts(bundle: Bundle, reader: TextReader) -> dict[str, int]:
    """How many labels each head has, both sides together."""
    task = bundle.task("classify")
    paths = {*CategoryReader.from_bundle(bundle, task).paths, *reader.paths}
    counts = {CATEGORY: len({path for path in paths if path.count("/") == 2})}
    for head in task.heads:
        if head.name in reader.head_labels:
            counts[head.name] = len({*bundle.labels(head), *reader.head_labels[head.name]})
    return counts


def score_table(products: Sequence[Product], weights: FusionWeights) -> str:
    """Accuracy and macro-F1 by data set, head and way of answering, as a Markdown table."""
    lines = ["| data set | head | products | way | accuracy | macro-F1 |", "|---|---|---|---|---|---|"]
    for dataset in sorted({one.dataset for one in products}):
        chosen = [one for one in products if one.dataset == dataset]
        for head in (CATEGORY, *FUSED_HEADS):
            if sum(head in one.label and head in one.text for one in chosen) > 1:
                found: dict[str, Score] = scores(chosen, head, weights)
                lines += [
                    f"| {dataset} | {head} | {one.products} | {way} | {one.accuracy:.3f} | {one.macro_f1:.3f} |"
                    for way, one in found.items()
                ]
    return "\n".join(lines)


def _of_split(images: Sequence[LabelledImage], split: str) -> list[LabelledImage]:
    return [image for image in images if _is_of(image, split) and (image.title or image.description)]


def _is_of(image: LabelledImage, split: str) -> bool:
    return image.split == split and image.dataset not in _NAMED_BY_LABEL and image.dataset not in _UNTITLED
