"""Terms of the taxonomy and the attribute dictionary found in a text, English and Chinese, with their places.

The text network sees them as *concepts* beside the words, so that what it learns of one word holds for all synonyms in
both languages; `udfs.text_understanding` takes its exact evidence from them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from models.label_space import ATTRIBUTE_HEADS, attribute_label
from models.text_units import Unit, split_units
from schemas.attributes import AttributeDictionary, load_attributes
from schemas.taxonomy import LANGUAGES, Taxonomy, load_taxonomy

CATEGORY = "category"
TERM_ATTRIBUTES = (
    "color",
    "pattern",
    "gender",
    "age_group",
    "season",
    "usage",
    "material",
    "sleeve_length",
    "neckline",
    "fit",
)
"""Attributes whose words are looked for. Words for shapes ("long", "high") mean too many other things in titles."""

# Colors and materials that as often are a taste, a fruit, a direction.
_WEAK_WORDS = frozenset(
    {
        "down",
        "glass",
        "paper",
        "steel",
        "regular",
        "tight",
        "crew",
        "low",
        "high",
        "running",
        "training",
        "active",
        "home",
        "trip",
        "skin",
        "flesh",
        "ash",
        "slate",
        "snow",
        "sand",
        "vanilla",
        "coffee",
        "chocolate",
        "mushroom",
        "lemon",
        "lime",
        "peach",
        "orange",
        "olive",
        "plum",
        "rose",
        "coral",
        "mint",
        "sage",
        "cream",
        "copper",
        "camel",
        "caramel",
        "wine",
        "berry",
        "salmon",
        "apricot",
        "honey",
        "rust",
        "brick",
        "jade",
        "aqua",
        "petrol",
        "graphite",
        "chrome",
        "metallic",
        "multi",
        "mesh",
        "lace",
    }
)


@dataclass(frozen=True)
class Concept:
    """What a term means: an attribute's value, or a taxonomy path under the attribute `category`."""

    attribute: str
    value: str

    @property
    def key(self) -> str:
        """As bundles and the service's facets write it."""
        return f"{self.attribute}={self.value}"


@dataclass(frozen=True)
class Term:
    """A term found in a text.

    Args:
        concepts: what it may mean, e.g. steel a color or a material.
        first: its first unit.
        last: behind its last unit.
        start: its first character in the text.
        end: behind its last character.
        is_weak: it often means something else: one Chinese character, or a word such as "orange".
    """

    concepts: tuple[Concept, ...]
    first: int
    last: int
    start: int
    end: int
    is_weak: bool = False


class Lexicon:
    """Finds terms: the longest first, from left to right, none inside another.

    Args:
        terms: pairs of a term as people write it and what it means.
    """

    def __init__(self, terms: Iterable[tuple[str, Concept]]) -> None:
        self._meanings: dict[tuple[str, ...], tuple[Concept, ...]] = {}
        self._longest: dict[str, int] = {}
        for term, concept in terms:
            key = tuple(_plain_word(unit.text) for unit in split_units(term))
            if not key:
                continue
            known = self._meanings.get(key, ())
            if concept not in known:
                self._meanings[key] = (*known, concept)
            self._longest[key[0]] = max(len(key), self._longest.get(key[0], 0))

    @property
    def concepts(self) -> tuple[Concept, ...]:
        """Every concept that a term has, sorted by key."""
        return tuple(sorted({one for found in self._meanings.values() for one in found}, key=lambda one: one.key))

    def find(self, units: Sequence[Unit]) -> list[Term]:
        """The terms in a text's units."""
        found: list[Term] = []
        at = 0
        while at < len(units):
            term = self._longest_at(units, at)
            if term is None:
                at += 1
                continue
            found.append(term)
            at = term.last
        return found

    def find_inside(self, units: Sequence[Unit], term: Term) -> list[Term]:
        """The terms within a term of several units: the leather of "leather belt"."""
        found = []
        for start in range(term.first, term.last):
            inner = self._longest_at(units[: term.last - (start == term.first)], start)
            found += [inner] if inner is not None else []
        return found

    def _longest_at(self, units: Sequence[Unit], at: int) -> Term | None:
        for first in _first_words(units[at].text):
            for length in range(min(self._longest.get(first, 0), len(units) - at), 0, -1):
                key = (first, *(unit.text for unit in units[at + 1 : at + length]))
                for variant in _variants(key):
                    concepts = self._meanings.get(variant)
                    if concepts is None:
                        continue
                    span = units[at : at + length]
                    weak = length == 1 and (variant[0] in _WEAK_WORDS or span[0].is_character)
                    return Term(concepts, at, at + length, span[0].start, span[-1].end, weak and not _is_sure(variant))
        return None


def _is_sure(key: tuple[str, ...]) -> bool:
    """One Chinese character that says what it says wherever it stands in a title."""
    return key[0] in {"男", "女"}


def _first_words(word: str) -> tuple[str, ...]:
    plain = _plain_word(word)
    return (plain, *_singulars(plain))


def _plain_word(word: str) -> str:
    return "gray" if word == "grey" else word


def _variants(key: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The words, with "gray" for "grey" and the last in the singular."""
    plain = tuple(_plain_word(word) for word in key)
    return [plain, *((*plain[:-1], singular) for singular in _singulars(plain[-1]))]


def _singulars(word: str) -> tuple[str, ...]:
    if not word.isascii() or len(word) < 4 or not word.endswith("s") or word.endswith("ss"):
        return ()
    guesses = [word[:-1]]
    if word.endswith("es"):
        guesses.append(word[:-2])
    if word.endswith("ies"):
        guesses.append(f"{word[:-3]}y")
    return tuple(guesses)


def lexicon_of(taxonomy: Taxonomy, attributes: AttributeDictionary) -> Lexicon:
    """Every term of a taxonomy and of the attributes that titles name."""
    terms: list[tuple[str, Concept]] = []
    for language in LANGUAGES:
        for term, path in taxonomy.terms(language).items():
            terms.append((term, Concept(CATEGORY, path)))
        for attribute in TERM_ATTRIBUTES:
            for term, value in attributes.terms(attribute, language).items():
                terms.append((term, Concept(attribute, value)))
    return Lexicon(terms)


@cache
def load_lexicon() -> Lexicon:
    """The terms of the project's taxonomy and attribute dictionary."""
    return lexicon_of(load_taxonomy(), load_attributes())


def head_label(attribute: str, value: str) -> str:
    """A dictionary's value in the words of the models' heads: light blue is blue, floral is printed.

    A value without such a word, and one of an attribute without a head, stays as it is.
    """
    if attribute not in ATTRIBUTE_HEADS:
        return value
    for word in (value, *load_attributes().broader(attribute, value)):
        label = attribute_label(attribute, word)
        if label is not None:
            return label
    return value
