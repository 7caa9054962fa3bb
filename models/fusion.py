"""Learns how to pool what pictures and what texts say of a product; `udfs.fusion` does the pooling.

Per head: exponents of both sides, how little a side may leave for what it does not name, and a bias per label, all by
least negative log-likelihood on labelled products that neither side was trained on. Each product is shown with its
text, without the words for its type in the text, with the text alone and with the picture alone (modality dropout,
Neverova et al. 2015), so that no side is trusted more than it deserves when the other is weak or missing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.bundle import Bundle
from models.label_space import ATTRIBUTE_HEADS, HELD_OUT_TYPES, resolve, taxonomy_path
from models.labelled import LabelledImage
from models.metrics import classification_scores
from models.predict import predict
from models.text_augment import without_terms
from models.text_data import text_of
from models.text_encoding import ProductText
from models.text_terms import CATEGORY
from udfs.classify import CategoryReader
from udfs.fusion import FusionWeights, HeadWeights, fuse_attribute, fuse_category
from udfs.model_attributes import AttributeReader
from udfs.text_understanding import TextReader, TextUnderstanding, understand

FUSED_HEADS = tuple(head for head in ATTRIBUTE_HEADS if head != "text_present")

Floats = NDArray[np.float64]
Side = Mapping[str, float]

_FLOORS = (1e-4, 1e-3, 1e-2, 5e-2, 0.2)
_EXPONENTS = tuple(np.round(np.geomspace(0.05, 3.0, 25), 3).tolist())
# The weights that the loss is convex in, fields of `HeadWeights`; they are held, weakly, to the plain product.
_GATED = ("image", "image_gate", "text", "text_gate")
_HOLD = 1e-3
_NEWTON_STEPS = 20
_FOLDS = 5
_RIDGES = (10.0, 30.0, 100.0, 300.0)
_STEPS = 200


@dataclass(frozen=True)
class Product:
    """One labelled product and what each side says.

    Args:
        label: label by head; the category's is a taxonomy path of a type.
        image: probability by label and head, as far as the tables hold it.
        text: the same of the texts.
        bare: the same of the texts without words for the type.
        dataset: where it comes from.
        title: its title.
    """

    label: Mapping[str, str]
    image: Mapping[str, Side]
    text: Mapping[str, Side]
    bare: Mapping[str, Side]
    dataset: str
    title: str


def read_products(
    images: Sequence[LabelledImage], bundle: Bundle, reader: TextReader, workers: int | None = None
) -> list[Product]:
    """What both sides say of labelled pictures; those of held-out types are left out.

    Args:
        images: rows of any splits.
        bundle: has a classify task, which sees the pictures as extraction shows them.
        reader: reads the texts.
        workers: processes; by default one per core.

    Raises:
        PredictionError: a worker process died.
    """
    wanted = [image for image in images if (node := resolve(image).node) and taxonomy_path(node) not in HELD_OUT_TYPES]
    predictions = predict(bundle, wanted, workers=workers)
    task = bundle.task("classify")
    classified = CategoryReader.from_bundle(bundle, task).classify(predictions.probabilities)
    attributes = AttributeReader(bundle, task).read(predictions.heads)
    texts = [text_of(image) for image in predictions.images]
    told, bare = understand(texts, reader), understand([without_type(text) for text in texts], reader)
    products = []
    for row, image in enumerate(predictions.images):
        labels = resolve(image)
        label = dict(labels.attributes)
        if labels.node is not None and labels.node.count("/") >= 2:
            label[CATEGORY] = taxonomy_path(labels.node)
        seen = {one.attribute: {one.value: one.confidence} for one in attributes[row]}
        seen[CATEGORY] = {one.category: one.score for one in classified[row].category_candidates}
        products.append(Product(label, seen, _sides(told[row]), _sides(bare[row]), image.dataset, image.title))
    return products


def without_type(text: ProductText) -> ProductText:
    """The texts without words of the taxonomy, without what is printed on the product."""
    parts = [without_terms(part, CATEGORY) if part else None for part in (text.title, text.description)]
    return ProductText(*parts)


def _sides(understanding: TextUnderstanding) -> dict[str, Side]:
    found: dict[str, Side] = {one.attribute: {one.value: one.confidence} for one in understanding.attributes}
    found[CATEGORY] = dict(understanding.category_candidates)
    return {head: side for head, side in found.items() if side}


@dataclass(frozen=True)
class _Pool:
    """Logarithms of what N products' sides say, padded to the most labels that one product has named.

    Args:
        image: (N, M + 1): of each named label, last of a label that nobody named; minus infinity where there is none.
        text: likewise.
        count: (N, M + 1): how many labels a column stands for: 1, and in the last all the unnamed ones.
        right: (N,): column of the label.
        labels: (N, M + 1): number of the column's label, for its bias; the highest number is for no label.
        sure: (N,): probability of the text's best label.
        weight: (N,): how much each row counts, 1 on average; those of frequent labels count less: every type matters.
    """

    image: Floats
    text: Floats
    count: Floats
    right: NDArray[np.int64]
    labels: NDArray[np.int64]
    sure: Floats
    weight: Floats

    def loss(self, scores: Floats, rows: NDArray[np.bool_] | None = None) -> float:
        """Weighted mean negative log-likelihood of (N, M + 1) scores."""
        losses = _log_sum(scores, self.count) - np.take_along_axis(scores, self.right[:, None], axis=1)[:, 0]
        chosen = slice(None) if rows is None else rows
        return float(np.average(losses[chosen], weights=self.weight[chosen]))

    def features(self) -> Floats:
        """(N, M + 1, 4): what the four weights are multiplied with, in the order of `_GATED`."""
        sure = self.sure[:, None]
        return np.stack([self.image, sure * self.image, self.text, sure * self.text], axis=2)


def _log_sum(scores: Floats, count: Floats) -> Floats:
    highest = scores.max(axis=1, keepdims=True)
    return np.asarray(highest[:, 0] + np.log((np.exp(scores - highest) * count).sum(axis=1)))


def _pool(
    rows: Sequence[tuple[str, Side, Side]], names: Sequence[str], labels: int, floors: tuple[float, float]
) -> _Pool:
    """Rows are label, image, text; an empty side is missing. Must agree with `udfs.fusion.pooled`; a test compares."""
    named = [sorted({*image, *text}) for _, image, text in rows]
    most = max(len(one) for one in named)
    index = {name: number for number, name in enumerate(names)}
    shape = (len(rows), most + 1)
    logs = [np.zeros(shape), np.zeros(shape)]
    count, right = np.zeros(shape), np.zeros(len(rows), np.int64)
    of_column = np.full(shape, len(names), np.int64)
    for row, (label, *sides) in enumerate(rows):
        count[row, : len(named[row])] = 1
        count[row, most] = max(1e-9, labels - len(named[row]))
        right[row] = named[row].index(label) if label in named[row] else most
        of_column[row, : len(named[row])] = [index.get(one, len(names)) for one in named[row]]
        for log, side, floor in zip(logs, sides, floors, strict=True):
            if side:
                least = floor / labels
                left = max(0.0, 1.0 - sum(side.values()))
                unnamed = max(least, left / max(1, labels - len(side)))
                values = [max(side.get(one, unnamed), least) for one in named[row]]
                log[row, : len(values)] = np.log(values)
                log[row, most] = np.log(unnamed)
    sure = np.array([max(text.values(), default=0.0) for _, _, text in rows])
    frequency = Counter(label for label, _, _ in rows)
    weight = np.array([frequency[label] ** -0.5 for label, _, _ in rows])
    return _Pool(logs[0], logs[1], count, right, of_column, sure, weight / weight.mean())


def fit(products: Sequence[Product], head: str, labels: int, seed: int = 0) -> HeadWeights:
    """Weights of a head.

    Args:
        products: labelled ones that neither side was trained on.
        head: `category` or an attribute.
        labels: number of labels that there are.
        seed: of the folds that decide how much bias is allowed.

    Raises:
        ValueError: no product has a label and both sides for this head.
    """
    rows = [
        (one.label[head], one.image[head], side[head])
        for one in products
        for side in (one.text, one.bare)
        if head in one.label and head in one.image and head in side
    ]
    if not rows:
        raise ValueError(f"no product has a label, a picture and a text for {head}")
    names = sorted({label for label, _, _ in rows})
    floors = min(
        ((image, text) for image in _FLOORS for text in _FLOORS),
        key=lambda one: _gated(_pool(rows, names, labels, one))[1],
    )
    pool = _pool(rows, names, labels, floors)
    gated, _ = _gated(pool)
    bias = _bias(pool, pool.features() @ gated, len(names), seed)
    nothing: Side = {}
    image_alone = _pool([(label, image, nothing) for label, image, _ in rows], names, labels, floors)
    text_alone = _pool([(label, nothing, text) for label, _, text in rows], names, labels, floors)
    return HeadWeights(
        labels=labels,
        **{name: round(float(value), 4) for name, value in zip(_GATED, gated, strict=True)},
        image_alone=min(_EXPONENTS, key=lambda one: image_alone.loss(one * image_alone.image)),
        text_alone=min(_EXPONENTS, key=lambda one: text_alone.loss(one * text_alone.text)),
        image_floor=floors[0],
        text_floor=floors[1],
        bias={name: round(float(value), 4) for name, value in zip(names, bias, strict=True) if abs(value) >= 1e-3},
    )


def _gated(pool: _Pool) -> tuple[Floats, float]:
    """The four weights of least negative log-likelihood, and that, by Newton's method: the loss is convex in them."""
    features = pool.features()
    of_right = np.take_along_axis(features, pool.right[:, None, None], axis=1)[:, 0]
    start = np.array([1.0, 0.0, 1.0, 0.0])

    def loss(tried: Floats) -> float:
        return pool.loss(features @ tried) + 0.5 * _HOLD * float(((tried - start) ** 2).sum())

    weights, best = start, loss(start)
    for _ in range(_NEWTON_STEPS):
        scores = features @ weights
        shares = np.exp(scores - _log_sum(scores, pool.count)[:, None]) * pool.count
        expected = np.einsum("nm,nmk->nk", shares, features)
        gradient = pool.weight @ (expected - of_right) / len(features) + _HOLD * (weights - start)
        weighted = shares * pool.weight[:, None]
        second = np.einsum("nm,nmk,nml->kl", weighted, features, features) - (expected.T * pool.weight) @ expected
        step = np.linalg.solve(second / len(features) + _HOLD * np.eye(len(start)), gradient)
        size = 1.0
        while loss(weights - size * step) > best and size > 1e-3:
            size /= 2
        found = loss(weights - size * step)
        if found > best - 1e-7:
            break
        weights, best = weights - size * step, found
    return weights, best


