"""Tokens of Chinese and English texts, the same for documents and for queries.

English words are lower-cased, freed of accents and of plural endings. Chinese has no spaces: each character is a
token, and so are each two neighbors. So what is indexed does not depend on a dictionary that lacks a shop's words, and
a query of one character still finds it (the choice of Lucene's CJKBigramFilter with unigrams).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

# Ideographs and kana; the former with their extensions.
_CJK = "\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
# A word may have dots and hyphens inside (1.5l, t-shirt, wh-1000xm4) and an apostrophe.
_PARTS = re.compile(rf"([{_CJK}]+)|([^\W_{_CJK}]+(?:[.'-][^\W_{_CJK}]+)*)")
_JOINTS = re.compile(r"[.'-]")
LONGEST_TOKEN = 64


def tokens(text: str | None) -> list[str]:
    """Tokens in order of the text; none for None.

    A word with hyphens gives its parts and the whole without them: t-shirt is t, shirt and tshirt. Numbers keep their
    dots: 1.5l.
    """
    return list(_tokens(text)) if text else []


def _tokens(text: str) -> Iterator[str]:
    for chinese, word in _PARTS.findall(_plain(text)):
        if chinese:
            yield from chinese
            yield from (chinese[place : place + 2] for place in range(len(chinese) - 1))
            continue
        yield from _of_word(word)


def _of_word(word: str) -> Iterator[str]:
    word = word.removesuffix("'s")
    parts = [part for part in _JOINTS.split(word) if part]
    if len(parts) == 1:
        yield singular(word)[:LONGEST_TOKEN]
        return
    if "." in word and any(part[0].isdigit() for part in parts):
        yield word[:LONGEST_TOKEN]
        return
    yield from (singular(part)[:LONGEST_TOKEN] for part in parts if part != "s")
    yield singular("".join(parts))[:LONGEST_TOKEN]


def _plain(text: str) -> str:
    """Lower case, full-width letters made narrow, typographic quotes made plain, no accents on Latin letters."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("\u2019", "'").replace("\u2010", "-")
    if folded.isascii():
        return folded
    letters = unicodedata.normalize("NFD", folded)
    # Only marks that stand on a Latin letter: those of kana make other letters.
    kept = re.sub(r"([a-z])[\u0300-\u036f]+", r"\1", letters)
    return unicodedata.normalize("NFC", kept)


def singular(word: str) -> str:
    """A word without the ending of a plural: Harman's S-stemmer ("How effective is suffixing?", 1991).

    It keeps "glass" and "canvas"-like words apart less well than a dictionary would, but treats query and document
    alike, and never joins words of different meaning as longer stems do.
    """
    if len(word) < 4 or not word.isascii() or not word.isalpha():
        return word
    if word.endswith("ies") and not word.endswith(("eies", "aies")):
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes")):
        return word[:-2]
    if word.endswith("es") and not word.endswith(("aes", "ees", "oes")):
        return word[:-1]
    if word.endswith("s") and not word.endswith(("us", "ss")):
        return word[:-1]
    return word
