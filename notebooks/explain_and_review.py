# Databricks notebook source
# MAGIC %md
# MAGIC # Explain and review
# MAGIC Why does a product have its attributes, and what should a person look at? What people decide goes back by
# MAGIC `vitrine data import` and overrides the models from the next night on.

# COMMAND ----------

dbutils.widgets.text("tables", "/Volumes/main/vitrine/tables", "Tables root")
dbutils.widgets.text("product_id", "", "Product; empty: the first that waits for review, else any")

# COMMAND ----------

from jobs.locations import resolve_location
from jobs.queries import register_tables
from jobs.views import register_views

tables = dbutils.widgets.get("tables")
root = resolve_location(tables)
register_tables(spark, root)
register_views(spark, root)
waiting = spark.sql("""
    SELECT p.product_id, p.title, p.name_en, p.category, p.category_confidence, r.conflicts
    FROM products p LEFT JOIN products_to_review r USING (product_id)
    WHERE p.is_active AND p.main_content_sha256 IS NOT NULL
    ORDER BY r.product_id IS NULL, size(r.conflicts) DESC, p.product_id LIMIT 20
""").toPandas()
display(waiting)

# COMMAND ----------

product_id = dbutils.widgets.get("product_id") or waiting["product_id"].iloc[0]
claims = (
    spark.table("product_attributes")
    .where("product_id = '" + product_id.replace("'", "\\'") + "'")
    .selectExpr(
        "attribute",
        "value",
        "round(confidence, 2) AS confidence",
        "source",
        "is_chosen",
        "evidence.kind",
        "evidence.text",
    )
    .orderBy("attribute", "is_chosen", ascending=[True, False])
    .toPandas()
)
display(claims)

# COMMAND ----------

# MAGIC %md
# MAGIC ## The picture, with the evidence on it

# COMMAND ----------

from jobs.explain import explain, explain_figure
from schemas.settings import Settings

explained = explain(product_id, Settings(tables=tables))
place, picture = explained.pictures[0]
print(place)
display(explain_figure(picture))
