# Databricks notebook source
# MAGIC %md
# MAGIC # Explore the tables
# MAGIC For analysts: coverage, colors, doubtful categories, what a night changed. More queries: `docs/queries.md`.

# COMMAND ----------

dbutils.widgets.text("tables", "/Volumes/main/vitrine/tables", "Tables root")

# COMMAND ----------

from jobs.locations import resolve_location
from jobs.queries import query, register_tables
from jobs.views import register_views

root = resolve_location(dbutils.widgets.get("tables"))
print(", ".join((*register_tables(spark, root), *register_views(spark, root))))

# COMMAND ----------

# MAGIC %md
# MAGIC ## Coverage by category

# COMMAND ----------

coverage = spark.table("category_coverage").orderBy("products", ascending=False).toPandas()
display(coverage)

# COMMAND ----------

import matplotlib.pyplot as plt

shown = coverage.head(20).iloc[::-1]
figure, axes = plt.subplots(figsize=(9, 0.34 * len(shown) + 1.2), layout="constrained")
axes.barh(shown["category_path_en"], shown["products"], color="#b9cfca", label="products")
axes.barh(shown["category_path_en"], shown["publishable"], color="#17595b", label="publishable")
axes.barh(shown["category_path_en"], shown["to_review"], color="#c98a2b", height=0.25, label="to review")
axes.set_xlabel("products")
axes.xaxis.get_major_locator().set_params(integer=True)
axes.legend(frameon=False, loc="lower right")
axes.spines[["top", "right"]].set_visible(False)
display(figure)

# COMMAND ----------

# MAGIC %md
# MAGIC ## How sure the models are
# MAGIC Bars are active pictures by confidence of their category; the tables keep guesses as well, so you can set your own
# MAGIC threshold.

# COMMAND ----------

confidence = spark.sql("""
    SELECT floor(least(category_confidence, 0.999) * 10) / 10 AS confidence, count(*) AS pictures
    FROM images i JOIN image_attributes a USING (content_sha256, bundle_version)
    WHERE i.is_active AND category_confidence IS NOT NULL GROUP BY 1 ORDER BY 1
""").toPandas()
figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
axes.bar(confidence["confidence"].astype(float) + 0.05, confidence["pictures"], width=0.09, color="#17595b")
axes.set_xlim(0, 1)
axes.set_xlabel("confidence of the category")
axes.set_ylabel("pictures")
axes.spines[["top", "right"]].set_visible(False)
display(figure)

# COMMAND ----------

# MAGIC %md
# MAGIC ## Products to look at

# COMMAND ----------

display(spark.table("products_to_review").limit(20).toPandas())

# COMMAND ----------

# MAGIC %md
# MAGIC ## What changed since the publication of a week ago

# COMMAND ----------

changes = query(
    spark,
    root,
    """
    SELECT _change_type AS change, _commit_version AS version, product_id, title, category, color
    FROM table_changes_by_path('{products_path}', {products_version_after_before}, {products_version})
    WHERE _change_type <> 'update_preimage' ORDER BY version, product_id
""",
).toPandas()
display(changes)
