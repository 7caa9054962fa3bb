"""The attribute dictionary: what is said of products, in which values, and their names in English and Chinese.

`attributes.json` is the one source, except that colors are those of `schemas.palette`. The public names follow the
Google product data specification: color, pattern, gender, age_group, material, size, brand, gtin, ...; an attribute
that it has no name for goes into `product_detail`, as section:attribute:value.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from schemas.palette import FAMILIES, PALETTE
from schemas.taxonomy import LANGUAGES, Language, normalize_term

ATTRIBUTES_FILE = Path(__file__).with_name("attributes.json")
PRODUCT_DETAIL = "product_detail"

MANY_VALUED = frozenset({"material", "care", "ingredients", "nutrition", "barcode"})
"""Attributes that may have several values at once."""
_DETAIL_SECTION = "General"


class AttributeDictionaryError(ValueError):
    """The dictionary is inconsistent, or has no such attribute or value. The message names it."""


class AttributeValue(BaseModel):
    """One value. Synonyms exclude the name itself.

    Args:
        value: as tables and models write it.
        name: what to show, by language.
        synonyms: other words for it, by language.
        broader: the value that this one is a kind of, e.g. floral is a kind of printed.
        public: what it is in public names, where that is not one attribute with the English name.
        modifier: the word before a noun, where that is not the name: a wooden bowl is made of wood.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: str
    name: dict[Language, str]
    synonyms: dict[Language, tuple[str, ...]]
    broader: str | None = None
    public: dict[str, str] | None = None
    modifier: dict[Language, str] = {}


