"""Routes: search by words, by picture, and text to picture."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import numpy as np
from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from jobs.service.answers import Card, ImageSearchAnswer, SearchAnswer
from jobs.service.index import Filters
from jobs.service.problems import ProblemError
from jobs.service.snapshot import Snapshot
from jobs.service.state import Service, as_json
from jobs.service.vectors import Floats, Near
from jobs.service.views import card, facet_list, seen_picture, understood

MOST_QUERY_CHARACTERS = 200
MOST_PRODUCTS_DEEP = 10_000
MOST_LIKE = 400
"""Products that a search by likeness finds at most."""

# Products whose mean stands for the look of what a query names.
_EXEMPLARS = 16

Values = Annotated[list[str] | None, Query(max_length=50)]
Text = Annotated[str, Query(max_length=MOST_QUERY_CHARACTERS, description="What to look for, English or Chinese")]
Page = Annotated[int, Query(ge=1, le=MOST_PRODUCTS_DEEP)]
Size = Annotated[int, Query(ge=1, le=100, description="Products per page")]
Sort = Literal["relevance", "price", "-price", "-quality", "confidence", "-confidence", "-changed"]
Share = Annotated[float | None, Query(ge=0, le=1)]
Price = Annotated[float | None, Query(ge=0, le=1e10)]

router = APIRouter(tags=["search"])


# Coroutines: for each plain function that an endpoint depends on a thread is asked.
async def service_of(request: Request) -> Service:
    """The service behind the app."""
    found: Service = request.app.state.service
    return found


async def snapshot_of(request: Request) -> Snapshot:
    """The snapshot that a request is answered from, one for the whole request."""
    return (await service_of(request)).snapshot()


TheService = Annotated[Service, Depends(service_of)]
TheSnapshot = Annotated[Snapshot, Depends(snapshot_of)]


async def asked_filters(
    category: Values = None,
    color: Values = None,
    pattern: Values = None,
    gender: Values = None,
    material: Values = None,
    season: Values = None,
    usage: Values = None,
    shape: Values = None,
    brand: Values = None,
    review: Annotated[Literal["yes", "no"] | None, Query(description="Whether a person should look")] = None,
    publishable: Annotated[Literal["yes", "no"] | None, Query(description="Whether fit for shop pages")] = None,
    price_min: Price = None,
    price_max: Price = None,
    confidence_min: Share = None,
    quality_min: Share = None,
) -> Filters:
    """Filters of a search; of several values of one name any will do."""
    lists = {
        **{"category": category, "color": color, "pattern": pattern, "gender": gender, "material": material},
        **{"season": season, "usage": usage, "shape": shape, "brand": brand},
    }
    chosen = {name: tuple(value[:200] for value in values) for name, values in lists.items() if values}
    chosen |= {name: (value,) for name, value in (("review", review), ("publishable", publishable)) if value}
    return Filters(chosen, (price_min, price_max), confidence_min or None, quality_min or None)


TheFilters = Annotated[Filters, Depends(asked_filters)]


@router.get("/search", response_model=SearchAnswer)
async def search(
    service: TheService,
    snapshot: TheSnapshot,
    filters: TheFilters,
    q: Text = "",
    by: Annotated[
        Literal["words", "look"], Query(description="words: what is said of products; look: what looks like those")
    ] = "words",
    sort: Sort = "relevance",
    page: Page = 1,
    size: Size = 24,
) -> Response:
    """Find products by words.

    Names and synonyms of both languages lead to the same products, misspellings are mended (`terms` says how the query
    was read), and facets count what was found. `by=look` takes the best matches as examples and finds what looks alike.
    """
    _offset(page, size)
    work = _found_by_look if by == "look" and q.strip() else _found_by_words
    return await service.in_turn(lambda: work(snapshot, filters, q, sort, page, size))


def _found_by_look(snapshot: Snapshot, filters: Filters, q: str, _: Sort, page: int, size: int) -> SearchAnswer:
    terms = snapshot.understand(q)
    best = snapshot.index.search(terms, filters, query=q, limit=_EXEMPLARS, with_facets=False)
    vector = snapshot.vectors.mean(best.ordinals[: best.complete or None])
    found = _nearest(snapshot, vector, filters) if vector is not None else Near((), ())
    items, total = _page_of(snapshot, found, _offset(page, size), size)
    return SearchAnswer(
        **_frame(snapshot, total, page, size),
        items=items,
        terms=understood(terms),
        is_relaxed=not best.complete and best.total > 0,
    )


def _found_by_words(snapshot: Snapshot, filters: Filters, q: str, sort: Sort, page: int, size: int) -> SearchAnswer:
    terms = snapshot.understand(q)
    order = None if sort == "relevance" else sort
    hits = snapshot.index.search(terms, filters, query=q, sort=order, offset=_offset(page, size), limit=size)
    scores = dict(zip(hits.ordinals, hits.scores, strict=False))
    products = snapshot.details.products(hits.ordinals)
    return SearchAnswer(
        **_frame(snapshot, hits.total, page, size),
        items=[card(product, scores.get(product["ordinal"])) for product in products],
        facets=facet_list(hits.facets, filters.facets),
        price=hits.price,
        terms=understood(terms),
        is_relaxed=hits.complete < hits.total,
        complete=hits.complete,
    )


async def uploaded(request: Request) -> bytes:
    """The body; the guard has limited it."""
    return b"".join([part async for part in request.stream()])


@router.post(
    "/search/image",
    response_model=ImageSearchAnswer,
    openapi_extra={
        "requestBody": {
            "description": "The picture's bytes (JPEG, PNG, WebP, AVIF, GIF, BMP, TIFF); empty with `uri`",
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def search_by_image(
    service: TheService,
    snapshot: TheSnapshot,
    filters: TheFilters,
    data: Annotated[bytes, Depends(uploaded)],
    uri: Annotated[
        str | None, Query(max_length=4096, description="Path, file:// or s3:// address within the allowed roots")
    ] = None,
    page: Page = 1,
    size: Size = 24,
) -> Response:
    """Find products that look like a picture: the body's, or one within the allowed roots."""
    _offset(page, size)
    if bool(data) == (uri is not None):
        raise ProblemError("bad-request", "send a picture as the body, or name one by `uri`, not both")
    return await run_in_threadpool(_found_by_image, service, snapshot, filters, data, uri, page, size)


