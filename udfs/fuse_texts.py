"""What a product's texts say, as claims: what they are understood to mean, and the facts that they spell out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from udfs.fuse_claims import CATEGORY, Claim, Evidence, Picture, ProductInput, Source, fact_claim, known_value, quad_box
from udfs.text_fields import parse_fields, plain_line
from udfs.text_understanding import ProductText, TextAttribute, TextUnderstanding

LONGEST_TEXT = 20_000
"""Characters of all text read from a product's pictures that are kept."""

# What plain regular text says as clearly as a pack does; dates and codes in a description are mostly of other things.
_FACTS = frozenset({"net_content", "material", "size", "care"})
_MOST_LINES = 200
_LONGEST_VALUE = 200


def product_text(product: ProductInput) -> ProductText:
    """The three texts that text understanding reads."""
    return ProductText(product.title, product.description, read_text(product.pictures))


def read_text(pictures: Sequence[Picture]) -> str | None:
    """All text read from the pictures, one line each, equal lines once; None when there is none."""
    lines: dict[str, None] = {}
    for picture in pictures:
        for line in _lines(picture):
            if text := line["text"].strip():
                lines.setdefault(text)
    return "\n".join(lines)[:LONGEST_TEXT] or None


def text_claims(product: ProductInput, understood: TextUnderstanding) -> list[Claim]:
    """Claims of title, description and the text in pictures, without the category, which has rules of its own."""
    claims = [understood_claim(product, said) for said in understood.attributes]
    for source, text in (("title", product.title), ("description", product.description)):
        claims += _spelled_out(source, text)  # type: ignore[arg-type]
    return claims


def category_claim(product: ProductInput, understood: TextUnderstanding) -> Claim | None:
    """The text's best category, with the words that say so; None when texts say none."""
    said = understood.category_evidence
    return None if said is None else understood_claim(product, said)


def understood_claim(product: ProductInput, said: TextAttribute) -> Claim:
    """A claim of text understanding; words read in a picture are looked up there."""
    if said.source == "ocr":
        evidence = _line_evidence(product.pictures, said)
    else:
        evidence = Evidence("text_span", text=said.evidence, span_start=said.span_start, span_end=said.span_end)
    value = said.value if said.attribute == CATEGORY else known_value(said.attribute, said.value)
    return Claim(said.attribute, value, min(1.0, said.confidence), said.source, evidence, is_stated=said.is_stated)


def _spelled_out(source: Source, text: str | None) -> Iterable[Claim]:
    if not text:
        return
    start = 0
    lines = []
    for line in text.splitlines(keepends=True)[:_MOST_LINES]:
        lines.append((start, line))
        start += len(line)
    for found in parse_fields([plain_line(line.rstrip("\r\n")) for _, line in lines]):
        if found.name not in _FACTS or found.line is None or found.span_start is None or found.span_end is None:
            continue
        offset = lines[found.line][0]
        evidence = Evidence(
            *("text_span", None, None, None, found.evidence, offset + found.span_start, offset + found.span_end)
        )
        yield fact_claim(found.name, found.value[:_LONGEST_VALUE], found.amount, found.confidence, source, evidence)


def _line_evidence(pictures: Sequence[Picture], said: TextAttribute) -> Evidence:
    """The line of the picture that holds the words: its picture, box and the span within the line."""
    for picture in pictures:
        for line in _lines(picture):
            start = line["text"].find(said.evidence)
            if start >= 0 and said.evidence:
                return Evidence(
                    "ocr_line",
                    picture.image_uri,
                    picture.content_sha256,
                    quad_box(line["quad"]),
                    said.evidence,
                    start,
                    start + len(said.evidence),
                )
    # Words over a line's end belong to no single line.
    return Evidence("ocr_line", text=said.evidence)


def _lines(picture: Picture) -> Sequence[dict[str, Any]]:
    return (picture.described or {}).get("text_lines") or ()
