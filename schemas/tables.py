"""Contracts of every Delta table Vitrine writes."""

from __future__ import annotations

from schemas.contract import Array, Column, Map, Struct, Table
from schemas.corrections import CORRECTABLE
from schemas.image_columns import IMAGE_COLUMNS
from schemas.index_tables import INDEX_TABLES
from schemas.metrics_table import METRICS
from schemas.product_tables import PRODUCT_ATTRIBUTES, PRODUCTS

RUN_ID = Column("run_id", "string", "Run that last wrote the row", nullable=False)

CATALOG = Table(
    name="catalog",
    purpose="The feed as last seen: one row per product and picture.",
    columns=(
        Column("product_id", "string", "The shop's product identifier", nullable=False),
        Column("image_uri", "string", "Normalised URI of the picture: file:///... or s3://bucket/key", nullable=False),
        Column("view", "int", "Position of the picture among the product's pictures, from 0", nullable=False),
        Column("title", "string", "Title from the feed"),
        Column("description", "string", "Description from the feed"),
        Column("brand", "string", "Brand from the feed"),
        Column("category", "string", "Category from the feed, as the shop spells it"),
        Column("price", "decimal(12,2)", "Price from the feed", "shop currency"),
        Column("updated_at", "timestamp", "When the shop last changed the row, from the feed", "UTC"),
        Column("row_hash", "string", "SHA-256 of the feed's columns; tells a changed row", nullable=False),
        Column("is_active", "boolean", "False once the row is gone from the feed", nullable=False),
        Column("first_seen_at", "timestamp", "Start of the run that first saw the row", "UTC", nullable=False),
        Column("changed_at", "timestamp", "Start of the run that last changed the row", "UTC", nullable=False),
        RUN_ID,
    ),
    key=("product_id", "image_uri"),
    checks={"view_not_negative": "view >= 0", "price_not_negative": "price IS NULL OR price >= 0"},
    cluster_by=("product_id",),
)

IMAGES = Table(
    name="images",
    purpose="The manifest of pictures: one row per URI with its fingerprint and what became of it.",
    columns=(
        Column("image_uri", "string", "Normalised URI", nullable=False),
        Column("etag", "string", "Entity tag of the object; null for local files"),
        Column("size_bytes", "bigint", "Size when last looked at", "bytes"),
        Column("modified_at", "timestamp", "Modification time when last looked at", "UTC"),
        Column("status", "string", "pending, extracted or quarantined", nullable=False),
        Column("reason", "string", "Reason code while quarantined"),
        Column("is_active", "boolean", "False once no active catalogue row names it", nullable=False),
        Column("content_sha256", "string", "SHA-256 of the bytes last extracted; joins to image_attributes"),
        Column("bundle_version", "string", "Bundle whose attributes are current; joins to image_attributes"),
        Column("attempts", "int", "Failed attempts on the present content", nullable=False),
        Column("first_seen_at", "timestamp", "Start of the run that first saw the URI", "UTC", nullable=False),
        Column("changed_at", "timestamp", "Start of the run that last changed the row", "UTC", nullable=False),
        RUN_ID,
    ),
    key=("image_uri",),
    checks={
        "status_known": "status IN ('pending', 'extracted', 'quarantined')",
        "extracted_has_content": "status <> 'extracted' OR (content_sha256 IS NOT NULL AND bundle_version IS NOT NULL)",
        "quarantined_has_reason": "(status = 'quarantined') = (reason IS NOT NULL)",
        "attempts_not_negative": "attempts >= 0",
    },
    cluster_by=("image_uri",),
    filtered_by=("status", "size_bytes", "content_sha256", "bundle_version"),
)

IMAGE_ATTRIBUTES = Table(
    name="image_attributes",
    purpose="What the models and measures see in a picture: one row per distinct content and bundle version.",
    columns=(
        Column("content_sha256", "string", "SHA-256 of the picture's bytes", nullable=False),
        Column("bundle_version", "string", "Model bundle and feature code that made the row", nullable=False),
        *IMAGE_COLUMNS,
        Column("extracted_at", "timestamp", "When the row was computed", "UTC", nullable=False),
        RUN_ID,
    ),
    key=("content_sha256", "bundle_version"),
    checks={
        "sha256_is_hex": "content_sha256 RLIKE '^[0-9a-f]{64}$'",
        "pixels_positive": "width_px > 0 AND height_px > 0",
        "quality_in_range": "quality.score BETWEEN 0 AND 1",
        "category_confidence_in_range": "category_confidence IS NULL OR category_confidence BETWEEN 0 AND 1",
        "color_confidence_in_range": "color_confidence IS NULL OR color_confidence BETWEEN 0 AND 1",
    },
    cluster_by=("bundle_version", "content_sha256"),
    filtered_by=("size_bytes", "category"),
)

