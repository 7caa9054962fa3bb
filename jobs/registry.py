"""The model registry in a folder or on S3: bundles by name and version, and aliases that move without losing a change.

<root>/<name>/<version>/manifest.json, *.onnx, ...     written once, verified by SHA-256 at each reading
<root>/<name>/<version>/evaluations/<key>.json         metrics that the gate compares with
<root>/aliases.json                                    aliases and their history; replaced conditionally
"""

from __future__ import annotations

import getpass
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from jobs.locations import resolve_location
from jobs.small_objects import ConflictError, SmallObjects, small_objects
from models.bundle import MANIFEST_NAME, Bundle, BundleError, assemble_bundle
from models.registry import (
    ALIASES_FILE,
    AliasChange,
    Aliases,
    AliasTarget,
    BundleReference,
    RegistryError,
    looks_like_reference,
)
from schemas.settings import S3Settings
from schemas.uri import local_path, scheme_of

# Each lost race means that somebody else's change went through, so this many in a row is no race any more.
_TRIES = 10
_EVALUATIONS = "evaluations"


@dataclass(frozen=True)
class RegisteredBundle:
    """One line of `vitrine models list`.

    Args:
        reference: name and version.
        aliases: that point at it.
        bundle: the verified bundle, None when it is damaged.
        problem: what is wrong with it, None when nothing is.
    """

    reference: BundleReference
    aliases: tuple[str, ...]
    bundle: Bundle | None
    problem: str | None = None


class Registry:
    """Bundles and aliases under one root.

    Args:
        root: folder or s3:// prefix; need not exist yet.
        s3: how S3 is reached.
    """

    def __init__(self, root: str, s3: S3Settings) -> None:
        self.root = resolve_location(root)
        self._s3 = s3
        self._objects: SmallObjects = small_objects(self.root, s3)

    def references(self) -> list[BundleReference]:
        """Every bundle that lies here, sorted."""
        found = []
        for name in self._objects.names():
            match name.split("/"):
                case [bundle, version, file] if file == MANIFEST_NAME:
                    found.append(BundleReference(bundle, version))
        return sorted(found)

    def bundles(self) -> Sequence[RegisteredBundle]:
        """Every bundle, read and verified, with its aliases."""
        aliases = self.aliases()
        return [self._listed(reference, aliases) for reference in self.references()]

    def _listed(self, reference: BundleReference, aliases: Aliases) -> RegisteredBundle:
        names = aliases.of_bundle(reference)
        try:
            bundle = self.read(reference)
            for name in names:
                _check_identity(bundle, name, aliases.aliases[name])
        except BundleError as error:
            return RegisteredBundle(reference, names, None, str(error))
        return RegisteredBundle(reference, names, bundle)

    def aliases(self) -> Aliases:
        """The aliases and their history; empty for a new registry.

        Raises:
            RegistryError: the file is damaged.
        """
        return self._read_aliases()[0]

    def read(self, reference: BundleReference) -> Bundle:
        """The verified bundle of that name and version.

        Raises:
            RegistryError: it is not here.
            BundleError: it is damaged, or another one than its place says.
        """
        origin = f"{self.root}/{reference.folder}"
        manifest = self._objects.read(f"{reference.folder}/{MANIFEST_NAME}")
        if manifest is None:
            known = ", ".join(str(one) for one in self.references() if one.name == reference.name)
            raise RegistryError(
                f"{self.root} has no bundle {reference}; "
                + (f"it has {known}" if known else "see `vitrine models list`, or add it")
            )

        def content(name: str) -> bytes | None:
            stored = self._objects.read(f"{reference.folder}/{name}")
            return stored.data if stored else None

        bundle = assemble_bundle(origin, manifest.data, content)
        if bundle.version_id != str(reference):
            raise BundleError(f"bundle {origin} says that it is {bundle.version_id}; put it where it belongs")
        return bundle

    def resolve(self, text: str) -> Bundle:
        """The verified bundle that an alias or `name@version` stands for.

        Raises:
            RegistryError: there is no such alias or bundle.
            BundleError: it is damaged, or was changed since the alias was set.
        """
        if "@" in text:
            return self.read(BundleReference.parse(text))
        aliases = self.aliases()
        target = aliases.target(text)
        if target is None:
            known = ", ".join(sorted(aliases.aliases)) or "none"
            raise RegistryError(f"{self.root} has no alias {text!r} (it has {known}); write an alias or name@version")
        bundle = self.read(BundleReference.parse(target.bundle))
        _check_identity(bundle, text, target)
        return bundle

    def add(self, bundle: Bundle) -> bool:
        """Store a bundle under its name and version; False when the very same one is here already.

        Raises:
            RegistryError: another bundle has that name and version.
        """
        reference = BundleReference(bundle.manifest.name, bundle.manifest.version)
        manifest_name = f"{reference.folder}/{MANIFEST_NAME}"
        present = self._objects.read(manifest_name)
        if present is not None:
            if present.data == bundle.manifest_bytes:
                self.read(reference)
                return False
            raise RegistryError(f"{self.root} holds another bundle {reference}; raise the version")
        # The manifest comes last: without it a half-written folder is no bundle.
        for name, content in (*bundle.files.items(), (MANIFEST_NAME, bundle.manifest_bytes)):
            self._store(f"{reference.folder}/{name}", content)
        self.read(reference)
        return True

    def _store(self, name: str, content: bytes) -> None:
        try:
            self._objects.create(name, content)
        except ConflictError as error:
            present = self._objects.read(name)
            if present is None or present.data != content:
                raise RegistryError(
                    f"{self.root}/{name} is left from another bundle that was not added to its end; "
                    "delete that folder, or raise the version"
                ) from error

    def promote(
        self,
        bundle: Bundle,
        alias: str,
        compared_with: AliasTarget | None,
        *,
        why: str,
        who: str | None = None,
        forced: bool = False,
        gate: Sequence[str] = (),
    ) -> AliasChange:
        """Move an alias to a bundle that is here.

        Args:
            bundle: the new target.
            alias: the alias, made when it does not exist.
            compared_with: the alias's target that the decision was made against; when somebody moves the alias in
                between, nothing is changed.
            why: reason for the history.
            who: for the history; the user of this process by default.
            forced: whether the gate had refused.
            gate: the gate's remarks, for the history.

        Raises:
            RegistryError: the alias was moved meanwhile, or points there already.
        """
        target = AliasTarget(bundle=bundle.version_id, sha256=bundle.sha256)

        def change(_: Aliases) -> AliasChange:
            return AliasChange(
                at=_now(),
                who=who or _user(),
                action="promote",
                alias=alias,
                from_=compared_with,
                to=target,
                why=why,
                forced=forced,
                gate=tuple(gate),
            )

        return self._change(change, Aliases.promoted)

    def rollback(self, alias: str, *, why: str, who: str | None = None) -> AliasChange:
        """Move an alias back to where it pointed before its present target was promoted.

        Raises:
            RegistryError: there is nothing to go back to, or that bundle is gone.
            BundleError: that bundle is damaged.
        """

        def change(aliases: Aliases) -> AliasChange:
            target = aliases.previous(alias)
            _check_identity(self.read(BundleReference.parse(target.bundle)), alias, target)
            return AliasChange(
                at=_now(),
                who=who or _user(),
                action="rollback",
                alias=alias,
                from_=aliases.target(alias),
                to=target,
                why=why,
            )

        return self._change(change, Aliases.rolled_back)

    def _change(
        self, make: Callable[[Aliases], AliasChange], apply: Callable[[Aliases, AliasChange], Aliases]
    ) -> AliasChange:
        """Read, change and conditionally write the aliases, again when somebody else was quicker."""
        for _ in range(_TRIES):
            aliases, tag = self._read_aliases()
            change = make(aliases)
            content = apply(aliases, change).to_bytes()
            try:
                if tag is None:
                    self._objects.create(ALIASES_FILE, content)
                else:
                    self._objects.replace(ALIASES_FILE, content, tag)
            except ConflictError:
                continue
            return change
        raise RegistryError(f"{self.root}/{ALIASES_FILE} is being changed all the time; try again later")

    def evaluations(self, reference: BundleReference) -> list[tuple[str, bytes]]:
        """Stored metrics of a bundle: where each lies, and its content."""
        prefix = f"{reference.folder}/{_EVALUATIONS}/"
        stored = [(name, self._objects.read(name)) for name in self._objects.names() if name.startswith(prefix)]
        return [(f"{self.root}/{name}", found.data) for name, found in stored if found is not None]

    def keep_evaluation(self, reference: BundleReference, key: str, content: bytes) -> None:
        """Store metrics of a bundle; one document per key, the newest counts."""
        self._objects.put(f"{reference.folder}/{_EVALUATIONS}/{key}.json", content)

    def _read_aliases(self) -> tuple[Aliases, str | None]:
        stored = self._objects.read(ALIASES_FILE)
        if stored is None:
            return Aliases(), None
        return Aliases.from_bytes(stored.data, f"{self.root}/{ALIASES_FILE}"), stored.tag


