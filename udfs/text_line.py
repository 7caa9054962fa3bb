"""One line of text read from a picture, and how its characters are compared."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Literal

Script = Literal["en", "zh", "other"]
Quad = tuple[float, float, float, float, float, float, float, float]


@dataclass(frozen=True)
class TextLine:
    """A line of text; the fields are those of `schemas.text_columns.TEXT_LINE`.

    Args:
        text: the characters, as read.
        confidence: mean probability of the characters, 0..1.
        language: en, zh or other, by script; see `language_of`.
        quad: corners x1, y1, ..., x4, y4, clockwise from the top left as the text reads, px of the source image.
        height_px: letter height, px of the source image: mean length of the quadrilateral's left and right sides.
    """

    text: str
    confidence: float
    language: Script
    quad: Quad
    height_px: float

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Upright bounding box (x_min, y_min, x_max, y_max), px."""
        across, down = self.quad[0::2], self.quad[1::2]
        return min(across), min(down), max(across), max(down)


def language_of(text: str) -> Script:
    """Language by script: zh with any Chinese character and no Japanese kana, en with Latin letters only, else other.

    Digits and signs alone are other. Latin letters do not tell English from Swedish; they all count as en.
    """
    latin = False
    chinese = False
    for character in text:
        code = ord(character)
        if 0x4E00 <= code <= 0x9FFF or 0x3400 <= code <= 0x4DBF:
            chinese = True
        elif character.isalpha():
            if not _is_latin(character):
                return "other"
            latin = True
    return "zh" if chinese else "en" if latin else "other"


def _is_latin(character: str) -> bool:
    return "LATIN" in unicodedata.name(character, "")


@cache
def _folded(character: str) -> str:
    """One comparable character for one character, so that spans in folded text are spans in the original."""
    plain = unicodedata.normalize("NFKC", character)
    if len(plain) != 1:
        plain = character
    lower = _SAME.get(plain, plain).lower()
    return lower if len(lower) == 1 else plain


_SAME = {
    "，": ",",
    "、": ",",
    "。": ".",
    "×": "x",
    "✕": "x",
    "＊": "*",
    "–": "-",
    "—": "-",
    "−": "-",
    "~": "-",
    "～": "-",
    "：": ":",
    "’": "'",
    "‘": "'",
    "\u00a0": " ",
    "\t": " ",
}


def fold(text: str) -> str:
    """Lower case, full-width forms and look-alike signs made plain; as long as `text`, so that spans stay valid."""
    return "".join(_folded(character) for character in text)
