"""How much worse than the champion a candidate may be, figure by figure: the gate's defaults, and files of them.

A figure is a number of an evaluation's `metrics.json`, named by its dotted path. The first tolerance whose pattern fits
decides; those of a file come before the defaults. A figure that no pattern fits decides nothing.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator


class ToleranceError(ValueError):
    """A tolerance file cannot be used. Names the file and the entry."""


class Tolerance(BaseModel):
    """What is allowed of the figures that a pattern names."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    metric: str = Field(description="Dotted path with wildcards, e.g. heads.*.accuracy")
    better: Literal["higher", "lower", "ignore"] = Field(description="Which way is better; ignore looks at nothing")
    max_drop: float | None = Field(None, ge=0, description="Worse than the champion by this much, at most")
    relative: bool = Field(False, description="max_drop is a share of the champion's figure")
    least: float | None = Field(None, description="Lowest figure, whatever the champion's is")
    most: float | None = Field(None, description="Highest figure, whatever the champion's is")
    least_images: int = Field(50, ge=0, description="A figure whose neighbor `images` is smaller decides nothing")
    grace_images: int = Field(
        0, ge=0, description="most, as a share of the neighbor `images`, never means fewer pictures than this"
    )
    may_be_missing: bool = Field(False, description="A candidate without the figure is not refused for it")

    @model_validator(mode="after")
    def _says_something(self) -> Tolerance:
        if self.better != "ignore" and self.max_drop is None and self.least is None and self.most is None:
            raise ValueError("give max_drop, least or most, or better = 'ignore'")
        return self


_MEBIBYTE = 1024 * 1024

DEFAULT_TOLERANCES: tuple[Tolerance, ...] = (
    # A picture or two more or less right on a split of some hundred must not block a promotion.
    Tolerance(metric="category.levels.*.accuracy", better="higher", max_drop=0.01),
    Tolerance(metric="category.levels.*.macro_f1", better="higher", max_drop=0.02),
    Tolerance(metric="category.levels.*.ece", better="lower", max_drop=0.02, most=0.15),
    Tolerance(metric="category.hierarchical_accuracy", better="higher", max_drop=0.01),
    Tolerance(metric="category.stated.precision", better="higher", max_drop=0.02),
    Tolerance(metric="category.stated.stated_type", better="higher", max_drop=0.05),
    Tolerance(metric="category.vocabulary.*.accuracy", better="higher", max_drop=0.015, may_be_missing=True),
    Tolerance(metric="category.frequent_types.*.accuracy", better="higher", max_drop=0.015, may_be_missing=True),
    Tolerance(metric="heads.*.accuracy", better="higher", max_drop=0.015),
    Tolerance(metric="heads.*.macro_f1", better="higher", max_drop=0.03),
    Tolerance(metric="heads.*.ece", better="lower", max_drop=0.02, most=0.15),
    Tolerance(metric="common_colors.*.accuracy", better="higher", max_drop=0.015),
    Tolerance(metric="retrieval.recall_at_*", better="higher", max_drop=0.015),
    Tolerance(metric="retrieval.mean_average_precision", better="higher", max_drop=0.015),
    # What a bundle has never learnt depends on what it has: one that knows more has other unseen pictures, or none.
    Tolerance(metric="unseen.auroc*", better="higher", max_drop=0.03, may_be_missing=True),
    Tolerance(metric="unseen.stated_type", better="lower", max_drop=0.05, may_be_missing=True),
    Tolerance(metric="few_shot.*.accuracy", better="higher", max_drop=0.03, may_be_missing=True),
    Tolerance(metric="detection.*.ap50", better="higher", max_drop=0.02),
    Tolerance(metric="datasets.*.category.levels.type.accuracy", better="higher", max_drop=0.02),
    # Half a point; of a head that few pictures are labelled for, two of them.
    Tolerance(metric="bundle.int8_against_fp32.*.loss", better="lower", most=0.005, grace_images=2),
    Tolerance(
        metric="bundle.int8_against_fp32.embedding_cosine.mean", better="higher", least=0.95, may_be_missing=True
    ),
    # Measured when each bundle was exported, perhaps on another machine: only a coarse look.
    Tolerance(
        metric="bundle.milliseconds_per_image_by_batch.*",
        better="lower",
        max_drop=0.5,
        relative=True,
        may_be_missing=True,
    ),
    Tolerance(metric="bundle.bytes", better="lower", most=25 * _MEBIBYTE),
)
"""The gate's defaults, shares as 0..1."""

_LIST = TypeAdapter(tuple[Tolerance, ...])


def tolerance_for(metric: str, tolerances: Sequence[Tolerance]) -> Tolerance | None:
    """The first tolerance that fits, None when none does or it says to ignore the figure."""
    for tolerance in tolerances:
        if fnmatchcase(metric, tolerance.metric):
            return None if tolerance.better == "ignore" else tolerance
    return None


def read_tolerances(path: Path) -> tuple[Tolerance, ...]:
    """Read a TOML file of `[[tolerance]]` tables.

    Raises:
        ToleranceError: it is missing or wrong.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ToleranceError(f"tolerance file {path} cannot be read: {error.strerror}; check the path") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ToleranceError(f"tolerance file {path} is not TOML ({error})") from error
    unknown = sorted(set(document) - {"tolerance"})
    if unknown or "tolerance" not in document:
        raise ToleranceError(
            f"tolerance file {path}: write [[tolerance]] tables" + (f", not {unknown[0]}" if unknown else "")
        )
    try:
        return _LIST.validate_python(document["tolerance"])
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ToleranceError(f"tolerance file {path}: tolerance {place}: {first['msg']}") from error
