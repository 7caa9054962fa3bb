"""One published shop and one running service for the tests that do not change them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from jobs.service.app import create_app
from schemas.settings import ServeSettings, Settings
from tests.service.shop import Shop, bundle, make_shop


def serve_settings(shop: Shop, cache: Path, **more: Any) -> Settings:
    serve = {"cache": str(cache), "poll_seconds": 3600, "hosts": ("testserver",), "requests_per_minute": 100_000}
    serve |= {"pictures_per_minute": 100_000, **more}
    return Settings(tables=str(shop.root), serve=ServeSettings(**serve))


def wait_until_ready(client: TestClient) -> None:
    deadline = time.monotonic() + 120
    while client.get("/health").status_code != 200:
        assert time.monotonic() < deadline, client.get("/health").json()
        time.sleep(0.1)


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return make_shop(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="session")
def client(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    settings = serve_settings(shop, tmp_path_factory.mktemp("cache"))
    with TestClient(create_app(settings, bundle()), raise_server_exceptions=False) as running:
        wait_until_ready(running)
        yield running
