"""The record of a data set check: what `check.json` holds, key by key."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BadFile(_Record):
    """A picture that is missing or cannot be read."""

    labels: str = Field(description="Labels file")
    line: int
    image_path: str
    reason: str = Field(description="Reason code, see docs/tables.md")
    detail: str


class UnknownLabel(_Record):
    """A label that means nothing in the taxonomy or the head."""

    dataset: str
    column: str
    label: str
    images: int
    suggestion: str | None = Field(description="The nearest known word, where one is near")


class AlikeLabels(_Record):
    """Two labels of one column that may be one."""

    dataset: str
    column: str
    label: str
    images: int
    other: str
    other_images: int
    same_words: bool = Field(description="They differ in case, hyphens, spaces or a plural s only")


class Twins(_Record):
    """Pictures of the same bytes, or nearly the same, that stand in different splits or say different things."""

    kind: str = Field(description="content: same bytes; near: perceptual hashes and tiny copies agree")
    splits: list[str]
    image_paths: list[str]
    labels: list[str] = Field(description="Their category labels")
    bits: int = Field(description="Bits in which the hashes differ; 0 for the same bytes")


class Balance(_Record):
    """How pictures are spread over the labels of one column."""

    dataset: str
    column: str
    labels: int
    images: int
    unlabelled: int
    largest: str
    largest_images: int
    smallest: str
    smallest_images: int
    median_images: float
    few: dict[str, int] = Field(description="Labels with fewer than 5 training pictures, and how many")
    untrained: list[str] = Field(description="Labels of val or test without a training picture")


class DatasetSummary(_Record):
    """One data set at a glance."""

    images: int
    splits: dict[str, int]
    licenses: dict[str, int] = Field(description="Pictures by license as stated; empty: none stated")
    boxes: int
    titles: int = Field(description="Pictures with a title")


class DataCheck(_Record):
    """Everything that was found."""

    schema_version: int = 1
    created_at: AwareDatetime
    labels: list[str]
    listed: int
    readable: int
    hamming: int = Field(description="Bits in which hashes of near-duplicates may differ")
    datasets: dict[str, DatasetSummary]
    bad_files: list[BadFile]
    listed_twice: list[str] = Field(description="Files that more than one line names")
    unknown_labels: list[UnknownLabel]
    alike_labels: list[AlikeLabels]
    leaks: list[Twins] = Field(description="Across splits")
    contradictions: list[Twins] = Field(description="Same bytes with different category labels")
    duplicates: int = Field(description="Pictures whose bytes an earlier picture has, in any split")
    near_duplicates: int = Field(description="Pairs of nearly the same pictures, in any split")
    balance: list[Balance]
    without_license: int
    without_split: int

    @property
    def problems(self) -> dict[str, int]:
        """What somebody should look at, with counts; only what occurs."""
        counts = {
            "files missing or unreadable": len(self.bad_files),
            "files listed twice": len(self.listed_twice),
            "labels unknown": len(self.unknown_labels),
            "labels that may be misspelt": len(self.alike_labels),
            "leaks between splits by content": sum(one.kind == "content" for one in self.leaks),
            "leaks between splits by near-duplicates": sum(one.kind == "near" for one in self.leaks),
            "same content with different labels": len(self.contradictions),
            "labels tested but never trained": sum(len(one.untrained) for one in self.balance),
            "pictures without a license": self.without_license,
            "pictures without a split": self.without_split,
        }
        return {name: count for name, count in counts.items() if count}
