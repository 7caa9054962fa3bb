"""Routes: what people work on: the review queue, corrections, quarantine."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from jobs.correction_values import known_value
from jobs.corrections_spool import SpooledCorrection
from jobs.service.answers import (
    CorrectionRequest,
    CorrectionsAnswer,
    PendingCorrection,
    QuarantineAnswer,
    ReviewAnswer,
    ReviewItem,
    VocabularyAnswer,
)
from jobs.service.facts import stated
from jobs.service.guard import json_only
from jobs.service.problems import ProblemError
from jobs.service.routes_search import TheService, TheSnapshot
from jobs.service.views import candidates, card, conflicts, pending, review_reasons, vocabulary
from schemas.corrections import CORRECTABLE_OF_PRODUCT

Page = Annotated[int, Query(ge=1, le=10_000)]
Size = Annotated[int, Query(ge=1, le=100)]

router = APIRouter(tags=["work"])


@router.get("/review")
def review(
    service: TheService,
    snapshot: TheSnapshot,
    reason: Annotated[Literal["conflict", "no_category"] | None, Query()] = None,
    page: Page = 1,
    size: Size = 20,
) -> ReviewAnswer:
    """Products that wait for a person, least sure first; those with a correction on its way are left out."""
    waiting = service.pending()
    done = sorted({one.product_id for one in waiting.values()})
    total, ordinals = snapshot.details.review(reason, done, (page - 1) * size, size)
    items = []
    for row in snapshot.details.products(ordinals):
        claims = snapshot.details.claims(row["product_id"])
        main = row.get("main_content_sha256")
        items.append(
            ReviewItem(
                card=card(row),
                reasons=review_reasons(row),
                conflicts=conflicts(row),
                candidates=candidates(row, snapshot.details.content(main) if main else None, claims),
                attributes=stated(row, claims),
            )
        )
    return ReviewAnswer(
        total=total,
        page=page,
        pages=math.ceil(total / size),
        items=items,
        pending=len(waiting),
        publication_id=snapshot.publication.publication_id,
    )


@router.get("/corrections")
def corrections(service: TheService) -> CorrectionsAnswer:
    """Corrections that the next night takes in."""
    return CorrectionsAnswer(items=[pending(name, one) for name, one in service.pending().items()])


def json_body(request: Request) -> None:
    """The body is declared as JSON, which a form of another site cannot do."""
    json_only(request.headers)


@router.post("/corrections", status_code=201, dependencies=[Depends(json_body)])
def correct(
    request: Request, service: TheService, snapshot: TheSnapshot, asked: CorrectionRequest
) -> PendingCorrection:
    """Say what is right about a product, or confirm what is said; the next night takes it in.

    A later correction of the same attribute replaces an earlier one.
    """
    if service.serve.read_only:
        raise ProblemError("read-only", "this service takes no corrections")
    row = snapshot.details.product(asked.product_id)
    if row is None:
        raise ProblemError("not-found", "no published product has that identifier")
    if asked.attribute not in CORRECTABLE_OF_PRODUCT:
        raise ProblemError("bad-value", f"only {', '.join(CORRECTABLE_OF_PRODUCT)} can be corrected")
    value = known_value(asked.attribute, asked.value)
    if value is None:
        raise ProblemError("bad-value", f"{asked.attribute} has no such value; see GET /vocabulary")
    said = {**stated(row, snapshot.details.claims(asked.product_id)), "category": row.get("category")}
    correction = SpooledCorrection(
        product_id=asked.product_id,
        attribute=asked.attribute,
        value=value,
        predicted=said.get(asked.attribute),
        image_uri=row.get("main_image_uri"),
        corrected_by=_user(request, service),
        corrected_at=datetime.now(UTC),
        note=asked.note or None,
    )
    return pending(service.correct(correction), correction)


@router.delete("/corrections/{correction_id}", status_code=204)
def withdraw(
    service: TheService,
    correction_id: Annotated[str, Path(pattern="^[0-9TZ]{10,40}-[0-9a-f]{32}$")],
) -> Response:
    """Take a correction back that no night has taken in yet."""
    if service.serve.read_only:
        raise ProblemError("read-only", "this service takes no corrections")
    service.withdraw(f"{correction_id}.json")
    return Response(status_code=204)


@router.get("/vocabulary")
def words() -> VocabularyAnswer:
    """Values that a correction may give, by attribute, in both languages."""
    return VocabularyAnswer(attributes=vocabulary())


@router.get("/quarantine")
def quarantine(
    snapshot: TheSnapshot,
    reason: Annotated[str | None, Query(max_length=60)] = None,
    page: Page = 1,
    size: Size = 50,
) -> QuarantineAnswer:
    """Feed rows and pictures that could not be used, latest first, with the reason."""
    counts, total, items = snapshot.details.quarantine(reason, (page - 1) * size, size)
    return QuarantineAnswer(
        total=total,
        page=page,
        pages=math.ceil(total / size),
        reasons=counts,
        items=items,
        publication_id=snapshot.publication.publication_id,
    )


def _user(request: Request, service: TheService) -> str:
    header = service.serve.user_header
    name = request.headers.get(header, "") if header else ""
    return "".join(character for character in name if character.isprintable()).strip()[:200] or "anonymous"
