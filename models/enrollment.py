"""Enrolls a new type from a few pictures: prototype, threshold and confidence, calibrated on the known types.

The threshold is the score that the asked share of known products exceeds, and not below what the pictures themselves
score against each other. What confidence a score deserves is learnt by treating known types as new ones: each in turn
is taken out of the reference, enrolled from as many of its pictures, and looked for among all others (`udfs.prototypes`
has the rule by which a score becomes an answer).
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.bundle import Bundle, write_bundle
from models.label_space import taxonomy_path
from models.labelled import LabelledImage
from models.manifest import ManifestDraft
from models.predict import predict
from models.prototypes import (
    PROTOTYPES_FILE,
    REFERENCE_FILE,
    Calibration,
    EmbeddingReference,
    EnrolledType,
    Floats,
    PrototypeTable,
    build_reference,
    encode_vector,
    unit,
)
from schemas.taxonomy import Taxonomy, TaxonomyError, load_taxonomy
from udfs.prototypes import claim_scores, nearest_known

FALSE_CLAIMS = 0.01
"""Share of known products that may score above a new type's threshold."""

EXPECTED_SHARE = 0.02
"""Share of the new type among pictures for which its confidence is stated."""

# With fewer pictures the spread of their scores says nothing.
_LEAST_FOR_SPREAD = 5
_SPREADS_BELOW = 3.0
# Views of one and the same thing spread less than the type does.
_LEAST_SPREAD = 0.05
_LEAST_QUERIES = 3
_LEAST_SIMULATED_TYPES = 5
_MOST_SIMULATIONS = 200
_NEAREST_LISTED = 5
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_ENROLLED = "enrolled."


class EnrollError(Exception):
    """A type cannot be enrolled or removed. One line that says why and what to do."""


@dataclass(frozen=True)
class NewType:
    """What is to be enrolled.

    Args:
        path: its taxonomy path.
        name_en: name to show.
        name_zh: Chinese name to show.
    """

    path: str
    name_en: str
    name_zh: str


@dataclass(frozen=True)
class Curve:
    """From score above the threshold to confidence, and what to expect; found by `simulate`.

    Args:
        slope: of the logistic curve.
        offset: of the logistic curve.
        shots: pictures per simulated type.
        simulations: how many.
        recall: mean share of a simulated type's other pictures that scored above the threshold.
    """

    slope: float
    offset: float
    shots: int
    simulations: int
    recall: float


def new_type(bundle: Bundle, name: str, parent: str | None = None, zh: str | None = None) -> NewType:
    """Where a name belongs.

    A name, synonym or path that the taxonomy has stands for that type; any other needs a parent in the taxonomy.

    Raises:
        EnrollError: the bundle knows the type already, the parent is missing or no place for a type, or the name cannot
            be made a path.
    """
    taxonomy = _taxonomy(bundle)
    found = taxonomy.find(name)
    if found is not None and parent in (None, taxonomy.node(found).parent):
        node = taxonomy.node(found)
        chosen = NewType(found, node.name["en"], zh or node.name["zh"])
    else:
        chosen = _below_parent(taxonomy, name, parent, zh)
    known = set(bundle.label_paths(bundle.task("classify")).values())
    if any(path == chosen.path or path.startswith(f"{chosen.path}/") for path in known):
        raise EnrollError(
            f"{bundle.version_id} knows {chosen.path} already; take another name, or remove the type first "
            "if it was enrolled"
        )
    return chosen


def _below_parent(taxonomy: Taxonomy, name: str, parent: str | None, zh: str | None) -> NewType:
    if parent is None:
        raise EnrollError(f"the taxonomy has no {name!r}: say where it belongs, e.g. --parent accessories/bags")
    if parent not in taxonomy:
        raise EnrollError(f"the taxonomy has no {parent!r}; give a path of it as parent, e.g. accessories/bags")
    if taxonomy.node(parent).level == "type":
        raise EnrollError(f"{parent} is a type; types belong below a category or department")
    slug = re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")
    if not _SLUG.fullmatch(slug):
        raise EnrollError(f"{name!r} cannot be made a path; name the type in Latin letters, and give --zh beside it")
    path = f"{parent}/{slug}"
    if path in taxonomy:
        return NewType(path, taxonomy.name(path), zh or taxonomy.name(path, "zh"))
    for term, language in ((name, "en"), (zh or name, "zh")):
        taken = taxonomy.find(term, "en" if language == "en" else "zh")
        if taken is not None:
            raise EnrollError(f"{term!r} means {taken} in the taxonomy; take another name, or enroll that path")
    return NewType(path, name, zh or name)


