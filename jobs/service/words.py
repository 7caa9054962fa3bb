"""Words of texts and queries: the same for both, English and Chinese.

Latin words are folded (case, accents, apostrophes) and lose a plural s. Chinese has no blanks, so runs of ideographs
become overlapping pairs, as Lucene's CJKBigramFilter makes them; texts keep the single characters as well, so that a
query of one character finds something.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_LATIN = "a-z0-9"
_IDEOGRAPHS = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3040-\u30ff"
ATOM = re.compile(rf"[{_LATIN}]+|[{_IDEOGRAPHS}]")
"""A Latin word or one ideograph of a folded text."""

_RUN = re.compile(rf"[{_LATIN}]+|[{_IDEOGRAPHS}]+")

MOST_WORD_CHARACTERS = 40
"""Longer words are cut: no product has them, and an index must not grow by rubbish."""

STOP_WORDS = frozenset(
    ("a", "an", "and", "for", "from", "in", "of", "on", "or", "the", "to", "with", "和", "的", "与", "及")
)
"""Words that say nothing about a product."""


@lru_cache(maxsize=4096)
def folded(text: str) -> str:
    """Text without differences of case, width, accents and apostrophes; hyphens become blanks."""
    # Plain ASCII is the common case, and decomposing is dear.
    if not text.isascii():
        # NFKD parts accents from letters; kana would lose its voicing marks, which NFKC puts back first.
        composed = unicodedata.normalize("NFKC", text)
        text = "".join(c if "\u3040" <= c <= "\u30ff" else _without_marks(c) for c in composed)
    text = re.sub(r"['’`]", "", text.casefold())
    return " ".join(re.sub(r"[-_/\s]+", " ", text).split()).replace("grey", "gray")


def _without_marks(character: str) -> str:
    parts = unicodedata.normalize("NFKD", character)
    return "".join(part for part in parts if not unicodedata.combining(part))


def singular(word: str) -> str:
    """A Latin word without its plural ending; the S-stemmer of Harman (1991), which never merges more than plurals."""
    if len(word) < 4 or not word.endswith("s"):
        return word
    if word.endswith("ies") and not word.endswith(("eies", "aies")):
        return f"{word[:-3]}y"
    if word.endswith(("ches", "shes", "sses", "xes")):
        return word[:-2]
    return word if word.endswith(("us", "ss", "is")) else word[:-1]


def is_latin(word: str) -> bool:
    """Whether a folded word is of Latin letters or digits."""
    return word.isascii()


def text_words(text: str | None) -> list[str]:
    """Words of a text that is to be found, in order."""
    return _words(text, single_characters=True)


def query_words(text: str | None) -> list[str]:
    """Words of a query: as of a text, but of a Chinese run the pairs alone where it has any."""
    return _words(text, single_characters=False)


def _words(text: str | None, *, single_characters: bool) -> list[str]:
    words: list[str] = []
    for run in _RUN.findall(folded(text or "")):
        if is_latin(run):
            words.append(singular(run[:MOST_WORD_CHARACTERS]))
        else:
            if single_characters or len(run) == 1:
                words.extend(run)
            words.extend(run[at : at + 2] for at in range(len(run) - 1))
    return words


def plain_words(text: str | None) -> list[str]:
    """Latin words of a text as written, for a list of known spellings."""
    return [run[:MOST_WORD_CHARACTERS] for run in _RUN.findall(folded(text or "")) if is_latin(run)]
