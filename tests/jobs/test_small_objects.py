from __future__ import annotations

import pytest

from jobs.small_objects import ConflictError, SmallObjects, small_objects
from schemas.settings import S3Settings


@pytest.fixture(params=["local", "s3"])
def objects(request, tmp_path) -> SmallObjects:
    if request.param == "local":
        return small_objects(f"file://{tmp_path}/root", S3Settings())
    bucket = request.getfixturevalue("bucket")
    return small_objects(f"s3://{bucket}/root", request.getfixturevalue("s3_settings"))


def test_reads_what_was_written_and_none_before(objects):
    assert objects.read("note.json") is None
    objects.put("folder/note.json", b"one")
    objects.put("folder/note.json", b"two")
    assert objects.read("folder/note.json").data == b"two"
    objects.delete("folder/note.json")
    objects.delete("folder/note.json")
    assert objects.read("folder/note.json") is None


def test_create_refuses_to_overwrite(objects):
    objects.create("lease", b"mine")
    with pytest.raises(ConflictError):
        objects.create("lease", b"yours")
    assert objects.read("lease").data == b"mine"


def test_replace_needs_the_present_tag(objects):
    first = objects.create("lease", b"1")
    second = objects.replace("lease", b"2", first)
    with pytest.raises(ConflictError):
        objects.replace("lease", b"3", first)
    assert objects.replace("lease", b"4", second) == objects.read("lease").tag


def test_delete_folder_takes_everything_below_and_nothing_beside(objects):
    for name in ("staging/a", "staging/deep/b", "staging-other/c"):
        objects.put(name, b"x")
    objects.delete_folder("staging")
    assert objects.read("staging/a") is None
    assert objects.read("staging/deep/b") is None
    assert objects.read("staging-other/c") is not None