def embed_pictures(bundle: Bundle, files: Sequence[Path]) -> tuple[Floats, list[str]]:
    """Unit embeddings (k, D) and SHA-256 of pictures, each content once.

    Raises:
        EnrollError: there are none, one cannot be read, or several are the same.
    """
    if not files:
        raise EnrollError("give at least one picture of the new type with --images")
    found = predict(bundle, [LabelledImage(path=path, image_path=str(path)) for path in files], workers=1)
    if found.failures:
        told = "; ".join(f"{one.image.image_path} ({one.reason}: {one.detail})" for one in found.failures[:3])
        raise EnrollError(f"{len(found.failures)} of {len(files)} pictures cannot be read: {told}; leave them out")
    twice = [content for content, count in Counter(found.contents).items() if count > 1]
    if twice:
        same = [image.image_path for image, one in zip(found.images, found.contents, strict=True) if one == twice[0]]
        raise EnrollError(f"{' and '.join(same)} are the same picture; give different pictures of the type")
    return found.embeddings, list(found.contents)


def reference_from_pictures(bundle: Bundle, images: Sequence[LabelledImage], per_leaf: int = 64) -> EmbeddingReference:
    """The reference of a bundle that carries none, from labelled pictures of known types.

    Args:
        bundle: makes the embeddings.
        images: labelled pictures; training pictures whose label is as deep as a type are taken.
        per_leaf: pictures looked at per type or variety.

    Raises:
        EnrollError: they show too few types.
    """
    from models.label_space import HELD_OUT_TYPES, resolve

    counts: Counter[str] = Counter()
    chosen: list[LabelledImage] = []
    nodes: dict[str, str] = {}
    for image in images:
        node = resolve(image).node
        if image.split not in {"train", ""} or node is None or node.count("/") < 2:
            continue
        if taxonomy_path(node) in HELD_OUT_TYPES or counts[node] >= per_leaf:
            continue
        counts[node] += 1
        nodes[image.image_path] = node
        chosen.append(image)
    if len(counts) < _LEAST_SIMULATED_TYPES:
        raise EnrollError(
            f"the labelled pictures show {len(counts)} types; {_LEAST_SIMULATED_TYPES} are needed at least"
        )
    found = predict(bundle, chosen)
    return build_reference(found.embeddings, [nodes[image.image_path] for image in found.images])


def enroll(
    bundle: Bundle,
    wanted: NewType,
    embeddings: Floats,
    contents: Sequence[str],
    out: Path,
    *,
    reference: EmbeddingReference | None = None,
    false_claims: float = FALSE_CLAIMS,
    expected_share: float = EXPECTED_SHARE,
) -> tuple[Bundle, EnrolledType]:
    """Write the bundle with one more type, as a new version in `out`; the original is not touched.

    Args:
        bundle: the bundle to extend.
        wanted: the type.
        embeddings: (k, D) unit embeddings of its pictures.
        contents: their SHA-256.
        out: the new bundle's folder.
        reference: used and stored when the bundle carries none.
        false_claims: share of known products that may score above the threshold.
        expected_share: share of the new type for which confidence is stated.

    Raises:
        EnrollError: there is no reference, or it shows too few types.
        BundleError: `out` holds a bundle already.
    """
    known = bundle.embedding_reference or reference
    if known is None:
        raise EnrollError(
            f"{bundle.version_id} carries no sample of training embeddings to tell a new type from: give labelled "
            "pictures of known products with --known LABELS_CSV"
        )
    enrolled = calibrated_type(wanted, embeddings, contents, known, false_claims, expected_share)
    others = bundle.prototypes.types if bundle.prototypes else ()
    return _write(bundle, (*others, enrolled), known, out), enrolled


def remove(bundle: Bundle, name: str, out: Path) -> Bundle:
    """Write the bundle without an enrolled type; without the last one it is the original again.

    Raises:
        EnrollError: no such type was enrolled.
    """
    types = bundle.prototypes.types if bundle.prototypes else ()
    gone = [one for one in types if name in (one.path, one.name_en, one.name_zh, one.path.rpartition("/")[2])]
    if len(gone) != 1:
        known = ", ".join(one.path for one in types) or "none"
        raise EnrollError(f"{bundle.version_id} has no enrolled type {name!r}; it has {known}")
    assert bundle.embedding_reference is not None
    return _write(bundle, tuple(one for one in types if one is not gone[0]), bundle.embedding_reference, out)