def _found_by_image(
    service: Service, snapshot: Snapshot, filters: Filters, data: bytes, uri: str | None, page: int, size: int
) -> Response:
    if uri is not None:
        if (why := service.why_no_image_search(snapshot)) is not None:
            raise ProblemError("unavailable", why)
        data = service.fetch(uri)
    seen, vector = service.look(data, snapshot)
    items, total = _page_of(snapshot, _nearest(snapshot, vector, filters), _offset(page, size), size)
    return as_json(ImageSearchAnswer(**_frame(snapshot, total, page, size), items=items, seen=seen_picture(seen)))


def _nearest(snapshot: Snapshot, vector: Floats, filters: Filters) -> Near:
    allowed = None
    if not filters.is_empty:
        passing = snapshot.index.search([], filters, limit=max(1, snapshot.product_count), with_facets=False)
        allowed = np.sort(np.array(passing.ordinals, np.int64))
    return snapshot.vectors.nearest(vector, MOST_LIKE, allowed)


def _page_of(snapshot: Snapshot, found: Near, offset: int, size: int) -> tuple[list[Card], int]:
    scores = dict(zip(found.ordinals, found.scores, strict=True))
    products = snapshot.details.products(found.ordinals[offset : offset + size])
    return [card(product, scores[product["ordinal"]]) for product in products], len(found.ordinals)


def _offset(page: int, size: int) -> int:
    offset = (page - 1) * size
    if offset + size > MOST_PRODUCTS_DEEP:
        raise ProblemError("bad-request", f"only the first {MOST_PRODUCTS_DEEP} products can be paged through")
    return offset


def _frame(snapshot: Snapshot, total: int, page: int, size: int) -> dict[str, int]:
    return {
        "total": total,
        "page": page,
        "pages": math.ceil(min(total, MOST_PRODUCTS_DEEP) / size),
        "publication_id": snapshot.publication.publication_id,
    }
