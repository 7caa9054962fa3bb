"""What a product's texts say it is: category and attributes, each with the words that say so.

Two readers work together. The dictionary finds exact terms of the taxonomy and of the attributes, English and Chinese:
few mistakes, no understanding. The text network of a bundle (`understand` task) reads the whole and says how probable
each meaning is; without it the dictionary stands alone. Nothing here raises, whatever the texts hold.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.bundle import Bundle
from models.label_space import ATTRIBUTE_HEADS
from models.manifest import UnderstandTask
from models.text_encoding import SOURCES, Encoded, Encoder, Passage, ProductText, TextSource, padded, read_passages
from models.text_terms import CATEGORY, Concept, Lexicon, Term, head_label, load_lexicon
from models.text_units import MAX_CHARACTERS
from schemas.attributes import load_attributes
from udfs.classify import softmax
from udfs.runtime import BundleSource, load_session, runtime_for

__all__ = [
    "ProductText",
    "TextAttribute",
    "TextReader",
    "TextSource",
    "TextUnderstanding",
    "text_reader_for",
    "understand",
]

Floats: TypeAlias = NDArray[np.float32]

MAX_CANDIDATES = 10

_BATCH = 32
_MAX_UNITS = 192
_LEAST_SCORE = 0.01
# What a dictionary term alone is worth, by where it stands; measured on validation titles, see docs/models/text.md.
_TERM_CONFIDENCE: Mapping[TextSource, float] = {"title": 0.9, "description": 0.8, "ocr": 0.6}
_WEAK_TERM = 0.4
_STATED = 0.55
# A type that the network has never learned, named by a term: the network cannot vouch for it, nor deny it.
_UNLEARNED_TYPE: Mapping[TextSource, float] = {"title": 0.8, "description": 0.4, "ocr": 0.3}
# Attention around its peak that still belongs to the evidence, share of the peak.
_SPAN_SHARE = 0.5
_COLOR, _MATERIAL = "color", "material"
_MANY_VALUED = frozenset({_MATERIAL})


@dataclass(frozen=True)
class TextAttribute:
    """A claim of the texts.

    Args:
        attribute: color, pattern, gender, material, ...
        value: in the words of the models' heads where there is such a head, else of the attribute dictionary.
        confidence: how probably it is true, 0..1.
        is_stated: whether the confidence is high enough to state it; below it is a guess.
        source: the text that says so.
        span_start: first character of the evidence in that text as given, from 0.
        span_end: behind its last character.
        evidence: those characters.
    """

    attribute: str
    value: str
    confidence: float
    is_stated: bool
    source: TextSource
    span_start: int
    span_end: int
    evidence: str


@dataclass(frozen=True)
class TextUnderstanding:
    """What the texts of one product say.

    Args:
        category_candidates: up to `MAX_CANDIDATES` taxonomy paths with their probability, most probable first.
        attributes: claims, at most one per attribute except materials.
        category_evidence: the words that say the category; its value is the best candidate. None without one.
        status: read; empty: there was no text; failed: the network could not read it, only the dictionary did.
        detail: what is noteworthy: why nothing was found, what was cut, why it failed.
    """

    category_candidates: tuple[tuple[str, float], ...] = ()
    attributes: tuple[TextAttribute, ...] = ()
    category_evidence: TextAttribute | None = None
    status: Literal["read", "empty", "failed"] = "read"
    detail: str = ""


@dataclass(frozen=True)
class _Answer:
    """What the network says of one product."""

    category: Floats
    heads: Mapping[str, Floats]
    attention: Floats


class TextReader:
    """Reads texts with a bundle's text network and the dictionary, or the dictionary alone.

    Args:
        bundle: a verified bundle; one without an `understand` task, and None, leave the dictionary alone.
        lexicon: the dictionary's terms; by default those of the project.
    """

    def __init__(self, bundle: Bundle | None = None, lexicon: Lexicon | None = None) -> None:
        self.lexicon = lexicon or load_lexicon()
        self._bundle = bundle
        self.task: UnderstandTask | None = bundle.understand_task if bundle is not None else None
        self.max_units = self.task.input.max_units if self.task else _MAX_UNITS
        if self.task is not None:
            assert bundle is not None
            self._session = load_session(bundle, self.task.file)
            given = self.task.input
            self._encoder = Encoder(given.buckets, given.pieces, bundle.concepts(self.task))
            labels, paths = bundle.labels(self.task), bundle.label_paths(self.task)
            self.paths = tuple(sorted(set(paths.values())))
            index = {path: number for number, path in enumerate(self.paths)}
            self._to_paths = np.zeros((len(labels), len(self.paths)), np.float32)
            for row, label in enumerate(labels):
                if label in paths:
                    self._to_paths[row, index[paths[label]]] = 1
            self.head_labels = {head.name: bundle.labels(head) for head in self.task.heads}
            self._thresholds = {head.name: head.threshold for head in self.task.heads}
            above = {path.rsplit("/", count)[0] for path in self.paths for count in range(3)}
            self._learned = frozenset(above)

    def passages(self, text: ProductText) -> list[Passage]:
        """A product's texts, cut into units."""
        return read_passages(text, self.lexicon, self.max_units)

    def encode(self, passages: Sequence[Passage]) -> Encoded:
        """The numbers that the network reads."""
        return self._encoder.encode(passages)

    def run(self, encoded: Sequence[Encoded]) -> tuple[Floats, dict[str, Floats], Floats]:
        """Run the network.

        Args:
            encoded: N texts, each with at least one unit.

        Returns:
            Probabilities (N, paths) in the order of `paths`, (N, labels) by head, attention (N, 1 + heads, units).

        Raises:
            ValueError: the network gave numbers that are not finite.
        """
        task = self.task
        assert task is not None
        ids, segments = padded(encoded, task.input.pieces)
        names = [task.outputs.logits, task.outputs.attention, *(head.output for head in task.heads)]
        logits, attention, *of_heads = self._session.run(names, {task.input.ids: ids, task.input.segments: segments})
        for name, values in zip(names, (logits, attention, *of_heads), strict=True):
            if not np.isfinite(values).all():
                raise ValueError(f"output {name} is not finite")
        heads = {head.name: softmax(one, head.temperature) for head, one in zip(task.heads, of_heads, strict=True)}
        return softmax(logits, task.temperature) @ self._to_paths, heads, attention

    def read(self, texts: Sequence[ProductText]) -> list[TextUnderstanding]:
        """What each product's texts say."""
        everything = [self.passages(text) for text in texts]
        answers: dict[int, _Answer] = {}
        failures: dict[int, str] = {}
        if self.task is not None:
            # Texts of like length together, so that little is computed on padding.
            order = sorted(
                (index for index, passages in enumerate(everything) if _reads(passages)),
                key=lambda index: sum(len(one.units) for one in everything[index]),
            )
            for start in range(0, len(order), _BATCH):
                self._answer(order[start : start + _BATCH], everything, answers, failures)
        return [
            self._understanding(text, passages, answers.get(index), failures.get(index))
            for index, (text, passages) in enumerate(zip(texts, everything, strict=True))
        ]

    def _answer(
        self,
        batch: Sequence[int],
        everything: Sequence[Sequence[Passage]],
        answers: dict[int, _Answer],
        failures: dict[int, str],
    ) -> None:
        """Answers for a batch; when it fails, for each text alone, so that one does not fail the others."""
        try:
            categories, heads, attention = self.run([self.encode(everything[index]) for index in batch])
        # onnxruntime raises its own C++ exception types, which share no base but Exception.
        except Exception as error:  # noqa: BLE001
            if len(batch) > 1:
                for index in batch:
                    self._answer([index], everything, answers, failures)
            else:
                failures[batch[0]] = f"{type(error).__name__}: {error}"
            return
        for row, index in enumerate(batch):
            of_row = {name: values[row] for name, values in heads.items()}
            answers[index] = _Answer(categories[row], of_row, attention[row])

    def _understanding(
        self, text: ProductText, passages: Sequence[Passage], answer: _Answer | None, failure: str | None
    ) -> TextUnderstanding:
        given = [content for source in SOURCES if (content := text.of(source)) is not None]
        if not given:
            return TextUnderstanding(status="empty", detail="no title, description or text in pictures")
        if not passages:
            return TextUnderstanding(status="empty", detail="no letters or digits in the text")
        candidates = self._candidates(passages, answer)
        best = candidates[0][0] if candidates else None
        details = [failure] if failure else []
        if not candidates and failure is None:
            details.append("no Chinese or English words that are known")
        if any(one.is_cut for one in passages) or any(len(content) > MAX_CHARACTERS for content in given):
            details.append("long text, only its beginning was read")
        return TextUnderstanding(
            category_candidates=candidates,
            attributes=self._attributes(passages, answer, best),
            category_evidence=self._category_evidence(passages, answer, candidates),
            status="failed" if failure else "read",
            detail="; ".join(details),
        )

    def _candidates(self, passages: Sequence[Passage], answer: _Answer | None) -> tuple[tuple[str, float], ...]:
        named = _named_paths(passages)
        if answer is None:
            return _by_terms(named)
        scores = {path: float(score) for path, score in zip(self.paths, answer.category, strict=True)}
        unlearned = next(((path, source) for path, source in named if path not in self._learned and "/" in path), None)
        if unlearned is not None:
            path, source = unlearned
            # A shirt "with cufflinks" stays a shirt: what the text names as well and the network believes, it is.
            other = max((scores.get(one, 0.0) for one, _ in named), default=0.0)
            share = _UNLEARNED_TYPE[source] * (1 - other)
            scores = {one: score * (1 - share) for one, score in scores.items()}
            scores[path] = scores.get(path, 0.0) + share
        return _ranked(scores)

    def _category_evidence(
        self, passages: Sequence[Passage], answer: _Answer | None, candidates: Sequence[tuple[str, float]]
    ) -> TextAttribute | None:
        if not candidates:
            return None
        (path, score), *_ = candidates
        stated = self.task is None or score >= self.task.thresholds.type
        for passage, term in _terms_of(passages, CATEGORY, last=True):
            if any(one.attribute == CATEGORY and one.value == path for one in term.concepts):
                return _claim(CATEGORY, path, score, stated, passage, term.start, term.end)
        if answer is None:
            return None
        passage, start, end = _attended(passages, answer.attention[0])
        return _claim(CATEGORY, path, score, stated, passage, start, end)

    def _attributes(
        self, passages: Sequence[Passage], answer: _Answer | None, category: str | None
    ) -> tuple[TextAttribute, ...]:
        known = load_attributes()
        by_attribute: dict[str, list[tuple[Passage, Term, str]]] = {}
        for passage in passages:
            for term in (*passage.terms, *self._materials(passage)):
                for concept in term.concepts:
                    if concept.attribute != CATEGORY and _applies(concept, term, category):
                        value = head_label(concept.attribute, concept.value)
                        by_attribute.setdefault(concept.attribute, []).append((passage, term, value))
        claims: list[TextAttribute] = []
        heads = list(self.head_labels) if answer is not None else []
        for number, head in enumerate(heads, start=1):
            if category is not None and head in known.names and not known.applies(head, category):
                continue
            if head == _COLOR and _names_kinds_by_color(category):
                continue
            claims.append(self._head_claim(head, number, passages, by_attribute.pop(head, []), answer))
        for attribute, found in by_attribute.items():
            if attribute not in heads:
                claims += _term_claims(attribute, found)
        return tuple(claims)

    def _materials(self, passage: Passage) -> list[Term]:
        """Materials within a name of a thing: "leather belt" is one term."""
        return [
            inner
            for term in passage.terms
            if term.last - term.first > 1
            for inner in self.lexicon.find_inside(passage.units, term)
            if not inner.is_weak and all(one.attribute == _MATERIAL for one in inner.concepts)
        ]

    def _head_claim(
        self,
        head: str,
        number: int,
        passages: Sequence[Passage],
        found: Sequence[tuple[Passage, Term, str]],
        answer: _Answer | None,
    ) -> TextAttribute:
        assert answer is not None
        probabilities = answer.heads[head]
        best = int(probabilities.argmax())
        value, score = self.head_labels[head][best], min(1.0, float(probabilities[best]))
        stated = score >= self._thresholds[head]
        named = [(passage, term) for passage, term, label in found if label == value]
        if named:
            passage, term = min(named, key=lambda one: one[1].is_weak)
            return _claim(head, value, score, stated, passage, term.start, term.end)
        if not stated:
            # The network is not sure, and the dictionary knows one word for it and no other.
            sure = [(passage, term, label) for passage, term, label in found if not term.is_weak]
            if len({label for *_, label in sure}) == 1:
                return _term_claims(head, sure[:1])[0]
        passage, start, end = _attended(passages, answer.attention[number])
        return _claim(head, value, score, stated, passage, start, end)


