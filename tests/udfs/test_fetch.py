"""Fetching: from real folders, a real local S3 server, and a server that misbehaves as stores do."""

import hashlib
import itertools
import os
import pickle
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

import pytest
from moto.server import ThreadedMotoServer

from schemas.reasons import Reason
from schemas.settings import FetchSettings, S3Settings
from schemas.uri import normalize_uri
from udfs import fetch as fetch_module
from udfs import fetch_s3
from udfs.fetch import Fetcher
from udfs.fetch_s3 import make_s3_client

QUICK = FetchSettings(backoff_s=0.01, connect_timeout_s=2, read_timeout_s=2)
PROJECT = Path(__file__).parents[2]
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def aws_environment(monkeypatch, tmp_path):
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))


@pytest.fixture(scope="module")
def s3_endpoint():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_endpoint, request):
    """A fresh bucket per test, and a client to fill it."""
    settings = S3Settings(endpoint_url=s3_endpoint)
    client = make_s3_client(settings, FetchSettings())
    name = "b-" + hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:20]
    client.create_bucket(Bucket=name)
    return name, client, settings


class UnrulyStore(BaseHTTPRequestHandler):
    """Answers each key according to its name: `<behavior>-<times>/...`, then well."""

    protocol_version = "HTTP/1.1"
    body = bytes(range(256)) * 200
    seen: Counter
    lock: threading.Lock

    def log_message(self, *_):
        pass

    def do_GET(self):
        key = unquote(self.path).split("/", 2)[2]
        with self.server.lock:
            self.server.seen[key] += 1
            turn = self.server.seen[key]
        behavior, _, times = key.split("/")[0].partition("-")
        getattr(self, behavior if turn <= int(times or 0) else "good")()

    def do_HEAD(self):
        self.do_GET()

    def good(self, body=None, length=None):
        body = self.body if body is None else body
        self.send_response(200)
        self.send_header("Content-Length", str(length or len(body)))
        self.send_header("ETag", '"tag"')
        self.send_header("Last-Modified", "Mon, 02 Nov 2026 10:00:00 GMT")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def refuse(self, status, code):
        body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>as told</Message></Error>".encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def slow(self):
        self.refuse(503, "SlowDown")

    def many(self):
        self.refuse(429, "TooManyRequests")

    def internal(self):
        self.refuse(500, "InternalError")

    def denied(self):
        self.refuse(403, "AccessDenied")

    def expired(self):
        self.refuse(400, "ExpiredToken")

    def weird(self):
        self.refuse(400, "SomethingOdd")

    def stall(self):
        self.server.released.wait(20)
        self.close_connection = True

    def stallbody(self):
        self.good(self.body[:1000], len(self.body))
        self.wfile.flush()
        self.stall()

    def drip(self):
        self.good(b"", len(self.body))
        while not self.server.released.wait(0.05):
            try:
                self.wfile.write(b"x")
                self.wfile.flush()
            except OSError:
                break
        self.close_connection = True

    def short(self):
        self.good(self.body[:1000], len(self.body))
        self.close_connection = True

    def reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.close_connection = True


@pytest.fixture
def unruly():
    server = ThreadingHTTPServer(("127.0.0.1", 0), UnrulyStore)
    server.daemon_threads = True
    server.seen, server.lock, server.released = Counter(), threading.Lock(), threading.Event()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    server.settings = S3Settings(endpoint_url=f"http://127.0.0.1:{server.server_port}")
    yield server
    server.released.set()
    server.shutdown()
    server.server_close()
    thread.join()


def reader_threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("vitrine-read")]


def file_uri(path):
    return normalize_uri(str(path))


# Local files


def test_reads_local_files_with_odd_names(tmp_path):
    fetcher = Fetcher(QUICK, S3Settings(), [str(tmp_path)])
    for name in ("a.jpg", "照片 #1?.jpg", "100%25+.jpg", "big.bin"):
        content = os.urandom(3_000_000 if name == "big.bin" else 1000)
        (tmp_path / name).write_bytes(content)
        fetched = fetcher.fetch(file_uri(tmp_path / name))
        assert fetched.error is None
        assert fetched.data == content
        assert (fetched.etag, fetched.attempts) == (None, 1)
        assert fetched.milliseconds > 0


