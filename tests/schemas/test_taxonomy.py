"""The taxonomy is consistent, finds what people call things, and covers the development data."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pytest

from schemas.taxonomy import LANGUAGES, TaxonomyError, load_taxonomy, parse_taxonomy

ROOT = Path(__file__).parents[2]
SHARED_DATA = Path(os.environ.get("VITRINE_SHARED_DATA", ROOT.parent / "shared" / "data"))
DATASET_LABELS = json.loads((ROOT / "models" / "dataset_labels.json").read_text(encoding="utf-8"))


def node(path: str, name: str = "Name", **changes: object) -> dict[str, object]:
    return {
        "path": path,
        "name": {"en": name, "zh": f"{name}名"},
        "synonyms": {"en": [], "zh": []},
        "public_path": "Public > Path",
        **changes,
    }


def test_every_node_has_names_in_both_languages_and_a_parent() -> None:
    taxonomy = load_taxonomy()
    for path in taxonomy.paths:
        for language in LANGUAGES:
            assert taxonomy.name(path, language).strip()
        assert all(ancestor in taxonomy for ancestor in taxonomy.ancestors(path))
    assert all(any("\u4e00" <= sign <= "\u9fff" for sign in taxonomy.name(path, "zh")) for path in taxonomy.paths)


def test_every_branch_ends_in_types() -> None:
    taxonomy = load_taxonomy()
    inner = [path for path in taxonomy.paths if taxonomy.node(path).level != "type"]
    assert all(taxonomy.children(path) for path in inner)
    assert len(taxonomy.types) > 130


def test_departments_cover_the_shop() -> None:
    departments = load_taxonomy().children()
    assert {"apparel", "footwear", "accessories", "groceries", "packaged-food", "home", "electronics"} <= set(
        departments
    )
    assert {"beauty", "toys-sports", "other"} <= set(departments)


@pytest.mark.parametrize(
    ("term", "path"),
    [
        ("T-shirt", "apparel/topwear/t-shirt"),
        ("T Shirts", "apparel/topwear/t-shirt"),
        ("短袖", "apparel/topwear/t-shirt"),
        ("T恤", "apparel/topwear/t-shirt"),
        ("SNEAKERS", "footwear/shoes/casual-shoe"),
        ("women's top", "apparel/topwear/blouse"),
        ("Batteries of unknown kind", None),
        ("watches", "accessories/watches"),
        ("strawberries", "groceries/fruit/berries"),
        ("运动鞋", "footwear/shoes/sports-shoe"),
        ("home/lighting/table-lamp", "home/lighting/table-lamp"),
    ],
)
def test_find(term: str, path: str | None) -> None:
    assert load_taxonomy().find(term) == path


def test_find_can_be_kept_to_a_language() -> None:
    taxonomy = load_taxonomy()
    assert taxonomy.find("香水", "zh") == "beauty/fragrance/perfume"
    assert taxonomy.find("香水", "en") is None


def test_ancestors_and_names() -> None:
    taxonomy = load_taxonomy()
    assert taxonomy.ancestors("apparel/topwear/t-shirt") == ("apparel", "apparel/topwear")
    assert taxonomy.ancestors("apparel") == ()
    assert taxonomy.name("groceries/fruit/banana", "zh") == "香蕉"
    assert taxonomy.node("apparel/topwear/shirt").public_path == "Apparel & Accessories > Clothing > Shirts & Tops"


def test_an_unknown_path_is_named() -> None:
    with pytest.raises(TaxonomyError, match="apparel/spacesuit"):
        load_taxonomy().name("apparel/spacesuit")


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([node("a"), node("a", "Other")], "'a' is defined twice"),
        ([node("a/b")], "'a/b' has no parent; add 'a'"),
        ([node("A")], "'A': write"),
        ([node("a"), node("b")], "names both 'a' and 'b'"),
        ([node("a") | {"name": {"en": "A"}}], "'a' lacks a name"),
        ([node("a", color="red")], "color"),
        ([node("a", public_path=" ")], "no public_path"),
    ],
)
def test_inconsistent_documents_are_refused(nodes: list[dict[str, object]], message: str) -> None:
    with pytest.raises(TaxonomyError, match=message):
        parse_taxonomy({"version": "1", "nodes": nodes})


def test_a_document_without_nodes_is_refused() -> None:
    with pytest.raises(TaxonomyError, match="nodes"):
        parse_taxonomy({"version": "1"})


def test_dataset_labels_stand_for_paths_of_the_taxonomy() -> None:
    taxonomy = load_taxonomy()
    paths = {path for kinds in DATASET_LABELS.values() for labels in kinds.values() for path in labels.values()}
    assert not {path for path in paths if path not in taxonomy}


@pytest.mark.skipif(not SHARED_DATA.is_dir(), reason="development photos are not here (VITRINE_SHARED_DATA)")
def test_dataset_labels_cover_the_development_data() -> None:
    def rows(folder: str) -> list[dict[str, str]]:
        with (SHARED_DATA / folder / "labels.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    groceries = rows("grocery_store")
    assert {row["subcategory"] for row in groceries} == set(DATASET_LABELS["grocery_store"]["coarse"])
    assert {json.loads(r["attributes_json"])["fine"] for r in groceries} == set(DATASET_LABELS["grocery_store"]["fine"])
    myntra = {row["subcategory"] for row in rows("myntra224") + rows("myntra60_rare")}
    assert myntra == set(DATASET_LABELS["myntra"]["article_type"])
    assert {row["subcategory"] for row in rows("clothing_small")} == set(DATASET_LABELS["clothing_small"]["type"])
    tags = {tag for row in rows("ccp") for tag in json.loads(row["attributes_json"])["tags"]}
    assert tags <= set(DATASET_LABELS["ccp"]["tag"])
