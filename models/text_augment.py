"""Changes a labelled text at random, so that the network learns the language and not one shop's habits.

Brand dropped or replaced, dictionary words replaced by synonyms or by their translation, words for the type dropped,
order shuffled, letters misread as OCR does, title and print exchanged. Labels stay as they are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from models.text_encoding import ProductText
from models.text_templates import invented_brand
from models.text_terms import CATEGORY, TERM_ATTRIBUTES, Concept, load_lexicon
from models.text_units import split_units
from schemas.attributes import load_attributes
from schemas.taxonomy import LANGUAGES, Language, load_taxonomy

_UNCHANGED = 0.3
_SYNONYM = 0.3
_TRANSLATED = 0.15
_DROP_TYPE = 0.15
_DROP_BRAND, _NEW_BRAND = 0.3, 0.2
_DROP_WORD = 0.06
_SHUFFLED = 0.08
_MISREAD = 0.12
_AS_PRINT = 0.06
_MISREADINGS = {
    "o": "0", "l": "1", "i": "l", "s": "5", "b": "8", "m": "rn", "e": "c", "a": "o", "g": "9", "t": "f",
    "末": "未", "日": "曰", "土": "士", "人": "入", "白": "自", "女": "文", "纯": "钝", "棉": "绵", "裤": "褲",
}  # fmt: skip


@dataclass(frozen=True)
class _Chunk:
    text: str
    concepts: tuple[Concept, ...] = ()


def augmented(text: ProductText, rng: np.random.Generator) -> ProductText:
    """The texts, changed at random."""
    if rng.random() < _UNCHANGED:
        return text
    title = _changed(text.title, rng) if text.title else None
    description = text.description
    if description and title and rng.random() < 0.3:
        title, description = (title, None) if rng.random() < 0.7 else (None, description)
    ocr = text.ocr_text
    if ocr:
        ocr = None if title and rng.random() < 0.5 else misread(ocr, rng)
    elif title and rng.random() < _AS_PRINT:
        return ProductText(None, description, misread(title, rng))
    return ProductText(title or None, description, ocr)


def without_terms(title: str, attribute: str) -> str:
    """The title without the dictionary's words for an attribute (or for the category)."""
    kept = [chunk for chunk in _chunks(title) if all(one.attribute != attribute for one in chunk.concepts)]
    return _joined(kept, title)


def misread(text: str, rng: np.random.Generator) -> str:
    """Some letters as OCR may take them, some missing, some spaces lost."""
    if rng.random() < 0.5:
        return text
    rate = float(rng.uniform(0.01, 0.08))
    found = []
    for character in text:
        chance = rng.random()
        if chance < rate:
            found.append(_MISREADINGS.get(character.lower(), character))
        elif chance >= rate * 1.5:
            found.append(character)
    return "".join(found)


def _changed(title: str, rng: np.random.Generator) -> str:
    chunks = _chunks(title)
    if rng.random() < _DROP_TYPE:
        kept = [chunk for chunk in chunks if all(one.attribute != CATEGORY for one in chunk.concepts)]
        chunks = kept or chunks
    if chunks and not chunks[0].concepts and len(chunks) > 1:
        chance = rng.random()
        if chance < _DROP_BRAND:
            chunks = _after_brand(chunks)
        elif chance < _DROP_BRAND + _NEW_BRAND:
            chunks = [_Chunk(invented_brand("en", rng)), *_after_brand(chunks)]
    chunks = [chunk for chunk in chunks if chunk.concepts or rng.random() >= _DROP_WORD] or chunks
    language: Language | None = None
    if rng.random() < _TRANSLATED and any(chunk.concepts for chunk in chunks):
        language = "en" if any(ord(one) > 0x2E80 for one in title) else "zh"
        # Words that the dictionary lacks stay in the other language, as brands do; most are left out.
        chunks = [chunk for chunk in chunks if chunk.concepts or rng.random() < 0.3]
    chunks = [_reworded(chunk, language, rng) for chunk in chunks]
    if rng.random() < _SHUFFLED:
        chunks = [chunks[int(place)] for place in rng.permutation(len(chunks))]
    changed = _joined(chunks, title)
    return misread(changed, rng) if rng.random() < _MISREAD else changed


def _after_brand(chunks: Sequence[_Chunk]) -> list[_Chunk]:
    """Without the words before the first that the dictionary knows, at most three."""
    first = next((place for place, chunk in enumerate(chunks) if chunk.concepts), 1)
    return list(chunks[min(first, 3) :]) or list(chunks)


def _reworded(chunk: _Chunk, language: Language | None, rng: np.random.Generator) -> _Chunk:
    if len(chunk.concepts) != 1 or (language is None and rng.random() >= _SYNONYM):
        return chunk
    concept = chunk.concepts[0]
    chinese = any(ord(one) > 0x2E80 for one in chunk.text)
    options = _words_for()[concept][language or ("zh" if chinese else "en")]
    return _Chunk(options[int(rng.integers(len(options)))], chunk.concepts) if options else chunk


def _chunks(title: str) -> list[_Chunk]:
    """The title in pieces: dictionary terms whole, other words one by one."""
    units = split_units(title)
    terms = {term.first: term for term in load_lexicon().find(units)}
    found: list[_Chunk] = []
    at = 0
    while at < len(units):
        term = terms.get(at)
        if term is not None:
            found.append(_Chunk(title[term.start : term.end], term.concepts))
            at = term.last
        else:
            found.append(_Chunk(title[units[at].start : units[at].end]))
            at += 1
    return found


def _joined(chunks: Sequence[_Chunk], original: str) -> str:
    """With spaces between Latin words, without between Chinese ones unless the original had them."""
    spaced = " " in original.strip() and sum(ord(one) > 0x2E80 for one in original) < len(original) / 3
    text = ""
    for chunk in chunks:
        apart = spaced or (text[-1:].isascii() and chunk.text[:1].isascii())
        text += f" {chunk.text}" if text and apart else chunk.text
    return text


@cache
def _words_for() -> Mapping[Concept, Mapping[Language, tuple[str, ...]]]:
    found: dict[Concept, dict[Language, list[str]]] = defaultdict(lambda: {language: [] for language in LANGUAGES})
    for language in LANGUAGES:
        for term, path in load_taxonomy().terms(language).items():
            found[Concept(CATEGORY, path)][language].append(term)
        for attribute in TERM_ATTRIBUTES:
            for term, value in load_attributes().terms(attribute, language).items():
                found[Concept(attribute, value)][language].append(term)
    return {concept: {one: tuple(words) for one, words in by.items()} for concept, by in found.items()}
