"""Labelled titles that are easy to learn, and a text network trained on them in seconds."""

from pathlib import Path

from models.bundle import load_bundle
from models.families import family_of
from models.labelled import LabelledImage
from models.recipe import Phase, Recipe, TextSettings

RECIPE = Recipe(
    name="test-text",
    network="text",
    seed=3,
    phases=(Phase(size=32, images=5120, batch=64, learning_rate=0.02),),
    ema_decay=0.8,
    embedding_dimension=16,
    dropout=0.0,
    validate_every=2560,
    text=TextSettings(templates=0, buckets=512, pieces=10, width=24, channels=24, hidden=16, max_units=48),
)
TYPES = {"apparel/topwear/shirt": "shirt", "apparel/dresses-sets/dress": "dress", "groceries/fruit/apple": "apple"}
COLORS = ("red", "navy blue", "white")


def text_rows() -> list[LabelledImage]:
    """Titles of three types in three colors by twenty brands; every fifth for validation."""
    rows = []
    for number in range(180):
        path = list(TYPES)[number % 3]
        color = COLORS[number // 3 % 3]
        food = path.startswith("groceries")
        title = f"Brand{number % 20} {'fresh' if food else color} {TYPES[path]} {number}"
        rows.append(
            LabelledImage(
                path=Path("none.jpg"),
                image_path="none.jpg",
                dataset="titles",
                split="val" if number % 5 == 0 else "train",
                category=path,
                color="" if food else color,
                attributes={} if food else {"gender": "women" if "dress" in path else "men"},
                title=title,
                license="Apache-2.0",
            )
        )
    return rows


def train_text_bundle(out: Path):
    """Train and export; returns the bundle, the data and what was said."""
    family = family_of("text")
    said: list[str] = []
    data = family.load_data(text_rows(), RECIPE, out, lambda done, total: None)
    family.train(data, RECIPE, out, said.append, None)
    family.export(data, RECIPE, out, "0.1.0", said.append)
    return load_bundle(out / "bundle"), data, said
