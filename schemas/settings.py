"""Typed settings: defaults < settings file (TOML) < environment (`VITRINE_...`) < command-line flags."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from schemas.reasons import Reason

MEBIBYTE = 1024 * 1024


def _split(value: Any) -> Any:
    """Accept a comma-separated string, as environment variables and flags carry it."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


class S3Settings(BaseModel):
    """How to reach S3. Credentials are not settings: they come from the usual AWS chain."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    endpoint_url: str | None = Field(None, description="Custom endpoint, e.g. of MinIO or a test server")
    region: str | None = Field(None, description="Region; default from the AWS chain, else us-east-1")
    path_style: bool = Field(False, description="Address buckets in the path; implied by a custom endpoint")


class IngestSettings(BaseModel):
    """How ingest finds what is new."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stat: Literal["always", "changed_rows"] = Field(
        "always",
        description="Look at every picture's etag or size and time each night, or only at those whose feed row changed",
    )


class FetchSettings(BaseModel):
    """How workers read pictures."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    concurrency: int = Field(8, ge=1, le=128, description="Parallel reads per worker process")
    window_bytes: int = Field(
        64 * MEBIBYTE, ge=1, description="Bytes read ahead of the computation, per worker process"
    )
    max_image_bytes: int = Field(64 * MEBIBYTE, ge=1, description="Larger files are quarantined as too_large")
    connect_timeout_s: float = Field(5.0, gt=0, description="Seconds to connect")
    read_timeout_s: float = Field(20.0, gt=0, description="Seconds between bytes")
    attempts: int = Field(4, ge=1, le=20, description="Tries per picture within a run")
    backoff_s: float = Field(0.2, ge=0, description="First wait between tries; doubles each time, with jitter")


class DecodeSettings(BaseModel):
    """What may be decoded, and how large."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_pixels: int = Field(
        120_000_000, ge=1, description="Pictures with more pixels in the header are quarantined as too_many_pixels"
    )
    working_side: int = Field(
        800, ge=64, description="Pictures are decoded to about this long side (px); JPEGs by scaled decoding"
    )


TextEngine: TypeAlias = Literal["auto", "onnxruntime", "openvino"]


