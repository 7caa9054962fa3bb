"""The record of an evaluation: what `metrics.json` holds, key by key.

Shares and scores are 0..1. A figure is null where there was nothing to measure it on.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Options(_Record):
    """What was asked for."""

    split: str | None = Field(description="Split that was evaluated; null: all")
    limit: int | None = Field(description="Most pictures to evaluate, drawn by chance; null: no limit")
    min_train_count: int = Field(20, description="Least training pictures of a frequent type")
    top_colors: int = Field(20, description="How many of the commonest colors count as common")
    robustness_images: int = Field(200, description="Pictures that are spoiled; 0: none")
    seed: int = Field(0, description="Seed of every draw: limit, few-shot episodes, spoiled pictures")


class BundleRecord(_Record):
    """The bundle that was measured."""

    id: str = Field(description="name@version")
    sha256: str = Field(description="SHA-256 of its manifest, which holds those of its files")
    size_bytes: int = Field(description="All files together")
    category_labels: int = Field(description="Labels of the category head")
    category_nodes: int = Field(description="Distinct taxonomy nodes that they stand for")
    heads: dict[str, int] = Field(description="Labels by attribute head")


class UnusedPicture(_Record):
    """A picture that is missing or could not be read."""

    image_path: str
    line: int = Field(description="Line of the labels file")
    reason: str = Field(description="Reason code, see docs/tables.md")
    detail: str


class LabelProblem(_Record):
    """A label that means nothing in the taxonomy or the head."""

    dataset: str
    label: str = Field(description="column: value")
    images: int


class DataRecord(_Record):
    """The pictures that were measured on."""

    labels: list[str] = Field(description="Names of the labels files")
    labels_sha256: list[str] = Field(description="Their SHA-256")
    listed: int = Field(description="Pictures in the labels files")
    chosen: int = Field(description="Of these, pictures of the split, within the limit")
    evaluated: int = Field(description="Of these, pictures that could be read")
    distinct: int = Field(description="Of these, distinct contents (SHA-256 of the bytes)")
    few_shot_pool: int = Field(description="Pictures of held-out types of other splits, used for few-shot only")
    datasets: dict[str, int] = Field(description="Evaluated pictures by data set")
    unused: list[UnusedPicture] = Field(description="Chosen pictures that are missing or could not be read")
    unknown_labels: list[LabelProblem] = Field(description="Labels that mean nothing here, most frequent first")


class ClassRecord(_Record):
    """One label."""

    images: int = Field(description="Pictures whose label it is")
    precision: Share | None = Field(description="Null when it was never the answer")
    recall: Share
    f1: Share


class BinRecord(_Record):
    """Pictures whose confidence lies in (low, high]."""

    low: float
    high: float
    images: int
    confidence: Share = Field(description="Mean probability of the answer")
    accuracy: Share


class ScoreRecord(_Record):
    """Answers against labels; the answer is the most probable label."""

    images: int = Field(description="Pictures whose label the bundle knows; all but accuracy_of_all is over these")
    unknown: int = Field(description="Pictures with a label that the bundle does not know")
    classes: int = Field(description="Distinct labels among `images`")
    accuracy: Share | None
    accuracy_interval: tuple[Share, Share] | None = Field(description="95% interval (Wilson)")
    accuracy_of_all: Share | None = Field(description="Accuracy with unknown labels counted as wrong")
    macro_precision: Share | None = Field(description="Mean over labels; one that was never the answer counts 0")
    macro_recall: Share | None
    macro_f1: Share | None
    ece: Share | None = Field(description="Expected calibration error, 15 bins of equal width")
    reliability: list[BinRecord]
    per_class: dict[str, ClassRecord]


class ShareRecord(_Record):
    """Accuracy over some pictures and among some labels."""

    images: int
    classes: int = Field(description="Labels among which the answer was chosen")
    accuracy: Share | None
    accuracy_interval: tuple[Share, Share] | None = Field(description="95% interval (Wilson)")


class StatedRecord(_Record):
    """What extraction would state, by the bundle's thresholds."""

    images: int = Field(description="Pictures with a category label")
    stated: Share | None = Field(description="Share for which any path is stated")
    stated_type: Share | None = Field(description="Share for which a type is stated")
    precision: Share | None = Field(description="Of the stated, share that agrees with the label as deep as both go")


class FrequentRecord(_Record):
    """Pictures of labels that are frequent enough to be learnt."""

    labels: list[str]
    unknown: int = Field(description="Pictures of frequent labels that the bundle does not know, not counted below")
    unrestricted: ShareRecord = Field(description="Answers among all labels of the bundle")
    in_vocabulary: ShareRecord | None = Field(description="Answers among the data sets' labels; null for colors")
    among_these: ShareRecord = Field(description="Answers among the frequent labels only, as published figures do")


