"""The manifest of a model bundle: what it holds, how its models are fed and read, where they come from."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, model_validator

Resize = Literal["stretch", "crop", "pad"]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
# https://semver.org; build metadata (`+enrolled.3f2a...`) says what was added to the same weights.
SemanticVersion = Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$")]
Name = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Probability = Annotated[float, Field(ge=0, le=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FileEntry(_Strict):
    """Fingerprint of one file."""

    sha256: Sha256
    size: int = Field(ge=0, description="Bytes")


class InputSpec(_Strict):
    """How pixels are brought to the model: RGB or gray, values 0..255; normalization is inside the graph."""

    name: str = Field(description="Name of the graph's input")
    dtype: Literal["uint8"] = "uint8"
    layout: Literal["NHWC", "NCHW"] = "NHWC"
    height: int = Field(ge=1, description="px")
    width: int = Field(ge=1, description="px")
    channels: Literal[1, 3] = Field(3, description="3 for RGB, 1 for gray")
    bright_on_dark: bool = Field(
        False, description="Gray only: invert where the border is bright, so that the product is bright on dark"
    )
    resize: Resize = Field(
        description="stretch ignores the aspect ratio, crop cuts, pad adds white (black where bright_on_dark)"
    )
    region: Literal["image", "box"] = Field("image", description="Whole picture, or the product's box where known")
    box_margin: float = Field(0.0, ge=0, le=1, description="Added around the box, share of its longer side")

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of one prepared picture: (height, width, channels)."""
        return (self.height, self.width, self.channels)


class OutputSpec(_Strict):
    """Names of the graph's outputs."""

    logits: str = Field(description="(N, labels) float32, before softmax")
    embedding: str = Field(description="(N, embedding_dimension) float32, not normalized")


class Thresholds(_Strict):
    """Least probability at which a path of that level is stated; below it the parent is tried."""

    department: Probability
    category: Probability
    type: Probability


class Head(_Strict):
    """One attribute that the classify model names beside the category."""

    name: Annotated[str, Field(pattern=r"^[a-z]+(_[a-z]+)*$", description="Attribute: color, pattern, gender, ...")]
    output: str = Field(description="Name of the graph's output: (N, labels) float32, before softmax")
    labels_file: str = Field(description="JSON list of labels in the order of the logits")
    temperature: float = Field(gt=0, description="Logits are divided by it before softmax (Guo et al. 2017)")
    threshold: Probability = Field(description="Least probability at which the label is stated")


class Task(_Strict):
    """One thing a model of the bundle can do."""

    name: Literal["classify"]
    file: str = Field(description="ONNX file")
    input: InputSpec
    outputs: OutputSpec
    labels_file: str = Field(description="JSON list of labels in the order of the logits")
    label_to_taxonomy_file: str = Field(
        description="JSON object: label to taxonomy path; absent labels are no products"
    )
    temperature: float = Field(gt=0, description="Logits are divided by it before softmax (Guo et al. 2017)")
    thresholds: Thresholds
    heads: tuple[Head, ...] = Field((), description="Attributes that the same graph names")

    @property
    def files(self) -> tuple[str, ...]:
        """Names of the bundle's files that the task needs."""
        return (self.file, self.labels_file, self.label_to_taxonomy_file, *(head.labels_file for head in self.heads))


class DetectOutputSpec(_Strict):
    """Names of the detector's outputs, all float32, for an input of side S."""

    scores: str = Field(description="(N, 2, S/8, S/8) logits of product and tag")
    distances: str = Field(
        description="(N, 8, S/8, S/8) left, top, right, bottom of the product, then of the tag, quarters of S"
    )
    maps: str = Field(description="(N, 2, S/4, S/4) logits of product and text")


class DetectTask(_Strict):
    """Where products, tags and texts are in a picture; `udfs.detect` reads the outputs."""

    name: Literal["detect"]
    file: str = Field(description="ONNX file")
    input: InputSpec
    outputs: DetectOutputSpec
    product_threshold: Probability = Field(description="Least score of a product's box")
    tag_threshold: Probability = Field(description="Least score of a tag's box")
    text_threshold: Probability = Field(description="Least probability of text")
    mask_threshold: Probability = Field(description="Least probability of product in the mask")

    @property
    def files(self) -> tuple[str, ...]:
        """Names of the bundle's files that the task needs."""
        return (self.file,)


