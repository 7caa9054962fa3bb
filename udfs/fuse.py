"""Fuses all that is said of a product into one row and its claims: pictures, texts, the feed, and people's corrections.

Pure: rows in, rows out; nothing here reads a table or a picture. A side that is missing counts for nothing: a product
without pictures is what its texts say, one without texts what its pictures show, and one without both is a row without
facts, marked for review.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from models.text_terms import head_label
from schemas.attributes import MANY_VALUED, load_attributes
from schemas.palette import find_color
from schemas.settings import FuseSettings
from schemas.taxonomy import Taxonomy, load_taxonomy
from udfs import fuse_category as categories
from udfs.fuse_claims import (
    CATEGORY,
    LABELLED,
    Claim,
    Evidence,
    Picture,
    ProductInput,
    by_attribute,
    clean,
    corrections,
    distinct,
    feed_claims,
    main_colors,
    picture_claims,
    reading_claims,
)
from udfs.fuse_conflicts import find_conflicts
from udfs.fuse_row import Decision, product_row
from udfs.fuse_texts import category_claim, product_text, text_claims
from udfs.fusion import FusionWeights, fuse_attribute, fuse_category
from udfs.text_understanding import TextReader, TextUnderstanding, understand

FUSE_VERSION = 1
"""Version of the fusing code, names and dictionary; raise it when results change, so that products are fused anew."""

_TEXT_SOURCES = ("title", "description", "ocr")
_CANDIDATES_CLAIMED = 3
_LEAST_CLAIM = 0.05
# A color beside the main one counts as seen from this share of the product on.
_SEEN_SHARE = 0.15


@dataclass(frozen=True)
class FusedProduct:
    """A product.

    Args:
        row: the columns of `products` that say what it is; bookkeeping columns are the job's.
        claims: every claim about it, one per attribute, value and source.
    """

    row: dict[str, Any]
    claims: tuple[Claim, ...]


def fuse_products(
    products: Sequence[ProductInput],
    reader: TextReader,
    weights: FusionWeights,
    rules: FuseSettings,
    taxonomy: Taxonomy | None = None,
) -> list[FusedProduct]:
    """Fuse some products; their texts are read together.

    Args:
        products: what is known of each.
        reader: reads texts; see `udfs.text_understanding.text_reader_for`.
        weights: how pictures and texts are pooled; see `udfs.fusion.weights_of`.
        rules: thresholds.
        taxonomy: with the bundle's enrolled types; the project's own when None.
    """
    known = taxonomy or load_taxonomy()
    understood = understand([product_text(product) for product in products], reader)
    return [_fuse(product, text, weights, known, rules) for product, text in zip(products, understood, strict=True)]


def _fuse(
    product: ProductInput,
    understood: TextUnderstanding,
    weights: FusionWeights,
    taxonomy: Taxonomy,
    rules: FuseSettings,
) -> FusedProduct:
    corrected = corrections(product)
    of_category = next(iter(corrected.pop(CATEGORY, ())), None)
    category, category_claims = _category(product, understood, of_category, weights, taxonomy, rules)
    claims = by_attribute(_other_claims(product, understood, category.value))
    decisions: dict[str, Decision] = {CATEGORY: category}
    for attribute in dict.fromkeys((*LABELLED, *claims, *corrected)):
        of_attribute = claims.get(attribute, [])
        if attribute in corrected:
            claims[attribute] = [*of_attribute, *corrected[attribute]]
            decisions[attribute] = _corrected(corrected[attribute])
        elif attribute in LABELLED:
            decisions[attribute] = _labelled(product, attribute, of_attribute, weights, rules)
        else:
            decisions[attribute] = _open(attribute, of_attribute, rules)
    every = [*category_claims, *(claim for of_attribute in claims.values() for claim in of_attribute)]
    chosen = distinct(replace(claim, is_chosen=claim.value in decisions[claim.attribute].values) for claim in every)
    return FusedProduct(product_row(product, decisions, chosen, taxonomy, rules), chosen)


def _other_claims(product: ProductInput, understood: TextUnderstanding, category: str | None) -> Iterable[Claim]:
    """All claims but those on the category; without guesses on what makes no sense for it, as a carrot's gender."""
    dictionary = load_attributes()
    claims = [claim for picture in product.pictures for claim in (*picture_claims(picture), *reading_claims(picture))]
    claims += [*text_claims(product, understood), *feed_claims(product)]
    for claim in claims:
        is_guess = claim.source == "image" and claim.attribute in dictionary.names
        if not (is_guess and category is not None and not dictionary.applies(claim.attribute, category)):
            yield claim


