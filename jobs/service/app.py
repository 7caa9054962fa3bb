"""The app: routes, guard, page."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, FastAPI, Header
from fastapi.responses import JSONResponse, Response

from jobs.service import routes_products, routes_search, routes_work
from jobs.service.answers import HealthAnswer
from jobs.service.guard import Guard, served_hosts
from jobs.service.metrics import Measured
from jobs.service.problems import MEDIA_TYPE, Problem, add_problem_handlers
from jobs.service.routes_search import TheService
from jobs.service.state import Service
from schemas.settings import Settings

if TYPE_CHECKING:
    from models.bundle import Bundle

PAGE = Path(__file__).with_name("page")
_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_PAGE_FILES = {
    "/": "page.html",
    "/icon.svg": "icon.svg",
    **{
        f"/{name}": name for name in ("page.css", "page.js", "dom.js", "words.js", "search.js", "product.js", "work.js")
    },
}

DESCRIPTION = """\
Looks into the published tables of Vitrine: keyword search in English and Chinese, search by picture, similar products,
every product with its evidence, the review queue and quarantine. Errors are problem details (RFC 9457)."""


def create_app(settings: Settings, bundle: Bundle | None) -> FastAPI:
    """The service as an ASGI app; its background work begins and ends with the app's lifespan.

    Args:
        settings: tables root, roots, bundle and limits.
        bundle: model bundle for searches by picture; None serves without them.
    """
    service = Service(settings, bundle)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        service.start()
        yield
        service.stop()

    app = FastAPI(
        title="Vitrine",
        version="1",
        description=DESCRIPTION,
        lifespan=lifespan,
        # The pages of FastAPI load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        responses={
            "default": {"model": Problem, "description": "A problem detail", "content": {MEDIA_TYPE: {}}},
        },
    )
    app.state.service = service
    app.include_router(_own_routes())
    app.include_router(routes_search.router)
    app.include_router(routes_work.router)
    app.include_router(routes_products.router)
    add_problem_handlers(app)
    serve = settings.serve
    app.add_middleware(
        Guard,
        hosts=served_hosts(serve.host, serve.hosts),
        max_upload_bytes=serve.max_upload_bytes,
        requests_per_minute=serve.requests_per_minute,
        pictures_per_minute=serve.pictures_per_minute,
    )
    app.add_middleware(Measured, metrics=service.metrics)
    return app


def _own_routes() -> APIRouter:
    router = APIRouter(tags=["service"])

    @router.get("/health", responses={503: {"model": HealthAnswer, "description": "Nothing to serve yet"}})
    def health(service: TheService) -> JSONResponse:
        """Whether the service can answer, and from which publication."""
        keeper = service.keeper
        if not keeper.is_ready:
            answer = HealthAnswer(status="starting", problem=keeper.problem)
            return JSONResponse(answer.model_dump(), 503)
        snapshot = keeper.current()
        answer = HealthAnswer(
            status="stale" if keeper.problem else "ok",
            publication_id=snapshot.publication.publication_id,
            run_id=snapshot.publication.run_id,
            products=snapshot.product_count,
            bundle_version=snapshot.publication.bundle_version,
            searches_by_image=service.why_no_image_search(snapshot) is None,
            problem=keeper.problem or service.why_no_image_search(snapshot),
        )
        return JSONResponse(answer.model_dump())

    @router.get("/metrics", response_class=Response)
    def metrics(service: TheService) -> Response:
        """Counters in Prometheus' text format."""
        if service.keeper.is_ready:
            snapshot = service.keeper.current()
            service.metrics.publication.set(snapshot.publication.publication_id)
            service.metrics.products.set(snapshot.product_count)
        service.metrics.load_failures.set(service.keeper.failures)
        return Response(service.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    for path, name in _PAGE_FILES.items():
        _add_file(router, path, PAGE / name)
    return router


def _add_file(router: APIRouter, path: str, file: Path) -> None:
    data = file.read_bytes()
    tag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    media_type = f"{_TYPES[file.suffix]}; charset=utf-8"

    @router.get(path, include_in_schema=False)
    def page_file(if_none_match: Annotated[str | None, Header()] = None) -> Response:
        headers = {"ETag": tag, "Cache-Control": "no-cache"}
        if if_none_match == tag:
            return Response(status_code=304, headers=headers)
        return Response(data, media_type=media_type, headers=headers)