def understand(texts: Sequence[ProductText], reader: TextReader) -> list[TextUnderstanding]:
    """What the texts of products say, in the order of `texts`; never raises, see `TextUnderstanding.status`."""
    return reader.read(texts)


_readers: dict[str, TextReader] = {}
_readers_lock = threading.Lock()


def text_reader_for(source: BundleSource) -> TextReader:
    """The process's reader for a bundle; made on the first call, then reused.

    Raises:
        BundleError: the bundle cannot be used.
    """
    with _readers_lock:
        reader = _readers.get(source.sha256)
        if reader is None:
            reader = _readers[source.sha256] = TextReader(runtime_for(source).bundle)
        return reader


def _reads(passages: Sequence[Passage]) -> bool:
    """Whether the network can read any of it: Latin letters or Chinese; for other scripts it was never trained."""
    return any(_is_readable(unit.text) for passage in passages for unit in passage.units)


def _is_readable(text: str) -> bool:
    return any("a" <= one <= "z" or "\u4e00" <= one <= "\u9fff" for one in text)


def _terms_of(passages: Sequence[Passage], attribute: str, *, last: bool = False) -> list[tuple[Passage, Term]]:
    found = []
    for passage in passages:
        terms = [term for term in passage.terms if any(one.attribute == attribute for one in term.concepts)]
        found += [(passage, term) for term in (reversed(terms) if last else terms)]
    return found


