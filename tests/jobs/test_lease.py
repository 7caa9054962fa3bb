from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

from jobs.lease import LEASE_NAME, LeaseHeldError, LeaseLostError, WriterLease
from jobs.small_objects import small_objects
from schemas.settings import S3Settings


@pytest.fixture(params=["local", "s3"])
def objects(request, tmp_path):
    if request.param == "local":
        return small_objects(f"file://{tmp_path}", S3Settings())
    return small_objects(f"s3://{request.getfixturevalue('bucket')}", request.getfixturevalue("s3_settings"))


def write_holder(objects, **changes):
    """A lease as another driver on another machine would have written it."""
    holder = {
        "run_id": "other",
        "host": "elsewhere",
        "process_space": "x",
        "process": 1,
        "expires_at": time.time() + 60,
    }
    objects.put(LEASE_NAME, json.dumps({**holder, **changes}).encode())


def test_second_writer_is_told_who_writes(objects):
    with (
        WriterLease(objects, "run-1", 60),
        pytest.raises(LeaseHeldError, match=r"run run-1 on .* is writing these tables"),
        WriterLease(objects, "run-2", 60),
    ):
        pass


def test_lease_is_free_after_the_first_writer_ended(objects):
    with WriterLease(objects, "run-1", 60):
        pass
    with WriterLease(objects, "run-2", 60) as lease:
        lease.check()


def test_expired_lease_is_taken_over(objects):
    write_holder(objects, expires_at=time.time() - 1)
    with WriterLease(objects, "run-2", 60) as lease:
        lease.check()
        assert json.loads(objects.read(LEASE_NAME).data)["run_id"] == "run-2"


def test_lease_of_a_killed_process_of_this_machine_is_taken_over_at_once(tmp_path):
    script = (
        "import os, signal\n"
        "from jobs.lease import WriterLease\nfrom jobs.small_objects import small_objects\n"
        "from schemas.settings import S3Settings\n"
        f"WriterLease(small_objects('file://{tmp_path}', S3Settings()), 'killed', 3600).__enter__()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == -9
    objects = small_objects(f"file://{tmp_path}", S3Settings())
    assert json.loads(objects.read(LEASE_NAME).data)["run_id"] == "killed"
    with WriterLease(objects, "next", 60) as lease:
        lease.check()


def test_writer_whose_lease_was_taken_may_not_commit(objects):
    with WriterLease(objects, "run-1", 0.4) as lease:
        write_holder(objects)
        time.sleep(0.5)
        with pytest.raises(LeaseLostError, match="run-1"):
            lease.check()
    assert json.loads(objects.read(LEASE_NAME).data)["run_id"] == "other", "the new holder's lease must stay"


def test_renewal_keeps_the_lease_past_its_length(objects):
    with WriterLease(objects, "run-1", 0.4) as lease:
        for _ in range(6):
            time.sleep(0.2)
            lease.check()