class TextInputSpec(_Strict):
    """How a text is brought to the model: `models.text_encoding` makes the numbers."""

    ids: str = Field(description="Name of the graph's input (N, units, pieces) int32: numbers of each unit's pieces")
    segments: str = Field(description="Name of the input (N, units) int32: 1 title, 2 description, 3 text in pictures")
    buckets: int = Field(ge=1, description="Words and parts of words are hashed into so many numbers, from 1 on")
    pieces: int = Field(ge=1, description="Most pieces of a unit")
    max_units: int = Field(ge=1, description="Units (words, Chinese characters) of all texts together; the rest is cut")


class TextOutputSpec(_Strict):
    """Names of the graph's outputs."""

    logits: str = Field(description="(N, labels) float32, before softmax")
    attention: str = Field(
        description="(N, 1 + heads, units) float32: how much each unit counted for the category and for each head"
    )


class UnderstandTask(_Strict):
    """What a product's texts say; `udfs.text_understanding` reads the outputs."""

    name: Literal["understand"]
    file: str = Field(description="ONNX file")
    input: TextInputSpec
    outputs: TextOutputSpec
    concepts_file: str = Field(description="JSON list of concepts (attribute=value) in the order of their numbers")
    labels_file: str = Field(description="JSON list of labels in the order of the logits")
    label_to_taxonomy_file: str = Field(description="JSON object: label to taxonomy path")
    temperature: float = Field(gt=0, description="Logits are divided by it before softmax (Guo et al. 2017)")
    thresholds: Thresholds
    heads: tuple[Head, ...] = Field((), description="Attributes that the same graph names")
    fusion_file: str | None = Field(None, description="Weights for pooling with the classify task; see udfs.fusion")

    @property
    def files(self) -> tuple[str, ...]:
        """Names of the bundle's files that the task needs."""
        own = (self.file, self.concepts_file, self.labels_file, self.label_to_taxonomy_file)
        fusion = (self.fusion_file,) if self.fusion_file else ()
        return (*own, *(head.labels_file for head in self.heads), *fusion)


AnyTask = Annotated[Task | DetectTask | UnderstandTask, Field(discriminator="name")]


class ManifestDraft(_Strict):
    """A manifest without the fingerprints, which `write_bundle` computes."""

    schema_version: Literal[1] = 1
    name: Name
    version: SemanticVersion
    created_at: AwareDatetime
    tasks: tuple[AnyTask, ...] = Field(min_length=1)
    embedding_dimension: int = Field(ge=0, description="0 where no task gives embeddings")
    training_data: str = Field(description="What the weights were trained on, and what calibrated them")
    metrics: dict[str, JsonValue] = Field(description="Measured figures, each with what it was measured on")
    licenses: dict[str, str] = Field(description="License by part")
    minimum_runtime: dict[str, str] = Field(description="Least version by package, e.g. onnxruntime: 1.22")
    prototypes_file: str | None = Field(None, description="Types enrolled from a few pictures; see models.prototypes")
    embedding_reference_file: str | None = Field(
        None, description="Sample of training embeddings, which enrolling needs; see models.prototypes"
    )

    @model_validator(mode="after")
    def _tasks_are_distinct(self) -> ManifestDraft:
        names = [task.name for task in self.tasks]
        if len(set(names)) != len(names):
            raise ValueError(f"tasks are named twice: {names}")
        if "classify" in names and not self.embedding_dimension:
            raise ValueError("embedding_dimension is 0, but the classify task gives embeddings")
        if self.prototypes_file and not self.embedding_reference_file:
            raise ValueError("prototypes_file needs embedding_reference_file")
        return self

    @property
    def side_files(self) -> tuple[str, ...]:
        """Names of the files that belong to no single task."""
        return tuple(name for name in (self.prototypes_file, self.embedding_reference_file) if name)


class Manifest(ManifestDraft):
    """A complete manifest."""

    files: dict[str, FileEntry] = Field(min_length=1)
