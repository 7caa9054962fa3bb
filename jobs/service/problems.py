"""Errors of the service as problem details (RFC 9457): what is wrong, with what, and what to do."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from jobs.service.published import NotPublishedError
from schemas.reasons import ImageError

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"

TITLES: Mapping[str, tuple[int, str]] = {
    "bad-request": (400, "The request is not understood"),
    "bad-host": (400, "The host name is not served here"),
    "foreign-origin": (403, "The request comes from another site"),
    "read-only": (403, "Corrections are not taken here"),
    "outside-roots": (403, "The address lies outside the allowed roots"),
    "not-found": (404, "There is no such thing"),
    "method-not-allowed": (405, "The method is not allowed here"),
    "picture-changed": (409, "The picture is not the published one"),
    "too-large": (413, "The body is too large"),
    "uri-too-long": (414, "The address is too long"),
    "wrong-type": (415, "The content type is not taken here"),
    "bad-picture": (422, "The picture cannot be used"),
    "bad-value": (422, "The value is not known"),
    "too-many": (429, "Too many requests"),
    "internal": (500, "The service has failed"),
    "unavailable": (503, "Not available now"),
    "busy": (503, "Too busy"),
}
"""Status and title by kind; the kind is the last segment of the problem's type."""


class Problem(BaseModel):
    """A problem detail (RFC 9457)."""

    type: str = Field(description="Kind of problem, `/problems/<kind>`")
    title: str = Field(description="The kind in words")
    status: int = Field(description="HTTP status")
    detail: str = Field(description="What is wrong here and what to do")
    instance: str | None = Field(None, description="Path of the request")
    reason: str | None = Field(None, description="Reason code of a picture that cannot be used, see docs/tables.md")


class ProblemError(Exception):
    """A request that ends in a problem.

    Args:
        kind: key of `TITLES`.
        detail: what is wrong and what to do.
        reason: reason code of a picture.
        retry_after: seconds to wait before trying again.
    """

    def __init__(self, kind: str, detail: str, *, reason: str | None = None, retry_after: int | None = None) -> None:
        super().__init__(detail)
        self.kind, self.detail, self.reason, self.retry_after = kind, detail, reason, retry_after


def problem_of_picture(error: ImageError) -> ProblemError:
    """The problem of a picture that cannot be read or decoded."""
    code = error.reason.value
    if code == "outside_allowed_roots":
        # The detail would name the roots: who asks for what lies outside need not know them.
        detail = "pictures are only read from the roots that the service was started with"
        return ProblemError("outside-roots", detail, reason=code)
    if code == "not_found":
        return ProblemError("not-found", "there is no picture at that address", reason=code)
    kind = "bad-request" if code in ("bad_uri", "unknown_scheme") else "bad-picture"
    return ProblemError(kind, error.detail, reason=code)


def problem_response(
    kind: str, detail: str, instance: str | None, *, reason: str | None = None, retry_after: int | None = None
) -> JSONResponse:
    """A problem as an answer."""
    status, title = TITLES[kind]
    problem = Problem(
        type=f"/problems/{kind}", title=title, status=status, detail=detail[:1000], instance=instance, reason=reason
    )
    headers = {"Retry-After": str(retry_after)} if retry_after is not None else None
    return JSONResponse(problem.model_dump(exclude_none=True), status, headers, media_type=MEDIA_TYPE)


def add_problem_handlers(app: FastAPI) -> None:
    """Let every error of an app end as a problem detail."""

    async def on_problem(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, ProblemError)
        return problem_response(
            error.kind, error.detail, request.url.path, reason=error.reason, retry_after=error.retry_after
        )

    async def on_unpublished(request: Request, error: Exception) -> JSONResponse:
        return problem_response("unavailable", str(error), request.url.path, retry_after=10)

    async def on_invalid(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        return problem_response("bad-request", _told(error.errors()), request.url.path)

    async def on_http(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        kinds = {404: "not-found", 405: "method-not-allowed", 413: "too-large", 415: "wrong-type"}
        kind = kinds.get(error.status_code, "bad-request" if error.status_code < 500 else "internal")
        return problem_response(kind, str(error.detail), request.url.path)

    async def on_failure(request: Request, error: Exception) -> JSONResponse:
        logger.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return problem_response("internal", "the service's log says why", request.url.path)

    app.add_exception_handler(ProblemError, on_problem)
    app.add_exception_handler(NotPublishedError, on_unpublished)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(Exception, on_failure)


def _told(errors: Any) -> str:
    """Validation errors in a line, without echoing what was sent."""
    return "; ".join(f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in list(errors)[:5])
