"""A bundle is verified before use, says what is wrong with it, and is the same from a folder, a zip or bytes."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from models.bundle import BASELINE_BUNDLE, MANIFEST_NAME, Bundle, BundleError, load_bundle, write_bundle
from models.manifest import ManifestDraft
from schemas.taxonomy import load_taxonomy

MODEL = "classify.int8.onnx"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(BASELINE_BUNDLE, tmp_path / "bundle"))


def edit_manifest(folder: Path, **changes: object) -> None:
    path = folder / MANIFEST_NAME
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def zipped(entries: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def draft_of(bundle: Bundle, **changes: object) -> ManifestDraft:
    return ManifestDraft.model_validate(bundle.manifest.model_dump(exclude={"files"}) | changes)


def test_shipped_bundle_is_whole_and_small() -> None:
    bundle = load_bundle(BASELINE_BUNDLE)
    assert bundle.version_id == "imagenet-lite0@1.0.0"
    assert sum(len(content) for content in bundle.files.values()) < 8 * 1024 * 1024
    assert len(bundle.labels(bundle.task("classify"))) == 1000
    assert not {path for path in bundle.label_paths(bundle.task("classify")).values() if path not in load_taxonomy()}


def test_shipped_files_name_no_path_of_the_machine_that_made_them() -> None:
    for name, content in load_bundle(BASELINE_BUNDLE).files.items():
        assert b"site-packages" not in content, name
        assert b"/home/" not in content, name


def test_folder_zip_uri_and_bytes_give_the_same_bundle(tmp_path: Path) -> None:
    original = load_bundle(BASELINE_BUNDLE)
    packed = tmp_path / "a bundle.zip"
    packed.write_bytes(original.pack())
    for source in (str(BASELINE_BUNDLE), BASELINE_BUNDLE.as_uri(), packed, packed.as_uri(), packed.read_bytes()):
        bundle = load_bundle(source)
        assert (bundle.sha256, bundle.version_id, dict(bundle.files)) == (
            original.sha256,
            original.version_id,
            dict(original.files),
        )


def test_pack_gives_the_same_bytes_every_time(folder: Path) -> None:
    (folder / MODEL).touch()
    assert load_bundle(folder).pack() == load_bundle(BASELINE_BUNDLE).pack()
    assert Bundle.from_bytes(load_bundle(folder).pack()).pack() == load_bundle(folder).pack()


def test_a_changed_file_is_named(folder: Path) -> None:
    content = bytearray((folder / MODEL).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / MODEL).write_bytes(content)
    with pytest.raises(BundleError, match=rf"{MODEL} has SHA-256"):
        load_bundle(folder)


def test_a_truncated_file_is_named(folder: Path) -> None:
    (folder / MODEL).write_bytes((folder / MODEL).read_bytes()[:-10])
    with pytest.raises(BundleError, match=rf"{MODEL} has \d+ bytes, not \d+"):
        load_bundle(folder)


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / MODEL).unlink()
    with pytest.raises(BundleError, match=f"lacks {MODEL}"):
        load_bundle(folder)


def test_a_changed_file_in_a_zip_is_named() -> None:
    bundle = load_bundle(BASELINE_BUNDLE)
    entries = dict(bundle.files) | {MANIFEST_NAME: bundle.manifest_bytes}
    wrong = entries | {"labels.json": entries["labels.json"].replace(b"banana", b"bananb")}
    with pytest.raises(BundleError, match=r"labels\.json has SHA-256"):
        load_bundle(zipped(wrong))
    with pytest.raises(BundleError, match=r"lacks labels\.json"):
        load_bundle(zipped({name: content for name, content in entries.items() if name != "labels.json"}))


@pytest.mark.parametrize(
    "name", ["../evil.json", "a/../../evil.json", "/etc/passwd", "..\\evil", "C:evil", "a//b", "./a"]
)
def test_names_that_leave_the_bundle_are_refused(name: str, folder: Path) -> None:
    bundle = load_bundle(folder)
    entries = dict(bundle.files) | {MANIFEST_NAME: bundle.manifest_bytes}
    with pytest.raises(BundleError, match="unsafe"):
        load_bundle(zipped(entries | {name: b"{}"}))
    files = json.loads(bundle.manifest_bytes)["files"]
    edit_manifest(folder, files=files | {name: files["labels.json"]})
    with pytest.raises(BundleError, match="unsafe"):
        load_bundle(folder)
    with pytest.raises(BundleError, match="unsafe"):
        write_bundle(folder.parent / "out", draft_of(bundle), dict(bundle.files) | {name: b"{}"})
    assert not (folder.parent / "out").exists()


def test_a_zip_bomb_is_not_inflated() -> None:
    bundle = load_bundle(BASELINE_BUNDLE)
    entries = dict(bundle.files) | {MANIFEST_NAME: bundle.manifest_bytes, "labels.json": b" " * 50_000_000}
    with pytest.raises(BundleError, match=r"labels\.json has 50000000 bytes"):
        load_bundle(zipped(entries))


def test_what_is_no_bundle_is_said(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="does not exist"):
        load_bundle(tmp_path / "nothing")
    with pytest.raises(BundleError, match=r"no manifest\.json"):
        load_bundle(tmp_path)
    with pytest.raises(BundleError, match="not a readable zip"):
        load_bundle(b"not a zip")
    with pytest.raises(BundleError, match="not a readable zip"):
        load_bundle(load_bundle(BASELINE_BUNDLE).pack()[:100_000])
    with pytest.raises(BundleError, match=r"no manifest\.json at its top"):
        load_bundle(zipped({"bundle/manifest.json": b"{}"}))
    with pytest.raises(BundleError, match=r"s3://models/x\.zip: only local paths"):
        load_bundle("s3://models/x.zip")


def test_a_damaged_zip_is_a_bundle_error() -> None:
    bundle = load_bundle(BASELINE_BUNDLE)
    deflated = zipped(dict(bundle.files) | {MANIFEST_NAME: bundle.manifest_bytes})
    for packed in (bundle.pack(), deflated):
        # From 100 on, so that the first entry's header, whose time stamp nobody reads, is left alone.
        for position in range(100, len(packed) - 1000, len(packed) // 30):
            damaged = bytearray(packed)
            damaged[position] ^= 0xFF
            with pytest.raises(BundleError):
                load_bundle(bytes(damaged))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": "1.0"}, "version"),
        ({"name": "Not A Name"}, "name"),
        ({"tasks": []}, "tasks"),
        ({"surprise": 1}, "surprise"),
        ({"embedding_dimension": 0}, "embedding_dimension"),
        ({"minimum_runtime": {"onnxruntime": "99.0"}}, r"needs onnxruntime 99\.0 or newer, .* is installed"),
        ({"minimum_runtime": {"no-such-package-here": "1"}}, "is not installed: install it"),
    ],
)
def test_a_wrong_manifest_is_explained(folder: Path, changes: dict[str, object], message: str) -> None:
    edit_manifest(folder, **changes)
    with pytest.raises(BundleError, match=message):
        load_bundle(folder)


def test_a_task_must_use_files_of_the_bundle(folder: Path) -> None:
    task = json.loads((folder / MANIFEST_NAME).read_text())["tasks"][0]
    edit_manifest(folder, tasks=[task | {"file": "other.onnx"}])
    with pytest.raises(BundleError, match=r"task 'classify' uses other\.onnx"):
        load_bundle(folder)


def test_an_unknown_task_is_named() -> None:
    with pytest.raises(BundleError, match="no task 'segment'; it has classify"):
        load_bundle(BASELINE_BUNDLE).task("segment")


def test_label_files_are_checked(tmp_path: Path) -> None:
    bundle = load_bundle(BASELINE_BUNDLE)

    def with_file(name: str, content: bytes) -> Bundle:
        return write_bundle(tmp_path, draft_of(bundle), dict(bundle.files) | {name: content}, overwrite=True)

    broken = with_file("labels.json", b'["a", "a"]')
    with pytest.raises(BundleError, match=r"labels\.json must be a JSON list of distinct strings"):
        broken.labels(broken.task("classify"))
    broken = with_file("labels.json", b"\xff")
    with pytest.raises(BundleError, match=r"labels\.json is not JSON"):
        broken.labels(broken.task("classify"))
    broken = with_file("label_to_taxonomy.json", b'{"no such label": "home"}')
    with pytest.raises(BundleError, match="no such label"):
        broken.label_paths(broken.task("classify"))


def test_write_computes_hashes_and_keeps_versions(tmp_path: Path) -> None:
    bundle = load_bundle(BASELINE_BUNDLE)
    written = write_bundle(tmp_path / "new", draft_of(bundle, version="1.1.0-rc.1"), bundle.files)
    assert written.version_id == "imagenet-lite0@1.1.0-rc.1"
    assert written.manifest.files == bundle.manifest.files
    assert written.sha256 != bundle.sha256
    with pytest.raises(BundleError, match="raise the version"):
        write_bundle(tmp_path / "new", draft_of(bundle), bundle.files)


def test_the_extraction_path_imports_neither_torch_nor_onnx() -> None:
    code = "import sys, models.bundle, udfs.runtime; sys.exit(any(m in sys.modules for m in ('torch', 'onnx')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
