"""The model bundle: a folder or .zip with `manifest.json`, ONNX files and label lists, checked before use.

`manifest.json` names every file with its size and SHA-256, and every task with its input, outputs, labels and
thresholds. A bundle is held in memory as bytes, so that the driver can broadcast it and a worker needs no shared disk.
Nothing here imports torch, onnx or onnxruntime.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import Literal, TypeGuard, TypeVar, overload
from urllib.parse import unquote, urlsplit

from pydantic import ValidationError

from models.manifest import DetectTask, FileEntry, Head, Manifest, ManifestDraft, Task, UnderstandTask
from models.prototypes import EmbeddingReference, PrototypeError, PrototypeTable

T = TypeVar("T")

MANIFEST_NAME = "manifest.json"
SHIPPED_BUNDLE = Path(__file__).parent / "shipped" / "product-lite0" / "1.1.0"
# ImageNet's weights, untrained on products: what a trained bundle is compared with.
BASELINE_BUNDLE = Path(__file__).parent / "shipped" / "imagenet-lite0" / "1.0.0"

# A manifest is read before its own size is known, so it has a limit of its own.
_MAX_MANIFEST_BYTES = 4 * 1024 * 1024
_MAX_FILE_BYTES = 2 * 1024 * 1024 * 1024
# Zip entries carry a time; a fixed one keeps packed bundles byte-identical.
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
# What zipfile raises on damaged or encrypted archives.
_UNREADABLE_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)
# Left out where they are not set, so that a bundle without them is written as it always was.
_OPTIONAL_FIELDS = ("prototypes_file", "embedding_reference_file")
_DISTRIBUTIONS = {"onnxruntime": ("onnxruntime", "onnxruntime-gpu")}


class BundleError(Exception):
    """A bundle cannot be used. The message names the bundle, the file at fault and what to do."""


@dataclass(frozen=True, eq=False)
class Bundle:
    """A verified bundle in memory.

    Args:
        manifest: the parsed manifest.
        manifest_bytes: the manifest as stored.
        files: content by name, exactly the names that the manifest lists.
    """

    manifest: Manifest
    manifest_bytes: bytes
    files: Mapping[str, bytes]

    @property
    def version_id(self) -> str:
        """Name and version, e.g. `imagenet-lite0@1.0.0`; goes into every row that the bundle made."""
        return f"{self.manifest.name}@{self.manifest.version}"

    @cached_property
    def sha256(self) -> str:
        """Identity of the content: SHA-256 of the manifest, which holds the SHA-256 of every file."""
        return hashlib.sha256(self.manifest_bytes).hexdigest()

    @overload
    def task(self, name: Literal["classify"]) -> Task: ...

    @overload
    def task(self, name: Literal["detect"]) -> DetectTask: ...

    @overload
    def task(self, name: Literal["understand"]) -> UnderstandTask: ...

    def task(self, name: str) -> Task | DetectTask | UnderstandTask:
        """The task of that name.

        Raises:
            BundleError: the bundle has no such task.
        """
        for task in self.manifest.tasks:
            if task.name == name:
                return task
        known = ", ".join(task.name for task in self.manifest.tasks)
        raise BundleError(f"bundle {self.version_id} has no task {name!r}; it has {known}: use another bundle")

    @property
    def understand_task(self) -> UnderstandTask | None:
        """The task that reads texts; None when the bundle has none."""
        return next((task for task in self.manifest.tasks if isinstance(task, UnderstandTask)), None)

    def labels(self, task: Task | UnderstandTask | Head) -> tuple[str, ...]:
        """The labels of a task, or of one of its heads, in the order of its probabilities.

        Those of the classify task are the labels of its logits, then the paths of enrolled types.

        Raises:
            BundleError: the labels file is not a JSON list of distinct strings.
        """
        labels = self._names(task.labels_file)
        if isinstance(task, Task) and self.prototypes is not None:
            return (*labels, *self.prototypes.paths)
        return labels

    def label_paths(self, task: Task | UnderstandTask) -> dict[str, str]:
        """Taxonomy path by label, for classify enrolled types among them; labels that are no product are absent.

        Raises:
            BundleError: the file is not a JSON object of strings, or names a label that the task does not have.
        """
        paths = self._json(task.label_to_taxonomy_file)
        if not isinstance(paths, dict) or not _is_list_of_strings(list(paths.values())):
            raise BundleError(
                f"bundle {self.version_id}: {task.label_to_taxonomy_file} must be a JSON object of label: path"
            )
        unknown = sorted(set(paths) - set(self.labels(task)))
        if unknown:
            raise BundleError(
                f"bundle {self.version_id}: {task.label_to_taxonomy_file} names labels that {task.labels_file} lacks: "
                f"{unknown[:5]}"
            )
        enrolled = self.prototypes.paths if isinstance(task, Task) and self.prototypes is not None else ()
        return {**paths, **{path: path for path in enrolled}}

    def concepts(self, task: UnderstandTask) -> tuple[str, ...]:
        """The concepts (attribute=value) that the text network knows, in the order of their numbers.

        Raises:
            BundleError: the file is not a JSON list of distinct strings.
        """
        return self._names(task.concepts_file)

    @cached_property
    def prototypes(self) -> PrototypeTable | None:
        """Types that were enrolled from a few pictures; None when there are none.

        Raises:
            BundleError: the file is damaged.
        """
        return self._side_file(self.manifest.prototypes_file, PrototypeTable.from_bytes)

    @cached_property
    def embedding_reference(self) -> EmbeddingReference | None:
        """Sample of training embeddings; None when the bundle carries none.

        Raises:
            BundleError: the file is damaged.
        """
        return self._side_file(self.manifest.embedding_reference_file, EmbeddingReference.from_bytes)

    def _side_file(self, name: str | None, read: Callable[[bytes], T]) -> T | None:
        try:
            return None if name is None else read(self.files[name])
        except PrototypeError as error:
            raise BundleError(f"bundle {self.version_id}: {error}") from error

    def _names(self, name: str) -> tuple[str, ...]:
        names = self._json(name)
        if not _is_list_of_strings(names) or len(set(names)) != len(names):
            raise BundleError(f"bundle {self.version_id}: {name} must be a JSON list of distinct strings")
        return tuple(names)

    def _json(self, name: str) -> object:
        try:
            return json.loads(self.files[name])
        except (UnicodeDecodeError, json.JSONDecodeError) as error:
            raise BundleError(f"bundle {self.version_id}: {name} is not JSON ({error}); export it again") from error

    def pack(self) -> bytes:
        """The bundle as a zip; the same bundle always gives the same bytes (stored, sorted, fixed time)."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
            for name, content in sorted({**self.files, MANIFEST_NAME: self.manifest_bytes}.items()):
                archive.writestr(zipfile.ZipInfo(name, _ZIP_EPOCH), content)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes, origin: str = "bytes") -> Bundle:
        """Read and verify a zipped bundle.

        Args:
            content: the zip.
            origin: where it came from, for messages.

        Raises:
            BundleError: it is no zip, lacks or fails to match a file, or asks for a newer runtime.
        """
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                return _read_zip(archive, origin)
        except _UNREADABLE_ZIP as error:
            raise BundleError(f"bundle {origin} is not a readable zip ({error}); copy or pack it again") from error