def test_local_errors_are_typed(tmp_path):
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "large.jpg").write_bytes(bytes(2001))
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "loop.jpg").symlink_to(tmp_path / "loop.jpg")
    fetcher = Fetcher(QUICK.model_copy(update={"max_image_bytes": 2000}), S3Settings())
    expected = {
        "empty.jpg": Reason.EMPTY_FILE,
        "large.jpg": Reason.TOO_LARGE,
        "missing.jpg": Reason.NOT_FOUND,
        "empty.jpg/below.jpg": Reason.NOT_FOUND,
        "folder": Reason.NOT_AN_IMAGE,
        "pipe.jpg": Reason.NOT_AN_IMAGE,
        "loop.jpg": Reason.BAD_URI,
        "x" * 300: Reason.BAD_URI,
    }
    for name, reason in expected.items():
        fetched = fetcher.fetch(file_uri(tmp_path / name))
        assert fetched.data is None
        assert fetched.error is not None
        assert fetched.error.reason is reason, name
        assert name[:20] in fetched.error.detail
    assert fetcher.fetch("/not/canonical.jpg").error.reason is Reason.BAD_URI


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_file_is_denied(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"x")
    (tmp_path / "a.jpg").chmod(0)
    assert Fetcher(QUICK, S3Settings()).fetch(file_uri(tmp_path / "a.jpg")).error.reason is Reason.ACCESS_DENIED


def test_links_out_of_the_roots_are_refused_at_read_time(tmp_path):
    inside, outside = tmp_path / "img", tmp_path / "img2"
    inside.mkdir()
    outside.mkdir()
    (outside / "secret.jpg").write_bytes(b"secret")
    (inside / "a.jpg").write_bytes(b"fine")
    (inside / "link.jpg").symlink_to(outside / "secret.jpg")
    (inside / "good-link.jpg").symlink_to(inside / "a.jpg")
    (inside / "folder").symlink_to(outside)
    (tmp_path / "entry").symlink_to(inside)
    for root in (inside, tmp_path / "entry"):
        fetcher = Fetcher(QUICK, S3Settings(), [str(root)])
        for name in ("a.jpg", "good-link.jpg"):
            assert fetcher.fetch(file_uri(inside / name)).data == b"fine"
        assert fetcher.fetch(file_uri(root / "a.jpg")).data == b"fine"
        refused = [
            inside / "link.jpg",
            inside / "folder/secret.jpg",
            outside / "secret.jpg",
            root / "../img2/secret.jpg",
        ]
        for path in refused:
            assert fetcher.fetch(file_uri(path)).error.reason is Reason.OUTSIDE_ALLOWED_ROOTS
        stats = fetcher.stat_many([file_uri(path) for path in refused])
        assert {stat.error.reason for stat in stats} == {Reason.OUTSIDE_ALLOWED_ROOTS}
    assert fetcher.fetch("s3://shop/a.jpg").error.reason is Reason.OUTSIDE_ALLOWED_ROOTS