def registry_bundle(text: str, models_root: str | None, s3: S3Settings) -> Bundle | None:
    """The bundle for a `--models` value that is an alias or `name@version`; None when the value is a path.

    Raises:
        RegistryError: it is one, but no registry is configured or the registry lacks it.
        BundleError: the bundle is damaged.
    """
    if not looks_like_reference(text):
        return None
    if models_root is None:
        if Path(text).exists():
            return None
        raise RegistryError(
            f"{text} names a bundle of a registry, and no registry is set: set models_root (VITRINE_MODELS_ROOT), "
            f"or write ./{text} for a folder"
        )
    return Registry(models_root, s3).resolve(text)


def registry_folder(text: str | None, models_root: str | None, bundle: Bundle) -> Path | None:
    """Where a local registry holds the bundle that `registry_bundle` gave for `text`; None for paths and for S3."""
    if text is None or models_root is None or not looks_like_reference(text):
        return None
    root = resolve_location(models_root)
    return local_path(root) / bundle.manifest.name / bundle.manifest.version if scheme_of(root) == "file" else None


def _check_identity(bundle: Bundle, alias: str, target: AliasTarget) -> None:
    if bundle.sha256 != target.sha256:
        raise BundleError(
            f"bundle {bundle.version_id} is not the one that {alias} was set to (SHA-256 {bundle.sha256[:12]}..., not "
            f"{target.sha256[:12]}...): it was changed in place; restore it, or roll back"
        )


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container whose user has no name
        return "unknown"
