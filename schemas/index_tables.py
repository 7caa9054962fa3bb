"""Contracts of the tables that search and recommendation read: vectors, similar products, documents, duplicates."""

from __future__ import annotations

from schemas.contract import Array, Column, Struct, Table

PRODUCT_VIEW = -1
"""`product_embeddings.view` of the row that stands for the whole product."""

NEIGHBOR = Struct(
    (
        Column("product_id", "string", "The similar product"),
        Column("rank", "int", "Place in the list, from 1; look-alikes of one kind are spread out, see docs"),
        Column("score", "float", "Cosine of the two vectors", "-1..1"),
        Column(
            "reason", "string", "What the two share: same type + color, same type + color + brand, ..., looks alike"
        ),
    )
)

DOCUMENT_ATTRIBUTE = Struct(
    (
        Column("attribute", "string", "Name in the attribute dictionary: color, pattern, gender, material, ..."),
        Column("value", "string", "Value in the attribute dictionary; the same in all languages"),
        Column("label", "string", "The value in the document's language"),
    )
)

DOCUMENT_FIELD = Struct(
    (
        Column("field", "string", "name, title, category, attributes, brand, description or text"),
        Column("tokens", "string", "The field's tokens, separated by spaces"),
        Column("boost", "float", "Weight of a match in this field against the others"),
    )
)

PRODUCT_EMBEDDINGS = Table(
    name="product_embeddings",
    purpose="Vectors of active products: one per picture, and one of the whole product (view -1) with the facts that "
    "a vector search filters by.",
    columns=(
        Column("product_id", "string", "The product", nullable=False),
        Column(
            "view",
            "int",
            "Picture's place among the product's described pictures, from 0; -1: the whole product",
            nullable=False,
        ),
        Column("image_uri", "string", "The picture; of the whole product the main picture"),
        Column("content_sha256", "string", "SHA-256 of that picture's bytes; joins to image_attributes"),
        Column(
            "vector", Array("float"), "L2-normalised; of the whole product the mean of its pictures", nullable=False
        ),
        Column(
            "norm",
            "float",
            "Length before it was normalised: 1 for a picture; of the whole product how far its pictures agree",
            "0..1",
        ),
        Column("perceptual_hash", "string", "64-bit hash of the picture as 16 hex digits; null for the whole product"),
        Column("copy_print", "string", "As in image_attributes; null for the whole product"),
        Column("category", "string", "Taxonomy path of the product"),
        Column("color", "string", "Main color of the product"),
        Column("pattern", "string", "Pattern of the product"),
        Column("brand", "string", "Brand of the product"),
        Column(
            "cell",
            "int",
            "Nearest centroid of the index, for searches that look at a few cells only; 0 in a small catalogue",
            nullable=False,
        ),
        Column("bundle_version", "string", "Model bundle that made the vector", nullable=False),
        Column("input_hash", "string", "Hash of what the row was made from; tells a change", nullable=False),
        Column("indexed_at", "timestamp", "Start of the run that last changed the row", "UTC", nullable=False),
        Column("run_id", "string", "Run that last wrote the row", nullable=False),
    ),
    key=("product_id", "view"),
    checks={"view_known": "view >= -1", "cell_not_negative": "cell >= 0"},
    cluster_by=("cell", "product_id"),
    filtered_by=("content_sha256",),
)

SIMILAR_PRODUCTS = Table(
    name="similar_products",
    purpose="The most similar other products of each product, best first: one list per product, at most 50 long.",
    columns=(
        Column("product_id", "string", "The product", nullable=False),
        Column("neighbors", Array(NEIGHBOR), "Similar products, best first", nullable=False),
        Column(
            "pool_floor",
            "float",
            "Lowest cosine among the candidates of the list, -2 when there were fewer than "
            "wanted: only a product above it can change the list",
            "-2..1",
            nullable=False,
        ),
        Column("bundle_version", "string", "Model bundle that made the vectors", nullable=False),
        Column("indexed_at", "timestamp", "Start of the run that last changed the list", "UTC", nullable=False),
        Column("run_id", "string", "Run that last wrote the row", nullable=False),
    ),
    key=("product_id",),
    checks={"at_most_50": "size(neighbors) <= 50"},
    cluster_by=("product_id",),
)

