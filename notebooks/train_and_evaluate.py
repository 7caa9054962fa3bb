# Databricks notebook source
# MAGIC %md
# MAGIC # Train and evaluate
# MAGIC A candidate bundle from labelled pictures, measured on pictures it has not seen. Promotion is a command of its own
# MAGIC (`vitrine models promote`), behind the gate. Needs the extra `train`; see `docs/training.md`.

# COMMAND ----------

dbutils.widgets.text("data", "/Volumes/main/vitrine/labels", "Data: a labels.csv or a folder of data sets")
dbutils.widgets.text("out", "/Volumes/main/vitrine/training", "Where checkpoints, bundle and evaluation go")
dbutils.widgets.text("recipe", "product", "Recipe of models/recipes, or a .json file")
dbutils.widgets.text("split", "test", "Split to measure on")

# COMMAND ----------

from pathlib import Path

from jobs.train import train

data, out = Path(dbutils.widgets.get("data")), Path(dbutils.widgets.get("out"))
made = train([data], out, dbutils.widgets.get("recipe"), version="0.0.1")
print(made)

# COMMAND ----------

from jobs.evaluate import read_labelled_set, run_evaluation, summary
from models.bundle import load_bundle
from models.evaluation import Options

labels = data if data.suffix == ".csv" else data / "labels.csv"
options = Options(split=dbutils.widgets.get("split"), limit=None, robustness_images=0)
evaluation = run_evaluation(load_bundle(made), read_labelled_set([labels]), options, out / "evaluation", quiet=True)
print(summary(evaluation))

# COMMAND ----------

import pandas as pd

levels = {f"category, {level}": record.accuracy for level, record in evaluation.category.levels.items()}
heads = {name: record.accuracy for name, record in evaluation.heads.items()}
table = pd.DataFrame((levels | heads).items(), columns=["figure", "value"]).dropna()
display(table)

# COMMAND ----------

import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(7, 0.4 * len(table) + 1), layout="constrained")
axes.barh(table["figure"], table["value"].astype(float), color="#17595b")
axes.set_xlim(0, 1)
axes.set_title(f"{evaluation.bundle.id}: share of pictures that are right")
axes.spines[["top", "right"]].set_visible(False)
display(figure)
