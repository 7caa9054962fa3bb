"""Claims about a product: what pictures, texts, the feed and people say of it, each with the evidence it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Literal

from schemas.attributes import MANY_VALUED, load_attributes
from schemas.corrections import CORRECTABLE_OF_PRODUCT

Source = Literal["image", "title", "description", "ocr", "feed", "correction"]
Box = dict[str, float]

CATEGORY = "category"
VALUE_SEPARATOR = ", "
"""Between the values of a correction of an attribute that may have several."""

LABELLED = ("color", "pattern", "shape", "gender", "season", "usage")
"""Attributes that the models' heads or the measures say of a picture."""

# Their measures stand in columns of image_attributes of their own.
_MEASURED = ("color", "pattern", "shape")
_SHORTEST_SHARE = 1 / 100
_FEED_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Evidence:
    """What a claim rests on; the fields are those of `schemas.product_tables.EVIDENCE`."""

    kind: Literal["image_region", "palette", "text_span", "ocr_line", "feed_column", "correction"]
    image_uri: str | None = None
    content_sha256: str | None = None
    box: Box | None = None
    text: str | None = None
    span_start: int | None = None
    span_end: int | None = None
    share: float | None = None


@dataclass(frozen=True)
class Claim:
    """One source's word on one attribute.

    Args:
        attribute: category, or a name of the attribute dictionary.
        value: taxonomy path, value of the dictionary, or normalised text.
        confidence: 0..1.
        source: who says so.
        evidence: what it rests on.
        is_stated: whether the source states it; else it is a guess that counts only together with others.
        is_chosen: whether it is what the product's row states.
    """

    attribute: str
    value: str
    confidence: float
    source: Source
    evidence: Evidence
    is_stated: bool = True
    is_chosen: bool = False


@dataclass(frozen=True)
class Picture:
    """One active picture of a product.

    Args:
        image_uri: its URI.
        view: position among the product's pictures.
        content_sha256: its bytes; None when it is not described.
        described: its columns of `image_attributes`; None when it is not described.
        corrected: what people said of its content, value by attribute.
    """

    image_uri: str
    view: int
    content_sha256: str | None = None
    described: Mapping[str, Any] | None = None
    corrected: Mapping[str, str] = field(default_factory=dict)

    @property
    def quality(self) -> float | None:
        """Quality score, 0..1; None when it is not described."""
        return None if self.described is None else _number(self.described["quality"]["score"])

    @property
    def box(self) -> Box | None:
        """The product's box in it."""
        region = (self.described or {}).get("region")
        return None if region is None else region["box"]

    def evidence(
        self, kind: Literal["image_region", "palette"] = "image_region", share: float | None = None
    ) -> Evidence:
        """The picture's product region as evidence."""
        return Evidence(kind, self.image_uri, self.content_sha256, self.box, share=share)


@dataclass(frozen=True)
class ProductInput:
    """All that is known of one product before fusing.

    Args:
        product_id: its identifier.
        title: from the feed, as are description, brand, category (in the shop's words) and price.
        pictures: its active pictures by view.
        corrected: what people said of the product, value by attribute.
    """

    product_id: str
    title: str | None = None
    description: str | None = None
    brand: str | None = None
    category: str | None = None
    price: Decimal | None = None
    pictures: tuple[Picture, ...] = ()
    corrected: Mapping[str, str] = field(default_factory=dict)


def picture_claims(picture: Picture) -> list[Claim]:
    """What the models' heads and the measures say of one picture; nothing of one that is not described.

    A head's word goes before the measure's. The measured color is claimed beside the head's, because it is finer.
    """
    row = picture.described
    if row is None:
        return []
    claims = []
    for said in row.get("model_attributes") or ():
        if said["attribute"] in LABELLED:
            value = known_value(said["attribute"], said["value"])
            claims.append(
                Claim(
                    *(said["attribute"], value, _number(said["confidence"]), "image", picture.evidence()),
                    is_stated=bool(said["is_stated"]),
                )
            )
    heads = {claim.attribute for claim in claims}
    shares = {color["name"]: _number(color["share"]) for color in row.get("colors") or ()}
    for attribute in _MEASURED:
        if row.get(attribute) is None or (attribute in heads and attribute != "color"):
            continue
        share = shares.get(row[attribute]) if attribute == "color" else None
        evidence = picture.evidence("image_region" if share is None else "palette", share)
        confidence = _number(row.get(f"{attribute}_confidence") or 0.0)
        claims.append(Claim(attribute, row[attribute], confidence, "image", evidence))
    return claims


def reading_claims(picture: Picture) -> list[Claim]:
    """Facts parsed from the text in one picture."""
    row = picture.described
    if row is None:
        return []
    lines = row.get("text_lines") or ()
    claims = []
    for found in row.get("text_fields") or ():
        if not found["value"].strip():
            continue
        number = found["line"]
        line = lines[number] if number is not None and number < len(lines) else None
        evidence = Evidence(
            "ocr_line",
            picture.image_uri,
            picture.content_sha256,
            None if line is None else quad_box(line["quad"]),
            found["evidence"],
            found["span_start"],
            found["span_end"],
        )
        claims.append(fact_claim(found["name"], found["value"], found["amount"], found["confidence"], "ocr", evidence))
    return claims


