"""Routes: one product, what is like it, its pictures and heat maps."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from jobs.service.answers import Names, ProductAnswer, SearchAnswer
from jobs.service.facts import stated
from jobs.service.problems import ProblemError
from jobs.service.routes_search import TheService, TheSnapshot
from jobs.service.snapshot import Snapshot
from jobs.service.vectors import Near
from jobs.service.views import card, claims, conflicts, pending, picture

MOST_SIMILAR = 50

ProductId = Annotated[str, Path(max_length=1000, description="The shop's product identifier")]
Content = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="SHA-256 of the picture's bytes")]

router = APIRouter(tags=["products"])


@router.get("/products/{product_id:path}/similar")
def similar(
    snapshot: TheSnapshot, product_id: ProductId, limit: Annotated[int, Query(ge=1, le=50)] = 12
) -> SearchAnswer:
    """Products like one: the list that the night computed, else by the vectors."""
    product = _product(snapshot, product_id)
    neighbors = snapshot.details.similar(product_id)
    if neighbors:
        told = {one["product_id"]: one for one in neighbors}
        places = snapshot.details.ordinals(list(told))
        rows = {row["product_id"]: row for row in snapshot.details.products(list(places.values()))}
        items = [card(rows[name], one["score"], one["reason"]) for name, one in told.items() if name in rows][:limit]
    else:
        vector = snapshot.vectors.of(product["ordinal"])
        found = snapshot.vectors.nearest(vector, limit + 1) if vector is not None else Near((), ())
        scores = dict(zip(found.ordinals, found.scores, strict=True))
        others = [one for one in found.ordinals if one != product["ordinal"]][:limit]
        items = [card(row, scores[row["ordinal"]]) for row in snapshot.details.products(others)]
    number = snapshot.publication.publication_id
    return SearchAnswer(total=len(items), page=1, pages=1, items=items, publication_id=number)


@router.get(
    "/products/{product_id:path}/heat-map",
    response_class=Response,
    responses={200: {"content": {"image/png": {}}, "description": "To lay over the picture"}},
)
def heat_map(
    service: TheService,
    snapshot: TheSnapshot,
    product_id: ProductId,
    attribute: Annotated[str, Query(max_length=40)] = "category",
    value: Annotated[str | None, Query(max_length=200, description="By default what is stated")] = None,
    view: Annotated[int, Query(ge=0, le=1000, description="Place among the product's pictures, from 0")] = 0,
) -> Response:
    """Where in a picture the evidence for a value lies, as the model sees it."""
    product = _product(snapshot, product_id)
    wanted = value or stated(product, snapshot.details.claims(product_id)).get(attribute) or product.get(attribute)
    if not isinstance(wanted, str):
        raise ProblemError("bad-value", "nothing is stated for that attribute; name a value")
    shown = [one for one in snapshot.details.pictures(product_id) if one["seen"]]
    if view >= len(shown):
        raise ProblemError("not-found", f"the product has {len(shown)} described pictures")
    seen = shown[view]["seen"]
    data = service.published_picture(snapshot, shown[view]["content_sha256"])
    box = (seen.get("region") or {}).get("box")
    made = service.heat_map(data, box, attribute, wanted)
    return Response(made, media_type="image/png", headers={"Cache-Control": "private, max-age=3600"})


@router.get("/products/{product_id:path}")
def product(service: TheService, snapshot: TheSnapshot, product_id: ProductId) -> ProductAnswer:
    """A product with every claim about it and the evidence, its pictures and what was seen in them."""
    row = _product(snapshot, product_id)
    rows = snapshot.details.claims(product_id)
    feed = snapshot.details.feed(product_id)
    waiting = [(name, one) for name, one in service.pending().items() if one.product_id == product_id]
    return ProductAnswer(
        card=card(row),
        description=Names(en=row.get("description_en") or "", zh=row.get("description_zh") or ""),
        feed_description=feed["description"],
        feed_category=feed["category"],
        category_path=Names(en=row.get("category_path_en") or "", zh=row.get("category_path_zh") or ""),
        attributes=stated(row, rows),
        text=row.get("text"),
        barcodes=row.get("barcodes") or [],
        conflicts=conflicts(row),
        claims=claims(rows),
        pictures=[picture(one) for one in snapshot.details.pictures(product_id)],
        twins=snapshot.details.duplicates(product_id),
        corrections=[pending(name, one) for name, one in waiting],
        bundle_version=row.get("bundle_version"),
        changed_at=row.get("changed_at"),
    )


@router.get(
    "/images/{content}",
    response_class=Response,
    responses={200: {"content": {"image/webp": {}}, "description": "The picture, made small and encoded anew"}},
)
def image(
    service: TheService,
    snapshot: TheSnapshot,
    content: Content,
    side: Annotated[int, Query(ge=16, le=1024, description="Longest side, px")] = 320,
) -> Response:
    """A published picture in a size for pages."""
    made = service.thumbnail(snapshot, content, side)
    # The address names the content, so what it leads to never changes.
    headers = {"Cache-Control": "private, max-age=86400, immutable"}
    return Response(made, media_type="image/webp", headers=headers)


def _product(snapshot: Snapshot, product_id: str) -> dict[str, Any]:
    row = snapshot.details.product(product_id)
    if row is None:
        raise ProblemError("not-found", "no published product has that identifier")
    return row
