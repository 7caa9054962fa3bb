"""Contracts of the tables about products: what fuse makes of all pictures and texts of a product."""

from __future__ import annotations

from schemas.contract import Array, Column, Struct, Table
from schemas.image_columns import BOX

CONFLICT = Struct(
    (
        Column("attribute", "string", "What the sources disagree on: category, color, gender, ..."),
        Column("value", "string", "What was chosen"),
        Column("source", "string", "Who says so: image, title, description, ocr, feed or correction"),
        Column("confidence", "float", "How sure that source is", "0..1"),
        Column("other_value", "string", "What the other source says"),
        Column("other_source", "string", "The other source"),
        Column("other_confidence", "float", "How sure the other source is", "0..1"),
    )
)

EVIDENCE = Struct(
    (
        Column("kind", "string", "image_region, palette, text_span, ocr_line, feed_column or correction"),
        Column("image_uri", "string", "Picture that shows it; null where no picture does"),
        Column("content_sha256", "string", "SHA-256 of that picture's bytes; joins to image_attributes"),
        Column("box", BOX, "Where in the picture; null where the whole picture or none says it"),
        Column("text", "string", "The words that say it, as written or read; the spelling of a feed column"),
        Column("span_start", "int", "First character of the words in title, description or line of text, from 0"),
        Column("span_end", "int", "End of the words, exclusive"),
        Column("share", "float", "Share of the product's pixels with the color (palette only)", "0..1"),
    )
)

PRODUCTS = Table(
    name="products",
    purpose="What a product is, from all its pictures and texts: one row per product of the feed, past or present.",
    columns=(
        Column("product_id", "string", "The shop's product identifier", nullable=False),
        Column("title", "string", "Title from the feed"),
        Column("brand", "string", "Brand from the feed, else as read on the product"),
        Column("name_en", "string", "Name made from the attributes found, English"),
        Column("name_zh", "string", "Name made from the attributes found, Chinese"),
        Column("description_en", "string", "Description made from the attributes found, English"),
        Column("description_zh", "string", "Description made from the attributes found, Chinese"),
        Column("category", "string", "Taxonomy path; null when no source is sure"),
        Column("category_confidence", "float", "Trust in the best path, also when it is too low to state it", "0..1"),
        Column("category_source", "string", "image, title, description, ocr, feed or correction: who says so most"),
        Column("category_path_en", "string", "The path in English words, e.g. Apparel > Topwear > T-Shirt"),
        Column("category_path_zh", "string", "The path in Chinese words"),
        Column("color", "string", "Name of the main color in the palette"),
        Column("color_confidence", "float", "Trust in `color`", "0..1"),
        Column("pattern", "string", "solid, striped, checked, dotted, printed or textured"),
        Column("shape", "string", "Contour class: rectangular, round, tall, wide, tapered_up, tapered_down, irregular"),
        Column("gender", "string", "Whom it is for, in the words of the attribute dictionary"),
        Column("season", "string", "Season it is for"),
        Column("usage", "string", "Occasion it is for"),
        Column("price", "decimal(12,2)", "Price from the feed, else as read on tag or pack", "`currency`"),
        Column("currency", "string", "ISO 4217 code where a tag or pack says it; null is the shop's currency"),
        Column("main_image_uri", "string", "Picture to show first: of the first views the best one"),
        Column("main_content_sha256", "string", "SHA-256 of that picture's bytes; null when it is not described"),
        Column("image_count", "int", "Active pictures of the product, described or not", nullable=False),
        Column("text", "string", "All text read from the pictures, one line each; null when there is none"),
        Column("barcodes", Array("string"), "Article numbers with a right check digit, from bars or digits"),
        Column("embedding", Array("float"), "Mean of the pictures' embeddings, L2-normalised; null without any"),
        Column("conflicts", Array(CONFLICT), "Where two sources are sure of different things"),
        Column("needs_review", "boolean", "A person should look: conflict, no or doubtful category", nullable=False),
        Column("quality_score", "float", "Usability of the main picture; null when it is not described", "0..1"),
        Column("is_publishable", "boolean", "Fit for shop pages, see the `fuse` settings", nullable=False),
        Column("is_active", "boolean", "False once no row of the feed names it", nullable=False),
        Column("input_hash", "string", "SHA-256 of all that the row was made from; tells a change", nullable=False),
        Column("bundle_version", "string", "Model bundle and feature code that made it", nullable=False),
        Column("fused_at", "timestamp", "When the row was computed", "UTC", nullable=False),
        Column("changed_at", "timestamp", "Start of the run that last changed the row", "UTC", nullable=False),
        Column("run_id", "string", "Run that last wrote the row", nullable=False),
    ),
    key=("product_id",),
    checks={
        "category_confidence_in_range": "category_confidence IS NULL OR category_confidence BETWEEN 0 AND 1",
        "color_confidence_in_range": "color_confidence IS NULL OR color_confidence BETWEEN 0 AND 1",
        "price_not_negative": "price IS NULL OR price >= 0",
        "image_count_not_negative": "image_count >= 0",
        "publishable_is_active": "NOT is_publishable OR (is_active AND category IS NOT NULL AND name_en IS NOT NULL)",
    },
    cluster_by=("product_id",),
    filtered_by=("category", "brand", "price"),
)

PRODUCT_ATTRIBUTES = Table(
    name="product_attributes",
    purpose="Every claim about an active product, chosen or not: one row per attribute, value and source.",
    columns=(
        Column("product_id", "string", "The product", nullable=False),
        Column("attribute", "string", "category, color, pattern, gender, material, net_content, ...", nullable=False),
        Column("value", "string", "Taxonomy path, word of the attribute dictionary or normalised text", nullable=False),
        Column("confidence", "float", "How sure the source is", "0..1", nullable=False),
        Column("source", "string", "image, title, description, ocr, feed or correction", nullable=False),
        Column("is_chosen", "boolean", "Whether it is the value that `products` states", nullable=False),
        Column("evidence", EVIDENCE, "What the claim rests on"),
        Column("model_version", "string", "Model bundle that made the claim; null for feed and corrections"),
        Column("run_id", "string", "Run that wrote the row", nullable=False),
    ),
    key=("product_id", "attribute", "value", "source"),
    checks={
        "confidence_in_range": "confidence BETWEEN 0 AND 1",
        "source_known": "source IN ('image', 'title', 'description', 'ocr', 'feed', 'correction')",
    },
    cluster_by=("product_id", "attribute"),
)
