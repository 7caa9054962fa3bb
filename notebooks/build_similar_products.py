# Databricks notebook source
# MAGIC %md
# MAGIC # Similar products
# MAGIC Nearest neighbors by the embedding that every product carries: what "more like this" is made of. Nights keep the
# MAGIC table `similar_products` (stage `index`); this notebook shows what stands behind it, on a sample that fits in memory.

# COMMAND ----------

dbutils.widgets.text("tables", "/Volumes/main/vitrine/tables", "Tables root")
dbutils.widgets.text("most", "20000", "Products to compare, at most")

# COMMAND ----------

import numpy as np

from jobs.locations import resolve_location
from jobs.queries import register_tables

register_tables(spark, resolve_location(dbutils.widgets.get("tables")))
products = (
    spark.table("products")
    .where("is_active AND embedding IS NOT NULL")
    .orderBy("product_id")
    .limit(int(dbutils.widgets.get("most")))
    .select("product_id", "title", "category", "color", "main_image_uri", "embedding")
    .toPandas()
)
vectors = np.stack([np.asarray(one, np.float32) for one in products["embedding"]])
print(vectors.shape)

# COMMAND ----------

# Embeddings are L2-normalised, so the inner product is the cosine.
cosines = vectors @ vectors.T
np.fill_diagonal(cosines, -1)
nearest = np.argsort(-cosines, axis=1)[:, :4]
pairs = products[["product_id", "title"]].copy()
for place in range(min(3, nearest.shape[1])):
    pairs[f"similar_{place + 1}"] = products["product_id"].to_numpy()[nearest[:, place]]
    pairs[f"cosine_{place + 1}"] = np.round(cosines[np.arange(len(products)), nearest[:, place]], 3)
display(pairs.head(20))

# COMMAND ----------

# MAGIC %md
# MAGIC ## Do neighbors share category and color?

# COMMAND ----------

best = nearest[:, 0]
agreement = {
    name: float(np.mean(products[name].to_numpy()[best] == products[name].to_numpy())) for name in ("category", "color")
}
print(agreement)

# COMMAND ----------

import io

import matplotlib.pyplot as plt
from PIL import Image

from schemas.settings import FetchSettings, S3Settings
from udfs.fetch import Fetcher

fetcher = Fetcher(FetchSettings(), S3Settings())
rows = min(4, len(products))
asked = np.linspace(0, len(products) - 1, rows).astype(int)
figure, grid = plt.subplots(rows, 4, figsize=(8, 2.2 * rows), squeeze=False, layout="constrained")
for row, asking in enumerate(asked):
    for column, index in enumerate([asking, *nearest[asking, :3]]):
        axes = grid[row][column]
        axes.axis("off")
        fetched = fetcher.fetch(products["main_image_uri"].iloc[index])
        if fetched.data is not None:
            axes.imshow(Image.open(io.BytesIO(fetched.data)).convert("RGB"))
        label = products["product_id"].iloc[index]
        axes.set_title(label if column == 0 else f"{label}  {cosines[asking, index]:.2f}", fontsize=8)
fetcher.close()
display(figure)