def calibrated_type(
    wanted: NewType,
    embeddings: Floats,
    contents: Sequence[str],
    reference: EmbeddingReference,
    false_claims: float = FALSE_CLAIMS,
    expected_share: float = EXPECTED_SHARE,
    curve: Curve | None = None,
) -> EnrolledType:
    """Prototype, threshold and confidence of a new type.

    Args:
        wanted: the type.
        embeddings: (k, D) unit embeddings of its pictures.
        contents: SHA-256 of the pictures.
        reference: what it must be told apart from.
        false_claims: share of known products that may score above the threshold.
        expected_share: share of the new type for which confidence is stated.
        curve: of `simulate` for as many pictures and the same shares, to spare time where many types are enrolled.

    Raises:
        EnrollError: the reference shows too few types.
    """
    nearest = _known_similarities(reference).max(axis=1)
    prototype = unit(embeddings.mean(axis=0, keepdims=True))
    of_known = claim_scores(reference.background, prototype, nearest)
    alone = _leave_one_out(embeddings, reference.centers())
    threshold = _threshold(of_known, alone, false_claims)
    curve = curve or simulate(reference, len(embeddings), false_claims, expected_share)
    return EnrolledType(
        path=wanted.path,
        name_en=wanted.name_en,
        name_zh=wanted.name_zh,
        prototypes=[encode_vector(one) for one in prototype],
        threshold=round(threshold, 6),
        slope=curve.slope,
        offset=curve.offset,
        pictures=list(contents),
        enrolled_at=datetime.now(UTC).replace(microsecond=0),
        calibration=Calibration(
            false_claims=false_claims,
            expected_share=expected_share,
            shots=curve.shots,
            simulated_types=curve.simulations,
            expected_recall=round(curve.recall, 4),
            leave_one_out=[round(float(score - threshold), 4) for score in alone],
            nearest_known=_most_claimed(reference, of_known >= threshold),
        ),
    )


def _known_similarities(reference: EmbeddingReference) -> Floats:
    """Cosine (M, L) of the sample to the mean of each known type, a picture's own share taken out of its mean."""
    background, own = reference.background, reference.background_leaf
    similarities = background @ reference.centers().T
    count = reference.leaf_counts[own][:, None].astype(np.float32)
    others = count * reference.leaf_means[own] - background
    alone = (count <= 1)[:, 0]
    rows = np.arange(len(background))
    similarities[rows, own] = np.where(alone, -1.0, (background * unit(others)).sum(axis=1))
    return np.asarray(similarities, np.float32)


def _leave_one_out(embeddings: Floats, centers: Floats) -> Floats:
    """Score of each picture against the prototype of the others; empty for a single picture."""
    if len(embeddings) < 2:
        return np.zeros(0, np.float32)
    others = unit(embeddings.sum(axis=0) - embeddings)
    known = nearest_known(embeddings, centers)
    return np.concatenate(
        [claim_scores(embeddings[[row]], others[[row]], known[[row]]) for row in range(len(embeddings))]
    )


def _threshold(of_known: Floats, alone: Floats, false_claims: float) -> float:
    threshold = float(np.quantile(of_known, 1 - false_claims, method="higher"))
    # Above all known products there may be room below the pictures themselves: leave it to products nobody knows yet.
    if len(alone) >= _LEAST_FOR_SPREAD:
        threshold = max(threshold, float(alone.mean() - _SPREADS_BELOW * max(_LEAST_SPREAD, alone.std(ddof=1))))
    return threshold


def simulate(
    reference: EmbeddingReference,
    shots: int,
    false_claims: float = FALSE_CLAIMS,
    expected_share: float = EXPECTED_SHARE,
) -> Curve:
    """Enroll known types as if they were new, and see how scores above the threshold tell them.

    Raises:
        EnrollError: the reference shows too few types.
    """
    similarities = _known_similarities(reference)
    own = reference.background_leaf
    sizes = np.bincount(own, minlength=len(reference.leaves))
    # A type needs pictures to be found, beside those that it is enrolled from.
    roomy = np.sort(sizes)[::-1]
    most = int(roomy[min(len(roomy), _LEAST_SIMULATED_TYPES) - 1]) - _LEAST_QUERIES
    used = min(shots, most)
    leaves = np.flatnonzero(sizes >= used + _LEAST_QUERIES)
    if used < 1 or len(leaves) < _LEAST_SIMULATED_TYPES:
        raise EnrollError(
            f"the sample of training embeddings shows only {len(leaves)} types with {_LEAST_QUERIES + 1} pictures "
            f"or more; {_LEAST_SIMULATED_TYPES} are needed"
        )
    generator = np.random.default_rng(0)
    turns = np.resize(generator.permutation(leaves), max(len(leaves), min(_MOST_SIMULATIONS, 2 * len(leaves))))
    best_two = np.sort(np.partition(similarities, -2, axis=1)[:, -2:], axis=1)
    best = similarities.argmax(axis=1)
    scores: list[Floats] = []
    truths: list[NDArray[np.bool_]] = []
    recalls = []
    for leaf in turns[:_MOST_SIMULATIONS]:
        members = generator.permutation(np.flatnonzero(own == leaf))
        supports = reference.background[members[:used]]
        # With this type taken out, the second nearest is the nearest where it was the nearest.
        nearest = np.where(best == leaf, best_two[:, 0], best_two[:, 1]).astype(np.float32)
        of_all = claim_scores(reference.background, unit(supports.mean(axis=0, keepdims=True)), nearest)
        strangers = own != leaf
        alone = _leave_one_out(supports, np.delete(reference.centers(), leaf, axis=0))
        above = of_all - _threshold(of_all[strangers], alone, false_claims)
        queries = members[used:]
        recalls.append(float((above[queries] >= 0).mean()))
        scores += [above[queries], above[strangers]]
        truths += [np.ones(len(queries), np.bool_), np.zeros(int(strangers.sum()), np.bool_)]
    slope, offset = _fit_logistic(np.concatenate(scores), np.concatenate(truths), expected_share)
    return Curve(slope, offset, used, len(recalls), float(np.mean(recalls)))