def load_bundle(source: str | Path | bytes = SHIPPED_BUNDLE) -> Bundle:
    """Read a bundle and verify every size and SHA-256.

    Args:
        source: a folder, a .zip, a file:// URI of either, or the bytes of a zip (fetch an s3:// object first and give
            its bytes).

    Raises:
        BundleError: nothing usable is there; names the file at fault.
    """
    if isinstance(source, bytes):
        return Bundle.from_bytes(source)
    path = _local_path(source)
    try:
        if path.is_dir():
            return _read_folder(path)
        return Bundle.from_bytes(path.read_bytes(), str(path))
    except FileNotFoundError as error:
        raise BundleError(f"bundle {path} does not exist; check the path, or export one") from error
    except OSError as error:
        raise BundleError(f"bundle {path} cannot be read: {error}") from error


def write_bundle(folder: Path, draft: ManifestDraft, files: Mapping[str, bytes], *, overwrite: bool = False) -> Bundle:
    """Hash the files, complete the manifest and write the bundle as a folder.

    Args:
        folder: where to; created.
        draft: the manifest without `files`.
        files: content by name.
        overwrite: replace a bundle that is there; versions are otherwise written once.

    Raises:
        BundleError: a bundle is there already, or the draft names files that are not given.
    """
    manifest_path = folder / MANIFEST_NAME
    if manifest_path.exists() and not overwrite:
        raise BundleError(f"{folder} holds a bundle already; raise the version, or ask to overwrite it")
    entries = {name: _entry(content) for name, content in sorted(files.items())}
    manifest = _parse_manifest(
        json.dumps(draft.model_dump(mode="json") | {"files": {n: e.model_dump() for n, e in entries.items()}}).encode(),
        str(folder),
    )
    folder.mkdir(parents=True, exist_ok=True)
    # Without its manifest a half-written folder is no bundle, so the manifest goes first and comes back last.
    manifest_path.unlink(missing_ok=True)
    for name, content in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    unset = {name for name in _OPTIONAL_FIELDS if getattr(manifest, name) is None}
    manifest_path.write_text(manifest.model_dump_json(indent=2, exclude=unset) + "\n", encoding="utf-8")
    return load_bundle(folder)


def _local_path(source: str | Path) -> Path:
    if isinstance(source, Path):
        return source
    parts = urlsplit(source)
    if parts.scheme == "file":
        return Path(unquote(parts.path))
    if "://" in source:
        raise BundleError(f"bundle {source}: only local paths are read here; fetch the zip and give its bytes")
    return Path(source)


