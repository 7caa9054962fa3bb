# Databricks notebook source
# MAGIC %md
# MAGIC # Quickstart
# MAGIC Describe a folder of pictures with one function on a column, then run a whole night on it.
# MAGIC
# MAGIC Install Vitrine's wheel on the cluster (or as a library of this notebook) first; see `docs/operations.md`.

# COMMAND ----------

dbutils.widgets.text(
    "catalog", "/Volumes/main/vitrine/demo/catalog.csv", "Feed: a file, a table or a folder of pictures"
)
dbutils.widgets.text("tables", "/Volumes/main/vitrine/tables", "Tables root")
catalog, tables = dbutils.widgets.get("catalog"), dbutils.widgets.get("tables")

# COMMAND ----------

# MAGIC %md
# MAGIC ## One column in, one struct out
# MAGIC Workers read the pictures themselves; no pixels cross between Python and the JVM. What cannot be read has a reason.

# COMMAND ----------

from jobs.feed import locate_feed, open_feed
from jobs.session import bundle_source
from models.bundle import load_bundle
from schemas.settings import S3Settings
from udfs.extract import ExtractorConfig
from udfs.spark_extract import extract_image_udf

feed = open_feed(spark, locate_feed(catalog, S3Settings()))
folder = feed.base.removeprefix("file://")
config = ExtractorConfig(bundle=bundle_source(spark, load_bundle(), None), allowed_roots=(feed.base,))
extract_image = extract_image_udf(config)

# COMMAND ----------

from pyspark.sql import functions as F

some = feed.rows.where("image_uri LIKE 'images/%'").orderBy(F.desc("product_id")).limit(8)
seen = some.select("product_id", extract_image(F.concat(F.lit(f"{feed.base}/"), "image_uri")).alias("seen")).select(
    "product_id",
    "seen.status",
    "seen.reason",
    "seen.attributes.category",
    "seen.attributes.color",
    "seen.attributes.colors",
    "seen.attributes.pattern",
    "seen.attributes.quality.score",
)
described = seen.toPandas()
display(described.drop(columns="colors"))

# COMMAND ----------

# MAGIC %md
# MAGIC ## A night
# MAGIC The same, incrementally and with bookkeeping: run it again, and nothing is computed again.

# COMMAND ----------

from jobs.nightly import run_stages
from schemas.settings import Settings

run_id = run_stages(Settings(tables=tables, catalog=catalog), quiet=True)
print(run_id)

# COMMAND ----------

from jobs.locations import resolve_location
from jobs.queries import register_tables

root = resolve_location(tables)
register_tables(spark, root)
display(
    spark.sql(
        "SELECT stage, status, round(seconds, 1) AS seconds, counts FROM runs WHERE run_id = '" + run_id + "'"
    ).toPandas()
)

# COMMAND ----------

# MAGIC %md
# MAGIC ## What was seen

# COMMAND ----------

import matplotlib.pyplot as plt

counted = spark.sql("""
    SELECT a.color, min(a.colors[0].hex) AS hex, count(*) AS pictures
    FROM images i JOIN image_attributes a USING (content_sha256, bundle_version)
    WHERE i.is_active AND a.color IS NOT NULL GROUP BY a.color ORDER BY pictures
""").toPandas()
figure, axes = plt.subplots(figsize=(7, 0.35 * len(counted) + 1), layout="constrained")
axes.barh(counted["color"], counted["pictures"], color=counted["hex"], edgecolor="#8d867b", linewidth=0.6)
axes.set_xlabel("pictures")
axes.set_title("Main color of active pictures")
axes.spines[["top", "right"]].set_visible(False)
display(figure)
