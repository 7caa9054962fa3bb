"""The product taxonomy: department > category > type, with English and Chinese names.

`taxonomy.json` is the one source. A path is written `apparel/topwear/t-shirt`; each node carries a name and synonyms
per language and the nearest path of a public taxonomy (wording after the Google product taxonomy).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

Language = Literal["en", "zh"]
Level = Literal["department", "category", "type"]

LANGUAGES: tuple[Language, ...] = get_args(Language)
LEVELS: tuple[Level, ...] = get_args(Level)
TAXONOMY_FILE = Path(__file__).with_name("taxonomy.json")

_SEGMENT = r"[a-z0-9]+(?:-[a-z0-9]+)*"
_PATH_PATTERN = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT}){{0,2}}")


class TaxonomyError(ValueError):
    """The taxonomy is inconsistent, or a path is not in it. The message names the node or the path."""


class TaxonomyNode(BaseModel):
    """One node. Synonyms exclude the name itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    name: dict[Language, str]
    synonyms: dict[Language, tuple[str, ...]]
    public_path: str

    @property
    def level(self) -> Level:
        """Which of the three levels the node stands on."""
        return LEVELS[self.path.count("/")]

    @property
    def parent(self) -> str | None:
        """Path one level up, None for a department."""
        return self.path.rpartition("/")[0] or None

    def terms(self, language: Language) -> tuple[str, ...]:
        """Name and synonyms in that language, name first."""
        return (self.name[language], *self.synonyms[language])


class Taxonomy:
    """A checked set of nodes; look-ups are by path or by what a person would call the thing."""

    def __init__(self, nodes: Iterable[TaxonomyNode], version: str) -> None:
        self.version = version
        self._nodes: dict[str, TaxonomyNode] = {}
        for node in nodes:
            if node.path in self._nodes:
                raise TaxonomyError(f"taxonomy node {node.path!r} is defined twice; remove one")
            self._nodes[node.path] = node
        for node in self._nodes.values():
            self._check(node)
        self._by_term: dict[Language, dict[str, str]] = {language: self._index(language) for language in LANGUAGES}

    def _check(self, node: TaxonomyNode) -> None:
        if not _PATH_PATTERN.fullmatch(node.path):
            raise TaxonomyError(
                f"taxonomy node {node.path!r}: write one to three lower-case segments, e.g. apparel/topwear/t-shirt"
            )
        if node.parent is not None and node.parent not in self._nodes:
            raise TaxonomyError(f"taxonomy node {node.path!r} has no parent; add {node.parent!r}")
        for language in LANGUAGES:
            if not node.name.get(language, "").strip() or language not in node.synonyms:
                raise TaxonomyError(f"taxonomy node {node.path!r} lacks a name or synonyms in {language!r}")
        if not node.public_path.strip():
            raise TaxonomyError(f"taxonomy node {node.path!r} has no public_path")

    def _index(self, language: Language) -> dict[str, str]:
        index: dict[str, str] = {}
        for node in self._nodes.values():
            for term in node.terms(language):
                other = index.setdefault(normalize_term(term), node.path)
                if other != node.path:
                    raise TaxonomyError(f"term {term!r} ({language}) names both {other!r} and {node.path!r}; keep one")
        return index

    def with_nodes(self, nodes: Iterable[TaxonomyNode]) -> Taxonomy:
        """This taxonomy and some more nodes, checked as a whole.

        Raises:
            TaxonomyError: a node is there already, has no parent, or has a name that means something else.
        """
        return Taxonomy([*self._nodes.values(), *nodes], self.version)

    def __contains__(self, path: object) -> bool:
        return path in self._nodes

    def __len__(self) -> int:
        return len(self._nodes)

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """All paths in file order: each parent before its children."""
        return tuple(self._nodes)

    @cached_property
    def types(self) -> tuple[str, ...]:
        """The paths of the lowest level, in file order."""
        return tuple(path for path, node in self._nodes.items() if node.level == "type")

    def node(self, path: str) -> TaxonomyNode:
        """The node of that path.

        Raises:
            TaxonomyError: there is none.
        """
        try:
            return self._nodes[path]
        except KeyError:
            raise TaxonomyError(f"{path!r} is not in the taxonomy (version {self.version})") from None

    def ancestors(self, path: str) -> tuple[str, ...]:
        """Paths above, department first; empty for a department."""
        segments = self.node(path).path.split("/")
        return tuple("/".join(segments[:count]) for count in range(1, len(segments)))

    def children(self, path: str | None = None) -> tuple[str, ...]:
        """Paths one level down, in file order; the departments for None."""
        if path is not None:
            self.node(path)
        return tuple(child for child, node in self._nodes.items() if node.parent == path)

    def name(self, path: str, language: Language = "en") -> str:
        """The name to show."""
        return self.node(path).name[language]

    def terms(self, language: Language) -> Mapping[str, str]:
        """Every normalized name and synonym in that language, and the path it names; for scanning titles."""
        return self._by_term[language]

    def find(self, term: str, language: Language | None = None) -> str | None:
        """The path that a name, synonym or path text stands for, or None.

        Case, hyphens and a plural s do not matter: "T Shirts" finds apparel/topwear/t-shirt.

        Args:
            term: what a person or a feed calls it.
            language: look only there; None tries all.
        """
        if term in self._nodes:
            return term
        key = normalize_term(term)
        for candidate in (key, *_singulars(key)):
            for one in (language,) if language else LANGUAGES:
                path = self._by_term[one].get(candidate)
                if path is not None:
                    return path
        return None


def normalize_term(term: str) -> str:
    """Lower case, apostrophes dropped, hyphens and runs of white space to one space."""
    return " ".join(re.sub(r"[-_\s]+", " ", term.casefold().replace("'", "").replace("’", "")).split())


def _singulars(key: str) -> tuple[str, ...]:
    """Guesses at the singular of an English plural."""
    guesses = []
    if key.endswith("ies"):
        guesses.append(f"{key[:-3]}y")
    if key.endswith("es"):
        guesses.append(key[:-2])
    if key.endswith("s"):
        guesses.append(key[:-1])
    return tuple(guesses)


def parse_taxonomy(document: Mapping[str, Any]) -> Taxonomy:
    """Check a document of the form of `taxonomy.json`.

    Raises:
        TaxonomyError: it does not have that form, or is inconsistent.
    """
    try:
        nodes = [TaxonomyNode.model_validate(node) for node in document["nodes"]]
        return Taxonomy(nodes, version=str(document["version"]))
    except KeyError as error:
        raise TaxonomyError(f"the taxonomy document lacks {error}") from error
    except ValidationError as error:
        raise TaxonomyError(f"the taxonomy document has a wrong node: {error}") from error


@cache
def load_taxonomy() -> Taxonomy:
    """The project's taxonomy; read and checked once per process.

    Raises:
        TaxonomyError: the file is inconsistent.
    """
    return parse_taxonomy(json.loads(TAXONOMY_FILE.read_text(encoding="utf-8")))