class TextSettings(BaseModel):
    """What is read in pictures, and how much."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    read: bool = Field(True, description="Read text where the detector, or a cheap look, sees some")
    barcodes: bool = Field(True, description="Decode barcodes around text")
    side_limit: int = Field(
        640, ge=64, le=2048, description="Regions of text are looked at with at most this long side (px)"
    )
    most_lines: int = Field(100, ge=1, le=1000, description="Lines read per region of text, at most: the surest")
    engine: TextEngine = Field(
        "auto",
        description="What reads lines: onnxruntime; openvino, in bfloat16; auto, openvino where it is installed, the "
        "CPU multiplies bfloat16 and there is work enough",
    )


class ExtractSettings(BaseModel):
    """How the extract stage cuts its work."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    wave_images: int = Field(
        20_000, ge=1, description="Pictures per wave; a run that dies loses at most one wave of work"
    )
    micro_batch: int = Field(16, ge=1, le=512, description="Pictures per model call")
    partition_images: int = Field(128, ge=1, description="Pictures per Spark task")
    max_attempts: int = Field(5, ge=1, description="Nights on which a retryable failure is tried")
    retry_after_hours: float = Field(
        12.0, ge=0, description="A retryable failure is left alone for this long, so that a second run changes nothing"
    )

    retry_reasons: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Reasons to try again now whatever their attempts, e.g. too_large after raising that limit"
    )

    @field_validator("retry_reasons", mode="before")
    @classmethod
    def _split_reasons(cls, value: Any) -> Any:
        return _split(value)

    @field_validator("retry_reasons")
    @classmethod
    def _known_reasons(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        unknown = sorted(set(value) - set(Reason))
        if unknown:
            raise ValueError(f"{', '.join(unknown)} is no reason code; see docs/tables.md")
        return value


class FuseSettings(BaseModel):
    """How pictures, texts and the feed make one product."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    category_confidence: float = Field(
        0.5, gt=0, le=1, description="Least trust in a taxonomy path for it to be stated; the deepest such path is"
    )
    attribute_confidence: float = Field(
        0.5, gt=0, le=1, description="Least trust in another attribute for it to be stated"
    )
    feed_category_trust: float = Field(
        0.9,
        ge=0.5,
        le=1,
        description="Probability that the feed's category, where the taxonomy knows it, is right; at most 0.99 is used",
    )
    conflict_confidence: float = Field(
        0.8, gt=0, le=1, description="Two sources that are at least this sure of different things are in conflict"
    )
    review_confidence: float = Field(
        0.6, ge=0, le=1, description="Products with a less sure category are marked for review"
    )
    publish_quality: float = Field(
        0.2, ge=0, le=1, description="Least quality score of the main picture of a publishable product"
    )
    partition_products: int = Field(512, ge=1, description="Products per Spark task")


class GateSettings(BaseModel):
    """What publish asks before readers see a night."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_quarantined_share: float = Field(0.25, ge=0, le=1, description="Active pictures in quarantine, at most")
    max_rejected_rows_share: float = Field(0.25, ge=0, le=1, description="Feed rows in quarantine, at most")
    max_shrink_share: float = Field(0.5, ge=0, le=1, description="Loss of active products against yesterday, at most")
    max_pending_share: float = Field(0.0, ge=0, le=1, description="Active pictures not yet looked at, at most")
    max_uncategorized_share: float = Field(
        1.0, ge=0, le=1, description="Active products without a category, at most; lower it once you know your shop"
    )
    max_category_loss_share: float = Field(
        0.2, ge=0, le=1, description="Products that had a category when last published and have none now, at most"
    )
    max_missing_share: float = Field(
        0.5, ge=0, le=1, description="Active pictures without a color, pattern or shape, at most"
    )
    max_drift: float = Field(
        0.25,
        ge=0,
        le=1,
        description="Jensen-Shannon divergence of categories, colors etc. from the last night, week, bundle; at most",
    )
    drift_min_pictures: int = Field(
        200, ge=1, description="Drift is judged when both sides have so many pictures; fewer jump by chance"
    )
    max_feed_age_hours: float | None = Field(
        None, gt=0, description="Age of the newest updated_at in the feed, at most; none: not asked"
    )


class IndexSettings(BaseModel):
    """What search and recommendation read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    exact_products: int = Field(
        20_000, ge=1, description="Up to so many products each is compared with every other; beyond, near cells are"
    )
    shard_products: int = Field(50_000, ge=1, description="Products whose similar ones a Spark task finds, at most")
    spread: float = Field(
        0.01,
        ge=0,
        le=1,
        description="Cosine by which a similar product sinks for each better one of the same brand, type and color",
    )
    max_touched: int = Field(
        20_000, ge=0, description="When more vectors than this changed, all lists of similar products are made anew"
    )


class MaintainSettings(BaseModel):
    """Housekeeping of tables."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    optimize: bool = Field(True, description="Compact and cluster tables")
    vacuum_retention_hours: int = Field(
        168,
        ge=0,
        description="Files unreferenced for longer go, once per such period; the published version is always kept",
    )
    old_bundles_kept: int = Field(2, ge=1, description="Bundle versions whose image_attributes rows are kept")


class ServeSettings(BaseModel):
    """The search service and what it puts up with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field("127.0.0.1", description="Address to listen on; others than this machine's need a proxy in front")
    port: int = Field(8080, ge=0, le=65535, description="Port to listen on; 0 takes a free one")
    hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Names under which browsers may reach it, beside this machine's own; others are refused"
    )
    cache: str | None = Field(None, description="Folder for what is built of each published version")
    poll_seconds: float = Field(15.0, gt=0, description="How often to look for a newly published version")
    max_upload_bytes: int = Field(10 * MEBIBYTE, ge=1024, description="Larger pictures to search by are refused")
    max_upload_pixels: int = Field(50_000_000, ge=1, description="Pictures of more pixels are refused")
    picture_workers: int = Field(1, ge=1, le=64, description="Processes that look at pictures to search by")
    picture_queue: int = Field(16, ge=1, le=1024, description="Pictures that may wait; further ones are turned away")
    picture_seconds: float = Field(20.0, gt=0, description="A picture that takes longer is given up")
    picture_memory_bytes: int = Field(
        4096 * MEBIBYTE, ge=512 * MEBIBYTE, description="Address space of a process that looks at pictures"
    )
    requests_per_minute: int = Field(1200, ge=1, description="Requests of one client; further ones are turned away")
    pictures_per_minute: int = Field(60, ge=1, description="Searches by picture and heat maps of one client")
    user_header: str | None = Field(
        None, description="Header in which a proxy names the user; who corrected is taken from it"
    )
    read_only: bool = Field(False, description="Take no corrections")

    @field_validator("hosts", mode="before")
    @classmethod
    def _split_hosts(cls, value: Any) -> Any:
        return _split(value)


class Settings(BaseSettings):
    """Everything a job can be told. Unknown keys are errors."""

    model_config = SettingsConfigDict(
        env_prefix="VITRINE_", env_nested_delimiter="__", frozen=True, extra="forbid", toml_file=None
    )

    tables: str = Field(description="Tables root: a folder, file:// or s3:// prefix")
    catalog: str | None = Field(
        None, description="Feed: CSV, Parquet, JSON, Delta, a folder of pictures or an S3 prefix"
    )
    models: str | None = Field(
        None,
        description="Model bundle: folder, .zip, or alias or name@version of the registry; default: the shipped one",
    )
    models_root: str | None = Field(None, description="Model registry: a folder or s3:// prefix")
    allowed_roots: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Roots that pictures may be read from; default: the feed's own folder, or bucket"
    )
    enhance: bool = Field(True, description="Correct white balance, contrast and noise where the measures call for it")
    lease_seconds: int = Field(120, ge=5, description="A writer that stops renewing its lease loses it after this long")
    s3: S3Settings = S3Settings()
    ingest: IngestSettings = IngestSettings()
    fetch: FetchSettings = FetchSettings()
    decode: DecodeSettings = DecodeSettings()
    text: TextSettings = TextSettings()
    extract: ExtractSettings = ExtractSettings()
    fuse: FuseSettings = FuseSettings()
    gate: GateSettings = GateSettings()
    index: IndexSettings = IndexSettings()
    maintain: MaintainSettings = MaintainSettings()
    serve: ServeSettings = ServeSettings()

    @field_validator("catalog", "models", "models_root", mode="before")
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:
        """A scheduler passes an empty text where nothing was chosen."""
        return None if value == "" else value

    @field_validator("allowed_roots", mode="before")
    @classmethod
    def _split_roots(cls, value: Any) -> Any:
        return _split(value)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags (init) win over the environment, which wins over the file named by VITRINE_CONFIG."""
        config = os.environ.get("VITRINE_CONFIG")
        sources = [init_settings, env_settings]
        if config:
            sources.append(TomlConfigSettingsSource(settings_cls, toml_file=Path(config)))
        return tuple(sources)
