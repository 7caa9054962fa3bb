"""Search by words and by picture, as a person or a program would use it."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from jobs.service.words import query_words, text_words
from tests.service.shop import ODD_ID, Shop, described


def found(client: TestClient, path: str = "/search", **parameters: object) -> list[str]:
    answer = client.get(path, params=parameters)
    assert answer.status_code == 200, answer.text
    return [item["product_id"] for item in answer.json()["items"]]


def kinds(client: TestClient, **parameters: object) -> set[str]:
    answer = client.get("/search", params=parameters).json()
    return {item["category"] for item in answer["items"]}


@pytest.mark.parametrize(
    "query", ["t-shirt", "T Shirts", "tee", "T恤", "圆领衫", "tshrit", "t‑shirt"], ids=lambda query: query
)
def test_every_name_of_a_type_finds_it(client: TestClient, query: str) -> None:
    assert kinds(client, q=query) == {"apparel/topwear/t-shirt"}


def test_chinese_query_finds_products_with_english_titles(client: TestClient, shop: Shop) -> None:
    color = shop.product("P005")["color"]
    from schemas.palette import find_color

    named = find_color(color)
    assert named is not None
    assert found(client, q=f"{named.name_zh}手提包")[0] == "P005"


def test_broader_color_finds_its_shades_after_itself(client: TestClient, shop: Shop) -> None:
    from schemas.palette import find_color

    families = {row["product_id"]: find_color(row["color"]).family for row in shop.rows["products"]}  # type: ignore[union-attr]
    blue = {name for name, family in families.items() if family == "blue" and name != "P800"}
    assert blue <= set(found(client, q="blue", size=50))


def test_misspelt_word_is_mended_and_told(client: TestClient) -> None:
    answer = client.get("/search", params={"q": "handbga"}).json()
    assert {item["category"] for item in answer["items"]} == {"accessories/bags/handbag"}
    assert answer["terms"][0]["written"] == "handbga"
    assert answer["terms"][0]["text"] == "handbag"


def test_misspelt_brand_is_mended_from_titles(client: TestClient, shop: Shop) -> None:
    brand = shop.product("P007")["brand"]
    assert len(brand) >= 6
    wrong = brand[:2] + brand[3] + brand[2] + brand[4:]
    assert "P007" in found(client, q=wrong)


def test_products_with_all_words_come_first_and_others_of_the_kind_follow(client: TestClient, shop: Shop) -> None:
    color = shop.product("P000")["color"]
    both = client.get("/search", params={"q": f"{color} t-shirt"}).json()
    assert both["is_relaxed"]
    assert both["items"][0]["product_id"] == "P000"
    followers = both["items"][both["complete"] :]
    assert 0 < both["complete"] < both["total"]
    assert {item["category"] for item in followers} == {"apparel/topwear/t-shirt"}
    assert color not in {item["color"] for item in followers}


def test_in_another_order_only_products_with_all_words_are_shown(client: TestClient, shop: Shop) -> None:
    color = shop.product("P000")["color"]
    sorted_ = client.get("/search", params={"q": f"{color} t-shirt", "sort": "price"}).json()
    assert not sorted_["is_relaxed"]
    assert sorted_["total"] == sorted_["complete"] > 0


def test_impossible_words_are_given_up(client: TestClient) -> None:
    relaxed = client.get("/search", params={"q": "t-shirt zzyzx"}).json()
    assert relaxed["is_relaxed"]
    assert {item["category"] for item in relaxed["items"]} == {"apparel/topwear/t-shirt"}


def test_nothing_is_found_for_a_word_that_nothing_has(client: TestClient) -> None:
    answer = client.get("/search", params={"q": "zzyzxqk"}).json()
    assert (answer["total"], answer["items"]) == (0, [])


def test_identifier_and_barcode_find_the_product(client: TestClient, shop: Shop) -> None:
    assert found(client, q="p009") == ["P009"]
    assert found(client, q=ODD_ID)[0] == ODD_ID
    assert found(client, q=shop.product("P002")["barcodes"][0])[0] == "P002"


def test_browsing_shows_active_products_only(client: TestClient, shop: Shop) -> None:
    shown = found(client, size=100)
    assert set(shown) == {row["product_id"] for row in shop.rows["products"] if row["is_active"]}


def test_facets_count_and_stay_open_while_one_is_chosen(client: TestClient) -> None:
    everything = client.get("/search").json()
    by_name = {facet["name"]: facet for facet in everything["facets"]}
    apparel = next(one for one in by_name["category"]["values"] if one["value"] == "apparel")
    assert apparel["count"] == 5
    assert apparel["name"] == {"en": "Apparel", "zh": "服装"}
    assert all(one["hex"].startswith("#") for one in by_name["color"]["values"])
    chosen = client.get("/search", params={"category": "accessories/bags"}).json()
    assert chosen["total"] == 3
    after = {facet["name"]: facet for facet in chosen["facets"]}
    assert after["category"]["values"] == by_name["category"]["values"]
    assert sum(one["count"] for one in after["color"]["values"]) == 3


def test_filters_narrow(client: TestClient, shop: Shop) -> None:
    rows = [row for row in shop.rows["products"] if row["is_active"]]
    dear = {row["product_id"] for row in rows if row["price"] >= 50}
    assert set(found(client, price_min=50, size=100)) == dear
    sure = {row["product_id"] for row in rows if row["category_confidence"] >= 0.8}
    assert set(found(client, confidence_min=0.8, size=100)) == sure
    assert set(found(client, review="yes")) == {"P005", "P012"}
    assert set(found(client, material="cotton", size=100)) == {"P000", "P001", "P002", "P003", "P004"}
    two = client.get("/search", params={"color": [rows[0]["color"], rows[1]["color"]], "size": 100}).json()
    assert {item["color"] for item in two["items"]} == {rows[0]["color"], rows[1]["color"]}


def test_sorting_and_pages(client: TestClient, shop: Shop) -> None:
    prices = [item["price"] for item in client.get("/search", params={"sort": "price", "size": 100}).json()["items"]]
    assert prices == sorted(prices)
    first, second = found(client, sort="-price", size=5), found(client, sort="-price", size=5, page=2)
    assert not set(first) & set(second)
    assert client.get("/search", params={"size": 5}).json()["pages"] == 4


def test_picture_of_a_product_finds_it_first(client: TestClient) -> None:
    answer = client.post("/search/image", content=described("handbag", 1).data)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["items"][0]["product_id"] == "P006"
    assert body["items"][0]["score"] > 0.99
    assert body["seen"]["width_px"] == 320
    narrowed = client.post("/search/image", params={"category": "apparel"}, content=described("handbag", 1).data)
    assert {item["category"].split("/")[0] for item in narrowed.json()["items"]} == {"apparel"}


def test_other_picture_of_a_product_finds_its_like(client: TestClient) -> None:
    items = client.post("/search/image", content=described("apple", 0, 1).data).json()["items"]
    assert "P011" in [item["product_id"] for item in items[:3]]


def test_picture_by_address_within_the_roots(client: TestClient, shop: Shop) -> None:
    answer = client.post("/search/image", params={"uri": str(shop.pictures / "P011.jpg")})
    assert answer.json()["items"][0]["product_id"] == "P011"


def test_words_to_pictures_finds_what_looks_alike(client: TestClient) -> None:
    answer = client.get("/search", params={"q": "handbag", "by": "look"}).json()
    assert {item["product_id"] for item in answer["items"][:2]} == {"P005", "P006"}
    assert answer["total"] > 2


def test_words_of_texts_and_queries_agree() -> None:
    assert query_words("Running SHOES") == text_words("running shoe")
    assert query_words("红色连衣裙") == ["红色", "色连", "连衣", "衣裙"]
    assert set(query_words("连衣裙")) <= set(text_words("红色连衣裙 250g"))
    assert query_words("Crème brûlée’s") == ["creme", "brulee"]
    assert text_words("鞋") == query_words("鞋")


def test_openapi_tells_everything(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    for path in ("/search", "/search/image", "/products/{product_id}", "/review", "/corrections", "/quarantine"):
        assert path in document["paths"]
        for operation in document["paths"][path].values():
            assert operation["description"]
            assert "application/problem+json" in operation["responses"]["default"]["content"]
