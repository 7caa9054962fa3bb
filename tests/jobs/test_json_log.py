from __future__ import annotations

import io
import json
import logging

import pytest

from jobs.json_log import log_stage, logged_stage, set_up_json_log


@pytest.fixture
def log(monkeypatch):
    """The log as text; Python's own afterwards."""
    monkeypatch.setenv("VITRINE_LOG", "json")
    monkeypatch.setenv("VITRINE_RUN_LABEL", "vitrine_nightly/night.extract/2")
    handlers = list(logging.getLogger().handlers)
    stream = io.StringIO()
    set_up_json_log(stream)
    yield stream
    logging.getLogger().handlers = handlers


def lines(stream: io.StringIO) -> list[dict]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_every_line_within_a_stage_names_run_stage_and_task(log):
    with logged_stage("night-1", "extract"):
        log_stage("succeeded", counts={"extracted": 3})
        logging.getLogger("jobs.lease").warning("could not renew %s", "the lease")
    first, second = lines(log)
    assert (first["run_id"], first["stage"], first["status"], first["counts"]) == (
        *("night-1", "extract", "succeeded"),
        {"extracted": 3},
    )
    assert (second["run_id"], second["level"], second["message"]) == ("night-1", "warning", "could not renew the lease")
    assert second["task"] == "vitrine_nightly/night.extract/2"


def test_outer_stage_is_named_again_after_an_inner_one(log):
    with logged_stage("night-1", "nightly"):
        with logged_stage("night-1", "ingest"):
            pass
        log_stage("failed", error="no\nfeed")
    (line,) = lines(log)
    assert (line["stage"], line["level"], line["error"]) == ("nightly", "error", "no\nfeed")
    assert log.getvalue().count("\n") == 1


def test_without_the_setting_nothing_changes(monkeypatch):
    monkeypatch.delenv("VITRINE_LOG", raising=False)
    before = list(logging.getLogger().handlers)
    set_up_json_log(io.StringIO())
    assert logging.getLogger().handlers == before
