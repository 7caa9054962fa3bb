"""Explanations show the evidence of each attribute, from a picture alone and from the tables."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from jobs.cli import main
from jobs.explain import (
    NO_TABLES,
    Explanation,
    NoSuchAttributeError,
    UnknownSubjectError,
    explain,
    explain_figure,
    render_explanation,
    write_explanation,
)
from jobs.explain_view import marked_parts
from rendering.catalog import make_product
from rendering.render import RenderOptions, render_product
from schemas.arrow import arrow_schema
from schemas.contract import Table
from schemas.product_tables import PRODUCT_ATTRIBUTES, PRODUCTS
from schemas.reasons import ImageError
from schemas.settings import Settings
from schemas.tables import CATALOG, IMAGES
from tests.chromium import open_chromium

NOW = datetime(2026, 11, 24, tzinfo=UTC)
TITLE = "<b>Red</b> cotton T-shirt"


def draw(path: Path, kind: str, seed: int = 5) -> Path:
    options = RenderOptions(background="white", camera=False, encoded=False, frame=(480, 480))
    Image.fromarray(render_product(make_product(kind, seed, "P1"), 0, options).pixels).save(path)
    return path


def plain_settings(**values: Any) -> Settings:
    return Settings(**{"tables": NO_TABLES, **values})


def section(page: str, label: str) -> str:
    """The card of an attribute."""
    return page[page.index(f'<p class="quiet">{label}</p>') :].partition("</article>")[0]


@pytest.fixture(scope="module")
def shirt(tmp_path_factory: pytest.TempPathFactory) -> Explanation:
    return explain(str(draw(tmp_path_factory.mktemp("shirt") / "shirt.png", "t-shirt")), plain_settings())


@pytest.fixture(scope="module")
def carton(tmp_path_factory: pytest.TempPathFactory) -> Explanation:
    return explain(str(draw(tmp_path_factory.mktemp("pack") / "pack.png", "milk carton", 11)), plain_settings())


def test_a_picture_is_explained_attribute_by_attribute(shirt: Explanation) -> None:
    ((place, explained),) = shirt.pictures
    assert place.endswith("shirt.png") and shirt.product is None
    said = {one.attribute: one for one in explained.statements}
    assert set(said) == {"category", "color", "pattern", "shape", "gender", "season", "usage"}
    assert said["category"].value.startswith("apparel")
    assert said["category"].value == (explained.columns["category"] or said["category"].rivals[0].label)
    for one in explained.statements:
        assert 0 <= one.inside <= 1 and 0 < one.confidence <= 1
        assert one.rivals[0].probability == max(rival.probability for rival in one.rivals)
    heads = {one["attribute"]: one["value"] for one in explained.columns["model_attributes"]}
    assert all(said[name].value == heads[name] for name in said if name != "category")


def test_the_page_holds_all_of_it_and_needs_nothing_else(shirt: Explanation) -> None:
    page = render_explanation(shirt)
    assert page.count('alt="Heat map') == 7
    assert not re.search(r"""(?:src|href)=["'](?!data:)""", page)
    assert "<script" not in page and "None" not in re.sub("base64,[^\"']*", "", page).replace("None seen", "")
    color = section(page, "Color")
    assert re.search(r"background:#[0-9a-f]{6}", color) and "By the product&#39;s pixels" in color
    assert "Apparel" in section(page, "Category")


def test_text_that_was_read_is_marked_in_its_line(carton: Explanation) -> None:
    explained = carton.pictures[0][1]
    assert explained.columns["text_lines"], "the rendered carton has legible text"
    page = render_explanation(carton)
    text = section(page, "Text")
    assert "Read on the product" in text
    first = explained.columns["text_fields"][0]
    assert first["evidence"] and re.search(rf"<mark>\s*{re.escape(first['evidence'].strip()[:4])}", text)
    # Food has no gender, whatever the head says.
    assert "not used for such products" in section(page, "Gender")
    assert "not used" not in section(page, "Color")
    assert page.count('class="kind-line"') == len(explained.columns["text_lines"])


