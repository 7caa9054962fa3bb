"""What every request has to pass before it is looked at, and the headers that every answer carries.

Host names are checked against rebinding of DNS names; requests that change or compute something must not come from a
page of another site; bodies and rates are limited.
"""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from jobs.service.problems import ProblemError, problem_response

MOST_BODY_BYTES = 64 * 1024
"""Largest body of anything but a picture."""

MOST_ADDRESS_BYTES = 8 * 1024

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_PICTURE_PATHS = ("/search/image",)
_REMEMBERED_CLIENTS = 10_000


@dataclass
class _Bucket:
    tokens: float
    seen_at: float


class RateLimit:
    """Token buckets by client: so many requests a minute, and as many at once.

    Args:
        per_minute: requests of one client.
    """

    def __init__(self, per_minute: int) -> None:
        self._most = float(per_minute)
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def seconds_to_wait(self, client: str) -> int:
        """Take one token: 0, or how long to wait when there is none."""
        now = time.monotonic()
        bucket = self._buckets.pop(client, None) or _Bucket(self._most, now)
        bucket.tokens = min(self._most, bucket.tokens + (now - bucket.seen_at) * self._most / 60)
        bucket.seen_at = now
        self._buckets[client] = bucket
        if len(self._buckets) > _REMEMBERED_CLIENTS:
            # Who was silent longest has a full bucket again anyway, or soon.
            self._buckets.popitem(last=False)
        if bucket.tokens >= 1:
            bucket.tokens -= 1
            return 0
        return int((1 - bucket.tokens) * 60 / self._most) + 1


class Guard:
    """ASGI middleware.

    Args:
        app: what it guards.
        hosts: names and addresses that may stand in the Host header.
        max_upload_bytes: largest picture.
        requests_per_minute: of one client.
        pictures_per_minute: searches by picture and heat maps of one client.
    """

    def __init__(
        self,
        app: ASGIApp,
        hosts: Collection[str],
        max_upload_bytes: int,
        requests_per_minute: int,
        pictures_per_minute: int,
    ) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)
        self._max_upload_bytes = max_upload_bytes
        self._requests = RateLimit(requests_per_minute)
        self._pictures = RateLimit(pictures_per_minute)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or say why not."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        begun = False

        async def noting_send(message: Message) -> None:
            nonlocal begun
            begun = True
            await send_with_headers(message)

        try:
            limit = self._check(scope)
            await self._app(scope, _limited(receive, limit), noting_send)
        except ProblemError as problem:
            if begun:
                raise
            answer = problem_response(
                problem.kind, problem.detail, scope["path"], reason=problem.reason, retry_after=problem.retry_after
            )
            await answer(scope, receive, send_with_headers)

    def _check(self, scope: Scope) -> int:
        """Largest body that the request may have.

        Raises:
            ProblemError: the request is refused.
        """
        headers = Headers(scope=scope)
        host = _host_name(headers.get("host", ""))
        if host not in self._hosts:
            raise ProblemError("bad-host", "the Host header names a host that this service is not known by")
        if len(scope["raw_path"] or b"") + len(scope["query_string"]) > MOST_ADDRESS_BYTES:
            raise ProblemError("uri-too-long", f"addresses have at most {MOST_ADDRESS_BYTES} bytes")
        if scope["method"] not in _SAFE_METHODS:
            _refuse_foreign(headers)
        client = scope["client"][0] if scope.get("client") else "unknown"
        self._take(self._requests, client)
        path = scope["path"]
        if path.endswith("/heat-map") or path in _PICTURE_PATHS:
            self._take(self._pictures, client)
        limit = self._max_upload_bytes if path in _PICTURE_PATHS else MOST_BODY_BYTES
        declared = headers.get("content-length", "0")
        if not declared.isdigit() or int(declared) > limit:
            raise ProblemError("too-large", f"at most {limit} bytes are taken here")
        return limit

    @staticmethod
    def _take(limit: RateLimit, client: str) -> None:
        if wait := limit.seconds_to_wait(client):
            raise ProblemError("too-many", f"too many requests from your address; wait {wait} s", retry_after=wait)


def _limited(receive: Receive, limit: int) -> Receive:
    """A body that ends in a problem when it grows too large, whatever length was declared."""
    received = 0

    async def counted() -> Message:
        nonlocal received
        message = await receive()
        if message["type"] == "http.request":
            received += len(message.get("body", b""))
            if received > limit:
                raise ProblemError("too-large", f"at most {limit} bytes are taken here")
        return message

    return counted


def _refuse_foreign(headers: Headers) -> None:
    """Browsers say where a request comes from; the rule is that of Go's http.CrossOriginProtection.

    `Sec-Fetch-Site` decides where it is sent; else `Origin` must name the host that was asked. A request with neither
    is not from a browser, so there is no session of somebody else's that it could ride on.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        if site in ("same-origin", "none"):
            return
        raise ProblemError("foreign-origin", "a page of another site sent this request")
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc.lower() != headers.get("host", "").lower():
        raise ProblemError("foreign-origin", "a page of another site sent this request")


def _host_name(host: str) -> str:
    """The name without the port, lower case; empty when it is none."""
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        return ""
    return (name or "").lower() if not set(host) & set("/\\@?# ,") else ""


def served_hosts(host: str, more: Collection[str]) -> frozenset[str]:
    """Names that the service answers to: those of this machine, the address that it listens on, and the given ones."""
    own = {"localhost", "127.0.0.1", "::1"}
    try:
        is_any = ipaddress.ip_address(host).is_unspecified
    except ValueError:
        is_any = False
    return frozenset({*own, *(() if is_any else (host.lower(),)), *(name.lower() for name in more)})


def json_only(headers: Any) -> None:
    """Refuse bodies that a form of another site could send without asking.

    Raises:
        ProblemError: the body is not declared as JSON.
    """
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise ProblemError("wrong-type", "send application/json")
