"""Enrolled types are claimed by the stated rule, with a confidence that holds, and nothing else changes."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from models.enrollment import EnrollError, NewType, calibrated_type
from models.prototypes import (
    EmbeddingReference,
    EnrolledType,
    PrototypeError,
    PrototypeTable,
    build_reference,
    unit,
)
from schemas.taxonomy import TaxonomyError, load_taxonomy
from udfs.prototypes import PrototypeReader

DIMENSION = 48
BAG = NewType("accessories/bags/duffel-bag", "Duffel bag", "行李袋")


def clusters(count: int, pictures: int, spread: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors (count * pictures, D) around random directions, and the cluster of each."""
    random = np.random.default_rng(seed)
    centers = unit(random.normal(size=(count, DIMENSION)).astype(np.float32))
    rows = np.repeat(np.arange(count), pictures)
    noise = random.normal(size=(len(rows), DIMENSION)) * spread / np.sqrt(DIMENSION)
    return unit((centers[rows] + noise).astype(np.float32)), rows


@pytest.fixture(scope="module")
def world() -> tuple[EmbeddingReference, np.ndarray, np.ndarray, np.ndarray]:
    """A reference of 40 known types; pictures of known and of unknown types, and which type each is of."""
    vectors, types = clusters(60, 60, 1.4)
    known = types < 40
    train = known & (np.arange(len(types)) % 60 < 30)
    reference = build_reference(vectors[train], [f"home/{number}" for number in types[train]])
    return EmbeddingReference.from_bytes(reference.to_bytes()), vectors, types, train


def reader_of(reference: EmbeddingReference, *types: EnrolledType) -> PrototypeReader:
    table = PrototypeTable(embedding_dimension=DIMENSION, types=types)
    return PrototypeReader.from_table(PrototypeTable.from_bytes(table.to_bytes()), reference)


def enrolled_from(world, kind: int, shots: int, **options: float) -> EnrolledType:
    reference, vectors, types, _ = world
    chosen = vectors[types == kind][:shots]
    return calibrated_type(BAG, chosen, ["0" * 64] * shots, reference, **options)


@pytest.mark.parametrize("shots", [1, 5, 10])
def test_the_type_is_found_and_known_products_stay(world, shots):
    reference, vectors, types, train = world
    found, claimed = [], []
    for kind in range(40, 50):
        reader = reader_of(reference, enrolled_from(world, kind, shots))
        found.append((reader.confidences(vectors[types == kind][shots:]) > 0).mean())
        claimed.append((reader.confidences(vectors[(types < 40) & ~train]) > 0).mean())
    assert np.mean(claimed) < 0.02, "about as many as asked for: 1%"
    assert np.mean(found) > {1: 0.3, 5: 0.85, 10: 0.9}[shots]


def test_what_was_expected_of_a_type_is_what_is_found(world):
    reference, vectors, types, _ = world
    for shots in (1, 5):
        made = [enrolled_from(world, kind, shots) for kind in range(40, 60)]
        found = [
            (reader_of(reference, one).confidences(vectors[types == kind][shots:]) > 0).mean()
            for kind, one in zip(range(40, 60), made, strict=True)
        ]
        assert abs(np.mean(found) - made[0].calibration.expected_recall) < 0.1


def test_confidence_is_the_share_of_right_claims_at_the_expected_share(world):
    reference, vectors, types, train = world
    confidences, right = [], []
    strangers = vectors[(types < 40) & ~train]
    for kind in range(40, 60):
        reader = reader_of(reference, enrolled_from(world, kind, 3, expected_share=0.1))
        own = vectors[types == kind][3:]
        # As many of each as the confidence is stated for: one in ten of the new type.
        several = np.tile(own, (round(len(strangers) / 9 / len(own)) or 1, 1))
        confidences += [reader.confidences(several)[:, 0], reader.confidences(strangers)[:, 0]]
        right += [np.ones(len(several), bool), np.zeros(len(strangers), bool)]
    confidence, is_right = np.concatenate(confidences), np.concatenate(right)
    claims = confidence > 0
    assert abs(confidence[claims].mean() - is_right[claims].mean()) < 0.08


def test_fewer_false_claims_when_fewer_are_asked_for(world):
    strict, loose = enrolled_from(world, 41, 5, false_claims=0.001), enrolled_from(world, 41, 5, false_claims=0.1)
    assert strict.threshold > loose.threshold


