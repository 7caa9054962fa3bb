"""The page as a person uses it, in a real browser against a running service."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect

from jobs.corrections_spool import FOLDER
from jobs.service.app import create_app
from tests.chromium import open_chromium
from tests.service.conftest import serve_settings
from tests.service.shop import HOSTILE_TITLE, Shop, bundle, described

# The machine may be busy: nothing is expected at once.
PATIENCE = 60_000
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_chromium() as running:
        yield running


@pytest.fixture(scope="module")
def address(shop: Shop, browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running service; `browser` first, so that nothing is started where there is none."""
    settings = serve_settings(shop, tmp_path_factory.mktemp("page-cache"), picture_seconds=60)
    app = create_app(settings, bundle())
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 120
    while not (server.started and app.state.service.keeper.is_ready):
        assert time.monotonic() < deadline, app.state.service.keeper.problem
        time.sleep(0.1)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/"
    server.should_exit = True
    thread.join(30)


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A page; whatever it complains about in its console fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 860}, locale="en-US")
    context.set_default_timeout(PATIENCE)
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.goto(address)
    expect(opened.locator("#grid .card").first).to_be_visible()
    yield opened
    assert complaints == []
    context.close()


def cards(page: Page) -> list[str]:
    return [card.get_attribute("data-id") or "" for card in page.locator("#grid .card").all()]


def search(page: Page, words: str, total: str) -> None:
    page.keyboard.press("/")
    page.keyboard.type(words)
    page.keyboard.press("Enter")
    expect(page.locator(".total")).to_have_text(total)


def test_search_facets_and_keys(page: Page) -> None:
    search(page, "T恤", "3 products")
    assert set(cards(page)) == {"P000", "P001", "P002"}
    swatch = page.locator(".swatch").first
    color = swatch.get_attribute("data-value")
    swatch.click()
    expect(page.locator(f".swatch[data-value='{color}']")).to_have_attribute("aria-pressed", "true")
    assert 1 <= len(cards(page)) < 3
    page.get_by_role("button", name="Clear filters").click()
    expect(page.locator(".total")).to_have_text("3 products")

    page.locator("h1.total").click()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    chosen = page.evaluate("document.activeElement.dataset.id")
    assert chosen == cards(page)[1]
    page.keyboard.press("Enter")
    expect(page.locator(".product-head h1")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".total")).to_have_text("3 products")
    expect(page.locator(f"#grid .card[data-id='{chosen}']")).to_be_focused()


def test_categories_are_walked_and_misspelt_words_are_told(page: Page) -> None:
    page.locator(".tree [data-value='accessories']").click()
    page.locator(".tree [data-value='accessories/bags']").click()
    page.locator(".tree [data-value='accessories/bags/handbag']").click()
    expect(page.locator(".total")).to_have_text("2 products")
    page.locator(".wordmark").click()
    expect(page.locator(".total")).to_have_text("16 products")
    search(page, "handbga", "2 products")
    expect(page.locator(".note")).to_contain_text("“handbag” instead of “handbga”")


def test_picture_is_searched_by(page: Page, tmp_path: Path) -> None:
    picture = tmp_path / "mine.jpg"
    picture.write_bytes(described("handbag", 1).data)
    page.locator("#file").set_input_files(picture)
    expect(page.locator(".upload")).to_contain_text("Handbag")
    expect(page.locator("#grid .card").first).to_have_attribute("data-id", "P006")
    page.locator(".tree [data-value='footwear']").click()
    expect(page.locator("#grid .card")).to_have_count(2)
    expect(page.locator(".upload")).to_be_visible()


def test_product_shows_its_evidence_and_is_corrected(page: Page, address: str, shop: Shop) -> None:
    page.goto(f"{address}#/product/P000")
    expect(page.locator(".stage .overlay .over")).to_have_count(1)
    page.locator(".claim[tabindex]").first.hover()
    expect(page.locator(".stage .overlay .highlight")).to_have_count(1)
    expect(page.locator(".similar .card").first).to_be_visible()
    page.get_by_role("button", name="Heat map").click()
    expect(page.locator(".stage .heat")).to_have_js_property("complete", True)
    assert page.locator(".stage .heat").evaluate("image => image.decode().then(() => image.naturalWidth)") > 100

    page.get_by_role("button", name="Correct: Color").click()
    page.locator(".correct-form select").select_option("navy blue")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".claim-head .status.good")).to_contain_text("navy blue")
    (spooled,) = (shop.root / FOLDER).glob("*.json")
    assert '"value":"navy blue"' in spooled.read_text()

    page.get_by_label("Add what is missing").select_option("net_content")
    page.locator(".adder input").fill("0.5 l")
    page.locator(".adder").get_by_role("button", name="Save").click()
    expect(page.locator(".adder .status.good")).to_contain_text("500 ml")

    page.goto(f"{address}#/review")
    page.locator(".waiting-box summary").click()
    page.locator(".waiting").get_by_role("button", name="Undo").first.click()
    expect(page.locator(".waiting li")).to_have_count(1)
    page.locator(".waiting-box summary").click()
    page.locator(".waiting").get_by_role("button", name="Undo").click()
    expect(page.locator(".waiting-box")).to_have_count(0)
    assert not list((shop.root / FOLDER).glob("*.json"))


def test_review_queue_is_worked_through_by_keys(page: Page, address: str, shop: Shop) -> None:
    page.goto(f"{address}#/review")
    expect(page.locator(".review-row")).to_have_count(2)
    page.locator(".review-row").first.focus()
    page.keyboard.press("1")
    expect(page.locator(".review-row.done .status.good")).to_contain_text("Tomato")
    expect(page.locator(".review-row[data-id='P005']")).to_be_focused()
    assert len(list((shop.root / FOLDER).glob("*.json"))) == 1
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".review-row.done")).to_have_count(0)
    assert not list((shop.root / FOLDER).glob("*.json"))


def test_hostile_words_stay_words(page: Page, address: str) -> None:
    page.goto(f"{address}#/product/P007")
    expect(page.locator(".product-head h1")).to_have_text(HOSTILE_TITLE)
    page.goto(f"{address}#/quarantine")
    expect(page.locator(".entry")).to_have_count(3)
    expect(page.locator(".entries")).to_contain_text("<script>document.title='broken'</script>")
    assert page.locator(".entries b").count() == 0
    assert page.title() == "Quarantine · Vitrine"


def test_phone_in_chinese(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN", color_scheme="dark")
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(f"{address}#/?q=番茄")
    expect(page.locator(".total")).to_have_text("1 件商品")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator(".filters-button").click()
    expect(page.locator(".facets")).to_be_visible()
    page.locator(".close-facets").click()
    expect(page.locator(".facets")).to_be_hidden()
    for place in ("#/product/P014", "#/review", "#/quarantine"):
        page.goto(address + place)
        expect(page.locator("main h1").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, place
    page.locator("#language").click()
    expect(page.locator("main h1").first).to_contain_text("Quarantine")
    context.close()
