"""What the labels of any data set mean: taxonomy nodes (and varieties below them) and attribute labels.

Data sets name the same thing in their own words and at their own depth: `Granny-Smith`, `Pants`, `outwear`. Each
category label becomes a *node*: a taxonomy path, or a variety one segment below a type
(`groceries/fruit/apple/granny-smith`). The network's category head has one logit per *leaf*, a node with no labelled
node below it; a coarser label stands for all leaves below it.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from models.labelled import LabelledImage
from schemas.taxonomy import load_taxonomy, normalize_term

ATTRIBUTE_HEADS = ("color", "pattern", "shape", "gender", "season", "usage", "text_present")
"""Heads beside the category, in the order of the graph's outputs."""

# Types that no model is trained on: they measure few-shot learning and how the model takes what it does not know.
HELD_OUT_TYPES = frozenset(
    {
        "accessories/small-accessories/cufflinks",
        "accessories/bags/laptop-bag",
        "accessories/bags/duffel-bag",
        "accessories/bags/phone-pouch",
        "accessories/small-accessories/umbrella",
        "accessories/small-accessories/suspenders",
        "accessories/neckwear/gloves",
        "apparel/ethnic-wear/sari",
        "beauty/fragrance/deodorant",
        "beauty/nails/nail-polish",
    }
)

_FOLDER = Path(__file__).parent
_MYNTRA = ("myntra224", "myntra60_rare")
# Coarse groups of grocery_store whose packs carry print; loose fruit and vegetables may or may not have a sticker.
_PRINTED_PACKS = "Packages"


@dataclass(frozen=True)
class ResolvedLabels:
    """What a labelled picture says in the project's terms.

    Args:
        node: taxonomy path or variety below one; None when the picture has no category label that is known.
        attributes: label by head, only what is labelled and known.
        problems: labels that mean nothing here, as `column: value`.
    """

    node: str | None
    attributes: Mapping[str, str]
    problems: tuple[str, ...] = ()


def resolve(image: LabelledImage) -> ResolvedLabels:
    """Read a picture's labels by the words of its data set, else by the taxonomy's names and synonyms."""
    problems: list[str] = []
    node = _node(image)
    if node is None and (image.subcategory or image.category):
        column = "subcategory" if image.subcategory else "category"
        problems.append(f"{column}: {image.subcategory or image.category}")
    attributes = {}
    for head, value in _attribute_values(image).items():
        label = attribute_label(head, value)
        if label is not None:
            attributes[head] = label
        elif value.casefold() not in {"na", "nan", "none", "null"}:
            problems.append(f"{head}: {value}")
    return ResolvedLabels(node, attributes, tuple(problems))


def attribute_label(head: str, value: str) -> str | None:
    """The head's label that a word stands for, None for a word it does not know."""
    document = _attribute_labels()[head]
    word = normalize_term(value)
    word = document["same_as"].get(word, word)
    return word if word in document["labels"] else None


def taxonomy_path(node: str) -> str:
    """The taxonomy path of a node: itself, or the type above a variety."""
    return "/".join(node.split("/")[:3])


def _node(image: LabelledImage) -> str | None:
    names = _dataset_labels()
    if image.dataset == "grocery_store":
        coarse = names["grocery_store"]["coarse"].get(image.subcategory)
        fine = image.attributes.get("fine")
        return f"{coarse}/{_slug(str(fine))}" if coarse and fine else coarse
    if image.dataset in _MYNTRA:
        return _known(names["myntra"]["article_type"].get(image.subcategory))
    if image.dataset == "clothing_small":
        return _known(names["clothing_small"]["type"].get(image.subcategory))
    if image.dataset == "ccp":
        # A whole outfit is apparel and no more.
        return "apparel"
    taxonomy = load_taxonomy()
    for label in (image.subcategory, image.category):
        if not label:
            continue
        if label in taxonomy:
            return label
        found = taxonomy.find(label) or _any_dataset_term().get(normalize_term(label))
        if found is not None:
            return found
    return None


def _known(path: str | None) -> str | None:
    return path if path in load_taxonomy() else None