def _named_paths(passages: Sequence[Passage]) -> list[tuple[str, TextSource]]:
    """Taxonomy paths that terms name: by source, the last word first, which is the head of a noun phrase."""
    return [
        (one.value, passage.source)
        for passage, term in _terms_of(passages, CATEGORY, last=True)
        for one in term.concepts
        if one.attribute == CATEGORY and not term.is_weak
    ]


def _by_terms(named: Sequence[tuple[str, TextSource]]) -> tuple[tuple[str, float], ...]:
    """Candidates by the dictionary alone: deeper paths and later words of the title count more."""
    weights: dict[str, float] = {}
    factor = 1.0
    for path, source in named:
        weights[path] = weights.get(path, 0.0) + factor * _TERM_CONFIDENCE[source] * (1 + path.count("/"))
        factor *= 0.5
    total = sum(weights.values())
    surest = max((_TERM_CONFIDENCE[source] for _, source in named), default=0.0)
    return _ranked({path: surest * weight / total for path, weight in weights.items()})


def _ranked(scores: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    order = sorted(scores.items(), key=lambda one: (-one[1], one[0]))[:MAX_CANDIDATES]
    return tuple((path, min(1.0, score)) for path, score in order if score >= _LEAST_SCORE)


def _applies(concept: Concept, term: Term, category: str | None) -> bool:
    if category is None:
        return not term.is_weak
    if concept.attribute == _COLOR and _names_kinds_by_color(category):
        return False
    return load_attributes().applies(concept.attribute, category)


def _names_kinds_by_color(category: str | None) -> bool:
    """Red onions and white wine: there the word names the kind, not the color of what is sold."""
    return category is not None and category.startswith(("groceries", "packaged-food"))


def _term_claims(attribute: str, found: Sequence[tuple[Passage, Term, str]]) -> list[TextAttribute]:
    """Claims by the dictionary alone: the surest, and the first of these; every value of a material."""
    claims: dict[str, TextAttribute] = {}
    for passage, term, value in found:
        confidence = _WEAK_TERM if term.is_weak else _TERM_CONFIDENCE[passage.source]
        claim = _claim(attribute, value, confidence, confidence >= _STATED, passage, term.start, term.end)
        if value not in claims or claims[value].confidence < confidence:
            claims[value] = claim
    ranked = sorted(claims.values(), key=lambda one: -one.confidence)
    if attribute in _MANY_VALUED:
        return ranked
    first = ranked[:1]
    if attribute in ATTRIBUTE_HEADS and len(ranked) > 1 and ranked[1].confidence == ranked[0].confidence:
        # Two colors in one title: which of them is the product's is a guess.
        return [_guess(one) for one in first]
    return first


def _guess(claim: TextAttribute) -> TextAttribute:
    return TextAttribute(
        claim.attribute,
        claim.value,
        claim.confidence / 2,
        False,
        claim.source,
        claim.span_start,
        claim.span_end,
        claim.evidence,
    )


def _claim(
    attribute: str, value: str, confidence: float, stated: bool, passage: Passage, start: int, end: int
) -> TextAttribute:
    return TextAttribute(
        attribute, value, min(1.0, confidence), stated, passage.source, start, end, passage.text[start:end]
    )


def _attended(passages: Sequence[Passage], attention: Floats) -> tuple[Passage, int, int]:
    """The words around the peak of attention: passage, first character, end."""
    places = [(passage, place) for passage in passages for place in range(len(passage.units))]
    peak = int(attention[: len(places)].argmax())
    passage, place = places[peak]
    least = _SPAN_SHARE * float(attention[peak])
    first = last = place
    offset = peak - place
    while first > 0 and attention[offset + first - 1] >= least:
        first -= 1
    while last + 1 < len(passage.units) and attention[offset + last + 1] >= least:
        last += 1
    return passage, passage.units[first].start, passage.units[last].end
