"""Answers of the service, as OpenAPI documents them."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field


class Names(BaseModel):
    """What to call something, by language."""

    en: str
    zh: str


class Card(BaseModel):
    """One product in a list."""

    product_id: str
    title: str | None = None
    name: Names
    brand: str | None = None
    category: str | None = Field(None, description="Taxonomy path")
    category_name: Names | None = None
    category_confidence: float | None = None
    color: str | None = None
    color_name: Names | None = None
    color_hex: str | None = Field(None, description="sRGB of the color, #rrggbb")
    pattern: str | None = None
    pattern_name: Names | None = None
    price: float | None = None
    currency: str | None = None
    quality_score: float | None = None
    needs_review: bool = False
    is_publishable: bool = False
    image: str | None = Field(None, description="Path of the picture to show; add `?side=` for another size")
    image_count: int = 0
    score: float | None = Field(None, description="Relevance, or cosine in searches by likeness")
    reason: str | None = Field(None, description="What it shares with the product asked about")


class UnderstoodTerm(BaseModel):
    """How a part of the query was read."""

    text: str
    meanings: list[str] = Field(description="What it may mean, as name=value; empty for a plain word")
    names: list[Names] = Field(description="The meanings in words")
    written: str | None = Field(None, description="What was typed, where the spelling was mended")


class FacetValue(BaseModel):
    """A value to filter by."""

    value: str
    name: Names
    count: int = Field(description="Products found that have it, whatever else of this facet is chosen")
    hex: str | None = None


class Facet(BaseModel):
    """Values of one attribute among what was found."""

    name: str = Field(description="Parameter to filter by")
    label: Names
    values: list[FacetValue]


class SearchAnswer(BaseModel):
    """Products found."""

    total: int
    page: int
    pages: int
    items: list[Card]
    facets: list[Facet] = []
    price: tuple[float, float] | None = Field(None, description="Lowest and highest price among all found")
    terms: list[UnderstoodTerm] = []
    is_relaxed: bool = Field(False, description="Few or no products have all terms; others that have most follow them")
    complete: int | None = Field(None, description="Products that have all terms; they come first")
    publication_id: int


class SeenPicture(BaseModel):
    """What was seen in the picture that was searched by."""

    category: str | None = None
    category_name: Names | None = None
    category_confidence: float | None = None
    color: str | None = None
    color_name: Names | None = None
    color_hex: str | None = None
    pattern: str | None = None
    pattern_name: Names | None = None
    width_px: int
    height_px: int
    box: dict[str, float] | None = Field(None, description="Where the product is, px")


class ImageSearchAnswer(SearchAnswer):
    """Products that look like a picture."""

    seen: SeenPicture


class Evidence(BaseModel):
    """What a claim rests on; see `product_attributes.evidence` in docs/tables.md."""

    kind: str | None = None
    image_uri: str | None = None
    content_sha256: str | None = None
    box: dict[str, float] | None = None
    text: str | None = None
    span_start: int | None = None
    span_end: int | None = None
    share: float | None = None


class Claim(BaseModel):
    """A claim about a product, chosen or not."""

    attribute: str
    label: Names
    value: str
    name: Names
    hex: str | None = Field(None, description="Of a color, #rrggbb")
    confidence: float
    source: str
    is_chosen: bool
    evidence: Evidence | None = None
    model_version: str | None = None


class ProductPicture(BaseModel):
    """A picture of a product and what was seen in it."""

    view: int
    image_uri: str
    image: str | None = Field(None, description="Path of the picture; null when it is not described")
    content_sha256: str | None = None
    status: str | None = None
    reason: str | None = None
    seen: dict[str, Any] | None = Field(None, description="Columns of `image_attributes`, see docs/tables.md")


class PendingCorrection(BaseModel):
    """A correction that the next night takes in."""

    id: str
    product_id: str
    attribute: str
    value: str
    name: Names
    predicted: str | None = None
    corrected_by: str
    corrected_at: str
    note: str | None = None


class Conflict(BaseModel):
    """Two sources are sure of different things."""

    attribute: str
    label: Names
    value: str
    name: Names
    source: str | None = None
    confidence: float | None = None
    other_value: str
    other_name: Names
    other_source: str | None = None
    other_confidence: float | None = None


class ProductAnswer(BaseModel):
    """A product with everything that is known of it."""

    card: Card
    description: Names
    feed_description: str | None = None
    feed_category: str | None = None
    category_path: Names
    attributes: dict[str, str] = Field(description="Stated values by attribute")
    text: str | None = None
    barcodes: list[str] = []
    conflicts: list[Conflict] = []
    claims: list[Claim] = []
    pictures: list[ProductPicture] = []
    twins: list[dict[str, Any]] = Field([], description="Other products with the same picture, see `near_duplicates`")
    corrections: list[PendingCorrection] = []
    bundle_version: str | None = None
    changed_at: str | None = None


class ReviewItem(BaseModel):
    """A product that waits for a person."""

    card: Card
    reasons: list[str] = Field(description="conflict, no_category, unsure_category")
    conflicts: list[Conflict] = []
    candidates: list[FacetValue] = Field([], description="Categories to choose from; counts are percent of belief")
    attributes: dict[str, str] = {}


class ReviewAnswer(BaseModel):
    """Products that wait for a person, least sure first."""

    total: int
    page: int
    pages: int
    items: list[ReviewItem]
    pending: int = Field(description="Corrections that the next night takes in")
    publication_id: int


class CorrectionRequest(BaseModel):
    """What is right about a product."""

    product_id: str = Field(min_length=1, max_length=1000)
    attribute: str = Field(min_length=1, max_length=40, description="category, color, pattern, shape, gender, ...")
    value: str = Field(min_length=1, max_length=200, description="Taxonomy path, value, name or synonym")
    note: str | None = Field(None, max_length=1000)


class CorrectionsAnswer(BaseModel):
    """Corrections that the next night takes in, oldest first."""

    items: list[PendingCorrection]


class QuarantineAnswer(BaseModel):
    """What could not be used, latest first."""

    total: int
    page: int
    pages: int
    reasons: dict[str, int]
    items: list[dict[str, Any]]
    publication_id: int


class HealthAnswer(BaseModel):
    """Whether the service can answer."""

    status: str = Field(description="ok, stale (an older version is served, see `problem`) or starting")
    publication_id: int | None = None
    run_id: str | None = None
    products: int = 0
    bundle_version: str | None = None
    searches_by_image: bool = False
    problem: str | None = None


class Vocabulary(BaseModel):
    """Values that a correction of one attribute may give."""

    label: Names
    values: list[FacetValue]
    is_open: bool = Field(description="Whether other texts are taken too, as of a brand")
    is_many: bool = Field(description='Whether several are taken, separated by commas: "60% cotton, 40% linen"')


class VocabularyAnswer(BaseModel):
    """Values that a correction may give, by attribute."""

    attributes: dict[str, Vocabulary]
