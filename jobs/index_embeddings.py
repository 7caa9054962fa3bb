"""Index, first step: `product_embeddings`, and the cells that a large catalogue is divided into."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812 - its usual name

from jobs.index_rows import StagedChanges, stage_changes
from jobs.index_state import read_cells, write_cells
from jobs.run import Run
from jobs.small_objects import SmallObjects
from schemas.contract import ddl_columns
from schemas.index_tables import PRODUCT_EMBEDDINGS
from udfs.similar_cells import TRAINING_PER_CELL, Cells, Floats, cell_count, one_cell, train_cells
from udfs.spark_index import EMBEDDING_COLUMNS, PICTURE_FACTS, embedding_batches, first_vectors

# Cells are made anew when the catalogue has grown or shrunk by this factor since.
GROWTH = 1.5

PRODUCT_FACTS = ("embedding", "category", "color", "pattern", "brand", "main_image_uri", "main_content_sha256")
"""What rows of `product_embeddings` say of a product."""


def choose_cells(run: Run, objects: SmallObjects) -> tuple[Cells, int]:
    """The cells to use, and how many products have a vector.

    Cells are made when there are none or the catalogue has outgrown them; one cell, for a small catalogue, is not
    stored.
    """
    products = _embedded(run).count()
    if products <= run.settings.index.exact_products:
        return one_cell(products), products
    cells = read_cells(run, objects)
    if cells is None or not cells.trained_on / GROWTH <= products <= cells.trained_on * GROWTH:
        cells = train_cells(_sample(run, products), products)
        write_cells(run, objects, cells)
    return cells, products


def _embedded(run: Run) -> DataFrame:
    return run.store.read("products").where("is_active AND embedding IS NOT NULL")


def _sample(run: Run, products: int) -> Floats:
    """Vectors to make cells from, at most `MOST_CELLS * TRAINING_PER_CELL`: 164,000, 168 MB at 256 dimensions.

    Which ones is told by their ids: the same catalogue always gives the same cells.
    """
    wanted = cell_count(products) * TRAINING_PER_CELL
    share = min(1.0, wanted / products)
    place = F.pmod(F.xxhash64("product_id"), F.lit(1_000_000))
    drawn = _embedded(run).where(place < F.lit(int(share * 1_000_000) + 1)).select("product_id", "embedding")
    return first_vectors(drawn.toArrow(), wanted)


def stage_embeddings(run: Run, changed: DataFrame | None, cells: Cells) -> StagedChanges:
    """Compute the vectors of changed products.

    Args:
        run: the run.
        changed: product_id of products that may have changed; None: all.
        cells: the cells.
    """
    products, standing = _embedded(run), run.store.read("product_embeddings")
    catalog = run.store.read("catalog").where("is_active").select("product_id", "image_uri", "view")
    if changed is not None:
        products, standing, catalog = (
            part.join(changed, "product_id", "left_semi") for part in (products, standing, catalog)
        )
    described = run.store.read("images").where("is_active AND status = 'extracted'")
    attributes = run.store.read("image_attributes").where("embedding IS NOT NULL")
    pictures = (
        catalog.join(described.select("image_uri", "content_sha256", "bundle_version"), "image_uri")
        .join(
            attributes.select("content_sha256", "bundle_version", "perceptual_hash", "copy_print", "embedding"),
            ["content_sha256", "bundle_version"],
        )
        .select("product_id", F.struct("view", *PICTURE_FACTS, "embedding").alias("v"))
    )
    views = pictures.groupBy("product_id").agg(F.sort_array(F.collect_list("v")).alias("views"))
    complete = products.select("product_id", *PRODUCT_FACTS, "bundle_version").join(views, "product_id", "left")
    complete = complete.withColumn("views", F.coalesce("views", F.array().cast(views.schema["views"].dataType)))
    wanted = complete.mapInArrow(embedding_batches(cells), ddl_columns(EMBEDDING_COLUMNS))
    return stage_changes(run, PRODUCT_EMBEDDINGS, wanted, standing)