def assemble_bundle(origin: str, manifest_bytes: bytes, read: Callable[[str], bytes | None]) -> Bundle:
    """Read a bundle of any store file by file and verify every size and SHA-256.

    Args:
        origin: where it is, for messages.
        manifest_bytes: its manifest.
        read: gives the content of a file, None when it is missing.

    Raises:
        BundleError: a file is missing or not the one that the manifest means.
    """
    manifest = _parse_manifest(manifest_bytes, origin)
    files = {}
    for name, entry in manifest.files.items():
        content = read(name)
        if content is None:
            raise BundleError(f"bundle {origin} lacks {name}; copy the whole folder again")
        if len(content) != entry.size:
            raise _mismatch(origin, name, f"has {len(content)} bytes, not {entry.size}")
        files[name] = _verified(origin, name, entry, content)
    return Bundle(manifest, manifest_bytes, files)


def _read_folder(folder: Path) -> Bundle:
    manifest_path = folder / MANIFEST_NAME
    if not manifest_path.is_file():
        raise BundleError(f"bundle {folder} has no {MANIFEST_NAME}; name the folder that holds it")

    def read(name: str) -> bytes | None:
        path = folder / name
        return path.read_bytes() if path.is_file() else None

    return assemble_bundle(str(folder), manifest_path.read_bytes(), read)


def _read_zip(archive: zipfile.ZipFile, origin: str) -> Bundle:
    infos: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        if not _is_safe_name(info.filename.rstrip("/")):
            raise BundleError(f"bundle {origin} holds the unsafe name {info.filename!r}; do not use this archive")
        if info.filename in infos:
            raise BundleError(f"bundle {origin} holds {info.filename} twice; pack it again")
        infos[info.filename] = info
    if MANIFEST_NAME not in infos:
        raise BundleError(
            f"bundle {origin} has no {MANIFEST_NAME} at its top; zip the folder's content, not the folder"
        )
    if infos[MANIFEST_NAME].file_size > _MAX_MANIFEST_BYTES:
        raise BundleError(f"bundle {origin}: {MANIFEST_NAME} is larger than {_MAX_MANIFEST_BYTES} bytes")
    manifest_bytes = archive.read(MANIFEST_NAME)
    manifest = _parse_manifest(manifest_bytes, origin)
    files = {}
    for name, entry in manifest.files.items():
        if name not in infos:
            raise BundleError(f"bundle {origin} lacks {name}; pack it again")
        # Compared before reading, so that a zip bomb is never inflated.
        if infos[name].file_size != entry.size:
            raise _mismatch(origin, name, f"has {infos[name].file_size} bytes, not {entry.size}")
        files[name] = _verified(origin, name, entry, archive.read(name))
    return Bundle(manifest, manifest_bytes, files)


def _parse_manifest(content: bytes, origin: str) -> Manifest:
    try:
        manifest = Manifest.model_validate_json(content)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'document'}: {e['msg']}" for e in error.errors()[:5])
        raise BundleError(f"bundle {origin}: {MANIFEST_NAME} is not valid ({problems}); export it again") from error
    for name, entry in manifest.files.items():
        if not _is_safe_name(name) or name == MANIFEST_NAME:
            raise BundleError(
                f"bundle {origin}: {MANIFEST_NAME} names the unsafe file {name!r}; do not use this bundle"
            )
        if entry.size > _MAX_FILE_BYTES:
            raise BundleError(f"bundle {origin}: {name} is larger than {_MAX_FILE_BYTES} bytes")
    for task in manifest.tasks:
        for name in task.files:
            if name not in manifest.files:
                raise BundleError(f"bundle {origin}: task {task.name!r} uses {name}, which is not in `files`")
    for name in manifest.side_files:
        if name not in manifest.files:
            raise BundleError(f"bundle {origin}: {MANIFEST_NAME} names {name}, which is not in `files`")
    for package, needed in manifest.minimum_runtime.items():
        _check_runtime(package, needed, f"{manifest.name}@{manifest.version}")
    return manifest


def _check_runtime(package: str, needed: str, bundle: str) -> None:
    for distribution in _DISTRIBUTIONS.get(package, (package,)):
        try:
            installed = metadata.version(distribution)
        except metadata.PackageNotFoundError:
            continue
        if _version_tuple(installed) < _version_tuple(needed):
            raise BundleError(
                f"bundle {bundle} needs {package} {needed} or newer, {installed} is installed: upgrade it"
            )
        return
    raise BundleError(f"bundle {bundle} needs {package} {needed} or newer, which is not installed: install it")


def _version_tuple(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def _is_safe_name(name: str) -> bool:
    """Whether the name stays inside the bundle on every operating system."""
    if not name or "\\" in name or ":" in name or "\0" in name or name.startswith("/"):
        return False
    return all(part not in {"", ".", ".."} for part in PurePosixPath(name).parts) and str(PurePosixPath(name)) == name


def _entry(content: bytes) -> FileEntry:
    return FileEntry(sha256=hashlib.sha256(content).hexdigest(), size=len(content))


def _verified(origin: str, name: str, entry: FileEntry, content: bytes) -> bytes:
    actual = _entry(content)
    if actual != entry:
        raise _mismatch(origin, name, f"has SHA-256 {actual.sha256[:12]}..., not {entry.sha256[:12]}...")
    return content


def _mismatch(origin: str, name: str, what: str) -> BundleError:
    return BundleError(f"bundle {origin}: {name} {what} as its manifest says; copy or export the bundle again")


def _is_list_of_strings(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