def test_local_stat(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(bytes(1234))
    os.utime(path, ns=(0, 1_700_000_000_123_456_789))
    found, missing = Fetcher(QUICK, S3Settings()).stat_many([file_uri(path), file_uri(tmp_path / "b.jpg")])
    assert (found.size_bytes, found.etag, found.error) == (1234, None, None)
    assert found.modified_at == datetime(2023, 11, 14, 22, 13, 20, 123456, tzinfo=UTC)
    assert missing.error.reason is Reason.NOT_FOUND


# S3


def test_reads_s3_objects_with_odd_keys(bucket):
    name, client, settings = bucket
    fetcher = Fetcher(QUICK, settings, [f"s3://{name}"])
    for key in ("a.jpg", "照片 1.jpg", "a#b?c=d&e.jpg", "100%25+.jpg", "a//b.jpg", "été/x:y.jpg"):
        content = os.urandom(300_000)
        client.put_object(Bucket=name, Key=key, Body=content)
        uri = normalize_uri(f"s3a://{name}/{key}")
        fetched = fetcher.fetch(uri)
        assert fetched.data == content, (key, fetched.error)
        assert fetched.etag == hashlib.md5(content).hexdigest()
        (stat,) = fetcher.stat_many([uri])
        assert (stat.size_bytes, stat.etag) == (len(content), fetched.etag)
        assert stat.modified_at.utcoffset() == timedelta(0)
        assert abs(stat.modified_at - datetime.now(UTC)) < MINUTE
    fetcher.close()
    assert fetcher.fetch(uri).data == content


def test_s3_errors_are_typed(bucket):
    name, client, settings = bucket
    client.put_object(Bucket=name, Key="empty.jpg", Body=b"")
    client.put_object(Bucket=name, Key="large.jpg", Body=bytes(2001))
    fetcher = Fetcher(QUICK.model_copy(update={"max_image_bytes": 2000}), settings)
    expected = {
        f"s3://{name}/missing.jpg": Reason.NOT_FOUND,
        "s3://no-such-bucket-anywhere/a.jpg": Reason.NOT_FOUND,
        f"s3://{name}/empty.jpg": Reason.EMPTY_FILE,
        f"s3://{name}/large.jpg": Reason.TOO_LARGE,
    }
    for uri, reason in expected.items():
        fetched = fetcher.fetch(uri)
        assert fetched.error.reason is reason
        assert uri in fetched.error.detail
        assert (fetched.data, fetched.attempts) == (None, 1)
    stats = list(fetcher.stat_many(expected))
    assert [stat.uri for stat in stats] == list(expected)
    assert [stat.error.reason if stat.error else stat.size_bytes for stat in stats] == [
        Reason.NOT_FOUND,
        Reason.NOT_FOUND,
        0,
        2001,
    ]


def test_missing_credentials_are_named(bucket, monkeypatch):
    name, client, settings = bucket
    client.put_object(Bucket=name, Key="a.jpg", Body=b"x")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    fetched = Fetcher(QUICK, settings).fetch(f"s3://{name}/a.jpg")
    assert fetched.error.reason is Reason.ACCESS_DENIED
    assert "credentials" in fetched.error.detail


def test_unknown_profile_is_no_crash(bucket, monkeypatch):
    name, _, settings = bucket
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    fetched = Fetcher(QUICK, settings).fetch(f"s3://{name}/a.jpg")
    assert fetched.error.reason is Reason.ACCESS_DENIED


# A store that misbehaves


@pytest.mark.parametrize("behavior", ["slow", "many", "internal", "short", "reset"])
def test_passing_trouble_is_retried(unruly, behavior):
    fetched = Fetcher(QUICK, unruly.settings).fetch(f"s3://shop/{behavior}-2/a.jpg")
    assert fetched.data == UnrulyStore.body, fetched.error
    assert (fetched.etag, fetched.attempts) == ("tag", 3)
    assert unruly.seen[f"{behavior}-2/a.jpg"] == 3


@pytest.mark.parametrize(
    ("behavior", "reason", "attempts"),
    [
        ("slow", Reason.THROTTLED, 4),
        ("many", Reason.THROTTLED, 4),
        ("internal", Reason.FETCH_FAILED, 4),
        ("short", Reason.FETCH_FAILED, 4),
        ("reset", Reason.FETCH_FAILED, 4),
        ("denied", Reason.ACCESS_DENIED, 1),
        ("expired", Reason.ACCESS_DENIED, 1),
        ("weird", Reason.FETCH_FAILED, 1),
    ],
)
def test_lasting_trouble_is_named(unruly, behavior, reason, attempts):
    fetched = Fetcher(QUICK, unruly.settings).fetch(f"s3://shop/{behavior}-99/a.jpg")
    assert fetched.error.reason is reason
    assert f"s3://shop/{behavior}-99/a.jpg" in fetched.error.detail
    assert (fetched.data, fetched.attempts) == (None, attempts)
    assert unruly.seen[f"{behavior}-99/a.jpg"] == attempts


@pytest.mark.parametrize("behavior", ["stall", "stallbody", "drip"])
def test_silence_ends_in_a_timeout(unruly, behavior, monkeypatch):
    monkeypatch.setattr(fetch_s3, "BODY_TIMEOUT_FACTOR", 3)
    settings = QUICK.model_copy(update={"read_timeout_s": 0.15, "attempts": 2})
    fetched = Fetcher(settings, unruly.settings).fetch(f"s3://shop/{behavior}-99/a.jpg")
    assert fetched.error.reason is Reason.TIMEOUT, fetched.error
    assert fetched.attempts == 2
    recovered = Fetcher(settings, unruly.settings).fetch(f"s3://shop/{behavior}-1/a.jpg")
    assert recovered.data == UnrulyStore.body


def test_unreachable_endpoint_is_named():
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{reserved.getsockname()[1]}"
    fetched = Fetcher(QUICK, S3Settings(endpoint_url=endpoint)).fetch("s3://shop/a.jpg")
    assert fetched.error.reason is Reason.FETCH_FAILED
    assert endpoint in fetched.error.detail
    assert fetched.attempts == QUICK.attempts


def test_throttled_head_is_retried(unruly):
    (stat,) = Fetcher(QUICK, unruly.settings).stat_many(["s3://shop/slow-2/a.jpg"])
    assert stat.size_bytes == len(UnrulyStore.body)
    assert stat.modified_at == datetime(2026, 11, 2, 10, tzinfo=UTC)


# Ahead of use


def test_prefetch_keeps_order_over_sources_and_errors(bucket, tmp_path):
    name, client, settings = bucket
    uris, expected = [], []
    for index in range(60):
        content = os.urandom(100 + index)
        if index % 3 == 0:
            client.put_object(Bucket=name, Key=f"{index}.jpg", Body=content)
            uris.append(f"s3://{name}/{index}.jpg")
        elif index % 3 == 1:
            (tmp_path / f"{index}.jpg").write_bytes(content)
            uris.append(file_uri(tmp_path / f"{index}.jpg"))
        else:
            uris.append(f"s3://{name}/missing-{index}.jpg")
            content = None
        expected.append(content)
    fetched = list(Fetcher(QUICK, settings).prefetch(uris))
    assert [one.uri for one in fetched] == uris
    assert [one.data for one in fetched] == expected
    assert not reader_threads()


def test_prefetch_overlaps_with_the_consumer(unruly):
    uris = [f"s3://shop/good/{index}.jpg" for index in range(40)]
    running = Fetcher(QUICK.model_copy(update={"concurrency": 4}), unruly.settings).prefetch(uris)
    next(running)
    wait_until(lambda: len(unruly.seen) == 32)
    assert len(list(running)) == 39


def wait_until(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


def test_prefetch_stays_within_its_window(unruly, monkeypatch):
    size = len(UnrulyStore.body)
    windows = []

    class WatchedWindow(fetch_module.ByteWindow):
        def __init__(self, limit):
            super().__init__(limit)
            windows.append(self)

    monkeypatch.setattr(fetch_module, "ByteWindow", WatchedWindow)
    settings = QUICK.model_copy(update={"concurrency": 8, "window_bytes": 3 * size + 10})
    uris = [f"s3://shop/good/{index}.jpg" for index in range(30)]
    running = Fetcher(settings, unruly.settings).prefetch(uris)
    assert next(running).data == UnrulyStore.body
    wait_until(lambda: windows[0].peak_bytes >= 3 * size)
    time.sleep(0.2)
    # The window is full, or one picture over it: the one due is let in even if younger ones came first.
    assert windows[0].peak_bytes <= 4 * size
    assert len([one for one in running if one.data == UnrulyStore.body]) == 29
    assert windows[0].peak_bytes <= 4 * size


def test_pictures_larger_than_the_window_pass_one_by_one(unruly):
    settings = QUICK.model_copy(update={"window_bytes": 10})
    uris = [f"s3://shop/good/{index}.jpg" for index in range(12)]
    assert all(one.data == UnrulyStore.body for one in Fetcher(settings, unruly.settings).prefetch(uris))


def test_a_throttled_picture_does_not_block_for_ever(unruly):
    settings = QUICK.model_copy(update={"window_bytes": len(UnrulyStore.body) * 2, "concurrency": 4})
    uris = [
        f"s3://shop/{'slow-3' if index % 5 == 0 else 'short-1' if index % 7 == 0 else 'good'}/{index}"
        for index in range(40)
    ]
    assert [one.error for one in Fetcher(settings, unruly.settings).prefetch(uris)] == [None] * 40


def test_endless_input_is_pulled_lazily_and_in_the_callers_thread(unruly):
    pulled = []

    def endless():
        for index in itertools.count():
            pulled.append(threading.current_thread())
            yield f"s3://shop/good/{index}.jpg"

    running = Fetcher(QUICK.model_copy(update={"concurrency": 2}), unruly.settings).prefetch(endless())
    assert not pulled
    assert [next(running).data for _ in range(20)] == [UnrulyStore.body] * 20
    assert len(pulled) <= 20 + 2 * 8
    assert set(pulled) == {threading.current_thread()}
    running.close()
    assert not reader_threads()


def test_stopping_early_ends_the_threads(unruly):
    settings = FetchSettings(backoff_s=60, read_timeout_s=1, attempts=10, concurrency=4)
    uris = ["s3://shop/good/a.jpg"] + [f"s3://shop/slow-99/{index}.jpg" for index in range(20)]
    running = Fetcher(settings, unruly.settings).prefetch(uris)
    assert next(running).data == UnrulyStore.body
    wait_until(lambda: sum(unruly.seen.values()) >= 4)
    started = time.monotonic()
    running.close()
    # The backoff would last minutes; closing ends it.
    assert time.monotonic() - started < 20
    assert not reader_threads()


def test_failing_input_reaches_the_consumer_and_leaves_no_threads(unruly):
    def broken():
        yield "s3://shop/good/a.jpg"
        raise RuntimeError("the feed broke")

    with pytest.raises(RuntimeError, match="the feed broke"):
        list(Fetcher(QUICK, unruly.settings).prefetch(broken()))
    assert not reader_threads()


FORGETFUL = """
import sys
from schemas.settings import FetchSettings, S3Settings
from udfs.fetch import Fetcher
uris = [f"s3://shop/good/{index}.jpg" for index in range(100)]
fetcher = Fetcher(FetchSettings(window_bytes=100_000), S3Settings(endpoint_url=sys.argv[1]))
forgotten = fetcher.prefetch(uris)
assert next(forgotten).data
"""


def test_a_forgotten_iterator_does_not_hang_the_process(unruly):
    command = [sys.executable, "-c", FORGETFUL, unruly.settings.endpoint_url]
    run = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False)
    assert (run.returncode, run.stderr) == (0, "")


def test_slow_local_reads_go_to_threads(tmp_path, monkeypatch):
    for index in range(100):
        (tmp_path / f"{index}.jpg").write_bytes(b"%d" % index)
    uris = [file_uri(tmp_path / f"{index}.jpg") for index in range(100)]
    threads = set()
    real_read = fetch_module.read_file

    def read_on_slow_mount(*arguments):
        threads.add(threading.current_thread().name)
        time.sleep(0.004)
        return real_read(*arguments)

    quick = Fetcher(QUICK, S3Settings())
    assert [one.data for one in quick.prefetch(uris)] == [b"%d" % index for index in range(100)]
    monkeypatch.setattr(fetch_module, "read_file", read_on_slow_mount)
    slow = Fetcher(QUICK, S3Settings())
    assert [one.data for one in slow.prefetch(uris)] == [b"%d" % index for index in range(100)]
    assert any(name.startswith("vitrine-read") for name in threads)


# Processes


def test_pickles_its_settings_only(bucket):
    name, client, settings = bucket
    client.put_object(Bucket=name, Key="a.jpg", Body=b"x")
    fetcher = Fetcher(QUICK, settings, [f"s3://{name}"])
    assert fetcher.fetch(f"s3://{name}/a.jpg").data == b"x"
    copy = pickle.loads(pickle.dumps(fetcher))
    assert copy.fetch(f"s3://{name}/a.jpg").data == b"x"
    assert copy.fetch("s3://other/a.jpg").error.reason is Reason.OUTSIDE_ALLOWED_ROOTS


def test_works_after_a_fork(unruly):
    uris = [f"s3://shop/good/{index}.jpg" for index in range(20)]
    fetcher = Fetcher(QUICK, unruly.settings)
    assert all(one.data == UnrulyStore.body for one in fetcher.prefetch(uris))
    child = os.fork()
    if child == 0:
        good = all(one.data == UnrulyStore.body for one in fetcher.prefetch(uris))
        os._exit(0 if good else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert all(one.data == UnrulyStore.body for one in fetcher.prefetch(uris))


def test_conditional_writes_of_the_test_server(bucket):
    """The writer's lease needs a store that honors conditional writes; this pins that the test server does."""
    name, client, _ = bucket

    def create(index):
        try:
            client.put_object(Bucket=name, Key="lease", Body=b"%d" % index, IfNoneMatch="*")
        except client.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] in ("PreconditionFailed", "ConditionalRequestConflict")
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(create, range(8))) == 1
    etag = client.head_object(Bucket=name, Key="lease")["ETag"]
    client.put_object(Bucket=name, Key="lease", Body=b"renewed", IfMatch=etag)
    with pytest.raises(client.exceptions.ClientError, match="PreconditionFailed"):
        client.put_object(Bucket=name, Key="lease", Body=b"stolen", IfMatch=etag)
    assert client.get_object(Bucket=name, Key="lease")["Body"].read() == b"renewed"