QUARANTINE = Table(
    name="quarantine",
    purpose="Feed rows and pictures that could not be used, each with its reason; resolved rows stay as history.",
    columns=(
        Column("quarantine_id", "string", "SHA-256 of stage and subject: one row per failing thing", nullable=False),
        Column("stage", "string", "ingest or extract", nullable=False),
        Column("product_id", "string", "Product of the feed row, or one product that shows the picture"),
        Column("image_uri", "string", "The URI at fault, as the feed spells it for feed rows"),
        Column("reason", "string", "Reason code, see docs/tables.md", nullable=False),
        Column("detail", "string", "What exactly was wrong"),
        Column("retryable", "boolean", "Whether it is tried again without a change", nullable=False),
        Column("attempts", "int", "Nights on which it failed with this content", nullable=False),
        Column("row_json", "string", "The feed row as JSON (ingest only)"),
        Column("first_seen_at", "timestamp", "First failure", "UTC", nullable=False),
        Column("last_seen_at", "timestamp", "Latest failure", "UTC", nullable=False),
        Column("resolved_at", "timestamp", "When it succeeded or left the feed; null while it stands", "UTC"),
        RUN_ID,
    ),
    key=("quarantine_id",),
    checks={"stage_known": "stage IN ('ingest', 'extract')", "attempts_positive": "attempts >= 1"},
    cluster_by=("quarantine_id",),
)

RUNS = Table(
    name="runs",
    purpose="One row per run and stage: what went in, what came out, how long it took, why it failed.",
    columns=(
        Column("run_id", "string", "Run", nullable=False),
        Column("stage", "string", "ingest, extract, publish, maintain or nightly", nullable=False),
        Column("status", "string", "running, succeeded or failed", nullable=False),
        Column("started_at", "timestamp", "Start", "UTC", nullable=False),
        Column("finished_at", "timestamp", "End; null while running", "UTC"),
        Column("seconds", "double", "Wall time", "s"),
        Column("counts", Map("string", "bigint"), "Rows by what became of them"),
        Column("reasons", Map("string", "bigint"), "Quarantined rows of this run by reason"),
        Column("images_per_second", "double", "Pictures extracted per second of the stage", "1/s"),
        Column("step_ms", Map("string", "double"), "Mean time per picture and step", "ms"),
        Column("bytes_read", "bigint", "Bytes fetched", "bytes"),
        Column("bundle_version", "string", "Model bundle and feature code"),
        Column("git_sha", "string", "Commit of the code, when known"),
        Column("settings_json", "string", "Settings of the run without secrets"),
        Column("input_snapshot", "string", "Feed's identity: path and version, or modification times"),
        Column("error", "string", "Why it failed, one line"),
    ),
    key=("run_id", "stage"),
    checks={"status_known": "status IN ('running', 'succeeded', 'failed')"},
)

PUBLICATIONS = Table(
    name="publications",
    purpose="Which Delta version of each table readers should see; the newest row is the present one.",
    columns=(
        Column("publication_id", "bigint", "Counts up from 1", nullable=False),
        Column("run_id", "string", "Run that published", nullable=False),
        Column("published_at", "timestamp", "When", "UTC", nullable=False),
        Column("versions", Map("string", "bigint"), "Delta version by table", nullable=False),
        Column("bundle_version", "string", "Bundle whose attributes are the published ones", nullable=False),
        Column(
            "checks",
            Array(
                Struct(
                    (
                        Column("name", "string", "Expectation"),
                        Column("passed", "boolean", "Whether it held"),
                        Column("observed", "string", "What was seen"),
                        Column("expected", "string", "What was asked"),
                    )
                )
            ),
            "What the quality gate looked at",
        ),
    ),
    key=("publication_id",),
    change_data_feed=False,
)

CORRECTIONS = Table(
    name="corrections",
    purpose="What people said is right: overrides what models say, and trains later ones. The latest word stands.",
    columns=(
        Column("correction_id", "string", "SHA-256 of kind, subject and attribute: one row per thing", nullable=False),
        Column("subject_kind", "string", "content (bytes of a picture), image (a URI) or product", nullable=False),
        Column("subject", "string", "content_sha256, image_uri or product_id, as the kind says", nullable=False),
        Column(
            "attribute",
            "string",
            "category, color, pattern, shape, gender, season or usage; of pictures also text_present and boxes, of "
            "products also material, brand, size, net_content, ...",
            nullable=False,
        ),
        Column(
            "value",
            "string",
            "The right taxonomy path, label or text; several materials joined by commas; boxes as JSON [{label, box}]",
            nullable=False,
        ),
        Column("predicted", "string", "What had been said when the picture was exported"),
        Column("image_uri", "string", "Picture that the person looked at"),
        Column("corrected_by", "string", "Who", nullable=False),
        Column("corrected_at", "timestamp", "When", "UTC", nullable=False),
        Column("note", "string", "What the person added"),
        Column("source", "string", "Name of the imported file", nullable=False),
        Column("run_id", "string", "Import that last wrote the row", nullable=False),
    ),
    key=("correction_id",),
    checks={
        "subject_kind_known": "subject_kind IN ('content', 'image', 'product')",
        "content_is_sha256": "subject_kind <> 'content' OR subject RLIKE '^[0-9a-f]{64}$'",
        "attribute_listed": f"attribute IN ({', '.join(repr(name) for name in CORRECTABLE)})",
    },
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        *(CATALOG, IMAGES, IMAGE_ATTRIBUTES, PRODUCTS, PRODUCT_ATTRIBUTES),
        *INDEX_TABLES,
        *(QUARANTINE, RUNS, METRICS, PUBLICATIONS, CORRECTIONS),
    )
}