def _bias(pool: _Pool, scores: Floats, labels: int, seed: int) -> Floats:
    """Bias by label, as strongly held to zero as cross-validation wants it; zeros when it does not help."""
    folds = np.random.default_rng(seed).integers(0, _FOLDS, len(pool.right))
    losses = {np.inf: pool.loss(scores)}
    for ridge in _RIDGES:
        total = 0.0
        for fold in range(_FOLDS):
            held = folds == fold
            bias = np.append(_descend(pool, scores, labels, ridge, ~held), 0.0)
            total += pool.loss(scores + bias[pool.labels], held) * pool.weight[held].sum()
        losses[ridge] = total / pool.weight.sum()
    ridge = min(losses, key=lambda one: losses[one])
    if not np.isfinite(ridge):
        return np.zeros(labels)
    return _descend(pool, scores, labels, ridge, np.ones(len(folds), bool))


def _descend(pool: _Pool, scores: Floats, labels: int, ridge: float, rows: NDArray[np.bool_]) -> Floats:
    """Gradient descent on the negative log-likelihood plus `ridge` / 2 times the squared bias."""
    scores = scores[rows]
    count, right, of_column = pool.count[rows], pool.right[rows], pool.labels[rows]
    bias = np.zeros(labels + 1)
    weight, of_right = pool.weight[rows], np.take_along_axis(of_column, right[:, None], axis=1)[:, 0]
    seen = np.bincount(of_right, weights=weight, minlength=labels + 1)
    # At most a quarter of the weight of a label's rows: the curvature of its likelihood, which makes the step safe.
    among = np.bincount(of_column.ravel(), weights=((count == 1) * weight[:, None]).ravel(), minlength=labels + 1)
    step = 1.0 / (ridge + 0.25 * among)
    for _ in range(_STEPS):
        moved = scores + bias[of_column]
        shares = np.exp(moved - _log_sum(moved, count)[:, None]) * count * weight[:, None]
        expected = np.bincount(of_column.ravel(), weights=shares.ravel(), minlength=labels + 1)
        bias += step * (seen - expected - ridge * bias)
        bias[labels] = 0.0
    return bias[:labels]


