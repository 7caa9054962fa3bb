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

from jobs.evaluate import run_evaluation_command

labels = data if data.suffix == ".csv" else data / "labels.csv"
run_evaluation_command(
    [labels], out / "evaluation", bundle=str(made), split=dbutils.widgets.get("split"), robustness_images=0, quiet=True
)

# COMMAND ----------

import json

import pandas as pd

metrics = json.loads((out / "evaluation" / "metrics.json").read_text())


def figures(document, path=""):
    """Every number below `heads`, by its dotted name."""
    for name, value in document.items():
        if isinstance(value, dict):
            yield from figures(value, f"{path}{name}.")
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            yield f"{path}{name}", float(value)


table = pd.DataFrame(figures(metrics), columns=["figure", "value"])
display(table)

# COMMAND ----------

import matplotlib.pyplot as plt

accuracy = table[table["figure"].str.contains(r"(?:top1|accuracy)(?:\.value)?$")].tail(20)
figure, axes = plt.subplots(figsize=(8, 0.34 * max(1, len(accuracy)) + 1), layout="constrained")
axes.barh(accuracy["figure"], accuracy["value"], color="#17595b")
axes.set_xlim(0, 1)
axes.set_title(f"{made.name}: share of pictures that are right")
axes.spines[["top", "right"]].set_visible(False)
display(figure)
