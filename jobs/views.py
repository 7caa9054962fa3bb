"""Views for analysts: what the published version says of products, without knowing how the tables hang together.

Tables are paths, so no metastore is needed: `register_views` makes temporary views in a session (a notebook), `vitrine
views` prints the same as SQL, and creates them where a metastore can keep views. Every view reads the published
versions of its tables and therefore never sees half a night; make the views anew after a publication.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobs.locations import resolve_location
from jobs.publish import latest_publication
from jobs.spark_session import spark_session
from jobs.store import TableStore
from schemas.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class NothingPublishedError(RuntimeError):
    """The tables have no publication that holds products; says what to run."""


@dataclass(frozen=True)
class View:
    """A view.

    Args:
        name: its name.
        purpose: what it is for.
        query: SQL with `{table}` for a table at its published version.
    """

    name: str
    purpose: str
    query: str


VIEWS: tuple[View, ...] = (
    View(
        "published_products",
        "Products that are fit for shop pages",
        """\
SELECT product_id, title, brand, name_en, name_zh, description_en, description_zh, category, category_path_en,
  category_path_zh, category_confidence, category_source, color, color_confidence, pattern, shape, gender, season,
  usage, price, currency, main_image_uri, image_count, text, barcodes, quality_score, bundle_version, fused_at
FROM {products}
WHERE is_active AND is_publishable""",
    ),
    View(
        "published_product_attributes",
        "What is stated of these products, attribute by attribute, with source and evidence",
        """\
SELECT a.product_id, a.attribute, a.value, a.confidence, a.source, a.evidence, a.model_version
FROM {product_attributes} a
LEFT SEMI JOIN {products} p ON a.product_id = p.product_id AND p.is_active AND p.is_publishable
WHERE a.is_chosen""",
    ),
    View(
        "category_coverage",
        "Per category: how many products, how many are publishable, wait for review, lack color or picture",
        """\
SELECT coalesce(category_path_en, '(no category)') AS category_path_en, category, count(*) AS products,
  count_if(is_publishable) AS publishable, count_if(needs_review) AS to_review,
  count_if(size(conflicts) > 0) AS in_conflict, count_if(color IS NULL) AS without_color,
  count_if(quality_score IS NULL) AS without_picture, avg(category_confidence) AS mean_category_confidence
FROM {products}
WHERE is_active
GROUP BY category_path_en, category""",
    ),
    View(
        "attribute_coverage",
        "Per attribute and source: for how many active products it is stated, and how sure the source is",
        """\
SELECT attribute, source, count(DISTINCT CASE WHEN is_chosen THEN product_id END) AS products_stated,
  count(DISTINCT product_id) AS products_claimed, avg(confidence) AS mean_confidence
FROM {product_attributes}
GROUP BY attribute, source""",
    ),
    View(
        "products_to_review",
        "Active products that a person should look at, with what the sources disagree on",
        """\
SELECT product_id, title, name_en, category, category_confidence, main_image_uri,
  transform(conflicts, c -> concat(c.attribute, ': ', c.source, ' says ', c.value, ', ', c.other_source, ' says ',
  c.other_value)) AS conflicts
FROM {products}
WHERE is_active AND needs_review""",
    ),
)


def register_views(spark: SparkSession, root: str) -> tuple[str, ...]:
    """Make the views in this session, as temporary ones.

    Args:
        spark: the session.
        root: normalised tables root.

    Returns:
        Their names.

    Raises:
        NothingPublishedError: nothing has been published yet.
    """
    sources = published_sources(TableStore(spark, root))
    for view in VIEWS:
        spark.sql(f"CREATE OR REPLACE TEMPORARY VIEW {view.name} AS\n{view.query.format(**sources)}")
    return tuple(view.name for view in VIEWS)


def view_statements(sources: Mapping[str, str], schema: str | None = None) -> list[str]:
    """The statements that create the views.

    Args:
        sources: what stands for each table, see `published_sources`.
        schema: catalog and schema to create them in, e.g. main.shop; the session's own when None.
    """
    prefix = "" if schema is None else f"{quoted_name(schema)}."
    return [
        f"CREATE OR REPLACE VIEW {prefix}`{view.name}` COMMENT '{view.purpose}' AS\n{view.query.format(**sources)}"
        for view in VIEWS
    ]


def published_sources(store: TableStore) -> dict[str, str]:
    """How SQL names each published table at its published version.

    Raises:
        NothingPublishedError: nothing has been published yet, or nothing with products.
    """
    publication = latest_publication(store) if store.exists("publications") else None
    if publication is None or "products" not in publication.versions:
        raise NothingPublishedError(f"{store.root} has no published products; run `vitrine nightly` first")
    return {name: f"{store.sql_name(name)} VERSION AS OF {version}" for name, version in publication.versions.items()}


def quoted_name(name: str) -> str:
    """A dotted name with each part in back ticks, so that it can be nothing but a name."""
    return ".".join(f"`{part.replace('`', '``')}`" for part in name.split("."))


def make_views(settings: Settings, schema: str | None = None, *, create: bool = False) -> str:
    """What `vitrine views` does: the statements as text, carried out when asked for.

    Args:
        settings: where the tables are.
        schema: catalog and schema to create them in; the session's own when None.
        create: create them, which needs a metastore that keeps views.

    Raises:
        NothingPublishedError: nothing has been published yet.
    """
    store = TableStore(spark_session("vitrine views", settings.s3), resolve_location(settings.tables))
    statements = view_statements(published_sources(store), schema)
    if create:
        for statement in statements:
            store.spark.sql(statement)
    return "\n\n".join(f"{statement};" for statement in statements)