def test_one_attribute_alone(tmp_path: Path) -> None:
    path = draw(tmp_path / "mug.png", "mug")
    explained = explain(str(path), plain_settings(), "color")
    assert [one.attribute for one in explained.pictures[0][1].statements] == ["color"]
    page = render_explanation(explained)
    assert page.count('alt="Heat map') == 1 and '<p class="quiet">Text</p>' not in page
    with pytest.raises(NoSuchAttributeError, match=r"smell.*category.*text"):
        explain(str(path), plain_settings(), "smell")


def test_the_figure_shows_picture_heat_and_palette(shirt: Explanation, tmp_path: Path) -> None:
    explained = shirt.pictures[0][1]
    figure = explain_figure(explained, panel=120)
    pixels = np.asarray(figure)
    assert figure.width > 4 * 120 and figure.height > 2 * 120
    # Heat is colored on gray: warm pixels in the panels of the heat maps.
    warm = (pixels[..., 0].astype(int) - pixels[..., 2]) > 60
    assert warm[:, 150:].mean() > 0.01
    written = write_explanation(shirt, tmp_path / "why.png")
    with Image.open(written) as image:
        assert image.format == "PNG" and image.width > 1000
    assert [path.name for path in tmp_path.iterdir()] == ["why.png"]


def test_what_cannot_be_found_or_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(UnknownSubjectError, match=r"nowhere\.jpg.*--tables"):
        explain(str(tmp_path / "nowhere.jpg"), plain_settings())
    with pytest.raises(UnknownSubjectError, match="holds no Vitrine tables"):
        explain("P-1", plain_settings(tables=str(tmp_path)))
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0 this is no picture")
    with pytest.raises(ImageError, match=r"broken\.jpg"):
        explain(str(broken), plain_settings())
    with pytest.raises(ImageError, match="not_found"):
        explain((tmp_path / "gone.jpg").as_uri(), plain_settings())


def test_the_command_says_in_one_line_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VITRINE_TABLES", raising=False)
    with pytest.raises(SystemExit) as ended:
        main(["explain", str(tmp_path / "nowhere.jpg"), "--out", str(tmp_path / "why.html")])
    assert ended.value.code == 1
    error = capsys.readouterr().err
    assert error.startswith("vitrine: there is no picture") and error.count("\n") == 1
    assert not (tmp_path / "why.html").exists()


@pytest.mark.parametrize(
    ("text", "spans", "parts"),
    [
        ("red shirt", [(0, 3)], [("red", True), (" shirt", False)]),
        ("a red shirt", [(2, 5), (2, 11)], [("a ", False), ("red shirt", True)]),
        ("红色衬衫", [(0, 2), (2, 4)], [("红色衬衫", True)]),
        ("short", [(3, 99)], [("sho", False), ("rt", True)]),
        ("plain", [], [("plain", False)]),
        ("", [(0, 1)], []),
    ],
)
def test_marked_parts(text: str, spans: list[tuple[int, int]], parts: list[tuple[str, bool]]) -> None:
    assert marked_parts(text, spans) == parts


def write_rows(root: Path, table: Table, rows: list[dict[str, Any]]) -> None:
    deltalake = pytest.importorskip("deltalake")
    names = {column.name for column in table.columns}
    assert all(set(row) <= names for row in rows)
    complete = [{name: row.get(name) for name in names} for row in rows]
    deltalake.write_deltalake(root / table.name, pa.Table.from_pylist(complete, arrow_schema(table.columns)))


