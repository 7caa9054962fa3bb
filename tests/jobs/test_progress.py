"""What a person sees while a job runs."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
from pathlib import Path

import pytest
from rich.console import Console

from jobs.console_text import format_duration, format_rate
from jobs.progress import SmoothedRate, StageProgress, closing_table

ROOT = Path(__file__).parents[2]

LIVE_SCRIPT = """
import time
from jobs.progress import StageProgress
with StageProgress("extract", total=12345) as progress:
    for done in range(0, 12346, 2469):
        progress.update(done=done, quarantined=done // 1000, reused=3)
        time.sleep(0.5)
"""


@pytest.fixture
def log() -> Console:
    """A console that is no terminal, as in a scheduler's log."""
    return Console(file=io.StringIO(), width=80)


def text_of(console: Console) -> str:
    return console.file.getvalue()


def test_a_log_gets_plain_lines_and_one_at_the_end(log):
    with StageProgress("extract", total=200, interval_seconds=0, console=log) as progress:
        progress.update(done=50, quarantined=2, reused=7)
        progress.update(done=200, quarantined=3)
    lines = text_of(log).splitlines()
    assert lines[0] == "extract: started, 200 images"
    assert lines[1].startswith("extract: 50 of 200 images (25%)")
    assert "7 reused, 2 quarantined" in lines[1]
    assert re.match(r"extract: done in \S+ s, 200 images, .*7 reused, 3 quarantined$", lines[-1])
    assert all(character == "\n" or character.isprintable() for character in text_of(log))


def test_a_log_is_not_flooded(log):
    with StageProgress("extract", total=1000, console=log) as progress:
        for done in range(1000):
            progress.update(done=done)
    assert len(text_of(log).splitlines()) == 2, "only the first and the last line within ten seconds"


def test_quiet_prints_nothing(log):
    with StageProgress("extract", total=5, quiet=True, interval_seconds=0, console=log) as progress:
        progress.start(7)
        progress.update(done=5)
    assert text_of(log) == ""


def test_a_failure_is_named_and_passed_on(log):
    with pytest.raises(ValueError, match="no feed"), StageProgress("ingest", console=log):
        raise ValueError("no feed at s3://shop/feed\nstack frames")
    last = text_of(log).splitlines()[-1]
    assert last.startswith("ingest: failed in ")
    assert last.endswith("ValueError: no feed at s3://shop/feed")


def test_an_error_without_a_message_still_ends_with_a_line(log):
    with pytest.raises(KeyboardInterrupt), StageProgress("extract", console=log):
        raise KeyboardInterrupt
    assert text_of(log).splitlines()[-1].endswith("KeyboardInterrupt")


def test_notes_cannot_rewrite_the_terminal(log):
    with StageProgress("publish", interval_seconds=0, console=log) as progress:
        progress.note("reading \x1b[2Jfile\r\nname \u202egnp.jpg [bold]")
    assert "reading [2Jfile  name gnp.jpg [bold]" in text_of(log)
    assert "\x1b" not in text_of(log)
    assert "\u202e" not in text_of(log)


def test_updates_from_many_threads_arrive(log):
    with StageProgress("extract", total=800, interval_seconds=0, console=log) as progress:
        threads = [
            threading.Thread(target=lambda: [progress.update(quarantined=1, reused=2, done=n) for n in range(101)])
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        progress.update(done=800)
    lines = text_of(log).splitlines()
    assert all(line.startswith("extract: ") for line in lines), "lines of threads are not mixed up"
    assert "800 images" in lines[-1]


def test_a_total_may_become_known_later(log):
    with StageProgress("extract", console=log, interval_seconds=0) as progress:
        progress.note("planning")
        progress.start(40)
        progress.update(done=10)
    assert "extract: 10 of 40 images (25%)" in text_of(log)


def test_nothing_to_do_is_no_error(log):
    with StageProgress("extract", total=0, interval_seconds=0, console=log) as progress:
        progress.update(done=0)
    assert "0 images" in text_of(log).splitlines()[-1]


def test_no_rate_before_there_is_evidence():
    rate = SmoothedRate()
    assert rate.per_second(0.0) is None
    rate.observe(0, 0.0)
    rate.observe(100, 0.5)
    assert rate.per_second(0.5) is None, "half a second is no evidence"


def test_a_steady_rate_is_found():
    rate = SmoothedRate()
    for second in range(61):
        rate.observe(10 * second, float(second))
    assert rate.per_second(60.0) == pytest.approx(10, rel=0.01)


def test_the_rate_follows_a_change_of_speed_smoothly():
    rate = SmoothedRate(time_constant=20)
    for second in range(100):
        rate.observe(10 * second, float(second))
    for second in range(100, 105):
        rate.observe(990 + 50 * (second - 99), float(second))
    soon = rate.per_second(104.0)
    for second in range(105, 220):
        rate.observe(990 + 50 * (second - 99), float(second))
    assert 10 < soon < 30
    assert rate.per_second(219.0) == pytest.approx(50, rel=0.02)


def test_a_hanging_job_does_not_promise_an_end():
    rate = SmoothedRate()
    for second in range(31):
        rate.observe(10 * second, float(second))
    assert rate.per_second(330.0) < 2


def run_on_terminal(script: str, columns: int) -> str:
    """Output of a Python script whose stderr is a terminal that wide."""
    main, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT)}
    for name in ("COLUMNS", "NO_COLOR", "TTY_COMPATIBLE", "FORCE_COLOR"):
        environment.pop(name, None)
    process = subprocess.Popen([sys.executable, "-c", script], stderr=terminal, stdout=terminal, env=environment)
    os.close(terminal)
    output = b""
    while True:
        try:
            chunk = os.read(main, 65536)
        except OSError:  # Linux's way of saying that the other end closed
            break
        if not chunk:
            break
        output += chunk
    os.close(main)
    assert process.wait(20) == 0, output.decode()
    return output.decode()


