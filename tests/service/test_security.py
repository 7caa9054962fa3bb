"""What strangers may try: each endpoint against paths, addresses, bombs, broken pictures, injection, other sites."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from jobs.service.app import PAGE, create_app
from jobs.service.guard import RateLimit
from rendering.broken import bomb_png
from tests.service.conftest import serve_settings, wait_until_ready
from tests.service.shop import HOSTILE_TITLE, KINDS, ODD_ID, Shop, described, make_shop

PROBLEM = "application/problem+json"
SECRET = "root:x:0:0"


def problem(answer: Any, *statuses: int) -> dict[str, Any]:
    """The problem detail of an answer; none of them may tell what lies outside."""
    assert answer.status_code in statuses, (answer.status_code, answer.text[:300])
    assert answer.headers["content-type"] == PROBLEM
    body: dict[str, Any] = answer.json()
    assert body["status"] == answer.status_code
    assert body["type"].startswith("/problems/")
    assert SECRET not in answer.text
    return body


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "/etc/passwd",
        "{root}/../../../../../../etc/passwd",
        "file://{root}/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "{root}x/P000.jpg",
        "{root}/link.jpg",
        "http://169.254.169.254/latest/meta-data/",
        "https://example.com/picture.jpg",
        "http://127.0.0.1:8080/health",
        "s3://someone-elses-bucket/picture.jpg",
        "gopher://127.0.0.1:6379/_INFO",
        "data:image/png;base64,AAAA",
        "file://evil.example.com/share/picture.jpg",
        "/proc/self/environ",
        "\x00/etc/passwd",
    ],
)
def test_pictures_are_read_within_the_roots_only(client: TestClient, shop: Shop, address: str) -> None:
    link = shop.pictures / "link.jpg"
    if not link.is_symlink():
        link.symlink_to("/etc/passwd")
    answer = client.post("/search/image", params={"uri": address.format(root=shop.pictures)})
    body = problem(answer, 400, 403)
    assert body["type"] in ("/problems/outside-roots", "/problems/bad-request")


def test_address_that_redirects_is_never_followed(client: TestClient) -> None:
    """There is no HTTP client behind `uri` at all: a server that would redirect is not even asked."""
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer

    asked = []

    class Redirect(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/")
            self.end_headers()

    server = HTTPServer(("127.0.0.1", 0), Redirect)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        problem(client.post("/search/image", params={"uri": f"http://127.0.0.1:{server.server_port}/p.jpg"}), 400)
    finally:
        server.shutdown()
    assert asked == []


@pytest.mark.parametrize(
    "path",
    [
        "/images/..%2f..%2f..%2fetc%2fpasswd",
        "/images/../../etc/passwd",
        f"/images/{'0' * 64}",
        "/images/%00",
        "/..%2f..%2fetc/passwd",
        "/page.js/../../../etc/passwd",
        "/products/..%2f..%2fetc%2fpasswd",
        "/products/%2e%2e/%2e%2e/etc/passwd/heat-map",
        "/products/nobody/similar",
    ],
)
def test_paths_lead_nowhere_else(client: TestClient, path: str) -> None:
    problem(client.get(path), 400, 404)


def png(size: tuple[int, int]) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, "red").save(buffer, "PNG")
    return buffer.getvalue()


BROKEN: dict[str, Callable[[], bytes]] = {
    "bomb": lambda: bomb_png(30_000, 30_000),
    "text": lambda: b"hello, I am no picture",
    "html": lambda: b"<html><script>alert(1)</script></html>",
    "svg": lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
    "cut jpeg": lambda: described("mug", 0).data[: len(described("mug", 0).data) // 2],
    "spoilt png": lambda: png((64, 64))[:60] + b"\x00" * 200,
    "header alone": lambda: b"\x89PNG\r\n\x1a\n",
    "zip": lambda: b"PK\x03\x04" + b"\x00" * 100,
}


@pytest.mark.parametrize("name", list(BROKEN))
def test_uploads_that_cannot_be_used_are_told_so_and_harm_nothing(client: TestClient, name: str) -> None:
    body = problem(client.post("/search/image", content=BROKEN[name]()), 422)
    assert body["type"] == "/problems/bad-picture"
    assert body["reason"]
    assert client.get("/health").json()["status"] == "ok"


def test_empty_and_double_uploads_are_refused(client: TestClient, shop: Shop) -> None:
    problem(client.post("/search/image"), 400)
    uri = str(shop.pictures / "P000.jpg")
    problem(client.post("/search/image", params={"uri": uri}, content=png((64, 64))), 400)


def test_oversized_bodies_are_refused_declared_or_not(client: TestClient) -> None:
    large = b"\xff" * (11 * 1024 * 1024)
    assert problem(client.post("/search/image", content=large), 413)["type"] == "/problems/too-large"

    def parts() -> Any:
        for start in range(0, len(large), 1 << 20):
            yield large[start : start + (1 << 20)]

    problem(client.post("/search/image", content=parts()), 413)
    correction = {"product_id": "P000", "attribute": "color", "value": "x" * 100_000}
    problem(client.post("/corrections", json=correction), 413)
    problem(client.get("/search", params={"q": "x" * 9000}), 414)


@pytest.mark.parametrize(
    "query",
    [
        "'; DROP TABLE products; --",
        '" OR 1=1 --',
        "title:* OR *",
        "facets:publishable=no",
        "* AND NOT (a",
        "NEAR(a b, 5)",
        "\\\\\"'`${7*7}{{7*7}}",
        "a" * 200,
        "\u202e\u0000\ud83d",
        "(((((((((((((((",
        "category=apparel",
    ],
)
def test_queries_are_words_and_nothing_else(client: TestClient, query: str) -> None:
    before = client.get("/health").json()["products"]
    answer = client.get("/search", params={"q": query.encode("utf-8", "replace").decode()})
    assert answer.status_code == 200, answer.text
    assert answer.json()["total"] < before
    assert client.get("/health").json()["products"] == before


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        ("/search", {"q": "x" * 201}),
        ("/search", {"page": 0}),
        ("/search", {"page": 9999, "size": 100}),
        ("/search", {"size": 101}),
        ("/search", {"sort": "price; DROP TABLE products"}),
        ("/search", {"price_min": "nan"}),
        ("/search", {"confidence_min": 7}),
        ("/search", {"by": "<script>"}),
        ("/review", {"reason": "' OR 1=1"}),
        ("/review", {"size": 10**9}),
        ("/quarantine", {"page": -1}),
        ("/products/P000/similar", {"limit": 51}),
        ("/products/P000/heat-map", {"view": -1}),
        (f"/images/{'a' * 64}", {"side": 100_000}),
    ],
)
def test_parameters_out_of_bounds_are_refused_without_echo(
    client: TestClient, path: str, parameters: dict[str, Any]
) -> None:
    answer = client.get(path, params=parameters)
    problem(answer, 400)
    assert "DROP" not in answer.text
    assert "<script>" not in answer.text


def test_filters_take_hostile_values_as_values(client: TestClient) -> None:
    for hostile in ("' OR ''='", 'x" OR "1', "brand=x\nfacets=*", "../../etc/passwd"):
        for name in ("brand", "category", "color"):
            assert client.get("/search", params={name: hostile}).json()["total"] == 0
        assert client.get("/quarantine", params={"reason": hostile[:60]}).json()["items"] == []


def test_identifiers_with_odd_characters_are_found(client: TestClient) -> None:
    from urllib.parse import quote

    answer = client.get(f"/products/{quote(ODD_ID, safe='')}")
    assert answer.json()["card"]["product_id"] == ODD_ID
    assert client.get(f"/products/{quote(ODD_ID, safe='')}/similar").json()["items"]


@pytest.mark.parametrize("host", ["evil.example.com", "127.0.0.1.evil.example.com", "localhost@evil.example.com", ""])
def test_other_host_names_are_refused(client: TestClient, host: str) -> None:
    assert problem(client.get("/search", headers={"host": host}), 400)["type"] == "/problems/bad-host"


CORRECTION = {"product_id": "P001", "attribute": "color", "value": "red"}


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example.com"},
        {"origin": "null"},
        {"origin": "http://testserver:8081"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": "http://testserver"},
    ],
)
def test_pages_of_other_sites_cannot_correct_or_search_by_picture(client: TestClient, headers: dict[str, str]) -> None:
    before = client.get("/corrections").json()
    for answer in (
        client.post("/corrections", json=CORRECTION, headers=headers),
        client.post("/search/image", content=png((64, 64)), headers=headers),
        client.delete(f"/corrections/20261124T000000000000-{'0' * 32}", headers=headers),
    ):
        assert problem(answer, 403)["type"] == "/problems/foreign-origin"
    assert client.get("/corrections").json() == before


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_bodies_that_forms_can_send_are_no_corrections(client: TestClient, kind: str) -> None:
    answer = client.post("/corrections", content=json.dumps(CORRECTION), headers={"content-type": kind})
    problem(answer, 415, 400)
    assert client.get("/corrections").json()["items"] == []


@pytest.mark.parametrize(
    "change",
    [
        {"attribute": "is_publishable"},
        {"attribute": "embedding"},
        {"value": "no such color"},
        {"attribute": "category", "value": "../../etc"},
        {"product_id": "nobody"},
        {"product_id": "../P001"},
        {"value": ""},
    ],
)
def test_corrections_of_anything_else_are_refused(client: TestClient, change: dict[str, str]) -> None:
    problem(client.post("/corrections", json={**CORRECTION, **change}), 400, 404, 422)
    assert client.get("/corrections").json()["items"] == []


@pytest.mark.parametrize("name", ["..%2f..%2fpublished", "published.json", "%2e%2e", "20261124T0-" + "g" * 32])
def test_only_corrections_can_be_withdrawn(client: TestClient, shop: Shop, name: str) -> None:
    problem(client.delete(f"/corrections/{name}"), 400, 404, 405)
    assert (shop.root / "published.json").is_file()


def test_answers_carry_the_headers_that_browsers_obey(client: TestClient) -> None:
    for path in ("/", "/page.js", "/search", "/nowhere"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
    assert client.get("/search", params={"q": "mug"}).headers["content-type"] == "application/json"


def test_hostile_titles_stay_text(client: TestClient) -> None:
    answer = client.get("/products/P007")
    assert answer.json()["card"]["title"] == HOSTILE_TITLE
    # The page has no way to make HTML of it: nothing in it parses text as markup, and no script stands in the page.
    for file in PAGE.glob("*.js"):
        source = file.read_text(encoding="utf-8")
        for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "srcdoc"):
            assert way not in source, f"{file.name} uses {way}"
    html = (PAGE / "page.html").read_text(encoding="utf-8")
    assert "onload=" not in html
    assert "<script>" not in html


def test_pictures_are_encoded_anew(client: TestClient, shop: Shop) -> None:
    content = described("mug", 0).content
    answer = client.get(f"/images/{content}", params={"side": 160})
    assert answer.headers["content-type"] == "image/webp"
    assert max(Image.open(io.BytesIO(answer.content)).size) == 160


def test_picture_that_changed_since_is_not_shown(client: TestClient, shop: Shop) -> None:
    path = shop.pictures / "P013.jpg"
    was = path.read_bytes()
    path.write_bytes(described("mug", 1).data)
    try:
        problem(client.get(f"/images/{described('watch', 0).content}", params={"side": 96}), 409)
    finally:
        path.write_bytes(was)


def test_too_many_requests_are_turned_away_by_client() -> None:
    limit = RateLimit(3)
    assert [limit.seconds_to_wait("a") for _ in range(3)] == [0, 0, 0]
    assert limit.seconds_to_wait("a") > 0
    assert limit.seconds_to_wait("b") == 0


def test_rate_and_size_are_settings_and_nothing_is_read_without_roots(tmp_path: Path) -> None:
    shop = make_shop(tmp_path, KINDS[:13])
    (shop.root / "_allowed_roots.json").unlink()
    settings = serve_settings(shop, tmp_path / "cache", pictures_per_minute=3, max_upload_bytes=4096, read_only=True)
    with TestClient(create_app(settings, None), raise_server_exceptions=False) as client:
        wait_until_ready(client)
        problem(client.get(f"/images/{described('mug', 0).content}"), 403)
        problem(client.post("/corrections", json={**CORRECTION, "product_id": "P007"}), 403)
        problem(client.post("/search/image", content=b"x" * 5000), 413)
        answers = [client.post("/search/image", content=b"x") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [503, 503, 429]
        assert int(answers[-1].headers["retry-after"]) >= 1
        problem(answers[-1], 429)
        assert client.get("/search").json()["total"] == 13
