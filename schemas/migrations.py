"""Named schema migrations: the only way in which an existing table changes.

A migration has a name that is recorded in the table's properties once it has been applied, so that it runs once.
Contracts in `schemas/tables.py` describe the state after all of them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Migration:
    """One change of one table.

    Args:
        table: name of the table.
        name: e.g. "0001_add_ocr_lines"; migrations run in the order of `MIGRATIONS`.
        statements: SQL with `{table}` for the table, e.g. `ALTER TABLE {table} ADD COLUMNS (...)`.
    """

    table: str
    name: str
    statements: tuple[str, ...]


# Type and comment only: a migration says what it did when it was written, so it does not read the contract.
_DETECTIONS_AND_TEXT = (
    ("detections", "array<struct<label: string, box: struct<x_min: float, y_min: float, x_max: float, y_max: float>, "
     "score: float>>", "Boxes of the bundle''s detector; null when it has none"),
    ("text_lines", "array<struct<text: string, confidence: float, language: string, quad: array<float>, "
     "height_px: float>>", "Text read from the picture, in reading order"),
    ("text_fields", "array<struct<name: string, value: string, amount: float, unit: string, count: int, "
     "confidence: float, line: int, span_start: int, span_end: int, evidence: string>>",
     "Facts parsed from the text, most confident first within each name"),
    ("barcodes", "array<struct<digits: string, format: string, quad: array<float>>>",
     "Barcodes decoded from their bars"),
    ("text_status", "string", "read, no_text, too_small, failed; null when text was not looked for"),
    ("text_likelihood", "float", "The gate''s belief that the picture holds text [0..1]"),
)  # fmt: skip

_STATISTICS = {
    "catalog": "product_id,image_uri,updated_at,first_seen_at,changed_at,run_id",
    "images": "image_uri,status,size_bytes,content_sha256,bundle_version,modified_at,first_seen_at,changed_at,run_id",
    "image_attributes": "content_sha256,bundle_version,size_bytes,category,extracted_at,run_id",
    "products": "product_id,category,brand,price,fused_at,changed_at,run_id",
    "product_attributes": "product_id,attribute,value,source,run_id",
    "product_embeddings": "product_id,view,cell,content_sha256,indexed_at,run_id",
    "similar_products": "product_id,indexed_at,run_id",
    "search_documents": "product_id,language,indexed_at,run_id",
    "near_duplicates": "product_id,view,group_id,indexed_at,run_id",
    "quarantine": "quarantine_id,first_seen_at,last_seen_at,resolved_at,run_id",
    "runs": "run_id,stage,started_at,finished_at",
    "metrics": "run_id,metric,dimension,label,measured_at",
    "publications": "publication_id,published_at,run_id",
    "corrections": "correction_id,corrected_at,run_id",
}

MIGRATIONS: tuple[Migration, ...] = (
    Migration(
        "image_attributes",
        "0001_model_attributes",
        (
            "ALTER TABLE {table} ADD COLUMNS (model_attributes array<struct<attribute: string, value: string, "
            "confidence: float, is_stated: boolean>> COMMENT 'What the model''s attribute heads say, one per head' "
            "AFTER labels)",
        ),
    ),
    Migration(
        "image_attributes",
        "0002_detections_and_text",
        (
            "ALTER TABLE {table} ADD COLUMNS ("
            + ", ".join(
                f"{name} {type_} COMMENT '{comment}' AFTER {after}"
                for (name, type_, comment), after in zip(
                    _DETECTIONS_AND_TEXT,
                    ("model_attributes", *(column[0] for column in _DETECTIONS_AND_TEXT)),
                    strict=False,
                )
            )
            + ")",
            "ALTER TABLE {table} ADD COLUMNS (step_ms.detect float COMMENT 'The detector' AFTER models, "
            "step_ms.text float COMMENT 'Reading text and barcodes' AFTER detect)",
        ),
    ),
    Migration(
        "corrections",
        "0001_more_attributes",
        (
            "ALTER TABLE {table} DROP CONSTRAINT IF EXISTS attribute_known",
            "ALTER TABLE {table} ADD CONSTRAINT attribute_listed CHECK (attribute IN ('category', 'color', 'pattern', "
            "'shape', 'gender', 'season', 'usage', 'text_present', 'boxes', 'age_group', 'material', 'sleeve_length', "
            "'neckline', 'fit', 'care', 'brand', 'net_content', 'size'))",
        ),
    ),
    *(
        Migration(
            table,
            "0003_statistics",
            (f"ALTER TABLE {{table}} SET TBLPROPERTIES ('delta.dataSkippingStatsColumns' = '{columns}')",),
        )
        for table, columns in _STATISTICS.items()
    ),
    Migration(
        "image_attributes",
        "0004_copy_print",
        (
            "ALTER TABLE {table} ADD COLUMNS (copy_print string COMMENT 'What tells copies from look-alikes' "
            "AFTER perceptual_hash)",
        ),
    ),
    Migration(
        "product_embeddings",
        "0004_copy_print",
        (
            "ALTER TABLE {table} ADD COLUMNS (copy_print string COMMENT 'As in image_attributes; null for the whole "
            "product' AFTER perceptual_hash)",
        ),
    ),
    Migration(
        "near_duplicates",
        "0004_agreement_and_linked_id",
        (
            "ALTER TABLE {table} ADD COLUMNS (agreement float COMMENT 'Share of the two pictures'' cells that agree "
            "[0..1]' AFTER similarity, linked_id string COMMENT 'SHA-256 of the first of all contents that copies of "
            "copies connect with it' AFTER agreement)",
        ),
    ),
)