def test_a_terminal_shows_one_live_line_that_fits():
    output = run_on_terminal(LIVE_SCRIPT, 80)
    frames = re.split(r"[\r\n]+", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", output))
    assert any("of 12,345" in frame and "images/s" in frame and "left" in frame for frame in frames)
    assert any("12 quarantined" in frame for frame in frames)
    assert frames[-2].startswith("✓ extract: done in ")
    assert max(len(frame) for frame in frames[:-2]) <= 80


def test_a_narrow_terminal_gets_words_without_a_bar():
    output = run_on_terminal(LIVE_SCRIPT, 40)
    frames = re.split(r"[\r\n]+", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", output))
    assert any(frame.startswith("extract 4,938 of 12,345 4 quarantined") for frame in frames)
    assert max(len(frame) for frame in frames[:-2]) <= 40


ROWS = [
    {
        "stage": "ingest",
        "status": "succeeded",
        "seconds": 12.3,
        "counts": {"feed_rows": 12345, "rows_accepted": 12300, "rows_rejected": 45, "rows_unchanged": 12000},
        "images_per_second": None,
        "reasons": {"bad_uri": 40, "duplicate_row": 5},
    },
    {
        "stage": "extract",
        "status": "failed",
        "seconds": 1112.3,
        "counts": {"extracted": 280, "reused": 12, "quarantined": 8},
        "images_per_second": 41.234,
        "reasons": {"not_found": 5, "a_reason_of_tomorrow": 3},
        "error": "the lease was lost",
    },
    {
        "stage": "nightly",
        "status": "failed",
        "seconds": 1130.0,
        "counts": {},
        "reasons": {"bad_uri": 40},
        "error": None,
    },
]


def test_the_closing_table_says_what_became_of_the_run(log):
    closing_table(ROWS, places={"Tables": "s3://bucket/tables", "Report": "/very/long" * 20}, console=log)
    text = text_of(log)
    assert re.search(r"extract +failed +18 min 32 s +41\.2 +280 extracted, 12 reused", text)
    assert re.search(r"bad_uri +40 ", text), "the nightly row is not counted twice"
    assert "No such file or object; upload it" in text
    assert "a_reason_of_tomorrow" in text
    assert "extract failed: the lease was lost" in text
    assert f"Report  {'/very/long' * 20}\n" in text, "a path is on one line, to be copied"


def test_the_closing_table_fits_80_columns(log):
    closing_table(ROWS, places={"Tables": "s3://bucket/tables"}, console=log)
    assert max(len(line) for line in text_of(log).splitlines()) <= 80
    assert all(character == "\n" or character.isprintable() for character in text_of(log))


def test_the_closing_table_of_nothing(log):
    closing_table([], console=log)
    assert "Stage" in text_of(log)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (42.4, "42 s"), (59.7, "1 min"), (185, "3 min 5 s"), (7800, "2 h 10 min"), (3600, "1 h")],
)
def test_durations(seconds, text):
    assert format_duration(seconds) == text


@pytest.mark.parametrize(("rate", "text"), [(0.423, "0.42"), (7.31, "7.3"), (118.4, "118"), (12345.0, "12,345")])
def test_rates(rate, text):
    assert format_rate(rate) == text