SEARCH_DOCUMENTS = Table(
    name="search_documents",
    purpose="What a search engine loads: one document per active product and language, tokens made.",
    columns=(
        Column("product_id", "string", "The product", nullable=False),
        Column("language", "string", "en or zh: language of names and labels", nullable=False),
        Column("title", "string", "Title from the feed, whatever its language"),
        Column("name", "string", "Name made from the attributes found"),
        Column("description", "string", "Description made from the attributes found"),
        Column("brand", "string", "Brand"),
        Column("category", "string", "Taxonomy path; the same in all languages"),
        Column("category_path", "string", "The path in words, e.g. Apparel > Topwear > T-Shirt"),
        Column("attributes", Array(DOCUMENT_ATTRIBUTE), "Stated values", nullable=False),
        Column("text", "string", "All text read from the pictures"),
        Column(
            "tokens",
            Array("string"),
            "Distinct tokens of all fields, sorted; see docs for how they are made",
            nullable=False,
        ),
        Column(
            "fields",
            Array(DOCUMENT_FIELD),
            "Tokens by field with the field's weight; empty fields are left out",
            nullable=False,
        ),
        Column(
            "facets",
            Array("string"),
            "What to filter and count by, as name=value: category and each category "
            "above it, color, pattern, ..., brand; values are the same in all languages",
            nullable=False,
        ),
        Column("barcodes", Array("string"), "Article numbers read from the pictures", nullable=False),
        Column("price", "decimal(12,2)", "Price", "`currency`"),
        Column("currency", "string", "ISO 4217 code; null is the shop's currency"),
        Column("image_uri", "string", "Picture to show"),
        Column("quality_score", "float", "Usability of that picture", "0..1"),
        Column("category_confidence", "float", "Trust in the category", "0..1"),
        Column("needs_review", "boolean", "A person should look", nullable=False),
        Column("is_publishable", "boolean", "Fit for shop pages", nullable=False),
        Column("input_hash", "string", "Hash of what the document was made from; tells a change", nullable=False),
        Column("indexed_at", "timestamp", "Start of the run that last changed the row", "UTC", nullable=False),
        Column("run_id", "string", "Run that last wrote the row", nullable=False),
    ),
    key=("product_id", "language"),
    checks={"language_known": "language IN ('en', 'zh')"},
    cluster_by=("product_id",),
)

NEAR_DUPLICATES = Table(
    name="near_duplicates",
    purpose="Pictures that show the same picture, resized, re-encoded, watermarked or a little cropped: one row per "
    "product and picture that is in such a group; pictures without a twin have no row.",
    columns=(
        Column("product_id", "string", "The product", nullable=False),
        Column("view", "int", "View as in product_embeddings", nullable=False),
        Column("group_id", "string", "SHA-256 of the group's first content in order of SHA-256", nullable=False),
        Column("image_uri", "string", "The picture", nullable=False),
        Column("content_sha256", "string", "SHA-256 of its bytes; equal in byte-identical pictures", nullable=False),
        Column(
            "nearest_sha256",
            "string",
            "The content that it agrees with most; its own when all are identical",
            nullable=False,
        ),
        Column("distance", "int", "Differing bits of the perceptual hashes of the two", "of 64", nullable=False),
        Column("similarity", "float", "Cosine of the vectors of the two", "-1..1", nullable=False),
        Column("agreement", "float", "Share of the two pictures' cells that agree, background left out", "0..1"),
        Column(
            "linked_id",
            "string",
            "SHA-256 of the first of all contents that copies of copies connect with it: one or more groups",
        ),
        Column("pictures", "int", "Rows of the group", nullable=False),
        Column("contents", "int", "Distinct contents of the group", nullable=False),
        Column("indexed_at", "timestamp", "Start of the run that last changed the row", "UTC", nullable=False),
        Column("run_id", "string", "Run that last wrote the row", nullable=False),
    ),
    key=("product_id", "view"),
    checks={"at_least_two": "pictures >= 2", "distance_in_range": "distance BETWEEN 0 AND 64"},
    cluster_by=("group_id",),
)

INDEX_TABLES = (PRODUCT_EMBEDDINGS, SIMILAR_PRODUCTS, SEARCH_DOCUMENTS, NEAR_DUPLICATES)