def fit_all(products: Sequence[Product], label_counts: Mapping[str, int], fitted_on: str) -> FusionWeights:
    """Weights of the category and of every attribute that products are labelled with.

    Args:
        products: see `fit`.
        label_counts: number of labels by head.
        fitted_on: said in the file.
    """
    heads = {}
    for head in (CATEGORY, *FUSED_HEADS):
        if head in label_counts and any(head in one.label and head in one.text for one in products):
            heads[head] = fit(products, head, label_counts[head])
    return FusionWeights(heads=heads, fitted_on=fitted_on)


@dataclass(frozen=True)
class Score:
    """How good one way of answering is.

    Args:
        products: labelled ones.
        accuracy: share of right answers; no answer is wrong.
        macro_f1: mean over the labels that occur.
    """

    products: int
    accuracy: float
    macro_f1: float


def scores(products: Sequence[Product], head: str, weights: FusionWeights) -> dict[str, Score]:
    """Accuracy by image, text, both, each with the text also without words for the type, and both without text."""
    known = [one for one in products if head in one.label]
    ways: dict[str, Callable[[Product], str | None]] = {
        "image": lambda one: _best(one.image.get(head)),
        "text": lambda one: _best(one.text.get(head)),
        "fused": lambda one: fused(one, head, weights),
        "text, type words removed": lambda one: _best(one.bare.get(head)),
        "fused, type words removed": lambda one: fused(replace(one, text=one.bare), head, weights),
        "fused, text removed": lambda one: fused(replace(one, text={}), head, weights),
    }
    return {name: _score([one.label[head] for one in known], [way(one) for one in known]) for name, way in ways.items()}


def fused(product: Product, head: str, weights: FusionWeights) -> str | None:
    """The answer of both sides together, as the fuse stage gives it."""
    image, text = product.image.get(head), product.text.get(head)
    if head == CATEGORY:
        answer = fuse_category([list(image.items())] if image else [], list(text.items()) if text else None, weights)
    else:
        said = next(iter(text.items())) if text else None
        answer = fuse_attribute(head, list(image.items()) if image else [], said, weights)
    return answer[0][0] if answer else None


def _best(side: Side | None) -> str | None:
    return max(side, key=lambda one: side[one]) if side else None


def _score(labels: Sequence[str], answers: Sequence[str | None]) -> Score:
    names = sorted({*labels, *(answer for answer in answers if answer is not None)})
    index = {name: number for number, name in enumerate(names)}
    # No answer is one more class, which is never right.
    given = np.array([index[answer] if answer is not None else len(names) for answer in answers], np.int64)
    found = classification_scores(np.array([index[label] for label in labels], np.int64), given)
    assert found is not None, "no labels to score"
    return Score(len(labels), found.accuracy, found.macro_f1)
