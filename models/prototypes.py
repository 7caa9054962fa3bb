"""Types that were enrolled from a few pictures, and what they are told apart from: two side files of a bundle.

`prototypes.json` holds the enrolled types (`PrototypeTable`): path, names, prototypes in embedding space, and the
figures by which a picture is recognized. `embedding_reference.npz` holds a sample of the embeddings of training
pictures (`EmbeddingReference`), without which no threshold can be set. The export of a trained bundle adds it by
`models.export_product.reference_of` and `models.compose.with_reference`.

Nothing here imports torch, onnx or onnxruntime.
"""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from schemas.taxonomy import Taxonomy, TaxonomyError, TaxonomyNode

Floats: TypeAlias = NDArray[np.float32]

PROTOTYPES_FILE = "prototypes.json"
REFERENCE_FILE = "embedding_reference.npz"

KNOWN_WEIGHT = 0.5
"""How much the similarity to the nearest known type takes off the similarity to a prototype. Chosen on types held out
from training (0, 0.5 and 1 tried, ImageNet embedding): at 1% false claims 0.5 found 82% with 5 pictures, 0 found 74%,
1 found 81%, and 1 claimed more pictures of other unknown types."""

PICTURES_PER_LEAF = 16

Share = Annotated[float, Field(ge=0, le=1)]