def _category(
    product: ProductInput,
    understood: TextUnderstanding,
    corrected: Claim | None,
    weights: FusionWeights,
    taxonomy: Taxonomy,
    rules: FuseSettings,
) -> tuple[Decision, list[Claim]]:
    """The category, and the claims on it."""
    views = [(picture, _candidates(picture)) for picture in product.pictures if picture.described is not None]
    seen = [candidates for _, candidates in views if candidates]
    feed_word = clean(product.category)
    feed_path = taxonomy.find(feed_word) if feed_word else None
    fused = fuse_category(seen, understood.category_candidates or None, weights)
    found = categories.decide_category(fused, feed_path, taxonomy, rules)
    sides: dict[str, categories.Scored] = {"image": categories.pooled(seen), "text": understood.category_candidates}
    said = category_claim(product, understood)
    value = corrected.value if corrected else found.category
    claims: list[Claim] = []
    for path, score in _to_claim(sides["image"], value):
        picture = max(views, key=lambda view: categories.subtree(view[1], path))[0]
        claims.append(Claim(CATEGORY, path, score, "image", picture.evidence()))
    if said is not None:
        for path, score in _to_claim(sides["text"], value):
            claims.append(replace(said, value=path, confidence=score))
    if feed_path is not None:
        evidence = Evidence("feed_column", text=feed_word)
        claims.append(Claim(CATEGORY, feed_path, rules.feed_category_trust, "feed", evidence))
    if corrected is not None:
        return _corrected([corrected]), [*claims, corrected]
    own = _own_words(claims, sides, said, taxonomy, rules)
    conflicts = tuple(find_conflicts(CATEGORY, found.category, own, rules.conflict_confidence))
    if found.category is None:
        return Decision((), found.confidence, None, conflicts), claims
    source = max(claims, key=lambda claim: _support(claim, found.category)).source if claims else None
    return Decision((found.category,), found.confidence, source, conflicts), claims


def _candidates(picture: Picture) -> categories.Scored:
    """A picture's paths with probabilities; what people said of it is certain."""
    if CATEGORY in picture.corrected:
        return ((picture.corrected[CATEGORY], 1.0),)
    rows = (picture.described or {}).get("category_candidates") or ()
    return tuple((row["category"], float(row["score"])) for row in rows)


def _to_claim(candidates: categories.Scored, chosen: str | None) -> Iterable[tuple[str, float]]:
    """The best paths of a side, and what it gives to the chosen one."""
    best = [one for one in candidates[:_CANDIDATES_CLAIMED] if one[1] >= _LEAST_CLAIM]
    if chosen is not None and chosen not in {path for path, _ in best}:
        score = categories.subtree(candidates, chosen)
        if score >= _LEAST_CLAIM:
            best.append((chosen, score))
    return [(path, min(1.0, score)) for path, score in best]


def _support(claim: Claim, path: str | None) -> float:
    """How much a claim says for a path: its own confidence when it names it, or something below."""
    return claim.confidence if path is not None and categories.is_within(claim.value, path) else 0.0


def _own_words(
    claims: Sequence[Claim],
    sides: Mapping[str, categories.Scored],
    said: Claim | None,
    taxonomy: Taxonomy,
    rules: FuseSettings,
) -> Iterable[Claim]:
    """What each side would say alone: the deepest path that it is sure enough of to be in conflict."""
    for claim in claims:
        if claim.source == "feed":
            yield claim
    for side, candidates in sides.items():
        sure = categories.deepest(candidates, taxonomy, rules.conflict_confidence)
        like = said if side == "text" else next((claim for claim in claims if claim.source == "image"), None)
        if sure is not None and like is not None:
            yield replace(like, value=sure[0], confidence=sure[1], is_stated=True)


