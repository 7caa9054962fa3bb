"""What a query means: its words as values of the attribute dictionary and nodes of the taxonomy, misspellings mended.

Names and synonyms in both languages lead to the same value, so a Chinese query finds products whose titles are English.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import process
from rapidfuzz.distance import OSA

from jobs.service.words import ATOM, STOP_WORDS, folded, is_latin, query_words
from models.text_terms import CATEGORY, Concept
from schemas.attributes import load_attributes
from schemas.taxonomy import load_taxonomy

# The longest names have about this many words or ideographs.
_MOST_ATOMS = 8
_LEAST_MENDED = 4


@dataclass(frozen=True)
class Term:
    """A part of a query.

    Args:
        text: as folded.
        words: to look for in texts, all of them.
        concepts: what it may mean; none for a word that the dictionaries lack.
        written: what was written, where that was mended.
    """

    text: str
    words: tuple[str, ...]
    concepts: tuple[Concept, ...] = ()
    written: str | None = None


@lru_cache(maxsize=8192)
def meanings(text: str) -> tuple[Concept, ...]:
    """Everything that a name or synonym may mean."""
    found = []
    path = load_taxonomy().find(text)
    # Paths are understood too, but nobody writes them into a search box.
    if path is not None:
        found.append(Concept(CATEGORY, path))
    found += [Concept(one.attribute, one.value) for one in load_attributes().meanings(text)]
    return tuple(found)


def understand(query: str, knows: Callable[[str], bool], spellings: Sequence[str] = ()) -> list[Term]:
    """The terms of a query, in order.

    Args:
        query: what a person typed.
        knows: whether a word of `query_words` occurs in any text.
        spellings: words as written that a misspelt one may have been meant for, best first.
    """
    text, mended = _mended(folded(query), knows, tuple(spellings))
    atoms = [(match.start(), match.end()) for match in ATOM.finditer(text)]
    terms: list[Term] = []
    loose: list[tuple[int, int]] = []

    def flush() -> None:
        """Ideographs side by side stay together: their pairs are looked for."""
        for start, end in _runs(loose):
            part = text[start:end]
            if part not in STOP_WORDS:
                terms.append(Term(part, tuple(query_words(part)), (), mended.get(part)))
        loose.clear()

    at = 0
    while at < len(atoms):
        length, concepts = _longest(text, atoms, at)
        if not concepts:
            loose.append(atoms[at])
            at += 1
            continue
        flush()
        part = text[atoms[at][0] : atoms[at + length - 1][1]]
        written = [mended[word] for word in part.split() if word in mended]
        terms.append(Term(part, tuple(query_words(part)), concepts, " ".join(written) or None))
        at += length
    flush()
    return terms


def _longest(text: str, atoms: list[tuple[int, int]], at: int) -> tuple[int, tuple[Concept, ...]]:
    """How many atoms from `at` on make the longest known name, and what it means."""
    for length in range(min(_MOST_ATOMS, len(atoms) - at), 0, -1):
        part = text[atoms[at][0] : atoms[at + length - 1][1]]
        if part not in STOP_WORDS and (concepts := meanings(part)):
            return length, concepts
    return 1, ()


def _runs(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans, those that touch joined."""
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def _mended(text: str, knows: Callable[[str], bool], spellings: tuple[str, ...]) -> tuple[str, dict[str, str]]:
    """The text with its misspelt Latin words replaced, and what was written by what replaced it."""
    mended: dict[str, str] = {}
    parts, end = [], 0
    for match in ATOM.finditer(text):
        word = match.group()
        parts.append(text[end : match.start()])
        end = match.end()
        known = not is_latin(word) or word in STOP_WORDS or word in _dictionary_words()
        better = None if known or knows(query_words(word)[0]) else nearest_spelling(word, spellings)
        if better is not None:
            mended[better] = word
        parts.append(better or word)
    return "".join(parts) + text[end:], mended


def nearest_spelling(word: str, spellings: Sequence[str]) -> str | None:
    """The known word that was probably meant: one slip in words of 4 to 7 letters, two in longer ones.

    Words of the dictionaries go before those of texts, and those before rarer ones. The distance is that of optimal
    string alignment, where swapped neighbors are one slip.
    """
    if len(word) < _LEAST_MENDED or word.isdigit():
        return None
    most = 1 if len(word) < 8 else 2
    best: tuple[int, int, str] | None = None
    for rank, words in enumerate((_sorted_dictionary_words(), spellings)):
        for candidate, distance, place in process.extract(word, words, scorer=OSA.distance, score_cutoff=most, limit=5):
            key = (int(distance), rank * len(words) + place if rank else 0, candidate)
            if len(candidate) >= _LEAST_MENDED - 1 and (best is None or key < best):
                best = key
    return best[2] if best else None


@lru_cache(maxsize=1)
def _dictionary_words() -> frozenset[str]:
    """Single Latin words of all names and synonyms."""
    taxonomy, attributes = load_taxonomy(), load_attributes()
    terms = set(taxonomy.terms("en")) | set(taxonomy.terms("zh"))
    for name in attributes.names:
        terms |= set(attributes.terms(name, "en")) | set(attributes.terms(name, "zh"))
    return frozenset(word for term in terms for word in ATOM.findall(folded(term)) if is_latin(word))


@lru_cache(maxsize=1)
def _sorted_dictionary_words() -> tuple[str, ...]:
    return tuple(sorted(_dictionary_words()))
