"""What a material value says: "cotton", "100% cotton", "60% cotton, 40% polyester", "cotton and linen"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from schemas.attributes import load_attributes
from schemas.taxonomy import Language

_SEPARATOR = re.compile(r"\s*(?:[,;/+&、，；和与]|\band\b)\s*")
_PART = re.compile(r"(?:(?P<first>\d{1,3}(?:\.\d+)?)\s?%\s?)?(?P<word>[^%]+?)(?:\s?(?P<last>\d{1,3}(?:\.\d+)?)\s?%)?")
# A seam's or a stretch yarn's share does not make a blend of it.
_PURE = 95.0
_HALF = 50.0


@dataclass(frozen=True)
class MaterialPart:
    """One material.

    Args:
        material: listed value of the attribute dictionary.
        percent: its share, None where none is said.
    """

    material: str
    percent: float | None


@dataclass(frozen=True)
class Materials:
    """What a product is made of, the largest share first."""

    parts: tuple[MaterialPart, ...]

    @property
    def is_pure(self) -> bool:
        """Whether it is one material, as far as is said."""
        return len(self.parts) == 1 and self.parts[0].percent in {None, 100.0}

    @property
    def needs_listing(self) -> bool:
        """Whether `modifier` leaves something unsaid."""
        return not self.is_pure and (self.parts[0].percent is not None or len(self.parts) > 2)

    def modifier(self, language: Language) -> str | None:
        """The words before a noun: "cotton", "cotton-blend", "cotton and linen"; None when no short words are true."""
        first = self.parts[0]
        name = load_attributes().modifier("material", first.material, language)
        if self.is_pure or (first.percent or 0) >= _PURE:
            return "纯棉" if language == "zh" and first.material == "cotton" and first.percent == 100 else name
        if first.percent is not None:
            if first.percent < _HALF:
                return None
            plain = load_attributes().name("material", first.material, language)
            return f"{plain.replace(' ', '-')}-blend" if language == "en" else f"{plain}混纺"
        if len(self.parts) > 2:
            return None
        words = [load_attributes().name("material", part.material, language) for part in self.parts]
        return (" and " if language == "en" else "与").join(words)

    def listing(self, language: Language) -> str:
        """All of it with shares: "60% cotton, 40% polyester"."""
        words = [
            ("" if part.percent is None else f"{part.percent:g}%{' ' if language == 'en' else ''}")
            + load_attributes().name("material", part.material, language)
            for part in self.parts
        ]
        return (", " if language == "en" else "、").join(words)


def read_materials(text: str) -> Materials | None:
    """Parse a material value; None when it names a material that the dictionary lacks, or shares above 100%."""
    parts: list[MaterialPart] = []
    for piece in _SEPARATOR.split(text):
        match = _PART.fullmatch(piece.strip())
        material = load_attributes().find("material", match["word"].strip()) if match else None
        if match is None or material is None:
            return None
        percent = match["first"] or match["last"]
        if all(part.material != material for part in parts):
            parts.append(MaterialPart(material, float(percent) if percent else None))
    if sum(part.percent or 0 for part in parts) > 100.5:
        return None
    return Materials(tuple(sorted(parts, key=lambda part: -(part.percent or 0))))