def claim(attribute: str, value: str, source: str, chosen: bool, **evidence: Any) -> dict[str, Any]:
    kinds = {"image": "image_region", "ocr": "ocr_line", "feed": "feed_column"}
    return {
        "product_id": "P-1",
        "attribute": attribute,
        "value": value,
        "confidence": 0.9 if chosen else 0.4,
        "source": source,
        "is_chosen": chosen,
        "evidence": {"kind": kinds.get(source, "text_span"), **evidence},
        "run_id": "r1",
    }


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables of one product with two pictures, of which one is gone."""
    folder = tmp_path_factory.mktemp("shop")
    uri = draw(folder / "front.png", "t-shirt").as_uri()
    root = folder / "tables"
    base = {"product_id": "P-1", "is_active": True, "title": TITLE, "row_hash": "x", "run_id": "r1"}
    times = {"first_seen_at": NOW, "changed_at": NOW}
    gone = (folder / "gone.png").as_uri()
    write_rows(
        root, CATALOG, [{**base, **times, "image_uri": one, "view": view} for view, one in enumerate([uri, gone])]
    )
    image = {"status": "extracted", "is_active": True, "attempts": 0, "run_id": "r1", **times}
    write_rows(root, IMAGES, [{**image, "image_uri": uri, "content_sha256": "ab" * 32}])
    conflict = {
        "attribute": "color",
        "value": "blue",
        "source": "image",
        "confidence": 0.9,
        "other_value": "red",
        "other_source": "title",
        "other_confidence": 0.4,
    }
    product = {"name_en": "Blue cotton T-shirt", "name_zh": "蓝色棉质T恤", "description_en": "A blue cotton T-shirt."}
    write_rows(root, PRODUCTS, [{"product_id": "P-1", **product, "conflicts": [conflict], "needs_review": True}])
    write_rows(
        root,
        PRODUCT_ATTRIBUTES,
        [
            claim("color", "blue", "image", True, share=0.71, image_uri=uri),
            claim("color", "red", "title", False, text="Red", span_start=3, span_end=6),
            claim("material", "cotton", "title", True, text="cotton", span_start=11, span_end=17),
            claim("brand", "Acme", "ocr", True, text="ACME"),
        ],
    )
    return root


@pytest.fixture(scope="module")
def product(tables: Path) -> Explanation:
    return explain("P-1", plain_settings(tables=str(tables)), "category")


def test_a_product_shows_its_claims_with_their_evidence(product: Explanation) -> None:
    page = render_explanation(product)
    assert "<h1><bdi>Blue cotton T-shirt</bdi></h1>" in page and "蓝色棉质T恤" in page
    assert "&lt;b&gt;<mark>Red</mark>&lt;/b&gt; <mark>cotton</mark> T-shirt" in page
    assert "image says blue (90%), title says red (40%)" in page
    assert "71% of the product&#39;s pixels" in page and "“ACME”" in page
    groups = re.findall(r'<h3>(\w[\w ]*) <span class="chosen">([^<]*)</span>', page)
    assert groups == [("Color", "blue"), ("Material", "cotton"), ("Brand", "Acme")]


def test_pictures_of_a_product_that_cannot_be_read_are_named(product: Explanation) -> None:
    assert [uri.rpartition("/")[2] for uri, _ in product.pictures] == ["front.png"]
    assert [(uri.rpartition("/")[2], error.reason.value) for uri, error in product.problems] == [
        ("gone.png", "not_found")
    ]
    assert "gone.png" in render_explanation(product)


def test_a_content_hash_finds_its_picture(tables: Path) -> None:
    settings = plain_settings(tables=str(tables))
    found = explain("ab" * 32, settings, "color")
    assert found.pictures[0][0].endswith("front.png") and found.product is None
    with pytest.raises(UnknownSubjectError, match="no picture"):
        explain("cd" * 32, settings)
    with pytest.raises(UnknownSubjectError, match="no product"):
        explain("P-404", settings)


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_the_page_fits_the_screen(product: Explanation, tmp_path: Path, width: int, scheme: str) -> None:
    page_file = write_explanation(product, tmp_path / "why.html")
    with open_chromium() as browser:
        page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
        page.goto(page_file.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        broken = "[...document.images].filter(image => !image.naturalWidth).length"
        assert page.evaluate(broken) == 0
        heat = page.locator("article.said img").last.bounding_box()
        ground = page.locator("article.said img").first.bounding_box()
        assert heat == ground