class PrototypeError(ValueError):
    """A side file of a bundle is damaged. The message says which and what to do."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Calibration(_Strict):
    """How a type's threshold and confidence were found, and what to expect of them.

    Known types are treated as new ones, one after the other: taken out of the reference, enrolled from as many of their
    pictures, and looked for among all others.
    """

    false_claims: Share = Field(description="Share of known products that score above the threshold, as asked for")
    expected_share: Share = Field(description="Share of the new type among pictures, that confidence is stated for")
    shots: int = Field(description="Pictures per simulated type")
    simulated_types: int = Field(description="Simulations")
    expected_recall: Share = Field(description="Of a simulated type's other pictures, share above the threshold")
    leave_one_out: list[float] = Field(description="Scores of the pictures, each against the prototype of the others")
    nearest_known: list[tuple[str, Share]] = Field(
        description="Known types most often above the threshold, and how often"
    )


class EnrolledType(_Strict):
    """One enrolled type."""

    path: str = Field(description="Taxonomy path; may be one that taxonomy.json lacks, below a parent that it has")
    name_en: str
    name_zh: str
    prototypes: list[str] = Field(min_length=1, description="Base64 of float32 vectors of unit length, little-endian")
    threshold: float = Field(description="Least score; see udfs.prototypes")
    slope: float = Field(gt=0, description="Of the logistic curve from score above the threshold to confidence")
    offset: float = Field(description="Of that curve at the threshold")
    pictures: list[str] = Field(min_length=1, description="SHA-256 of the pictures that it was enrolled from")
    enrolled_at: AwareDatetime
    calibration: Calibration

    def vectors(self) -> Floats:
        """The prototypes, (P, dimension) float32."""
        return np.stack([np.frombuffer(base64.b64decode(one), "<f4") for one in self.prototypes]).astype(np.float32)

    @property
    def parent(self) -> str:
        """The taxonomy path above."""
        return self.path.rpartition("/")[0]


class PrototypeTable(_Strict):
    """The content of `prototypes.json`."""

    schema_version: int = 1
    embedding_dimension: int = Field(ge=1)
    types: tuple[EnrolledType, ...]

    @property
    def paths(self) -> tuple[str, ...]:
        """Paths of the enrolled types, in the order of their probabilities."""
        return tuple(one.path for one in self.types)

    def extended(self, taxonomy: Taxonomy) -> Taxonomy:
        """The taxonomy with the enrolled types that it lacks.

        Raises:
            TaxonomyError: a parent is missing, or a name means something else there.
        """
        new = [one for one in self.types if one.path not in taxonomy]
        return taxonomy.with_nodes(
            [
                TaxonomyNode(
                    path=one.path,
                    name={"en": one.name_en, "zh": one.name_zh},
                    synonyms={"en": (), "zh": ()},
                    public_path=taxonomy.node(one.parent).public_path,
                )
                for one in new
            ]
        )

    def to_bytes(self) -> bytes:
        """As stored."""
        return (self.model_dump_json(indent=1) + "\n").encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> PrototypeTable:
        """Read the stored table.

        Raises:
            PrototypeError: it is damaged.
        """
        try:
            table = cls.model_validate_json(content)
            if any(one.vectors().shape[1] != table.embedding_dimension for one in table.types):
                raise PrototypeError(f"{PROTOTYPES_FILE} holds a prototype of another dimension; enroll the type again")
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"])) or "document"
            raise PrototypeError(f"{PROTOTYPES_FILE} is not valid ({place}: {first['msg']}); enroll again") from error
        except (ValueError, TaxonomyError) as error:
            raise PrototypeError(f"{PROTOTYPES_FILE} is not valid ({error}); enroll again") from error
        return table


def encode_vector(vector: Floats) -> str:
    """A prototype as it is stored."""
    return base64.b64encode(np.ascontiguousarray(vector, "<f4").tobytes()).decode()


@dataclass(frozen=True)
class EmbeddingReference:
    """Embeddings of training pictures: what a new type must be told apart from.

    Args:
        leaves: names of the leaves (taxonomy types or varieties), as in the labels.
        leaf_means: (L, D) float32, mean of the unit embeddings of each leaf's training pictures, not normalized.
        leaf_counts: (L,) int64, how many pictures each mean is of.
        background: (M, D) float32 of unit length, a sample with as many pictures of each leaf as there are up to
            `PICTURES_PER_LEAF`; stored as float16.
        background_leaf: (M,) int64, index into `leaves`.
    """

    leaves: tuple[str, ...]
    leaf_means: Floats
    leaf_counts: NDArray[np.int64]
    background: Floats
    background_leaf: NDArray[np.int64]

    @property
    def dimension(self) -> int:
        """Of the embeddings."""
        return int(self.leaf_means.shape[1])

    def centers(self) -> Floats:
        """Leaf means of unit length, (L, D) float32."""
        return unit(self.leaf_means)

    def to_bytes(self) -> bytes:
        """As stored: an .npz, the same bytes for the same values."""
        buffer = io.BytesIO()
        np.savez(
            buffer,
            leaves=np.array(self.leaves, np.str_),
            leaf_means=self.leaf_means.astype(np.float32),
            leaf_counts=self.leaf_counts.astype(np.int32),
            background=self.background.astype(np.float16),
            background_leaf=self.background_leaf.astype(np.int16),
        )
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> EmbeddingReference:
        """Read the stored arrays.

        Raises:
            PrototypeError: they are damaged or do not fit together.
        """
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
                found = cls(
                    tuple(str(leaf) for leaf in arrays["leaves"]),
                    arrays["leaf_means"].astype(np.float32),
                    arrays["leaf_counts"].astype(np.int64),
                    unit(arrays["background"].astype(np.float32)),
                    arrays["background_leaf"].astype(np.int64),
                )
        except (OSError, ValueError, KeyError, zipfile.BadZipFile, EOFError) as error:
            raise PrototypeError(f"{REFERENCE_FILE} cannot be read ({error}); export the bundle again") from error
        rows, leaves = len(found.background), len(found.leaves)
        shapes = (found.leaf_means.shape[:1], found.leaf_counts.shape, found.background_leaf.shape)
        fits = shapes == ((leaves,), (leaves,), (rows,)) and found.background.shape[1:] == found.leaf_means.shape[1:]
        if (
            not fits
            or not leaves
            or (rows and not 0 <= found.background_leaf.min() <= found.background_leaf.max() < leaves)
        ):
            raise PrototypeError(f"{REFERENCE_FILE} holds arrays that do not fit together; export the bundle again")
        return found


def build_reference(
    embeddings: Floats, nodes: Sequence[str], per_leaf: int = PICTURES_PER_LEAF, seed: int = 0
) -> EmbeddingReference:
    """Make the reference from the embeddings of training pictures.

    Args:
        embeddings: (N, D) float32, of unit length or not.
        nodes: (N) leaf of each picture; pictures with a coarser label are left out by the caller.
        per_leaf: pictures kept of each leaf.
        seed: of the draw.

    Raises:
        ValueError: there are no pictures, or the numbers differ.
    """
    if not len(nodes) or len(nodes) != len(embeddings):
        raise ValueError(f"{len(embeddings)} embeddings but {len(nodes)} labels")
    embeddings = unit(embeddings)
    leaves = tuple(sorted(set(nodes)))
    index = {leaf: number for number, leaf in enumerate(leaves)}
    of_row = np.array([index[node] for node in nodes], np.int64)
    generator = np.random.default_rng(seed)
    means = np.zeros((len(leaves), embeddings.shape[1]), np.float32)
    kept: list[NDArray[np.int64]] = []
    for leaf in range(len(leaves)):
        members = np.flatnonzero(of_row == leaf)
        means[leaf] = embeddings[members].mean(axis=0)
        kept.append(np.sort(generator.permutation(members)[:per_leaf]))
    rows = np.concatenate(kept)
    counts = np.bincount(of_row, minlength=len(leaves)).astype(np.int64)
    return EmbeddingReference(leaves, means, counts, embeddings[rows], of_row[rows])


def unit(vectors: Floats) -> Floats:
    """Rows scaled to length 1; zero rows stay zero."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(lengths == 0, 1, lengths), np.float32)