def _attribute_values(image: LabelledImage) -> dict[str, str]:
    """Words by head, empty ones left out."""
    attributes = image.attributes
    values = {
        "color": image.color,
        "pattern": attributes.get("pattern") or attributes.get("pattern_from_title"),
        **{head: attributes.get(head) for head in ("shape", "gender", "season", "usage")},
        "text_present": _text_present(image),
    }
    return {head: str(value) for head, value in values.items() if value not in (None, "")}


def _text_present(image: LabelledImage) -> str | None:
    if "text_present" in image.attributes:
        return str(image.attributes["text_present"]).lower()
    if image.dataset == "grocery_store" and image.category == _PRINTED_PACKS:
        return "yes"
    if "texts" in image.attributes:
        return "yes" if image.attributes["texts"] else "no"
    return None


@cache
def _dataset_labels() -> dict[str, Any]:
    return dict(json.loads((_FOLDER / "dataset_labels.json").read_text(encoding="utf-8")))


@cache
def _attribute_labels() -> dict[str, Any]:
    return dict(json.loads((_FOLDER / "attribute_labels.json").read_text(encoding="utf-8")))


@cache
def _any_dataset_term() -> dict[str, str]:
    names = _dataset_labels()
    terms: dict[str, str] = {}
    for group in (names["myntra"]["article_type"], names["clothing_small"]["type"], names["grocery_store"]["coarse"]):
        for label, path in group.items():
            if path in load_taxonomy():
                terms.setdefault(normalize_term(label), path)
    return terms


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.casefold()).strip("-")


@dataclass(frozen=True)
class LabelSpace:
    """The label sets of one network.

    Args:
        leaves: nodes with a logit of their own, sorted.
        heads: labels by attribute head.
    """

    leaves: tuple[str, ...]
    heads: Mapping[str, tuple[str, ...]]

    @classmethod
    def from_images(
        cls,
        resolved: Iterable[ResolvedLabels],
        held_out: frozenset[str] = HELD_OUT_TYPES,
        least_images: int = 5,
        least_attribute_images: int = 20,
    ) -> LabelSpace:
        """The label sets that training pictures support.

        Args:
            resolved: labels of the training pictures.
            held_out: taxonomy paths to know nothing of.
            least_images: a node with fewer pictures counts as its parent.
            least_attribute_images: an attribute label with fewer pictures is left out.
        """
        counts: Counter[str] = Counter()
        words: dict[str, Counter[str]] = {head: Counter() for head in ATTRIBUTE_HEADS}
        for labels in resolved:
            if labels.node is not None and taxonomy_path(labels.node) not in held_out:
                counts[labels.node] += 1
            for head, label in labels.attributes.items():
                words[head][label] += 1
        nodes = {node for node, count in counts.items() if count >= least_images}
        inner = {above for node in nodes for above in _above(node)}
        heads = {
            head: tuple(sorted(label for label, count in words[head].items() if count >= least_attribute_images))
            for head in ATTRIBUTE_HEADS
        }
        return cls(tuple(sorted(nodes - inner)), {head: labels for head, labels in heads.items() if len(labels) > 1})

    def leaves_of(self, node: str | None) -> tuple[int, ...]:
        """Indices of the leaves that a node stands for: at or below it, else below the nearest node above it that has
        any; empty for None and for what shares no department.
        """
        while node:
            below = tuple(
                index for index, leaf in enumerate(self.leaves) if leaf == node or leaf.startswith(f"{node}/")
            )
            if below:
                return below
            node = node.rpartition("/")[0]
        return ()

    def knows(self, node: str) -> bool:
        """Whether a leaf stands at or below the node."""
        return any(leaf == node or leaf.startswith(f"{node}/") for leaf in self.leaves)

    def label_paths(self) -> dict[str, str]:
        """Taxonomy path by leaf, as the bundle's `label_to_taxonomy` file has it."""
        return {leaf: taxonomy_path(leaf) for leaf in self.leaves}


def vocabulary_masks(space: LabelSpace, nodes: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """Leaves by node for the nodes of one data set's vocabulary that the label space knows."""
    return {node: space.leaves_of(node) for node in dict.fromkeys(nodes) if space.knows(node)}


def _above(node: str) -> list[str]:
    segments = node.split("/")
    return ["/".join(segments[:count]) for count in range(1, len(segments))]
