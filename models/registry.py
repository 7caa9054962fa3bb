"""Names, aliases and history of a model registry: what `aliases.json` holds, and how an alias moves.

A registry is a folder or S3 prefix with bundles under `<name>/<version>/` and one `aliases.json` beside them. An alias
(`champion`, `candidate`, or any other name) points at one bundle by name, version and SHA-256. This module only knows
the document; `jobs.registry` reads and writes it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from models.manifest import Name, SemanticVersion, Sha256

CHAMPION = "champion"
CANDIDATE = "candidate"
ALIASES_FILE = "aliases.json"

Action = Literal["promote", "rollback"]

_NAME = TypeAdapter(Name)
_VERSION = TypeAdapter(SemanticVersion)
_LOOKS_LIKE_REFERENCE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*(@[^/\\]+)?")


class RegistryError(Exception):
    """A registry does not hold what was asked for, or refuses a change. Says which, and what to do."""


@dataclass(frozen=True, order=True)
class BundleReference:
    """Name and version of a bundle, spelled `name@version`."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"

    @property
    def folder(self) -> str:
        """Where the bundle lies below the registry's root."""
        return f"{self.name}/{self.version}"

    @classmethod
    def parse(cls, text: str) -> BundleReference:
        """Read `name@version`.

        Raises:
            RegistryError: it is not written so.
        """
        name, at, version = text.partition("@")
        try:
            return cls(_NAME.validate_python(name), _VERSION.validate_python(version))
        except ValidationError as error:
            raise RegistryError(
                f"{text!r} is no bundle: write name@version, e.g. product@1.2.0" + ("" if at else ", or an alias")
            ) from error


def looks_like_reference(text: str) -> bool:
    """Whether a text is written as an alias or as `name@version`, not as a path (which has a slash or a dot)."""
    return _LOOKS_LIKE_REFERENCE.fullmatch(text) is not None


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


def is_alias(text: str) -> bool:
    """Whether an alias may be called so."""
    try:
        _NAME.validate_python(text)
    except ValidationError:
        return False
    return True


class AliasTarget(_Strict):
    """What an alias points at; the SHA-256 keeps a bundle that was swapped in place from being taken for it."""

    bundle: str = Field(description="name@version")
    sha256: Sha256


class AliasChange(_Strict):
    """One line of the history."""

    at: AwareDatetime
    who: str
    action: Action
    alias: Name
    from_: Annotated[AliasTarget | None, Field(alias="from")] = None
    to: AliasTarget
    why: str
    forced: bool = Field(False, description="Whether the gate had refused")
    gate: tuple[str, ...] = Field((), description="What the gate compared and found wanting, one line each")


class Aliases(_Strict):
    """The content of `aliases.json`. Immutable: a change gives a new one."""

    schema_version: Literal[1] = 1
    aliases: dict[Name, AliasTarget] = Field(default_factory=dict)
    history: tuple[AliasChange, ...] = Field((), description="Oldest first")

    def target(self, alias: str) -> AliasTarget | None:
        """What the alias points at, None when it does not exist."""
        return self.aliases.get(alias)

    def of_bundle(self, reference: BundleReference) -> tuple[str, ...]:
        """The aliases that point at a bundle, sorted."""
        return tuple(sorted(alias for alias, target in self.aliases.items() if target.bundle == str(reference)))

    def promoted(self, change: AliasChange) -> Aliases:
        """With the alias moved to `change.to`.

        Raises:
            RegistryError: the alias points there already, or no longer at `change.from_`.
        """
        present = self.target(change.alias)
        if present != change.from_:
            raise RegistryError(
                f"{change.alias} was moved meanwhile: it is {_name(present)} now, not {_name(change.from_)}; "
                "nothing was changed, run it again"
            )
        if present == change.to:
            raise RegistryError(f"{change.alias} is {change.to.bundle} already; nothing was changed")
        return self._with(change)

    def previous(self, alias: str) -> AliasTarget:
        """What `rollback` goes back to: the target before the present one was promoted.

        Rolling back twice goes back twice; a bundle that was rolled back is not returned to.

        Raises:
            RegistryError: there is no such alias, or nothing before its present target.
        """
        if alias not in self.aliases:
            known = ", ".join(sorted(self.aliases)) or "none"
            raise RegistryError(f"there is no alias {alias!r}; the registry has {known}")
        targets: list[AliasTarget] = []
        for change in self.history:
            if change.alias != alias:
                continue
            if change.action == "promote":
                targets.append(change.to)
            else:
                targets.pop()
        if len(targets) < 2:
            raise RegistryError(f"{alias} has no previous target to roll back to; it is {self.aliases[alias].bundle}")
        return targets[-2]

    def rolled_back(self, change: AliasChange) -> Aliases:
        """With the alias moved back to `previous`.

        Raises:
            RegistryError: there is none, or `change` goes elsewhere because the alias was moved meanwhile.
        """
        if self.previous(change.alias) != change.to or self.target(change.alias) != change.from_:
            raise RegistryError(f"{change.alias} was moved meanwhile; nothing was changed, run it again")
        return self._with(change)

    def _with(self, change: AliasChange) -> Aliases:
        return Aliases(aliases={**self.aliases, change.alias: change.to}, history=(*self.history, change))

    def to_bytes(self) -> bytes:
        """As stored: JSON that a person can read."""
        return (self.model_dump_json(indent=2, by_alias=True, exclude_none=True) + "\n").encode()

    @classmethod
    def from_bytes(cls, content: bytes, origin: str) -> Aliases:
        """Read the stored document.

        Raises:
            RegistryError: it is damaged.
        """
        try:
            return cls.model_validate_json(content)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"])) or "document"
            raise RegistryError(
                f"{origin} is not valid ({place}: {first['msg']}); restore it from a copy, "
                "or delete it and promote again"
            ) from error


def _name(target: AliasTarget | None) -> str:
    return target.bundle if target else "nothing"