def _fit_logistic(above: Floats, truths: NDArray[np.bool_], share: float) -> tuple[float, float]:
    """Slope and offset of P(new type | score) over scores above the threshold, at that share of the new type.

    Logistic regression by Newton steps (Platt 1999 in spirit), each kind weighted to its share; a weak pull towards a
    slope keeps it finite where nothing overlaps.
    """
    weights = np.where(truths, share / max(1, truths.sum()), (1 - share) / max(1, (~truths).sum()))
    claimed = above >= 0
    values, answers, weights = above[claimed].astype(np.float64), truths[claimed], weights[claimed]
    weights = weights / weights.sum() * len(weights) if len(weights) else weights
    inputs = np.stack([values, np.ones_like(values)], axis=1)
    prior = np.array([10.0, 0.0])
    strength = np.diag([1e-3, 1e-3])
    solution = prior.copy()
    for _ in range(50):
        chances = 0.5 * (1 + np.tanh(0.5 * (inputs @ solution)))
        gradient = inputs.T @ (weights * (chances - answers)) + strength @ (solution - prior)
        curvature = (inputs.T * (weights * chances * (1 - chances))) @ inputs + strength
        step = np.linalg.solve(curvature, gradient)
        solution = solution - step * min(1.0, 20.0 / max(1e-9, float(np.abs(step).max())))
        if float(np.abs(step).max()) < 1e-6:
            break
    return max(0.1, round(float(solution[0]), 4)), round(float(solution[1]), 4)


def _most_claimed(reference: EmbeddingReference, claimed: NDArray[np.bool_]) -> list[tuple[str, float]]:
    own = reference.background_leaf
    sizes = np.bincount(own, minlength=len(reference.leaves))
    shares = np.bincount(own[claimed], minlength=len(reference.leaves)) / np.maximum(1, sizes)
    order = np.argsort(-shares, kind="stable")[:_NEAREST_LISTED]
    return [(reference.leaves[leaf], round(float(shares[leaf]), 4)) for leaf in order if shares[leaf] > 0]


def _write(bundle: Bundle, types: tuple[EnrolledType, ...], reference: EmbeddingReference, out: Path) -> Bundle:
    files = dict(bundle.files)
    for name in (bundle.manifest.prototypes_file, PROTOTYPES_FILE):
        files.pop(name or "", None)
    base = re.sub(rf"\+{_ENROLLED}[0-9a-f]+$", "", bundle.manifest.version)
    values: dict[str, Any] = bundle.manifest.model_dump(exclude={"files", "prototypes_file", "version"})
    if bundle.manifest.embedding_reference_file is None:
        files[REFERENCE_FILE] = reference.to_bytes()
        values["embedding_reference_file"] = REFERENCE_FILE
    if not types:
        return write_bundle(out, ManifestDraft(**values, version=base), files)
    dimension = bundle.manifest.embedding_dimension
    content = PrototypeTable(embedding_dimension=dimension, types=types).to_bytes()
    files[PROTOTYPES_FILE] = content
    # By content, so that no two bundles with different types share a version: rows name the version that made them.
    version = f"{base}+{_ENROLLED}{hashlib.sha256(content).hexdigest()[:8]}"
    return write_bundle(out, ManifestDraft(**values, version=version, prototypes_file=PROTOTYPES_FILE), files)


def _taxonomy(bundle: Bundle) -> Taxonomy:
    try:
        return bundle.prototypes.extended(load_taxonomy()) if bundle.prototypes else load_taxonomy()
    except TaxonomyError as error:
        raise EnrollError(f"{bundle.version_id}: an enrolled type does not fit the taxonomy: {error}") from error