def _corrected(claims: Sequence[Claim]) -> Decision:
    ordered = sorted(claims, key=lambda claim: -(claim.evidence.share or 0.0))
    return Decision(tuple(claim.value for claim in ordered), 1.0, "correction")


def _labelled(
    product: ProductInput, attribute: str, claims: Sequence[Claim], weights: FusionWeights, rules: FuseSettings
) -> Decision:
    """An attribute that pictures and texts both tell, by learned fusion."""
    # The head's word comes first among a picture's claims; the measured color beside it only refines.
    heads: dict[str | None, Claim] = {}
    for claim in claims:
        if claim.source == "image":
            heads.setdefault(claim.evidence.image_uri, claim)
    text = max((claim for claim in claims if claim.source in _TEXT_SOURCES), key=_weight, default=None)
    seen = [(head_label(attribute, claim.value), claim.confidence) for claim in heads.values()]
    told = None if text is None else (head_label(attribute, text.value), text.confidence)
    ranked = fuse_attribute(attribute, seen, told, weights)
    if not ranked:
        return Decision()
    label, confidence = ranked[0]
    named = [claim for claim in claims if head_label(attribute, claim.value) == label]
    stated = [claim for claim in named if claim.is_stated]
    # Two that guess the same are as good as one that states it.
    is_sure = confidence >= rules.attribute_confidence and bool(stated or len(named) > 1)
    best = _finest(attribute, label, stated or named)
    colors = [name for picture in product.pictures for name, share in main_colors(picture) if share >= _SEEN_SHARE]
    own = [*heads.values(), *(claim for claim in claims if claim.source != "image" and _in_words(claim))]
    conflicts = tuple(find_conflicts(attribute, best, own, rules.conflict_confidence, colors))
    if not is_sure:
        return Decision((), confidence, None, conflicts)
    return Decision((best,), confidence, max(named, key=lambda claim: claim.confidence).source, conflicts)


def _in_words(claim: Claim) -> bool:
    """Whether a text says it in so many words; what is only likely, as of a title without a pattern, is no conflict."""
    if claim.source not in _TEXT_SOURCES:
        return True
    return load_attributes().find(claim.attribute, claim.evidence.text or "") is not None


def _weight(claim: Claim) -> tuple[bool, float]:
    return claim.is_stated, claim.confidence


def _finest(attribute: str, label: str, claims: Sequence[Claim]) -> str:
    """The most telling word for a label: of color the shade that a text names, else the one that was measured."""
    if attribute == "color":
        for claim in claims:
            shade = find_color(claim.evidence.text or "") if claim.source in _TEXT_SOURCES else None
            if shade is not None and head_label(attribute, shade.name) == label:
                return shade.name
        measured = [claim for claim in claims if claim.evidence.kind == "palette"]
        if measured:
            return max(measured, key=lambda claim: claim.confidence).value
    return max(claims, key=_weight).value


def _open(attribute: str, claims: Sequence[Claim], rules: FuseSettings) -> Decision:
    """An attribute without a head: the surest word of anybody; the feed before all others."""
    ranked = sorted(claims, key=lambda claim: (claim.source != "feed", -claim.confidence))
    sure = [claim for claim in ranked if claim.is_stated and claim.confidence >= rules.attribute_confidence]
    if not sure:
        return Decision((), ranked[0].confidence if ranked else None)
    if attribute in MANY_VALUED:
        sure.sort(key=lambda claim: -(claim.evidence.share or 0.0))
        return Decision(tuple(dict.fromkeys(claim.value for claim in sure)), sure[0].confidence, sure[0].source)
    return Decision((sure[0].value,), sure[0].confidence, sure[0].source)
