"""Training recipes: everything that decides what comes out of `vitrine train`, as a checked JSON file."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

RECIPES = Path(__file__).parent / "recipes"

Share = Annotated[float, Field(ge=0, le=1)]


class RecipeError(ValueError):
    """A recipe cannot be used. The message names the file and the field."""


class CheckpointError(RuntimeError):
    """A checkpoint cannot be gone on with. The message names it and says what to do."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Phase(_Strict):
    """A stretch of training at one picture size.

    `images` are pictures seen by all processes together, not distinct ones.
    """

    size: int = Field(ge=16, description="px, of the square input")
    images: int = Field(ge=1)
    batch: int = Field(64, ge=2, description="pictures per step and process")
    learning_rate: float = Field(gt=0, description="of the heads, at the top of the schedule")
    trunk_share: Share = Field(0.25, description="of the learning rate, for the trunk")
    freeze: int | Literal["trunk"] | None = Field(None, description="blocks kept as they are, or the whole trunk")
    mixup: Share = Field(0.0, description="probability that a batch is mixed (Zhang et al. 2018)")


class TextSettings(_Strict):
    """What only the text network has; the size of its phases is the most units of a text."""

    templates: int = Field(ge=0, description="texts written from the taxonomy's words, beside the labelled ones")
    buckets: int = Field(16384, ge=64, description="numbers that words and parts of words are hashed into")
    pieces: int = Field(12, ge=4, description="most words, parts and concepts of a unit")
    width: int = Field(48, ge=8, description="of a piece's embedding")
    channels: int = Field(64, ge=8, description="of the convolution")
    hidden: int = Field(64, ge=8, description="of the GRU, each direction")
    max_units: int = Field(192, ge=16, description="of a product's texts, when the exported model reads them")


class PhotoShare(_Strict):
    """How many photos of a data set the detector learns from."""

    most: int = Field(ge=0, description="photos of the train split at most")
    shown: int = Field(ge=0, description="of these, shown to the teachers, which takes most of a second each")


class DetectorSettings(_Strict):
    """What only the detector has."""

    scenes: int = Field(ge=0, description="drawn scenes to learn from")
    validation_scenes: int = Field(ge=1, description="drawn scenes of another catalogue to validate on")
    tags: int = Field(ge=0, description="drawn price tags, pasted over pictures")
    photos: dict[str, PhotoShare] = Field(default_factory=dict, description="by data set")
    other_photos: PhotoShare = Field(description="of each other data set")
    validation_photos: int = Field(100, ge=0, description="photos of each data set's val split at most")
    saliency: str | None = Field(None, description="ONNX file of U2-Net-p, which says where products are in photos")

    def photos_of(self, dataset: str) -> PhotoShare:
        """How many photos of a data set are taken."""
        return self.photos.get(dataset, self.other_photos)


class Recipe(_Strict):
    """How a network is trained."""

    name: str
    network: str = Field(description="product, small-cnn, ...")
    seed: int = 0
    phases: tuple[Phase, ...] = Field(min_length=1)
    start_from: str | None = Field(None, description="folder of a finished training of the same network to begin with")
    start_share: Share = Field(
        0.0, description="of the weights begun with in those that come out (WiSE-FT, Wortsman et al. 2022)"
    )
    dataset_weights: dict[str, float] = Field(
        default_factory=dict, description="how often a data set's pictures are drawn, 1 by default"
    )
    balance: Share = Field(0.5, description="0 draws pictures evenly, 1 draws labels evenly")
    head_weights: dict[str, float] = Field(default_factory=dict, description="of the losses, 1 by default")
    smoothing: Share = 0.05
    weight_decay: float = Field(0.02, ge=0)
    ema_decay: Share = Field(0.998, description="of the weights' moving average, which is what is kept")
    embedding_dimension: int = Field(256, ge=8)
    pooling: Literal["mean", "attention"] = "mean"
    dropout: Share = 0.2
    export_size: int | None = Field(None, ge=16, description="px, of the exported model; the last phase's by default")
    rendered_products: int = Field(0, ge=0, description="drawn beside the photos, one or more pictures each")
    rendered_seed: int = 101
    validate_every: int = Field(10_000, ge=1, description="pictures between looks at the validation split")
    patience: int = Field(4, ge=1, description="looks without progress after which a phase ends")
    text: TextSettings | None = Field(None, description="for the text network only")
    detector: DetectorSettings | None = Field(None, description="for the detector only")

    @property
    def identity(self) -> str:
        """Fingerprint; a checkpoint of another recipe is not gone on with."""
        # Left out where they are not set, so that checkpoints made before there were such networks can be gone on with.
        unset = {name for name in ("text", "detector") if getattr(self, name) is None}
        return hashlib.sha256(self.model_dump_json(exclude=unset).encode()).hexdigest()[:16]


def load_recipe(name: str) -> Recipe:
    """A recipe by the name of a file in `models/recipes`, or by path.

    Raises:
        RecipeError: there is none, or it is not valid.
    """
    path = Path(name) if name.endswith(".json") else RECIPES / f"{name}.json"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in RECIPES.glob("*.json")))
        raise RecipeError(f"recipe {name} does not exist; take one of {known}, or the path of a .json file")
    try:
        return Recipe.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "document"
        raise RecipeError(f"recipe {path}: {place}: {first['msg']}") from error
