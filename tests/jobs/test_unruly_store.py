"""Whole nights on a store that refuses some pictures: each ends in quarantine with its reason, and comes back."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from schemas.settings import S3Settings
from tests.pictures import write_feed, write_picture

GOOD = ("a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg", "f.jpg")


class UnrulyStore(BaseHTTPRequestHandler):
    """Speaks as much of S3 as reading a picture needs; what it refuses stands in `server.refused` by key."""

    protocol_version = "HTTP/1.1"
    server: Store

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        key = self.path.split("/", 2)[2]
        with self.server.lock:
            self.server.seen[key] += 1
            status, code = self.server.refused.get(key, (200, ""))
            if self.server.fails_once.pop(key, None):
                status, code = 503, "SlowDown"
        body = self.server.picture if status == 200 else f"<Error><Code>{code}</Code></Error>".encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if status == 200:
            self.send_header("ETag", f'"{key}"')
            self.send_header("Last-Modified", "Mon, 02 Nov 2026 10:00:00 GMT")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)


class Store(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, picture: bytes) -> None:
        super().__init__(("127.0.0.1", 0), UnrulyStore)
        self.picture = picture
        self.lock = threading.Lock()
        self.seen: Counter[str] = Counter()
        self.refused: dict[str, tuple[int, str]] = {}
        self.fails_once: dict[str, bool] = {}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    server = Store(write_picture(tmp_path / "picture.jpg").read_bytes())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_refused_and_throttled_pictures_are_quarantined_and_tried_again_the_next_night(make_shop, store):
    names = [*GOOD, "forbidden.jpg", "busy.jpg"]
    shop = make_shop(
        1,
        s3=S3Settings(endpoint_url=f"http://127.0.0.1:{store.server_port}"),
        allowed_roots=("s3://shop",),
        fetch={"attempts": 3, "backoff_s": 0.01},
        # The next night comes at once.
        extract={"retry_after_hours": 0},
    )
    write_feed(shop.feed, [{"product_id": name, "image_uri": f"s3://shop/{name}"} for name in names])
    store.refused = {"forbidden.jpg": (403, "AccessDenied"), "busy.jpg": (503, "SlowDown")}
    store.fails_once = {"a.jpg": True}

    night = shop.run()
    assert {row["status"] for row in night.values()} == {"succeeded"}
    assert night["extract"]["reasons"] == {"access_denied": 1, "throttled": 1}
    assert night["extract"]["counts"]["quarantined"] == 2
    assert store.seen["busy.jpg"] == 2 * 3, "looked at and read, each with all tries"
    assert store.seen["forbidden.jpg"] == 2, "a refusal is no reason to insist"
    standing = {row["product_id"]: row for row in shop.rows("quarantine")}
    assert {name: (row["reason"], row["retryable"], row["attempts"]) for name, row in standing.items()} == {
        "forbidden.jpg": ("access_denied", True, 1),
        "busy.jpg": ("throttled", True, 1),
    }
    assert "s3://shop/forbidden.jpg" in standing["forbidden.jpg"]["detail"]
    status = {row["image_uri"].rsplit("/", 1)[1]: row["status"] for row in shop.rows("images")}
    assert status == {name: "extracted" if name in GOOD else "quarantined" for name in names}

    # The permission is granted, the store is still busy with the other.
    del store.refused["forbidden.jpg"]
    night = shop.run()
    assert {row["status"] for row in night.values()} == {"succeeded"}
    assert night["extract"]["counts"]["candidates"] == 2
    assert night["extract"]["reasons"] == {"throttled": 1}
    rows = {row["product_id"]: row for row in shop.rows("quarantine")}
    assert rows["forbidden.jpg"]["resolved_at"] is not None
    assert (rows["busy.jpg"]["attempts"], rows["busy.jpg"]["resolved_at"]) == (2, None)
    assert rows["busy.jpg"]["first_seen_at"] == standing["busy.jpg"]["first_seen_at"]
    status = {row["image_uri"].rsplit("/", 1)[1]: row["status"] for row in shop.rows("images")}
    assert status == {name: "quarantined" if name == "busy.jpg" else "extracted" for name in names}