class CategoryRecord(_Record):
    """The category head."""

    levels: dict[str, ScoreRecord] = Field(
        description="By level: department, category, type, leaf (types and varieties as fine as the bundle tells "
        "them). Probabilities are summed over a path's leaves. A coarse label counts at the levels that it has"
    )
    path_agreement: dict[str, Share] = Field(
        description="By level, share of pictures labelled at least so deep whose most probable leaf agrees down to it"
    )
    hierarchical_accuracy: Share | None = Field(
        description="Mean share of the label's path, from the top, on which the most probable leaf agrees; unknown "
        "labels included"
    )
    stated: StatedRecord
    vocabulary: dict[str, dict[str, ShareRecord]] = Field(
        description="By data set and level: the answer is chosen among that data set's own labels, over all its "
        "splits, by their summed probabilities; comparable with published figures. Levels with one label are left out"
    )
    frequent_types: FrequentRecord | None = Field(description="Types with at least min_train_count training pictures")


class RetrievalRecord(_Record):
    """Leave-one-out retrieval by cosine of embeddings; the same type or variety is relevant."""

    queries: int = Field(description="Pictures with another of their kind")
    gallery: int = Field(description="Distinct pictures that were searched")
    recall_at_1: Share
    recall_at_5: Share
    recall_at_10: Share
    mean_average_precision: Share


class UnseenRecord(_Record):
    """How well a low probability tells what the bundle has never learnt."""

    known: int = Field(description="Pictures whose label the bundle knows")
    unseen_types: int = Field(description="Pictures of taxonomy nodes that it does not know, held-out types among them")
    outside_taxonomy: int = Field(description="Pictures with a label that is not in the taxonomy")
    auroc: Share | None = Field(description="Known against both others, by the highest probability of a leaf")
    auroc_unseen_types: Share | None
    auroc_outside_taxonomy: Share | None
    stated_type: Share | None = Field(description="Share of the unseen for which extraction would state a type")
    types: dict[str, int] = Field(description="Unseen nodes with their pictures")


class FewShotRecord(_Record):
    """Classification by the nearest mean of a few embeddings, on types that the bundle does not know."""

    ways: int
    shots: int
    accuracy: Share
    interval: float = Field(description="Half width of the 95% interval over episodes")
    episodes: int
    types: int = Field(description="Types with enough distinct pictures")


class DetectionRecord(_Record):
    """Boxes against labelled boxes; a picture's product region is its product box, else the union of its boxes."""

    images: int
    boxes: int
    ap50: Share = Field(description="Average precision at IoU 0.5")
    subject: str = Field(description="What a box is of")


class ConfusionRecord(_Record):
    """One kind of mistake at type level."""

    label: str
    answer: str
    images: int
    share: Share = Field(description="Of the pictures with that label")
    example: str = Field(description="image_path of the surest such mistake")


class MatrixRecord(_Record):
    """The most confused types: labels down, answers across; answers outside the list are left out."""

    labels: list[str]
    counts: list[list[int]]


class MistakeRecord(_Record):
    """A wrong answer, surest first."""

    image_path: str
    dataset: str
    head: str = Field(description="category (at type level) or an attribute head")
    label: str
    answer: str
    confidence: Share


class RobustnessRecord(_Record):
    """Accuracy on spoiled pictures."""

    kind: str
    strength: int = Field(description="0: untouched; 1 (slight) to 5")
    amount: float | None
    unit: str
    images: int
    type_accuracy: Share | None
    leaf_accuracy: Share | None
    heads: dict[str, Share] = Field(description="Accuracy by attribute head, where labelled")


class DatasetRecord(_Record):
    """One data set alone."""

    images: int
    category: CategoryRecord
    heads: dict[str, ScoreRecord]


class Evaluation(_Record):
    """Everything that was measured."""

    schema_version: int = 1
    created_at: AwareDatetime
    seconds: float = Field(description="Wall time")
    options: Options
    bundle: BundleRecord
    data: DataRecord
    category: CategoryRecord
    heads: dict[str, ScoreRecord] = Field(description="By attribute head, as far as it is labelled")
    common_colors: FrequentRecord | None = Field(description="Pictures of the commonest colors")
    retrieval: RetrievalRecord | None
    unseen: UnseenRecord
    few_shot: list[FewShotRecord] = Field(description="5 ways; 1, 5 and 10 shots as far as there are pictures")
    few_shot_types: dict[str, int] = Field(description="Types that took part, with their distinct pictures")
    detection: list[DetectionRecord] = Field(description="Empty when the bundle detects nothing or no box is labelled")
    confusions: list[ConfusionRecord]
    confusion_matrix: MatrixRecord
    mistakes: list[MistakeRecord]
    robustness: list[RobustnessRecord]
    datasets: dict[str, DatasetRecord] = Field(description="Category and heads by data set, when there are several")

    def figures(self) -> dict[str, float]:
        """Every figure by its dotted path, e.g. `category.levels.type.accuracy`, for comparing two bundles.

        Lists (classes, bins, mistakes) are left out, except few-shot, as `few_shot.5.accuracy` by shots.
        """
        document = self.model_dump(mode="json")
        document["few_shot"] = {str(one["shots"]): one for one in document["few_shot"]}
        document["detection"] = {one["subject"]: one for one in document["detection"]}
        for name in ("options", "bundle", "data", "seconds", "schema_version"):
            del document[name]
        return dict(_flat(document, ""))


def _flat(value: object, prefix: str) -> list[tuple[str, float]]:
    if isinstance(value, dict):
        return [pair for key, one in value.items() if key != "per_class" for pair in _flat(one, f"{prefix}{key}.")]
    return [(prefix[:-1], float(value))] if isinstance(value, int | float) else []