class Attribute(BaseModel):
    """One attribute.

    Args:
        name: as tables write it.
        label: what to show, by language.
        public_name: its name in the public specification, `product_detail` when that has none.
        palette: whether the palette's colors are values, beside `values`.
        open: whether there are values beyond the listed ones, e.g. brands.
        applies_to: taxonomy paths that it makes sense for, with all below them; empty for every product.
        values: the values.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    label: dict[Language, str]
    public_name: str
    palette: bool = False
    open: bool = False
    applies_to: tuple[str, ...] = ()
    values: tuple[AttributeValue, ...]


@dataclass(frozen=True)
class Meaning:
    """What a term may mean."""

    attribute: str
    value: str


class AttributeDictionary:
    """A checked set of attributes; look-ups are by value or by what a person would call it."""

    def __init__(self, attributes: Iterable[Attribute], version: str) -> None:
        self.version = version
        self._attributes: dict[str, Attribute] = {}
        self._values: dict[str, dict[str, AttributeValue]] = {}
        self._by_term: dict[str, dict[Language, dict[str, str]]] = {}
        for attribute in attributes:
            if attribute.name in self._attributes:
                raise AttributeDictionaryError(f"attribute {attribute.name!r} is defined twice; remove one")
            self._attributes[attribute.name] = attribute
            self._values[attribute.name] = _checked_values(attribute)
            self._by_term[attribute.name] = {
                language: _index(attribute.name, self._values[attribute.name].values(), language)
                for language in LANGUAGES
            }

    @property
    def names(self) -> tuple[str, ...]:
        """All attributes, in file order."""
        return tuple(self._attributes)

    def attribute(self, name: str) -> Attribute:
        """The attribute of that name.

        Raises:
            AttributeDictionaryError: there is none.
        """
        try:
            return self._attributes[name]
        except KeyError:
            raise AttributeDictionaryError(
                f"{name!r} is not in the attribute dictionary (version {self.version}); it has {', '.join(self.names)}"
            ) from None

    def values(self, attribute: str) -> tuple[str, ...]:
        """The listed values, palette colors first; empty for an attribute that is only open."""
        self.attribute(attribute)
        return tuple(self._values[attribute])

    def value(self, attribute: str, value: str) -> AttributeValue:
        """The entry of a listed value.

        Raises:
            AttributeDictionaryError: the attribute or the value is not listed.
        """
        self.attribute(attribute)
        try:
            return self._values[attribute][value]
        except KeyError:
            raise AttributeDictionaryError(f"{attribute} has no value {value!r}; look words up with find()") from None

    def label(self, attribute: str, language: Language = "en") -> str:
        """What to call the attribute."""
        return self.attribute(attribute).label[language]

    def name(self, attribute: str, value: str, language: Language = "en") -> str:
        """What to call a value: its name when it is listed, else the value itself."""
        self.attribute(attribute)
        entry = self._values[attribute].get(value)
        return entry.name[language] if entry else value

    def modifier(self, attribute: str, value: str, language: Language = "en") -> str:
        """The word to put before a noun: "wooden" for wood."""
        self.attribute(attribute)
        entry = self._values[attribute].get(value)
        return (entry.modifier.get(language) if entry else None) or self.name(attribute, value, language)

    def terms(self, attribute: str, language: Language) -> Mapping[str, str]:
        """Every normalized name and synonym in that language, and the value it means; for scanning texts.

        Many one-character Chinese terms are parts of other words: scan with longer terms first and distrust those.
        """
        self.attribute(attribute)
        return self._by_term[attribute][language]

    def find(self, attribute: str, term: str, language: Language | None = None) -> str | None:
        """The listed value that a value, name or synonym means; None when there is none.

        Case, hyphens, apostrophes and the spelling "grey" do not matter: "Men's" finds men, "Off-White" off white.
        """
        self.attribute(attribute)
        if term in self._values[attribute]:
            return term
        key = normalize_term(term).replace("grey", "gray")
        for one in (language,) if language else LANGUAGES:
            if (found := self._by_term[attribute][one].get(key)) is not None:
                return found
        return None

    def meanings(self, term: str, language: Language | None = None) -> tuple[Meaning, ...]:
        """Everything that a term may mean, in file order: "gold" only a color, "steel" a color or a material."""
        found = ((name, self.find(name, term, language)) for name in self._attributes)
        return tuple(Meaning(name, value) for name, value in found if value is not None)

    def broader(self, attribute: str, value: str) -> tuple[str, ...]:
        """The values that this one is a kind of, nearest first; empty for an unlisted value."""
        self.attribute(attribute)
        line: list[str] = []
        entry = self._values[attribute].get(value)
        while entry is not None and entry.broader is not None:
            line.append(entry.broader)
            entry = self._values[attribute][entry.broader]
        return tuple(line)

    def agree(self, attribute: str, one: str, other: str) -> bool:
        """Whether two values can both be true: the same, or one a kind of the other (navy blue and blue)."""
        first, second = self.find(attribute, one) or one, self.find(attribute, other) or other
        return first == second or first in self.broader(attribute, second) or second in self.broader(attribute, first)

    def applies(self, attribute: str, category: str | None) -> bool:
        """Whether the attribute makes sense for a category: no gender for a carrot.

        Args:
            attribute: its name.
            category: taxonomy path; None (unknown) only has attributes that make sense for every product.
        """
        prefixes = self.attribute(attribute).applies_to
        if not prefixes:
            return True
        return category is not None and any(
            category == prefix or category.startswith(f"{prefix}/") for prefix in prefixes
        )

    def public(self, attribute: str, value: str) -> dict[str, str]:
        """The value in public names: {"gender": "male", "age_group": "kids"} for boys."""
        definition = self.attribute(attribute)
        entry = self._values[attribute].get(value)
        if entry is not None and entry.public is not None:
            return dict(entry.public)
        name = self.name(attribute, value)
        if definition.public_name == PRODUCT_DETAIL:
            return {PRODUCT_DETAIL: f"{_DETAIL_SECTION}:{definition.label['en']}:{name}"}
        return {definition.public_name: name}


def _checked_values(attribute: Attribute) -> dict[str, AttributeValue]:
    values: dict[str, AttributeValue] = {}
    for value in (*(_palette_values() if attribute.palette else ()), *attribute.values):
        if value.value in values:
            raise AttributeDictionaryError(f"{attribute.name} has the value {value.value!r} twice; remove one")
        values[value.value] = value
    if not values and not attribute.open:
        raise AttributeDictionaryError(f"{attribute.name} has no values and is not open; list some")
    if any(not attribute.label.get(language, "").strip() for language in LANGUAGES):
        raise AttributeDictionaryError(f"{attribute.name} lacks a label in one of {', '.join(LANGUAGES)}")
    for value in values.values():
        where = f"{attribute.name} value {value.value!r}"
        if any(not value.name.get(language, "").strip() or language not in value.synonyms for language in LANGUAGES):
            raise AttributeDictionaryError(f"{where} lacks a name or synonyms in one of {', '.join(LANGUAGES)}")
        seen, above = {value.value}, value.broader
        while above is not None:
            if above not in values or above in seen:
                raise AttributeDictionaryError(f"{where}: broader {above!r} is no other value of {attribute.name}")
            seen.add(above)
            above = values[above].broader
    return values


def _palette_values() -> Iterable[AttributeValue]:
    for color in PALETTE:
        chinese = tuple(word for word in color.synonyms if not word.isascii())
        yield AttributeValue(
            value=color.name,
            name={"en": color.name, "zh": color.name_zh},
            synonyms={"en": tuple(word for word in color.synonyms if word.isascii()), "zh": chinese},
            broader=None if color.name in FAMILIES else color.family,
            modifier={"en": color.name.replace("off white", "off-white")},
        )


def _index(attribute: str, values: Iterable[AttributeValue], language: Language) -> dict[str, str]:
    index: dict[str, str] = {}
    for value in values:
        words = (value.value, value.name[language]) if language == "en" else (value.name[language],)
        for term in dict.fromkeys((*words, *value.synonyms[language])):
            key = normalize_term(term)
            other = index.setdefault(key, value.value)
            if other != value.value:
                raise AttributeDictionaryError(
                    f"{attribute}: term {term!r} ({language}) means both {other!r} and {value.value!r}; keep one"
                )
    return index


def parse_attributes(document: Mapping[str, Any]) -> AttributeDictionary:
    """Check a document of the form of `attributes.json`.

    Raises:
        AttributeDictionaryError: it does not have that form, or is inconsistent.
    """
    try:
        attributes = [Attribute.model_validate(attribute) for attribute in document["attributes"]]
        return AttributeDictionary(attributes, version=str(document["version"]))
    except KeyError as error:
        raise AttributeDictionaryError(f"the attribute document lacks {error}") from error
    except ValidationError as error:
        raise AttributeDictionaryError(f"the attribute document has a wrong entry: {error}") from error


@cache
def load_attributes() -> AttributeDictionary:
    """The project's attribute dictionary; read and checked once per process.

    Raises:
        AttributeDictionaryError: the file is inconsistent.
    """
    return parse_attributes(json.loads(ATTRIBUTES_FILE.read_text(encoding="utf-8")))