def fact_claim(
    name: str, value: str, amount: float | None, confidence: float, source: Source, evidence: Evidence
) -> Claim:
    """A claim from a parsed fact; "60% cotton" is cotton with a share of 0.6."""
    if name == "material":
        if value.endswith("%") or "%" in value:
            value = value.partition("%")[2].strip() or value
            evidence = replace(evidence, share=None if amount is None else amount / 100)
        value = known_value(name, value)
    return Claim(name, value, _number(confidence), source, evidence)


def feed_claims(product: ProductInput) -> list[Claim]:
    """What the feed's columns say, without the category, which has rules of its own."""
    claims = []
    if brand := clean(product.brand):
        evidence = Evidence("feed_column", text=brand)
        claims.append(Claim("brand", brand, _FEED_CONFIDENCE, "feed", evidence))
    if product.price is not None:
        evidence = Evidence("feed_column", text=str(product.price))
        claims.append(Claim("price", f"{product.price:.2f}", _FEED_CONFIDENCE, "feed", evidence))
    return claims


def corrections(product: ProductInput) -> dict[str, tuple[Claim, ...]]:
    """What people said, by attribute: of the product, else of its pictures. Several claims only of several materials.

    When pictures are corrected differently, most pictures decide, then the first view.
    """
    claims: dict[str, tuple[Claim, ...]] = {}
    for attribute in CORRECTABLE_OF_PRODUCT:
        if (value := product.corrected.get(attribute)) is not None:
            claims[attribute] = tuple(_corrected(attribute, value, Evidence("correction")))
            continue
        said = [
            (picture.corrected[attribute], picture) for picture in product.pictures if attribute in picture.corrected
        ]
        if said:
            values = [value for value, _ in said]
            value, picture = max(said, key=lambda one: values.count(one[0]))
            evidence = Evidence("correction", picture.image_uri, picture.content_sha256)
            claims[attribute] = tuple(_corrected(attribute, value, evidence))
    return claims


def _corrected(attribute: str, value: str, evidence: Evidence) -> Iterator[Claim]:
    """A person's value as claims: one, but of "60% cotton, 40% linen" two with their shares."""
    for part in value.split(VALUE_SEPARATOR) if attribute in MANY_VALUED else (value,):
        share, percent, _ = part.partition("%")
        amount = float(share) if percent and share.isdigit() else None
        yield fact_claim(attribute, part, amount, 1.0, "correction", evidence)


def distinct(claims: Iterable[Claim]) -> tuple[Claim, ...]:
    """One claim per attribute, value and source: the surest, chosen when any of them is; in stable order."""
    best: dict[tuple[str, str, str], Claim] = {}
    for claim in claims:
        key = (claim.attribute, claim.value, claim.source)
        other = best.get(key)
        if other is None:
            best[key] = claim
            continue
        first, second = (claim, other) if claim.confidence > other.confidence else (other, claim)
        best[key] = replace(first, is_chosen=first.is_chosen or second.is_chosen)
    return tuple(best.values())


def by_attribute(claims: Iterable[Claim]) -> dict[str, list[Claim]]:
    """Claims by attribute, in the order given."""
    grouped: dict[str, list[Claim]] = {}
    for claim in claims:
        grouped.setdefault(claim.attribute, []).append(claim)
    return grouped


def known_value(attribute: str, value: str) -> str:
    """The attribute dictionary's spelling of a value, or the value itself when it is not listed."""
    dictionary = load_attributes()
    if attribute not in dictionary.names:
        return value
    return dictionary.find(attribute, value) or value


def clean(text: str | None) -> str | None:
    """The text with control characters and runs of white space as one space; None when nothing is left."""
    if text is None:
        return None
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split()) or None


def main_colors(picture: Picture | None) -> Iterator[tuple[str, float]]:
    """Dominant colors of a picture's product with their shares, largest first."""
    for color in () if picture is None or picture.described is None else picture.described.get("colors") or ():
        if (share := _number(color["share"])) >= _SHORTEST_SHARE:
            yield color["name"], share


def quad_box(quad: Sequence[float] | None) -> Box | None:
    """Upright box around a quadrilateral x1, y1, ..., x4, y4; None without one."""
    if quad is None or len(quad) != 8:
        return None
    across, down = quad[0::2], quad[1::2]
    edges = (min(across), min(down), max(across), max(down))
    return dict(zip(("x_min", "y_min", "x_max", "y_max"), map(float, edges), strict=True))


def _number(value: float) -> float:
    """A probability within 0..1: sums of float32 may exceed it by rounding."""
    return min(1.0, max(0.0, float(value)))
