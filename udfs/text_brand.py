"""Which line names the brand: one of the brands that are known, or the largest lettering as a guess."""

from __future__ import annotations

import re
from collections.abc import Sequence

from udfs.text_field import Found
from udfs.text_line import TextLine, fold

_EXACT, _FUZZY, _LARGEST = 0.97, 0.8, 0.35
_SHORTEST, _SHORTEST_CHINESE = 3, 2
# One wrong character in a name this long is a misreading; in a shorter one it is another name.
_FUZZY_LENGTH = 6
_MOST_WORDS = 4
_LEAST_CONFIDENCE = 0.6


def find_known_brands(lines: Sequence[TextLine], brands: Sequence[str]) -> list[tuple[int, Found]]:
    """Known brands as (line, finding); a name is found whole, spaces and punctuation aside, or with one wrong letter.

    Args:
        lines: text lines.
        brands: names as they should be reported. Names shorter than three letters (two Chinese ones) are passed over.
    """
    found: list[tuple[int, Found]] = []
    wanted = [(brand, _letters(fold(brand))[0]) for brand in brands]
    for number, line in enumerate(lines):
        letters, places = _letters(fold(line.text))
        for brand, name in wanted:
            if len(name) < (_SHORTEST if name.isascii() else _SHORTEST_CHINESE):
                continue
            place, clarity = _place(name, letters)
            if place is None:
                continue
            start, end = places[place], places[min(place + len(name), len(places)) - 1] + 1
            if _is_whole_word(fold(line.text), start, end):
                found.append((number, Found(start, end, brand, clarity)))
    return found


def guess_brand(lines: Sequence[TextLine], taken: Sequence[int]) -> tuple[int, Found] | None:
    """The line with the largest letters that has at most four words, no digits, and no other meaning.

    Args:
        lines: text lines.
        taken: lines that already say something else.
    """
    best: int | None = None
    for number, line in enumerate(lines):
        text = line.text.strip()
        if number in taken or line.confidence < _LEAST_CONFIDENCE or len(text.split()) > _MOST_WORDS:
            continue
        if len(text) < 2 or not any(character.isalpha() for character in text) or re.search(r"\d", text):
            continue
        if best is None or line.height_px > lines[best].height_px:
            best = number
    if best is None:
        return None
    return best, Found(0, len(lines[best].text), lines[best].text.strip(), _LARGEST)


def _letters(folded: str) -> tuple[str, list[int]]:
    """Letters and digits alone, and where each stood."""
    places = [place for place, character in enumerate(folded) if character.isalnum()]
    return "".join(folded[place] for place in places), places


def _place(name: str, letters: str) -> tuple[int | None, float]:
    place = letters.find(name)
    if place >= 0:
        return place, _EXACT
    if len(name) < _FUZZY_LENGTH:
        return None, 0.0
    for start in range(len(letters) - len(name) + 1):
        wrong = 0
        for one, other in zip(name, letters[start : start + len(name)], strict=True):
            wrong += one != other
            if wrong > 1:
                break
        if wrong <= 1:
            return start, _FUZZY
    return None, 0.0


def _is_whole_word(folded: str, start: int, end: int) -> bool:
    """A Latin name must not be part of a longer word; Chinese has no word boundaries."""
    before, after = folded[start - 1 : start], folded[end : end + 1]
    inside_left = folded[start].isascii() and before.isascii() and before.isalnum()
    inside_right = folded[end - 1].isascii() and after.isascii() and after.isalnum()
    return not (inside_left or inside_right)
