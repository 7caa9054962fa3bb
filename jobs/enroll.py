"""Enroll: adds a type to a bundle from a few pictures, or takes one away again; nothing is trained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from models.bundle import Bundle
from models.enrollment import embed_pictures, enroll, new_type, reference_from_pictures, remove
from models.labelled import read_collection, read_labels
from models.prototypes import EnrolledType

# A type of which its own pictures do not find each other will hardly be found in others.
_LEAST_FOUND = 0.5


def enroll_type(
    bundle: Bundle,
    name: str,
    files: Sequence[Path],
    out: Path,
    *,
    parent: str | None = None,
    zh: str | None = None,
    known: Path | None = None,
    false_claims: float,
    expected_share: float,
) -> tuple[Bundle, EnrolledType]:
    """Add a type to a bundle.

    Args:
        bundle: the bundle; it is not changed.
        name: a type of the taxonomy that the bundle does not know, or a new name.
        files: pictures of the type.
        out: folder of the new bundle.
        parent: taxonomy path above a new name.
        zh: Chinese name.
        known: labels file or folder of data sets with known products, for a bundle that carries no reference.
        false_claims: share of known products that may score above the threshold.
        expected_share: share of the new type for which confidence is stated.

    Raises:
        EnrollError: see `models.enrollment`.
        BundleError: the bundle cannot be used, or `out` holds one already.
        LabelsError: the labels file is wrong.
    """
    wanted = new_type(bundle, name, parent, zh)
    # The pictures are looked at before minutes are spent on the reference.
    embeddings, contents = embed_pictures(bundle, files)
    reference = None
    if bundle.embedding_reference is None and known is not None:
        reference = reference_from_pictures(bundle, read_collection(known) if known.is_dir() else read_labels(known))
    return enroll(
        bundle,
        wanted,
        embeddings,
        contents,
        out,
        reference=reference,
        false_claims=false_claims,
        expected_share=expected_share,
    )


def remove_type(bundle: Bundle, name: str, out: Path) -> Bundle:
    """Write the bundle without an enrolled type.

    Raises:
        EnrollError: no such type was enrolled.
    """
    return remove(bundle, name, out)


def summary(bundle: Bundle, enrolled: EnrolledType) -> str:
    """What a person should know of an enrolled type, in a few lines."""
    told = enrolled.calibration
    lines = [
        f"{enrolled.path} ({enrolled.name_en}, {enrolled.name_zh}) enrolled from {len(enrolled.pictures)} pictures: "
        f"{bundle.version_id}",
        f"  types that the network has learnt, enrolled the same way from {told.shots} pictures, are found in "
        f"{told.expected_recall:.0%} of their other pictures, at {told.false_claims:.1%} false claims among known "
        "products; expect less of a type that it has not",
    ]
    if told.leave_one_out:
        found = sum(score >= 0 for score in told.leave_one_out)
        lines.append(f"  {found} of {len(told.leave_one_out)} of the pictures would be found by the others")
        if found < _LEAST_FOUND * len(told.leave_one_out):
            lines.append("  the pictures differ much: enroll them as several types, or give more")
    if told.nearest_known:
        near = ", ".join(f"{leaf} ({share:.0%})" for leaf, share in told.nearest_known[:3])
        lines.append(f"  known types most often above its threshold: {near}")
    return "\n".join(lines)
