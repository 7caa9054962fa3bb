"""Counters of the service for Prometheus."""

from __future__ import annotations

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """All counters, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("route", "method", "status")
        self.requests = Counter("vitrine_requests", "Requests by route and status", labels, registry=self.registry)
        self.seconds = Histogram(
            "vitrine_request_seconds", "Time to answer", ("route",), registry=self.registry, buckets=BUCKETS
        )
        self.publication = Gauge("vitrine_publication", "Publication that is served", registry=self.registry)
        self.products = Gauge("vitrine_products", "Products that are served", registry=self.registry)
        self.load_failures = Gauge(
            "vitrine_load_failures", "Published versions that could not be loaded", registry=self.registry
        )
        self.corrections = Counter("vitrine_corrections", "Corrections taken", registry=self.registry)

    def text(self) -> bytes:
        """All of them in Prometheus' text format."""
        return generate_latest(self.registry)


class Measured:
    """ASGI middleware that counts and times requests by route, so that no address makes a label of its own.

    Args:
        app: what it measures.
        metrics: where to count.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request and count it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500

        async def noting_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting_send)
        finally:
            route = getattr(scope.get("route"), "path", "(none)")
            known = scope["method"] in ("GET", "HEAD", "POST", "DELETE", "OPTIONS", "PUT", "PATCH")
            method = scope["method"] if known else "(other)"
            self._metrics.requests.labels(route, method, str(status)).inc()
            self._metrics.seconds.labels(route).observe(time.perf_counter() - started)