def test_a_claim_takes_its_confidence_from_the_others_and_no_claim_changes_nothing(world):
    reference, vectors, types, _ = world
    reader = reader_of(reference, enrolled_from(world, 42, 5))
    queries = vectors[types == 42][5:]
    middle = np.argsort(reader.confidences(queries)[:, 0])[len(queries) // 2]
    own, stranger = queries[[middle]], vectors[types == 7][-1:]
    head = np.array([[0.5, 0.3, 0.2]], np.float32)
    confidence = reader.confidences(own)[0, 0]
    assert confidence > 0.3
    extended = reader.extend(head, own)
    np.testing.assert_allclose(extended, [[*(head[0] * (1 - confidence)), confidence]], atol=1.1e-3)
    assert extended[0, :3].min() > 0, "however sure a claim is, the head keeps a word"
    np.testing.assert_array_equal(reader.extend(head, stranger)[0], [*head[0], 0])
    assert extended.dtype == np.float32


def test_the_surest_of_several_types_counts(world):
    reference, vectors, types, _ = world
    reader = reader_of(reference, *(enrolled_from(world, kind, 5) for kind in (43, 44, 44)))
    own = vectors[types == 44][5:]
    confidences = reader.confidences(own)
    assert ((confidences > 0).sum(axis=1) <= 1).all()
    assert (confidences[:, 1] > 0).mean() > 0.7
    assert not confidences[:, 2].any(), "of two equal ones the first"


def test_several_prototypes_of_one_type_are_all_looked_at(world):
    reference, vectors, types, _ = world
    one, two = enrolled_from(world, 45, 5), enrolled_from(world, 46, 5)
    both = one.model_copy(update={"prototypes": [*one.prototypes, *two.prototypes]})
    reader = reader_of(reference, both)
    for kind in (45, 46):
        assert (reader.confidences(vectors[types == kind][5:]) > 0).mean() > 0.6


def test_enrolled_names_join_the_taxonomy():
    made = EnrolledType.model_validate(
        {
            **{"path": "home/decor/garden-gnome", "name_en": "Garden gnome", "name_zh": "花园地精"},
            **{"prototypes": ["AACAPw=="], "threshold": 0.1, "slope": 9.0, "offset": 0.0, "pictures": ["0"]},
            "enrolled_at": datetime.now(UTC),
            "calibration": {
                **{"false_claims": 0.01, "expected_share": 0.02, "shots": 1, "simulated_types": 9},
                **{"expected_recall": 0.5, "leave_one_out": [], "nearest_known": []},
            },
        }
    )
    taxonomy = load_taxonomy()
    table = PrototypeTable(embedding_dimension=1, types=(made,))
    extended = table.extended(taxonomy)
    assert extended.name("home/decor/garden-gnome", "zh") == "花园地精"
    assert extended.find("garden gnomes") == "home/decor/garden-gnome"
    assert "home/decor/garden-gnome" not in taxonomy
    for path, message in (("home/nowhere/gnome", "nowhere"), ("home/decor/x", "names both")):
        name = "Mug" if "x" in path else "Gnome"
        changed = made.model_copy(update={"path": path, "name_en": name})
        with pytest.raises(TaxonomyError, match=message):
            PrototypeTable(embedding_dimension=1, types=(changed,)).extended(taxonomy)
    with pytest.raises(PrototypeError, match="another dimension"):
        PrototypeTable.from_bytes(PrototypeTable(embedding_dimension=2, types=(made,)).to_bytes())


def test_damaged_side_files_are_said():
    with pytest.raises(PrototypeError, match=r"prototypes\.json is not valid"):
        PrototypeTable.from_bytes(b'{"types": 3}')
    with pytest.raises(PrototypeError, match=r"embedding_reference\.npz cannot be read"):
        EmbeddingReference.from_bytes(b"no archive")
    good = build_reference(*[np.eye(4, dtype=np.float32), ["a", "b", "c", "d"]])
    broken = EmbeddingReference(
        good.leaves[:3], good.leaf_means, good.leaf_counts, good.background, good.background_leaf
    )
    with pytest.raises(PrototypeError, match="do not fit together"):
        EmbeddingReference.from_bytes(broken.to_bytes())


def test_a_reference_of_too_few_types_is_refused():
    vectors, rows = clusters(3, 10, 0.5)
    reference = build_reference(vectors, [f"home/{row}" for row in rows])
    with pytest.raises(EnrollError, match=r"only 3 types .* 5 are needed"):
        calibrated_type(BAG, vectors[:2], ["0"], reference)


def test_the_reference_is_the_same_bytes_every_time():
    vectors, rows = clusters(6, 30, 0.5)
    nodes = [f"home/{row}" for row in rows]
    one, two = build_reference(vectors, nodes), build_reference(vectors, nodes)
    assert one.to_bytes() == two.to_bytes()
    assert len(one.background) == 6 * 16
    np.testing.assert_allclose(one.leaf_counts, 30)
